module minpack_info
   !! Every way in which a fit can end. 0 to 8 are MINPACK's own numbers, and so is what is negative:
   !! the answer of a user's function that called for a stop.
   implicit none
   private
   public :: going_on, improper_input, ftol_reached, xtol_reached, &
             ftol_and_xtol_reached, gtol_reached, maxfev_reached, ftol_too_small, xtol_too_small, &
             gtol_too_small, residuals_not_finite, jacobian_not_finite, out_of_memory, promise_broken

   integer, parameter :: improper_input = 0
   integer, parameter :: ftol_reached = 1
   integer, parameter :: xtol_reached = 2
   integer, parameter :: ftol_and_xtol_reached = 3
   integer, parameter :: gtol_reached = 4
   integer, parameter :: maxfev_reached = 5
   integer, parameter :: ftol_too_small = 6
   integer, parameter :: xtol_too_small = 7
   integer, parameter :: gtol_too_small = 8
   integer, parameter :: residuals_not_finite = 9
   integer, parameter :: jacobian_not_finite = 10
   integer, parameter :: out_of_memory = 11
   integer, parameter :: going_on = 12
      !! The fit has not ended.
   integer, parameter :: promise_broken = 16
      !! Added to ftol_reached, xtol_reached or both: no step brought what the Jacobian promised. Added
      !! to gtol_reached: the Jacobian is zero, and the residuals are not.

end module minpack_info
