program test_vectors
   use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan, ieee_positive_inf
   use minpack_kinds, only: dp, giant, is_finite
   use minpack_vectors, only: dot, enorm, divide, all_finite
   use checks, only: check, close_to, finish, random_matrix
   implicit none
   real(dp) :: x(40, 1), y(40), nan, infinity
   integer :: n

   nan = ieee_value(nan, ieee_quiet_nan)
   infinity = ieee_value(infinity, ieee_positive_inf)

   x = random_matrix(40, 1)
   do n = 1, 40
      call check(close_to(enorm(n, x), sqrt(sum(x(:n, 1)**2)), 1e-14_dp), 'norm of any length')
   end do
   call check(enorm(0, x) == 0, 'norm of nothing')
   call check(enorm(3, [0.0_dp, 0.0_dp, 0.0_dp]) == 0, 'norm of zeros')
   call check(close_to(enorm(2, [3e200_dp, 4e200_dp]), 5e200_dp, 1e-15_dp), 'overflowing squares')
   call check(close_to(enorm(2, [3e-200_dp, 4e-200_dp]), 5e-200_dp, 1e-15_dp), &
              'underflowing squares')
   call check(close_to(enorm(2, [3e-310_dp, 4e-310_dp]), 5e-310_dp, 1e-12_dp), 'subnormal values')
   call check(enorm(2, [1e300_dp, 1e-300_dp]) == 1e300_dp, 'large beside small')
   call check(enorm(1, [giant]) == giant, 'the largest number')
   call check(enorm(2, [infinity, 1.0_dp]) > giant, 'infinity')
   call check(.not. is_finite(enorm(2, [nan, 1.0_dp])), 'NaN')
   call check(.not. is_finite(enorm(2, [nan, infinity])), 'NaN beside infinity')
   call check(all_finite(2, [giant, -giant]), 'finite values')
   call check(.not. all_finite(2, [giant, nan]), 'a NaN among values')
   call check(.not. all_finite(2, [-infinity, 0.0_dp]), 'an infinity among values')
   do n = 0, 40
      call check(close_to(dot(n, x, x + 1), sum(x(:n, 1)*(x(:n, 1) + 1)), 1e-13_dp), &
                 'product of any length')
      call check(all_finite(n, x), 'finite values of any number')
      if (n == 0) cycle
      x(n, 1) = merge(nan, infinity, modulo(n, 2) == 0)
      call check(.not. all_finite(n, x), 'the last value not finite')
      x(n, 1) = n
   end do
   do n = 0, 10
      y = x(:, 1)
      call divide(n, y, 3.0_dp)
      call check(all(abs(y(:n) - x(:n, 1)/3) <= 1e-15_dp*abs(y(:n))), 'division')
      call check(all(y(n + 1:) == x(n + 1:, 1)), 'division of n values')
      y = 2e-310_dp
      call divide(n, y, 1e-310_dp)
      call check(close_to(sum(y(:n)), 2.0_dp*n, 1e-12_dp), 'division by a subnormal number')
   end do
   call finish()
end program test_vectors
