#include "../codes.h"
module minpack_settings
   !! The options of a fit, and the check whether they are proper.
   use minpack_kinds, only: dp, epsmch, is_finite
   use minpack_bounds, only: bounds_type
   implicit none
   private
   public :: settings_type, lm, trf, dogbox, only_attempt, first_attempt, on_other_side, &
             no_fault, &
             fault_of_ftol, fault_of_xtol, fault_of_gtol, fault_of_factor, fault_of_maxfev, &
             fault_of_epsfcn, fault_of_diag, fault_of_spread, fault_of_diff_step

   ! Whose tests gtol and xtol belong to.
   integer, parameter :: lm = MINPACK_LM
   integer, parameter :: trf = MINPACK_TRF
   integer, parameter :: dogbox = MINPACK_DOGBOX

   ! How a fit begins.
   integer, parameter :: only_attempt = MINPACK_ONLY_ATTEMPT
      !! As usual, and there will be no other attempt.
   integer, parameter :: first_attempt = MINPACK_FIRST_ATTEMPT
      !! With a wider loss if most residuals are outliers.
   integer, parameter :: on_other_side = MINPACK_ON_OTHER_SIDE
      !! On the other side, if a direction has no effect at the start: see minpack_other_side.

   integer, parameter :: no_fault = MINPACK_NO_FAULT
   integer, parameter :: fault_of_ftol = MINPACK_FAULT_OF_FTOL
   integer, parameter :: fault_of_xtol = MINPACK_FAULT_OF_XTOL
   integer, parameter :: fault_of_gtol = MINPACK_FAULT_OF_GTOL
   integer, parameter :: fault_of_factor = MINPACK_FAULT_OF_FACTOR
   integer, parameter :: fault_of_maxfev = MINPACK_FAULT_OF_MAXFEV
   integer, parameter :: fault_of_epsfcn = MINPACK_FAULT_OF_EPSFCN
   integer, parameter :: fault_of_diag = MINPACK_FAULT_OF_DIAG
   integer, parameter :: fault_of_spread = MINPACK_FAULT_OF_SPREAD
   integer, parameter :: fault_of_diff_step = MINPACK_FAULT_OF_DIFF_STEP

   real(dp), parameter :: largest_spread = 1e300_dp
      !! The largest ratio of two scales, so that quotients do not overflow.

   real(dp), parameter :: margin = 10
      !! How much larger than the error of one value the error of a column may be.

   type :: settings_type
      real(dp) :: ftol = 0
         !! Relative reduction of the sum of squares that is small enough to stop.
      real(dp) :: xtol = 0
         !! Relative change of x that is small enough to stop.
      real(dp) :: gtol = 0
         !! Cosine between the residuals and any column of the Jacobian that is small enough to
         !! stop; columns of variables that are pressed against a bound do not count.
      real(dp) :: factor = 0
         !! The first trust radius, in units of |D x|.
      real(dp) :: epsfcn = 0
         !! Relative error of the residuals.
      logical :: differenced = .true.
         !! Whether the Jacobian is differenced.
      integer :: maxfev = 0
         !! Evaluations of the residuals after which to stop.
      logical :: limits_trials = .false.
         !! Whether maxfev does not count the evaluations for differenced Jacobians.
      logical :: concludes = .false.
         !! Whether the last model of a fit with a robust loss is to be that at the solution.
      integer :: tests = lm
         !! lm: gtol and xtol are those of MINPACK, as described above. trf and dogbox: they are
         !! those of SciPy's methods of this name. Then gtol is compared with the largest element
         !! of the gradient, of variables that bounds let move, for trf multiplied by the distance
         !! from the bound ahead; xtol is compared with |p|/(xtol + |x|) for a step p.
      integer :: attempt = only_attempt
         !! How the fit begins, by the names above; otherwise it begins with the loss as it is.
      real(dp), pointer, contiguous :: diag(:) => null()
         !! Shape: (n). D, or null if D follows the norms of the Jacobian's columns. gfortran 16
         !! does not pass it through an associate name.
      real(dp), pointer, contiguous :: steps(:) => null()
         !! Shape: (n). The steps of differences in units of |x|, or null if epsfcn tells them.
      type(bounds_type) :: bounds
         !! Where x may go.
      real(dp) :: data_norm = -1
         !! An estimate of the norm of the data that the residuals are differences from, with the
         !! same weights, from below; negative if it is not known.
   contains
      procedure :: fault
      procedure :: counted
      procedure :: fewest_calls
      procedure :: residual_error
      procedure :: jacobian_error
   end type settings_type

contains

   pure integer function fault(self)
      !! The first option that is improper, by the names above. NaN is improper everywhere.
      class(settings_type), intent(in) :: self

      fault = no_fault
      if (associated(self%diag)) fault = fault_of_scale(self%diag)
      if (fault /= no_fault) return
      if (.not. is_finite(self%epsfcn)) then
         fault = fault_of_epsfcn
      else if (.not. self%factor > 0) then
         fault = fault_of_factor
      else if (.not. self%ftol >= 0) then
         fault = fault_of_ftol
      else if (.not. self%xtol >= 0) then
         fault = fault_of_xtol
      else if (.not. self%gtol >= 0) then
         fault = fault_of_gtol
      else if (self%maxfev <= 0) then
         fault = fault_of_maxfev
      else if (associated(self%steps)) then
         if (.not. all(self%steps > 0 .and. is_finite(self%steps))) fault = fault_of_diff_step
      end if
   end function fault

   pure integer function counted(self, nfev, trials)
      !! The number of evaluations that maxfev limits.
      class(settings_type), intent(in) :: self
      integer, intent(in) :: nfev
         !! Evaluations of the residuals.
      integer, intent(in) :: trials
         !! Those among them that were not for a differenced Jacobian.

      counted = merge(trials, nfev, self%limits_trials)
   end function counted

   pure integer function fewest_calls(self, n) result(fewest)
      !! With how many calls a fit may find something: two models, and three points.
      class(settings_type), intent(in) :: self
      integer, intent(in) :: n
         !! Number of variables.

      fewest = merge(3, 2*n + 3, self%limits_trials)
   end function fewest_calls

   pure real(dp) function residual_error(self)
      !! The relative error of the residuals, at least that of rounding.
      class(settings_type), intent(in) :: self

      residual_error = max(self%epsfcn, epsmch)
   end function residual_error

   pure real(dp) function jacobian_error(self)
      !! How large the error of the Jacobian may be, relative to its columns.
      class(settings_type), intent(in) :: self

      jacobian_error = margin*self%residual_error()
      if (self%differenced) jacobian_error = margin*sqrt(self%residual_error())
   end function jacobian_error

   pure integer function fault_of_scale(diag) result(fault)
      real(dp), intent(in) :: diag(:)

      fault = no_fault
      if (.not. (all(diag > 0) .and. all(is_finite(diag)))) then
         fault = fault_of_diag
      else if (maxval(diag) > largest_spread*minval(diag)) then
         fault = fault_of_spread
      end if
   end function fault_of_scale

end module minpack_settings
