module minpack_bounds
   !! The bounds of the variables: lower <= x <= upper, or none.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: bounds_type, has_no_way_to_go, is_on_bound

   real(dp), parameter :: little = 0.01_dp
      !! How far inside the bounds to retreat, at least, in units of their distance or of their
      !! values.

   type :: bounds_type
      logical :: bounded = .false.
         !! Without bounds nothing looks at the arrays.
      real(dp), pointer, contiguous :: lower(:) => null()
         !! Shape: (n). May be infinite, as upper may; a variable whose bounds are equal is fixed.
      real(dp), pointer, contiguous :: upper(:) => null()
         !! Shape: (n).
   contains
      procedure :: holds
      procedure :: pins
      procedure :: confine
      procedure :: retreat
      procedure :: difference
   end type bounds_type

contains

   elemental logical function is_on_bound(lower, value, upper)
      !! Whether a variable is on a bound, or fixed.
      real(dp), intent(in) :: lower
         !! Its lower bound.
      real(dp), intent(in) :: value
         !! Its value.
      real(dp), intent(in) :: upper
         !! Its upper bound.

      is_on_bound = value <= lower .or. value >= upper
   end function is_on_bound

   pure logical function holds(self, x)
      !! Whether x is feasible. Never true of NaN.
      class(bounds_type), intent(in) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.

      holds = .true.
      if (self%bounded) holds = all(self%lower <= x .and. x <= self%upper)
   end function holds

   pure logical function pins(self, j, value, slope)
      !! Whether variable j is fixed, or its gradient presses it against a bound.
      class(bounds_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: value
         !! The variable's value.
      real(dp), intent(in) :: slope
         !! Derivative of the sum of squares with respect to the variable, in any unit.

      pins = .false.
      if (self%bounded) then
         pins = has_no_way_to_go(value - self%lower(j), self%upper(j) - value, slope)
      end if
   end function pins

   elemental logical function has_no_way_to_go(below, above, slope)
      !! Whether a variable is fixed, or on a bound beyond which the sum of squares would fall.
      real(dp), intent(in) :: below
         !! The room between the variable and its lower bound.
      real(dp), intent(in) :: above
         !! The room between the variable and its upper bound.
      real(dp), intent(in) :: slope
         !! Of the sum of squares.

      has_no_way_to_go = (below <= 0 .and. (above <= 0 .or. slope > 0)) &
                         .or. (above <= 0 .and. slope < 0)
   end function has_no_way_to_go

   pure real(dp) function confine(self, j, value)
      !! The feasible value of variable j that is nearest.
      class(bounds_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: value
         !! A value of the variable.

      confine = value
      if (self%bounded) confine = min(max(value, self%lower(j)), self%upper(j))
   end function confine

   pure subroutine retreat(self, x, inside)
      !! Move the variables that are on a bound a little away from it, unless they are fixed: each
      !! by another way, because a model may also divide by the difference of two.
      class(bounds_type), intent(in) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      real(dp), intent(out) :: inside(:)
         !! Shape: (n). The point inside the bounds.
      real(dp) :: way
      integer :: j

      inside = x
      do j = 1, size(x)
         associate (lower => self%lower(j), upper => self%upper(j))
            if (.not. lower < upper) cycle
            way = (1 + real(j, dp)/size(x))*little*min(upper/2 - lower/2, max(abs(x(j)), 1.0_dp))
            if (x(j) <= lower) inside(j) = lower + way
            if (x(j) >= upper) inside(j) = upper - way
         end associate
      end do
   end subroutine retreat

   pure real(dp) function difference(self, j, value, wanted)
      !! The step by which to difference variable j: the wanted step, or else the opposite step, or
      !! else the step to the more distant bound.
      class(bounds_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: value
         !! The variable's value.
      real(dp), intent(in) :: wanted
         !! The step that is wanted; negative downwards.
      real(dp) :: upwards, downwards

      difference = wanted
      if (.not. self%bounded) return
      if (fits(wanted)) return
      difference = -wanted
      if (fits(-wanted)) return
      upwards = self%upper(j) - value
      downwards = self%lower(j) - value
      difference = merge(upwards, downwards, upwards >= -downwards)

   contains

      pure logical function fits(step)
         real(dp), intent(in) :: step

         fits = self%lower(j) <= value + step .and. value + step <= self%upper(j)
      end function fits

   end function difference

end module minpack_bounds
