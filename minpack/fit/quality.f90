module minpack_quality
   !! How good an end a fit has reached: whether it is a solution, and whether another attempt may
   !! end better.
   use minpack_kinds, only: dp
   use minpack_info, only: improper_input, maxfev_reached, gtol_too_small, promise_broken, &
                           poor_end, open_end, misfit, sure_misfit, confined_end
   use minpack_bounds, only: is_on_bound
   use minpack_settings, only: only_attempt
   use minpack_settled, only: is_rounding
   use minpack_state, only: state_type, nothing
   implicit none
   private
   public :: judged_type

   real(dp), parameter :: little = 1.0e-4_dp
      !! The part of its norm that a column keeps, after projection on the columns before it, if the
      !! data hardly determine its variable.
   real(dp), parameter :: merged = 1.0e-6_dp
      !! The part of its norm that a column keeps if it has become the same as others.
   real(dp), parameter :: no_effect = 1.0e-2_dp
      !! A variable has no effect if doubling it changes the residuals by less than this part.

   real(dp), parameter :: perfect = 1.0e-8_dp
      !! A fit that reduces the norm of the residuals to this part is not to be improved.

   integer, parameter :: few = 3
      !! A fit of so few steps has a model that is almost linear, and one minimum.

   type, extends(state_type) :: judged_type
   contains
      procedure :: judge
      procedure :: leaves_open
      procedure :: count_determined
      procedure :: has_idle
      procedure :: has_merged
      procedure :: is_perfect
      procedure :: is_held
      procedure :: ending
      procedure, private :: is_open
      procedure :: has_solution
   end type judged_type

contains

   subroutine judge(self, is_outlying, has_long_runs, bends_back)
      !! After the end, see whether a fit with a robust loss may end better.
      class(judged_type), intent(inout) :: self
      logical, intent(in) :: is_outlying
         !! Whether most residuals are outliers at x.
      logical, intent(in) :: has_long_runs
         !! Whether runs of residuals that have the same sign are long there. If they are not, the
         !! residuals are noise of which the scale of the loss is a small part.
      logical, intent(in) :: bends_back
         !! Whether the loss may have minima at which most residuals are outliers.
      logical :: is_solved

      self%is_astray = is_outlying .and. has_long_runs
      is_solved = self%has_solution() .and. .not. (is_outlying .and. bends_back) .and. &
                  (self%is_perfect() .or. .not. (self%leaves_open() .or. self%has_idle()))
      if (self%robust%ends_poorly(is_solved, self%true_norm)) self%is_poor = .true.
   end subroutine judge

   pure logical function leaves_open(self)
      !! Whether the last model does not determine all variables, or hardly.
      class(judged_type), intent(in) :: self

      leaves_open = self%count_determined() < self%n
   end function leaves_open

   pure integer function count_determined(self) result(head)
      !! How many variables the last model determines.
      class(judged_type), intent(in) :: self
      integer :: first

      call self%model%find_noise(little, head, first)
   end function count_determined

   pure logical function has_idle(self)
      !! Whether a variable that is on no bound has no effect on the residuals. In a linear model, a
      !! variable keeps its effect, and the data say that it is zero.
      class(judged_type), intent(in) :: self
      real(dp) :: length, room
      logical :: is_linear
      integer :: j, k

      has_idle = .false.
      is_linear = self%is_linear .and. .not. self%leaves_open()
      associate (bounds => self%settings%bounds, model => self%model)
         do k = 1, self%n
            j = model%ipvt(k)
            if (bounds%bounded) then
               if (is_on_bound(bounds%lower(j), self%x(j), bounds%upper(j))) cycle
            end if
            if (is_linear .and. model%acnorm(j) > self%first_norms(j)/2) cycle
            length = maxval(abs(model%r(:k, k)))
            if (self%is_undefined_on_bounds) then
               ! Next to a bound, it is as good as on it.
               room = min(self%x(j) - bounds%lower(j), bounds%upper(j) - self%x(j))
               if (length*room <= no_effect*self%true_norm) cycle
            end if
            has_idle = has_idle .or. length*abs(self%x(j)) <= no_effect*self%true_norm
         end do
      end associate
   end function has_idle

   pure logical function has_merged(self)
      !! Whether the effects of variables have become the same, such as those of two equal terms.
      class(judged_type), intent(in) :: self
      integer :: head, first

      call self%model%find_noise(merged, head, first)
      has_merged = self%determined == self%n .and. head < self%n
   end function has_merged

   pure logical function is_perfect(self)
      !! Whether the residuals are all but zero.
      class(judged_type), intent(in) :: self

      is_perfect = self%true_norm <= perfect*self%robust%start_norm .or. &
                   is_rounding(self%model, self%settings%data_norm, self%true_norm)
   end function is_perfect

   pure logical function is_held(self)
      !! Whether a variable is on a bound.
      class(judged_type), intent(in) :: self

      associate (bounds => self%settings%bounds)
         is_held = bounds%bounded
         if (is_held) is_held = any(is_on_bound(bounds%lower, self%x, bounds%upper))
      end associate
   end function is_held

   pure integer function ending(self)
      !! How the fit ended: info, and whether the end is poor.
      class(judged_type), intent(in) :: self

      ending = self%info
      if (self%is_poor .and. self%info >= 0) ending = ending + poor_end
      if (self%has_solution() .and. self%settings%attempt /= only_attempt .and. self%steps > 0 &
          .and. .not. self%is_perfect()) then
         if (self%is_open()) ending = ending + open_end
         if (self%is_confined) ending = ending + confined_end
         if (self%is_misfit .and. self%steps > few) ending = ending + misfit
         if (self%is_sure_misfit .and. (self%steps > few .or. self%leaves_open())) then
            ending = ending + sure_misfit
         end if
      end if
   end function ending

   pure logical function is_open(self)
      !! Whether a solution may be none, so that another attempt may find one.
      class(judged_type), intent(in) :: self

      is_open = self%info > promise_broken .or. self%is_astray .or. self%has_merged() &
                .or. self%has_idle()
   end function is_open

   pure logical function has_solution(self)
      !! Whether the fit has ended at a solution.
      class(judged_type), intent(in) :: self

      has_solution = self%needs == nothing .and. self%info > improper_input &
                     .and. mod(self%info, promise_broken) <= gtol_too_small &
                     .and. self%info /= maxfev_reached
   end function has_solution

end module minpack_quality
