module minpack_widening
   !! Robust losses from a poor start. There, nearly all residuals are outliers, and a loss hardly
   !! sees which way is down. So a fit begins with a wider loss, which is nearly a sum of squares,
   !! and narrows it on its way to the loss that was asked for.
   !!
   !! A. Blake and A. Zisserman, "Visual Reconstruction" (1987): graduated non-convexity. H. Yang,
   !! P. Antonante, V. Tzoumas and L. Carlone, "Graduated non-convexity for robust spatial
   !! perception", IEEE Robotics and Automation Letters 5 (2020).
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   implicit none
   private
   public :: widening_type, first_width, loose, outlying

   real(dp), parameter :: outlying = 3
      !! Residuals of more than so many scales of the loss are outliers.
   real(dp), parameter :: widest = 1.0e100_dp
      !! No loss is widened further.
   real(dp), parameter :: narrowing = 4
      !! How much narrower the loss becomes each time, at least.
   real(dp), parameter :: narrow_enough = 3
      !! A loss is not widened by less than this factor.
   real(dp), parameter :: loose = 1.0e-2_dp
      !! The loss is narrowed after a step that reduces what is minimized by less than this part.

   type :: widening_type
      real(dp), pointer :: width => null()
         !! By which factor the scale of the loss is widened; 1 if it is not.
      real(dp), pointer, private :: unit => null()
         !! The norm where the root mean square of the residuals is one scale of the loss; about.
      integer, pointer, private :: news => null()
         !! 1 if the width has changed, and no step was taken since.
      real(dp), pointer, contiguous :: start(:) => null()
         !! Shape: (n). Where the fit began.
      real(dp), pointer, private :: start_norm => null()
         !! The square root of what is to be minimized, there.
      integer, pointer, private :: return => null()
         !! 1 if the fit returns to its start.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: widen
      procedure :: is_wide
      procedure :: is_new
      procedure :: is_return
      procedure :: take_norm
      procedure :: set_off
      procedure :: narrow
      procedure :: arrive
   end type widening_type

contains

   pure real(dp) function first_width(m, outliers, spread) result(width)
      !! By which factor to widen the loss at the start. It is 1 if at least half of the residuals
      !! are no outliers.
      real(dp), intent(in) :: m
         !! Number of residuals.
      real(dp), intent(in) :: outliers
         !! How many of them are outliers.
      real(dp), intent(in) :: spread
         !! The norm of the residuals in units of the scale of the loss.

      width = 1
      if (2*outliers > m .and. spread < widest) width = at_least_one(spread/sqrt(m))
   end function first_width

   subroutine attach(self, n, store)
      class(widening_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%width => store%number()
      self%unit => store%number()
      self%news => store%counter()
      self%start => store%vector(n)
      self%start_norm => store%number()
      self%return => store%counter()
   end subroutine attach

   subroutine begin(self, x, norm)
      !! Begin with the loss as it is.
      class(widening_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The start.
      real(dp), intent(in) :: norm
         !! The square root of what is to be minimized, there.

      self%width = 1
      self%unit = 0
      self%news = 0
      self%start = x
      self%start_norm = norm
      self%return = 0
   end subroutine begin

   subroutine widen(self, width)
      !! Begin with a wider loss.
      class(widening_type), intent(inout) :: self
      real(dp), intent(in) :: width
         !! The factor of its scale; 1 for the loss as it is.

      self%width = width
      if (self%is_wide()) self%news = 1
   end subroutine widen

   pure logical function is_wide(self)
      !! Whether the loss is wider than the loss that was asked for.
      class(widening_type), intent(in) :: self

      is_wide = self%width > 1
   end function is_wide

   pure logical function is_new(self)
      !! Whether the width has changed, and no step was taken since.
      class(widening_type), intent(in) :: self

      is_new = self%news == 1
   end function is_new

   pure logical function is_return(self)
      !! Whether the fit returns to its start.
      class(widening_type), intent(in) :: self

      is_return = self%return == 1
   end function is_return

   subroutine take_norm(self, norm)
      !! Take the norm by a new width.
      class(widening_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! The square root of the widened loss where the fit stands.

      if (self%unit == 0) self%unit = norm/self%width
   end subroutine take_norm

   subroutine set_off(self)
      !! Take a step.
      class(widening_type), intent(inout) :: self

      self%news = 0
   end subroutine set_off

   subroutine narrow(self, norm, true_norm)
      !! Narrow the loss. If the fit stands higher than at its start in the end, it returns there.
      class(widening_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! The square root of the widened loss where the fit stands.
      real(dp), intent(in) :: true_norm
         !! The same of the loss that was asked for.

      self%width = at_least_one(min(self%width/narrowing, norm/self%unit))
      self%news = 1
      if (.not. (self%is_wide() .or. true_norm <= self%start_norm)) self%return = 1
   end subroutine narrow

   subroutine arrive(self)
      !! Stand at the start again.
      class(widening_type), intent(inout) :: self

      self%return = 0
   end subroutine arrive

   pure real(dp) function at_least_one(width)
      real(dp), intent(in) :: width

      at_least_one = merge(width, 1.0_dp, width > narrow_enough)
   end function at_least_one

end module minpack_widening
