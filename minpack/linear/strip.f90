module minpack_strip
   !! Products of matrices, C + A B', for eight columns of C at a time. For as many rows as fit into
   !! a register of the processor, the sums stay in registers, one for each column.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: add_product, strip, height

   integer, parameter :: strip = 8
      !! Columns of C at a time.
   integer, parameter :: height = 64
      !! The most rows and columns of A, which then stays in the cache.

contains

   pure subroutine add_product(factor, rows, columns, depth, a, ldb, b, ldc, c)
      !! Add a factor times A B' to C.
      real(dp), intent(in) :: factor
         !! The factor.
      integer, intent(in) :: rows
         !! The number of rows of A and C.
      integer, intent(in) :: columns
         !! The number of columns of C, and of rows of B.
      integer, intent(in) :: depth
         !! The number of columns of A and B.
      real(dp), intent(in) :: a(height, depth)
         !! A.
      integer, intent(in) :: ldb
         !! From one column of B to the next, in numbers.
      real(dp), intent(in) :: b(ldb, depth)
         !! B.
      integer, intent(in) :: ldc
         !! From one column of C to the next, in numbers.
      real(dp), intent(inout) :: c(ldc, columns)
         !! C.
      real(dp) :: part(strip, height), sums(height, strip)
      integer :: first, j, k

      if (depth < 1) return
      do first = 1, columns - strip + 1, strip
         do k = 1, depth
            part(:, k) = b(first:first + strip - 1, k)
         end do
         call add_to_eight(factor, rows, depth, a, part, ldc, c(1, first))
      end do
      if (first > columns) return
      do k = 1, depth
         part(:, k) = 0
         part(:columns - first + 1, k) = b(first:columns, k)
      end do
      sums(:rows, :) = 0
      call add_to_eight(factor, rows, depth, a, part, height, sums)
      do j = first, columns
         c(:rows, j) = c(:rows, j) + sums(:rows, j - first + 1)
      end do
   end subroutine add_product

   pure subroutine add_to_eight(factor, rows, depth, a, b, ldc, c)
      !! The same for eight columns. Compilers vectorize the loop over i if the distances between
      !! columns in the loop over k are constants, and k has at least one value.
      real(dp), intent(in) :: factor
      integer, intent(in) :: rows
      integer, intent(in) :: depth
         !! At least 1.
      real(dp), intent(in) :: a(height, depth)
      real(dp), intent(in) :: b(strip, depth)
      integer, intent(in) :: ldc
      real(dp), intent(inout) :: c(ldc, strip)
      real(dp) :: s1, s2, s3, s4, s5, s6, s7, s8
      integer :: i, k

      if (depth < 1) return
      !$omp simd private(s1, s2, s3, s4, s5, s6, s7, s8)
      do i = 1, rows
         s1 = 0; s2 = 0; s3 = 0; s4 = 0; s5 = 0; s6 = 0; s7 = 0; s8 = 0
         do k = 1, depth
            s1 = s1 + a(i, k)*b(1, k)
            s2 = s2 + a(i, k)*b(2, k)
            s3 = s3 + a(i, k)*b(3, k)
            s4 = s4 + a(i, k)*b(4, k)
            s5 = s5 + a(i, k)*b(5, k)
            s6 = s6 + a(i, k)*b(6, k)
            s7 = s7 + a(i, k)*b(7, k)
            s8 = s8 + a(i, k)*b(8, k)
         end do
         c(i, 1) = c(i, 1) + factor*s1
         c(i, 2) = c(i, 2) + factor*s2
         c(i, 3) = c(i, 3) + factor*s3
         c(i, 4) = c(i, 4) + factor*s4
         c(i, 5) = c(i, 5) + factor*s5
         c(i, 6) = c(i, 6) + factor*s6
         c(i, 7) = c(i, 7) + factor*s7
         c(i, 8) = c(i, 8) + factor*s8
      end do
   end subroutine add_to_eight

end module minpack_strip
