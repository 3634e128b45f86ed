program test_differences
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_bounds, only: bounds_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_differenced_rows, only: differenced_rows_type
   use quadratics, only: quadratics_type
   use checks, only: check, close_to, finish
   implicit none
   real(dp), parameter :: x(3) = [1.0_dp, -2.0_dp, 0.0_dp]
   type(quadratics_type), target, save :: functions
   type(bounds_type) :: box
   type(differenced_rows_type), target, save :: rows
   real(dp), target, save :: lower(3), upper(3)
   real(dp), target, save :: values(3)
   real(dp) :: point(3), fjac(3, 3), data_norm = -1
   integer :: nfev, info, j, stat, first

   functions%m = 3
   functions%n = 3
   call fresh()

   call difference(0.0_dp)
   call check(info == going_on, 'differences')
   call check(nfev == 5, 'one evaluation a variable, and two more of what is zero')
   call check(all(rows%differences%x == x), 'the point stays')
   call check(all([(abs(fjac(j, j) - 2*x(j)) < 1e-7_dp, j=1, 3)]), 'derivatives')
   call check(all([(count(fjac(:, j) /= 0) <= 1, j=1, 3)]), 'zeros beside them')

   call difference(1e-4_dp)
   call check(close_to(fjac(1, 1), 2.01_dp, 1e-10_dp), 'the step is sqrt(epsfcn)*|x|')
   call check(close_to(fjac(3, 3), 0.01_dp, 1e-10_dp), 'the step from zero is sqrt(epsfcn)')

   functions%highest = 1
   call difference(1e-4_dp)
   call check(info == going_on .and. nfev == 4, 'a backward step from the edge')
   call check(close_to(fjac(1, 1), 1.99_dp, 1e-10_dp), 'the backward difference')

   functions%lowest = 1
   call difference(1e-4_dp)
   call check(info == jacobian_not_finite, 'an isolated point has no derivative')

   functions%lowest = -huge(1.0_dp)
   functions%highest = huge(1.0_dp)
   call bounds_are_kept()
   call scale_is_kept(1e150_dp)
   call scale_is_kept(1e-150_dp)
   call square_that_overflows_has_none()
   call a_change_that_drowns_is_made_larger()
   call a_change_that_drowns_in_the_data_is_made_larger()
   call a_step_longer_than_the_feature_is_made_shorter()
   call fixed_steps_are_kept()
   call finish()

