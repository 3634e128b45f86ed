module minpack_triangle
   !! Upper triangles held by rows: entry (i, j) of the triangle is rows(j, i), so that its row i
   !! lies contiguous in rows(i:, i).
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot
   implicit none
   private
   public :: solve, solve_transposed, multiply, multiply_transposed

contains

   pure subroutine solve(n, rows, ld, b)
      !! Solve T x = b for a triangle T with no zero on its diagonal.
      integer, intent(in) :: n
      integer, intent(in) :: ld
      real(dp), intent(in) :: rows(ld, n)
      real(dp), intent(inout) :: b(n)
         !! In: b. Out: x.
      integer :: k

      do k = n, 1, -1
         b(k) = (b(k) - dot(n - k, rows(k + 1:n, k), b(k + 1:n)))/rows(k, k)
      end do
   end subroutine solve

   pure subroutine solve_transposed(n, rows, b)
      !! Solve T' x = b for a triangle T with no zero on its diagonal.
      integer, intent(in) :: n
      real(dp), intent(in) :: rows(n, n)
      real(dp), intent(inout) :: b(n)
         !! In: b. Out: x.
      integer :: i, k

      do k = 1, n
         b(k) = b(k)/rows(k, k)
         !$omp simd
         do i = k + 1, n
            b(i) = b(i) - b(k)*rows(i, k)
         end do
      end do
   end subroutine solve_transposed

   pure subroutine multiply(n, rows, x, product)
      !! T x.
      integer, intent(in) :: n
      real(dp), intent(in) :: rows(n, n)
      real(dp), intent(in) :: x(n)
      real(dp), intent(out) :: product(n)
      integer :: k

      do k = 1, n
         product(k) = dot(n - k + 1, rows(k:n, k), x(k:n))
      end do
   end subroutine multiply

   pure subroutine multiply_transposed(n, rows, x, product)
      !! T' x.
      integer, intent(in) :: n
      real(dp), intent(in) :: rows(n, n)
      real(dp), intent(in) :: x(n)
      real(dp), intent(out) :: product(n)
      integer :: i, k

      product = 0
      do k = 1, n
         !$omp simd
         do i = k, n
            product(i) = product(i) + x(k)*rows(i, k)
         end do
      end do
   end subroutine multiply_transposed

end module minpack_triangle
