program test_products
   !! The triangle from the products of columns, beside the triangle from reflections.
   use minpack_kinds, only: dp
   use minpack_column_products, only: add_products, add_products_of_rows, rows_at_once
   use minpack_products, only: factor_products, most_columns
   use minpack_triangle, only: multiply_transposed
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use checks, only: check, close_to, finish, random_matrix
   implicit none
   integer, parameter :: lengths(5) = [1, 3, 8, 25, 131]
   integer, parameter :: many(6) = [32, 33, 34, 95, 97, 200]
   real(dp), parameter :: sizes(3) = [1.0_dp, 1e100_dp, 1e-100_dp]
   integer :: i, j, n

   do n = 1, most_columns
      do i = 1, size(lengths)
         if (lengths(i) < n + 2) cycle
         do j = 1, size(sizes)
            call agrees_with_reflections(sizes(j)*random_matrix(lengths(i), n + 1))
         end do
         call adds_up(random_matrix(lengths(i), n + 1), random_matrix(lengths(i), n + 1))
      end do
      call is_given_up_where_digits_are_lost(random_matrix(40, n + 1))
   end do
   do i = 1, size(many)
      n = many(i)
      do j = 1, size(sizes)
         call agrees_for_many_columns(sizes(j)*random_matrix(n + 2, n + 1))
         call agrees_for_many_columns(sizes(j)*random_matrix(3*n + 5, n + 1))
      end do
      call adds_up(random_matrix(2*n, n + 1), random_matrix(2*n, n + 1))
      call is_given_up_where_digits_are_lost(random_matrix(2*n, n + 1))
   end do
   do n = 1, 200
      call are_the_same_by_rows(random_matrix(1 + mod(37*n, 150), n + 1))
   end do
   call finish()

