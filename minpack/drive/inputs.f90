module minpack_inputs
   !! Data that a function reads at one place, although they differ from call to call.
   use, intrinsic :: iso_c_binding, only: c_int8_t, c_intptr_t, c_ptr, c_f_pointer
   implicit none
   private
   public :: c_input_type, load

   type, bind(c) :: c_input_type
      !! Numbers that the function reads, and that differ from fit to fit, or from block to block.
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

   subroutine load(inputs, k)
      !! Put the numbers of a fit where the function reads them.
      type(c_input_type), intent(in) :: inputs(:)
         !! All of its inputs.
      integer, intent(in) :: k
         !! Which fit, from 1.
      integer(c_int8_t), pointer, contiguous :: place(:), source(:)
      integer(c_intptr_t) :: first
      integer :: i

      do i = 1, size(inputs)
         associate (input => inputs(i))
            first = (k - 1)*input%step
            call c_f_pointer(input%place, place, [input%size])
            call c_f_pointer(input%source, source, [first + input%size])
            place = source(first + 1:)
         end associate
      end do
   end subroutine load

end module minpack_inputs
