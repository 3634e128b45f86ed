#include "../codes.h"
module minpack_covariance
   !! The inverse of J'J from the triangle of the pivoted QR factorization of J, and the variables
   !! that the data do not determine.
   !!
   !! A variable has no effect if its column is zero; on a bound, too, because nothing presses it
   !! against the bound. Variables act together if their scaled columns are combinations of one
   !! another, within the error of the columns. If a sine is smaller than the smallest error, there
   !! is no covariance. A column that was differenced by a step with a small effect, as that of a
   !! variable close to zero, contains larger rounding errors than others.
   !!
   !! Variables are hardly determined if their standard errors are 100 times their values because
   !! their columns are nearly dependent. A fit that moves along such a valley can end anywhere in
   !! it, at a point where the error of the columns may be larger than estimated.
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_scaled_columns, only: scaled_columns
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

   real(dp), parameter :: many = 100
      !! A standard error is large if it exceeds the value of the variable by this factor.
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

      type(scaled_columns), private :: columns
         !! Those of the free variables.
      real(dp), allocatable, private :: errors(:)
         !! Shape: (n). Estimates of the rounding errors of the columns of J, relative to their
         !! norms; zero where other errors are larger.
   contains
      procedure :: allocate_for
      procedure :: estimate
      procedure, private :: find_without_effect
      procedure, private :: find_conditioned
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
      allocate (self%cov(n, n), self%state(n), self%errors(n), stat=stat)
      if (stat == 0) call self%columns%allocate_for(n, stat)
   end subroutine allocate_for

   pure subroutine estimate(self, m, r, qtf, changes, ipvt, x, active, fnorm, absolute, &
                            differenced, negligible, doubtful)
      !! The rows and columns of the variables that are not free are zero.
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
      real(dp) :: deviation, sine
      integer :: freedom
      logical, dimension(self%n) :: are_free, conditioned, together

      self%errors = rounding*(doubtful/usual)**2/changes
      where (self%errors <= doubtful) self%errors = 0
      conditioned = .false.
      if (any(active == on_bound)) then
         call self%find_conditioned(r, ipvt, active, doubtful, conditioned)
         if (are_pressed(self%n, r, qtf, ipvt, fnorm, conditioned, active)) conditioned = .false.
      end if
      are_free = active == free
      freedom = m - count(are_free)
      deviation = 1
      if (.not. absolute) deviation = fnorm/sqrt(real(max(freedom, 1), dp))
      self%cov = 0
      call self%columns%take(r, ipvt, are_free, merge(deviation, 1.0_dp, deviation /= 0))
      call self%find_without_effect(r, ipvt, active, differenced .or. .not. any(are_free))
      self%regular = all(self%state /= without_effect)
      if (self%columns%count > 0) then
         call self%columns%factor(doubtful, together, sine)
         where (together) self%state = acts_together
         self%regular = self%regular .and. sine > negligible
         if (self%regular) call self%columns%multiply_inverse(self%cov, self%regular)
         if (self%regular) call self%find_hidden(x)
         if (self%regular) call self%find_hardly_determined(x)
      end if
      if (all(self%state == determined)) then
         where (conditioned) self%state = conditional
      end if
      if (deviation == 0) self%cov = 0
      self%regular = self%regular .and. (absolute .or. freedom > 0)
   end subroutine estimate

   pure subroutine find_without_effect(self, r, ipvt, active, on_bounds)
      !! Mark the variables whose columns are zero, so that they were not taken.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
      integer, intent(in) :: ipvt(self%n)
      integer, intent(in) :: active(self%n)
      logical, intent(in) :: on_bounds
         !! Whether to mark variables on bounds, too.
      integer :: k

      self%state = merge(without_effect, determined, active == free)
      do k = 1, self%columns%count
         self%state(self%columns%which(k)) = determined
      end do
      if (.not. on_bounds) return
      do k = 1, self%n
         if (active(ipvt(k)) == on_bound .and. all(r(:k, k) == 0)) then
            self%state(ipvt(k)) = without_effect
         end if
      end do
   end subroutine find_without_effect

   pure subroutine find_conditioned(self, r, ipvt, active, doubtful, conditioned)
      !! Find the variables that act together, if a variable on a bound is one of them.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
      integer, intent(in) :: ipvt(self%n)
      integer, intent(in) :: active(self%n)
      real(dp), intent(in) :: doubtful
      logical, intent(out) :: conditioned(self%n)
      real(dp) :: sine
      logical :: are_variable(self%n)

      are_variable = active /= fixed
      call self%columns%take(r, ipvt, are_variable, 1.0_dp)
      call self%columns%factor(doubtful, conditioned, sine)
      if (.not. any(conditioned .and. active == on_bound)) conditioned = .false.
   end subroutine find_conditioned

   pure logical function are_pressed(n, r, qtf, ipvt, fnorm, conditioned, active)
      !! Whether the gradient presses the variables that act together with others on their bounds.
      !! With a loss, outliers may have an effect on the gradient alone, and hardly on the scaled
      !! Jacobian. Then the data determine that the variables are on their bounds.
      integer, intent(in) :: n
      real(dp), intent(in) :: r(n, n)
      real(dp), intent(in) :: qtf(n)
      integer, intent(in) :: ipvt(n)
      real(dp), intent(in) :: fnorm
      logical, intent(in) :: conditioned(n)
      integer, intent(in) :: active(n)
      real(dp) :: least, others, slope
      integer :: k

      least = huge(least)
      others = flat*fnorm/pressing
      do k = 1, n
         if (.not. conditioned(ipvt(k))) cycle
         slope = abs(dot_product(r(:k, k), qtf(:k)))/enorm(k, r(:k, k))
         if (active(ipvt(k)) == on_bound) then
            least = min(least, slope)
         else
            others = max(others, slope)
         end if
      end do
      are_pressed = any(conditioned) .and. least > pressing*others
   end function are_pressed

   pure subroutine find_hidden(self, x)
      !! Find the variables that may act together with others, because rounding errors of their
      !! columns hide that these are combinations of the others. The sine of a column to all others
      !! follows from the covariance.
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
      real(dp) :: ratio, error
      integer :: i, j, k

      do k = 1, self%columns%count
         j = self%columns%which(k)
         error = sqrt(self%cov(j, j))
         ratio = self%errors(j)*(error*self%columns%norms(k))
         if (ratio <= merge(half_hidden, hidden, error > abs(x(j)))) cycle
         do i = 1, self%columns%count
            associate (l => self%columns%which(i))
               if (abs(self%cov(l, j)) > related*error*sqrt(self%cov(l, l))) then
                  self%state(l) = acts_together
               end if
            end associate
         end do
         self%regular = self%regular .and. ratio <= lost
      end do
      if (.not. self%regular) self%cov = 0
   end subroutine find_hidden

   pure subroutine find_hardly_determined(self, x)
      class(covariance_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
      real(dp) :: least
      integer :: k, several

      several = 0
      do k = 1, self%columns%count
         if (exceeds(k, raised)) several = several + 1
      end do
      least = merge(raised, inflated, several > 1)
      do k = 1, self%columns%count
         if (exceeds(k, least)) self%state(self%columns%which(k)) = hardly_determined
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

         associate (j => self%columns%which(k))
            error = sqrt(self%cov(j, j))
            exceeds = self%state(j) == determined .and. error > many*abs(x(j)) &
                      .and. error*self%columns%norms(k) > least
         end associate
      end function exceeds

   end subroutine find_hardly_determined

end module minpack_covariance
