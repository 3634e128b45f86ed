module minpack_panel
   !! The four reflections that fold a panel of four columns.
   !!
   !! They are computed from the products of the columns, if rounding errors allow it. This reads
   !! the columns twice only.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, least_square, greatest_square
   use minpack_reflection, only: finish_reflection
   use minpack_block_reflection, only: panel, transposed_times
   implicit none
   private
   public :: fold_panel

   real(dp), parameter :: least_share = 0.1_dp
      !! The panel is given up if a column, after projection on the columns before it, keeps less
      !! than this fraction.

contains

   pure subroutine fold_panel(rows, v, ld, r, ldr, t)
      !! Fold the columns of a panel, and gather their reflections to I - V t V'.
      integer, intent(in) :: rows
         !! Rows of the panel.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(inout) :: v(ld, panel)
         !! In: the columns. Out: V below its unit rows.
      integer, intent(in) :: ldr
         !! From one column of the triangle to the next, in numbers.
      real(dp), intent(inout) :: r(ldr, panel)
         !! The triangle above the columns.
      real(dp), intent(out) :: t(panel, panel)
         !! The triangle t.
      real(dp) :: products(panel, panel), top(panel, panel), factors(panel, panel)
      logical :: accurate
      integer :: k

      products = cross_products(rows, v(1, 1), v(1, 2), v(1, 3), v(1, 4))
      top = 0
      do k = 1, panel
         top(:k, k) = r(:k, k)
      end do
      call reflect_unseen(products, top, t, factors, accurate)
      if (accurate) then
         do k = 1, panel
            r(:k, k) = top(:k, k)
         end do
         call combine(rows, factors, v(1, 1), v(1, 2), v(1, 3), v(1, 4))
      else
         call fold_columns(rows, v, ld, r, ldr, t)
      end if
   end subroutine fold_panel

   pure function cross_products(rows, v1, v2, v3, v4) result(products)
      !! The products of the columns of a panel with each other.
      integer, intent(in) :: rows
      real(dp), intent(in) :: v1(rows)
      real(dp), intent(in) :: v2(rows)
      real(dp), intent(in) :: v3(rows)
      real(dp), intent(in) :: v4(rows)
      real(dp) :: products(panel, panel)
      real(dp) :: a11, a12, a13, a14, a22, a23, a24, a33, a34, a44
      integer :: i

      a11 = 0; a12 = 0; a13 = 0; a14 = 0; a22 = 0; a23 = 0; a24 = 0; a33 = 0; a34 = 0; a44 = 0
      !$omp simd reduction(+:a11, a12, a13, a14, a22, a23, a24, a33, a34, a44)
      do i = 1, rows
         a11 = a11 + v1(i)*v1(i)
         a12 = a12 + v1(i)*v2(i)
         a13 = a13 + v1(i)*v3(i)
         a14 = a14 + v1(i)*v4(i)
         a22 = a22 + v2(i)*v2(i)
         a23 = a23 + v2(i)*v3(i)
         a24 = a24 + v2(i)*v4(i)
         a33 = a33 + v3(i)*v3(i)
         a34 = a34 + v3(i)*v4(i)
         a44 = a44 + v4(i)*v4(i)
      end do
      products(:, 1) = [a11, a12, a13, a14]
      products(:, 2) = [a12, a22, a23, a24]
      products(:, 3) = [a13, a23, a33, a34]
      products(:, 4) = [a14, a24, a34, a44]
   end function cross_products

   pure subroutine reflect_unseen(products, top, t, factors, accurate)
      !! The reflections of a panel from the products of its columns B alone: every vector on the
      !! way is B y for some y, and its square y' B'B y.
      !!
      !! A square so computed errs by some epsmch of sum(|y(i)| |B(:, i)|)**2. This is negligible
      !! compared with the square of the whole column, unless the column is close to a combination
      !! of the columns before it. In that case the panel is given up.
      real(dp), intent(in) :: products(panel, panel)
         !! B'B.
      real(dp), intent(inout) :: top(panel, panel)
         !! The triangle above the columns, zero below its diagonal.
      real(dp), intent(out) :: t(panel, panel)
      real(dp), intent(out) :: factors(panel, panel)
         !! V = B factors, an upper triangle.
      logical, intent(out) :: accurate
         !! If not, the other results are not valid.
      real(dp), dimension(panel) :: norms, w, y, products_with_y
      real(dp) :: square, spread, beta, tau, divisor
      integer :: j, k

      t = 0
      factors = 0
      accurate = .false.
      do k = 1, panel
         norms(k) = products(k, k)
         if (.not. (norms(k) >= least_square .and. norms(k) <= greatest_square)) return
      end do
      norms = sqrt(norms)
      !GCC$ unroll 4
      do k = 1, panel
         y = 0
         y(k) = 1
         if (k > 1) then
            do j = 1, panel
               w(j) = top(j, k) + sum(factors(:, j)*products(:, k))
            end do
            w = transposed_times(t, w)
            do j = 1, k - 1
               top(j, k) = top(j, k) - w(j)
               y = y - w(j)*factors(:, j)
            end do
         end if
         products_with_y = 0
         do j = 1, panel
            products_with_y = products_with_y + y(j)*products(:, j)
         end do
         square = sum(y*products_with_y) + top(k, k)**2
         spread = sum(abs(y)*norms)**2
         if (.not. (square >= least_share*spread .and. square <= greatest_square)) return

         beta = -sign(sqrt(square), top(k, k))
         tau = (beta - top(k, k))/beta
         divisor = top(k, k) - beta
         top(k, k) = beta
         factors(:, k) = y/divisor
         do j = 1, k - 1
            w(j) = sum(factors(:, j)*products_with_y)/divisor
         end do
         t(k, k) = tau
         do j = 1, k - 1
            t(j, k) = -tau*sum(t(j, j:k - 1)*w(j:k - 1))
         end do
      end do
      accurate = .true.
   end subroutine reflect_unseen

   pure subroutine combine(rows, factors, v1, v2, v3, v4)
      !! Multiply the columns of a panel by an upper triangle.
      integer, intent(in) :: rows
      real(dp), intent(in) :: factors(panel, panel)
      real(dp), intent(inout) :: v1(rows)
      real(dp), intent(inout) :: v2(rows)
      real(dp), intent(inout) :: v3(rows)
      real(dp), intent(inout) :: v4(rows)
      integer :: i

      !$omp simd
      do i = 1, rows
         v4(i) = ((factors(4, 4)*v4(i) + factors(3, 4)*v3(i)) + factors(2, 4)*v2(i)) &
                 + factors(1, 4)*v1(i)
         v3(i) = (factors(3, 3)*v3(i) + factors(2, 3)*v2(i)) + factors(1, 3)*v1(i)
         v2(i) = factors(2, 2)*v2(i) + factors(1, 2)*v1(i)
         v1(i) = factors(1, 1)*v1(i)
      end do
   end subroutine combine

   pure subroutine fold_columns(rows, v, ld, r, ldr, t)
      !! The same as fold_panel, column by column. Each column is read three times: for its products
      !! with the columns before it, to subtract these columns, and to scale the rest.
      integer, intent(in) :: rows
      integer, intent(in) :: ld
      real(dp), intent(inout) :: v(ld, panel)
      integer, intent(in) :: ldr
      real(dp), intent(inout) :: r(ldr, panel)
      real(dp), intent(out) :: t(panel, panel)
      real(dp) :: products(panel - 1), w(panel - 1), square, divisor
      integer :: j, k, second, third

      square = dot(rows, v, v)
      do k = 1, panel
         if (k > 1) then
            ! Missing columns have no effect, because w is zero for them.
            second = min(2, k - 1)
            third = min(3, k - 1)
            products = products_with(rows, v(1, k), v(1, 1), v(1, second), v(1, third))
            w = 0
            do j = 1, k - 1
               w(j) = sum(t(:j, j)*(r(:j, k) + products(:j)))
            end do
            r(:k - 1, k) = r(:k - 1, k) - w(:k - 1)
            call subtract(rows, w, v(1, 1), v(1, second), v(1, third), v(1, k), products, square)
         end if
         call finish_reflection(rows, square, r(k, k), v(1, k), t(k, k), divisor)
         do j = 1, k - 1
            t(j, k) = -t(k, k)*sum(t(j, j:k - 1)*(products(j:k - 1)/divisor))
         end do
      end do
   end subroutine fold_columns

   pure function products_with(rows, column, v1, v2, v3) result(products)
      integer, intent(in) :: rows
      real(dp), intent(in) :: column(rows)
      real(dp), intent(in) :: v1(rows)
      real(dp), intent(in) :: v2(rows)
      real(dp), intent(in) :: v3(rows)
      real(dp) :: products(3)
      real(dp) :: a1, a2, a3
      integer :: i

      a1 = 0; a2 = 0; a3 = 0
      !$omp simd reduction(+:a1, a2, a3)
      do i = 1, rows
         a1 = a1 + v1(i)*column(i)
         a2 = a2 + v2(i)*column(i)
         a3 = a3 + v3(i)*column(i)
      end do
      products = [a1, a2, a3]
   end function products_with

   pure subroutine subtract(rows, w, v1, v2, v3, column, products, square)
      !! Take multiples of three columns out of another.
      integer, intent(in) :: rows
      real(dp), intent(in) :: w(3)
      real(dp), intent(in) :: v1(rows)
      real(dp), intent(in) :: v2(rows)
      real(dp), intent(in) :: v3(rows)
      real(dp), intent(inout) :: column(rows)
      real(dp), intent(out) :: products(3)
         !! Products of the rest of the column with the three columns.
      real(dp), intent(out) :: square
         !! The sum of squares of the rest of the column.
      real(dp) :: a1, a2, a3, left
      integer :: i

      a1 = 0; a2 = 0; a3 = 0
      square = 0
      !$omp simd reduction(+:a1, a2, a3, square) private(left)
      do i = 1, rows
         left = column(i) - ((w(1)*v1(i) + w(2)*v2(i)) + w(3)*v3(i))
         column(i) = left
         a1 = a1 + v1(i)*left
         a2 = a2 + v2(i)*left
         a3 = a3 + v3(i)*left
         square = square + left**2
      end do
      products = [a1, a2, a3]
   end subroutine subtract

end module minpack_panel
