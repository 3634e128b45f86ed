module minpack_assertions
   !! Assertions. They are checked in builds with -DDEBUGGING only. Write
   !! `if (debugging) call assert(...)`; other builds remove the statement.
   implicit none
   private
   public :: debugging, assert

#ifdef DEBUGGING
   logical, parameter :: debugging = .true.
#else
   logical, parameter :: debugging = .false.
#endif

contains

   pure subroutine assert(holds, what)
      !! Stop the program unless a condition holds.
      logical, intent(in) :: holds
         !! The condition.
      character(*), intent(in) :: what
         !! The condition in words.

#ifdef DEBUGGING
      if (.not. holds) error stop what
#endif
   end subroutine assert

end module minpack_assertions