contains

   subroutine difference(epsfcn)
      real(dp), intent(in) :: epsfcn

      point = x
      call fdjac(x**2, epsfcn)
   end subroutine difference

   subroutine fdjac(fvec, epsfcn)
      real(dp), intent(in) :: fvec(:)
      real(dp), intent(in) :: epsfcn

      type(strided_matrix_type) :: matrix

      rows%differences%bounds = box
      rows%differences%precision = max(epsfcn, epsmch)
      values = fvec
      rows%fnorm = norm2(fvec)
      rows%nfev = 0
      call rows%jacobian(point, matrix, info)
      nfev = rows%nfev
      fjac = rows%fjac
   end subroutine fdjac

   subroutine bounds_are_kept()
      !! Nothing is a number outside them.
      functions%lowest = -2
      functions%highest = 1
      box = bounds_type(.true., lower, upper)
      lower = functions%lowest
      upper = functions%highest
      call difference(1e-4_dp)
      call check(info == going_on .and. nfev == 3, 'no evaluation outside the bounds')
      call check(close_to(fjac(1, 1), 1.99_dp, 1e-10_dp), 'backward from the upper bound')
      call check(close_to(fjac(2, 2), -3.98_dp, 1e-10_dp), 'forward from the lower bound')

      lower = [1 - 1e-3_dp, -2.0_dp, 0.0_dp]
      upper = [1.0_dp, -2.0_dp, 1e-5_dp]
      call difference(1e-4_dp)
      call check(info == going_on .and. nfev == 2, 'no evaluation for what is fixed')
      call check(all(rows%differences%x == x), 'the point stays between bounds')
      call check(close_to(fjac(1, 1), 2 - 1e-3_dp, 1e-10_dp), 'as far down as there is room')
      call check(all(fjac(:, 2) == 0), 'a zero column for what is fixed')
      call check(close_to(fjac(3, 3), 1e-5_dp, 1e-10_dp), 'as far up as there is room')

      functions%lowest = -huge(1.0_dp)
      functions%highest = 0.99_dp
      call difference(1e-4_dp)
      call check(info == jacobian_not_finite .and. nfev == 1, 'one step is not tried twice')
      functions%highest = huge(1.0_dp)
      box = bounds_type()
   end subroutine bounds_are_kept

   subroutine scale_is_kept(scale)
      real(dp), intent(in) :: scale

      point = scale*x
      call fdjac(point**2, 0.0_dp)
      call check(info == going_on, 'differences of any scale')
      call check(all([(close_to(fjac(j, j), 2*scale*x(j), 1e-7_dp), j=1, 2)]), 'their derivatives')
   end subroutine scale_is_kept

   subroutine square_that_overflows_has_none()
      point = 1e200_dp
      call fdjac([1.0_dp, 1.0_dp, 1.0_dp], 0.0_dp)
      call check(info == jacobian_not_finite, 'residuals that overflow have no derivative')
      call check(all(rows%differences%x == 1e200_dp), 'the point stays all the same')
   end subroutine square_that_overflows_has_none

   subroutine a_change_that_drowns_is_made_larger()
      !! Beside the square of 1e4 nothing smaller than 1e-8 is felt.
      functions%mixed = .true.
      point = [1e4_dp, 1e-9_dp, 0.0_dp]
      call fresh()
      call fdjac(mix(point), 0.0_dp)
      call check(close_to(fjac(1, 1), 2e4_dp, 1e-6_dp), 'the large variable')
      call check(close_to(fjac(1, 2), 1.0_dp, 1e-2_dp), 'one that is next to nothing beside it')
      call check(close_to(fjac(1, 3), 1.0_dp, 1e-2_dp), 'and one that is zero')
      first = nfev
      call fdjac(mix(point), 0.0_dp)
      call check(close_to(fjac(1, 2), 1.0_dp, 1e-2_dp), 'the step is remembered')
      call check(nfev < first, 'and costs nothing more')
      functions%mixed = .false.
   end subroutine a_change_that_drowns_is_made_larger

   subroutine a_change_that_drowns_in_the_data_is_made_larger()
      !! The residuals are differences from data of 1e6.
      functions%level = 1e6_dp
      data_norm = sqrt(3.0_dp)*functions%level
      point = [0.1_dp, 0.2_dp, 0.3_dp]
      call fresh()
      call fdjac((functions%level + point**2) - functions%level, 0.0_dp)
      call check(all([(close_to(fjac(j, j), 2*point(j), 1e-2_dp), j=1, 3)]), 'slopes beside data')
      functions%level = 0
      data_norm = -1
   end subroutine a_change_that_drowns_in_the_data_is_made_larger

   subroutine a_step_longer_than_the_feature_is_made_shorter()
      functions%offset = 1e8_dp
      point = 1e8_dp + [0.5_dp, 1.0_dp, 2.0_dp]
      call fresh()
      call fdjac((point - 1e8_dp)**2, 0.0_dp)
      call check(all([(close_to(fjac(j, j), 2*(point(j) - 1e8_dp), 2e-2_dp), j=1, 3)]), &
                 'slopes beside a large offset')
      functions%offset = 0
   end subroutine a_step_longer_than_the_feature_is_made_shorter

   subroutine fixed_steps_are_kept()
      real(dp), target :: steps(3)

      steps = [1e-3_dp, 1e-2_dp, 1e-1_dp]
      call fresh()
      rows%differences%steps => steps
      call difference(0.0_dp)
      call check(nfev == 3, 'no other step is tried')
      call check(close_to(fjac(1, 1), 2.001_dp, 1e-9_dp), 'a step in units of x')
      call check(close_to(fjac(3, 3), 0.1_dp, 1e-9_dp), 'a step from zero')
      call fresh()
   end subroutine fixed_steps_are_kept

   subroutine fresh()
      !! Rows that remember nothing.
      type(differenced_rows_type) :: unused

      rows = unused
      call rows%connect(functions, values, stat)
      call check(stat == 0, 'memory')
      info = going_on
      call rows%begin(box, data_norm, info)
   end subroutine fresh

   function mix(x) result(values)
      real(dp), intent(in) :: x(3)
      real(dp) :: values(3)

      values = [x(1)**2 + x(2) + x(3), 1.0_dp, 1.0_dp]
   end function mix

end program test_differences
