module minpack_rows
   !! The dense problem: m residuals and their m x n Jacobian, which is given or differenced.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_vectors, only: enorm, all_finite, first_on_line, line
   use minpack_model, only: problem_type, model_type
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_differences, only: differences_type
   use minpack_fold, only: triangulate, fold
   use minpack_qr, only: pivoted_qr
   implicit none
   private
   public :: rows_type, analytic_rows_type, differenced_rows_type

   integer, parameter :: most_rows = 480
      !! In a block.
   integer, parameter :: most_numbers = 80000
      !! In a block, as long as it has fewest_rows: it lies in cache.
   integer, parameter :: fewest_rows = 64

   type, abstract, extends(problem_type) :: rows_type
      class(user_functions_type), pointer :: functions => null()
      real(dp), pointer, contiguous :: fvec(:) => null()
         !! Shape: (m). The residuals at the last point that was accepted.
      real(dp) :: trial_norm = 0
      integer :: rows = 0
         !! Of a block: so many are folded at once.
      integer :: ld = 0
         !! From one column of the block to the next, in numbers: whole cache lines.
      integer :: start = 0
         !! Where the block begins: on a cache line.
      real(dp), allocatable :: block(:)
         !! Some rows of [J f], with two spare columns for `fold`.
      real(dp), allocatable :: triangle(:, :)
         !! Shape: (n + 1, n + 1).
      real(dp), allocatable :: left(:, :)
         !! Shape: (n, 2). Workspace of pivoted_qr.
   contains
      procedure :: prepare
      procedure :: residual
      procedure :: accept
      procedure :: factor
      procedure(jacobian), deferred :: jacobian
   end type rows_type

   type, extends(rows_type) :: analytic_rows_type
   contains
      procedure :: jacobian => analytic_jacobian
   end type analytic_rows_type

   type, extends(rows_type) :: differenced_rows_type
      type(differences_type) :: differences
      real(dp), allocatable :: fjac(:, :)
         !! Shape: (m, n).
   contains
      procedure :: prepare => prepare_differenced
      procedure :: jacobian => differenced_jacobian
   end type differenced_rows_type

   abstract interface
      subroutine jacobian(self, x, view, info)
         import :: rows_type, strided_matrix_type, dp
         class(rows_type), intent(inout), target :: self
         real(dp), intent(in), contiguous :: x(:)
         type(strided_matrix_type), intent(out) :: view
            !! The Jacobian at x, good until the next evaluation.
         integer, intent(out) :: info
      end subroutine jacobian
   end interface

contains

   subroutine prepare(self, functions, fvec, stat)
      class(rows_type), intent(inout) :: self
      class(user_functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). The residuals at the starting point.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%functions => functions
      self%fvec => fvec
      self%n = functions%n
      self%fnorm = enorm(functions%m, fvec)
      self%rows = min(functions%m, max(fewest_rows, min(most_rows, most_numbers/self%n)))
      self%ld = line*(self%rows/line + 1)
      allocate (self%block(self%ld*(self%n + 3) + line), self%triangle(self%n + 1, self%n + 1), &
                self%left(self%n, 2), stat=stat)
      if (stat == 0) self%start = first_on_line(self%block)
   end subroutine prepare

   subroutine prepare_differenced(self, functions, fvec, stat)
      class(differenced_rows_type), intent(inout) :: self
      class(user_functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
      integer, intent(out) :: stat

      call prepare(self, functions, fvec, stat)
      if (stat == 0) allocate (self%fjac(functions%m, self%n), stat=stat)
      if (stat == 0) call self%differences%prepare(functions, fvec, stat)
   end subroutine prepare_differenced

   subroutine residual(self, x, norm, info)
      class(rows_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
      real(dp), intent(out) :: norm
      integer, intent(out) :: info

      call self%functions%residual(x, .false., info)
      self%nfev = self%nfev + 1
      if (info /= going_on) return
      self%trial_norm = enorm(self%functions%m, self%functions%values)
      norm = self%trial_norm
   end subroutine residual

   subroutine accept(self)
      class(rows_type), intent(inout) :: self

      self%fvec = self%functions%values
      self%fnorm = self%trial_norm
   end subroutine accept

   subroutine factor(self, x, model, info)
      class(rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(model_type), intent(inout) :: model
      integer, intent(out) :: info
      type(strided_matrix_type) :: view
      integer :: j

      model%fnorm = self%fnorm
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
      class(rows_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: view
      integer :: height, first, rows, last

      height = 0
      first = 1
      last = self%start + self%ld*self%n
      associate (m => self%functions%m, columns => self%n + 1)
         do while (first <= m)
            rows = min(self%rows, m - first + 1)
            ! What becomes rows of the triangle is not folded, which is slower.
            if (height < columns .and. columns > fewest_rows) rows = min(rows, fewest_rows)
            call view%load(first, rows, self%n, self%block(self%start), self%ld)
            self%block(last:last + rows - 1) = self%fvec(first:first + rows - 1)
            call fold(rows, columns, height, self%block(self%start), self%ld, self%triangle, columns)
            if (height < columns) then
               call grow(rows, columns, self%block(self%start), self%ld, self%triangle, height)
            end if
            first = first + rows
         end do
      end associate
   end subroutine fold_blocks

   pure subroutine grow(rows, columns, block, ld, triangle, height)
      !! Make rows of the triangle of what is left of a block.
      integer, intent(in) :: rows
      integer, intent(in) :: columns
      integer, intent(in) :: ld
      real(dp), intent(inout) :: block(ld, columns)
      real(dp), intent(inout) :: triangle(columns, columns)
      integer, intent(inout) :: height
         !! Its rows.
      integer :: more, j

      call triangulate(rows, columns - height, block(1, height + 1), ld)
      more = min(rows, columns - height)
      do j = height + 1, columns
         triangle(height + 1:min(j, height + more), j) = block(:min(j - height, more), j)
      end do
      height = height + more
   end subroutine grow

   subroutine analytic_jacobian(self, x, view, info)
      class(analytic_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(strided_matrix_type), intent(out) :: view
      integer, intent(out) :: info

      call self%functions%jacobian(x, self%fvec, view, info)
   end subroutine analytic_jacobian

   subroutine differenced_jacobian(self, x, view, info)
      class(differenced_rows_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      type(strided_matrix_type), intent(out) :: view
      integer, intent(out) :: info

      call self%differences%fdjac(x, self%fnorm, self%fjac, self%nfev, info)
      call view%show_columns(self%fjac)
   end subroutine differenced_jacobian

end module minpack_rows
