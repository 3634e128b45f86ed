program test_covariance
   use minpack_kinds, only: dp
   use minpack_covariance, only: covariance_type, determined, without_effect, acts_together, &
                                 conditional
   use checks, only: check, finish, random_triangle, gram
   implicit none
   real(dp), parameter :: rounding = 100*epsilon(1.0_dp)
   real(dp), parameter :: scales(3) = [1.0_dp, 1e150_dp, 1e-150_dp]
   integer :: n, k

   do n = 0, 8
      do k = 1, size(scales)
         call covariance_is_the_inverse(random_triangle(n), scales(k))
      end do
      do k = 1, n
         call covariance_is_of_the_free(random_triangle(n), k)
         call covariance_that_overflows_is_none(random_triangle(n), k)
         call singular_triangle_has_none(random_triangle(n), k)
      end do
   end do
   call undetermined_variables_are_named()
   call rounding_errors_hide_that_columns_are_parallel()
   call a_gradient_determines_what_it_presses_on_a_bound()
   call residuals_show_their_deviation()
   call finish()

contains

   subroutine covariance(n, r, ipvt, x, active, negligible, doubtful, cov, state, regular)
      !! The inverse of J'J.
      integer, intent(in) :: n
      real(dp), intent(in) :: r(n, n)
      integer, intent(in) :: ipvt(n)
      real(dp), intent(in) :: x(n)
      integer, intent(in) :: active(n)
      real(dp), intent(in) :: negligible
      real(dp), intent(in) :: doubtful
      real(dp), intent(out) :: cov(n, n)
      integer, intent(out) :: state(n)
      logical, intent(out) :: regular
      type(covariance_type) :: estimated
      integer :: stat

      call estimated%allocate_for(n, stat)
      call check(stat == 0, 'memory')
      call estimated%estimate(1, r, spread(0.0_dp, 1, n), spread(1.0_dp, 1, n), ipvt, x, active, &
                              0.0_dp, .true., .true., negligible, doubtful)
      cov = estimated%cov
      state = estimated%state
      regular = estimated%regular
   end subroutine covariance

   subroutine residuals_show_their_deviation()
      !! The variance is the sum of squares divided by the degrees of freedom.
      integer, parameter :: n = 3
      integer, parameter :: active(n) = [0, 1, 0]
      real(dp), parameter :: qtf(n) = 0
      real(dp), parameter :: ones(n) = 1
      real(dp) :: r(n, n), x(n), inverse(n, n)
      type(covariance_type) :: estimated
      integer :: stat

      r = random_triangle(n)
      x = 1
      call estimated%allocate_for(n, stat)
      call check(stat == 0, 'memory')
      call estimated%estimate(9, r, qtf, ones, [2, 3, 1], x, active, 14.0_dp, .true., .true., &
                              rounding, rounding)
      inverse = estimated%cov
      call estimated%estimate(9, r, qtf, ones, [2, 3, 1], x, active, 14.0_dp, .false., .true., &
                              rounding, rounding)
      call check(all(abs(estimated%cov - 28*inverse) <= 1e-13_dp*abs(inverse)), '196/(9 - 2)')
      call check(estimated%regular, 'a covariance')
      call estimated%estimate(9, r, qtf, ones, [2, 3, 1], x, active, 0.0_dp, .false., .true., &
                              rounding, rounding)
      call check(estimated%regular .and. all(estimated%cov == 0), 'no residuals, no errors')
      call estimated%estimate(2, r, qtf, ones, [2, 3, 1], x, active, 0.0_dp, .false., .true., &
                              rounding, rounding)
      call check(.not. estimated%regular, 'no degrees of freedom')
      call estimated%estimate(2, r, qtf, ones, [2, 3, 1], x, active, 0.0_dp, .true., .true., &
                              rounding, rounding)
      call check(estimated%regular, 'known deviations need none')
   end subroutine residuals_show_their_deviation

   subroutine undetermined_variables_are_named()
      !! Whatever the units: 1 and 3 act together, 2 has no effect, 4 is on a bound, 5 is all right.
      real(dp), parameter :: units(5) = [1e-9_dp, 1.0_dp, 1e9_dp, 1.0_dp, 1e3_dp]
      real(dp), parameter :: ones(5) = 1
      real(dp) :: r(5, 5), cov(5, 5)
      integer :: state(5), j
      logical :: regular

      r = 0
      r(1, 1) = 1
      r(1, 3) = -2
      r(1:4, 4) = 1
      r(1:5, 5) = [1, 2, 3, 4, 5]
      r(3, 3) = 1e-10_dp
      r(4, 4) = 1
      r(5, 5) = 1
      do j = 1, 5
         r(:, j) = units(j)*r(:, j)
      end do
      call covariance(5, r, [1, 2, 3, 4, 5], ones, [0, 0, 0, 1, 0], 1e-9_dp, 1e-8_dp, cov, &
                      state, regular)
      call check(.not. regular .and. all(cov == 0), 'no covariance')
      call check(all(state == [acts_together, without_effect, acts_together, determined, &
                               determined]), 'and the reason')
      call covariance(5, r, [1, 2, 3, 4, 5], ones, [0, 1, 1, 1, 0], 1e-9_dp, 1e-8_dp, cov, &
                      state, regular)
      call check(.not. regular .and. count(state == without_effect) == 1 .and. &
                 state(2) == without_effect, 'nothing presses a variable without effect to a bound')
      r(3, 3) = 1e9_dp*5e-9_dp
      call covariance(5, r, [1, 2, 3, 4, 5], ones, [0, 2, 0, 1, 0], 1e-9_dp, 1e-8_dp, cov, &
                      state, regular)
      call check(regular .and. cov(1, 1) > 0, 'a covariance')
      call check(all(state == [acts_together, determined, acts_together, determined, determined]), &
                 'that is in doubt')
      call covariance(5, r, [1, 2, 3, 4, 5], ones, [0, 2, 1, 1, 0], 1e-9_dp, 1e-8_dp, cov, &
                      state, regular)
      call check(regular .and. cov(1, 1) > 0 .and. cov(5, 5) > 0, 'all is well if some are fixed')
   end subroutine undetermined_variables_are_named

   subroutine rounding_errors_hide_that_columns_are_parallel()
      !! The second column is that of a variable whose step changed the residuals little, and it is
      !! the first or the second of the pivoted columns.
      real(dp), parameter :: x(2) = 1e6_dp
      real(dp), parameter :: zeros(2) = 0
      real(dp), parameter :: changes(3) = [1e-8_dp, 2e-12_dp, 1e-13_dp]
      real(dp) :: r(2, 2)
      type(covariance_type) :: estimated
      integer :: stat, k, first, states(3)

      r = reshape([3.0_dp, 0.0_dp, 3.0_dp, 3e-4_dp], [2, 2])
      states = [determined, acts_together, acts_together]
      call estimated%allocate_for(2, stat)
      call check(stat == 0, 'memory')
      do k = 1, 3
         do first = 1, 2
            call estimated%estimate(9, r, zeros, [1.0_dp, changes(k)], [first, 3 - first], x, &
                                    [0, 0], 1.0_dp, .true., .true., 1e-9_dp, 1.5e-7_dp)
         end do
         call check(all(estimated%state == states(k)), 'the larger error counts')
         call check(estimated%regular .eqv. k < 3, 'a covariance unless it is certain')
      end do
   end subroutine rounding_errors_hide_that_columns_are_parallel

   subroutine a_gradient_determines_what_it_presses_on_a_bound()
      !! The columns are parallel, but the slope of the second is not that of the first.
      real(dp), parameter :: x(2) = 1
      integer, parameter :: active(2) = [0, 1]
      real(dp), parameter :: slopes(3) = [0.0_dp, 1e-7_dp, 1e-3_dp]
      real(dp) :: r(2, 2)
      type(covariance_type) :: estimated
      integer :: stat, k

      r = reshape([2.0_dp, 0.0_dp, 3.0_dp, 1e-9_dp], [2, 2])
      call estimated%allocate_for(2, stat)
      call check(stat == 0, 'memory')
      do k = 1, 3
         call estimated%estimate(9, r, [1e-6_dp, slopes(k)*1e9_dp], x, [1, 2], x, active, 1.0_dp, &
                                 .true., .true., rounding, 1e-6_dp)
         call check(estimated%regular .and. all(estimated%state == merge(determined, conditional, &
                                                                         k == 3)), 'pressed')
      end do
   end subroutine a_gradient_determines_what_it_presses_on_a_bound

   subroutine covariance_is_the_inverse(r, scale)
      real(dp), intent(in) :: r(:, :)
      real(dp), intent(in) :: scale
      real(dp), dimension(size(r, 1), size(r, 1)) :: work, cov, j, product
      logical :: regular
      integer :: ipvt(size(r, 1)), state(size(r, 1)), n, i

      n = size(r, 1)
      ipvt = [(1 + mod(i + 2, n), i=1, n)]
      work = scale*r
      j(:, ipvt) = r
      call covariance(n, work, ipvt, [(1.0_dp, i=1, n)], [(0, i=1, n)], rounding, rounding, cov, &
                      state, regular)
      product = matmul(gram(j), scale*(scale*cov))
      call check(regular .and. all(state == determined), 'a regular triangle')
      call check(all([(abs(product(i, i) - 1) < 1e-9_dp, i=1, n)]), 'ones on the diagonal')
      call check(all([(count(abs(product(:, i)) > 1e-9_dp) == 1, i=1, n)]), 'zeros beside it')
      call check(all(cov == transpose(cov)), 'symmetry')
   end subroutine covariance_is_the_inverse

   subroutine covariance_is_of_the_free(r, k)
      real(dp), intent(in) :: r(:, :)
      integer, intent(in) :: k
         !! The one that is not.
      real(dp), dimension(size(r, 1), size(r, 1)) :: work, cov, product
      logical :: regular
      integer :: ipvt(size(r, 1)), active(size(r, 1)), state(size(r, 1)), n, i

      n = size(r, 1)
      ipvt = [(n + 1 - i, i=1, n)]
      active = 0
      active(ipvt(k)) = 2
      work = r
      work(:, k) = 0  ! of no matter, nor is that it would be singular
      call covariance(n, work, ipvt, [(1.0_dp, i=1, n)], active, rounding, rounding, cov, &
                      state, regular)
      work(:, n:1:-1) = r
      product = matmul(gram(work), cov)
      call check(regular, 'the free part is regular')
      call check(all(cov(:, n + 1 - k) == 0) .and. all(cov(n + 1 - k, :) == 0), &
                 'zeros for the rest')
      call check(all([(abs(product(i, i) - merge(1, 0, active(i) == 0)) < 1e-9_dp, i=1, n)]), &
                 'its inverse')
      call check(all([(count(abs(product(:, i)) > 1e-9_dp) <= 2, i=1, n)]), 'nothing beside it')
   end subroutine covariance_is_of_the_free

   subroutine covariance_that_overflows_is_none(r, k)
      real(dp), intent(in) :: r(:, :)
      integer, intent(in) :: k
      real(dp), dimension(size(r, 1), size(r, 1)) :: work, cov
      logical :: regular
      integer :: ipvt(size(r, 1)), state(size(r, 1)), n, i

      n = size(r, 1)
      ipvt = [(i, i=1, n)]
      work = r
      work(:, k) = 1e-160_dp*r(:, k)
      call covariance(n, work, ipvt, [(1.0_dp, i=1, n)], [(0, i=1, n)], rounding, rounding, cov, &
                      state, regular)
      call check(.not. regular, 'no covariance of 1e320')
   end subroutine covariance_that_overflows_is_none

   subroutine singular_triangle_has_none(r, k)
      real(dp), intent(in) :: r(:, :)
      integer, intent(in) :: k
         !! Where the zero stands.
      real(dp), dimension(size(r, 1), size(r, 1)) :: work, cov
      logical :: regular
      integer :: ipvt(size(r, 1)), state(size(r, 1)), n, i

      n = size(r, 1)
      ipvt = [(i, i=1, n)]
      work = r
      work(k, k) = 0
      call covariance(n, work, ipvt, [(1.0_dp, i=1, n)], [(0, i=1, n)], rounding, rounding, cov, &
                      state, regular)
      call check(.not. regular, 'a singular triangle')
      call check(all(cov == 0), 'no covariance of a singular triangle')
   end subroutine singular_triangle_has_none

end program test_covariance
