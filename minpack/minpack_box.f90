module minpack_box
   !! The feasible set: lower <= x <= upper, or everything.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: box_type

   type :: box_type
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
      procedure :: difference
   end type box_type

contains

   pure logical function holds(self, x)
      !! Whether x is feasible. Never true of NaN.
      class(box_type), intent(in) :: self
      real(dp), intent(in) :: x(:)

      holds = .true.
      if (self%bounded) holds = all(self%lower <= x .and. x <= self%upper)
   end function holds

   pure logical function pins(self, j, value, slope)
      !! Whether variable j has no way to go: it is fixed, or on a bound beyond which the sum of
      !! squares, of this slope, would fall.
      class(box_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp), intent(in) :: value
      real(dp), intent(in) :: slope

      pins = .false.
      if (.not. self%bounded) return
      pins = self%lower(j) == self%upper(j) .or. (value <= self%lower(j) .and. slope > 0) &
             .or. (value >= self%upper(j) .and. slope < 0)
   end function pins

   pure real(dp) function confine(self, j, value)
      !! The feasible value of variable j that is nearest.
      class(box_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp), intent(in) :: value

      confine = value
      if (self%bounded) confine = min(max(value, self%lower(j)), self%upper(j))
   end function confine

   pure real(dp) function difference(self, j, value, wanted)
      !! The step by which to difference variable j: the one that is wanted, or the opposite one, or
      !! in a box that is narrower than both as far as there is room.
      class(box_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp), intent(in) :: value
      real(dp), intent(in) :: wanted
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

end module minpack_box
