#include "../codes.h"
module minpack_info
   !! Every way in which a fit can end. 0 to 8 are MINPACK's own codes. A negative code is the
   !! answer of a user's function that called for a stop.
   implicit none
   private
   public :: going_on, improper_input, ftol_reached, xtol_reached, &
             ftol_and_xtol_reached, gtol_reached, maxfev_reached, ftol_too_small, xtol_too_small, &
             gtol_too_small, residuals_not_finite, jacobian_not_finite, time_is_up, stopped, &
             out_of_memory, no_time, promise_broken, poor_end, open_end, misfit, sure_misfit, &
             confined_end

   integer, parameter :: improper_input = MINPACK_IMPROPER_INPUT
   integer, parameter :: ftol_reached = MINPACK_FTOL_REACHED
   integer, parameter :: xtol_reached = MINPACK_XTOL_REACHED
   integer, parameter :: ftol_and_xtol_reached = MINPACK_FTOL_AND_XTOL_REACHED
   integer, parameter :: gtol_reached = MINPACK_GTOL_REACHED
   integer, parameter :: maxfev_reached = MINPACK_MAXFEV_REACHED
   integer, parameter :: ftol_too_small = MINPACK_FTOL_TOO_SMALL
   integer, parameter :: xtol_too_small = MINPACK_XTOL_TOO_SMALL
   integer, parameter :: gtol_too_small = MINPACK_GTOL_TOO_SMALL
   integer, parameter :: residuals_not_finite = MINPACK_RESIDUALS_NOT_FINITE
   integer, parameter :: jacobian_not_finite = MINPACK_JACOBIAN_NOT_FINITE
   integer, parameter :: time_is_up = MINPACK_TIME_IS_UP
   integer, parameter :: stopped = MINPACK_STOPPED
   integer, parameter :: out_of_memory = MINPACK_OUT_OF_MEMORY
   integer, parameter :: no_time = MINPACK_NO_TIME
      !! The answer of a function when the time for the fit is over.
   integer, parameter :: going_on = MINPACK_GOING_ON
      !! The fit has not ended.
   integer, parameter :: promise_broken = MINPACK_PROMISE_BROKEN
      !! Added to ftol_reached, xtol_reached or both: no step achieved the reduction that the
      !! Jacobian promised. Added to gtol_reached: the Jacobian is zero, and the residuals are not.
   ! Added to a code when another attempt may end better: see codes.h.
   integer, parameter :: poor_end = MINPACK_POOR_END
   integer, parameter :: open_end = MINPACK_OPEN_END
   integer, parameter :: misfit = MINPACK_MISFIT
   integer, parameter :: sure_misfit = MINPACK_SURE_MISFIT
   integer, parameter :: confined_end = MINPACK_CONFINED_END

end module minpack_info
