module minpack_scaled_box
   !! The bounds of a step in the scaled variables of minpack_lmpar, and the variables that are held
   !! on them. Everything is in the order of the columns of T.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   implicit none
   private
   public :: scaled_box_type

   type :: scaled_box_type
      real(dp), pointer, contiguous :: least(:) => null()
         !! Shape: (n). least <= z <= greatest, where -z is the step.
      real(dp), pointer, contiguous :: greatest(:) => null()
         !! Shape: (n).
      integer, pointer, contiguous :: side(:) => null()
         !! Shape: (n). -1 for a variable that is held at its lower bound, 1 at its upper bound, 0
         !! for a free variable.
   contains
      procedure :: attach
      procedure :: list_free
   end type scaled_box_type

contains

   subroutine attach(self, n, store)
      class(scaled_box_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%least => store%vector(n)
      self%greatest => store%vector(n)
      self%side => store%indices(n)
   end subroutine attach

   pure subroutine list_free(self, free, count)
      class(scaled_box_type), intent(in) :: self
      integer, intent(inout) :: free(:)
         !! Out: the columns of the free variables, in order, first.
      integer, intent(out) :: count
         !! How many variables are free.
      integer :: j

      count = 0
      do j = 1, size(self%side)
         if (self%side(j) /= 0) cycle
         count = count + 1
         free(count) = j
      end do
   end subroutine list_free

end module minpack_scaled_box
