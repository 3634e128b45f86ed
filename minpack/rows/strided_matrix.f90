module minpack_strided_matrix
   !! A matrix in place, with any strides, in double or single precision.
   use, intrinsic :: iso_c_binding, only: c_float, c_int, c_intptr_t, c_ptr, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_vectors, only: visit, line
   implicit none
   private
   public :: strided_matrix_type, shown_matrix_type

   type, bind(c) :: shown_matrix_type
      !! A matrix that C shows.
      type(c_ptr) :: numbers
         !! The least address of a number of the matrix.
      integer(c_intptr_t) :: count
         !! Of numbers from there to the greatest address.
      integer(c_intptr_t) :: start
         !! The place of the first row's first number among them, from one.
      integer(c_intptr_t) :: row_step
         !! From one row to the next, in numbers; may be negative, or zero.
      integer(c_intptr_t) :: column_step
         !! From one column to the next.
      integer(c_int) :: single
         !! 1 for singles, 0 for doubles.
   end type shown_matrix_type

   type :: strided_matrix_type
      real(dp), pointer, contiguous :: changes(:) => null()
         !! Shape: (n). If this is a differenced Jacobian: how much the step of each column changed
         !! the residuals, in units of the data.
      real(dp), pointer, contiguous, private :: doubles(:) => null()
      real(c_float), pointer, contiguous, private :: singles(:) => null()
         !! One of the two is associated.
      integer(c_intptr_t), private :: start = 1
      integer(c_intptr_t), private :: row_step = 1
      integer(c_intptr_t), private :: column_step = 1
   contains
      procedure :: show
      procedure :: show_columns
      procedure :: column_length
      procedure :: columns_from
      procedure :: load
      procedure :: load_turned
      procedure :: copy
   end type strided_matrix_type

