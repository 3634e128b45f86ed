module minpack_folding
   !! The rows of [J f] as numbers whose count does not depend on the number of rows: as the
   !! products of the columns, or as a triangle into which all rows are folded.
   use minpack_kinds, only: dp
   use minpack_vectors, only: first_on_line, line
   use minpack_tile, only: many_columns
   use minpack_fold, only: fold_in
   use minpack_products, only: add_products, are_of_use
   use minpack_strided_matrix, only: strided_matrix_type
   implicit none
   private
   public :: folding_type

   integer, parameter :: most_rows = 480
      !! The largest number of rows in a block.
   integer, parameter :: most_numbers = 80000
      !! The largest number of elements in a block, so that it fits into the cache. A block has at
      !! least fewest_rows rows.
   integer, parameter :: fewest_rows = 64
   integer, parameter :: fewest_for_many = 256
      !! The same for many columns, which do not stay in the cache together.

   type :: folding_type
      integer :: m = 0
         !! Number of rows.
      integer :: n = 0
         !! Number of variables.
      real(dp), allocatable :: products(:, :)
         !! Shape: (n + 1, n). J'J, its lower triangle, and f'J below it.
      real(dp), allocatable :: triangle(:, :)
         !! Shape: (n + 1, n + 1). The triangle of [J f].
      integer, private :: block_rows = 0
         !! Number of rows in a block.
      integer, private :: ld = 0
         !! From one column of the block to the next, in numbers: whole cache lines.
      integer, private :: start = 0
         !! Where the block begins: on a cache line.
      real(dp), allocatable, private :: block(:)
         !! Some rows of [J f], with two spare columns for `fold`.
   contains
      procedure :: allocate_for
      procedure :: multiply
      procedure :: triangulate_rows
      procedure :: add_rows
   end type folding_type

contains

   subroutine allocate_for(self, m, n, stat)
      class(folding_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of rows.
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%m = m
      self%n = n
      self%block_rows = max(merge(fewest_for_many, fewest_rows, n >= many_columns), &
                            min(most_rows, most_numbers/n))
      self%block_rows = min(m, self%block_rows)
      self%ld = line*(self%block_rows/line + 1)
      allocate (self%block(self%ld*(n + 3) + line), self%triangle(n + 1, n + 1), stat=stat)
      if (stat == 0) self%start = first_on_line(self%block)
      if (stat == 0 .and. are_of_use(n)) allocate (self%products(n + 1, n), stat=stat)
   end subroutine allocate_for

   subroutine multiply(self, matrix, fvec, factors)
      !! Compute the products of the columns of [J f].
      class(folding_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      real(dp), pointer, contiguous :: columns(:)
      integer :: first, rows, ld

      self%products = 0
      ld = matrix%column_length()
      if (size(factors) > 0) ld = 0
      do first = 1, self%m, self%block_rows
         rows = min(self%block_rows, self%m - first + 1)
         if (ld > 0) then
            columns => matrix%columns_from(first)
            call add_products(rows, self%n, columns, ld, fvec(first:), self%products)
         else
            call matrix%load(first, rows, self%n, self%block(self%start), self%ld, factors)
            call add_products(rows, self%n, self%block(self%start), self%ld, fvec(first:), &
                              self%products)
         end if
      end do
   end subroutine multiply

   subroutine triangulate_rows(self, matrix, fvec, factors)
      !! Make the triangle of the rows of [J f].
      class(folding_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      integer :: height

      height = 0
      call self%add_rows(matrix, fvec, height, factors)
   end subroutine triangulate_rows

   subroutine add_rows(self, matrix, fvec, height, factors)
      !! Fold the rows of [J f] into the triangle.
      class(folding_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      integer, intent(inout) :: height
         !! The number of rows of the triangle.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      integer :: first, rows, last

      first = 1
      last = self%start + self%ld*self%n
      associate (columns => self%n + 1)
         do while (first <= self%m)
            rows = min(self%block_rows, self%m - first + 1)
            ! The first rows become the triangle. This is slower than folding, so there are few.
            if (height < columns .and. columns > fewest_rows) rows = min(rows, fewest_rows)
            call matrix%load(first, rows, self%n, self%block(self%start), self%ld, factors)
            self%block(last:last + rows - 1) = fvec(first:first + rows - 1)
            call fold_in(rows, columns, self%block(self%start), self%ld, self%triangle, height)
            first = first + rows
         end do
      end associate
   end subroutine add_rows

end module minpack_folding
