program test_fit
   !! Whole fits through the entries for C.
   use, intrinsic :: iso_c_binding, only: c_int, c_intptr_t, c_loc
   use minpack_kinds, only: dp
   use minpack_info, only: improper_input
   use minpack_entries, only: lmder, lmdif, evaluate, covar
   use bent, only: bent_type, stop_flag, residual, residual_address, shown_address, filled_address
   use checks, only: check, finish, random_matrix
   implicit none
   integer, parameter :: shapes(2, 9) = reshape( &
      [1, 1, 2, 1, 3, 3, 50, 3, 192, 4, 193, 4, 41, 40, 1000, 17, 600, 60], [2, 9])
   real(dp), parameter :: sizes(3) = [1.0_dp, 1e150_dp, 1e-150_dp]
   integer, parameter :: drivers(4) = [1, 2, 3, 4]
      !! Jacobians shown by columns, by rows, by differences, filled in.
   type(bent_type), target, save :: problem
   real(dp), allocatable, target, save :: x(:), fvec(:), diag(:), augmented(:, :), r(:, :), cov(:, :)
   real(dp), allocatable, target, save :: lower(:), upper(:)
   integer(c_int) :: bounded = 0
   integer(c_int), allocatable, target, save :: ipvt(:)
   integer(c_int) :: info, nfev
   integer :: i, j, driver

   do i = 1, size(shapes, 2)
      do j = 1, size(sizes)
         do driver = 1, size(drivers)
            call pose(random_matrix(shapes(1, i), shapes(2, i)), sizes(j))
            call fit(driver)
            call check(info >= 1 .and. info <= 4, 'a fit converges')
            call check(norm2(fvec/problem%size) < 1e-6_dp, 'what can be fitted is')
            if (shapes(1, i) > shapes(2, i) .or. shapes(2, i) < 4) then
               call check(all(abs(x - problem%truth) < 1e-4_dp), 'the solution is found')
            end if
         end do
      end do
   end do

   do driver = 1, size(drivers)
      call pose(0*random_matrix(9, 3), 1.0_dp)
      call fit(driver)
      call check(info == 4 .and. all(x == 0), 'nothing moves a Jacobian of zeros')
      call pose(spread(reshape(random_matrix(20, 1), [20]), 2, 5), 1.0_dp)
      call fit(driver)
      call check(info >= 1 .and. info <= 4 .and. norm2(fvec) < 1e-6_dp, 'equal columns are fitted')
      call stops_where_it_is_told(driver)
      call stays_within_bounds(driver)
   end do
   call covariance_tells_singular_triangles()
   call refuses_a_negative_tolerance()
   call evaluates_once()
   call finish()

