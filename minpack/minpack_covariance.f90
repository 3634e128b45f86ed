module minpack_covariance
   !! The inverse of J'J from the triangle of the pivoted QR factorisation of J.
   use minpack_kinds, only: dp
   use minpack_fold, only: triangulate
   implicit none
   private
   public :: covariance

contains

   pure subroutine covariance(n, r, ipvt, active, cov, regular)
      !! With J P = Q R for the free variables and U the inverse of R, (J'J)^-1 = P U U' P'; the rows and
      !! columns of the others are zero.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
         !! In: the triangle R for all variables. Out: the inverse for the free ones.
      integer, intent(inout) :: ipvt(n)
         !! In: column j of J P is column ipvt(j) of J. Out: the same for the free ones alone.
      integer, intent(in) :: active(n)
         !! 0 for what is free, anything else for what is on a bound.
      real(dp), intent(out) :: cov(n, n)
      logical, intent(out) :: regular
         !! Whether R has an inverse, and cov no number that is too large.
      real(dp) :: product
      integer :: count, i, j, k

      cov = 0
      count = 0
      do k = 1, n
         if (active(ipvt(k)) /= 0) cycle
         count = count + 1
         ipvt(count) = ipvt(k)
         r(:k, count) = r(:k, k)
         r(k + 1:, count) = 0
      end do
      if (count < n) call triangulate(n, count, r, n)
      regular = .false.
      do k = 1, count
         if (r(k, k) == 0) return
      end do
      call invert(n, count, r)
      do j = 1, count
         do i = 1, j
            product = 0
            do k = j, count
               product = product + r(i, k)*r(j, k)
            end do
            cov(ipvt(i), ipvt(j)) = product
            cov(ipvt(j), ipvt(i)) = product
         end do
         if (.not. cov(ipvt(j), ipvt(j)) <= huge(product)) return
      end do
      regular = .true.
   end subroutine covariance

   pure subroutine invert(ld, n, r)
      !! Invert an upper triangle column by column, in place.
      integer, intent(in) :: ld
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(ld, n)
      integer :: j, k

      do k = 1, n
         r(k, k) = 1/r(k, k)
         do j = 1, k - 1
            r(:j - 1, k) = r(:j - 1, k) + r(j, k)*r(:j - 1, j)
            r(j, k) = r(j, k)*r(j, j)
         end do
         r(:k - 1, k) = -r(k, k)*r(:k - 1, k)
      end do
   end subroutine invert

end module minpack_covariance
