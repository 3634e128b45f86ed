module minpack_reduction
   !! The reduction of the sum of squares by a step, and what it says of the next trust radius.
   use minpack_kinds, only: dp, epsmch
   implicit none
   private
   public :: reduction_type

   real(dp), parameter :: exact = 1e-4_dp
      !! The region grows until the error of the linear model would be this part of the reduction.
   real(dp), parameter :: most_growth = 100
      !! The largest factor by which it grows.

   type :: reduction_type
      !! The reduction of the sum of squares by a step, relative to its value.
      real(dp) :: actual
      real(dp) :: predicted
      real(dp) :: slope
         !! Half the derivative of the sum of squares along the step.
      real(dp) :: ratio
         !! actual/predicted.
      logical :: far_off
         !! Whether the norm grew tenfold or more; actual is -1 then.
   contains
      procedure :: shrinkage
      procedure :: growth
   end type reduction_type

contains

   pure real(dp) function shrinkage(self)
      !! The factor by which the region shrinks after a step that achieved little.
      class(reduction_type), intent(in) :: self

      shrinkage = 0.5_dp
      if (self%actual < 0) then
         shrinkage = 0.5_dp*self%slope/(self%slope + 0.5_dp*self%actual)
         if (self%far_off .or. shrinkage < 0.1_dp) shrinkage = 0.1_dp
      end if
   end function shrinkage

   pure real(dp) function growth(self)
      !! The factor by which the region grows after a step that it has limited.
      class(reduction_type), intent(in) :: self

      growth = min(max(2.0_dp, exact/max(abs(1 - self%ratio), epsmch)), most_growth)
   end function growth

end module minpack_reduction
