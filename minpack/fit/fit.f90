module minpack_fit
   !! The Levenberg-Marquardt loop, one for every problem. J. J. Moré, "The Levenberg-Marquardt
   !! algorithm: implementation and theory", Lecture Notes in Mathematics 630 (1978), with the
   !! constants, the order of tests and the exit codes of MINPACK-1 (report ANL-80-74).
   use minpack_kinds, only: dp, epsmch, giant, is_finite
   use minpack_info, only: going_on, improper_input, ftol_reached, xtol_reached, &
                           ftol_and_xtol_reached, gtol_reached, maxfev_reached, ftol_too_small, &
                           xtol_too_small, gtol_too_small, residuals_not_finite, out_of_memory, &
                           promise_broken
   use minpack_bounds, only: bounds_type
   use minpack_model, only: problem_type, model_type
   use minpack_trust_region, only: trust_region_type, reduction_type
   use minpack_settled, only: has_settled, is_promising
   implicit none
   private
   public :: minimize, settings_type

   real(dp), parameter :: acceptable = 1.0e-4_dp
      !! The ratio of actual to predicted reduction from which a step is taken.

   real(dp), parameter :: largest_spread = 1e300_dp
      !! Between the scales of two variables: quotients stay finite.

   type :: settings_type
      real(dp) :: ftol
         !! Relative reduction of the sum of squares that is small enough to stop.
      real(dp) :: xtol
         !! Relative change of x that is small enough to stop.
      real(dp) :: gtol
         !! Cosine between the residuals and any column of the Jacobian that is small enough to stop;
         !! the column of a variable that has a way to go.
      real(dp) :: factor
         !! Radius of the first trust region, in units of |D x|.
      real(dp) :: epsfcn
         !! Relative error of the residuals.
      integer :: maxfev
         !! Evaluations of the residuals after which to stop.
      logical :: fixed_scale
         !! Whether D is diag, or follows the norms of the Jacobian's columns.
      real(dp), pointer, contiguous :: diag(:)
         !! Shape: (n). D if the scale is fixed.
      type(bounds_type) :: box
   end type settings_type

