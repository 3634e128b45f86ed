program test_covariance
   use minpack_kinds, only: dp
   use minpack_covariance, only: covariance
   use checks, only: check, finish, random_triangle, gram
   implicit none
   real(dp), allocatable :: r(:, :), cov(:, :), work(:, :), j(:, :)
   integer, allocatable :: ipvt(:)
   logical :: regular
   integer :: n, i, k

   do n = 1, 8
      r = random_triangle(n)
      ipvt = [(1 + mod(i + 2, n), i=1, n)]
      work = r
      allocate (cov(n, n), j(n, n))
      call covariance(n, work, ipvt, cov, regular)
      j(:, ipvt) = r
      work = matmul(gram(j), cov)
      do k = 1, n
         work(k, k) = work(k, k) - 1
      end do
      call check(regular, 'a regular triangle')
      call check(all(abs(work) < 1e-9_dp), 'inverse of J''J')
      call check(all(cov == transpose(cov)), 'symmetry')

      work = r
      work(n, n) = 0
      call covariance(n, work, ipvt, cov, regular)
      call check(.not. regular, 'a singular triangle')
      call check(all(cov == 0), 'no covariance of a singular triangle')
      deallocate (cov, j)
   end do
   call finish()
end program test_covariance
