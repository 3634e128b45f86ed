program test_many
   !! Many fits in one call: each gives the same bits as alone.
   use, intrinsic :: iso_c_binding, only: c_int, c_intptr_t, c_ptr, c_loc, c_funloc, c_null_ptr, &
                                          c_null_funptr, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_entries, only: fit, many
   use minpack_covariance_entries, only: covar
   use minpack_lockstep_entries, only: lockstep_open, lockstep_advance, lockstep_close
   use minpack_c_options, only: c_options_type
   use minpack_c_functions, only: c_function_type
   use minpack_batch, only: c_results_type
   use minpack_inputs, only: c_input_type
   use checks, only: check, finish, random_matrix
   implicit none
   integer, parameter :: m = 20, n = 3, fits = 7, stop_flag = -5
   real(dp), parameter :: tolerance = 1e-10_dp, error = 1e-8_dp, start(n) = [1, 1, 1]
   type :: data_type
      real(dp) :: t(m)
      real(dp) :: y(m)
      integer :: calls = 0
      integer :: last_call = huge(1)
         !! The call that asks to stop.
   end type data_type
   type(data_type), target, save :: data
   real(dp), target, save :: curves(m, fits), lower(n, fits), upper(n, fits), sizes(fits)
   real(dp), target, save :: x(n, fits), fnorm(fits), cov(n, n, fits), effect(n, fits)
   integer(c_int), target, save :: state(n, fits), info(fits), nfev(fits)
   integer(c_int) :: done, columns, absolute
   integer :: i

   data%t = [(0.2_dp*i, i=1, m)]
   curves = spread(2.5_dp*exp(-1.3_dp*data%t) + 0.5_dp, 2, fits) + 0.05_dp*random_matrix(m, fits)
   curves(:, 3) = 1000*curves(:, 3)
   curves(:, 5) = 0
   sizes = norm2(curves, 1)
   lower = 0
   upper = spread([2.0_dp, 9.0_dp, 9.0_dp], 2, fits)
   do i = 1, 3
      columns = merge(fits, i - 1, i == 3)
      do absolute = 0, 1
         call solve(1)
         call check(done == fits .and. all(info > 0), 'all fits are done')
         call compare_with_fits_alone()
         call compare_with_lockstep(lanes=3)
         call compare_with_lockstep(lanes=fits + 1)
      end do
      upper(1, 2) = 1.5_dp
   end do
   columns = 0
   call goes_on_after_a_stop()
   call needs_no_covariance()
   call finish()

