module minpack_differenced_rows
   !! The rows of a Jacobian that is differenced.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_vectors, only: enorm
   use minpack_bounds, only: bounds_type
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_store, only: store_type
   use minpack_step_memory, only: reals_of_memory, integers_of_memory
   use minpack_differences, only: differences_type
   use minpack_rows, only: rows_type, connect, begin, norm_at, called
   implicit none
   private
   public :: differenced_rows_type

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
         !! Shape: (n, n + 1). Points that are evaluated together.
      real(dp), allocatable :: values(:, :)
         !! Shape: (m, n + 1). The residuals there.
      integer, allocatable :: columns(:)
         !! Shape: (n + 1). The variables that asked for these points.
   contains
      procedure :: connect => connect_differenced
      procedure :: begin => begin_differenced
      procedure :: norm_at => norm_ahead
      procedure :: jacobian => differenced_jacobian
   end type differenced_rows_type

contains

   subroutine connect_differenced(self, functions, fvec, stat)
      class(differenced_rows_type), intent(inout), target :: self
      class(user_functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
      integer, intent(out) :: stat
      type(store_type) :: store

      call connect(self, functions, fvec, stat)
      if (stat == 0) allocate (self%fjac(functions%m, self%n), self%point(self%n), stat=stat)
      if (stat == 0 .and. functions%goes_together) then
         allocate (self%points(self%n, self%n + 1), self%values(functions%m, self%n + 1), &
                   self%columns(self%n + 1), stat=stat)
      end if
      if (stat == 0) allocate (self%reals(reals_of_memory(self%n)), &
                               self%integers(integers_of_memory(self%n)), stat=stat)
      if (stat /= 0) return
      call store%open(self%reals, self%integers)
      call self%differences%memory%attach(self%n, store)
      call self%differences%allocate_for(self%n, stat)
   end subroutine connect_differenced

   subroutine begin_differenced(self, bounds, data_norm, info)
      class(differenced_rows_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
      real(dp), intent(in) :: data_norm
      integer, intent(inout) :: info

      call begin(self, bounds, data_norm, info)
      self%differences%bounds = bounds
      self%differences%data_norm = data_norm
      call self%differences%memory%begin()
   end subroutine begin_differenced

   subroutine norm_ahead(self, x, is_hopeful, norm, info)
      !! The same; the points of the differences there may be evaluated in the same call.
      class(differenced_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      logical, intent(in) :: is_hopeful
      real(dp), intent(out) :: norm
      integer, intent(out) :: info
      integer :: count

      if (.not. self%functions%goes_ahead) then
         call norm_at(self, x, is_hopeful, norm, info)
         return
      end if
      self%points(:, 1) = x
      count = 1
      if (is_hopeful) then
         call self%differences%plan(x)
         call gather(self, count)
      end if
      call self%functions%residuals(self%points(:, :count), self%values(:, :count), info)
      self%functions%values => self%values(:, 1)
      self%ahead = count - 1
      call self%measure(norm, info)
   end subroutine norm_ahead

   subroutine differenced_jacobian(self, x, matrix, info)
      class(differenced_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(strided_matrix_type), intent(out) :: matrix
      integer, intent(out) :: info
      real(dp) :: norm
      integer :: j

      norm = self%fnorm
      if (.not. self%loss%is_linear()) norm = enorm(self%functions%m, self%fvec)
      if (self%ahead == 0) call self%differences%plan(x)
      call self%differences%measure_in(norm)
      do j = 1, self%n
         if (.not. self%differences%asks(j)) self%fjac(:, j) = 0
      end do
      call take_ahead(self, info)
      if (info == going_on) call evaluate_quotients(self, info)
      if (info == going_on) call try_idle(self, info)
      if (info /= going_on) return
      call self%differences%reconsider()
      call evaluate_quotients(self, info)
      call self%differences%clear(self%fjac)
      call self%differences%note_changes()
      call matrix%show_columns(self%fjac)
      matrix%changes => self%differences%memory%changes
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

   subroutine take_ahead(self, info)
      !! Let the variables take the residuals that were evaluated with those at the trial point.
      class(differenced_rows_type), intent(inout) :: self
      integer, intent(out) :: info

      self%nfev = self%nfev + self%ahead
      call take_values(self, 2, self%ahead + 1, info)
      self%ahead = 0
   end subroutine take_ahead

   subroutine evaluate_together(self, info)
      !! Evaluate the points that the variables ask for, one point of each variable at a time.
      class(differenced_rows_type), intent(inout), target :: self
      integer, intent(out) :: info
      integer :: count

      info = going_on
      do while (info == going_on)
         count = 0
         call gather(self, count)
         if (count == 0) return
         call self%functions%residuals(self%points(:, :count), self%values(:, :count), info)
         self%nfev = self%nfev + count*called(info)
         if (info == going_on) call take_values(self, 1, count, info)
      end do
   end subroutine evaluate_together

   subroutine gather(self, count)
      !! Add the points that the variables ask for.
      class(differenced_rows_type), intent(inout) :: self
      integer, intent(inout) :: count
         !! Number of points.
      integer :: j

      do j = 1, self%n
         if (.not. self%differences%asks(j)) cycle
         count = count + 1
         self%columns(count) = j
         call self%differences%point(j, self%points(:, count))
      end do
   end subroutine gather

   subroutine take_values(self, first, last, info)
      !! Let the variables take the residuals at some of the points.
      class(differenced_rows_type), intent(inout) :: self
      integer, intent(in) :: first
      integer, intent(in) :: last
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      integer :: i, j

      info = going_on
      do i = first, last
         j = self%columns(i)
         call self%differences%take(j, self%values(:, i), self%fvec, self%fjac(:, j))
         info = self%differences%info
         if (info /= going_on) return
      end do
   end subroutine take_values

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

end module minpack_differenced_rows
