module minpack_model
   !! What the loop knows of a least-squares problem: how large the residuals are at a point, and the
   !! linear model of the residuals at the last point that was accepted. Both are n-sized at most: the
   !! Jacobian stays with the problem, whether it is held whole, differenced or streamed.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: problem_type, model_type

   type :: model_type
      !! The linear model f + J p, seen through the orthogonal Q of J P = Q R.
      real(dp), pointer, contiguous :: r(:, :) => null()
         !! Shape: (n, n). R, zeros below its nonincreasing diagonal.
      real(dp), pointer, contiguous :: qtf(:) => null()
         !! Shape: (n). Q' f.
      integer, pointer, contiguous :: ipvt(:) => null()
         !! Shape: (n). Column j of J P is column ipvt(j) of J.
      real(dp), allocatable :: acnorm(:)
         !! Shape: (n). The norms of the columns of J.
      real(dp) :: fnorm = 0
         !! The norm of f.
   contains
      procedure :: slope
   end type model_type

   type, abstract :: problem_type
      !! Comes to the loop with its residuals known at the starting point.
      integer :: n = 0
         !! Number of variables.
      real(dp) :: fnorm = 0
         !! Norm of the residuals at the last point that was accepted.
      integer :: nfev = 0
         !! Evaluations of the residuals, the one at the starting point included.
      integer :: njev = 0
         !! Evaluations of the Jacobian.
   contains
      procedure(residual), deferred :: residual
      procedure(accept), deferred :: accept
      procedure(factor), deferred :: factor
   end type problem_type

   abstract interface
      subroutine residual(self, x, norm, info)
         !! Evaluate the residuals at a trial point.
         import :: problem_type, dp
         class(problem_type), intent(inout) :: self
         real(dp), intent(in), contiguous :: x(:)
         real(dp), intent(out) :: norm
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine residual

      subroutine accept(self)
         !! Make the last trial point the point where the problem stands.
         import :: problem_type
         class(problem_type), intent(inout) :: self
      end subroutine accept

      subroutine factor(self, x, model, info)
         !! The linear model at x, the last point that was accepted.
         import :: problem_type, model_type, dp
         class(problem_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
         type(model_type), intent(inout) :: model
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine factor
   end interface

contains

   pure real(dp) function slope(self, j)
      !! Half the derivative of the sum of squares with respect to variable ipvt(j), divided by the norm
      !! of f, which is not zero.
      class(model_type), intent(in) :: self
      integer, intent(in) :: j
      integer :: i

      slope = 0
      do i = 1, j
         slope = slope + self%r(i, j)*(self%qtf(i)/self%fnorm)
      end do
   end function slope

end module minpack_model
