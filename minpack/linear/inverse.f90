module minpack_inverse
   !! The inverse of a triangle, and of the products of its columns.
   !!
   !! As in minpack_cholesky, four rows at a time are products of columns.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot
   use minpack_tile, only: tile_rows, tile_columns, tile_products, at_a_time
   implicit none
   private
   public :: invert, multiply_rows

contains

   pure subroutine invert(n, s, u)
      !! Compute the inverse U of an upper triangle S, from its last row upwards: S U = I.
      integer, intent(in) :: n
         !! Size of S.
      real(dp), intent(inout) :: s(n, n)
         !! S. Its rows are copied to the columns below its diagonal.
      real(dp), intent(out) :: u(n, n)
         !! U, zeros below its diagonal.
      integer :: first, last, row, final, i, j, k

      do k = 1, n
         s(k + 1:, k) = s(k, k + 1:)
      end do
      u = 0
      do first = 1, n, at_a_time
         last = min(n, first + at_a_time - 1)
         do row = 1 + (last - 1)/tile_rows*tile_rows, 1, -tile_rows
            final = min(row + tile_rows - 1, last)
            call subtract_products_below(n, row, final, max(row, first), last, s, u)
            do i = final, row, -1
               if (i >= first) u(i, i) = 1
               do j = max(i, first), last
                  do k = i + 1, final
                     u(i, j) = u(i, j) - s(k, i)*u(k, j)
                  end do
                  u(i, j) = u(i, j)/s(i, i)
               end do
            end do
         end do
      end do
   end subroutine invert

   pure subroutine subtract_products_below(n, row, final, first, last, s, u)
      !! Subtract the products of rows of S and columns of U, behind and below the last one of some
      !! rows, from the elements of U in these rows and some columns.
      integer, intent(in) :: n
      integer, intent(in) :: row
         !! The first row.
      integer, intent(in) :: final
         !! The last row.
      integer, intent(in) :: first
         !! The first column.
      integer, intent(in) :: last
         !! The last column.
      real(dp), intent(in) :: s(n, n)
      real(dp), intent(inout) :: u(n, n)
      real(dp) :: products(tile_rows, tile_columns)
      integer :: below, j, k

      if (final >= last) return
      below = final + 1
      do j = first, last, tile_columns
         call tile_products(last - final, s(below, row), n, u(below, j), &
                            u(below, min(j + 1, last)), u(below, min(j + 2, last)), products)
         do k = 0, min(tile_columns - 1, last - j)
            u(row:final, j + k) = u(row:final, j + k) - products(:final - row + 1, k + 1)
         end do
      end do
   end subroutine subtract_products_below

   pure subroutine multiply_rows(n, u, products)
      !! Compute U U'.
      integer, intent(in) :: n
         !! Size of U.
      real(dp), intent(inout) :: u(n, n)
         !! In: U, zeros below its diagonal. Out: U'.
      real(dp), intent(out) :: products(n, n)
         !! U U', its lower triangle.
      real(dp) :: tile(tile_rows, tile_columns)
      integer :: first, last, row, before, i, j, k

      do k = 1, n
         u(k + 1:, k) = u(k, k + 1:)
         u(k, k + 1:) = 0
      end do
      if (n < tile_rows) then
         do j = 1, n
            do i = j, n
               products(i, j) = dot(n - i + 1, u(i:, i), u(i:, j))
            end do
         end do
         return
      end if
      do first = 1, n, at_a_time
         last = min(n, first + at_a_time - 1)
         do row = first, n, tile_rows
            ! A tile has four rows. If there are fewer, it begins before the first one.
            before = max(0, row + tile_rows - 1 - n)
            do j = first, min(row + tile_rows - 1, last), tile_columns
               call tile_products(n - row + 1, u(row, row - before), n, u(row, j), &
                                  u(row, min(j + 1, last)), u(row, min(j + 2, last)), tile)
               do k = 0, min(tile_columns - 1, last - j)
                  do i = max(row, j + k), min(row + tile_rows - 1, n)
                     products(i, j + k) = tile(i - row + before + 1, k + 1)
                  end do
               end do
            end do
         end do
      end do
   end subroutine multiply_rows

end module minpack_inverse