contains

   subroutine pose(a, size_of_residuals)
      real(dp), intent(in) :: a(:, :)
      real(dp), intent(in) :: size_of_residuals
      integer :: m, n

      m = size(a, 1)
      n = size(a, 2)
      problem%a = a
      problem%truth = reshape(random_matrix(n, 1), [n])
      problem%size = size_of_residuals
      problem%last_call = huge(1)
      problem%calls = 0
      problem%least_room = huge(1.0_dp)
      x = spread(0.0_dp, 1, n)
      fvec = spread(0.0_dp, 1, m)
      diag = spread(1.0_dp, 1, n)
      lower = spread(-huge(1.0_dp), 1, n)
      upper = spread(huge(1.0_dp), 1, n)
      augmented = spread(x, 2, n + 1)
      ipvt = spread(0, 1, n)
   end subroutine pose

   subroutine fit(driver, ftol)
      integer, intent(in) :: driver
      real(dp), intent(in), optional :: ftol
      integer(c_int), parameter :: maxfev = 5000
      real(dp), parameter :: tolerance = 1e-10_dp
      real(dp) :: ftol_used
      integer(c_intptr_t) :: data
      integer(c_int) :: m, n, njev, answer

      m = size(fvec)
      n = size(x)
      ftol_used = tolerance
      if (present(ftol)) ftol_used = ftol
      problem%by_rows = driver == 2
      data = transfer(c_loc(problem), data)
      problem%lower = lower
      problem%upper = upper
      if (driver /= 3) answer = residual(c_loc(problem), m, n, x, fvec, 1_c_int)
      if (driver == 3) then
         call lmdif(residual_address(), data, 1_c_int, m, n, x, fvec, 0_c_int, ftol_used, &
                    tolerance, 0.0_dp, maxfev, 0.0_dp, 0_c_int, diag, 100.0_dp, 0_c_int, diag, &
                    bounded, lower, upper, augmented, ipvt, nfev, info)
      else
         call lmder(residual_address(), data, 1_c_int, &
                    merge(filled_address(), shown_address(), driver == 4), data, &
                    merge(1_c_int, 0_c_int, driver == 4), m, n, x, fvec, 1_c_int, ftol_used, &
                    tolerance, 0.0_dp, maxfev, 100.0_dp, 0_c_int, diag, bounded, lower, upper, &
                    augmented, ipvt, nfev, njev, info)
      end if
   end subroutine fit

   subroutine stops_where_it_is_told(driver)
      integer, intent(in) :: driver
      integer :: last

      do last = 2, 7
         call pose(random_matrix(30, 4), 1.0_dp)
         problem%last_call = last
         call fit(driver)
         call check(info == stop_flag, 'a negative answer ends the fit and is told')
         call check(problem%calls == last, 'nothing is called after a negative answer')
         if (driver == 3) call check(nfev == last, 'the call that ended the fit is counted')
      end do
   end subroutine stops_where_it_is_told

   subroutine stays_within_bounds(driver)
      integer, intent(in) :: driver

      call pose(random_matrix(30, 4), 1.0_dp)
      bounded = 1
      problem%truth = [0.5_dp, -0.5_dp, 2.0_dp, 0.0_dp]
      lower = [-1, -1, -1, 0]
      upper = [1, 1, 1, 0]
      call fit(driver)
      call check(info >= 1 .and. info <= 4, 'a bounded fit converges')
      call check(x(3) == upper(3) .and. x(4) == lower(4), 'on its bounds exactly')
      call check(problem%least_room >= 0, 'nothing is called outside them')

      problem%calls = 0
      x(1) = 2
      call fit(driver)
      call check(info == improper_input .and. problem%calls == 1, 'a start outside is refused')
      bounded = 0
   end subroutine stays_within_bounds

   subroutine covariance_tells_singular_triangles()
      integer(c_int) :: regular, state(4)

      call pose(random_matrix(30, 4), 1.0_dp)
      call fit(1)
      r = augmented(:, :4)
      cov = r
      call covar(4_c_int, r, ipvt, spread(1.0_dp, 1, 4), spread(0_c_int, 1, 4), 1e-10_dp, 1e-10_dp, cov, state, regular)
      call check(regular == 1, 'a regular Jacobian has a covariance')
      cov = matmul(matmul(transpose(problem%columns), problem%columns), cov)
      call check(all(abs([(cov(j, j), j=1, 4)] - 1) < 1e-6_dp), 'it is the inverse of J''J')
      r(4, 4) = 0
      call covar(4_c_int, r, ipvt, spread(1.0_dp, 1, 4), spread(0_c_int, 1, 4), 1e-10_dp, 1e-10_dp, cov, state, regular)
      call check(regular == 0, 'a singular Jacobian has none')
   end subroutine covariance_tells_singular_triangles

   subroutine refuses_a_negative_tolerance()
      call pose(random_matrix(30, 4), 1.0_dp)
      call fit(1, ftol=-1.0_dp)
      call check(info == improper_input .and. problem%calls == 1, 'a negative tolerance is refused')
   end subroutine refuses_a_negative_tolerance

   subroutine evaluates_once()
      integer(c_intptr_t) :: data

      call pose(random_matrix(30, 4), 1.0_dp)
      data = transfer(c_loc(problem), data)
      call evaluate(residual_address(), data, 30_c_int, 4_c_int, problem%truth, fvec, info)
      call check(info >= 0 .and. problem%calls == 1 .and. all(fvec == 0), 'residuals are evaluated')
      problem%last_call = 2
      call evaluate(residual_address(), data, 30_c_int, 4_c_int, x, fvec, info)
      call check(info == stop_flag, 'a negative answer is told')
   end subroutine evaluates_once

end program test_fit
