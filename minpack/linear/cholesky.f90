module minpack_cholesky
   !! The Cholesky factorization A = R'R of a symmetric matrix with many columns, and the way back.
   !!
   !! Element (i, j) of A is the product of columns i and j of R. Therefore four rows of R are
   !! computed from the rows above them by products of columns, for some columns at a time, so that
   !! these columns stay in the cache.
   use minpack_kinds, only: dp
   use minpack_tile, only: tile_rows, tile_columns, tile_products, at_a_time
   implicit none
   private
   public :: factor, multiply_by_transpose

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
