module quadratics
   !! Residuals (x_j - offset)^2 that are not numbers beyond a wall, or x_1^2 + x_2 + x_3 and ones.
   use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   implicit none
   private
   public :: quadratics_type

   type, extends(user_functions_type) :: quadratics_type
      real(dp) :: lowest = -huge(1.0_dp)
      real(dp) :: highest = huge(1.0_dp)
      real(dp) :: offset = 0
      real(dp) :: level = 0
         !! It is added, and subtracted again.
      logical :: mixed = .false.
      real(dp) :: squares(3)
   contains
      procedure :: residual
      procedure :: residuals
      procedure :: jacobian
   end type quadratics_type

contains

   subroutine residual(self, x, differencing, info)
      class(quadratics_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      logical, intent(in) :: differencing
      integer, intent(out) :: info

      info = going_on
      if (.not. differencing) error stop 'the difference does not say that it is one'
      self%squares = (self%level + (x - self%offset)**2) - self%level
      if (self%mixed) self%squares = [x(1)**2 + x(2) + x(3), 1.0_dp, 1.0_dp]
      where (x < self%lowest .or. x > self%highest)
         self%squares = ieee_value(1.0_dp, ieee_quiet_nan)
      end where
      self%values => self%squares
   end subroutine residual

   subroutine residuals(self, points, values, info)
      class(quadratics_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: points(:, :)
      real(dp), intent(inout), contiguous :: values(:, :)
      integer, intent(out) :: info

      error stop 'the points are evaluated one by one'
   end subroutine residuals

   subroutine jacobian(self, x, fvec, matrix, info)
      class(quadratics_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      real(dp), intent(inout) :: fvec(:)
      type(strided_matrix_type), intent(out) :: matrix
      integer, intent(out) :: info

      error stop 'a difference asks for no Jacobian'
   end subroutine jacobian

end module quadratics
