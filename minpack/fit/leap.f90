module minpack_leap
   !! Steps after which the scale of the variables may be wrong by orders of magnitude: an
   !! exponential had overshot the data, for example, so its columns were too long, or had vanished,
   !! so they were too short.
   use minpack_kinds, only: dp
   use minpack_model, only: model_type
   use minpack_reduction, only: reduction_type
   use minpack_trust_region, only: trust_region_type
   implicit none
   private
   public :: is_leap, has_new_scale, no_leap, most_leaps

   integer, parameter :: no_leap = -1
      !! Not an info.
   integer, parameter :: most_leaps = 4
      !! So many leaps of a fit are looked at: of data that are all zeros, each step may leap.

   real(dp), parameter :: leap = 1.0e-6_dp
      !! A step leaps if it reduces the norm of the residuals to this part, and more than halves or
      !! doubles a variable.
   real(dp), parameter :: shrunken = 1.0e-3_dp
      !! After a leap, the scale has changed if a column has shrunk to this part.
   real(dp), parameter :: unforeseen = 1.0e6_dp
      !! A step leaps, too, if it reduces the sum of squares by so many times what the model
      !! promised, and by more than the inverse of this. After it, the scale has changed if all
      !! columns have grown by this factor.

contains

   pure logical function is_leap(x, trial, fnorm, trial_norm, reduction)
      !! Whether a step to a better point leaps.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). Where the step begins.
      real(dp), intent(in) :: trial(:)
         !! Shape: (n). Where it ends.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.
      real(dp), intent(in) :: trial_norm
         !! Norm of the residuals at trial.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.

      is_leap = trial_norm <= leap*fnorm
      if (is_leap) is_leap = any(abs(trial - x) > abs(x)/2)
      is_leap = is_leap .or. (reduction%actual > 1/unforeseen .and. reduction%ratio > unforeseen)
   end function is_leap

   pure logical function has_new_scale(model, region)
      !! Whether the scale has changed.
      type(model_type), intent(in) :: model
         !! The linear model where the step ended.
      type(trust_region_type), intent(in) :: region
         !! The trust region, with the scale before it.

      has_new_scale = any(model%acnorm < shrunken*region%diag) .or. &
                      all(model%acnorm > unforeseen*region%diag)
   end function has_new_scale

end module minpack_leap
