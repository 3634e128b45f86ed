module minpack_qr
   !! The column-pivoted QR factorization of a triangle.
   !!
   !! Folding yields J = Q1 R1 without pivoting. The factorization R1 P = Q2 R then gives J P = (Q1
   !! Q2) R. Each step takes the column that has the largest norm below the rows that are finished
   !! (Businger and Golub 1965). Therefore the absolute values on the diagonal of R do not increase,
   !! and the rank can be read from them. The norms are updated, not recomputed: reflections do not
   !! change them, and the element that becomes a part of R is removed by left**2 - r(k, j)**2.
   !!
   !! If there are many columns, most of the time is spent on moving them into the processor. Then
   !! the reflections of a panel are applied to the columns behind it together: A - V F', where
   !! column k of F is what reflection k needs to know of all columns (G. Quintana-Ortí, X. Sun and
   !! C. H. Bischof, "A BLAS-3 version of the QR factorization with column pivoting", SIAM J. Sci.
   !! Comput. 19 (1998) 1486-1494). A panel ends early if the norm of a column must be recomputed.
   use minpack_kinds, only: dp, epsmch
   use minpack_assertions, only: debugging, assert
   use minpack_vectors, only: dot, enorm
   use minpack_reflection, only: make_reflection, reflect
   use minpack_tile, only: tile_rows, tile_columns, subtract_tile, many_columns
   implicit none
   private
   public :: pivoted_qr

   integer, parameter :: widest = 32
      !! The largest number of columns in a panel.

