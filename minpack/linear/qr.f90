module minpack_qr
   !! The column-pivoted QR factorization of a triangle.
   !!
   !! Folding yields J = Q1 R1 without pivoting. The factorization R1 P = Q2 R then gives J P = (Q1
   !! Q2) R. Each step takes the column that has the largest norm below the rows that are finished
   !! (Businger and Golub 1965). Therefore the absolute values on the diagonal of R do not increase,
   !! and the rank can be read from them. The norms are updated, not recomputed: reflections do not
   !! change them, and the element that becomes a part of R is removed by left**2 - r(k, j)**2.
   use minpack_kinds, only: dp, epsmch
   use minpack_assertions, only: debugging, assert
   use minpack_vectors, only: enorm
   use minpack_reflection, only: make_reflection, reflect
   implicit none
   private
   public :: pivoted_qr

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
      real(dp) :: tau
      integer :: j, k, pivot, depth, rows

      do j = 1, n
         acnorm(j) = enorm(j, r(1, j))
         left(j, :) = acnorm(j)
         ipvt(j) = j
      end do

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
            call drop_row(n - k, r(k, j), r(k + 1, j), left(j, 1), left(j, 2))
         end do
         r(k + 1:depth, k) = 0
      end do
      if (debugging) then
         do k = 2, n
            call assert(.not. abs(r(k, k)) > 1.01_dp*abs(r(k - 1, k - 1)) &
                        + n*epsmch*abs(r(1, 1)), 'the diagonal falls')
            call assert(all(ipvt(:k - 1) /= ipvt(k)), 'ipvt is a permutation')
         end do
      end if
   end subroutine pivoted_qr

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

   pure subroutine drop_row(n, top, column, norm, computed)
      !! Remove the element top from the norm of a column. Recompute the norm if cancellation has
      !! destroyed half of its digits.
      integer, intent(in) :: n
      real(dp), intent(in) :: top
      real(dp), intent(in) :: column(n)
      real(dp), intent(inout) :: norm
      real(dp), intent(inout) :: computed

      if (norm == 0) return
      norm = norm*sqrt(max(0.0_dp, 1 - (top/norm)**2))
      if (0.05_dp*(norm/computed)**2 <= epsmch) then
         norm = enorm(n, column)
         computed = norm
      end if
   end subroutine drop_row

end module minpack_qr
