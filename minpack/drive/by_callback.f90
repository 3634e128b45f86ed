module minpack_by_callback
   !! The driver for one fit: it calls the functions when the fit asks.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, time_is_up, no_time
   use minpack_state, only: nothing, a_model, a_norm
   use minpack_ask_and_tell, only: fit_type
   use minpack_rows, only: rows_type
   use minpack_told_model, only: judge, tell_model_of, conclude
   use minpack_watch, only: watch_type
   use minpack_show, only: show_new
   implicit none
   private
   public :: drive_by_callback

contains

   subroutine drive_by_callback(fit, rows, watch)
      type(fit_type), intent(inout) :: fit
         !! Begun at the point where the rows are known.
      class(rows_type), intent(inout) :: rows
         !! The residuals and the Jacobian to evaluate.
      type(watch_type), intent(in) :: watch
         !! Sees each point where the fit stands, when its model is known.
      real(dp) :: norm
      integer :: info, shown
      logical :: is_hopeful

      shown = -1
      do while (fit%needs /= nothing)
         select case (fit%needs)
         case (a_model)
            call rows%jacobian_at(fit%x, info)
            if (info == going_on) then
               call tell_model_of(rows%matrix, rows%fvec, rows%loss, rows%folding, fit)
               call show_new(fit, rows%fvec, rows%nfev, rows%trials, watch, .true., shown, info)
            end if
         case (a_norm)
            rows%loss%width = fit%robust%width
            is_hopeful = rows%functions%goes_ahead .and. fit%accepted
            if (is_hopeful) is_hopeful = .not. fit%expects_end()
            call rows%norm_at(fit%trial, is_hopeful, norm, info)
            if (info == going_on) then
               call fit%tell_norm(norm, rows%true_norm, rows%nfev, rows%trials)
               if (fit%accepted) then
                  call rows%keep()
               else
                  call rows%drop()
               end if
            end if
         end select
         if (info == no_time) info = time_is_up
         if (info /= going_on) call fit%stop(info)
      end do
      if (fit%info < 0) return
      call judge(rows%fvec, rows%loss, fit)
      call show_new(fit, rows%fvec, rows%nfev, rows%trials, watch, .false., shown, info)
      if (info /= going_on) call fit%stop(info)
      if (rows%loss%is_linear() .or. .not. (fit%settings%concludes .and. fit%has_solution())) return
      call rows%jacobian_at(fit%x, info)
      if (info == going_on) call conclude(rows%matrix, rows%fvec, rows%loss, rows%folding, fit)
      if (info /= going_on .and. info /= no_time) call fit%stop(info)
   end subroutine drive_by_callback

end module minpack_by_callback
