module minpack_rows
   !! The rows of the residuals and of their Jacobian. They are evaluated, and folded into numbers
   !! whose count does not depend on the number of rows.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, no_time
   use minpack_vectors, only: enorm
   use minpack_bounds, only: bounds_type
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_store, only: store_type
   use minpack_step_memory, only: reals_of_memory, integers_of_memory
   use minpack_differences, only: differences_type
   use minpack_folding, only: folding_type
   use minpack_loss, only: loss_type
   implicit none
   private
   public :: rows_type, analytic_rows_type, differenced_rows_type

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
      real(dp), pointer, contiguous :: fvec(:) => null()
         !! Shape: (m). The residuals at the best point.
      real(dp) :: fnorm = 0
         !! The square root of what is minimized, there; the norm of fvec if the loss is linear.
      real(dp) :: trial_norm = 0
         !! The same at the trial point.
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
      procedure :: keep
      procedure :: jacobian_at
      procedure(jacobian), deferred :: jacobian
   end type rows_type

   type, extends(rows_type) :: analytic_rows_type
   contains
      procedure :: jacobian => analytic_jacobian
   end type analytic_rows_type

   type, extends(rows_type) :: differenced_rows_type
      type(differences_type) :: differences
      real(dp), allocatable :: reals(:)
         !! What the differences remember.
      integer, allocatable :: integers(:)
      real(dp), allocatable :: point(:)
         !! Shape: (n). A point that the differences ask for.
      real(dp), allocatable :: fjac(:, :)
         !! Shape: (m, n).
      real(dp), allocatable :: points(:, :)
         !! Shape: (n, n). Points that are evaluated together.
      real(dp), allocatable :: values(:, :)
         !! Shape: (m, n). The residuals there.
      integer, allocatable :: columns(:)
         !! Shape: (n). The variables that asked for these points.
   contains
      procedure :: connect => connect_differenced
      procedure :: begin => begin_differenced
      procedure :: jacobian => differenced_jacobian
   end type differenced_rows_type

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

   subroutine connect_differenced(self, functions, fvec, stat)
      class(differenced_rows_type), intent(inout), target :: self
      class(user_functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
      integer, intent(out) :: stat
      type(store_type) :: store

      call connect(self, functions, fvec, stat)
      if (stat == 0) allocate (self%fjac(functions%m, self%n), self%point(self%n), stat=stat)
      if (stat == 0 .and. functions%goes_together) then
         allocate (self%points(self%n, self%n), self%values(functions%m, self%n), &
                   self%columns(self%n), stat=stat)
      end if
      if (stat == 0) allocate (self%reals(reals_of_memory(self%n)), &
                               self%integers(integers_of_memory(self%n)), stat=stat)
      if (stat /= 0) return
      call store%open(self%reals, self%integers)
      call self%differences%memory%attach(self%n, store)
      call self%differences%allocate_for(self%n, stat)
   end subroutine connect_differenced

   subroutine evaluate_start(self, x, info)
      !! Evaluate the residuals at the starting point.
      class(rows_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The starting point.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      call self%functions%residual(x, .false., info)
      if (info == going_on) self%fvec = self%functions%values
   end subroutine evaluate_start

   subroutine begin(self, bounds, info)
      !! Begin a fit at the point where fvec contains the residuals.
      class(rows_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
         !! Where the residuals may be evaluated.
      integer, intent(inout) :: info
         !! going_on, or the reason to stop; then the residuals are not looked at.

      self%nfev = 1
      self%trials = 1
      self%njev = 0
      self%fnorm = 0
      if (info == going_on) call self%loss%measure(self%fvec, self%fnorm, info)
   end subroutine begin

   subroutine begin_differenced(self, bounds, info)
      class(differenced_rows_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
      integer, intent(inout) :: info

      call begin(self, bounds, info)
      self%differences%bounds = bounds
      call self%differences%memory%begin()
   end subroutine begin_differenced

   subroutine norm_at(self, x, norm, info)
      !! Evaluate the residuals at a trial point.
      class(rows_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n).
      real(dp), intent(out) :: norm
         !! The square root of what is minimized, there.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      norm = 0
      call self%functions%residual(x, .false., info)
      self%nfev = self%nfev + called(info)
      self%trials = self%trials + called(info)
      if (info == going_on) then
         call self%loss%measure(self%functions%values, self%trial_norm, info)
      end if
      if (info /= going_on) return
      norm = self%trial_norm
   end subroutine norm_at

   subroutine keep(self)
      !! Make the last trial point the best point.
      class(rows_type), intent(inout) :: self

      self%fvec = self%functions%values
      self%fnorm = self%trial_norm
   end subroutine keep

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

   subroutine differenced_jacobian(self, x, matrix, info)
      class(differenced_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(strided_matrix_type), intent(out) :: matrix
      integer, intent(out) :: info
      real(dp) :: norm
      integer :: j

      norm = self%fnorm
      if (.not. self%loss%is_linear()) norm = enorm(self%functions%m, self%fvec)
      call self%differences%plan(x)
      call self%differences%measure_in(norm)
      do j = 1, self%n
         if (.not. self%differences%asks(j)) self%fjac(:, j) = 0
      end do
      call evaluate_quotients(self, info)
      if (info == going_on) call try_idle(self, info)
      if (info /= going_on) return
      call self%differences%reconsider()
      call evaluate_quotients(self, info)
      call self%differences%clear(self%fjac)
      call matrix%show_columns(self%fjac)
   end subroutine differenced_jacobian

   subroutine evaluate_quotients(self, info)
      !! Evaluate the points that the variables ask for, one variable after another.
      class(differenced_rows_type), intent(inout), target :: self
      integer, intent(out) :: info
      integer :: j

      info = going_on
      if (self%functions%goes_together) then
         call evaluate_together(self, info)
         return
      end if
      do j = 1, self%n
         do while (self%differences%asks(j))
            call self%differences%point(j, self%point)
            call evaluate(self, info)
            if (info /= going_on) return
            call self%differences%take(j, self%functions%values, self%fvec, self%fjac(:, j))
            info = self%differences%info
            if (info /= going_on) return
         end do
      end do
   end subroutine evaluate_quotients

   subroutine evaluate_together(self, info)
      !! Evaluate the points that the variables ask for, one point of each variable at a time.
      class(differenced_rows_type), intent(inout), target :: self
      integer, intent(out) :: info
      integer :: i, j, count

      info = going_on
      do
         count = 0
         do j = 1, self%n
            if (.not. self%differences%asks(j)) cycle
            count = count + 1
            self%columns(count) = j
            call self%differences%point(j, self%points(:, count))
         end do
         if (count == 0) return
         call self%functions%residuals(self%points(:, :count), self%values(:, :count), info)
         self%nfev = self%nfev + count*called(info)
         if (info /= going_on) return
         do i = 1, count
            j = self%columns(i)
            call self%differences%take(j, self%values(:, i), self%fvec, self%fjac(:, j))
            info = self%differences%info
            if (info /= going_on) return
         end do
      end do
   end subroutine evaluate_together

   subroutine try_idle(self, info)
      !! Step all variables without effect at once.
      class(differenced_rows_type), intent(inout), target :: self
      integer, intent(out) :: info
      integer :: count

      info = going_on
      call self%differences%idle_point(self%point, count)
      if (count < 2) return
      call evaluate(self, info)
      if (info == going_on) call self%differences%take_idle(self%functions%values, self%fvec)
   end subroutine try_idle

   subroutine evaluate(self, info)
      class(differenced_rows_type), intent(inout), target :: self
      integer, intent(out) :: info

      call self%functions%residual(self%point, .true., info)
      self%nfev = self%nfev + called(info)
   end subroutine evaluate

   pure integer function called(info)
      !! 1 if the user's function was called, 0 if there was no time for it.
      integer, intent(in) :: info

      called = merge(0, 1, info == no_time)
   end function called

end module minpack_rows
