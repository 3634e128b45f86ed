program test_runs
   !! Runs of residuals with the same sign: random signs, long runs, zeros, and rows in parts.
   use minpack_kinds, only: dp
   use minpack_runs, only: size_of_runs, no_runs, add_signs, add_runs, rows_of, are_long, prevail, &
                           are_beyond_chance
   use checks, only: check, finish
   implicit none

   real(dp), parameter :: high = 2.0_dp, low = -1e-300_dp
   real(dp) :: one(16), slow(16), few(4), noisy(400), runs(size_of_runs), more(size_of_runs)
   integer :: i

   one = [(merge(high, low, mod(i, 2) == 0), i=1, 16)]
   slow = [(merge(high, low, i <= 8), i=1, 16)]
   few = high

   call check(all(no_runs == 0), 'no rows')
   call check(.not. are_long(runs_of(one)), 'signs that change')
   call check(are_long(runs_of(slow)), 'signs that change once')
   call check(.not. are_long(runs_of(few)), 'few rows tell nothing')
   call check(prevail(runs_of(slow)), 'runs that are all there is')
   call check(.not. prevail(runs_of(few)), 'too few rows for runs to prevail')
   call check(are_beyond_chance(runs_of(slow)), '13 of 15 alike are no chance')
   call check(prevail(runs_of(slow(:8))) .and. .not. are_beyond_chance(runs_of(slow(:8))), &
              'eight alike may be chance')
   noisy = [(merge(high, low, mod(i, 5) < 2), i=1, 400)]
   call check(are_long(runs_of(noisy)) .and. .not. prevail(runs_of(noisy)), 'runs of two and three')

   runs = runs_of(slow)
   call check(runs(3) == 13, '14 neighbours are alike and one pair differs')
   do i = 0, 16
      runs = runs_of(slow(:i))
      more = runs_of(slow(i + 1:))
      call add_runs(runs, more)
      call check(all(runs == runs_of(slow)), 'the same in two parts')
   end do

   slow([1, 4, 8, 9]) = 0
   runs = runs_of(slow)
   call check(runs(3) == 9 .and. rows_of(runs) == 12, 'rows that are zero are left out')
   call finish()

contains

   function runs_of(f) result(runs)
      real(dp), intent(in) :: f(:)
      real(dp) :: runs(size_of_runs)

      runs = no_runs
      call add_signs(runs, f)
   end function runs_of

end program test_runs
