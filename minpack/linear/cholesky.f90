module minpack_cholesky
   !! The Cholesky factorization A = R'R of a symmetric matrix with many columns, and the way back.
   !!
   !! Element (i, j) of A is the product of columns i and j of R. Therefore four rows of R are
   !! computed from the rows above them by products of columns, for some columns at a time, so that
   !! these columns stay in the cache.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot
   use minpack_tile, only: tile_rows, tile_columns, tile_products, at_a_time
   implicit none
   private
   public :: factor, factor_pivoting, multiply_by_transpose

   integer, parameter :: widest = 64
      !! The largest number of rows of a panel.

contains

   pure subroutine factor(n, a, positive)
      !! Factor A in place.
      integer, intent(in) :: n
         !! Size of A.
      real(dp), intent(inout) :: a(n, n)
         !! In: A, its upper triangle. Out: R. The other elements are not read.
      logical, intent(out) :: positive
         !! If not, A is not positive definite, and this is not R.
      integer :: first, last, row, final, i, j, k

      positive = .true.
      do first = 1, n, at_a_time
         last = min(n, first + at_a_time - 1)
         do row = 1, last, tile_rows
            final = min(row + tile_rows - 1, last)
            call add_products_above(-1.0_dp, n, row, final, max(row, first), last, a)
            do i = row, final
               do j = max(i, first), last
                  do k = row, i - 1
                     a(i, j) = a(i, j) - a(k, i)*a(k, j)
                  end do
                  if (j > i) then
                     a(i, j) = a(i, j)/a(i, i)
                  else
                     positive = a(i, i) > 0
                     if (.not. positive) return
                     a(i, i) = sqrt(a(i, i))
                  end if
               end do
            end do
         end do
      end do
   end subroutine factor

   pure subroutine factor_pivoting(n, a, least, ipvt, left, positive)
      !! Factor P'A P in place, with the largest pivot first. A panel of rows is computed, and then
      !! subtracted from the rows below it (C. Lucas, "LAPACK-style codes for level 2 and 3 pivoted
      !! Cholesky factorizations", LAPACK Working Note 161, 2004).
      integer, intent(in) :: n
         !! Size of A.
      real(dp), intent(inout) :: a(n, n)
         !! In: A, its upper triangle. Out: R.
      real(dp), intent(in) :: least(n)
         !! The least square of a pivot, for each column of A.
      integer, intent(out) :: ipvt(n)
         !! Column j of R belongs to column ipvt(j) of A.
      real(dp), intent(out) :: left(n)
         !! Workspace: the squares of the pivots.
      logical, intent(out) :: positive
         !! If not, a pivot is too small, and this is not R.
      integer :: first, last, i, j, pivot

      positive = .true.
      do j = 1, n
         ipvt(j) = j
      end do
      do first = 1, n, widest
         last = min(n, first + widest - 1)
         do j = first, n
            left(j) = a(j, j)
         end do
         do i = first, last
            pivot = i
            do j = i + 1, n
               if (left(j) > left(pivot)) pivot = j
            end do
            positive = left(pivot) >= least(ipvt(pivot))
            if (.not. positive) return
            if (pivot /= i) call exchange(n, i, pivot, a, ipvt, left)
            a(i, i) = sqrt(left(i))
            do j = i + 1, n
               a(i, j) = (a(i, j) - dot(i - first, a(first:, i), a(first:, j)))/a(i, i)
               left(j) = left(j) - a(i, j)**2
            end do
         end do
         call subtract_panel(n, first, last, a)
      end do
   end subroutine factor_pivoting

   pure subroutine exchange(n, i, pivot, a, ipvt, left)
      !! Exchange two columns and the same rows of A, of which the upper triangle is stored.
      integer, intent(in) :: n
      integer, intent(in) :: i
      integer, intent(in) :: pivot
         !! More than i.
      real(dp), intent(inout) :: a(n, n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      integer :: j, column

      do j = 1, i - 1
         call swap(a(j, i), a(j, pivot))
      end do
      do j = i + 1, pivot - 1
         call swap(a(i, j), a(j, pivot))
      end do
      do j = pivot + 1, n
         call swap(a(i, j), a(pivot, j))
      end do
      call swap(a(i, i), a(pivot, pivot))
      call swap(left(i), left(pivot))
      column = ipvt(i)
      ipvt(i) = ipvt(pivot)
      ipvt(pivot) = column
   end subroutine exchange

   elemental subroutine swap(a, b)
      real(dp), intent(inout) :: a
      real(dp), intent(inout) :: b
      real(dp) :: value

      value = a
      a = b
      b = value
   end subroutine swap

   pure subroutine subtract_panel(n, first, last, a)
      !! Subtract the products of columns of a panel from the rows below it.
      integer, intent(in) :: n
      integer, intent(in) :: first
      integer, intent(in) :: last
      real(dp), intent(inout) :: a(n, n)
      real(dp) :: products(tile_rows, tile_columns)
      integer :: row, final, before, lowest, j, k

      do row = last + 1, n, tile_rows
         final = min(row + tile_rows - 1, n)
         before = row + tile_rows - 1 - final
         do j = row, n, tile_columns
            call tile_products(last - first + 1, a(first, row - before), n, a(first, j), &
                               a(first, min(j + 1, n)), a(first, min(j + 2, n)), products)
            do k = 0, min(tile_columns - 1, n - j)
               lowest = min(final, j + k)
               a(row:lowest, j + k) = a(row:lowest, j + k) &
                                      - products(before + 1:before + lowest - row + 1, k + 1)
            end do
         end do
      end do
   end subroutine subtract_panel

   pure subroutine multiply_by_transpose(n, r)
      !! Replace R by R'R. Each row is computed after those below it, which do not need it.
      integer, intent(in) :: n
         !! Size of R.
      real(dp), intent(inout) :: r(n, n)
         !! In: R, an upper triangle. Out: R'R, its upper triangle. The other elements are not read.
      integer :: first, last, row, final, i, j, k

      do first = 1 + (n - 1)/at_a_time*at_a_time, 1, -at_a_time
         last = min(n, first + at_a_time - 1)
         do row = 1 + (last - 1)/tile_rows*tile_rows, 1, -tile_rows
            final = min(row + tile_rows - 1, last)
            do i = final, row, -1
               do j = last, max(i, first), -1
                  r(i, j) = r(i, i)*r(i, j)
                  do k = row, i - 1
                     r(i, j) = r(i, j) + r(k, i)*r(k, j)
                  end do
               end do
            end do
            call add_products_above(1.0_dp, n, row, final, max(row, first), last, r)
         end do
      end do
   end subroutine multiply_by_transpose

   pure subroutine add_products_above(factor, n, row, final, first, last, a)
      !! Add the products of columns above a row to the elements in some rows and columns.
      real(dp), intent(in) :: factor
         !! Of the products.
      integer, intent(in) :: n
      integer, intent(in) :: row
         !! The first row.
      integer, intent(in) :: final
         !! The last row.
      integer, intent(in) :: first
         !! The first column.
      integer, intent(in) :: last
         !! The last column.
      real(dp), intent(inout) :: a(n, n)
      real(dp) :: products(tile_rows, tile_columns)
      integer :: before, lowest, j, k

      if (row == 1) return
      ! A tile has four rows. If there are fewer, it begins before the first one.
      before = row + tile_rows - 1 - final
      do j = first, last, tile_columns
         call tile_products(row - 1, a(1, row - before), n, a(1, j), a(1, min(j + 1, last)), &
                            a(1, min(j + 2, last)), products)
         do k = 0, min(tile_columns - 1, last - j)
            lowest = min(final, j + k)
            a(row:lowest, j + k) = a(row:lowest, j + k) &
                                   + factor*products(before + 1:before + lowest - row + 1, k + 1)
         end do
      end do
   end subroutine add_products_above

end module minpack_cholesky
