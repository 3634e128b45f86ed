program test_triangle
   use minpack_kinds, only: dp
   use minpack_triangle, only: solve, solve_transposed, multiply, multiply_transposed
   use checks, only: check, finish, random_matrix, random_triangle
   implicit none
   real(dp), allocatable :: t(:, :), x(:), b(:)
   integer :: n

   do n = 0, 12
      t = random_triangle(n)
      x = reshape(random_matrix(n, 1), [n])
      b = x
      call solve(n, transpose(t), n, b)
      call check(all(abs(matmul(t, b) - x) < tolerance(b)), 'solve')
      b = x
      call solve_transposed(n, transpose(t), b)
      call check(all(abs(matmul(transpose(t), b) - x) < tolerance(b)), 'solve_transposed')
      call multiply(n, transpose(t), x, b)
      call check(all(abs(matmul(t, x) - b) < tolerance(b)), 'multiply')
      call multiply_transposed(n, transpose(t), x, b)
      call check(all(abs(matmul(transpose(t), x) - b) < tolerance(b)), 'multiply_transposed')
   end do
   call finish()

contains

   real(dp) function tolerance(values)
      real(dp), intent(in) :: values(:)

      tolerance = 1e-14_dp*(1 + sum(abs(values)))
   end function tolerance

end program test_triangle
