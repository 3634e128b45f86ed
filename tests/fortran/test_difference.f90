program test_difference
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_difference, only: fdjac
   use quadratics, only: quadratics_type
   use checks, only: check, close_to, finish
   implicit none
   real(dp), parameter :: x(3) = [1.0_dp, -2.0_dp, 0.0_dp]
   type(quadratics_type) :: functions
   real(dp) :: point(3), fjac(3, 3)
   integer :: nfev, info, j

   functions%m = 3
   functions%n = 3
   allocate (functions%values(3))

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
   call finish()

contains

   subroutine difference(epsfcn)
      real(dp), intent(in) :: epsfcn

      point = x
      nfev = 0
      call fdjac(functions, point, x**2, epsfcn, fjac, nfev, info)
   end subroutine difference

end program test_difference
