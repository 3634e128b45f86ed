module minpack_in_turn
   !! The driver for many fits that calls the function: one fit after another, in the memory of one.
   use minpack_inputs, only: c_input_type, load
   use minpack_batch, only: batch_type
   use minpack_solver, only: solver_type
   implicit none
   private
   public :: drive_in_turn

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
            solver%settings%data_norm = batch%data_norms(k)
            call solver%solve(batch%x(:, k), batch%bounds_of(k), .false.)
            call batch%store(k, solver%fit, solver%rows%nfev)
            if (solver%fit%info < 0) return
         end associate
      end do
   end subroutine drive_in_turn

end module minpack_in_turn