contains

   pure subroutine pivoted_qr(n, r, qtf, ipvt, acnorm, left)
      !! Factor the triangle r once more, with column pivoting.
      integer, intent(in) :: n
         !! Number of columns.
      real(dp), intent(inout) :: r(n, n)
         !! In: an upper triangle. Out: the triangle of r(:, ipvt), its diagonal nonincreasing.
      real(dp), intent(inout) :: qtf(n)
         !! In: the right-hand side that belongs to r. Out: the one that belongs to the new r.
      integer, intent(out) :: ipvt(n)
         !! Column j of the new r is column ipvt(j) of the old.
      real(dp), intent(out) :: acnorm(n)
         !! Norms of the columns of the old r, which are those of the Jacobian.
      real(dp), intent(out) :: left(n, 2)
         !! Workspace: the norm of column j below the rows done, and the last one not updated but
         !! computed.
      real(dp), allocatable :: f(:, :)
      integer :: j, k, stat

      do j = 1, n
         acnorm(j) = enorm(j, r(1, j))
         left(j, :) = acnorm(j)
         ipvt(j) = j
      end do
      stat = 1
      if (n >= many_columns) allocate (f(n, widest + 1), stat=stat)
      if (stat == 0) then
         call factor_by_panels(n, r, qtf, ipvt, left, f)
      else
         call factor_by_columns(n, r, qtf, ipvt, left)
      end if
      if (debugging) then
         do k = 2, n
            call assert(.not. abs(r(k, k)) > 1.01_dp*abs(r(k - 1, k - 1)) &
                        + n*epsmch*abs(r(1, 1)), 'the diagonal falls')
            call assert(all(ipvt(:k - 1) /= ipvt(k)), 'ipvt is a permutation')
         end do
      end if
   end subroutine pivoted_qr

   pure subroutine factor_by_columns(n, r, qtf, ipvt, left)
      !! Apply each reflection to all columns behind it.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
      real(dp), intent(inout) :: qtf(n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n, 2)
      real(dp) :: tau
      logical :: lost
      integer :: j, k, pivot, depth, rows

      depth = 0
      do k = 1, n
         pivot = k
         do j = k + 1, n
            if (left(j, 1) > left(pivot, 1)) pivot = j
         end do
         ! Column j of the old r ends in row j, so no row below the last pivot needs reflecting.
         depth = max(depth, ipvt(pivot))
         if (pivot /= k) call exchange_columns(n, r, ipvt, left, k, pivot)

         rows = depth - k
         tau = 0
         if (rows > 0) then
            call make_reflection(rows, r(k, k), r(k + 1, k), tau)
            call reflect(rows, r(k + 1, k), tau, qtf(k), qtf(k + 1))
         end if
         do j = k + 1, n
            if (rows > 0) call reflect(rows, r(k + 1, k), tau, r(k, j), r(k + 1, j))
            call drop_element(r(k, j), left(j, 1), left(j, 2), lost)
            if (lost) left(j, :) = enorm(n - k, r(k + 1, j))
         end do
         r(k + 1:depth, k) = 0
      end do
   end subroutine factor_by_columns

   pure subroutine factor_by_panels(n, r, qtf, ipvt, left, f)
      !! Apply the reflections of a panel together.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
      real(dp), intent(inout) :: qtf(n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n, 2)
      real(dp), intent(out) :: f(n, widest + 1)
         !! Workspace: F, and a column for a row of V F'.
      integer :: first, done, j, k

      done = 0
      do while (done < n)
         first = done + 1
         call factor_panel(n, first, r, qtf, ipvt, left, f, done)
         call apply_panel(n, first, done, r, f)
         do j = done + 1, n
            if (left(j, 2) == 0) left(j, :) = enorm(n - done, r(done + 1, j))
         end do
      end do
      do k = 1, n
         r(k + 1:, k) = 0
      end do
   end subroutine factor_by_panels

   pure subroutine factor_panel(n, first, r, qtf, ipvt, left, f, done)
      !! Factor a panel. Of the columns behind it, only its rows are computed.
      integer, intent(in) :: n
      integer, intent(in) :: first
         !! The first column of the panel.
      real(dp), intent(inout) :: r(n, n)
         !! Out: V below the diagonal of the panel.
      real(dp), intent(inout) :: qtf(n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n, 2)
         !! Out: zero in the second column where the norm must be recomputed.
      real(dp), intent(inout) :: f(n, widest + 1)
      integer, intent(out) :: done
         !! The last column of the panel.
      real(dp) :: tau, value
      logical :: lost, any_lost
      integer :: c, i, j, k, pivot

      done = first - 1
      do c = 1, min(widest, n - first + 1)
         k = first + c - 1
         done = k
         pivot = k
         do j = k + 1, n
            if (left(j, 1) > left(pivot, 1)) pivot = j
         end do
         if (pivot /= k) then
            call exchange_columns(n, r, ipvt, left, k, pivot)
            do i = 1, c - 1
               value = f(k, i)
               f(k, i) = f(pivot, i)
               f(pivot, i) = value
            end do
         end if

         do i = 1, c - 1
            r(k:, k) = r(k:, k) - f(k, i)*r(k:, first + i - 1)
         end do
         call make_reflection(n - k, r(k, k), r(k + 1:, k), tau)
         call reflect(n - k, r(k + 1:, k), tau, qtf(k), qtf(k + 1:))
         do j = k + 1, n
            f(j, c) = tau*(r(k, j) + dot(n - k, r(k + 1:, j), r(k + 1:, k)))
         end do
         do i = 1, c - 1
            value = tau*(r(k, first + i - 1) + dot(n - k, r(k + 1:, first + i - 1), r(k + 1:, k)))
            f(k + 1:, c) = f(k + 1:, c) - value*f(k + 1:, i)
         end do

         associate (row => f(:, widest + 1))
            row(k + 1:) = f(k + 1:, c)
            do i = 1, c - 1
               row(k + 1:) = row(k + 1:) + r(k, first + i - 1)*f(k + 1:, i)
            end do
            any_lost = .false.
            do j = k + 1, n
               r(k, j) = r(k, j) - row(j)
               call drop_element(r(k, j), left(j, 1), left(j, 2), lost)
               if (lost) left(j, 2) = 0
               any_lost = any_lost .or. lost
            end do
         end associate
         if (any_lost) return
      end do
   end subroutine factor_panel

   pure subroutine apply_panel(n, first, done, r, f)
      !! Apply the reflections of a panel to the columns and rows behind it.
      integer, intent(in) :: n
      integer, intent(in) :: first
      integer, intent(in) :: done
      real(dp), intent(inout) :: r(n, n)
      real(dp), intent(in) :: f(n, widest + 1)
      real(dp) :: factors(tile_rows, tile_columns)
      integer :: below, count, in_tiles, beyond, c, j, k

      below = done + 1
      count = done - first + 1
      in_tiles = count/tile_rows*tile_rows
      beyond = below + (n - done)/tile_columns*tile_columns
      do j = below, beyond - 1, tile_columns
         do c = 1, in_tiles, tile_rows
            do k = 1, tile_columns
               factors(:, k) = f(j + k - 1, c:c + tile_rows - 1)
            end do
            call subtract_tile(n - done, r(below, first + c - 1), n, factors, r(below, j), &
                               r(below, j + 1), r(below, j + 2))
         end do
      end do
      do j = below, n
         do c = merge(in_tiles, 0, j < beyond) + 1, count
            r(below:, j) = r(below:, j) - f(j, c)*r(below:, first + c - 1)
         end do
      end do
   end subroutine apply_panel

   pure subroutine exchange_columns(n, r, ipvt, left, k, pivot)
      !! Exchange column k and the pivot column. The norms of column k move with it.
      integer, intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n, 2)
      integer, intent(in) :: k
      integer, intent(in) :: pivot
      real(dp) :: value
      integer :: i, column

      do i = 1, n
         value = r(i, k)
         r(i, k) = r(i, pivot)
         r(i, pivot) = value
      end do
      left(pivot, :) = left(k, :)
      column = ipvt(k)
      ipvt(k) = ipvt(pivot)
      ipvt(pivot) = column
   end subroutine exchange_columns

   pure subroutine drop_element(top, norm, computed, lost)
      !! Remove the element top from the norm of a column.
      real(dp), intent(in) :: top
      real(dp), intent(inout) :: norm
      real(dp), intent(in) :: computed
      logical, intent(out) :: lost
         !! Whether cancellation has destroyed half of the digits of its square.

      lost = .false.
      if (norm == 0) return
      norm = norm*sqrt(max(0.0_dp, 1 - (top/norm)**2))
      lost = (norm/computed)**2 <= sqrt(epsmch)
   end subroutine drop_element

end module minpack_qr
