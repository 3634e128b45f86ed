module minpack_state
   !! What a fit consists of between two questions: numbers in two arrays that the caller owns, and
   !! what its caller may look at.
   use, intrinsic :: iso_c_binding, only: c_int64_t
   use minpack_kinds, only: dp
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on
   use minpack_store, only: store_type
   use minpack_products, only: are_of_use
   use minpack_model, only: model_type
   use minpack_workspace, only: workspace_type
   use minpack_trust_region, only: trust_region_type
   use minpack_settings, only: settings_type
   use minpack_leap, only: no_leap
   use minpack_robust, only: robust_type
   use minpack_other_side, only: on_no_side, on_one_side
   implicit none
   private
   public :: state_type, nothing, a_model, a_norm, away, entering, landing, reals_of_fit, &
             integers_of_fit

   integer, parameter :: nothing = 0
      !! The fit has ended.
   integer, parameter :: a_model = 1
      !! The fit needs the triangle of [J f] at x.
   integer, parameter :: a_norm = 2
      !! The fit needs the norm of the residuals at trial.

   ! Why it needs this norm, as to its bounds.
   integer, parameter :: away = 0
      !! The bounds are not the reason.
   integer, parameter :: entering = 1
      !! To start inside the bounds.
   integer, parameter :: landing = 2
      !! To end on bounds.

   type :: state_type
      integer :: n = 0
         !! Number of variables.
      type(settings_type), pointer :: settings => null()
      type(workspace_type), pointer :: workspace => null()
         !! For n variables.
      integer, pointer :: needs => null()
         !! nothing, a_model or a_norm.
      integer, pointer :: info => null()
         !! How the fit ended, by the names in minpack_info, or going_on.
      integer, pointer :: after_leap => null()
         !! How the fit ends after a leap if the scale has not changed, or no_leap.
      integer, pointer :: leaps => null()
         !! How many steps leapt.
      integer, pointer :: models => null()
         !! How many models the fit was told.
      integer, pointer :: determined => null()
         !! How many variables the first model determined.
      integer, pointer :: side => null()
         !! To which side the fit goes, by the names in minpack_other_side.
      integer, pointer :: at_edge => null()
         !! away, entering or landing.
      integer, pointer :: landings => null()
         !! How often the fit was to land on bounds.
      integer, pointer :: claim => null()
         !! How the fit ends if it neither enters nor lands.
      real(dp), pointer, contiguous :: x(:) => null()
         !! Shape: (n). The best point so far.
      real(dp), pointer, contiguous :: trial(:) => null()
         !! Shape: (n). The point to try.
      real(dp), pointer, contiguous :: first_norms(:) => null()
         !! Shape: (n). The norms of the columns of the first Jacobian.
      real(dp), pointer :: fnorm => null()
         !! Norm of the residuals at x; with a loss, of the widened loss.
      real(dp), pointer :: true_norm => null()
         !! The square root of what is to be minimized, at x: fnorm, unless a loss is widened.
      real(dp), pointer :: cosine => null()
         !! The largest cosine of the angle between the residuals and a column of the Jacobian.
      logical :: by_products = .false.
         !! Whether to try to tell the fit the products of the columns first.
      logical :: accepted = .false.
         !! Whether the norm that was told last made its point the best point.
      integer :: steps = 0
         !! How many trial points became the best point.
      real(dp) :: step = 0
         !! Norm of the last step.
      real(dp) :: ratio = 0
         !! Actual by predicted reduction by the last step.
      logical :: is_linear = .true.
         !! Whether the model has predicted all steps that mattered.
      type(model_type) :: model
         !! The linear model that was told last.
      type(trust_region_type) :: region
      type(robust_type) :: robust
         !! What the fit has learned of its loss, if there is one.
      logical :: is_undefined_on_bounds = .false.
         !! Whether the fit was to end on bounds where the residuals are not finite.
      logical :: is_poor = .false.
         !! Whether the fit has ended, and another attempt may end better.
      logical :: is_confined = .false.
         !! Whether the trust region limited the last step although the model promised more.
      logical :: is_astray = .false.
         !! Whether the fit has ended where a curve passes by most of the data.
      logical :: is_misfit = .false.
         !! Whether most neighbouring residuals have the same sign at x.
      logical :: is_sure_misfit = .false.
         !! Whether that is no chance.
   contains
      procedure :: attach
      procedure :: stand_at
      procedure :: move
      procedure :: is_spent
   end type state_type

