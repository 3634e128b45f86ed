module minpack_show
   !! How a driver shows its watch where a fit stands.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_slopes, only: gradient
   use minpack_ask_and_tell, only: fit_type
   use minpack_watch, only: watch_type, report_type
   implicit none
   private
   public :: show_new

contains

   subroutine show_new(fit, fvec, nfev, trials, watch, has_model, shown, info)
      !! Show where the fit stands, unless it was shown there. The start is shown with its model.
      type(fit_type), intent(in) :: fit
         !! The fit.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at its best point; of a fit in parts, (0).
      integer, intent(in) :: nfev
         !! Evaluations of the residuals so far.
      integer, intent(in) :: trials
         !! Those among them that were not for a differenced Jacobian.
      type(watch_type), intent(in) :: watch
         !! What sees it.
      logical, intent(in) :: has_model
         !! Whether the model at this point is known; otherwise the gradient is shown as -1.
      integer, intent(inout) :: shown
         !! The step after which the fit was shown last; -1 at first.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      type(report_type) :: report

      info = going_on
      if (fit%steps <= shown .or. (fit%steps == 0 .and. .not. has_model)) return
      shown = fit%steps
      if (.not. associated(watch%function)) return
      report%iteration = fit%steps
      report%nfev = nfev
      report%trials = trials
      report%fnorm = fit%true_norm
      report%step = fit%step
      report%radius = fit%region%delta
      report%ratio = fit%ratio
      report%gradient = -1
      if (has_model) report%gradient = gradient(fit%model, fit%settings, fit%x)
      call watch%show(fit%x, fvec, report, info)
   end subroutine show_new

end module minpack_show
