module minpack_block_reflection
   !! Four reflections, applied to columns at once.
   !!
   !! They are I - V T V' with a 4 x 4 triangle T (Schreiber and Van Loan 1989). They are applied to
   !! three columns at a time, so that each column is read and written once.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: panel, reflect_three, transposed_times

   integer, parameter :: panel = 4
      !! The number of reflections.

contains

   pure subroutine reflect_three(rows, v, ld, t, top, columns)
      !! Apply a panel of reflections to three columns at once.
      integer, intent(in) :: rows
         !! Rows of the panel.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(in) :: v(ld, panel)
         !! V below its unit rows.
      real(dp), intent(in) :: t(panel, panel)
         !! The triangle t that gathers the reflections.
      real(dp), intent(inout) :: top(panel, 3)
         !! The rows of the triangle that the panel touches.
      real(dp), intent(inout) :: columns(ld, 3)
         !! Their first rows are there.
      real(dp) :: a1, a2, a3, a4, b1, b2, b3, b4, c1, c2, c3, c4, w(panel, 3)
      integer :: i

      a1 = 0; a2 = 0; a3 = 0; a4 = 0
      b1 = 0; b2 = 0; b3 = 0; b4 = 0
      c1 = 0; c2 = 0; c3 = 0; c4 = 0
      !$omp simd reduction(+:a1, a2, a3, a4, b1, b2, b3, b4, c1, c2, c3, c4)
      do i = 1, rows
         a1 = a1 + v(i, 1)*columns(i, 1)
         a2 = a2 + v(i, 2)*columns(i, 1)
         a3 = a3 + v(i, 3)*columns(i, 1)
         a4 = a4 + v(i, 4)*columns(i, 1)
         b1 = b1 + v(i, 1)*columns(i, 2)
         b2 = b2 + v(i, 2)*columns(i, 2)
         b3 = b3 + v(i, 3)*columns(i, 2)
         b4 = b4 + v(i, 4)*columns(i, 2)
         c1 = c1 + v(i, 1)*columns(i, 3)
         c2 = c2 + v(i, 2)*columns(i, 3)
         c3 = c3 + v(i, 3)*columns(i, 3)
         c4 = c4 + v(i, 4)*columns(i, 3)
      end do
      w(:, 1) = transposed_times(t, top(:, 1) + [a1, a2, a3, a4])
      w(:, 2) = transposed_times(t, top(:, 2) + [b1, b2, b3, b4])
      w(:, 3) = transposed_times(t, top(:, 3) + [c1, c2, c3, c4])
      top = top - w
      !$omp simd
      do i = 1, rows
         columns(i, 1) = less(columns(i, 1), v(i, 1), v(i, 2), v(i, 3), v(i, 4), w(:, 1))
         columns(i, 2) = less(columns(i, 2), v(i, 1), v(i, 2), v(i, 3), v(i, 4), w(:, 2))
         columns(i, 3) = less(columns(i, 3), v(i, 1), v(i, 2), v(i, 3), v(i, 4), w(:, 3))
      end do
   end subroutine reflect_three

   pure real(dp) function less(number, v1, v2, v3, v4, w)
      !! A number less multiples of others.
      real(dp), intent(in) :: number
      real(dp), intent(in) :: v1
      real(dp), intent(in) :: v2
      real(dp), intent(in) :: v3
      real(dp), intent(in) :: v4
      real(dp), intent(in) :: w(panel)

      less = (((number - v1*w(1)) - v2*w(2)) - v3*w(3)) - v4*w(4)
   end function less

   pure function transposed_times(t, w) result(product)
      !! Multiply by the transpose of an upper triangle.
      real(dp), intent(in) :: t(panel, panel)
         !! The triangle.
      real(dp), intent(in) :: w(panel)
         !! The numbers to multiply.
      real(dp) :: product(panel)
      integer :: k

      do k = 1, panel
         product(k) = sum(t(:k, k)*w(:k))
      end do
   end function transposed_times

end module minpack_block_reflection
