#include "../codes.h"
module minpack_covariance
   !! The inverse of J'J from the triangle of the pivoted QR factorization of J, and the variables
   !! that the data do not determine.
   !!
   !! The columns of the free variables are scaled to norm one, so that no decision depends on the
   !! units of the variables, and factored once more: J N^-1 P = Q S. A variable has no effect if
   !! its column is zero; on a bound, too, because nothing presses it against the bound. |S(k, k)|
   !! is the sine of the angle between a column and the space of the columns before it. If the sine
   !! is within the error of the columns, the data may not determine the variable, nor those
   !! variables whose columns it combines: they act together. If the sine is smaller than the
   !! smallest error of the columns, there is no covariance. A column that was differenced by a step
   !! with a small effect, as that of a variable close to zero, contains larger rounding errors than
   !! others.
   !!
   !! Variables are hardly determined if their standard errors are 100 times their values because
   !! their columns are nearly dependent. A fit that moves along such a valley can end anywhere in
   !! it, at a point where the error of the columns may be larger than estimated.
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use minpack_triangle, only: solve, copy_triangle
   use minpack_tile, only: many_columns
   use minpack_inverse, only: invert, multiply_rows
   implicit none
   private
   public :: covariance_type, determined, without_effect, acts_together, hardly_determined, &
             conditional, free, on_bound, fixed

   integer, parameter :: determined = MINPACK_DETERMINED
   integer, parameter :: without_effect = MINPACK_WITHOUT_EFFECT
   integer, parameter :: acts_together = MINPACK_ACTS_TOGETHER
   integer, parameter :: hardly_determined = MINPACK_HARDLY_DETERMINED
   integer, parameter :: conditional = MINPACK_CONDITIONAL

   integer, parameter :: free = 0
   integer, parameter :: on_bound = 1
   integer, parameter :: fixed = 2
      !! On two bounds that are equal.

   real(dp), parameter :: considerable = 0.01_dp
      !! The least share in a combination of columns that counts.
   real(dp), parameter :: many = 100
      !! A standard error is large if it exceeds the value of the variable by this factor.
   real(dp), parameter :: clear = 1e-3_dp
      !! Columns are independent beyond doubt if all sines are larger.
   real(dp), parameter :: inflated = 1e5_dp
      !! The factor by which a standard error is larger than if the other variables were known.
   real(dp), parameter :: usual = 10
      !! The upper estimate of the error of a column, in units of the relative change of the
      !! residuals that its step is to cause. The square of this change is their rounding error.
   real(dp), parameter :: rounding = 2
      !! The error of a difference of two residuals, in units of the rounding error of one.
   real(dp), parameter :: hidden = 2
      !! A column may be a combination of others if its error is so many times its sine,
   real(dp), parameter :: half_hidden = 0.5_dp
      !! or so many times, if the standard error of its variable is larger than the value.
   real(dp), parameter :: lost = 10
      !! Then nothing but errors is left of the column.
   real(dp), parameter :: related = 0.5_dp
      !! The correlation of variables that act together.
   real(dp), parameter :: pressing = 100
      !! The gradient presses variables on their bounds if their slopes are so many times those of
      !! the free variables that act together with them.
   real(dp), parameter :: flat = 1e-6_dp
      !! Such slopes, in units of the norm of the residuals, may come from rounding errors.
   real(dp), parameter :: raised = 1e3_dp
      !! The same, for two variables or more. That a single one is close to zero may be chance.

   type :: covariance_type
      integer :: n = 0
         !! Number of variables.
      logical :: regular = .false.
         !! Whether there is a covariance: all variables are determined, or may be, and no number is
         !! too large.
      real(dp), allocatable :: cov(:, :)
         !! Shape: (n, n). The covariance, or zeros.
      integer, allocatable :: state(:)
         !! Shape: (n). What the data tell of each variable: one of the names above.

      ! Workspace. In the second columns, the free variables are in the order of S.
      real(dp), allocatable, private :: columns(:, :)
         !! Shape: (n, n). J N^-1, folded.
      real(dp), allocatable, private :: s(:)
         !! Shape: (n*n). S, a square matrix of the size of the free variables.
      real(dp), allocatable, private :: norms(:, :)
         !! Shape: (n, 2). The diagonal of N.
      real(dp), allocatable, private :: errors(:)
         !! Shape: (n). Estimates of the rounding errors of the columns of J, relative to their
         !! norms; zero where other errors are larger.
      real(dp), allocatable, private :: unused(:)
      real(dp), allocatable, private :: left(:, :)
         !! Shape: (n, 2). For pivoted_qr.
      integer, allocatable, private :: which(:, :)
         !! Shape: (n, 2). The free variables.
      integer, allocatable, private :: order(:)
   contains
      procedure :: allocate_for
      procedure :: estimate
      procedure, private :: normalize
      procedure, private :: find_unpressed
      procedure, private :: find_together
      procedure, private :: factor
      procedure, private :: find_hidden
      procedure, private :: find_hardly_determined
   end type covariance_type

