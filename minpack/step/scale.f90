module minpack_scale
   !! The scale D of the variables. Its elements are the largest norms so far of the columns of the
   !! Jacobian (Moré 1978): the trust region does not widen in the direction of a variable that
   !! loses its effect.
   !!
   !! But if the columns were large at the start alone, the region stays too narrow in the
   !! directions of those that have shrunk most, and the fit crawls. Therefore D falls during many
   !! slow steps in a row, by half at each step, until its elements are the largest norms since the
   !! slow steps began.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: is_slow, follow

   real(dp), parameter :: slow = 0.1_dp
      !! A step is slow if it reduces the sum of squares by less than this part.
   integer, parameter :: many = 10
      !! After so many slow steps in a row, D may fall.
   real(dp), parameter :: stale = 3
      !! D falls if an element is larger by this factor than its column was recently.

contains

   pure logical function is_slow(par, reduction)
      !! Whether a step was slow because of the trust region.
      real(dp), intent(in) :: par
         !! The Levenberg-Marquardt parameter.
      real(dp), intent(in) :: reduction
         !! The actual reduction of the sum of squares, relative to its value.

      is_slow = par > 0 .and. reduction < slow
   end function is_slow

   pure subroutine follow(n, norms, slow_steps, recent, diag)
      !! Let D follow the norms of the columns.
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in) :: norms(n)
         !! The norms of the columns.
      integer, intent(in) :: slow_steps
         !! How many steps in a row were slow.
      real(dp), intent(inout) :: recent(n)
         !! The largest norms since the last step that was not slow.
      real(dp), intent(inout) :: diag(n)
         !! D.
      integer :: j

      if (slow_steps == 0) recent = 0
      recent = max(recent, norms)
      if (slow_steps >= many) then
         if (any(diag > stale*recent)) diag = diag/2
      end if
      do j = 1, n
         diag(j) = max(diag(j), recent(j))
      end do
   end subroutine follow

end module minpack_scale
