module minpack_in_turn
   !! The driver for many fits that calls the function: one fit after another, in the memory of one.
   use, intrinsic :: iso_c_binding, only: c_int8_t, c_intptr_t, c_ptr, c_f_pointer
   use minpack_batch, only: batch_type
   use minpack_solver, only: solver_type
   implicit none
   private
   public :: drive_in_turn, c_input_type

   type, bind(c) :: c_input_type
      !! Numbers that the function reads, and that differ from fit to fit.
      type(c_ptr) :: place
         !! Where the function reads them.
      type(c_ptr) :: source
         !! Those of the first fit.
      integer(c_intptr_t) :: step
         !! From the numbers of a fit to those of the next, in bytes.
      integer(c_intptr_t) :: size
         !! In bytes.
   end type c_input_type

contains

   subroutine drive_in_turn(batch, inputs, solver, done)
      !! Solve the fits until a function calls for a stop.
      type(batch_type), intent(inout) :: batch
         !! The fits.
      type(c_input_type), intent(in) :: inputs(:)
         !! Their data.
      type(solver_type), intent(inout) :: solver
         !! Opened for the function.
      integer, intent(out) :: done
         !! How many fits are done. If not all, a function stopped the next.

      do done = 0, batch%fits - 1
         associate (k => done + 1)
            call load(inputs, k)
            solver%settings%diag => batch%diag_of(k)
            call solver%solve(batch%x(:, k), batch%bounds_of(k), .false.)
            call batch%store(k, solver%fit, solver%rows%nfev)
            if (solver%fit%info < 0) return
         end associate
      end do
   end subroutine drive_in_turn

   subroutine load(inputs, k)
      !! Put the numbers of a fit where the function reads them.
      type(c_input_type), intent(in) :: inputs(:)
      integer, intent(in) :: k
      integer(c_int8_t), pointer, contiguous :: place(:), source(:)
      integer :: i

      do i = 1, size(inputs)
         associate (input => inputs(i))
            call c_f_pointer(input%place, place, [input%size])
            call c_f_pointer(input%source, source, [(k - 1)*input%step + input%size])
            place = source((k - 1)*input%step + 1:)
         end associate
      end do
   end subroutine load

end module minpack_in_turn