contains

   subroutine allocate_for(self, n, stat)
      class(covariance_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      allocate (self%cov(n, n), self%state(n), self%columns(n, n), self%s(n*n), self%norms(n, 2), &
                self%errors(n), self%unused(n), self%left(n, 2), self%which(n, 2), self%order(n), &
                stat=stat)
   end subroutine allocate_for

   pure subroutine estimate(self, m, r, qtf, changes, ipvt, x, active, fnorm, absolute, &
                            differenced, negligible, doubtful)
      !! With U the inverse of S, (J'J)^-1 = N^-1 P U U' P' N^-1. The rows and columns of the
      !! variables that are not free are zero.
      class(covariance_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of residuals.
      real(dp), intent(in) :: r(self%n, self%n)
         !! The triangle R for all variables.
      real(dp), intent(in) :: qtf(self%n)
         !! The first elements of Q'f.
      real(dp), intent(in) :: changes(self%n)
         !! How much the step of each column changed the residuals, in units of the data.
      integer, intent(in) :: ipvt(self%n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(in) :: x(self%n)
         !! The variables.
      integer, intent(in) :: active(self%n)
         !! free, on_bound or fixed.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals.
      logical, intent(in) :: absolute
         !! Whether the standard deviation of the residuals is 1. If not, the residuals show it, if
         !! there are more residuals than free variables.
      logical, intent(in) :: differenced
         !! Whether J is differenced. The derivative of a variable on a bound may be zero although
         !! the variable has an effect, but not its difference quotient.
      real(dp), intent(in) :: negligible
         !! A lower estimate of the relative error of the columns of J.
      real(dp), intent(in) :: doubtful
         !! An upper estimate of this error.
      real(dp) :: deviation
      integer :: effects, freedom
      logical :: together(self%n)

      together = .false.
      self%errors = rounding*(doubtful/usual)**2/changes
      where (self%errors <= doubtful) self%errors = 0
      if (any(active == on_bound)) then
         call self%find_together(r, ipvt, active, negligible, doubtful, together)
         if (are_pressed(self%n, r, qtf, ipvt, fnorm, together, active)) together = .false.
      end if
      freedom = m - count(active == free)
      deviation = 1
      if (.not. absolute) deviation = fnorm/sqrt(real(max(freedom, 1), dp))
      self%cov = 0
      self%state = determined
      call self%normalize(r, ipvt, active, merge(deviation, 1.0_dp, deviation /= 0), effects)
      if (differenced .or. .not. any(active == free)) call self%find_unpressed(r, ipvt, active)
      self%regular = all(self%state /= without_effect)
      if (effects > 0) then
         call self%factor(effects, negligible, doubtful)
         if (self%regular) then
            call multiply_inverse(self%n, effects, self%s, self%columns, self%which(:, 2), &
                                  self%norms(:, 2), self%cov, self%regular)
         end if
         if (self%regular) call self%find_hidden(effects, x)
         if (self%regular) call self%find_hardly_determined(effects, x)
      end if
      if (all(self%state == determined)) then
         where (together) self%state = conditional
      end if
      if (deviation == 0) self%cov = 0
      self%regular = self%regular .and. (absolute .or. freedom > 0)
   end subroutine estimate

   pure subroutine normalize(self, r, ipvt, active, deviation, count)
      !! Scale the columns of the free variables to norm one, and fold them.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
      integer, intent(in) :: ipvt(self%n)
      integer, intent(in) :: active(self%n)
      real(dp), intent(in) :: deviation
         !! Of the residuals, not zero.
      integer, intent(out) :: count
         !! Number of free variables with an effect.
      real(dp) :: norm
      integer :: k

      count = 0
      do k = 1, self%n
         if (active(ipvt(k)) /= free) cycle
         associate (column => self%columns(:, count + 1))
            column(:k) = r(:k, k)/deviation
            norm = enorm(k, column)
            if (norm == 0) then
               self%state(ipvt(k)) = without_effect
               cycle
            end if
            column(:k) = column(:k)/norm
            column(k + 1:) = 0
         end associate
         count = count + 1
         self%norms(count, 1) = norm
         self%which(count, 1) = ipvt(k)
      end do
      if (count < self%n) call triangulate(self%n, count, self%columns, self%n)
   end subroutine normalize

   pure subroutine find_unpressed(self, r, ipvt, active)
      !! Mark the variables on a bound whose columns are zero.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
      integer, intent(in) :: ipvt(self%n)
      integer, intent(in) :: active(self%n)
      integer :: k

      do k = 1, self%n
         if (active(ipvt(k)) == on_bound .and. all(r(:k, k) == 0)) then
            self%state(ipvt(k)) = without_effect
         end if
      end do
   end subroutine find_unpressed

   pure subroutine find_together(self, r, ipvt, active, negligible, doubtful, together)
      !! Find the variables that act together, if a variable on a bound is one of them.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
      integer, intent(in) :: ipvt(self%n)
      integer, intent(in) :: active(self%n)
      real(dp), intent(in) :: negligible
      real(dp), intent(in) :: doubtful
      logical, intent(out) :: together(self%n)
      integer :: effects, looked_at(self%n)

      self%state = determined
      looked_at = free
      where (active == fixed) looked_at = fixed
      call self%normalize(r, ipvt, looked_at, 1.0_dp, effects)
      if (effects > 0) call self%factor(effects, negligible, doubtful)
      together = self%state == acts_together
      if (.not. any(together .and. active == on_bound)) together = .false.
   end subroutine find_together

   pure logical function are_pressed(n, r, qtf, ipvt, fnorm, together, active)
      !! Whether the gradient presses the variables that act together with others on their bounds.
      !! With a loss, outliers may have an effect on the gradient alone, and hardly on the scaled
      !! Jacobian. Then the data determine that the variables are on their bounds.
      integer, intent(in) :: n
      real(dp), intent(in) :: r(n, n)
      real(dp), intent(in) :: qtf(n)
      integer, intent(in) :: ipvt(n)
      real(dp), intent(in) :: fnorm
      logical, intent(in) :: together(n)
      integer, intent(in) :: active(n)
      real(dp) :: least, others, slope
      integer :: k

      least = huge(least)
      others = flat*fnorm/pressing
      do k = 1, n
         if (.not. together(ipvt(k))) cycle
         slope = abs(dot_product(r(:k, k), qtf(:k)))/enorm(k, r(:k, k))
         if (active(ipvt(k)) == on_bound) then
            least = min(least, slope)
         else
            others = max(others, slope)
         end if
      end do
      are_pressed = any(together) .and. least > pressing*others
   end function are_pressed

   pure subroutine factor(self, count, negligible, doubtful)
      !! Factor the folded columns, and find the variables that act together.
      class(covariance_type), intent(inout) :: self
      integer, intent(in) :: count
      real(dp), intent(in) :: negligible
      real(dp), intent(in) :: doubtful
      integer :: k

      call copy_triangle(count, self%columns, self%n, self%s)
      call pivot(count, self%s, self%unused, self%order, self%columns(1, 1), self%left)
      do k = 1, count
         self%which(k, 2) = self%which(self%order(k), 1)
         self%norms(k, 2) = self%norms(self%order(k), 1)
         self%regular = self%regular .and. abs(self%s(k + (k - 1)*count)) > negligible
      end do
      call find_undetermined(count, self%s, self%which(:, 2), doubtful, self%left(:, 1), self%state)
   end subroutine factor

   pure subroutine pivot(n, s, unused, order, norms, left)
      !! Pivot the columns, unless they are many, and clearly independent.
      integer, intent(in) :: n
      real(dp), intent(inout) :: s(n, n)
      real(dp), intent(out) :: unused(n)
      integer, intent(out) :: order(n)
      real(dp), intent(out) :: norms(n)
      real(dp), intent(out) :: left(n, 2)
      logical :: independent
      integer :: k

      independent = n >= many_columns
      do k = 1, n
         order(k) = k
         independent = independent .and. abs(s(k, k)) > clear
      end do
      if (independent) return
      unused = 0
      call pivoted_qr(n, s, unused, order, norms, left)
   end subroutine pivot

   pure subroutine find_hidden(self, count, x)
      !! Find the variables that may act together with others, because rounding errors of their
      !! columns hide that these are combinations of the others. The sine of a column to all others
      !! follows from the covariance.
      class(covariance_type), intent(inout) :: self
      integer, intent(in) :: count
      real(dp), intent(in) :: x(:)
      real(dp) :: ratio, error
      integer :: i, j, k

      do k = 1, count
         j = self%which(k, 2)
         error = sqrt(self%cov(j, j))
         ratio = self%errors(j)*(error*self%norms(k, 2))
         if (ratio <= merge(half_hidden, hidden, error > abs(x(j)))) cycle
         do i = 1, count
            associate (l => self%which(i, 2))
               if (abs(self%cov(l, j)) > related*error*sqrt(self%cov(l, l))) then
                  self%state(l) = acts_together
               end if
            end associate
         end do
         self%regular = self%regular .and. ratio <= lost
      end do
      if (.not. self%regular) self%cov = 0
   end subroutine find_hidden

   pure subroutine find_hardly_determined(self, count, x)
      class(covariance_type), intent(inout) :: self
      integer, intent(in) :: count
      real(dp), intent(in) :: x(:)
      real(dp) :: least
      integer :: k, several

      several = 0
      do k = 1, count
         if (exceeds(k, raised)) several = several + 1
      end do
      least = merge(raised, inflated, several > 1)
      do k = 1, count
         if (exceeds(k, least)) self%state(self%which(k, 2)) = hardly_determined
      end do

   contains

      pure logical function exceeds(k, least)
         !! Whether a standard error is much larger than the value of its variable, and than if the
         !! other variables were known.
         integer, intent(in) :: k
            !! The column of the variable.
         real(dp), intent(in) :: least
            !! By which factor than if the other variables were known.
         real(dp) :: error

         associate (j => self%which(k, 2))
            error = sqrt(self%cov(j, j))
            exceeds = self%state(j) == determined .and. error > many*abs(x(j)) &
                      .and. error*self%norms(k, 2) > least
         end associate
      end function exceeds

   end subroutine find_hardly_determined

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

   pure subroutine multiply_inverse(n, count, s, u, which, norms, cov, representable)
      !! Fill in the covariance of the variables that are named.
      integer, intent(in) :: n
      integer, intent(in) :: count
      real(dp), intent(inout) :: s(count, count)
         !! Out: destroyed.
      real(dp), intent(out) :: u(count, count)
         !! Workspace.
      integer, intent(in) :: which(:)
      real(dp), intent(in) :: norms(:)
      real(dp), intent(inout) :: cov(n, n)
      logical, intent(out) :: representable
      integer :: i, j

      call invert(count, s, u)
      do j = 1, count
         u(:j, j) = u(:j, j)/norms(:j)
      end do
      call multiply_rows(count, u, s)
      representable = .true.
      do j = 1, count
         do i = j, count
            cov(which(i), which(j)) = s(i, j)
            cov(which(j), which(i)) = s(i, j)
         end do
         if (.not. s(j, j) <= huge(s)) representable = .false.
      end do
   end subroutine multiply_inverse

end module minpack_covariance
