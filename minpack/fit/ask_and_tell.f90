module minpack_ask_and_tell
   !! The Levenberg-Marquardt method. A fit says what it needs to know, and is told.
   !!
   !! J. J. Moré, "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes in
   !! Mathematics 630 (1978), with the constants, the order of tests and the exit codes of MINPACK-1
   !! (report ANL-80-74).
   !!
   !! A fit asks two questions: what is the linear model at x, and what is the norm of the residuals
   !! at a trial point. A driver evaluates the residuals: for one fit or for many at once, in one
   !! piece or in parts. Between two questions a fit consists of numbers in two arrays that the
   !! caller owns.
   use, intrinsic :: iso_c_binding, only: c_int64_t
   use minpack_kinds, only: dp, giant, is_finite
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on, improper_input, ftol_reached, gtol_reached, maxfev_reached, &
                           gtol_too_small, residuals_not_finite, jacobian_not_finite, &
                           promise_broken, poor_end
   use minpack_store, only: store_type
   use minpack_bounds, only: bounds_type
   use minpack_products, only: are_of_use, most_columns
   use minpack_model, only: model_type
   use minpack_workspace, only: workspace_type
   use minpack_trust_region, only: trust_region_type, reduction_type
   use minpack_settings, only: settings_type, lm, no_fault
   use minpack_slopes, only: gradient, gradient_cosine, is_flat
   use minpack_leap, only: is_leap, has_new_scale, no_leap, most_leaps
   use minpack_robust, only: robust_type
   use minpack_exit_tests, only: converged, exhausted, has_vanished, is_close
   use minpack_settled, only: has_settled, is_promising, has_little_left
   implicit none
   private
   public :: fit_type, nothing, a_model, a_norm, reals_of_fit, integers_of_fit

   integer, parameter :: nothing = 0
      !! The fit has ended.
   integer, parameter :: a_model = 1
      !! The fit needs the triangle of [J f] at x.
   integer, parameter :: a_norm = 2
      !! The fit needs the norm of the residuals at trial.

   real(dp), parameter :: acceptable = 1.0e-4_dp
      !! The ratio of actual to predicted reduction from which a step is taken.

   type :: fit_type
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
      real(dp), pointer, contiguous :: x(:) => null()
         !! Shape: (n). The best point so far.
      real(dp), pointer, contiguous :: trial(:) => null()
         !! Shape: (n). The point to try.
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
      type(model_type) :: model
         !! The linear model that was told last.
      type(trust_region_type) :: region
      type(robust_type) :: robust
         !! What the fit has learned of its loss, if there is one.
      logical :: is_poor = .false.
         !! Whether the fit has ended, and may end better if it does not begin with a wider loss.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: widen
      procedure :: take_norm
      procedure :: judge
      procedure :: ending
      procedure :: tell_model
      procedure :: tell_products
      procedure :: tell_norm
      procedure :: expects_end
      procedure :: has_solution
      procedure :: conclude
      procedure :: stop
      procedure, private :: use_model
      procedure, private :: land
      procedure, private :: begin_again
      procedure, private :: finish
      procedure, private :: propose
      procedure, private :: verdict
   end type fit_type

