module minpack_edge
   !! Where a fit meets its bounds: at a start where the residuals or the Jacobian are not finite,
   !! and at an end that is close to bounds but not on them.
   !!
   !! A model may divide by zero on a bound, and users start there. Such a fit starts a little
   !! inside the bounds.
   !!
   !! Steps shrink towards a bound, and the fit may end before it is reached, although the sum of
   !! squares falls up to the bound. Then the variable counts as free, and the covariance is that of
   !! another problem. Such a fit is to land on the bounds before it ends.
   use minpack_kinds, only: dp, is_finite
   use minpack_bounds, only: is_on_bound
   use minpack_state, only: a_model, a_norm, away, entering, landing
   use minpack_side, only: sided_type
   implicit none
   private
   public :: edged_type

   real(dp), parameter :: close = 1.0e-6_dp
      !! The way to a bound is short if it changes the residuals by less than this part.
   real(dp), parameter :: level = 1 + 1.0e-8_dp
      !! The norm of the residuals on the bounds, at most, in units of that beside them.
   real(dp), parameter :: all_of_it = 2
      !! More than the norm of the residuals if they are the effect of one variable.
   integer, parameter :: most_landings = 3

   type, extends(sided_type) :: edged_type
   contains
      procedure :: enter
      procedure :: land
      procedure :: tell_at_edge
   end type edged_type

contains

   subroutine enter(self, claim, enters)
      !! Ask for the residuals inside the bounds, if the start is on a bound.
      class(edged_type), intent(inout) :: self
      integer, intent(in) :: claim
         !! Why the fit cannot begin at the start.
      logical, intent(out) :: enters
         !! Whether there is something to ask for.

      enters = self%settings%bounds%bounded
      if (.not. enters) return
      call self%settings%bounds%retreat(self%x, self%trial)
      enters = any(self%trial /= self%x)
      if (.not. enters) return
      self%fnorm = 1
      self%claim = claim
      self%at_edge = entering
      self%needs = a_norm
   end subroutine enter

   subroutine land(self, claim, lands)
      !! Ask for the residuals on the bounds that are close, and beyond which they would fall.
      class(edged_type), intent(inout) :: self
      integer, intent(in) :: claim
         !! How the fit is about to end.
      logical, intent(out) :: lands
         !! Whether there is something to ask for.
      real(dp) :: slope, bound, nearest
      integer :: j, k

      lands = .false.
      if (.not. self%settings%bounds%bounded .or. self%landings == most_landings) return
      self%trial = self%x
      ! Data that are zero are fitted best where the effect of a variable is zero.
      nearest = merge(all_of_it, close, self%settings%data_norm == 0)*self%fnorm
      associate (lower => self%settings%bounds%lower, upper => self%settings%bounds%upper, &
                 model => self%model)
         do k = 1, self%n
            j = model%ipvt(k)
            slope = model%slope(k)
            bound = merge(lower(j), upper(j), slope > 0)
            if (is_on_bound(lower(j), self%x(j), upper(j))) cycle
            if (slope == 0) cycle
            if (abs(self%x(j) - bound)*model%acnorm(j) <= nearest) self%trial(j) = bound
         end do
      end associate
      lands = any(self%trial /= self%x)
      if (.not. lands) return
      self%landings = self%landings + 1
      self%claim = claim
      self%at_edge = landing
      self%needs = a_norm
   end subroutine land

   subroutine tell_at_edge(self, norm, true_norm)
      !! Go on from the trial point inside the bounds or on them, or end.
      class(edged_type), intent(inout) :: self
      real(dp), intent(in) :: norm
         !! May be NaN or infinite.
      real(dp), intent(in) :: true_norm
         !! The same, without the widening of a loss.
      logical :: is_landing

      is_landing = self%at_edge == landing
      self%at_edge = away
      if (is_landing) then
         self%accepted = norm <= level*self%fnorm
         self%is_undefined_on_bounds = .not. is_finite(norm)
      else
         self%accepted = is_finite(norm)
         call self%robust%begin(norm)
      end if
      if (self%accepted) then
         call self%move(norm, true_norm, is_step=is_landing)
         self%needs = a_model
      else
         call self%stop(self%claim)
      end if
   end subroutine tell_at_edge

end module minpack_edge
