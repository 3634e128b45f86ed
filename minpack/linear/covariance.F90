#include "../codes.h"
module minpack_covariance
   !! The inverse of J'J from the triangle of the pivoted QR factorization of J, and the variables
   !! that the data do not determine.
   !!
   !! The columns of the free variables are scaled to norm one, so that no decision depends on the
   !! units of the variables, and factored once more: J N^-1 P = Q S. A variable has no effect if
   !! its column is zero. |S(k, k)| is the sine of the angle between a column and the space of the
   !! columns before it. If the sine is within the error of the columns, the data may not determine
   !! the variable, nor those variables whose columns it combines: they act together. If the sine is
   !! smaller than the smallest error of the columns, there is no covariance.
   !!
   !! Variables are hardly determined if their standard errors are 100 times their values because
   !! their columns are nearly dependent. A fit that moves along such a valley can end anywhere in
   !! it, at a point where the error of the columns may be larger than estimated.
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use minpack_triangle, only: solve, copy_triangle
   implicit none
   private
   public :: covariance, determined, without_effect, acts_together, hardly_determined

   integer, parameter :: determined = MINPACK_DETERMINED
   integer, parameter :: without_effect = MINPACK_WITHOUT_EFFECT
   integer, parameter :: acts_together = MINPACK_ACTS_TOGETHER
   integer, parameter :: hardly_determined = MINPACK_HARDLY_DETERMINED

   real(dp), parameter :: considerable = 0.01_dp
      !! The least share in a combination of columns that counts.
   real(dp), parameter :: many = 100
      !! A standard error is large if it exceeds the value of the variable by this factor.
   real(dp), parameter :: inflated = 1e5_dp
      !! The factor by which a standard error is larger than if the other variables were known.

contains

   pure subroutine covariance(n, r, ipvt, x, active, negligible, doubtful, cov, state, regular)
      !! With U the inverse of S, (J'J)^-1 = N^-1 P U U' P' N^-1. The rows and columns of the
      !! variables that are not free are zero.
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in) :: r(n, n)
         !! The triangle R for all variables.
      integer, intent(in) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(in) :: x(n)
         !! The variables. r must be divided by the standard deviation of the residuals, so that the
         !! inverse of J'J is the covariance of x.
      integer, intent(in) :: active(n)
         !! 0 for a free variable, anything else for a variable on a bound.
      real(dp), intent(in) :: negligible
         !! A lower estimate of the relative error of the columns of J.
      real(dp), intent(in) :: doubtful
         !! An upper estimate of this error.
      real(dp), intent(out) :: cov(n, n)
         !! The inverse of J'J.
      integer, intent(out) :: state(n)
         !! Of each variable: one of the names above.
      logical, intent(out) :: regular
         !! Whether there is a covariance: all are determined, or may be, and no number is too
         !! large.
      real(dp), allocatable :: columns(:, :), s(:, :), norms(:, :), unused(:), left(:, :)
      integer, allocatable :: which(:, :), order(:)
      integer :: count, k, stat

      cov = 0
      state = determined
      regular = .false.
      allocate (columns(n, n), norms(n, 2), unused(n), left(n, 2), which(n, 2), order(n), stat=stat)
      if (stat /= 0) return
      count = 0
      do k = 1, n
         if (active(ipvt(k)) /= 0) cycle
         norms(count + 1, 1) = enorm(k, r(1, k))
         if (norms(count + 1, 1) == 0) then
            state(ipvt(k)) = without_effect
            cycle
         end if
         count = count + 1
         which(count, 1) = ipvt(k)
         columns(:k, count) = r(:k, k)/norms(count, 1)
         columns(k + 1:, count) = 0
      end do
      regular = all(state /= without_effect)
      if (count == 0) return
      if (count < n) call triangulate(n, count, columns, n)
      allocate (s(count, count), stat=stat)
      if (stat /= 0) return
      call copy_triangle(count, columns, n, s)
      unused = 0
      call pivoted_qr(count, s, unused, order, columns(1, 1), left)
      do k = 1, count
         which(k, 2) = which(order(k), 1)
         norms(k, 2) = norms(order(k), 1)
         regular = regular .and. abs(s(k, k)) > negligible
      end do
      call find_undetermined(count, s, which(:, 2), doubtful, left(:, 1), state)
      if (.not. regular) return
      call multiply_inverse(n, count, s, which(:, 2), norms(:, 2), cov, regular)
      do k = 1, count
         associate (j => which(k, 2))
            if (state(j) /= determined) cycle
            if (sqrt(cov(j, j)) > many*abs(x(j)) .and. sqrt(cov(j, j))*norms(k, 2) > inflated) then
               state(j) = hardly_determined
            end if
         end associate
      end do
   end subroutine covariance

   pure subroutine find_undetermined(n, s, which, tolerance, combination, state)
      !! Mark the variables that act together.
      integer, intent(in) :: n
      real(dp), intent(in) :: s(n, n)
      integer, intent(in) :: which(:)
         !! The variables of the columns.
      real(dp), intent(in) :: tolerance
      real(dp), intent(inout) :: combination(:)
         !! Workspace.
      integer, intent(inout) :: state(:)
      integer :: rank, j, k

      do rank = 0, n - 1
         if (abs(s(rank + 1, rank + 1)) <= tolerance) exit
      end do
      do k = rank + 1, n
         state(which(k)) = acts_together
         combination(:rank) = s(:rank, k)
         call solve(rank, s, n, combination)
         do j = 1, rank
            if (abs(combination(j)) > considerable) state(which(j)) = acts_together
         end do
      end do
   end subroutine find_undetermined

   pure subroutine multiply_inverse(n, count, s, which, norms, cov, representable)
      !! Fill in the covariance of the variables that are named.
      integer, intent(in) :: n
      integer, intent(in) :: count
      real(dp), intent(inout) :: s(count, count)
         !! Out: its inverse.
      integer, intent(in) :: which(:)
      real(dp), intent(in) :: norms(:)
      real(dp), intent(inout) :: cov(n, n)
      logical, intent(out) :: representable
      real(dp) :: product
      integer :: i, j, k

      call invert(count, s)
      representable = .true.
      do j = 1, count
         do i = 1, j
            product = 0
            do k = j, count
               product = product + (s(i, k)/norms(i))*(s(j, k)/norms(j))
            end do
            cov(which(i), which(j)) = product
            cov(which(j), which(i)) = product
         end do
         if (.not. product <= huge(product)) representable = .false.
      end do
   end subroutine multiply_inverse

   pure subroutine invert(n, s)
      !! Invert an upper triangle column by column, in place.
      integer, intent(in) :: n
      real(dp), intent(inout) :: s(n, n)
      integer :: j, k

      do k = 1, n
         s(k, k) = 1/s(k, k)
         do j = 1, k - 1
            s(:j - 1, k) = s(:j - 1, k) + s(j, k)*s(:j - 1, j)
            s(j, k) = s(j, k)*s(j, j)
         end do
         s(:k - 1, k) = -s(k, k)*s(:k - 1, k)
      end do
   end subroutine invert

end module minpack_covariance
