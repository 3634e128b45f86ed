module minpack_by_callback
   !! The driver for one fit: it calls the functions when the fit asks.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_ask_and_tell, only: fit_type, nothing, a_model, a_norm
   use minpack_rows, only: rows_type
   use minpack_told_model, only: tell_model_of
   implicit none
   private
   public :: drive_by_callback

contains

   subroutine drive_by_callback(fit, rows)
      type(fit_type), intent(inout) :: fit
         !! Begun at the point where the rows are known.
      class(rows_type), intent(inout) :: rows
         !! The residuals and the Jacobian to evaluate.
      real(dp) :: norm
      integer :: info

      do while (fit%needs /= nothing)
         select case (fit%needs)
         case (a_model)
            call rows%jacobian_at(fit%x, info)
            if (info == going_on) then
               call tell_model_of(rows%matrix, rows%fvec, rows%folding, fit)
            end if
         case (a_norm)
            call rows%norm_at(fit%trial, norm, info)
            if (info == going_on) then
               call fit%tell_norm(norm, rows%nfev)
               if (fit%accepted) call rows%keep()
            end if
         end select
         if (info /= going_on) call fit%stop(info)
      end do
   end subroutine drive_by_callback

end module minpack_by_callback
