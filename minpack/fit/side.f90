module minpack_side
   !! The side to which a fit goes if some variables have the same effect at its start, and what
   !! this means for its end: see minpack_other_side.
   use minpack_kinds, only: dp, is_finite
   use minpack_info, only: residuals_not_finite, jacobian_not_finite
   use minpack_settings, only: first_attempt, on_other_side
   use minpack_other_side, only: start_beyond, on_no_side, on_one_side, turning, turned
   use minpack_state, only: nothing, a_model, a_norm
   use minpack_quality, only: judged_type
   implicit none
   private
   public :: sided_type

   real(dp), parameter :: far = 100
      !! The distance to a start on the other side, at most, in units of |D x|: MINPACK's factor.

   type, extends(judged_type) :: sided_type
   contains
      procedure :: choose_side
      procedure :: turn
      procedure :: stop
   end type sided_type

contains

   subroutine choose_side(self)
      !! At the start, leave out of the model where errors of the Jacobian point; or ask for the
      !! residuals on the other side.
      class(sided_type), intent(inout) :: self
      real(dp) :: noise
      integer :: head, first
      logical :: is_other

      associate (settings => self%settings, region => self%region, model => self%model)
         self%determined = self%count_determined()
         noise = settings%jacobian_error()
         call model%find_noise(noise, head, first)
         if (first == 0) return
         if (settings%attempt == on_other_side .and. self%side == on_no_side) then
            call start_beyond(model, noise, self%x, region, far*region%delta/settings%factor, &
                              self%trial, is_other, self%workspace)
            if (is_other) then
               self%side = turning
               self%needs = a_norm
               return
            end if
         else if (settings%attempt == first_attempt) then
            self%side = on_one_side
         end if
         call model%leave_out_noise(noise, region%diag, region%delta)
      end associate
   end subroutine choose_side

   subroutine turn(self, norm, true_norm)
      !! Begin at the trial point, on the other side.
      class(sided_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! May be NaN or infinite.
      real(dp), intent(in) :: true_norm
         !! The same, without the widening of a loss.

      self%side = turned
      self%accepted = is_finite(norm)
      if (.not. self%accepted) then
         call self%stop(residuals_not_finite)
         return
      end if
      call self%move(norm, true_norm, is_step=.true.)
      self%models = 0
      self%needs = a_model
   end subroutine turn

   subroutine stop(self, info)
      !! End the fit.
      class(sided_type), intent(inout) :: self
      integer, intent(in) :: info
         !! The reason.

      self%info = info
      self%needs = nothing
      if (self%models > 0 .and. info /= jacobian_not_finite) then
         call self%model%pivot(self%workspace%left)
      end if
      if (self%side == on_one_side .and. self%steps > 0) then
         self%is_poor = .not. self%has_solution() .or. self%is_held()
         ! Variables that never acted but together, as at the start, are no sign of a poor end.
         if (self%leaves_open() .and. .not. self%is_poor) then
            self%is_poor = self%count_determined() /= self%determined .or. self%has_idle()
         end if
      end if
   end subroutine stop

end module minpack_side
