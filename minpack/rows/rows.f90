module minpack_rows
   !! The rows of the residuals and of their Jacobian. They are evaluated, and folded into numbers
   !! whose count does not depend on the number of rows.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, no_time
   use minpack_vectors, only: copy
   use minpack_bounds, only: bounds_type
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_folding, only: folding_type
   use minpack_loss, only: loss_type
   implicit none
   private
   public :: rows_type, analytic_rows_type, connect, begin, norm_at, called

   type, abstract :: rows_type
      class(user_functions_type), pointer :: functions => null()
      integer :: n = 0
         !! Number of variables.
      integer :: nfev = 0
         !! Evaluations of the residuals, including the one at the starting point.
      integer :: trials = 0
         !! Those among them that were not for a differenced Jacobian.
      integer :: njev = 0
         !! Evaluations of the Jacobian.
      integer :: ahead = 0
         !! Evaluations for the differences at the last trial point. They count when these are asked
         !! for.
      real(dp), pointer, contiguous :: fvec(:) => null()
         !! Shape: (m). The residuals at the best point.
      real(dp) :: fnorm = 0
         !! The square root of what is minimized, there; the norm of fvec if the loss is linear.
      real(dp) :: trial_norm = 0
         !! The same at the trial point.
      real(dp) :: true_norm = 0
         !! The same there, without the widening of the loss.
      type(loss_type) :: loss
         !! What is minimized.
      type(strided_matrix_type) :: matrix
         !! The Jacobian at the best point, good until the next evaluation.
      type(folding_type) :: folding
         !! Memory for the folding of the rows.
   contains
      procedure :: connect
      procedure :: evaluate_start
      procedure :: begin
      procedure :: norm_at
      procedure :: measure
      procedure :: keep
      procedure :: drop
      procedure :: jacobian_at
      procedure(jacobian), deferred :: jacobian
   end type rows_type

   type, extends(rows_type) :: analytic_rows_type
   contains
      procedure :: jacobian => analytic_jacobian
   end type analytic_rows_type

   abstract interface
      subroutine jacobian(self, x, matrix, info)
         import :: rows_type, strided_matrix_type, dp
         class(rows_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
            !! Shape: (n). The best point.
         type(strided_matrix_type), intent(out) :: matrix
            !! The Jacobian at x, good until the next evaluation.
         integer, intent(out) :: info
            !! going_on, or the reason to stop.
      end subroutine jacobian
   end interface

contains

   subroutine connect(self, functions, fvec, stat)
      !! Take the functions, and allocate memory.
      class(rows_type), intent(inout), target :: self
      class(user_functions_type), intent(in), target :: functions
         !! The user's functions.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). Memory for the residuals at the best point.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%functions => functions
      self%fvec => fvec
      self%n = functions%n
      call self%folding%allocate_for(functions%m, self%n, stat)
      if (stat == 0) call self%loss%allocate_for(functions%m, stat)
   end subroutine connect

   subroutine evaluate_start(self, x, info)
      !! Evaluate the residuals at the starting point.
      class(rows_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The starting point.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      call self%functions%residual(x, .false., info)
      if (info == going_on) call copy(self%functions%m, self%functions%values, self%fvec)
   end subroutine evaluate_start

   subroutine begin(self, bounds, data_norm, info)
      !! Begin a fit at the point where fvec contains the residuals.
      class(rows_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
         !! Where the residuals may be evaluated.
      real(dp), intent(in) :: data_norm
         !! The norm of the data that the residuals are differences from; negative if it is
         !! not known.
      integer, intent(inout) :: info
         !! going_on, or the reason to stop; then the residuals are not looked at.

      self%nfev = 1
      self%trials = 1
      self%njev = 0
      self%ahead = 0
      self%fnorm = 0
      self%loss%width = 1
      if (info == going_on) call self%loss%measure(self%fvec, self%fnorm, self%true_norm, info)
   end subroutine begin

   subroutine norm_at(self, x, is_hopeful, norm, info)
      !! Evaluate the residuals at a trial point.
      class(rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n).
      logical, intent(in) :: is_hopeful
         !! Whether the Jacobian will probably be asked for there.
      real(dp), intent(out) :: norm
         !! The square root of what is minimized, there.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      call self%functions%residual(x, .false., info)
      call self%measure(norm, info)
   end subroutine norm_at

   subroutine measure(self, norm, info)
      !! Compute the norm of the residuals at a trial point.
      class(rows_type), intent(inout) :: self
      real(dp), intent(out) :: norm
         !! As in norm_at.
      integer, intent(inout) :: info
         !! going_on, or the reason why there are no residuals.

      norm = 0
      self%nfev = self%nfev + called(info)
      self%trials = self%trials + called(info)
      if (info /= going_on) return
      call self%loss%measure(self%functions%values, self%trial_norm, self%true_norm, info)
      if (info == going_on) norm = self%trial_norm
   end subroutine measure

   subroutine keep(self)
      !! Make the last trial point the best point.
      class(rows_type), intent(inout) :: self

      call copy(self%functions%m, self%functions%values, self%fvec)
      self%fnorm = self%trial_norm
   end subroutine keep

   pure subroutine drop(self)
      !! Forget the last trial point.
      class(rows_type), intent(inout) :: self

      self%ahead = 0
   end subroutine drop

   subroutine jacobian_at(self, x, info)
      !! Evaluate the Jacobian at the best point.
      class(rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The best point.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      call self%jacobian(x, self%matrix, info)
      self%njev = self%njev + 1
   end subroutine jacobian_at

   subroutine analytic_jacobian(self, x, matrix, info)
      class(analytic_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(strided_matrix_type), intent(out) :: matrix
      integer, intent(out) :: info

      call self%functions%jacobian(x, self%fvec, matrix, info)
   end subroutine analytic_jacobian

   pure integer function called(info)
      !! 1 if the user's function was called, 0 if there was no time for it.
      integer, intent(in) :: info
         !! going_on, or the reason to stop.

      called = merge(0, 1, info == no_time)
   end function called

end module minpack_rows
