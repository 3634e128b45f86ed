module minpack_dense
   !! The dense problem: m residuals and their m x n Jacobian, which is given or differenced.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_vectors, only: enorm, all_finite
   use minpack_problem, only: problem_type, model_type
   use minpack_box, only: box_type
   use minpack_functions, only: functions_type, matrix_view_type
   use minpack_difference, only: fdjac
   use minpack_fold, only: triangulate, fold
   use minpack_qr, only: pivoted_qr
   implicit none
   private
   public :: dense_type, analytic_type, differenced_type

   integer, parameter :: most_rows = 192
      !! In a block: as many as keep one of moderate width in cache.
   integer, parameter :: first_rows = 64
      !! At least as many begin the triangle, if there are so many: fewer reflections are made so.
   integer, parameter :: padding = 8
      !! Keeps the columns of a block from meeting in the same cache sets.

   type, abstract, extends(problem_type) :: dense_type
      class(functions_type), pointer :: functions => null()
      real(dp), pointer, contiguous :: fvec(:) => null()
         !! Shape: (m). The residuals at the last point that was accepted.
      real(dp) :: trial_norm = 0
      real(dp), allocatable :: block(:, :)
         !! Some rows of [J f], with a spare column for `fold`.
      real(dp), allocatable :: triangle(:, :)
         !! n + 1 columns. The first rows of [J f], and the triangle in their place.
      real(dp), allocatable :: left(:, :)
         !! Shape: (n, 2). Workspace of pivoted_qr.
   contains
      procedure :: prepare
      procedure :: residual
      procedure :: accept
      procedure :: factor
      procedure(jacobian), deferred :: jacobian
   end type dense_type

   type, extends(dense_type) :: analytic_type
   contains
      procedure :: jacobian => analytic_jacobian
   end type analytic_type

   type, extends(dense_type) :: differenced_type
      real(dp) :: epsfcn = 0
         !! Relative error of the residuals.
      type(box_type) :: box
         !! Where they may be evaluated.
      real(dp), allocatable :: fjac(:, :)
         !! Shape: (m, n).
      real(dp), allocatable :: x(:)
         !! Shape: (n). The point that is stepped from.
   contains
      procedure :: prepare => prepare_differenced
      procedure :: jacobian => differenced_jacobian
   end type differenced_type

   abstract interface
      subroutine jacobian(self, x, view, info)
         import :: dense_type, matrix_view_type, dp
         class(dense_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
         type(matrix_view_type), intent(out) :: view
            !! The Jacobian at x, good until the next evaluation.
         integer, intent(out) :: info
      end subroutine jacobian
   end interface

contains

   subroutine prepare(self, functions, fvec, stat)
      class(dense_type), intent(inout) :: self
      class(functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). The residuals at the starting point.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%functions => functions
      self%fvec => fvec
      self%n = functions%n
      self%fnorm = enorm(functions%m, fvec)
      allocate (self%block(min(functions%m, most_rows) + padding, self%n + 2), &
                self%triangle(max(self%n + 1, min(functions%m, first_rows)), self%n + 1), &
                self%left(self%n, 2), stat=stat)
   end subroutine prepare

   subroutine prepare_differenced(self, functions, fvec, stat)
      class(differenced_type), intent(inout) :: self
      class(functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
      integer, intent(out) :: stat

      call prepare(self, functions, fvec, stat)
      if (stat == 0) allocate (self%fjac(functions%m, self%n), self%x(self%n), stat=stat)
   end subroutine prepare_differenced

   subroutine residual(self, x, norm, info)
      class(dense_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
      real(dp), intent(out) :: norm
      integer, intent(out) :: info

      call self%functions%residual(x, .false., info)
      self%nfev = self%nfev + 1
      self%trial_norm = enorm(self%functions%m, self%functions%values)
      norm = self%trial_norm
   end subroutine residual

   subroutine accept(self)
      class(dense_type), intent(inout) :: self

      self%fvec = self%functions%values
      self%fnorm = self%trial_norm
   end subroutine accept

   subroutine factor(self, x, model, info)
      class(dense_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(model_type), intent(inout) :: model
      integer, intent(out) :: info
      type(matrix_view_type) :: view
      integer :: j

      call self%jacobian(x, view, info)
      self%njev = self%njev + 1
      if (info /= going_on) return

      call fold_blocks(self, view)
      do j = 1, self%n
         model%r(:j, j) = self%triangle(:j, j)
         model%r(j + 1:, j) = 0
      end do
      model%qtf = self%triangle(:self%n, self%n + 1)
      if (.not. (all_finite(size(model%r), model%r) .and. all_finite(self%n, model%qtf))) then
         ! What is not finite in the Jacobian has spread into its column of the triangle.
         info = jacobian_not_finite
         return
      end if
      call pivoted_qr(self%n, model%r, model%qtf, model%ipvt, model%acnorm, self%left)
   end subroutine factor

   subroutine fold_blocks(self, view)
      !! Make the triangle of the first rows of [J f], and fold the others into it.
      class(dense_type), intent(inout) :: self
      type(matrix_view_type), intent(in) :: view
      integer :: first, last, head

      head = min(size(self%triangle, 1), self%functions%m)
      call load(view, self%fvec, 1, head, self%triangle)
      call triangulate(head, self%n + 1, self%triangle, size(self%triangle, 1))
      do first = head + 1, self%functions%m, most_rows
         last = min(first + most_rows - 1, self%functions%m)
         call load(view, self%fvec, first, last, self%block)
         call fold(last - first + 1, self%n + 1, self%block, size(self%block, 1), self%triangle, &
                   size(self%triangle, 1))
      end do
   end subroutine fold_blocks

   pure subroutine load(view, fvec, first, last, block)
      !! Copy rows first to last of [J f].
      type(matrix_view_type), intent(in) :: view
      real(dp), intent(in) :: fvec(:)
      integer, intent(in) :: first
      integer, intent(in) :: last
      real(dp), intent(inout) :: block(:, :)
      integer :: rows, n, i, j

      rows = last - first + 1
      if (associated(view%columns)) then
         n = size(view%columns, 2)
         do j = 1, n
            block(:rows, j) = view%columns(first:last, j)
         end do
      else
         n = size(view%rows, 1)
         do i = 1, rows
            do j = 1, n
               block(i, j) = view%rows(j, first + i - 1)
            end do
         end do
      end if
      block(:rows, n + 1) = fvec(first:last)
   end subroutine load

   subroutine analytic_jacobian(self, x, view, info)
      class(analytic_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(matrix_view_type), intent(out) :: view
      integer, intent(out) :: info

      call self%functions%jacobian(x, self%fvec, view, info)
   end subroutine analytic_jacobian

   subroutine differenced_jacobian(self, x, view, info)
      class(differenced_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(matrix_view_type), intent(out) :: view
      integer, intent(out) :: info

      self%x = x
      call fdjac(self%functions, self%box, self%x, self%fvec, self%epsfcn, self%fjac, self%nfev, info)
      view%columns => self%fjac
   end subroutine differenced_jacobian

end module minpack_dense
