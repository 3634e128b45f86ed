module minpack_triangle
   !! Triangular matrices: products, and solving with them. No diagonal element is zero in a
   !! triangle to solve with. All triangles are upper triangles, except in solve_lower; the elements
   !! on the other side of the diagonal are not read.
   use minpack_kinds, only: dp
   use minpack_assertions, only: debugging, assert
   use minpack_vectors, only: dot
   implicit none
   private
   public :: solve, solve_transposed, solve_lower, multiply, multiply_transposed, copy_triangle

contains

   pure subroutine solve(n, t, ld, b)
      !! Solve T x = b.
      integer, intent(in) :: n
         !! Size of T.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(in) :: t(ld, n)
         !! T.
      real(dp), intent(inout) :: b(n)
         !! In: b. Out: x.
      integer :: i, k

      do k = n, 1, -1
         if (debugging) call assert(t(k, k) /= 0, 'a triangle to solve with is regular')
         b(k) = b(k)/t(k, k)
         !$omp simd
         do i = 1, k - 1
            b(i) = b(i) - b(k)*t(i, k)
         end do
      end do
   end subroutine solve

   pure subroutine solve_transposed(n, t, b)
      !! Solve T' x = b.
      integer, intent(in) :: n
         !! Size of T.
      real(dp), intent(in) :: t(n, n)
         !! T.
      real(dp), intent(inout) :: b(n)
         !! In: b. Out: x.
      integer :: k

      do k = 1, n
         b(k) = (b(k) - dot(k - 1, t(:, k), b))/t(k, k)
      end do
   end subroutine solve_transposed

   pure subroutine solve_lower(n, l, b)
      !! Solve L x = b for a lower triangle L.
      integer, intent(in) :: n
         !! Size of L.
      real(dp), intent(in) :: l(n, n)
         !! L.
      real(dp), intent(inout) :: b(n)
         !! In: b. Out: x.
      integer :: i, k

      do k = 1, n
         b(k) = b(k)/l(k, k)
         !$omp simd
         do i = k + 1, n
            b(i) = b(i) - b(k)*l(i, k)
         end do
      end do
   end subroutine solve_lower

   pure subroutine multiply(n, t, x, product)
      !! T x.
      integer, intent(in) :: n
         !! Size of T.
      real(dp), intent(in) :: t(n, n)
         !! T.
      real(dp), intent(in) :: x(n)
         !! The vector x.
      real(dp), intent(out) :: product(n)
         !! T x.
      integer :: i, k

      product = 0
      do k = 1, n
         !$omp simd
         do i = 1, k
            product(i) = product(i) + x(k)*t(i, k)
         end do
      end do
   end subroutine multiply

   pure subroutine multiply_transposed(n, t, x, product)
      !! T' x.
      integer, intent(in) :: n
         !! Size of T.
      real(dp), intent(in) :: t(n, n)
         !! T.
      real(dp), intent(in) :: x(n)
         !! The vector x.
      real(dp), intent(out) :: product(n)
         !! T' x.
      integer :: k

      do k = 1, n
         product(k) = dot(k, t(:, k), x)
      end do
   end subroutine multiply_transposed

   pure subroutine copy_triangle(n, t, ld, copy)
      !! Copy the first n columns of T, with zeros below the diagonal.
      integer, intent(in) :: n
         !! Size of the copy.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(in) :: t(ld, n)
         !! T.
      real(dp), intent(out) :: copy(n, n)
         !! The copy.
      integer :: k

      do k = 1, n
         copy(:k, k) = t(:k, k)
         copy(k + 1:, k) = 0
      end do
   end subroutine copy_triangle

end module minpack_triangle
