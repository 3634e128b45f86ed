module minpack_chunk
   !! A chunk of the rows of [J f] as numbers whose count does not depend on the number of rows: as
   !! the products of the columns, or as a triangle into which the rows are folded.
   use minpack_kinds, only: dp
   use minpack_vectors, only: first_on_line, line
   use minpack_tile, only: many_columns
   use minpack_fold, only: fold_in
   use minpack_column_products, only: add_products, add_products_of_rows, rows_at_once
   use minpack_products, only: are_of_use
   use minpack_strided_matrix, only: strided_matrix_type
   implicit none
   private
   public :: chunk_type

   integer, parameter :: most_rows = 480
      !! The largest number of rows in a block.
   integer, parameter :: most_numbers = 80000
      !! The largest number of elements in a block, so that it fits into the cache. A block has at
      !! least fewest_rows rows.
   integer, parameter :: fewest_rows = 64
   integer, parameter :: fewest_for_many = 256
      !! The same for many columns, which do not stay in the cache together.
   integer, parameter :: fewest_to_copy = 64
      !! With so many columns, products are faster by rows, if rows have to be copied anyway.
   integer, parameter :: fewest_to_turn = 256
      !! The same if the matrix is stored by columns.

   type :: chunk_type
      integer :: n = 0
         !! Number of variables.
      real(dp), allocatable :: products(:, :)
         !! Shape: (n + 1, n). J'J, its lower triangle, and f'J below it.
      real(dp), allocatable :: triangle(:, :)
         !! Shape: (n + 1, n + 1). The triangle of [J f].
      integer :: height = 0
         !! The number of rows of the triangle.
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
      procedure :: add_rows
      procedure :: add_triangle
   end type chunk_type

contains

   subroutine allocate_for(self, m, n, stat)
      class(chunk_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of rows, at most.
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      integer :: numbers

      self%n = n
      self%block_rows = max(merge(fewest_for_many, fewest_rows, n >= many_columns), &
                            min(most_rows, most_numbers/n))
      self%block_rows = min(m, self%block_rows)
      self%ld = line*(self%block_rows/line + 1)
      numbers = self%ld*(n + 3)
      if (n >= fewest_to_copy) numbers = max(numbers, rows_at_once**2*(1 + n/rows_at_once))
      allocate (self%block(numbers + line), self%triangle(n + 1, n + 1), stat=stat)
      if (stat == 0) self%start = first_on_line(self%block)
      if (stat == 0 .and. are_of_use(n)) allocate (self%products(n + 1, n), stat=stat)
   end subroutine allocate_for

   subroutine multiply(self, matrix, fvec, factors, first, last)
      !! Compute the products of the columns of some rows of [J f].
      class(chunk_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      integer, intent(in) :: first
         !! The first row.
      integer, intent(in) :: last
         !! The last row.
      real(dp), pointer, contiguous :: columns(:)
      integer :: row, rows, ld

      self%products = 0
      ld = matrix%column_length()
      if (size(factors) > 0) ld = 0
      if (self%n >= merge(fewest_to_copy, fewest_to_turn, ld == 0)) then
         do row = first, last, rows_at_once
            rows = min(rows_at_once, last - row + 1)
            call matrix%load_turned(row, rows, self%n, fvec, rows_at_once, &
                                    self%block(self%start), factors)
            call add_products_of_rows(self%n, rows, self%block(self%start), self%products)
         end do
         return
      end if
      do row = first, last, self%block_rows
         rows = min(self%block_rows, last - row + 1)
         if (ld > 0) then
            columns => matrix%columns_from(row)
            call add_products(rows, self%n, columns, ld, fvec(row:), self%products)
         else
            call matrix%load(row, rows, self%n, self%block(self%start), self%ld, factors)
            call add_products(rows, self%n, self%block(self%start), self%ld, fvec(row:), &
                              self%products)
         end if
      end do
   end subroutine multiply

   subroutine add_rows(self, matrix, fvec, factors, first, last)
      !! Fold some rows of [J f] into the triangle.
      class(chunk_type), intent(inout) :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      integer, intent(in) :: first
         !! The first row.
      integer, intent(in) :: last
         !! The last row.
      integer :: row, rows, place

      row = first
      place = self%start + self%ld*self%n
      associate (columns => self%n + 1)
         do while (row <= last)
            rows = min(self%block_rows, last - row + 1)
            ! The first rows become the triangle. This is slower than folding, so there are few.
            if (self%height < columns .and. columns > fewest_rows) rows = min(rows, fewest_rows)
            call matrix%load(row, rows, self%n, self%block(self%start), self%ld, factors)
            self%block(place:place + rows - 1) = fvec(row:row + rows - 1)
            call fold_in(rows, columns, self%block(self%start), self%ld, self%triangle, self%height)
            row = row + rows
         end do
      end associate
   end subroutine add_rows

   subroutine add_triangle(self, other)
      !! Fold the triangle of another chunk into the triangle.
      class(chunk_type), intent(inout) :: self
      type(chunk_type), intent(in) :: other
         !! The other chunk.
      integer :: first, last, j, place

      do first = 1, other%height, self%block_rows
         last = min(other%height, first + self%block_rows - 1)
         do j = 1, self%n + 1
            place = self%start + self%ld*(j - 1)
            self%block(place:place + last - first) = 0
            self%block(place:place + min(last, j) - first) = other%triangle(first:min(last, j), j)
         end do
         call fold_in(last - first + 1, self%n + 1, self%block(self%start), self%ld, &
                      self%triangle, self%height)
      end do
   end subroutine add_triangle

end module minpack_chunk
