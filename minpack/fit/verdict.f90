module minpack_verdict
   !! Whether a fit ends after a step, and how.
   use minpack_kinds, only: epsmch
   use minpack_info, only: going_on, ftol_reached, maxfev_reached, promise_broken
   use minpack_reduction, only: reduction_type
   use minpack_exit_tests, only: converged, exhausted, has_vanished, is_close, is_nothing
   use minpack_settled, only: has_settled, is_rounding, is_promising, is_confined, is_exact
   use minpack_state, only: state_type
   implicit none
   private
   public :: verdict

contains

   integer function verdict(fit, reduction, calls) result(info)
      !! How the fit ends after a step, or going_on.
      class(state_type), intent(inout) :: fit
         !! The fit, after the step.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      integer, intent(in) :: calls
         !! What maxfev limits.
      integer :: claim
      logical :: is_spent

      associate (settings => fit%settings, region => fit%region)
         info = going_on
         is_spent = fit%is_spent(calls)
         if (fit%robust%is_wide()) then
            if (is_close(region, reduction, fit%fnorm)) info = ftol_reached
            if (2*calls >= settings%maxfev) then
               call fit%robust%hurry()
               info = ftol_reached
            end if
            if (is_spent) info = maxfev_reached
            return
         end if
         if (is_nothing(settings, fit%fnorm, fit%robust%start_norm)) then
            ! On a bound, another model shows which variables have no effect there.
            if (.not. has_landed(fit)) info = ftol_reached
            return
         end if
         call let_zeros_land(fit)
         claim = converged(settings, region, reduction, fit%step, fit%x, fit%fnorm)
         if (claim == going_on) then
            info = exhausted(region, reduction, is_spent, fit%cosine, fit%fnorm)
         else if (has_settled(region, fit%model, reduction, fit%accepted, fit%x, fit%fnorm, &
                              max(settings%ftol, settings%xtol), fit%workspace)) then
            info = claim
         else if (is_rounding(fit%model, settings%data_norm, fit%fnorm) .and. &
                  (.not. fit%accepted .or. has_vanished(region, fit%fnorm))) then
            info = claim
         else if (has_vanished(region, fit%fnorm)) then
            info = claim
            if (is_promising(region, fit%model, fit%x, fit%workspace) .and. &
                .not. is_exact(region, fit%model, fit%x, fit%fnorm, fit%robust%start_norm, &
                               fit%workspace)) info = info + promise_broken
         else if (is_spent) then
            info = maxfev_reached
         end if
         if (info /= going_on .and. info == claim) then
            fit%is_confined = is_confined(region, fit%model, fit%x, fit%workspace)
         end if
      end associate
   end function verdict

   pure logical function has_landed(fit)
      !! Whether the step set a variable on a bound.
      class(state_type), intent(in) :: fit

      has_landed = fit%accepted .and. fit%settings%bounds%bounded
      if (has_landed) has_landed = fit%region%reach%lands()
   end function has_landed

   subroutine let_zeros_land(fit)
      !! If the data are zero, let variables that have taken the residuals along to almost zero
      !! cover the rest of their way to a bound.
      class(state_type), intent(inout) :: fit

      if (.not. fit%settings%bounds%bounded .or. fit%settings%data_norm /= 0) return
      if (fit%fnorm > epsmch*fit%robust%start_norm) return
      if (fit%region%reach%falls_short()) call fit%region%reach%call_in()
   end subroutine let_zeros_land

end module minpack_verdict
