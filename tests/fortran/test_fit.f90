program test_fit
   !! Whole fits through the entries for C.
   use, intrinsic :: iso_c_binding, only: c_int, c_loc, c_null_ptr, c_null_funptr
   use minpack_kinds, only: dp
   use minpack_info, only: improper_input
   use minpack_vectors, only: enorm
   use minpack_settings, only: no_fault, fault_of_ftol
   use minpack_entries, only: fit, fault, evaluate
   use minpack_covariance_entries, only: covar
   use minpack_c_options, only: c_options_type
   use minpack_c_functions, only: c_function_type
   use bent, only: bent_type, stop_flag, residual, residual_of, jacobian_of
   use checks, only: check, finish, random_matrix
   implicit none
   integer, parameter :: shapes(2, 9) = reshape( &
      [1, 1, 2, 1, 3, 3, 50, 3, 192, 4, 193, 4, 41, 40, 1000, 17, 600, 60], [2, 9])
   real(dp), parameter :: sizes(3) = [1.0_dp, 1e150_dp, 1e-150_dp]
   integer, parameter :: drivers(4) = [1, 2, 3, 4]
      !! Jacobians shown by columns, by rows, by differences, filled in.
   type(bent_type), target, save :: problem
   real(dp), allocatable, target, save :: x(:), fvec(:), augmented(:, :), r(:, :), cov(:, :)
   real(dp), allocatable, target, save :: lower(:), upper(:)
   real(dp) :: fnorm, norm
   logical :: bounded = .false.
   integer(c_int), allocatable, target, save :: ipvt(:)
   integer(c_int) :: info, nfev, njev, trials, steps
   integer :: i, j, driver

   do i = 1, size(shapes, 2)
      do j = 1, size(sizes)
         do driver = 1, size(drivers)
            call pose(random_matrix(shapes(1, i), shapes(2, i)), sizes(j))
            call solve(driver)
            call check(info >= 1 .and. info <= 4, 'a fit converges')
            call check(norm2(fvec/problem%size) < 1e-6_dp, 'what can be fitted is')
            norm = enorm(size(fvec), fvec)
            call check(abs(fnorm - norm) <= 1e-14_dp*fnorm, 'the norm belongs to fvec')
            if (shapes(1, i) > shapes(2, i) .or. shapes(2, i) < 4) then
               call check(all(abs(x - problem%truth) < 1e-4_dp), 'the solution is found')
            end if
         end do
      end do
   end do

   do driver = 1, size(drivers)
      call pose(0*random_matrix(9, 3), 1.0_dp)
      call solve(driver)
      call check(info == 4 .and. all(x == 0), 'nothing moves a Jacobian of zeros')
      call pose(spread(reshape(random_matrix(20, 1), [20]), 2, 5), 1.0_dp)
      call solve(driver)
      call check(info >= 1 .and. info <= 4 .and. norm2(fvec) < 1e-6_dp, 'equal columns are fitted')
      call stops_where_it_is_told(driver)
      call stays_within_bounds(driver)
   end do
   call covariance_tells_singular_triangles()
   call refuses_a_negative_tolerance()
   call evaluates_once()
   call refuses_what_is_not_complete()
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
      lower = spread(-huge(1.0_dp), 1, n)
      upper = spread(huge(1.0_dp), 1, n)
      augmented = spread(x, 2, n + 2)
      ipvt = spread(0, 1, n)
   end subroutine pose

   subroutine solve(driver, ftol)
      integer, intent(in) :: driver
      real(dp), intent(in), optional :: ftol
      real(dp), parameter :: tolerance = 1e-10_dp
      type(c_options_type) :: options
      integer(c_int) :: m, n, answer

      m = size(fvec)
      n = size(x)
      options = c_options_type(tolerance, tolerance, 0.0_dp, 100.0_dp, 0.0_dp, 5000, c_null_ptr, &
                               c_null_ptr, c_null_ptr, c_null_ptr)
      if (present(ftol)) options%ftol = ftol
      if (bounded) then
         options%lower = c_loc(lower)
         options%upper = c_loc(upper)
      end if
      problem%by_rows = driver == 2
      problem%lower = lower
      problem%upper = upper
      if (driver == 3) then
         call fit(residual_of(problem), options=options, data_norm=-1.0_dp, m=m, n=n, x=x, &
                  fvec=fvec, is_evaluated=0, fnorm=fnorm, augmented=augmented, ipvt=ipvt, &
                  nfev=nfev, trials=trials, njev=njev, steps=steps, info=info)
      else
         answer = residual(c_loc(problem), m, n, x, fvec, 1_c_int)
         call fit(residual_of(problem), jacobian_of(problem, fills=driver == 4), options, -1.0_dp, &
                  m, n, x, fvec, 1, fnorm, augmented, ipvt, nfev, trials, njev, steps, info)
      end if
   end subroutine solve

   subroutine stops_where_it_is_told(driver)
      integer, intent(in) :: driver
      integer :: last

      do last = 2, 7
         call pose(random_matrix(30, 4), 1.0_dp)
         problem%last_call = last
         call solve(driver)
         call check(info == stop_flag, 'a negative answer ends the fit and is told')
         call check(problem%calls == last, 'nothing is called after a negative answer')
         if (driver == 3) call check(nfev == last, 'the call that ended the fit is counted')
      end do
   end subroutine stops_where_it_is_told

   subroutine stays_within_bounds(driver)
      integer, intent(in) :: driver

      call pose(random_matrix(30, 4), 1.0_dp)
      bounded = .true.
      problem%truth = [0.5_dp, -0.5_dp, 2.0_dp, 0.0_dp]
      lower = [-1, -1, -1, 0]
      upper = [1, 1, 1, 0]
      call solve(driver)
      call check(info >= 1 .and. info <= 4, 'a bounded fit converges')
      call check(x(3) == upper(3) .and. x(4) == lower(4), 'on its bounds exactly')
      call check(problem%least_room >= 0, 'nothing is called outside them')

      problem%calls = 0
      x(1) = 2
      call solve(driver)
      call check(info == improper_input .and. problem%calls == 1, 'a start outside is refused')
      bounded = .false.
   end subroutine stays_within_bounds

   subroutine covariance_tells_singular_triangles()
      integer(c_int) :: regular, state(4)

      call pose(random_matrix(30, 4), 1.0_dp)
      call solve(1)
      r = augmented(:, :4)
      cov = r
      call covar(30, 4, r, augmented(:, 5), augmented(:, 6), ipvt, spread(1.0_dp, 1, 4), &
                 spread(0, 1, 4), 1.0_dp, 1, 1, 1e-10_dp, 1e-10_dp, cov, state, regular)
      call check(regular == 1, 'a regular Jacobian has a covariance')
      cov = matmul(matmul(transpose(problem%columns), problem%columns), cov)
      call check(all(abs([(cov(j, j), j=1, 4)] - 1) < 1e-6_dp), 'it is the inverse of J''J')
      r(4, 4) = 0
      call covar(30, 4, r, augmented(:, 5), augmented(:, 6), ipvt, spread(1.0_dp, 1, 4), &
                 spread(0, 1, 4), 1.0_dp, 1, 1, 1e-10_dp, 1e-10_dp, cov, state, regular)
      call check(regular == 0, 'a singular Jacobian has none')
   end subroutine covariance_tells_singular_triangles

   subroutine refuses_a_negative_tolerance()
      type(c_options_type) :: options

      call pose(random_matrix(30, 4), 1.0_dp)
      call solve(1, ftol=-1.0_dp)
      call check(info == improper_input .and. problem%calls == 1, 'a negative tolerance is refused')
      options = c_options_type(-1.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 0.0_dp, 9, c_null_ptr, c_null_ptr, &
                               c_null_ptr, c_null_ptr)
      call check(fault(options, 4) == fault_of_ftol, 'it is named')
      options%ftol = 1
      call check(fault(options, 4) == no_fault, 'nothing else is')
   end subroutine refuses_a_negative_tolerance

   subroutine evaluates_once()
      call pose(random_matrix(30, 4), 1.0_dp)
      call evaluate(residual_of(problem), 30, 4, problem%truth, fvec, info)
      call check(info >= 0 .and. problem%calls == 1 .and. all(fvec == 0), 'residuals are evaluated')
      problem%last_call = 2
      call evaluate(residual_of(problem), 30, 4, x, fvec, info)
      call check(info == stop_flag, 'a negative answer is told')
   end subroutine evaluates_once

   subroutine refuses_what_is_not_complete()
      type(c_options_type) :: options
      type(c_function_type) :: function

      call pose(random_matrix(30, 4), 1.0_dp)
      options = c_options_type(0.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 0.0_dp, 9, c_null_ptr, c_null_ptr, &
                               c_loc(lower), c_null_ptr)
      call refused(residual_of(problem), options, 30, 'a lower bound without an upper bound')
      options%lower = c_null_ptr
      call refused(residual_of(problem), options, 3, 'fewer residuals than variables')
      options%diff_step = c_loc(lower)
      lower = 0
      call refused(residual_of(problem), options, 30, 'steps of zero')
      options%diff_step = c_null_ptr
      function = residual_of(problem)
      function%fill = c_null_funptr
      call refused(function, options, 30, 'a function without a form')
      call check(problem%calls == 0, 'and nothing is called')
   end subroutine refuses_what_is_not_complete

   subroutine refused(function, options, m, what)
      type(c_function_type), intent(in) :: function
      type(c_options_type), intent(in) :: options
      integer, intent(in) :: m
      character(*), intent(in) :: what

      call fit(function, options=options, data_norm=-1.0_dp, m=m, n=4, x=x, fvec=fvec, &
               is_evaluated=1, fnorm=fnorm, augmented=augmented, ipvt=ipvt, nfev=nfev, &
                  trials=trials, njev=njev, steps=steps, info=info)
      call check(info == improper_input, what)
   end subroutine refused

end program test_fit