contains

   pure integer(c_int64_t) function reals_of_fit(n, bounded) result(count)
      !! How many real numbers a fit consists of.
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: bounded
         !! Whether there are bounds.

      count = (2*int(n, c_int64_t) + merge(9, 6, bounded))*n + 12
   end function reals_of_fit

   pure integer(c_int64_t) function integers_of_fit(n, bounded) result(count)
      !! How many integers a fit consists of.
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: bounded
         !! Whether there are bounds.

      count = merge(4, 1, bounded)*int(n, c_int64_t) + 7
   end function integers_of_fit

   subroutine attach(self, n, settings, workspace, reals, integers)
      !! Make a fit of the numbers in two arrays. It may be new, or one that was kept.
      class(fit_type), intent(inout) :: self
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
      self%fnorm => store%number()
      self%true_norm => store%number()
      self%cosine => store%number()
      self%needs => store%counter()
      self%info => store%counter()
      self%after_leap => store%counter()
      self%leaps => store%counter()
      self%models => store%counter()
      call self%model%attach(n, store)
      call self%region%attach(n, settings%bounds, store)
      call self%robust%attach(store)
      if (debugging) call assert(store%is_full(), 'a fit takes all of its memory')
   end subroutine attach

   subroutine begin(self, x, fnorm)
      !! Start from x.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.

      self%x = x
      self%trial = x
      self%fnorm = fnorm
      self%true_norm = fnorm
      self%cosine = 0
      self%models = 0
      self%by_products = are_of_use(self%n)
      self%accepted = .true.
      self%steps = 0
      self%step = 0
      self%ratio = 0
      call self%model%begin()
      call self%region%begin()
      call self%robust%begin(fnorm)
      self%is_poor = .false.
      self%info = going_on
      self%after_leap = no_leap
      self%leaps = 0
      self%needs = a_model
      if (self%settings%fault() /= no_fault .or. .not. self%settings%bounds%holds(x)) then
         call self%stop(improper_input)
      else if (.not. is_finite(fnorm)) then
         call self%stop(residuals_not_finite)
      end if
   end subroutine begin

   subroutine widen(self, width)
      !! Begin with a wider loss.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: width
         !! The factor of its scale; 1 for the loss itself.

      if (self%needs == a_model) call self%robust%widen(width)
   end subroutine widen

   subroutine take_norm(self, norm)
      !! Take the norm at x by a new width, before the model.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! The square root of the widened loss.

      self%fnorm = norm
   end subroutine take_norm

   subroutine judge(self, outliers, m)
      !! After the end, see whether a fit that began with a wider loss may end better without.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: outliers
         !! How many residuals are outliers at x.
      real(dp), intent(in) :: m
         !! Number of residuals.

      self%is_poor = self%robust%ends_poorly(self%has_solution(), outliers, m, self%true_norm)
   end subroutine judge

   pure integer function ending(self)
      !! How the fit ended: info, and whether the end is poor.
      class(fit_type), intent(in) :: self

      ending = self%info
      if (self%is_poor .and. self%info >= 0) ending = ending + poor_end
   end function ending

   subroutine tell_products(self, products, taken)
      !! Take the linear model at x if the products of the columns of [J f] determine it, and choose
      !! a point to try.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: products(:, :)
         !! Shape: (n + 1, n). J'J at x, its lower triangle, and f'J below it.
      logical, intent(out) :: taken
         !! If not, the fit still needs the model. With many columns, products are not tried again.

      if (debugging) call assert(self%needs == a_model, 'a model is told that is needed')
      call self%model%take_products(products, self%fnorm, self%workspace%left, taken)
      if (taken) then
         call self%use_model()
      else
         self%by_products = self%n <= most_columns
      end if
   end subroutine tell_products

   subroutine tell_model(self, triangle)
      !! Take the linear model at x, and choose a point to try.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: triangle(:, :)
         !! Shape: (n + 1, n + 1). The rows of [J f] at x, folded.
      logical :: finite

      if (debugging) call assert(self%needs == a_model, 'a model is told that is needed')
      call self%model%take(triangle, self%fnorm, self%workspace%left, finite)
      if (finite) then
         call self%use_model()
      else
         self%models = self%models + 1
         call self%stop(jacobian_not_finite)
      end if
   end subroutine tell_model

   subroutine use_model(self)
      !! Choose a point to try by the linear model, unless the gradient is zero.
      class(fit_type), intent(inout) :: self
      logical :: goes_on

      self%models = self%models + 1
      associate (settings => self%settings, region => self%region, model => self%model)
         if (self%models == 1 .or. self%robust%is_new()) then
            call self%begin_again()
            if (self%needs == nothing) return
         else if (self%after_leap /= no_leap) then
            call self%land(goes_on)
            if (.not. goes_on) return
         end if
         self%cosine = gradient_cosine(model, settings%bounds, self%x)
         if (self%cosine <= merge(settings%gtol, 0.0_dp, settings%tests == lm)) then
            call self%finish(gtol_reached &
                             + merge(promise_broken, 0, is_flat(model, settings%bounds)))
            return
         end if
         call region%adopt(model, follows=.not. associated(settings%diag))
         if (settings%tests /= lm) then
            if (gradient(model, settings, self%x) <= settings%gtol) then
               if (has_little_left(region, model, self%x, self%workspace)) then
                  call self%finish(gtol_reached)
                  return
               end if
            end if
         end if
      end associate
      call self%propose()
   end subroutine use_model

   subroutine begin_again(self)
      !! Set off at the first model, and at the first of a loss whose width has changed.
      class(fit_type), intent(inout) :: self

      associate (settings => self%settings)
         call self%region%set_off(self%model, self%x, settings%factor, self%settings%diag, &
                                  self%workspace)
         self%after_leap = no_leap
         if (settings%limits_trials .and. settings%maxfev == 1) call self%stop(maxfev_reached)
      end associate
   end subroutine begin_again

   subroutine land(self, goes_on)
      !! After a leap, begin anew if the scale has changed, or end if the fit was to end.
      class(fit_type), intent(inout) :: self
      logical, intent(out) :: goes_on
         !! Whether the model is still of use.

      goes_on = .true.
      associate (settings => self%settings, region => self%region, model => self%model)
         if (has_new_scale(model, region) .and. .not. associated(settings%diag)) then
            call region%set_off(model, self%x, settings%factor, self%settings%diag, &
                                self%workspace)
         else if (self%after_leap /= going_on) then
            call self%finish(self%after_leap)
            goes_on = .false.
         end if
      end associate
      self%after_leap = no_leap
   end subroutine land

   subroutine tell_norm(self, norm, true_norm, nfev, trials)
      !! Take the norm at the trial point, accept the point or not, and decide how to go on.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! May be NaN or infinite: then the point is not accepted.
      real(dp), intent(in) :: true_norm
         !! The same, without the widening of a loss.
      integer, intent(in) :: nfev
         !! Evaluations of the residuals so far.
      integer, intent(in) :: trials
         !! Those among them that were not for a differenced Jacobian.
      type(reduction_type) :: reduction
      real(dp) :: trial_norm
      integer :: info
      logical :: leaps

      if (debugging) then
         call assert(self%needs == a_norm, 'a norm is told that is needed')
         call assert(.not. norm < 0, 'a norm is not negative')
      end if
      self%step = distance(self%n, self%trial, self%x)
      trial_norm = giant
      if (is_finite(norm)) trial_norm = norm
      associate (region => self%region)
         reduction = region%assess(self%model, self%fnorm, trial_norm, self%workspace)
         call region%resize(reduction)
         self%ratio = reduction%ratio
         self%accepted = reduction%ratio >= acceptable
         call self%robust%learn(reduction%ratio)
         leaps = self%accepted .and. self%leaps < most_leaps
         if (leaps) leaps = is_leap(self%x, self%trial, self%fnorm, trial_norm)
         if (leaps) self%leaps = self%leaps + 1
         if (self%accepted) then
            self%steps = self%steps + 1
            self%x = self%trial
            self%fnorm = norm
            self%true_norm = true_norm
            call region%stand_at(self%x, self%workspace)
         end if
      end associate
      info = self%verdict(reduction, self%settings%counted(nfev, trials))
      if (leaps .and. info /= maxfev_reached) then
         self%after_leap = info
         self%needs = a_model
      else if (info /= going_on) then
         call self%finish(info)
      else if (self%accepted) then
         self%needs = a_model
      else
         call self%propose()
      end if
   end subroutine tell_norm

   logical function expects_end(self)
      !! Whether the model promises so little of the trial point that the fit may well end there.
      class(fit_type), intent(inout) :: self
      type(reduction_type) :: reduction

      reduction = self%region%assess(self%model, self%fnorm, self%fnorm, self%workspace)
      expects_end = reduction%predicted <= self%settings%ftol
   end function expects_end

   subroutine finish(self, info)
      !! End the fit, or go on with a narrower loss.
      class(fit_type), intent(inout) :: self
      integer, intent(in) :: info
         !! The reason.

      if (.not. self%robust%is_wide() .or. info == maxfev_reached) then
         call self%stop(info)
         return
      end if
      call self%robust%narrow()
      self%needs = a_model
   end subroutine finish

   subroutine stop(self, info)
      !! End the fit.
      class(fit_type), intent(inout) :: self
      integer, intent(in) :: info
         !! The reason.

      self%info = info
      self%needs = nothing
      if (self%models > 0 .and. info /= jacobian_not_finite) then
         call self%model%pivot(self%workspace%left)
      end if
   end subroutine stop

   pure logical function has_solution(self)
      !! Whether the fit has ended at a solution.
      class(fit_type), intent(in) :: self

      has_solution = self%needs == nothing .and. self%info > improper_input &
                     .and. mod(self%info, promise_broken) <= gtol_too_small &
                     .and. self%info /= maxfev_reached
   end function has_solution

   subroutine conclude(self, triangle)
      !! Take another linear model at the solution, after the end.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: triangle(:, :)
         !! Shape: (n + 1, n + 1). The rows of [J f] at x, folded.
      logical :: finite

      call self%model%take(triangle, self%fnorm, self%workspace%left, finite)
      if (finite) then
         call self%model%pivot(self%workspace%left)
      else
         self%info = jacobian_not_finite
      end if
   end subroutine conclude

   subroutine propose(self)
      !! Choose a point to try.
      class(fit_type), intent(inout) :: self

      associate (region => self%region)
         call region%propose(self%model, self%x, self%trial, self%workspace)
         if (self%models == 1 .or. self%robust%is_new()) then
            region%delta = min(region%delta, region%length)
         end if
      end associate
      call self%robust%set_off()
      if (debugging) then
         call assert(self%settings%bounds%holds(self%trial), 'a trial point is feasible')
         call assert(.not. self%region%delta < 0, 'the trust radius is not negative')
      end if
      self%needs = a_norm
   end subroutine propose

   integer function verdict(self, reduction, calls) result(info)
      !! Whether the fit ends after a step, and how.
      class(fit_type), intent(inout) :: self
      type(reduction_type), intent(in) :: reduction
      integer, intent(in) :: calls
         !! What maxfev limits.
      integer :: claim

      associate (settings => self%settings, region => self%region)
         info = going_on
         if (self%robust%is_wide()) then
            if (is_close(region, reduction, self%fnorm)) info = ftol_reached
            if (2*calls >= settings%maxfev) info = maxfev_reached
            return
         end if
         claim = converged(settings, region, reduction, self%step, self%x, self%fnorm)
         if (claim == going_on) then
            info = exhausted(settings, region, reduction, calls, self%cosine, self%fnorm)
         else if (has_settled(region, self%model, reduction, self%accepted, self%fnorm, &
                              max(settings%ftol, settings%xtol), self%workspace)) then
            info = claim
         else if (has_vanished(region, self%fnorm)) then
            info = claim
            if (is_promising(region, self%model, self%workspace)) info = info + promise_broken
         else if (calls >= settings%maxfev) then
            info = maxfev_reached
         end if
      end associate
   end function verdict

   pure real(dp) function distance(n, a, b)
      integer, intent(in) :: n
      real(dp), intent(in) :: a(n)
      real(dp), intent(in) :: b(n)
      integer :: j

      distance = 0
      do j = 1, n
         distance = distance + (a(j) - b(j))**2
      end do
      distance = sqrt(distance)
   end function distance

end module minpack_ask_and_tell
