module checks
   !! Counts what failed in a test program, and ends it accordingly.
   use, intrinsic :: iso_fortran_env, only: error_unit, int64
   use minpack_kinds, only: dp
   implicit none
   private
   public :: check, close_to, finish, random_matrix, random_triangle, gram

   integer :: failures = 0
   integer(int64) :: state = 20260101

contains

   subroutine check(holds, what)
      logical, intent(in) :: holds
      character(*), intent(in) :: what

      if (holds) return
      failures = failures + 1
      write (error_unit, '(2a)') 'failed: ', what
   end subroutine check

   elemental logical function close_to(value, expected, tolerance)
      !! Relative to the expected value. Never true of NaN.
      real(dp), intent(in) :: value
      real(dp), intent(in) :: expected
      real(dp), intent(in) :: tolerance

      close_to = abs(value - expected) <= tolerance*abs(expected)
   end function close_to

   subroutine finish()
      if (failures > 0) error stop 1
   end subroutine finish

   function random_matrix(m, n) result(a)
      !! Uniform in (-1, 1), the same in every run (Park and Miller's generator).
      integer, intent(in) :: m
      integer, intent(in) :: n
      real(dp) :: a(m, n)
      integer(int64), parameter :: multiplier = 16807
      integer(int64), parameter :: modulus = 2147483647
      integer :: i, j

      do j = 1, n
         do i = 1, m
            state = mod(multiplier*state, modulus)
            a(i, j) = 2*real(state, dp)/modulus - 1
         end do
      end do
   end function random_matrix

   function random_triangle(n) result(r)
      !! Upper, and well away from singular.
      integer, intent(in) :: n
      real(dp) :: r(n, n)
      integer :: j

      r = random_matrix(n, n)
      do j = 1, n
         r(j + 1:, j) = 0
         r(j, j) = r(j, j) + sign(1.0_dp, r(j, j))
      end do
   end function random_triangle

   function gram(a) result(product)
      !! A' A, which no orthogonal factor from the left changes.
      real(dp), intent(in) :: a(:, :)
      real(dp) :: product(size(a, 2), size(a, 2))

      product = matmul(transpose(a), a)
   end function gram

end module checks
