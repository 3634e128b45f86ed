module minpack_cholesky
   !! The Cholesky factorization A = R'R of a symmetric matrix with many columns, and the way back.
   !!
   !! A is its lower triangle, in which R' is computed, column by column. A panel of columns is
   !! computed, and then its products are subtracted from all columns behind it (J. J. Dongarra
   !! et al., "A set of level 3 basic linear algebra subprograms", ACM TOMS 16, 1990, section 3).
   !! Some rows of a panel at a time are copied to a block, which stays in the cache.
   use minpack_kinds, only: dp
   use minpack_strip, only: add_product, strip, height
   implicit none
   private
   public :: factor, factor_pivoting, multiply_by_transpose

contains

   pure subroutine factor(n, a, positive)
      !! Factor A in place.
      integer, intent(in) :: n
         !! Size of A.
      real(dp), intent(inout) :: a(n, n)
         !! In: A, its lower triangle. Out: R; R' below it.
      logical, intent(out) :: positive
         !! If not, A is not positive definite, and this is not R.
      real(dp) :: block(height, height)
      integer :: first, last, width, top, bottom, rows

      positive = .true.
      do first = 1, n, height
         last = min(n, first + height - 1)
         width = last - first + 1
         block(:width, :width) = a(first:last, first:last)
         call factor_block(width, block, positive)
         if (.not. positive) return
         a(first:last, first:last) = block(:width, :width)
         do top = last + 1, n, height
            bottom = min(n, top + height - 1)
            rows = bottom - top + 1
            block(:rows, :width) = a(top:bottom, first:last)
            call solve_block(rows, width, n, a(first, first), block)
            a(top:bottom, first:last) = block(:rows, :width)
            call add_block(-1.0_dp, n, first, last, top, bottom, block, a)
         end do
      end do
      call mirror(n, a, to_upper=.true.)
   end subroutine factor

   pure subroutine factor_block(n, a, positive)
      !! The same for a few columns.
      integer, intent(in) :: n
      real(dp), intent(inout) :: a(height, height)
      logical, intent(inout) :: positive
      integer :: left, right, j, k

      do left = 1, n, strip
         right = min(n, left + strip - 1)
         call add_product(-1.0_dp, n - left + 1, right - left + 1, left - 1, a(left, 1), &
                          height, a(left, 1), height, a(left, left))
         do k = left, right
            positive = a(k, k) > 0
            if (.not. positive) return
            a(k, k) = sqrt(a(k, k))
            a(k + 1:n, k) = a(k + 1:n, k)/a(k, k)
            do j = k + 1, right
               a(j:n, j) = a(j:n, j) - a(j, k)*a(j:n, k)
            end do
         end do
      end do
   end subroutine factor_block

   pure subroutine solve_block(rows, n, ld, triangle, x)
      !! Replace X by the solution Y of Y L' = X.
      integer, intent(in) :: rows
      integer, intent(in) :: n
         !! Number of columns.
      integer, intent(in) :: ld
         !! From one column of L to the next, in numbers.
      real(dp), intent(in) :: triangle(ld, n)
         !! L.
      real(dp), intent(inout) :: x(height, height)
      integer :: left, right, j, k

      do left = 1, n, strip
         right = min(n, left + strip - 1)
         call add_product(-1.0_dp, rows, right - left + 1, left - 1, x, ld, triangle(left, 1), &
                          height, x(1, left))
         do k = left, right
            x(:rows, k) = x(:rows, k)/triangle(k, k)
            do j = k + 1, right
               x(:rows, j) = x(:rows, j) - triangle(j, k)*x(:rows, k)
            end do
         end do
      end do
   end subroutine solve_block

   pure subroutine multiply_block(rows, n, ld, triangle, x)
      !! Replace X by X L'. The way back from solve_block.
      integer, intent(in) :: rows
      integer, intent(in) :: n
         !! Number of columns.
      integer, intent(in) :: ld
         !! From one column of L to the next, in numbers.
      real(dp), intent(in) :: triangle(ld, n)
         !! L.
      real(dp), intent(inout) :: x(height, height)
      integer :: left, right, j, k

      do left = 1 + (n - 1)/strip*strip, 1, -strip
         right = min(n, left + strip - 1)
         do j = right, left, -1
            x(:rows, j) = triangle(j, j)*x(:rows, j)
            do k = left, j - 1
               x(:rows, j) = x(:rows, j) + triangle(j, k)*x(:rows, k)
            end do
         end do
         call add_product(1.0_dp, rows, right - left + 1, left - 1, x, ld, triangle(left, 1), &
                          height, x(1, left))
      end do
   end subroutine multiply_block

   pure subroutine factor_pivoting(n, a, least, ipvt, left, positive)
      !! Factor P'A P in place, with the largest pivot first (C. Lucas, "LAPACK-style codes for
      !! level 2 and 3 pivoted Cholesky factorizations", LAPACK Working Note 161, 2004).
      integer, intent(in) :: n
         !! Size of A.
      real(dp), intent(inout) :: a(n, n)
         !! In: A, its lower triangle. Out: R; R' below it.
      real(dp), intent(in) :: least(n)
         !! The least square of a pivot, for each column of A.
      integer, intent(out) :: ipvt(n)
         !! Column j of R belongs to column ipvt(j) of A.
      real(dp), intent(out) :: left(n)
         !! Workspace: the squares of the pivots.
      logical, intent(out) :: positive
         !! If not, a pivot is too small, and this is not R.
      real(dp) :: block(height, height)
      integer :: first, last, top, bottom, j, k, pivot

      positive = .true.
      do j = 1, n
         ipvt(j) = j
      end do
      do first = 1, n, height
         last = min(n, first + height - 1)
         do j = first, n
            left(j) = a(j, j)
         end do
         do k = first, last
            pivot = k
            do j = k + 1, n
               if (left(j) > left(pivot)) pivot = j
            end do
            positive = left(pivot) >= least(ipvt(pivot))
            if (.not. positive) return
            if (pivot /= k) call exchange(n, k, pivot, a, ipvt, left)
            a(k, k) = sqrt(left(k))
            call subtract_columns(n, first, k, a)
            a(k + 1:, k) = a(k + 1:, k)/a(k, k)
            left(k + 1:) = left(k + 1:) - a(k + 1:, k)**2
         end do
         do top = last + 1, n, height
            bottom = min(n, top + height - 1)
            block(:bottom - top + 1, :last - first + 1) = a(top:bottom, first:last)
            call add_block(-1.0_dp, n, first, last, top, bottom, block, a)
         end do
      end do
      call mirror(n, a, to_upper=.true.)
   end subroutine factor_pivoting

   pure subroutine subtract_columns(n, first, k, a)
      !! Subtract the products of some columns before column k from it, below the diagonal.
      integer, intent(in) :: n
      integer, intent(in) :: first
         !! The first of these columns.
      integer, intent(in) :: k
      real(dp), intent(inout) :: a(n, n)
      integer :: i, j

      do j = first, k - 4, 4
         !$omp simd
         do i = k + 1, n
            a(i, k) = a(i, k) - (a(i, j)*a(k, j) + a(i, j + 1)*a(k, j + 1)) &
                      - (a(i, j + 2)*a(k, j + 2) + a(i, j + 3)*a(k, j + 3))
         end do
      end do
      do j = j, k - 1
         a(k + 1:, k) = a(k + 1:, k) - a(k + 1:, j)*a(k, j)
      end do
   end subroutine subtract_columns

   pure subroutine exchange(n, k, pivot, a, ipvt, left)
      !! Exchange two columns and the same rows of A, of which the lower triangle is stored.
      integer, intent(in) :: n
      integer, intent(in) :: k
      integer, intent(in) :: pivot
         !! More than k.
      real(dp), intent(inout) :: a(n, n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      integer :: j, column

      do j = 1, k - 1
         call swap(a(k, j), a(pivot, j))
      end do
      do j = k + 1, pivot - 1
         call swap(a(j, k), a(pivot, j))
      end do
      do j = pivot + 1, n
         call swap(a(j, k), a(j, pivot))
      end do
      call swap(a(k, k), a(pivot, pivot))
      call swap(left(k), left(pivot))
      column = ipvt(k)
      ipvt(k) = ipvt(pivot)
      ipvt(pivot) = column
   end subroutine exchange

   elemental subroutine swap(a, b)
      real(dp), intent(inout) :: a
      real(dp), intent(inout) :: b
      real(dp) :: value

      value = a
      a = b
      b = value
   end subroutine swap

   pure subroutine multiply_by_transpose(n, r)
      !! Replace R by R'R. What is behind a panel needs it, and is computed before it is replaced.
      integer, intent(in) :: n
         !! Size of R.
      real(dp), intent(inout) :: r(n, n)
         !! In: R, an upper triangle. Out: R'R, its lower triangle.
      real(dp) :: block(height, height)
      integer :: first, last, width, top, bottom, rows

      call mirror(n, r, to_upper=.false.)
      do first = 1 + (n - 1)/height*height, 1, -height
         last = min(n, first + height - 1)
         width = last - first + 1
         do top = first + (n - first)/height*height, first, -height
            bottom = min(n, top + height - 1)
            rows = bottom - top + 1
            block(:rows, :width) = r(top:bottom, first:last)
            call add_block(1.0_dp, n, first, last, top, bottom, block, r)
            call multiply_block(rows, width, n, r(first, first), block)
            r(top:bottom, first:last) = block(:rows, :width)
         end do
      end do
   end subroutine multiply_by_transpose

   pure subroutine add_block(factor, n, first, last, top, bottom, block, a)
      !! Add a factor times the products of the rows of a panel to some rows of the columns behind
      !! it. On the diagonal, this changes elements above the lower triangle.
      real(dp), intent(in) :: factor
      integer, intent(in) :: n
      integer, intent(in) :: first
         !! The first column of the panel.
      integer, intent(in) :: last
         !! Its last column.
      integer, intent(in) :: top
         !! The first of these rows.
      integer, intent(in) :: bottom
         !! The last of them.
      real(dp), intent(in) :: block(height, height)
         !! The rows of the panel from top to bottom.
      real(dp), intent(inout) :: a(n, n)
      integer :: row, j

      do j = last + 1, bottom, strip
         row = max(top, j)
         call add_product(factor, bottom - row + 1, min(strip, bottom - j + 1), last - first + 1, &
                          block(row - top + 1, 1), n, a(j, first), n, a(row, j))
      end do
   end subroutine add_block

   pure subroutine mirror(n, a, to_upper)
      !! Make a matrix symmetric that is known in one of its triangles.
      integer, intent(in) :: n
      real(dp), intent(inout) :: a(n, n)
      logical, intent(in) :: to_upper
         !! Whether its lower triangle is known, and not its upper one.
      integer :: first, i, j

      do first = 1, n, strip
         do i = first + 1, n
            do j = first, min(first + strip - 1, i - 1)
               if (to_upper) then
                  a(j, i) = a(i, j)
               else
                  a(i, j) = a(j, i)
               end if
            end do
         end do
      end do
   end subroutine mirror

end module minpack_cholesky