contains

   pure integer(c_int64_t) function reals_of_fit(n, bounded) result(count)
      !! How many real numbers a fit consists of.
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: bounded
         !! Whether there are bounds.

      count = (2*int(n, c_int64_t) + merge(12, 9, bounded))*n + 12
   end function reals_of_fit

   pure integer(c_int64_t) function integers_of_fit(n, bounded) result(count)
      !! How many integers a fit consists of.
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: bounded
         !! Whether there are bounds.

      count = merge(4, 1, bounded)*int(n, c_int64_t) + 13
   end function integers_of_fit

   subroutine attach(self, n, settings, workspace, reals, integers)
      !! Make a fit of the numbers in two arrays. It may be new, or one that was kept.
      class(state_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(settings_type), intent(in), target :: settings
         !! The options of the fit.
      type(workspace_type), intent(in), target :: workspace
         !! Memory for the computation of steps, which fits share.
      real(dp), intent(in), target, contiguous :: reals(:)
         !! Shape: (reals_of_fit(n, bounded)).
      integer, intent(in), target, contiguous :: integers(:)
         !! Shape: (integers_of_fit(n, bounded)).
      type(store_type) :: store

      call store%open(reals, integers)
      self%n = n
      self%settings => settings
      self%workspace => workspace
      self%x => store%vector(n)
      self%trial => store%vector(n)
      self%first_norms => store%vector(n)
      self%fnorm => store%number()
      self%true_norm => store%number()
      self%cosine => store%number()
      self%needs => store%counter()
      self%info => store%counter()
      self%after_leap => store%counter()
      self%leaps => store%counter()
      self%models => store%counter()
      self%determined => store%counter()
      self%side => store%counter()
      self%at_edge => store%counter()
      self%landings => store%counter()
      self%claim => store%counter()
      call self%model%attach(n, store)
      call self%region%attach(n, settings%bounds, .not. associated(settings%diag), store)
      call self%robust%attach(store)
      if (debugging) call assert(store%is_full(), 'a fit takes all of its memory')
   end subroutine attach

   subroutine stand_at(self, x, fnorm)
      !! Take x for the starting point, and ask for the first model.
      class(state_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.

      self%x = x
      self%trial = x
      self%first_norms = 0
      self%fnorm = fnorm
      self%true_norm = fnorm
      self%cosine = 0
      self%models = 0
      self%determined = 0
      self%side = on_no_side
      self%at_edge = away
      self%landings = 0
      self%claim = going_on
      self%by_products = are_of_use(self%n)
      self%accepted = .true.
      self%steps = 0
      self%step = 0
      self%ratio = 0
      self%is_linear = .true.
      call self%model%begin()
      call self%region%begin()
      call self%robust%begin(fnorm)
      self%is_undefined_on_bounds = .false.
      self%is_poor = .false.
      self%is_confined = .false.
      self%is_astray = .false.
      self%is_misfit = .false.
      self%is_sure_misfit = .false.
      self%info = going_on
      self%after_leap = no_leap
      self%leaps = 0
      self%needs = a_model
   end subroutine stand_at

   pure subroutine move(self, norm, true_norm, is_step)
      !! Make the trial point the best point.
      class(state_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! Norm of the residuals there.
      real(dp), intent(in) :: true_norm
         !! The same, without the widening of a loss.
      logical, intent(in) :: is_step
         !! Whether this counts as a step.

      self%x = self%trial
      self%fnorm = norm
      self%true_norm = true_norm
      if (is_step) self%steps = self%steps + 1
   end subroutine move

   pure logical function is_spent(self, calls)
      !! Whether there were as many calls as maxfev allows, or half of them if another attempt may
      !! find something on the other side with the other half.
      class(state_type), intent(in) :: self
      integer, intent(in) :: calls
         !! What maxfev limits.
      integer :: left

      left = self%settings%maxfev - calls
      is_spent = left <= 0
      if (self%side == on_one_side .and. left >= self%settings%fewest_calls(self%n)) then
         is_spent = left <= calls
      end if
   end function is_spent

end module minpack_state
