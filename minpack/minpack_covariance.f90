module minpack_covariance
   !! The inverse of J'J from the triangle of the pivoted QR factorisation of J.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: covariance

contains

   pure subroutine covariance(n, r, ipvt, cov, regular)
      !! With J P = Q R and U the inverse of R, (J'J)^-1 = P U U' P'.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
         !! In: the triangle R. Out: its inverse.
      integer, intent(in) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(out) :: cov(n, n)
      logical, intent(out) :: regular
         !! Whether R has an inverse, and so cov was computed.
      real(dp) :: product
      integer :: i, j, k

      cov = 0
      regular = .false.
      do k = 1, n
         if (r(k, k) == 0) return
      end do
      regular = .true.
      call invert(n, r)
      do j = 1, n
         do i = 1, j
            product = 0
            do k = j, n
               product = product + r(i, k)*r(j, k)
            end do
            cov(ipvt(i), ipvt(j)) = product
            cov(ipvt(j), ipvt(i)) = product
         end do
      end do
   end subroutine covariance

   pure subroutine invert(n, r)
      !! Invert an upper triangle column by column, in place.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
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
