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

   pure subroutine fold(rows, columns, block, ld, r, ldr)
      !! Fold a block of rows into the triangle r.
      integer, intent(in) :: rows
      integer, intent(in) :: columns
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
      do first = 1, columns - panel, panel
         last = first + panel - 1
         call fold_panel(rows, block(1, first), ld, r(first, first), ldr, t)
         do j = last + 1, columns - 1, 2
            call reflect_pair(rows, block(1, first), ld, t, r(first, j), r(first, j + 1), &
                              block(1, j), block(1, j + 1))
         end do
         if (j == columns) call reflect_pair(rows, block(1, first), ld, t, r(first, j), spare, &
                                             block(1, j), block(1, j + 1))
      end do
      do k = first, columns
         call make_reflection(rows, r(k, k), block(1, k), tau)
         do j = k + 1, columns
            call reflect(rows, block(1, k), tau, r(k, j), block(1, j))
         end do
      end do
   end subroutine fold

   pure subroutine fold_panel(rows, v, ld, r, ldr, t)
      !! Fold the columns of a panel, and gather their reflections to I - V t V'.
      integer, intent(in) :: rows
      integer, intent(in) :: ld
      real(dp), intent(inout) :: v(ld, panel)
         !! In: the columns. Out: V below its unit rows.
      integer, intent(in) :: ldr
      real(dp), intent(inout) :: r(ldr, panel)
         !! The triangle above the columns.
      real(dp), intent(out) :: t(panel, panel)
      real(dp) :: products(panel), w
      integer :: i, j, k

      do k = 1, panel
         call make_reflection(rows, r(k, k), v(1, k), t(k, k))
         products = products_with(rows, v(1, k), v, ld)
         t(:k - 1, k) = -t(k, k)*products(:k - 1)
         do j = 1, k - 1
            t(j, k) = sum(t(j, j:k - 1)*t(j:k - 1, k))
         end do
         do j = k + 1, panel
            w = t(k, k)*(r(k, j) + products(j))
            r(k, j) = r(k, j) - w
            !$omp simd
            do i = 1, rows
               v(i, j) = v(i, j) - w*v(i, k)
            end do
         end do
      end do
   end subroutine fold_panel

   pure function products_with(rows, column, v, ld) result(products)
      !! The products of a column with the four of a panel.
      integer, intent(in) :: rows
      real(dp), intent(in) :: column(rows)
      integer, intent(in) :: ld
      real(dp), intent(in) :: v(ld, panel)
      real(dp) :: products(panel)
      real(dp) :: a1, a2, a3, a4
      integer :: i

      a1 = 0; a2 = 0; a3 = 0; a4 = 0
      !$omp simd reduction(+:a1, a2, a3, a4)
      do i = 1, rows
         a1 = a1 + v(i, 1)*column(i)
         a2 = a2 + v(i, 2)*column(i)
         a3 = a3 + v(i, 3)*column(i)
         a4 = a4 + v(i, 4)*column(i)
      end do
      products = [a1, a2, a3, a4]
   end function products_with

   pure subroutine make_reflection(rows, alpha, v, tau)
      !! The reflection that takes (alpha, v) to (beta, 0).
      integer, intent(in) :: rows
      real(dp), intent(inout) :: alpha
         !! Out: beta.
      real(dp), intent(inout) :: v(rows)
         !! Out: the reflection's vector below its leading 1.
      real(dp), intent(out) :: tau
      real(dp) :: beta, below

      below = dot(rows, v, v)
      if (below >= least_square .and. below + alpha**2 <= greatest_square) then
         beta = -sign(sqrt(below + alpha**2), alpha)
      else
         below = enorm(rows, v)
         if (below == 0) then
            tau = 0
            return
         end if
         beta = -sign(hypot(alpha, below), alpha)
      end if
      tau = (beta - alpha)/beta
      call divide(rows, v, alpha - beta)
      alpha = beta
   end subroutine make_reflection

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
         column1(i) = column1(i) - ((v(i, 1)*w1(1) + v(i, 2)*w1(2)) &
                                    + (v(i, 3)*w1(3) + v(i, 4)*w1(4)))
         column2(i) = column2(i) - ((v(i, 1)*w2(1) + v(i, 2)*w2(2)) &
                                    + (v(i, 3)*w2(3) + v(i, 4)*w2(4)))
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
