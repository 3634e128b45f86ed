module minpack_ask_and_tell
   !! The Levenberg-Marquardt method. A fit says what it needs to know, and is told.
   !!
   !! J. J. Moré, "The Levenberg-Marquardt algorithm: implementation and theory", Lecture Notes in
   !! Mathematics 630 (1978), with the constants, the order of tests and the exit codes of MINPACK-1
   !! (report ANL-80-74).
   !!
   !! A fit asks two questions: what is the linear model at x, and what is the norm of the residuals
   !! at a trial point. A driver evaluates the residuals: for one fit or for many at once, in one
   !! piece or in parts.
   use minpack_kinds, only: dp, giant, is_finite
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on, improper_input, gtol_reached, maxfev_reached, &
                           residuals_not_finite, jacobian_not_finite, promise_broken
   use minpack_products, only: most_columns
   use minpack_reduction, only: reduction_type
   use minpack_settings, only: lm, no_fault
   use minpack_slopes, only: gradient, gradient_cosine, is_flat
   use minpack_leap, only: is_leap, has_new_scale, no_leap, most_leaps
   use minpack_settled, only: has_little_left
   use minpack_other_side, only: turning
   use minpack_state, only: nothing, a_model, a_norm, away
   use minpack_edge, only: edged_type
   use minpack_verdict, only: verdict
   implicit none
   private
   public :: fit_type

   real(dp), parameter :: acceptable = 1.0e-4_dp
      !! The ratio of actual to predicted reduction from which a step is taken.
   real(dp), parameter :: exact = 1.0e-3_dp
      !! The error of the ratio of a step that the linear model predicts.
   real(dp), parameter :: little = 1.0e-6_dp
      !! A reduction that may be noise.

   type, extends(edged_type) :: fit_type
   contains
      procedure :: begin
      procedure :: widen
      procedure :: take_norm
      procedure :: tell_model
      procedure :: tell_products
      procedure :: tell_norm
      procedure :: expects_end
      procedure :: conclude
      procedure, private :: use_model
      procedure, private :: alight
      procedure, private :: begin_again
      procedure, private :: finish
      procedure, private :: propose
   end type fit_type

contains

   subroutine begin(self, x, fnorm)
      !! Start from x.
      class(fit_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.
      logical :: enters

      call self%stand_at(x, fnorm)
      if (self%settings%fault() /= no_fault .or. .not. self%settings%bounds%holds(x)) then
         call self%stop(improper_input)
      else if (.not. is_finite(fnorm)) then
         call self%enter(residuals_not_finite, enters)
         if (.not. enters) call self%stop(residuals_not_finite)
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
      logical :: finite, enters

      if (debugging) call assert(self%needs == a_model, 'a model is told that is needed')
      call self%model%take(triangle, self%fnorm, self%workspace%left, finite)
      if (finite) then
         call self%use_model()
         return
      end if
      enters = .false.
      if (self%models == 0) call self%enter(jacobian_not_finite, enters)
      if (enters) return
      self%models = self%models + 1
      call self%stop(jacobian_not_finite)
   end subroutine tell_model

   subroutine use_model(self)
      !! Choose a point to try by the linear model, unless the gradient is zero.
      class(fit_type), intent(inout) :: self
      logical :: goes_on

      self%models = self%models + 1
      associate (settings => self%settings, region => self%region, model => self%model)
         if (self%models == 1) self%first_norms = model%acnorm
         if (self%models == 1 .or. self%robust%is_new()) then
            call self%begin_again()
            if (self%needs == nothing) return
            if (self%models == 1) call self%choose_side()
            if (self%needs == a_norm) return
         else if (self%after_leap /= no_leap) then
            call self%alight(goes_on)
            if (.not. goes_on) return
         end if
         self%cosine = gradient_cosine(model, settings%bounds, self%x)
         if (self%cosine <= merge(settings%gtol, 0.0_dp, settings%tests == lm)) then
            call self%finish(gtol_reached &
                             + merge(promise_broken, 0, is_flat(model, settings%bounds)))
            return
         end if
         call region%adopt(model)
         if (settings%tests /= lm) then
            if (gradient(model, settings, self%x) <= settings%gtol) then
               if (has_little_left(region, model, self%x, self%ratio, self%workspace)) then
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

   subroutine alight(self, goes_on)
      !! After a leap, begin anew if the scale has changed, or end if the fit was to end.
      class(fit_type), intent(inout) :: self
      logical, intent(out) :: goes_on
         !! Whether the model is still of use.

      goes_on = .true.
      associate (settings => self%settings, region => self%region, model => self%model)
         if (region%follows .and. has_new_scale(model, region)) then
            call region%set_off(model, self%x, settings%factor, self%settings%diag, &
                                self%workspace)
         else if (self%after_leap /= going_on) then
            call self%finish(self%after_leap)
            goes_on = .false.
         end if
      end associate
      self%after_leap = no_leap
   end subroutine alight

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
      if (self%at_edge /= away) then
         call self%tell_at_edge(norm, true_norm)
         return
      end if
      if (self%side == turning) then
         call self%turn(norm, true_norm)
         return
      end if
      trial_norm = giant
      if (is_finite(norm)) trial_norm = norm
      associate (region => self%region)
         reduction = region%assess(self%model, self%fnorm, trial_norm, self%workspace)
         call region%resize(reduction)
         self%ratio = reduction%ratio
         self%is_linear = self%is_linear .and. is_as_predicted(reduction)
         self%accepted = reduction%ratio >= acceptable
         call self%robust%learn(reduction%ratio)
         leaps = self%accepted .and. self%leaps < most_leaps
         if (leaps) leaps = is_leap(self%x, self%trial, self%fnorm, trial_norm, reduction)
         if (leaps) self%leaps = self%leaps + 1
         if (self%accepted) then
            call self%move(norm, true_norm, is_step=.true.)
            call region%stand_at(self%x, reduction, self%workspace)
         end if
      end associate
      info = verdict(self, reduction, self%settings%counted(nfev, trials))
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

      expects_end = .false.
      if (self%side == turning .or. self%at_edge /= away) return
      reduction = self%region%assess(self%model, self%fnorm, self%fnorm, self%workspace)
      expects_end = reduction%predicted <= self%settings%ftol
   end function expects_end

   subroutine finish(self, info)
      !! End the fit, or go on with a narrower loss, or on bounds that are close.
      class(fit_type), intent(inout) :: self
      integer, intent(in) :: info
         !! The reason.
      logical :: lands

      if (info == maxfev_reached) then
         call self%stop(info)
      else if (self%robust%is_wide()) then
         call self%robust%narrow()
         self%needs = a_model
      else
         call self%land(info, lands)
         if (.not. lands) call self%stop(info)
      end if
   end subroutine finish

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

   pure logical function is_as_predicted(reduction)
      !! Whether the model predicted what a step brought, or the step brought little.
      type(reduction_type), intent(in) :: reduction

      is_as_predicted = abs(1 - reduction%ratio) <= exact .or. reduction%predicted <= little
   end function is_as_predicted

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
