module minpack_covariance_entries
   !! The entries for C and Python that compute covariances, and apply them. minpack.h documents
   !! them.
   use, intrinsic :: iso_c_binding, only: c_int
   use minpack_kinds, only: dp
   use minpack_triangle, only: solve_lower
   use minpack_covariance, only: covariance_type
   implicit none
   private
   public :: covar, whiten

contains

   subroutine whiten(m, count, factor, columns) bind(c, name='minpack_whiten')
      integer(c_int), value :: m
         !! Size of the triangle.
      integer(c_int), value :: count
         !! How many columns to solve for.
      real(dp), intent(in) :: factor(m, m)
         !! L, a lower triangle.
      real(dp), intent(inout) :: columns(m, count)
         !! In: b. Out: w, where L w = b.
      integer :: j

      do j = 1, count
         call solve_lower(m, factor, columns(:, j))
      end do
   end subroutine whiten

   subroutine covar(m, n, r, qtf, changes, ipvt, x, active, fnorm, absolute, differenced, &
                    negligible, doubtful, cov, state, regular) bind(c, name='minpack_covar')
      integer(c_int), value :: m
         !! Number of residuals.
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(in) :: r(n, n)
         !! The triangle R of J P = Q R.
      real(dp), intent(in) :: qtf(n)
         !! The first elements of Q'f.
      real(dp), intent(in) :: changes(n)
         !! How much the step of each column changed the residuals, in units of the data.
      integer(c_int), intent(in) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(in) :: x(n)
         !! The variables.
      integer(c_int), intent(in) :: active(n)
         !! 0 for a free variable, 1 for a variable on a bound, 2 for a fixed variable.
      real(dp), value :: fnorm
         !! Norm of the residuals.
      integer(c_int), value :: absolute
         !! 1 if the standard deviation of the residuals is 1, otherwise 0.
      integer(c_int), value :: differenced
         !! 1 if J is differenced.
      real(dp), value :: negligible
         !! The relative error of the columns of J, at least.
      real(dp), value :: doubtful
         !! The relative error of the columns of J, at most.
      real(dp), intent(out) :: cov(n, n)
         !! The inverse of J'J.
      integer(c_int), intent(out) :: state(n)
         !! What the data tell of each variable: a name in minpack_covariance.
      integer(c_int), intent(out) :: regular
         !! 1 if there is a covariance.
      type(covariance_type) :: covariance
      integer :: stat

      cov = 0
      state = 0
      regular = 0
      call covariance%allocate_for(n, stat)
      if (stat /= 0) return
      call covariance%estimate(m, r, qtf, changes, ipvt, x, active, fnorm, absolute /= 0, &
                               differenced /= 0, negligible, doubtful)
      cov = covariance%cov
      state = covariance%state
      regular = merge(1, 0, covariance%regular)
   end subroutine covar

end module minpack_covariance_entries
