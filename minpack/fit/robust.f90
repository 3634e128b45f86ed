module minpack_robust
   !! What a fit with a robust loss learns on its way: how wide the loss is to be, and how much the
   !! model of it is to curve.
   !!
   !! From a poor start, most residuals are outliers, and the gradient of a loss is almost zero. So
   !! a fit begins with a wider loss, and narrows it on its way to the loss that was asked for. That
   !! may lead to another minimum than the narrow loss does, and not always to a better one: the end
   !! is judged.
   !!
   !! Where a residual is large, the cost curves little or downwards, and a model that does the same
   !! promises too much. With some of the curvature of reweighted least squares, fewer steps are
   !! needed; but if the steps achieve more than the model promises, it curves too much.
   !!
   !! A. Blake and A. Zisserman, "Visual Reconstruction" (1987): graduated non-convexity. H. Yang,
   !! P. Antonante, V. Tzoumas and L. Carlone, "Graduated non-convexity for robust spatial
   !! perception", IEEE Robotics and Automation Letters 5 (2020).
   use minpack_kinds, only: dp, epsmch
   use minpack_store, only: store_type
   implicit none
   private
   public :: robust_type, first_width, are_outliers, loose, outlying, first_share

   real(dp), parameter :: outlying = 3
      !! Residuals of more than so many scales of the loss are outliers.
   real(dp), parameter :: widest = 1.0e100_dp
      !! No loss is widened further.
   real(dp), parameter :: narrowing = 4
      !! How much narrower the loss becomes each time.
   real(dp), parameter :: narrow_enough = 3
      !! A loss is not widened by less than this factor.
   real(dp), parameter :: loose = 1.0e-2_dp
      !! The loss is narrowed after a step that reduces what is minimized by less than this part.

   real(dp), parameter :: first_share = 0.5_dp
      !! The least curvature of the first model, as a share of that of reweighted least squares.
   real(dp), parameter :: modest = 1.25_dp
      !! If a step reduces what is minimized by this many times what the model promises, the share
      !! becomes smaller.
   real(dp), parameter :: rash = 0.25_dp
      !! If it reduces it by less than this part, the share becomes larger again.
   real(dp), parameter :: change_of_share = 4
      !! By which factor.
   real(dp), parameter :: least_share = epsmch
      !! Rows with less curvature have lost their gradient to rounding errors when they are folded.

   type :: robust_type
      real(dp), pointer :: width => null()
         !! By which factor the scale of the loss is widened; 1 if it is not.
      real(dp), pointer :: start_norm => null()
         !! The square root of what is to be minimized, at the start.
      integer, pointer, private :: news => null()
         !! 1 if the width has changed, and no step was taken since.
      integer, pointer, private :: began => null()
         !! 1 if the fit began with a wider loss.
      real(dp), pointer :: share => null()
         !! The least curvature of the next model, as a share of that of reweighted least squares.
      real(dp), pointer, private :: learned => null()
         !! The share for the model after that: the next model may be evaluated with the next norm.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: widen
      procedure :: is_wide
      procedure :: is_new
      procedure :: set_off
      procedure :: narrow
      procedure :: hurry
      procedure :: learn
      procedure :: ends_poorly
   end type robust_type

contains

   pure logical function are_outliers(outliers, m)
      !! Whether most residuals are outliers.
      real(dp), intent(in) :: outliers
         !! How many are outliers.
      real(dp), intent(in) :: m
         !! Number of residuals.

      are_outliers = 2*outliers > m
   end function are_outliers

   pure real(dp) function first_width(logarithms, m) result(width)
      !! By which factor to widen the loss if most residuals are outliers: their geometric mean in
      !! units of the scale of the loss, which some residuals that are huge change little.
      real(dp), intent(in) :: logarithms
         !! The sum of the logarithms of the residuals that are larger than this unit.
      real(dp), intent(in) :: m
         !! Number of residuals.

      width = at_least_one(exp(min(logarithms/m, log(widest))))
   end function first_width

   subroutine attach(self, store)
      class(robust_type), intent(inout) :: self
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%width => store%number()
      self%start_norm => store%number()
      self%news => store%counter()
      self%began => store%counter()
      self%share => store%number()
      self%learned => store%number()
   end subroutine attach

   subroutine begin(self, norm)
      !! Begin with the loss as it is.
      class(robust_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! The square root of what is to be minimized, at the start.

      self%width = 1
      self%start_norm = norm
      self%news = 0
      self%began = 0
      self%share = first_share
      self%learned = first_share
   end subroutine begin

   subroutine widen(self, width)
      !! Begin with a wider loss.
      class(robust_type), intent(inout) :: self
      real(dp), intent(in) :: width
         !! The factor of its scale; 1 for the loss as it is.

      self%width = width
      self%news = merge(1, 0, self%is_wide())
      self%began = self%news
   end subroutine widen

   pure logical function is_wide(self)
      !! Whether the loss is wider than the loss that was asked for.
      class(robust_type), intent(in) :: self

      is_wide = self%width > 1
   end function is_wide

   pure logical function is_new(self)
      !! Whether the width has changed, and no step was taken since.
      class(robust_type), intent(in) :: self

      is_new = self%news == 1
   end function is_new

   subroutine set_off(self)
      !! Take a step.
      class(robust_type), intent(inout) :: self

      self%news = 0
      self%share = self%learned
   end subroutine set_off

   subroutine narrow(self)
      !! Narrow the loss.
      class(robust_type), intent(inout) :: self

      self%width = at_least_one(self%width/narrowing)
      self%news = 1
   end subroutine narrow

   subroutine hurry(self)
      !! Narrow the loss to the loss that was asked for the next time.
      class(robust_type), intent(inout) :: self

      self%width = min(self%width, narrow_enough)
   end subroutine hurry

   subroutine learn(self, ratio)
      !! Change the share after a step.
      class(robust_type), intent(inout) :: self
      real(dp), intent(in) :: ratio
         !! The actual by the predicted reduction.

      if (ratio > modest) self%learned = max(self%learned/change_of_share, least_share)
      if (ratio < rash) self%learned = min(change_of_share*self%learned, first_share)
   end subroutine learn

   pure logical function ends_poorly(self, is_solved, norm)
      !! Whether the fit may end better if it does not begin with a wider loss.
      class(robust_type), intent(in) :: self
      logical, intent(in) :: is_solved
         !! Whether the fit has ended at a solution.
      real(dp), intent(in) :: norm
         !! The square root of what is to be minimized, there.

      ends_poorly = self%began == 1 .and. (.not. is_solved .or. norm > self%start_norm)
   end function ends_poorly

   pure real(dp) function at_least_one(width)
      real(dp), intent(in) :: width

      at_least_one = merge(width, 1.0_dp, width > narrow_enough)
   end function at_least_one

end module minpack_robust
