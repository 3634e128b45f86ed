module minpack_runs
   !! Runs of residuals that have the same sign, in the order of the rows. Where a model fits, the
   !! signs of neighbours are as often different as equal; where it passes by the data, they are
   !! mostly equal.
   !!
   !! A. Wald and J. Wolfowitz, "On a test whether two samples are from the same population", Annals
   !! of Mathematical Statistics 11 (1940).
   use minpack_kinds, only: dp
   implicit none
   private
   public :: size_of_runs, no_runs, add_signs, add_runs, rows_of, are_long, prevail, &
             are_beyond_chance

   integer, parameter :: size_of_runs = 4
      !! The runs of some rows are so many numbers: the sign of the first row, that of the last, how
      !! many more neighbours have equal signs than different ones, and how many rows these are. A
      !! row that is zero is left out: it may have no weight.
   real(dp), parameter :: no_runs(size_of_runs) = 0
   real(dp), parameter :: significant = 2
      !! In standard deviations of signs that are random.
   real(dp), parameter :: certain = 2.5_dp
   real(dp), parameter :: most = 0.4_dp
      !! How many more neighbours have equal signs than different ones, as a part of the rows, where
      !! a model does not describe the data.

contains

   pure subroutine add_signs(runs, f)
      !! Add the signs of rows that follow.
      real(dp), intent(inout) :: runs(size_of_runs)
         !! The runs of the rows so far.
      real(dp), intent(in), contiguous :: f(:)
         !! Shape: (m). The residuals.
      real(dp) :: more(size_of_runs), one
      integer :: i

      more = no_runs
      do i = 1, size(f)
         if (f(i) == 0) cycle
         one = sign(1.0_dp, f(i))
         if (more(1) == 0) more(1) = one
         more(3) = more(3) + one*more(2)
         more(2) = one
         more(4) = more(4) + 1
      end do
      call add_runs(runs, more)
   end subroutine add_signs

   pure subroutine add_runs(runs, more)
      !! Add the runs of the rows that follow.
      real(dp), intent(inout) :: runs(size_of_runs)
         !! The runs of the rows so far.
      real(dp), intent(in) :: more(size_of_runs)
         !! The runs of these rows.

      if (runs(1) == 0) runs(1) = more(1)
      runs(3) = runs(3) + runs(2)*more(1) + more(3)
      if (more(2) /= 0) runs(2) = more(2)
      runs(4) = runs(4) + more(4)
   end subroutine add_runs

   pure real(dp) function rows_of(runs)
      !! How many rows are not zero.
      real(dp), intent(in) :: runs(size_of_runs)
         !! The runs of all rows.

      rows_of = runs(4)
   end function rows_of

   pure logical function are_long(runs)
      !! Whether the runs are longer than those of random signs.
      real(dp), intent(in) :: runs(size_of_runs)
         !! The runs of all rows.

      are_long = runs(3) > significant*sqrt(rows_of(runs))
   end function are_long

   pure logical function prevail(runs)
      !! Whether the runs are so long that the residuals are not mainly noise.
      real(dp), intent(in) :: runs(size_of_runs)
         !! The runs of all rows.

      prevail = are_long(runs) .and. runs(3) > most*rows_of(runs)
   end function prevail

   pure logical function are_beyond_chance(runs)
      !! Whether runs prevail, and are so long that this is no chance.
      real(dp), intent(in) :: runs(size_of_runs)
         !! The runs of all rows.

      are_beyond_chance = prevail(runs) .and. runs(3) > certain*sqrt(rows_of(runs))
   end function are_beyond_chance

end module minpack_runs