contains

   subroutine agrees_for_many_columns(columns)
      !! The triangle from the products of many columns is that from reflections, but for signs.
      real(dp), intent(in) :: columns(:, :)
      real(dp) :: work(size(columns, 1), size(columns, 2))
      real(dp), dimension(size(columns, 2) - 1, size(columns, 2) - 1) :: r, expected
      real(dp), dimension(size(columns, 2) - 1) :: qtf, acnorm, fj, expected_qtf, expected_norm
      real(dp) :: products(size(columns, 2), size(columns, 2) - 1), left(size(columns, 2) - 1, 2)
      integer :: ipvt(size(columns, 2) - 1), expected_ipvt(size(columns, 2) - 1), n, k
      logical :: accurate

      n = size(qtf)
      products = 0
      call multiply(columns, products)
      call factor(products, r, qtf, ipvt, acnorm, accurate)
      call check(accurate, 'products of random columns are accurate')
      expected_qtf = 0
      work = columns
      call triangulate(size(work, 1), n + 1, work, size(work, 1))
      do k = 1, n
         expected(:k, k) = work(:k, k)
         expected(k + 1:, k) = 0
      end do
      call pivoted_qr(n, expected, expected_qtf, expected_ipvt, expected_norm, left)
      call check(all(ipvt == expected_ipvt), 'the order of many columns')
      do k = 1, n
         call check(all(abs(abs(expected(:k, k)) - abs(r(:k, k))) <= 1e-9_dp*acnorm(ipvt(k))), &
                    'R of many columns')
         call check(all(r(k + 1:, k) == 0), 'zeros below the diagonal')
         call check(close_to(acnorm(k), expected_norm(k), 1e-13_dp), 'the norms of the columns')
      end do
      call multiply_transposed(n, r, qtf, fj)
      call check(all(abs(fj - products(n + 1, ipvt)) <= 1e-12_dp*acnorm(ipvt)*maxval(acnorm)), &
                 "R' Q'f is J'f")
   end subroutine agrees_for_many_columns

   subroutine multiply(columns, products)
      real(dp), intent(in), contiguous :: columns(:, :)
         !! J, and f behind it.
      real(dp), intent(inout) :: products(:, :)
      integer :: m, n

      m = size(columns, 1)
      n = size(columns, 2) - 1
      call add_products(m, n, columns(:, :n), m, columns(:, n + 1), products)
   end subroutine multiply

   subroutine are_the_same_by_rows(columns)
      real(dp), intent(in), contiguous :: columns(:, :)
         !! J, and f behind it.
      real(dp), dimension(size(columns, 2), size(columns, 2) - 1) :: by_columns, by_rows
      integer :: n, row, last, j

      n = size(columns, 2) - 1
      by_columns = 0
      by_rows = 0
      call multiply(columns, by_columns)
      do row = 1, size(columns, 1), rows_at_once
         last = min(size(columns, 1), row + rows_at_once - 1)
         call add_products_of_rows(n, last - row + 1, turned(columns(row:last, :)), by_rows)
      end do
      do j = 1, n
         call check(all(abs(by_rows(j:, j) - by_columns(j:, j)) <= 1e-12_dp*size(columns, 1)), &
                    'products row by row')
      end do
   end subroutine are_the_same_by_rows

   function turned(rows) result(pieces)
      !! Rows as columns, in pieces.
      real(dp), intent(in) :: rows(:, :)
      real(dp) :: pieces(rows_at_once, size(rows, 1), 1 + (size(rows, 2) - 1)/rows_at_once)
      integer :: j

      pieces = 1e300_dp
      do j = 0, size(rows, 2) - 1
         pieces(1 + mod(j, rows_at_once), :, 1 + j/rows_at_once) = rows(:, j + 1)
      end do
   end function turned

   subroutine factor(products, r, qtf, ipvt, acnorm, accurate)
      real(dp), intent(in) :: products(:, :)
      real(dp), intent(out) :: r(:, :)
      real(dp), intent(out) :: qtf(:)
      integer, intent(out) :: ipvt(:)
      real(dp), intent(out) :: acnorm(:)
      logical, intent(out) :: accurate
      real(dp) :: left(size(qtf))

      call factor_products(size(qtf), products, r, qtf, ipvt, acnorm, left, accurate)
   end subroutine factor

   subroutine agrees_with_reflections(columns)
      real(dp), intent(in) :: columns(:, :)
      real(dp) :: work(size(columns, 1), size(columns, 2))
      real(dp), dimension(size(columns, 2) - 1, size(columns, 2) - 1) :: r, expected
      real(dp), dimension(size(columns, 2) - 1) :: qtf, acnorm, expected_qtf, expected_norm, unit
      real(dp) :: products(size(columns, 2), size(columns, 2) - 1), left(size(columns, 2) - 1, 2)
      integer, dimension(size(columns, 2) - 1) :: ipvt, expected_ipvt
      logical :: accurate
      integer :: n, k

      n = size(qtf)
      products = 0
      call multiply(columns, products)
      call factor(products, r, qtf, ipvt, acnorm, accurate)
      work = columns
      call triangulate(size(work, 1), n + 1, work, size(work, 1))
      do k = 1, n
         expected(:k, k) = work(:k, k)
         expected(k + 1:, k) = 0
      end do
      expected_qtf = work(:n, n + 1)
      call pivoted_qr(n, expected, expected_qtf, expected_ipvt, expected_norm, left)
      if (.not. accurate) then
         call check(n > 1 .and. size(columns, 1) < 100, 'many random rows are accurate')
         return
      end if
      do k = 1, n
         unit(k) = sign(1.0_dp, expected(k, k))
         expected(k, :) = unit(k)*expected(k, :)
      end do
      call check(all(ipvt == expected_ipvt), 'the same pivots')
      call check(all(abs(r - expected) <= 1e-11_dp*maxval(abs(expected))), 'the same triangle')
      call check(all(abs(qtf - unit*expected_qtf) <= 1e-10_dp*maxval(abs(columns))*10), &
                 'the same right-hand side')
      call check(all(abs(acnorm - expected_norm) <= 1e-13_dp*expected_norm), 'the same norms')
   end subroutine agrees_with_reflections

   subroutine adds_up(first, second)
      real(dp), intent(in) :: first(:, :)
      real(dp), intent(in) :: second(:, :)
      real(dp) :: both(2*size(first, 1), size(first, 2))
      real(dp), dimension(size(first, 2), size(first, 2) - 1) :: parts, whole
      integer :: j

      both(:size(first, 1), :) = first
      both(size(first, 1) + 1:, :) = second
      parts = 0
      whole = 0
      call multiply(first, parts)
      call multiply(second, parts)
      call multiply(both, whole)
      do j = 1, size(first, 2) - 1
         call check(all(abs(parts(j:, j) - whole(j:, j)) <= 1e-13_dp*size(both)), 'blocks add up')
      end do
   end subroutine adds_up

   subroutine is_given_up_where_digits_are_lost(columns)
      real(dp), intent(in) :: columns(:, :)
      real(dp) :: work(size(columns, 1), size(columns, 2))
      real(dp) :: products(size(columns, 2), size(columns, 2) - 1)
      real(dp) :: r(size(columns, 2) - 1, size(columns, 2) - 1)
      real(dp), dimension(size(columns, 2) - 1) :: qtf, acnorm
      integer :: ipvt(size(columns, 2) - 1), n
      logical :: accurate

      n = size(qtf)
      work = columns
      if (n > 1) then
         work(:, n) = work(:, 1) + 1e-4_dp*work(:, n)
         products = 0
         call multiply(work, products)
         call factor(products, r, qtf, ipvt, acnorm, accurate)
         call check(.not. accurate, 'two columns that are almost equal')
      end if
      work = columns
      work(:, n) = 0
      products = 0
      call multiply(work, products)
      call factor(products, r, qtf, ipvt, acnorm, accurate)
      call check(.not. accurate, 'a column of zeros')
      work(:, n) = 1e200_dp*columns(:, n)
      products = 0
      call multiply(work, products)
      call factor(products, r, qtf, ipvt, acnorm, accurate)
      call check(.not. accurate, 'a square that overflows')
   end subroutine is_given_up_where_digits_are_lost

end program test_products
