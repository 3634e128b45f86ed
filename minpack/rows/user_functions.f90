module minpack_user_functions
   !! The user's functions, as the rows use them.
   use minpack_kinds, only: dp
   use minpack_strided_matrix, only: strided_matrix_type
   implicit none
   private
   public :: user_functions_type

   type, abstract :: user_functions_type
      integer :: m = 0
         !! Number of residuals.
      integer :: n = 0
         !! Number of variables.
      real(dp), pointer, contiguous :: values(:) => null()
         !! Shape: (m). The residuals that were evaluated last, where they lie.
      logical :: goes_together = .false.
         !! Whether the residuals at many points are to be evaluated at once.
      logical :: goes_ahead = .false.
         !! Whether the points of a trial and of the differences there take little more time at once
         !! than the trial alone.
   contains
      procedure(residual), deferred :: residual
      procedure(residuals), deferred :: residuals
      procedure(jacobian), deferred :: jacobian
   end type user_functions_type

   abstract interface
      subroutine residual(self, x, differencing, info)
         !! Evaluate the residuals at x; `values` shows them, until the next evaluation.
         import :: user_functions_type, dp
         class(user_functions_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
         logical, intent(in) :: differencing
            !! Whether the values are for a column of a differenced Jacobian.
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine residual

      subroutine residuals(self, points, values, info)
         !! Evaluate the residuals at many points, for differences.
         import :: user_functions_type, dp
         class(user_functions_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: points(:, :)
            !! Shape: (n, count).
         real(dp), intent(inout), contiguous :: values(:, :)
            !! Shape: (m, count).
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine residuals

      subroutine jacobian(self, x, fvec, matrix, info)
         !! Evaluate the Jacobian at x, where the residuals are fvec.
         import :: user_functions_type, strided_matrix_type, dp
         class(user_functions_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
         real(dp), intent(inout) :: fvec(:)
            !! Read only by convention: a C function gets it without const.
         type(strided_matrix_type), intent(out) :: matrix
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine jacobian
   end interface

end module minpack_user_functions
