module minpack_fold
   !! Householder reflections, and the folding of rows into a triangle.
   !!
   !! The Jacobian is never factored whole. Its rows, with the residuals as one more column, come in
   !! blocks, and each block B is folded into an upper triangle R:
   !!
   !!     Q' [R]  =  [R_new]
   !!        [B]     [  0  ]
   !!
   !! Reflection k is I - tau u u' with u = (1 in row k of R, v in the rows of B), so the zeros of R
   !! stay zeros and v overwrites column k of B. Reflections are gathered in panels of four and
   !! applied to the columns behind the panel at once, I - V T V' with a 4 x 4 triangle T
   !! (Schreiber and Van Loan 1989), two columns at a time, to read and write each column once.
   !!
   !! This is where fits of many residuals spend their time. The block should lie in cache with its
   !! columns on cache lines of their own: vectors that straddle two lines take half as long again.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, enorm, divide, least_square, greatest_square
   implicit none
   private
   public :: triangulate, fold, make_reflection, reflect

   integer, parameter :: panel = 4

contains

   pure subroutine triangulate(rows, columns, r, ld)
      !! Factor the first rows in place: what the others are folded into. To start from a triangle of
      !! zeros would do, but for a small row among large ones: its part in the last diagonal elements
      !! would drown in the rounding errors of the others.
      integer, intent(in) :: rows
      integer, intent(in) :: columns
      integer, intent(in) :: ld
      real(dp), intent(inout) :: r(ld, columns)
         !! Out: the triangle. What is below the diagonal is destroyed.
      real(dp) :: tau
      integer :: j, k

      do k = 1, min(rows - 1, columns)
         call make_reflection(rows - k, r(k, k), r(k + 1, k), tau)
         do j = k + 1, columns
            call reflect(rows - k, r(k + 1, k), tau, r(k, j), r(k + 1, j))
         end do
      end do
   end subroutine triangulate

   pure subroutine fold(rows, columns, height, block, ld, r, ldr)
      !! Fold a block of rows into the triangle r.
      integer, intent(in) :: rows
      integer, intent(in) :: columns
      integer, intent(in) :: height
         !! The rows of r that are there. If fewer than columns, what is left of the block stands in
         !! its columns behind.
      integer, intent(in) :: ld
      real(dp), intent(inout) :: block(ld, columns + 1)
         !! Shape: (rows, columns), the rows to fold in. Destroyed. The column behind them is spare.
      integer, intent(in) :: ldr
      real(dp), intent(inout) :: r(ldr, columns)
         !! The upper triangle of what was folded before.
      real(dp) :: t(panel, panel), spare(panel), tau
      integer :: first, last, j, k

      block(:rows, columns + 1) = 0
      spare = 0
      do first = 1, min(height, columns - 1) - panel + 1, panel
         last = first + panel - 1
         call fold_panel(rows, block(1, first), ld, r(first, first), ldr, t)
         do j = last + 1, columns - 1, 2
            call reflect_pair(rows, block(1, first), ld, t, r(first, j), r(first, j + 1), &
                              block(1, j), block(1, j + 1))
         end do
         if (j == columns) call reflect_pair(rows, block(1, first), ld, t, r(first, j), spare, &
                                             block(1, j), block(1, j + 1))
      end do
      do k = first, height
         call make_reflection(rows, r(k, k), block(1, k), tau)
         do j = k + 1, columns
            call reflect(rows, block(1, k), tau, r(k, j), block(1, j))
         end do
      end do
   end subroutine fold

   pure subroutine fold_panel(rows, v, ld, r, ldr, t)
      !! Fold the columns of a panel, and gather their reflections to I - V t V'. Each column is
      !! passed over three times: for its products with the columns before it, to take those out of
      !! it, and to scale what is left.
      integer, intent(in) :: rows
      integer, intent(in) :: ld
      real(dp), intent(inout) :: v(ld, panel)
         !! In: the columns. Out: V below its unit rows.
      integer, intent(in) :: ldr
      real(dp), intent(inout) :: r(ldr, panel)
         !! The triangle above the columns.
      real(dp), intent(out) :: t(panel, panel)
      real(dp) :: products(panel - 1), w(panel - 1), square, divisor
      integer :: j, k, second, third

      square = dot(rows, v, v)
      do k = 1, panel
         if (k > 1) then
            ! What is before the second and the third column counts for nothing: w is zero there.
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
   end subroutine fold_panel

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
         !! Of what is left with the three.
      real(dp), intent(out) :: square
         !! The sum of squares of what is left.
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

   pure subroutine make_reflection(rows, alpha, v, tau)
      !! The reflection that takes (alpha, v) to (beta, 0).
      integer, intent(in) :: rows
      real(dp), intent(inout) :: alpha
         !! Out: beta.
      real(dp), intent(inout) :: v(rows)
         !! Out: the reflection's vector below its leading 1.
      real(dp), intent(out) :: tau
      real(dp) :: divisor

      call finish_reflection(rows, dot(rows, v, v), alpha, v, tau, divisor)
   end subroutine make_reflection

   pure subroutine finish_reflection(rows, square, alpha, v, tau, divisor)
      !! The same, where the sum of squares is known.
      integer, intent(in) :: rows
      real(dp), intent(in) :: square
         !! Of v.
      real(dp), intent(inout) :: alpha
      real(dp), intent(inout) :: v(rows)
      real(dp), intent(out) :: tau
      real(dp), intent(out) :: divisor
         !! What v was divided by.
      real(dp) :: beta, below

      if (square >= least_square .and. square + alpha**2 <= greatest_square) then
         beta = -sign(sqrt(square + alpha**2), alpha)
      else
         below = enorm(rows, v)
         if (below == 0) then
            tau = 0
            divisor = 1
            return
         end if
         beta = -sign(hypot(alpha, below), alpha)
      end if
      tau = (beta - alpha)/beta
      divisor = alpha - beta
      call divide(rows, v, divisor)
      alpha = beta
   end subroutine finish_reflection

   pure subroutine reflect(rows, v, tau, top, column)
      !! Apply one reflection to the column (top, column).
      integer, intent(in) :: rows
      real(dp), intent(in) :: v(rows)
      real(dp), intent(in) :: tau
      real(dp), intent(inout) :: top
      real(dp), intent(inout) :: column(rows)
      real(dp) :: w
      integer :: i

      w = tau*(top + dot(rows, v, column))
      top = top - w
      !$omp simd
      do i = 1, rows
         column(i) = column(i) - w*v(i)
      end do
   end subroutine reflect

   pure subroutine reflect_pair(rows, v, ld, t, top1, top2, column1, column2)
      !! Apply a panel of reflections to two columns at once.
      integer, intent(in) :: rows
      integer, intent(in) :: ld
      real(dp), intent(in) :: v(ld, panel)
      real(dp), intent(in) :: t(panel, panel)
      real(dp), intent(inout) :: top1(panel)
         !! The rows of the triangle that the panel touches.
      real(dp), intent(inout) :: top2(panel)
      real(dp), intent(inout) :: column1(rows)
      real(dp), intent(inout) :: column2(rows)
      real(dp) :: a1, a2, a3, a4, b1, b2, b3, b4, w1(panel), w2(panel)
      integer :: i

      a1 = 0; a2 = 0; a3 = 0; a4 = 0
      b1 = 0; b2 = 0; b3 = 0; b4 = 0
      !$omp simd reduction(+:a1, a2, a3, a4, b1, b2, b3, b4)
      do i = 1, rows
         a1 = a1 + v(i, 1)*column1(i)
         a2 = a2 + v(i, 2)*column1(i)
         a3 = a3 + v(i, 3)*column1(i)
         a4 = a4 + v(i, 4)*column1(i)
         b1 = b1 + v(i, 1)*column2(i)
         b2 = b2 + v(i, 2)*column2(i)
         b3 = b3 + v(i, 3)*column2(i)
         b4 = b4 + v(i, 4)*column2(i)
      end do
      w1 = transposed_times(t, top1 + [a1, a2, a3, a4])
      w2 = transposed_times(t, top2 + [b1, b2, b3, b4])
      top1 = top1 - w1
      top2 = top2 - w2
      !$omp simd
      do i = 1, rows
         column1(i) = (((column1(i) - v(i, 1)*w1(1)) - v(i, 2)*w1(2)) - v(i, 3)*w1(3)) - v(i, 4)*w1(4)
         column2(i) = (((column2(i) - v(i, 1)*w2(1)) - v(i, 2)*w2(2)) - v(i, 3)*w2(3)) - v(i, 4)*w2(4)
      end do
   end subroutine reflect_pair

   pure function transposed_times(t, w) result(product)
      real(dp), intent(in) :: t(panel, panel)
      real(dp), intent(in) :: w(panel)
      real(dp) :: product(panel)
      integer :: k

      do k = 1, panel
         product(k) = sum(t(:k, k)*w(:k))
      end do
   end function transposed_times

end module minpack_fold
