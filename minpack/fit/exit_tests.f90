module minpack_exit_tests
   !! MINPACK's tests for the end of a fit, which look at its last step.
   use minpack_kinds, only: dp, epsmch, dwarf
   use minpack_info, only: going_on, ftol_reached, xtol_reached, ftol_and_xtol_reached, &
                           maxfev_reached, ftol_too_small, xtol_too_small, gtol_too_small
   use minpack_vectors, only: enorm
   use minpack_settings, only: settings_type, lm
   use minpack_trust_region, only: trust_region_type
   use minpack_reduction, only: reduction_type
   use minpack_robust, only: loose
   implicit none
   private
   public :: converged, exhausted, has_vanished, is_close, is_nothing

   real(dp), parameter :: vanishing = 1e-40_dp
      !! The part of the norm at the start that is left if data that are zero are fitted.

contains

   pure integer function converged(settings, region, reduction, step, x, fnorm) result(info)
      !! The tolerances that the last step met.
      type(settings_type), intent(in) :: settings
         !! The options of the fit.
      type(trust_region_type), intent(in) :: region
         !! The trust region, after its radius was updated.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      real(dp), intent(in) :: step
         !! Norm of the step.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). Where the fit stands.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals there.
      logical :: small_reduction, small_region

      small_reduction = negligible(reduction, settings%ftol)
      if (settings%tests == lm) then
         small_region = region%delta <= settings%xtol*size_of_x(region, fnorm)
      else
         small_region = step < settings%xtol*(settings%xtol + enorm(size(x), x)) &
                        .or. has_vanished(region, fnorm)
      end if
      info = going_on
      if (small_reduction) info = ftol_reached
      if (small_region) info = xtol_reached
      if (small_reduction .and. small_region) info = ftol_and_xtol_reached
   end function converged

   pure integer function exhausted(region, reduction, is_spent, cosine, fnorm) result(info)
      !! Whether there is no use in going on although no tolerance was reached; the last test
      !! counts.
      type(trust_region_type), intent(in) :: region
         !! The trust region, after its radius was updated.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      logical, intent(in) :: is_spent
         !! Whether there were as many calls as maxfev allows.
      real(dp), intent(in) :: cosine
         !! The largest cosine of the angle between the residuals and a column of the Jacobian.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals where the fit stands.

      info = going_on
      if (is_spent) info = maxfev_reached
      if (negligible(reduction, epsmch)) info = ftol_too_small
      if (has_vanished(region, fnorm)) info = xtol_too_small
      if (cosine <= epsmch) info = gtol_too_small
   end function exhausted

   pure logical function is_nothing(settings, fnorm, start_norm)
      !! Whether the sum of squares has become too small for a number, or vanishing if the data are
      !! zero. Each step reduces it further then, or if the equations have the solution zero.
      type(settings_type), intent(in) :: settings
         !! The options of the fit.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals where the fit stands.
      real(dp), intent(in) :: start_norm
         !! Their norm at the start.

      is_nothing = fnorm**2 < dwarf .and. fnorm <= epsmch*start_norm
      if (settings%data_norm == 0) then
         is_nothing = is_nothing .or. fnorm <= vanishing*min(1.0_dp, start_norm)
      end if
   end function is_nothing

   pure logical function is_close(region, reduction, fnorm)
      !! Whether the minimum of a widened loss is so close that the loss may be narrowed.
      type(trust_region_type), intent(in) :: region
         !! The trust region, after its radius was updated.
      type(reduction_type), intent(in) :: reduction
         !! What the last step brought.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals where the fit stands.

      is_close = negligible(reduction, loose) .or. has_vanished(region, fnorm)
   end function is_close

   pure logical function has_vanished(region, fnorm)
      !! Whether the trust radius is no longer than the rounding errors of x.
      type(trust_region_type), intent(in) :: region
         !! The trust region.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals where the fit stands.

      has_vanished = region%delta <= epsmch*size_of_x(region, fnorm)
   end function has_vanished

   pure real(dp) function size_of_x(region, fnorm)
      !! |D x|, with which the trust radius is compared. If x is zero, the residuals limit it: a
      !! step that is much shorter than their rounding errors cannot reduce them.
      type(trust_region_type), intent(in) :: region
      real(dp), intent(in) :: fnorm

      size_of_x = max(region%xnorm, epsmch*fnorm)
   end function size_of_x

   pure logical function negligible(reduction, limit)
      type(reduction_type), intent(in) :: reduction
      real(dp), intent(in) :: limit

      negligible = abs(reduction%actual) <= limit .and. reduction%predicted <= limit &
                   .and. reduction%ratio <= 2
   end function negligible

end module minpack_exit_tests
