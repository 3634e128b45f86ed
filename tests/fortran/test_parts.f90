program test_parts
   !! A fit whose rows are in parts, through the entries for C: the result is that of the whole.
   use, intrinsic :: iso_c_binding, only: c_int, c_loc, c_null_ptr, c_ptr, c_associated
   use minpack_kinds, only: dp
   use minpack_entries, only: fit
   use minpack_request, only: nothing_more
   use minpack_inputs, only: c_input_type
   use minpack_parts_entries, only: parts_open, parts_advance, parts_result, parts_close, &
                                    parts_add, parts_evaluate
   use minpack_c_options, only: c_options_type
   use bent, only: bent_type, stop_flag, residual_of, jacobian_of
   use checks, only: check, finish, random_matrix
   implicit none
   integer, parameter :: shapes(2, 5) = reshape([9, 1, 20, 3, 300, 4, 60, 20, 200, 60], [2, 5])
   type(bent_type), target, save :: whole, parts(3)
   real(dp), allocatable, target, save :: x(:), fvec(:), augmented(:, :), lower(:), upper(:)
   real(dp), allocatable, save :: expected(:)
   integer(c_int), allocatable, save :: ipvt(:)
   integer(c_int) :: info, counts(4)
   integer :: i, one_trip, analytic

   do i = 1, size(shapes, 2)
      call pose(shapes(1, i), shapes(2, i))
      do analytic = 0, 1
         call solve_whole(analytic == 1)
         do one_trip = 0, 1
            call solve_in_parts(analytic == 1, one_trip)
            call check(info >= 1 .and. info <= 4, 'a fit in parts converges')
            call check(norm2(x - expected) <= 1e-6_dp*(1 + norm2(expected)), 'to the same point')
            call check(parts(1)%least_room >= 0, 'nothing is called outside the bounds')
         end do
      end do
      call a_part_can_stop()
   end do
   call finish()

contains

   subroutine pose(m, n)
      !! Rows in three parts: one row, half of them, the rest. The last variable is on a bound.
      integer, intent(in) :: m, n
      integer :: ends(4), k

      whole%a = random_matrix(m, n)
      whole%truth = reshape(random_matrix(n, 1), [n])
      lower = whole%truth - 1
      upper = whole%truth + 1
      upper(n) = whole%truth(n) - merge(0.1_dp, -1.0_dp, n > 1)
      whole%lower = lower
      whole%upper = upper
      ends = [0, 1, m/2, m]
      do k = 1, 3
         parts(k) = whole
         parts(k)%a = whole%a(ends(k) + 1:ends(k + 1), :)
      end do
      expected = whole%truth
      fvec = spread(0.0_dp, 1, m)
      augmented = spread(expected, 2, n + 2)
      ipvt = spread(0, 1, n)
   end subroutine pose

   function options() result(found)
      type(c_options_type) :: found
      real(dp), parameter :: tolerance = 1e-12_dp

      found = c_options_type(tolerance, tolerance, 0.0_dp, 1.0_dp, epsilon(1.0_dp), 5000, &
                             c_null_ptr, c_null_ptr, c_loc(lower), c_loc(upper))
   end function options

   subroutine solve_whole(analytic)
      logical, intent(in) :: analytic
      real(dp) :: fnorm
      integer(c_int) :: nfev, trials, njev, steps

      x = start()
      if (analytic) then
         call fit(residual_of(whole), jacobian_of(whole, fills=.true.), options(), -1.0_dp, &
                  size(fvec), size(x), x, fvec, 0, fnorm, augmented, ipvt, nfev, &
                  trials, njev, steps, info)
      else
         call fit(residual_of(whole), options=options(), data_norm=-1.0_dp, m=size(fvec), &
                  n=size(x), x=x, fvec=fvec, is_evaluated=0, fnorm=fnorm, augmented=augmented, &
                  ipvt=ipvt, nfev=nfev, trials=trials, njev=njev, steps=steps, info=info)
      end if
      expected = x
   end subroutine solve_whole

   function start() result(x)
      real(dp), allocatable :: x(:)

      x = whole%truth - 0.5_dp
   end function start

   subroutine solve_in_parts(analytic, one_trip)
      logical, intent(in) :: analytic
      integer, intent(in) :: one_trip
      real(dp), allocatable, target :: request(:), sums(:)
      real(dp) :: fnorm
      type(c_ptr) :: handle
      integer(c_int) :: what, told
      integer :: n

      n = size(expected)
      x = start()
      request = spread(0.0_dp, 1, 6*n + 3)
      sums = no_rows(n)
      call parts_open(options(), n, merge(0, 1, analytic), one_trip, handle)
      call check(c_associated(handle), 'a fit in parts is opened')
      told = 0
      do
         info = 0
         call parts_advance(handle, n, told, sums, info, x, request, what, counts)
         if (what == nothing_more) exit
         told = 1
         sums = answer(analytic, request, what)
      end do
      call parts_result(handle, n, fnorm, augmented, ipvt)
      call parts_close(handle)
      call check(sum(ipvt) == n*(n + 1)/2, 'with an order of the columns')
   end subroutine solve_in_parts

   function no_rows(n) result(sums)
      integer, intent(in) :: n
      real(dp), allocatable :: sums(:)

      sums = spread(0.0_dp, 1, 12 + 3*n + (n + 1)*(n + 2)/2)
   end function no_rows

   function answer(analytic, request, what) result(sums)
      !! The sums over all parts; the second part begins where the first ends.
      logical, intent(in) :: analytic
      real(dp), intent(in) :: request(:)
      integer(c_int), intent(in) :: what
      real(dp), allocatable :: sums(:), more(:)
      integer(c_int) :: flag
      integer :: n

      n = size(expected)
      sums = no_rows(n)
      more = no_rows(n)
      call evaluate(parts(1), analytic, request, what, sums)
      call evaluate(parts(2), analytic, request, what, sums)
      call evaluate(parts(3), analytic, request, what, more)
      call parts_add(n, sums, more, flag)
   end function answer

   subroutine evaluate(part, analytic, request, what, sums)
      type(bent_type), intent(inout), target :: part
      logical, intent(in) :: analytic
      real(dp), intent(in), target :: request(:)
      integer(c_int), intent(in) :: what
      real(dp), intent(inout), target :: sums(:)
      type(c_input_type) :: inputs(0)
      real(dp) :: values(size(part%a, 1))
      integer(c_int) :: flag

      if (analytic) then
         call parts_evaluate(residual_of(part), jacobian_of(part, fills=.false.), options(), &
                             size(values), size(expected), values, 0, inputs, 0, 1, request, &
                             what, sums, flag)
      else
         call parts_evaluate(residual_of(part), options=options(), m=size(values), &
                             n=size(expected), fvec=values, is_evaluated=0, input_count=0, &
                             inputs=inputs, blocks=1, request=request, what=what, sums=sums, &
                             info=flag)
      end if
      if (part%last_call < huge(1)) info = flag
   end subroutine evaluate

   subroutine a_part_can_stop()
      real(dp), allocatable, target :: request(:), sums(:)

      parts(2)%calls = 0
      parts(2)%last_call = 1
      request = spread(0.5_dp, 1, 6*size(expected) + 1)
      sums = no_rows(size(expected))
      call evaluate(parts(2), .false., request, 1, sums)
      call check(info == stop_flag, 'a negative answer of a part is told')
   end subroutine a_part_can_stop

end program test_parts
