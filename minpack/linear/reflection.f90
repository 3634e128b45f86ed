module minpack_reflection
   !! Householder reflections.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, enorm, divide, least_square, greatest_square
   implicit none
   private
   public :: make_reflection, finish_reflection, reflect

contains

   pure subroutine make_reflection(rows, alpha, v, tau)
      !! The reflection that takes (alpha, v) to (beta, 0).
      integer, intent(in) :: rows
         !! Length of v.
      real(dp), intent(inout) :: alpha
         !! Out: beta.
      real(dp), intent(inout) :: v(rows)
         !! Out: the reflection's vector below its leading 1.
      real(dp), intent(out) :: tau
         !! The factor of the reflection.
      real(dp) :: divisor

      call finish_reflection(rows, dot(rows, v, v), alpha, v, tau, divisor)
   end subroutine make_reflection

   pure subroutine finish_reflection(rows, square, alpha, v, tau, divisor)
      !! The same, where the sum of squares is known.
      integer, intent(in) :: rows
         !! Length of v.
      real(dp), intent(in) :: square
         !! The sum of squares of v.
      real(dp), intent(inout) :: alpha
         !! Out: beta.
      real(dp), intent(inout) :: v(rows)
         !! Out: the reflection's vector below its leading 1.
      real(dp), intent(out) :: tau
         !! The factor of the reflection.
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
         !! Length of the vector and of the column.
      real(dp), intent(in) :: v(rows)
         !! The reflection's vector below its leading 1.
      real(dp), intent(in) :: tau
         !! The factor of the reflection.
      real(dp), intent(inout) :: top
         !! The element of the column in the row of that 1.
      real(dp), intent(inout) :: column(rows)
         !! The elements of the column below.
      real(dp) :: w
      integer :: i

      w = tau*(top + dot(rows, v, column))
      top = top - w
      !$omp simd
      do i = 1, rows
         column(i) = column(i) - w*v(i)
      end do
   end subroutine reflect

end module minpack_reflection
