module minpack_column_products
   !! The products of the columns of [J f], summed over blocks of rows.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot
   use minpack_tile, only: tile_rows, tile_columns, tile_products, at_a_time, many_columns
   use minpack_strip, only: add_product, strip, rows_at_once => height
   implicit none
   private
   public :: add_products, add_products_of_rows, rows_at_once

   integer, parameter :: few_columns = 3
      !! All products of so few columns stay in the registers.

contains

   pure subroutine add_products(rows, n, columns, ld, f, products)
      !! Add the products of all pairs of columns of [J f], except that of f with itself.
      integer, intent(in) :: rows
         !! Number of rows.
      integer, intent(in) :: n
         !! Number of columns of J.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(in) :: columns(ld, n)
         !! J.
      real(dp), intent(in) :: f(rows)
         !! f.
      real(dp), intent(inout) :: products(n + 1, n)
         !! Its lower triangle: the products of the columns of J; its last row: those with f.
      real(dp) :: tile(4, 2)
      integer :: i, j, k2, k3, k4, l

      if (n <= few_columns) then
         call add_few(rows, n, columns(1, 1), columns(1, min(2, n)), columns(1, n), f, products)
         return
      else if (n >= many_columns) then
         call add_tiles(rows, n, columns, ld, f, products)
         return
      end if
      do i = 1, n + 1, 2
         do j = 1, min(i + 1, n), 4
            ! Beyond column n, a tile takes column n again.
            k2 = min(j + 1, n)
            k3 = min(j + 2, n)
            k4 = min(j + 3, n)
            if (i < n) then
               call multiply(rows, columns(1, i), columns(1, i + 1), columns(1, j), &
                             columns(1, k2), columns(1, k3), columns(1, k4), tile)
            else
               call multiply(rows, columns(1, min(i, n)), f, columns(1, j), columns(1, k2), &
                             columns(1, k3), columns(1, k4), tile)
            end if
            do l = 0, min(3, n - j)
               if (i <= n) products(i, j + l) = products(i, j + l) + tile(l + 1, 1)
               products(min(i, n) + 1, j + l) = products(min(i, n) + 1, j + l) + tile(l + 1, 2)
            end do
         end do
      end do
   end subroutine add_products

   pure subroutine add_few(rows, n, first, second, last, f, products)
      !! The same for up to three columns, all products at once. Of fewer columns, the last is taken
      !! again.
      integer, intent(in) :: rows
      integer, intent(in) :: n
      real(dp), intent(in) :: first(rows)
      real(dp), intent(in) :: second(rows)
      real(dp), intent(in) :: last(rows)
      real(dp), intent(in) :: f(rows)
      real(dp), intent(inout) :: products(n + 1, n)
      real(dp) :: p11, p12, p1n, p22, p2n, pnn, f1, f2, fn
      integer :: i

      p11 = 0; p12 = 0; p1n = 0; p22 = 0; p2n = 0; pnn = 0; f1 = 0; f2 = 0; fn = 0
      !$omp simd reduction(+:p11, p12, p1n, p22, p2n, pnn, f1, f2, fn)
      do i = 1, rows
         p11 = p11 + first(i)*first(i)
         p12 = p12 + first(i)*second(i)
         p1n = p1n + first(i)*last(i)
         p22 = p22 + second(i)*second(i)
         p2n = p2n + second(i)*last(i)
         pnn = pnn + last(i)*last(i)
         f1 = f1 + first(i)*f(i)
         f2 = f2 + second(i)*f(i)
         fn = fn + last(i)*f(i)
      end do
      if (n == 3) then
         products(2, 1) = products(2, 1) + p12
         products(2, 2) = products(2, 2) + p22
         products(3, 2) = products(3, 2) + p2n
         products(4, 2) = products(4, 2) + f2
      end if
      if (n > 1) then
         products(n, 1) = products(n, 1) + p1n
         products(n + 1, 1) = products(n + 1, 1) + f1
      end if
      products(n, n) = products(n, n) + pnn
      products(n + 1, n) = products(n + 1, n) + fn
      if (n > 1) products(1, 1) = products(1, 1) + p11
   end subroutine add_few

   pure subroutine add_tiles(rows, n, columns, ld, f, products)
      !! The same for many columns, of which some stay in the cache at a time.
      integer, intent(in) :: rows
      integer, intent(in) :: n
      integer, intent(in) :: ld
      real(dp), intent(in) :: columns(ld, n)
      real(dp), intent(in) :: f(rows)
      real(dp), intent(inout) :: products(n + 1, n)
      real(dp) :: tile(tile_rows, tile_columns)
      integer :: first, last, i, j, k, before

      do first = 1, n, at_a_time
         last = min(n, first + at_a_time - 1)
         do j = 1, last, tile_rows
            before = max(0, j + tile_rows - 1 - n)
            do i = max(first, j), last, tile_columns
               call tile_products(rows, columns(1, j - before), ld, columns(1, i), &
                                  columns(1, min(i + 1, last)), columns(1, min(i + 2, last)), tile)
               do k = 0, min(tile_columns - 1, last - i)
                  products(i + k, j:min(j + tile_rows - 1, n)) = &
                     products(i + k, j:min(j + tile_rows - 1, n)) + tile(before + 1:, k + 1)
               end do
            end do
         end do
      end do
      do j = 1, n
         products(n + 1, j) = products(n + 1, j) + dot(rows, columns(1, j), f)
      end do
   end subroutine add_tiles

   pure subroutine add_products_of_rows(n, rows, turned, products)
      !! The same for a few rows of many columns. What is above the diagonal changes, too.
      integer, intent(in) :: n
         !! Number of columns of J.
      integer, intent(in) :: rows
         !! Number of rows, at most rows_at_once.
      real(dp), intent(in) :: turned(rows_at_once, rows, 1 + n/rows_at_once)
         !! [J f]', some of its rows after another.
      real(dp), intent(inout) :: products(n + 1, n)
         !! As above.
      integer :: bottom, row, i, j, k, l

      do i = 0, n/rows_at_once
         bottom = min(n + 1, (i + 1)*rows_at_once)
         do j = 1, min(n, bottom), strip
            row = max(i*rows_at_once + 1, j)
            k = (j - 1)/rows_at_once
            l = row - i*rows_at_once
            call add_product(1.0_dp, bottom - row + 1, min(strip, n - j + 1), rows, &
                             turned(l, 1, i + 1), rows_at_once, &
                             turned(j - k*rows_at_once, 1, k + 1), n + 1, products(row, j))
         end do
      end do
   end subroutine add_products_of_rows

   pure subroutine multiply(rows, a1, a2, b1, b2, b3, b4, tile)
      !! The products of two columns with four.
      integer, intent(in) :: rows
      real(dp), intent(in) :: a1(rows)
      real(dp), intent(in) :: a2(rows)
      real(dp), intent(in) :: b1(rows)
      real(dp), intent(in) :: b2(rows)
      real(dp), intent(in) :: b3(rows)
      real(dp), intent(in) :: b4(rows)
      real(dp), intent(out) :: tile(4, 2)
      real(dp) :: p11, p12, p13, p14, p21, p22, p23, p24
      integer :: i

      p11 = 0; p12 = 0; p13 = 0; p14 = 0; p21 = 0; p22 = 0; p23 = 0; p24 = 0
      !$omp simd reduction(+:p11, p12, p13, p14, p21, p22, p23, p24)
      do i = 1, rows
         p11 = p11 + a1(i)*b1(i)
         p12 = p12 + a1(i)*b2(i)
         p13 = p13 + a1(i)*b3(i)
         p14 = p14 + a1(i)*b4(i)
         p21 = p21 + a2(i)*b1(i)
         p22 = p22 + a2(i)*b2(i)
         p23 = p23 + a2(i)*b3(i)
         p24 = p24 + a2(i)*b4(i)
      end do
      tile(1, 1) = p11
      tile(2, 1) = p12
      tile(3, 1) = p13
      tile(4, 1) = p14
      tile(1, 2) = p21
      tile(2, 2) = p22
      tile(3, 2) = p23
      tile(4, 2) = p24
   end subroutine multiply

end module minpack_column_products
