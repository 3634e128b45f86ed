program test_reach
   !! How far a variable may go, and when it may land.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   use minpack_reach, only: reach_type
   use checks, only: check, finish
   implicit none
   real(dp), parameter :: slope = 3.0_dp
   real(dp), target, save :: reals(2)
   integer, target, save :: integers(4)

   call a_step_covers_half_the_way_or_half_the_size()
   call one_promise_kept_exactly_is_enough()
   call four_promises_kept_roughly_are_enough()
   call what_is_not_pressed_starts_anew()
   call what_is_called_in_lands_whatever_is_promised()
   call finish()

contains

   function fresh() result(reach)
      type(reach_type) :: reach
      type(store_type) :: store

      call store%open(reals, integers)
      call reach%attach(2, store)
      call check(store%is_full(), 'it takes what it needs')
      call reach%begin()
   end function fresh

   subroutine a_step_covers_half_the_way_or_half_the_size()
      type(reach_type) :: reach

      reach = fresh()
      call check(reach%limit(1, 0.0_dp, 8.0_dp) == 4, 'half of the way')
      call check(reach%limit(1, -10.0_dp, 8.0_dp) == 5, 'or half of its size')
      call check(reach%limit(1, 100.0_dp, 8.0_dp) < 8, 'but not all of the way')
      call check(reach%limit(1, 1.0_dp, 0.0_dp) == 0, 'nothing where there is no way')
      call check(reach%limit(1, 1.0_dp, huge(slope)) > 1e300_dp, 'far where the bound is far')
      call check(.not. reach%falls_short(), 'nothing was pressed')
   end subroutine a_step_covers_half_the_way_or_half_the_size

   subroutine one_promise_kept_exactly_is_enough()
      type(reach_type) :: reach

      reach = fresh()
      call reach%press(1, -1, slope)
      call check(reach%falls_short(), 'a variable was pressed and did not land')
      call reach%judge(1, 1.005_dp*slope)
      call check(reach%may_land(1) .and. reach%limit(1, 1.0_dp, 8.0_dp) == 8, 'all of the way')
      call check(.not. reach%may_land(2), 'for that variable alone')
      call check(.not. reach%falls_short(), 'it would have landed')
   end subroutine one_promise_kept_exactly_is_enough

   subroutine four_promises_kept_roughly_are_enough()
      type(reach_type) :: reach
      integer :: step

      reach = fresh()
      do step = 1, 4
         call check(.not. reach%may_land(1), 'not yet')
         call reach%press(1, 1, -slope)
         call reach%judge(1, merge(-1.4_dp, -0.7_dp, step == 2)*slope)
      end do
      call check(reach%may_land(1), 'after four')
      call reach%press(1, 1, -slope)
      call reach%judge(1, -2*slope)
      call check(.not. reach%may_land(1), 'a broken promise counts for more')
      call reach%press(1, 1, -slope)
      call reach%judge(1, slope)
      call check(.not. reach%may_land(1), 'and so does a slope that turned')
   end subroutine four_promises_kept_roughly_are_enough

   subroutine what_is_not_pressed_starts_anew()
      type(reach_type) :: reach

      reach = fresh()
      call reach%press(1, -1, slope)
      call reach%judge(1, slope)
      call reach%press(1, 0, 0.0_dp)
      call reach%judge(1, slope)
      call check(.not. reach%may_land(1), 'what left a bound may not land on it at once')
   end subroutine what_is_not_pressed_starts_anew

   subroutine what_is_called_in_lands_whatever_is_promised()
      type(reach_type) :: reach

      reach = fresh()
      call reach%press(1, -1, slope)
      call reach%call_in()
      call check(reach%may_land(1) .and. .not. reach%may_land(2), 'what was pressed may land')
      call reach%judge(1, 100*slope)
      call check(reach%may_land(1), 'and still may at the next step')
   end subroutine what_is_called_in_lands_whatever_is_promised

end program test_reach
