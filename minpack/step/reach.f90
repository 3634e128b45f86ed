module minpack_reach
   !! How far a step may move each variable towards a bound.
   !!
   !! The linear model knows where a bound is, but not what happens there. An amplitude of zero
   !! leaves the other parameters without effect, and a time constant of zero divides by zero. A
   !! long step that ends on such a bound, because it extrapolates a model that was good close to x,
   !! is a trap. Therefore a step moves a variable towards a bound by at most half of the distance,
   !! or by half of the variable's own value if that is more. This is a fraction-to-the-boundary
   !! rule, as in interior-point methods (J. Nocedal and S. J. Wright, Numerical Optimization, 2nd
   !! ed., 2006, section 19.2). The step is computed within these tighter bounds.
   !!
   !! A variable may land on its bound when the linear model has predicted its slope correctly. If a
   !! step presses a variable against the bound, the model predicts the slope of the sum of squares
   !! at the end of the step, and the next Jacobian gives the true slope. If the two agree within 1
   !! %, or within a factor of 1.5 after each of four steps in a row, the variable may move all the
   !! way, and lands exactly on the bound. If the sum of squares has its minimum inside the bound,
   !! the slope changes from step to step; then the variable does not land. The same holds for a
   !! parameter that acts by its logarithm or reciprocal. If the fit would otherwise end, the
   !! variables that the last step pressed against a bound may land.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   implicit none
   private
   public :: reach_type

   real(dp), parameter :: part = 0.5_dp
      !! The fraction of the distance to the bound, or of the variable's own value, that limits a
      !! step.
   real(dp), parameter :: short_of_all = 0.99_dp
      !! The largest fraction of the distance to the bound for a variable that may not land.
   real(dp), parameter :: same = 1.01_dp
      !! Slopes agree at once within this factor.
   real(dp), parameter :: alike = 1.5_dp
      !! Slopes agree within this factor, if they do so again and again.
   integer, parameter :: enough = 4
      !! Promises to be kept in a row.
   integer, parameter :: called_in = huge(1)
      !! The value of kept(j) that lets variable j land, because otherwise the fit could not end.

   type :: reach_type
      integer, pointer, contiguous :: side(:) => null()
         !! Shape: (n). 1 and -1 where the last step pressed a variable towards its upper and lower
         !! bound, 0 for the others, and for variables that are on the bound already.
      real(dp), pointer, contiguous :: promised(:) => null()
         !! Shape: (n). The slopes that the model promised for them.
      integer, pointer, contiguous :: kept(:) => null()
         !! Shape: (n). How many promises in a row came true.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: may_land
      procedure :: limit
      procedure :: press
      procedure :: judge
      procedure, private :: agrees
      procedure :: falls_short
      procedure :: lands
      procedure :: call_in
   end type reach_type

contains

   subroutine attach(self, n, store)
      class(reach_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%side => store%indices(n)
      self%promised => store%vector(n)
      self%kept => store%indices(n)
   end subroutine attach

   pure subroutine begin(self)
      !! Forget the promises of another fit.
      class(reach_type), intent(inout) :: self

      self%side = 0
      self%promised = 0
      self%kept = 0
   end subroutine begin

   pure logical function may_land(self, j)
      !! Whether variable j may cover the whole way to a bound.
      class(reach_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.

      may_land = self%kept(j) >= enough
   end function may_land

   pure real(dp) function limit(self, j, value, way)
      !! The largest change of variable j towards a bound.
      class(reach_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: value
         !! The variable's value.
      real(dp), intent(in) :: way
         !! From the value to the bound.

      limit = way
      if (self%may_land(j)) return
      limit = min(short_of_all*way, max(part*way, part*abs(value)))
   end function limit

   pure subroutine press(self, j, side, slope)
      !! Remember the bound against which a step pressed variable j, and the slope of the sum of
      !! squares that the model predicts at the end of the step.
      class(reach_type), intent(inout) :: self
      integer, intent(in) :: j
         !! The variable.
      integer, intent(in) :: side
         !! -1 for its lower bound, 1 for its upper bound, 0 for neither.
      real(dp), intent(in) :: slope
         !! The promised slope of the sum of squares.

      self%side(j) = side
      self%promised(j) = slope
   end subroutine press

   pure subroutine judge(self, j, slope)
      !! Compare the slope of variable j, where the last step ended, with the slope that was
      !! promised.
      class(reach_type), intent(inout) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: slope
         !! The true slope of the sum of squares.

      if (self%side(j) == 0) then
         self%kept(j) = 0
      else if (self%kept(j) == called_in) then
         return
      else if (self%agrees(j, slope, same)) then
         self%kept(j) = enough
      else
         self%kept(j) = merge(self%kept(j) + 1, 0, self%agrees(j, slope, alike))
      end if
   end subroutine judge

   pure logical function agrees(self, j, slope, factor)
      class(reach_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp), intent(in) :: slope
      real(dp), intent(in) :: factor

      agrees = slope*self%promised(j) > 0 .and. abs(slope) <= factor*abs(self%promised(j)) &
               .and. abs(self%promised(j)) <= factor*abs(slope)
   end function agrees

   pure logical function falls_short(self)
      !! Whether the last step pressed a variable that was not to land.
      class(reach_type), intent(in) :: self

      falls_short = any(self%side /= 0 .and. self%kept < enough)
   end function falls_short

   pure logical function lands(self)
      !! Whether the last step moved a variable to a bound.
      class(reach_type), intent(in) :: self

      lands = any(self%side /= 0 .and. self%kept >= enough)
   end function lands

   pure subroutine call_in(self)
      !! Let these variables land.
      class(reach_type), intent(inout) :: self

      where (self%side /= 0) self%kept = called_in
   end subroutine call_in

end module minpack_reach
