program test_cholesky
   !! The Cholesky factorization and its way back, beside plain loops.
   use minpack_kinds, only: dp
   use minpack_cholesky, only: factor, multiply_by_transpose
   use checks, only: check, finish, random_triangle
   implicit none
   integer, parameter :: sizes(13) = [1, 2, 3, 7, 8, 9, 31, 63, 64, 65, 72, 129, 203]
   integer :: i

   do i = 1, size(sizes)
      call goes_there_and_back(triangle(sizes(i)))
      call notices_what_is_not_positive(triangle(sizes(i)))
   end do
   call finish()

contains

   function triangle(n) result(r)
      !! A triangle that is as regular for every size.
      integer, intent(in) :: n
      real(dp) :: r(n, n)
      integer :: j

      r = random_triangle(n)
      do j = 1, n
         r(:j - 1, j) = r(:j - 1, j)/sqrt(real(n, dp))
      end do
   end function triangle

   subroutine goes_there_and_back(r)
      real(dp), intent(in) :: r(:, :)
      real(dp), parameter :: unread = -1234
      real(dp) :: a(size(r, 1), size(r, 1)), expected
      integer :: n, j, k
      logical :: positive

      n = size(r, 1)
      a = unread
      do j = 1, n
         a(:j, j) = r(:j, j)
      end do
      call multiply_by_transpose(n, a)
      do j = 1, n
         do k = 1, j
            expected = dot_product(r(:k, k), r(:k, j))
            call check(abs(a(j, k) - expected) <= 1e-13_dp*norm2(r(:k, k))*norm2(r(:j, j)), &
                       'the product of two columns')
         end do
      end do
      call factor(n, a, positive)
      call check(positive, 'products are positive definite')
      do j = 1, n
         call check(all(abs(abs(a(:j, j)) - abs(r(:j, j))) <= 1e-8_dp*norm2(r(:j, j))), &
                    'the factor is the triangle')
         call check(a(j, j) > 0, 'its diagonal is positive')
         call check(all(a(j + 1:, j) == a(j, j + 1:)), 'its transpose is below the diagonal')
      end do
   end subroutine goes_there_and_back

   subroutine notices_what_is_not_positive(r)
      real(dp), intent(in) :: r(:, :)
      real(dp) :: a(size(r, 1), size(r, 1)), nan
      integer :: n, j
      logical :: positive

      n = size(r, 1)
      do j = 1, n, max(1, n - 1)
         a = r
         call multiply_by_transpose(n, a)
         a(j, j) = -a(j, j)
         call factor(n, a, positive)
         call check(.not. positive, 'a negative element of the diagonal')
         nan = a(j, j)
         nan = sqrt(-abs(nan) - 1)
         a = r
         call multiply_by_transpose(n, a)
         a(j, j) = nan
         call factor(n, a, positive)
         call check(.not. positive, 'NaN')
      end do
   end subroutine notices_what_is_not_positive

end program test_cholesky
