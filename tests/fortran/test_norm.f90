program test_norm
   use, intrinsic :: ieee_arithmetic, only: ieee_value, ieee_quiet_nan, ieee_positive_inf
   use minpack_kinds, only: dp, giant, is_finite, all_finite
   use minpack_norm, only: enorm
   use checks, only: check, close_to, finish, random_matrix
   implicit none
   real(dp) :: x(40, 1), nan, infinity
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
   call finish()
end program test_norm
