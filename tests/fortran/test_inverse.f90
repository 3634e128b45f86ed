program test_inverse
   !! The inverse of a triangle: the product of both is the identity.
   use minpack_kinds, only: dp
   use minpack_inverse, only: invert, multiply_rows
   use checks, only: check, finish, random_triangle
   implicit none
   integer, parameter :: sizes(14) = [1, 2, 3, 4, 5, 6, 7, 8, 31, 95, 96, 97, 100, 203]
   integer :: i

   do i = 1, size(sizes)
      call is_inverse(sizes(i))
   end do
   call finish()

contains

   subroutine is_inverse(n)
      integer, intent(in) :: n
      real(dp), dimension(n, n) :: s, copy, u, products, expected
      integer :: j, k

      s = random_triangle(n)
      do j = 1, n
         s(:j - 1, j) = s(:j - 1, j)/sqrt(real(n, dp))
         s(j + 1:, j) = huge(s)
      end do
      copy = s
      call invert(n, s, u)
      do j = 1, n
         call check(all(u(j + 1:, j) == 0), 'zeros below the diagonal')
         do k = 1, j
            call check(abs(dot_product(copy(k, k:j), u(k:j, j)) - merge(1, 0, j == k)) &
                       <= 1e-12_dp*norm2(u(:j, j)), 'S U is the identity')
         end do
      end do
      expected = matmul(u, transpose(u))
      call multiply_rows(n, u, products)
      do j = 1, n
         call check(all(abs(products(j:, j) - expected(j:, j)) &
                        <= 1e-13_dp*sqrt(expected(j, j)*maxval(expected))), "U U'")
      end do
   end subroutine is_inverse

end program test_inverse
