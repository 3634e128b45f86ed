module minpack_slopes
   !! How steep the sum of squares is where a fit stands, for the tests whether it is a minimum.
   use minpack_kinds, only: dp, is_finite
   use minpack_bounds, only: bounds_type
   use minpack_model, only: model_type
   use minpack_settings, only: settings_type, trf
   implicit none
   private
   public :: gradient, gradient_cosine, is_flat

contains

   pure real(dp) function gradient(model, settings, x)
      !! The largest element of the gradient of half of what is minimized, of a variable that bounds
      !! let move; for the tests of trf each is multiplied by the distance from the bound ahead.
      type(model_type), intent(in) :: model
         !! The linear model at x.
      type(settings_type), intent(in) :: settings
         !! The options of the fit.
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp) :: slope, ahead
      integer :: j, column

      gradient = 0
      if (model%fnorm == 0) return
      do j = 1, size(x)
         column = model%ipvt(j)
         slope = model%slope(j)
         associate (bounds => settings%bounds)
            if (bounds%pins(column, x(column), slope)) cycle
            ahead = 1
            if (bounds%bounded .and. settings%tests == trf) then
               if (slope > 0) ahead = x(column) - bounds%lower(column)
               if (slope < 0) ahead = bounds%upper(column) - x(column)
               if (.not. is_finite(ahead)) ahead = 1
            end if
         end associate
         gradient = max(gradient, abs(slope)*model%fnorm*ahead)
      end do
   end function gradient

   pure real(dp) function gradient_cosine(model, bounds, x)
      !! The largest cosine of the angle between the residuals and a column of the Jacobian, of a
      !! variable that bounds let move.
      type(model_type), intent(in) :: model
         !! The linear model at x.
      type(bounds_type), intent(in) :: bounds
         !! The bounds of the variables.
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp) :: slope
      integer :: j, column

      gradient_cosine = 0
      if (model%fnorm == 0) return
      do j = 1, size(x)
         column = model%ipvt(j)
         if (model%acnorm(column) == 0) cycle
         slope = model%slope(j)
         if (bounds%pins(column, x(column), slope)) cycle
         gradient_cosine = max(gradient_cosine, abs(slope/model%acnorm(column)))
      end do
   end function gradient_cosine

   pure logical function is_flat(model, bounds)
      !! Whether there are residuals, but no variable has an effect on them, although some may move.
      type(model_type), intent(in) :: model
         !! The linear model at x.
      type(bounds_type), intent(in) :: bounds
         !! The bounds of the variables.

      is_flat = model%fnorm > 0 .and. all(model%acnorm == 0)
      if (bounds%bounded) is_flat = is_flat .and. any(bounds%lower < bounds%upper)
   end function is_flat

end module minpack_slopes