contains

   function residual(pointer, m, n, x, fvec, iflag) bind(c) result(answer)
      type(c_ptr), value :: pointer
      integer(c_int), value :: m
      integer(c_int), value :: n
      real(dp), intent(in) :: x(n)
      real(dp), intent(out) :: fvec(m)
      integer(c_int), value :: iflag
      integer(c_int) :: answer
      type(data_type), pointer :: self

      call c_f_pointer(pointer, self)
      self%calls = self%calls + 1
      answer = merge(stop_flag, 0, self%calls == self%last_call)
      fvec = model(x) - self%y
   end function residual

   function model(x) result(values)
      real(dp), intent(in) :: x(n)
      real(dp) :: values(m)

      values = x(1)*exp(-x(2)*data%t) + x(3)
   end function model

   function options_from(first) result(options)
      !! With bounds, if there are columns of bounds.
      integer, intent(in) :: first
      type(c_options_type) :: options

      options = c_options_type(tolerance, tolerance, 0.0_dp, 100.0_dp, 0.0_dp, 500, c_null_ptr, &
                               c_null_ptr, c_null_ptr, c_null_ptr)
      if (columns == 0) return
      options%lower = c_loc(lower(1, min(first, columns)))
      options%upper = c_loc(upper(1, min(first, columns)))
   end function options_from

   subroutine solve(first)
      !! All fits from the first on.
      integer, intent(in) :: first
      type(c_input_type) :: inputs(1)
      integer(c_intptr_t) :: size

      size = storage_size(curves)/8*m
      inputs = c_input_type(c_loc(data%y), c_loc(curves(1, first)), size, size)
      x(:, first:) = spread(start, 2, fits - first + 1)
      call many(c_function_type(c_funloc(residual), c_null_funptr, c_loc(data)), &
                options=options_from(first), m=m, n=n, fits=fits - first + 1, &
                data_norms=c_loc(sizes(first)), inputs=inputs, input_count=1, &
                bounds_count=columns, diag_count=1, absolute=absolute, negligible=error, &
                doubtful=error, results=c_results_type( &
                c_loc(x(1, first)), c_loc(fnorm(first)), c_loc(cov(1, 1, first)), &
                c_loc(state(1, first)), c_loc(effect(1, first)), c_loc(info(first)), &
                c_loc(nfev(first))), done=done)
   end subroutine solve

   subroutine compare_with_fits_alone()
      real(dp) :: own_x(n), fvec(m), norm, augmented(n, n + 2), own_cov(n, n)
      integer(c_int) :: ipvt(n), own_state(n), active(n)
      integer(c_int) :: own_info, calls, trials, njev, steps, regular
      integer :: k, j

      do k = 1, fits
         data%y = curves(:, k)
         own_x = start
         call fit(c_function_type(c_funloc(residual), c_null_funptr, c_loc(data)), &
                  options=options_from(k), data_norm=sizes(k), m=m, n=n, x=own_x, fvec=fvec, &
                  is_evaluated=0, fnorm=norm, augmented=augmented, ipvt=ipvt, nfev=calls, &
                  trials=trials, njev=njev, steps=steps, info=own_info)
         active = 0
         if (columns > 0) then
            where (own_x <= lower(:, k) .or. own_x >= upper(:, min(k, columns))) active = 1
            where (lower(:, k) >= upper(:, min(k, columns))) active = 2
         end if
         call covar(m, n, augmented(:, :n), augmented(:, n + 1), augmented(:, n + 2), ipvt, own_x, &
                    active, norm, absolute, 1, error, error, own_cov, own_state, regular)
         if (regular == 0) own_state = -1
         call check(all(x(:, k) == own_x) .and. fnorm(k) == norm, 'the same solution')
         call check(info(k) == own_info .and. nfev(k) == calls, 'on the same way')
         call check(all(cov(:, :, k) == own_cov) .and. all(state(:, k) == own_state), &
                    'the same covariance')
         call check(all([(effect(ipvt(j), k) == maxval(abs(augmented(:, j))), j=1, n)]), &
                    'the effect of a variable belongs to its column')
      end do
   end subroutine compare_with_fits_alone

   function all_results() result(results)
      type(c_results_type) :: results

      results = c_results_type(c_loc(x), c_loc(fnorm), c_loc(cov), c_loc(state), c_loc(effect), &
                               c_loc(info), c_loc(nfev))
   end function all_results

   subroutine compare_with_lockstep(lanes)
      !! Fits that are told the values of the model end on the same bits.
      integer, intent(in) :: lanes
      real(dp) :: expected(n, fits), expected_cov(n, n, fits)
      integer :: expected_nfev(fits)

      call solve(1)
      expected = x
      expected_cov = cov
      expected_nfev = nfev
      info = -9
      x = spread(start, 2, fits)
      call answer_questions(lanes, failing=0)
      call check(all(x == expected) .and. all(cov == expected_cov), 'lockstep: the same solutions')
      call check(all(nfev == expected_nfev) .and. all(info > 0), 'lockstep: on the same ways')
      if (columns > 0) return
      x = spread(start, 2, fits)
      call answer_questions(lanes, failing=4)
      expected(:, 4) = x(:, 4)
      call check(all(x == expected), 'lockstep: a fit that fails does not change the others')
      call check(info(4) == -1, 'lockstep: and it ends')
   end subroutine compare_with_lockstep

   subroutine answer_questions(lanes, failing)
      integer, intent(in) :: lanes
      integer, intent(in) :: failing
         !! The fit whose second question has no answer; 0 for none.
      real(dp) :: points(n, n*lanes), values(m, n*lanes), no_points(n, lanes), nothing(m, n, 0)
      integer(c_int) :: owner(n*lanes), failed(n*lanes), no_owner(lanes), no_fail(0)
      integer(c_int) :: count, jacobians
      integer :: i, calls
      type(c_ptr) :: handle
      type(c_results_type) :: results

      results = all_results()
      call lockstep_open(options_from(1), m, n, fits, lanes, 1, c_loc(sizes), c_loc(curves), &
                         c_null_ptr, 0, columns, 1, absolute, error, error, results, handle)
      calls = 0
      count = 0
      jacobians = 0
      do
         call lockstep_advance(handle, m, n, lanes, count, values, failed, jacobians, nothing, &
                               no_fail, points, owner, no_points, no_owner)
         if (count == 0) exit
         failed = 0
         do i = 1, count
            values(:, i) = model(points(:, i))
            if (owner(i) /= failing) cycle
            calls = calls + 1
            if (calls == 2) failed(i) = 1
         end do
      end do
      call lockstep_close(handle)
   end subroutine answer_questions

   subroutine goes_on_after_a_stop()
      real(dp) :: expected(n, fits)

      call solve(1)
      expected = x
      data%calls = 0
      data%last_call = nfev(1) + nfev(2) + 5
      call solve(1)
      call check(done == 2 .and. info(3) == stop_flag .and. nfev(3) == 5, 'the third fit stops')
      call check(all(x(:, :2) == expected(:, :2)), 'the fits before are done')
      call solve(4)
      call check(done == fits - 3 .and. all(x(:, 4:) == expected(:, 4:)), 'so are those behind')
   end subroutine goes_on_after_a_stop

   subroutine needs_no_covariance()
      real(dp) :: expected(n, fits)
      type(c_input_type) :: inputs(0)
      type(c_results_type) :: wanted

      wanted = c_results_type(c_loc(x), c_loc(fnorm), c_null_ptr, c_null_ptr, c_null_ptr, &
                              c_loc(info), c_loc(nfev))
      call solve(1)
      data%y = curves(:, 1)
      expected = spread(x(:, 1), 2, fits)
      x = spread(start, 2, fits)
      call many(c_function_type(c_funloc(residual), c_null_funptr, c_loc(data)), &
                options=options_from(1), m=m, n=n, fits=fits, data_norms=c_loc(sizes), &
                inputs=inputs, input_count=0, bounds_count=0, diag_count=1, absolute=0, &
                negligible=error, doubtful=error, results=wanted, done=done)
      call check(done == fits .and. all(x == expected), 'nor data that change')
      call many(c_function_type(c_funloc(residual), c_null_funptr, c_loc(data)), &
                options=options_from(1), m=n - 1, n=n, fits=fits, data_norms=c_loc(sizes), &
                inputs=inputs, input_count=0, bounds_count=0, diag_count=1, absolute=0, &
                negligible=error, doubtful=error, results=wanted, done=done)
      call check(done == 0 .and. info(1) == 0, 'fewer residuals than variables are refused')
   end subroutine needs_no_covariance

end program test_many
