program test_qr
   use minpack_kinds, only: dp
   use minpack_qr, only: pivoted_qr
   use checks, only: check, finish, random_matrix, random_triangle, gram
   implicit none
   integer, parameter :: many(7) = [32, 33, 35, 36, 63, 64, 110]
   real(dp) :: r(9, 9)
   integer :: n

   do n = 0, 12
      call factor(random_triangle(n), 1.0_dp, n, 'random')
      call factor(random_triangle(n), 1e200_dp, n, 'large')
      call factor(random_triangle(n), 1e-200_dp, n, 'small')
      call factor(0*random_triangle(n), 1.0_dp, 0, 'zero')
   end do
   r = random_triangle(9)
   r(:, 4) = 0
   r(:, 7) = 2*r(:, 2)
   call factor(r, 1.0_dp, 7, 'rank-deficient')
   r = 0
   r(1, :) = 1
   call factor(r, 1.0_dp, 1, 'rank one')
   r = 0
   r(1, :) = [9, -8, 1, 1, 1, 1, 1, 1, 1]
   do n = 2, 9
      r(n, n) = merge(1e-3_dp, 1.0_dp, n == 2)
   end do
   call factor(r, 1.0_dp, 9, 'a first column that stays the first')
   do n = 1, size(many)
      call factor_many(many(n))
   end do
   call finish()

contains

   subroutine factor_many(n)
      !! So many columns that panels are used.
      integer, intent(in) :: n
      real(dp) :: r(n, n)
      integer :: j

      call factor(random_triangle(n), 1.0_dp, n, 'many')
      call factor(random_triangle(n), 1e200_dp, n, 'many large')
      call factor(0*random_triangle(n), 1.0_dp, 0, 'many zeros')
      r = random_triangle(n)
      r(:, 5) = 0
      r(:, n - 1) = 2*r(:, 2)
      call factor(r, 1.0_dp, n - 2, 'many, rank-deficient')
      r = 0
      r(1, :) = 1
      call factor(r, 1.0_dp, 1, 'many, rank one')
      ! Columns that differ by less and less: their norms are lost by cancellation.
      r = random_triangle(n)
      do j = 2, n
         r(1, j) = r(1, 1)
         r(2:, j) = 10.0_dp**(-9*j/real(n, dp))*r(2:, j)
      end do
      call factor(r, 1.0_dp, n, 'many, almost parallel')
   end subroutine factor_many

   subroutine factor(triangle, scale, rank, what)
      real(dp), intent(in) :: triangle(:, :)
      real(dp), intent(in) :: scale
      integer, intent(in) :: rank
      character(*), intent(in) :: what
      real(dp), dimension(size(triangle, 1), size(triangle, 1)) :: new
      real(dp), dimension(size(triangle, 1)) :: right, qtf, acnorm, diagonal
      real(dp) :: left(size(triangle, 1), 2)
      integer :: ipvt(size(triangle, 1)), n, i, j

      n = size(triangle, 1)
      right = reshape(random_matrix(n, 1), [n])
      new = scale*triangle
      qtf = right
      call pivoted_qr(n, new, qtf, ipvt, acnorm, left)
      new = new/scale

      call check(all([(any(ipvt == j), j=1, n)]), 'permutation: '//what)
      call check(all([(all(new(j + 1:, j) == 0), j=1, n)]), 'triangle: '//what)
      call check(all(abs(gram(new) - gram(triangle(:, ipvt))) < 1e-12_dp*max(1, n/5)), &
                 'products: '//what)
      call check(all(abs(matmul(transpose(new), qtf) &
                         - matmul(transpose(triangle(:, ipvt)), right)) &
                     < 1e-12_dp*max(1, n/5)), &
                 'right-hand side: '//what)
      call check(all(abs(acnorm/scale - [(norm2(triangle(:, j)), j=1, n)]) < 1e-14_dp*n), &
                 'column norms: '//what)
      diagonal = [(abs(new(i, i)), i=1, n)]
      ! The norms that decide on the order are updated, and computed anew only where that fails.
      call check(all(diagonal(2:) <= diagonal(:n - 1)*(1 + 1e-8_dp)), 'order: '//what)
      call check(all(diagonal(rank + 1:) < 1e-14_dp*max(1, n/5)), 'rank: '//what)
      call check(all(diagonal(:rank) > 1e-14_dp), 'rank: '//what)
   end subroutine factor

end program test_qr
