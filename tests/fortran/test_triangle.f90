program test_triangle
   use minpack_kinds, only: dp
   use minpack_triangle, only: solve, solve_transposed, solve_lower, multiply, multiply_transposed
   use checks, only: check, finish, random_matrix, random_triangle
   implicit none
   real(dp), parameter :: scales(3) = [1.0_dp, 1e200_dp, 1e-200_dp]
   integer :: n, k

   do n = 0, 12
      do k = 1, size(scales)
         call triangles_are_what_matmul_says(random_triangle(n), scales(k))
      end do
   end do
   call finish()

contains

   subroutine triangles_are_what_matmul_says(t, scale)
      !! With the triangle and the right-hand sides times a scale whose square over- or underflows.
      real(dp), intent(in) :: t(:, :)
      real(dp), intent(in) :: scale
      real(dp) :: scaled(size(t, 1), size(t, 1)), x(size(t, 1)), b(size(t, 1))
      integer :: n

      n = size(t, 1)
      scaled = scale*t
      x = reshape(random_matrix(n, 1), [n])
      b = scale*x
      call solve(n, scaled, n, b)
      call check(all(abs(matmul(t, b) - x) < tolerance(b)), 'solve')
      b = scale*x
      call solve_transposed(n, scaled, b)
      call check(all(abs(matmul(transpose(t), b) - x) < tolerance(b)), 'solve_transposed')
      b = scale*x
      call solve_lower(n, transpose(scaled), b)
      call check(all(abs(matmul(transpose(t), b) - x) < tolerance(b)), 'solve_lower')
      call multiply(n, scaled, x, b)
      call check(all(abs(matmul(t, x) - b/scale) < tolerance(b/scale)), 'multiply')
      call multiply_transposed(n, scaled, x, b)
      call check(all(abs(matmul(transpose(t), x) - b/scale) < tolerance(b/scale)), &
                 'multiply_transposed')
   end subroutine triangles_are_what_matmul_says

   real(dp) function tolerance(values)
      real(dp), intent(in) :: values(:)

      tolerance = 1e-14_dp*(1 + sum(abs(values)))
   end function tolerance

end program test_triangle
