module minpack_products
   !! The column-pivoted triangle of J from the products of the columns of [J f].
   !!
   !! R of J P = Q R is the Cholesky factor of P' J'J P, and Q'f is the solution of R' q = P' J'f.
   !! The products cost less than reflections, but a column that is close to a combination of other
   !! columns loses twice as many digits. Therefore the products are given up if a column keeps too
   !! little after projection on the columns before it.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, least_square, greatest_square
   use minpack_tile, only: tile_rows, tile_columns, tile_products, at_a_time, &
                           many_columns
   use minpack_strip, only: add_product, strip, rows_at_once => height
   use minpack_triangle, only: solve_transposed
   use minpack_cholesky, only: factor_pivoting
   implicit none
   private
   public :: add_products, add_products_of_rows, rows_at_once, factor_products
   public :: most_columns, are_of_use

   integer, parameter :: most_columns = 12
      !! With more columns, reflections are not slower: they are applied to four columns at once. If
      !! there are many, tiles of products take half the time.
   integer, parameter :: few_columns = 3
      !! All products of so few columns stay in the registers.
   real(dp), parameter :: least_share = 1e-4_dp
      !! The least share of its square that a column must keep. A share of 1e-4 costs four digits.
   real(dp), parameter :: least_share_of_many = 1e-6_dp
      !! The same for many columns. The last column of a square matrix of random numbers keeps a
      !! share of about 1/n.

contains

   pure logical function are_of_use(n)
      !! Whether the products of n columns are faster than reflections.
      integer, intent(in) :: n
         !! Number of columns of J.

      are_of_use = n <= most_columns .or. n >= many_columns
   end function are_of_use

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

   pure subroutine factor_products(n, products, r, qtf, ipvt, acnorm, left, accurate)
      !! Factor the products with column pivoting.
      integer, intent(in) :: n
         !! Number of columns of J.
      real(dp), intent(in) :: products(n + 1, n)
         !! J'J, its lower triangle, and f'J below it.
      real(dp), intent(out) :: r(n, n)
         !! R, zeros below its diagonal.
      real(dp), intent(out) :: qtf(n)
         !! Q'f.
      integer, intent(out) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(out) :: acnorm(n)
         !! The norms of the columns of J.
      real(dp), intent(out) :: left(n)
         !! Workspace: what is left of the squares of the columns.
      logical, intent(out) :: accurate
         !! If not, the other results are not valid.
      real(dp) :: value, reciprocal
      integer :: i, j, k, pivot

      accurate = .false.
      do j = 1, n
         left(j) = products(j, j)
         if (.not. (left(j) >= least_square .and. left(j) <= greatest_square)) return
         if (.not. abs(products(n + 1, j)) <= greatest_square) return
         ipvt(j) = j
      end do
      acnorm = sqrt(left)
      if (n >= many_columns) then
         call factor_many(n, products, r, qtf, ipvt, left, accurate)
         return
      end if
      r = 0
      do k = 1, n
         pivot = k
         do j = k + 1, n
            if (left(j) > left(pivot)) pivot = j
         end do
         if (pivot /= k) call exchange(n, k, pivot, r, ipvt, left)
         associate (column => ipvt(k))
            if (.not. left(k) >= least_share*products(column, column)) return
            r(k, k) = sqrt(left(k))
            reciprocal = 1/r(k, k)
            do j = k + 1, n
               value = products(max(column, ipvt(j)), min(column, ipvt(j)))
               do i = 1, k - 1
                  value = value - r(i, k)*r(i, j)
               end do
               r(k, j) = value*reciprocal
               left(j) = left(j) - r(k, j)**2
            end do
            value = products(n + 1, column)
         end associate
         do i = 1, k - 1
            value = value - r(i, k)*qtf(i)
         end do
         qtf(k) = value*reciprocal
      end do
      accurate = .true.
   end subroutine factor_products

   pure subroutine factor_many(n, products, r, qtf, ipvt, left, accurate)
      !! The same for many columns, whose norms are known.
      integer, intent(in) :: n
      real(dp), intent(in) :: products(n + 1, n)
      real(dp), intent(out) :: r(n, n)
      real(dp), intent(out) :: qtf(n)
      integer, intent(out) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      logical, intent(out) :: accurate
      integer :: j

      do j = 1, n
         r(j:, j) = products(j:n, j)
      end do
      qtf = least_share_of_many*left
      call factor_pivoting(n, r, qtf, ipvt, left, accurate)
      if (.not. accurate) return
      do j = 1, n
         r(j + 1:, j) = 0
         qtf(j) = products(n + 1, ipvt(j))
      end do
      call solve_transposed(n, r, qtf)
   end subroutine factor_many

   pure subroutine exchange(n, k, pivot, r, ipvt, left)
      !! Exchange two columns above row k.
      integer, intent(in) :: n
      integer, intent(in) :: k
      integer, intent(in) :: pivot
      real(dp), intent(inout) :: r(n, n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      real(dp) :: value
      integer :: i, column

      do i = 1, k - 1
         value = r(i, k)
         r(i, k) = r(i, pivot)
         r(i, pivot) = value
      end do
      value = left(k)
      left(k) = left(pivot)
      left(pivot) = value
      column = ipvt(k)
      ipvt(k) = ipvt(pivot)
      ipvt(pivot) = column
   end subroutine exchange

end module minpack_products
