program test_difference
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_box, only: box_type
   use minpack_difference, only: fdjac
   use quadratics, only: quadratics_type
   use checks, only: check, close_to, finish
   implicit none
   real(dp), parameter :: x(3) = [1.0_dp, -2.0_dp, 0.0_dp]
   type(quadratics_type), target :: functions
   type(box_type) :: box
   real(dp), target, save :: lower(3), upper(3)
   real(dp) :: point(3), fjac(3, 3)
   integer :: nfev, info, j

   functions%m = 3
   functions%n = 3

   call difference(0.0_dp)
   call check(info == going_on, 'differences')
   call check(nfev == 3, 'one evaluation a variable')
   call check(all(point == x), 'the point stays')
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
   call nothing_is_differenced()
   call finish()

contains

   subroutine difference(epsfcn)
      real(dp), intent(in) :: epsfcn

      point = x
      nfev = 0
      call fdjac(functions, box, point, x**2, epsfcn, fjac, nfev, info)
   end subroutine difference

   subroutine bounds_are_kept()
      !! Nothing is a number outside them.
      functions%lowest = -2
      functions%highest = 1
      box = box_type(.true., lower, upper)
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
      call check(all(point == x), 'the point stays between bounds')
      call check(close_to(fjac(1, 1), 2 - 1e-3_dp, 1e-10_dp), 'as far down as there is room')
      call check(all(fjac(:, 2) == 0), 'a zero column for what is fixed')
      call check(close_to(fjac(3, 3), 1e-5_dp, 1e-10_dp), 'as far up as there is room')

      functions%lowest = -huge(1.0_dp)
      functions%highest = 0.99_dp
      call difference(1e-4_dp)
      call check(info == jacobian_not_finite .and. nfev == 1, 'one step is not tried twice')
      functions%highest = huge(1.0_dp)
      box = box_type()
   end subroutine bounds_are_kept

   subroutine scale_is_kept(scale)
      real(dp), intent(in) :: scale

      point = scale*x
      nfev = 0
      call fdjac(functions, box, point, point**2, 0.0_dp, fjac, nfev, info)
      call check(info == going_on, 'differences of any scale')
      call check(all([(close_to(fjac(j, j), 2*scale*x(j), 1e-7_dp), j=1, 2)]), 'their derivatives')
   end subroutine scale_is_kept

   subroutine square_that_overflows_has_none()
      point = 1e200_dp
      call fdjac(functions, box, point, [1.0_dp, 1.0_dp, 1.0_dp], 0.0_dp, fjac, nfev, info)
      call check(info == jacobian_not_finite, 'residuals that overflow have no derivative')
      call check(all(point == 1e200_dp), 'the point stays all the same')
   end subroutine square_that_overflows_has_none

   subroutine nothing_is_differenced()
      nfev = 0
      call fdjac(functions, box, point(:0), x, 0.0_dp, fjac(:, :0), nfev, info)
      call check(info == going_on .and. nfev == 0, 'no variables, no evaluations')
   end subroutine nothing_is_differenced

end program test_difference