contains

   subroutine show(self, shown)
      class(strided_matrix_type), intent(out) :: self
      type(shown_matrix_type), intent(in) :: shown
         !! The matrix, as C describes it.

      if (shown%single == 1) then
         call c_f_pointer(shown%numbers, self%singles, [shown%count])
      else
         call c_f_pointer(shown%numbers, self%doubles, [shown%count])
      end if
      self%start = shown%start
      self%row_step = shown%row_step
      self%column_step = shown%column_step
   end subroutine show

   subroutine show_columns(self, matrix)
      class(strided_matrix_type), intent(out) :: self
      real(dp), intent(in), target, contiguous :: matrix(:, :)
         !! The matrix, stored by columns.

      self%doubles(1:size(matrix, kind=c_intptr_t)) => matrix
      self%column_step = size(matrix, 1)
   end subroutine show_columns

   pure integer function column_length(self) result(ld)
      !! From one column to the next if the matrix is stored by columns, in double precision;
      !! otherwise zero.
      class(strided_matrix_type), intent(in) :: self

      ld = 0
      if (.not. associated(self%doubles) .or. self%row_step /= 1) return
      if (self%column_step > 0 .and. self%column_step <= huge(ld)) ld = int(self%column_step)
   end function column_length

   function columns_from(self, first) result(columns)
      !! The columns of a matrix that is stored by columns, from a row on.
      class(strided_matrix_type), intent(in) :: self
      integer, intent(in) :: first
         !! The row, from 1.
      real(dp), pointer, contiguous :: columns(:)

      columns => self%doubles(self%start + first - 1:)
   end function columns_from

   pure subroutine load(self, first, rows, n, block, ld, factors)
      !! Copy some rows.
      class(strided_matrix_type), intent(in) :: self
      integer, intent(in) :: first
         !! The first row, from 1.
      integer, intent(in) :: rows
         !! How many rows.
      integer, intent(in) :: n
         !! Number of columns.
      integer, intent(in) :: ld
         !! From one column of the block to the next, in numbers.
      real(dp), intent(inout) :: block(ld, n + 1)
         !! Out: the rows in its first n columns. The last one is spare.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of all rows of the matrix; (0) if there are none.
      integer(c_intptr_t) :: place
      integer :: i, j

      place = self%start + (first - 1)*self%row_step
      if (associated(self%singles)) then
         do i = 1, rows
            do j = 1, n
               block(i, j) = self%singles(place + (i - 1)*self%row_step + (j - 1)*self%column_step)
            end do
         end do
      else if (self%column_step == 1 .and. self%row_step >= n) then
         call load_rows(rows, n, self%row_step, self%doubles(place:), block, ld)
      else
         do j = 1, n
            do i = 1, rows
               block(i, j) = self%doubles(place + (i - 1)*self%row_step + (j - 1)*self%column_step)
            end do
         end do
      end if
      if (size(factors) == 0) return
      do j = 1, n
         do i = 1, rows
            block(i, j) = factors(first + i - 1)*block(i, j)
         end do
      end do
   end subroutine load

   pure subroutine load_turned(self, first, rows, n, fvec, height, turned, factors)
      !! Copy some rows of [J f] as columns, in pieces of some height; this matrix is J.
      class(strided_matrix_type), intent(in) :: self
      integer, intent(in) :: first
         !! The first row, from 1.
      integer, intent(in) :: rows
         !! How many rows.
      integer, intent(in) :: n
         !! Number of columns of J.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). f.
      integer, intent(in) :: height
         !! The height of a piece.
      real(dp), intent(out) :: turned(height, rows, 1 + n/height)
         !! The rows.
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of all rows of J; (0) if there are none.
      integer :: left, right, piece, i

      piece = 1
      do left = 1, n, height
         right = min(n, left + height - 1)
         call load_piece(self, first, rows, left, right, height, turned(1, 1, piece))
         if (size(factors) > 0) then
            do i = 1, rows
               turned(:, i, piece) = factors(first + i - 1)*turned(:, i, piece)
            end do
         end if
         piece = piece + 1
      end do
      turned(n + 1 - n/height*height, :, 1 + n/height) = fvec(first:first + rows - 1)
   end subroutine load_turned

   pure subroutine load_piece(self, first, rows, left, right, height, turned)
      class(strided_matrix_type), intent(in) :: self
      integer, intent(in) :: first
      integer, intent(in) :: rows
      integer, intent(in) :: left
         !! The first column of the piece.
      integer, intent(in) :: right
         !! Its last column.
      integer, intent(in) :: height
      real(dp), intent(out) :: turned(height, rows)
      integer(c_intptr_t) :: place, start
      integer :: column, i, j

      start = self%start + (first - 1)*self%row_step + (left - 1)*self%column_step
      if (associated(self%singles)) then
         do i = 1, rows
            do j = 0, right - left
               place = start + (i - 1)*self%row_step + j*self%column_step
               turned(j + 1, i) = self%singles(place)
            end do
         end do
      else if (self%column_step == 1) then
         do i = 1, rows
            place = start + (i - 1)*self%row_step
            turned(:right - left + 1, i) = self%doubles(place:place + right - left)
         end do
      else
         do column = left, right, line
            do i = 1, rows
               do j = column - left, min(column + line - 1, right) - left
                  place = start + (i - 1)*self%row_step + j*self%column_step
                  turned(j + 1, i) = self%doubles(place)
               end do
            end do
         end do
      end if
   end subroutine load_piece

   pure subroutine copy(self, matrix)
      !! Copy all rows.
      class(strided_matrix_type), intent(in) :: self
      real(dp), intent(out), contiguous :: matrix(:, :)
         !! The rows.
      integer(c_intptr_t) :: place
      integer :: i, j

      do j = 1, size(matrix, 2)
         do i = 1, size(matrix, 1)
            place = self%start + (i - 1)*self%row_step + (j - 1)*self%column_step
            if (associated(self%singles)) then
               matrix(i, j) = self%singles(place)
            else
               matrix(i, j) = self%doubles(place)
            end if
         end do
      end do
   end subroutine copy

   pure subroutine load_rows(rows, n, step, numbers, block, ld)
      !! Turn rows to columns, eight at a time; a stray number goes to the spare column.
      integer, intent(in) :: rows
      integer, intent(in) :: n
      integer(c_intptr_t), intent(in) :: step
      real(dp), intent(in) :: numbers(step, rows)
      integer, intent(in) :: ld
      real(dp), intent(inout) :: block(ld, n + 1)
      integer :: i, j, k

      if (step == n) block(1, n + 1) = visit(rows*n, numbers)
      do i = 0, rows - line, line
         do j = 1, n
            !GCC$ unroll 8
            do k = 1, line
               block(i + k, j) = numbers(j, i + k)
            end do
         end do
      end do
      do k = i + 1, rows
         block(k, :n) = numbers(:n, k)
      end do
   end subroutine load_rows

end module minpack_strided_matrix