contains

   subroutine minimize(problem, settings, x, model, info)
      class(problem_type), intent(inout) :: problem
      type(settings_type), intent(in) :: settings
      real(dp), intent(inout), contiguous :: x(:)
         !! Shape: (n). In: the starting point, where the problem stands. Out: the solution.
      type(model_type), intent(inout) :: model
         !! The linear model at the last point where the problem was factored.
      integer, intent(out) :: info
         !! One of the names in minpack_info.
      type(trust_region_type) :: region
      type(reduction_type) :: reduction
      real(dp), allocatable :: trial(:)
      real(dp) :: cosine, trial_norm
      logical :: accepted
      integer :: claim, stat

      info = going_on
      if (.not. (proper(settings) .and. settings%box%holds(x))) info = improper_input
      if (info == going_on .and. .not. is_finite(problem%fnorm)) info = residuals_not_finite
      if (info /= going_on) return
      call region%prepare(problem%n, settings%diag, settings%fixed_scale, settings%box, stat)
      if (stat == 0) allocate (trial(problem%n), stat=stat)
      if (stat /= 0) info = out_of_memory

      do while (info == going_on)
         call problem%factor(x, model, info)
         if (info /= going_on) exit
         if (problem%njev == 1) then
            call region%begin(model, x, settings%factor)
         end if
         cosine = gradient_cosine(problem%n, model, settings%box, x)
         if (cosine <= settings%gtol) then
            info = gtol_reached
            if (is_flat(problem%fnorm, model, settings%box)) info = info + promise_broken
            exit
         end if
         call region%adopt(model)

         accepted = .false.
         do while (info == going_on .and. .not. accepted)
            call region%propose(model, x, trial)
            if (problem%njev == 1) region%delta = min(region%delta, region%length)
            call problem%residual(trial, trial_norm, info)
            if (info /= going_on) exit
            if (.not. is_finite(trial_norm)) trial_norm = giant
            reduction = region%assess(model, problem%fnorm, trial_norm)
            call region%resize(reduction)

            accepted = reduction%ratio >= acceptable
            if (accepted) then
               x = trial
               call problem%accept()
               call region%stand_at(x)
            end if
            claim = converged(settings, region, reduction)
            if (claim == going_on) then
               info = exhausted(settings%maxfev, problem%nfev, region, reduction, cosine)
            else if (has_settled(region, model, reduction, accepted, problem%fnorm, &
                                 max(settings%ftol, settings%xtol))) then
               info = claim
            else if (region%delta <= epsmch*region%xnorm) then
               info = claim
               if (is_promising(region, model)) info = info + promise_broken
            else if (problem%nfev >= settings%maxfev) then
               info = maxfev_reached
            end if
         end do
      end do
   end subroutine minimize

   pure logical function proper(settings)
      !! Written so that a NaN is improper.
      type(settings_type), intent(in) :: settings

      proper = settings%ftol >= 0 .and. settings%xtol >= 0 .and. settings%gtol >= 0 &
               .and. settings%factor > 0 .and. settings%maxfev > 0 .and. is_finite(settings%epsfcn)
      if (settings%fixed_scale) then
         proper = proper .and. all(settings%diag > 0) .and. all(is_finite(settings%diag))
         if (proper) proper = maxval(settings%diag) <= largest_spread*minval(settings%diag)
      end if
   end function proper

   pure real(dp) function gradient_cosine(n, model, box, x)
      !! The largest cosine of the angle between the residuals and a column of the Jacobian, of a
      !! variable that bounds let move.
      integer, intent(in) :: n
      type(model_type), intent(in) :: model
      type(bounds_type), intent(in) :: box
      real(dp), intent(in) :: x(:)
      real(dp) :: slope
      integer :: j, column

      gradient_cosine = 0
      if (model%fnorm == 0) return
      do j = 1, n
         column = model%ipvt(j)
         if (model%acnorm(column) == 0) cycle
         slope = model%slope(j)
         if (box%pins(column, x(column), slope)) cycle
         gradient_cosine = max(gradient_cosine, abs(slope/model%acnorm(column)))
      end do
   end function gradient_cosine

   pure logical function is_flat(fnorm, model, box)
      !! Whether there are residuals, but no variable has an effect on them, although some may move.
      real(dp), intent(in) :: fnorm
      type(model_type), intent(in) :: model
      type(bounds_type), intent(in) :: box

      is_flat = fnorm > 0 .and. all(model%acnorm == 0)
      if (box%bounded) is_flat = is_flat .and. any(box%lower < box%upper)
   end function is_flat

   pure integer function converged(settings, region, reduction) result(info)
      type(settings_type), intent(in) :: settings
      type(trust_region_type), intent(in) :: region
      type(reduction_type), intent(in) :: reduction
      logical :: small_reduction, small_region

      small_reduction = negligible(reduction, settings%ftol)
      small_region = region%delta <= settings%xtol*region%xnorm
      info = going_on
      if (small_reduction) info = ftol_reached
      if (small_region) info = xtol_reached
      if (small_reduction .and. small_region) info = ftol_and_xtol_reached
   end function converged

   pure integer function exhausted(maxfev, nfev, region, reduction, cosine) result(info)
      !! Whether there is no use in going on although no tolerance was reached; the last test counts.
      integer, intent(in) :: maxfev
      integer, intent(in) :: nfev
      type(trust_region_type), intent(in) :: region
      type(reduction_type), intent(in) :: reduction
      real(dp), intent(in) :: cosine

      info = going_on
      if (nfev >= maxfev) info = maxfev_reached
      if (negligible(reduction, epsmch)) info = ftol_too_small
      if (region%delta <= epsmch*region%xnorm) info = xtol_too_small
      if (cosine <= epsmch) info = gtol_too_small
   end function exhausted

   pure logical function negligible(reduction, limit)
      type(reduction_type), intent(in) :: reduction
      real(dp), intent(in) :: limit

      negligible = abs(reduction%actual) <= limit .and. reduction%predicted <= limit &
                   .and. reduction%ratio <= 2
   end function negligible

end module minpack_fit
