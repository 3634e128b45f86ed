module minpack_lmpar
   !! The step p that minimizes |f + J p| within the trust radius, |D p| <= delta.
   !!
   !! Everything is in the scaled variables s = D p, in which the trust region is a ball. With J P =
   !! Q R, the triangle is T = R (P' D P)^-1. If D follows the norms of the Jacobian's columns, the
   !! norms of its columns are at most one, and no product overflows, whatever the scales of J and
   !! f. The step is -z, where z solves (T'T + par I) z = T' Q'f. Newton's method on 1/|z| finds par
   !! >= 0, as described by Moré (1978, section 5).
   use minpack_kinds, only: dp, dwarf, giant, is_finite
   use minpack_assertions, only: debugging, assert
   use minpack_vectors, only: enorm, first_on_line
   use minpack_fold, only: fold
   use minpack_triangle, only: solve, solve_transposed, multiply_transposed, copy_triangle
   use minpack_tile, only: many_columns
   use minpack_cholesky, only: factor, multiply_by_transpose
   use minpack_workspace, only: workspace_type
   implicit none
   private
   public :: lmpar, damped_step

   real(dp), parameter :: tolerance = 0.1_dp
      !! A step is long enough, or short enough, within this fraction of delta.
   integer, parameter :: most_iterations = 10
   real(dp), parameter :: least_par = 1e-5_dp
      !! The smallest par for products of columns, as a fraction of the largest of them.

contains

   pure subroutine lmpar(n, t, qtf, delta, par, z, length, workspace)
      !! Find par and the z that belongs to it: |z| within a tenth of delta, or par zero and |z|
      !! less than that.
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in) :: t(n, n)
         !! The triangle T.
      real(dp), intent(in) :: qtf(n)
         !! Q'f.
      real(dp), intent(in) :: delta
         !! Radius of the region.
      real(dp), intent(inout) :: par
         !! The Levenberg-Marquardt parameter. In: that of the step before. Out: that of this one.
      real(dp), intent(out) :: z(n)
         !! Minus the step.
      real(dp), intent(out) :: length
         !! |z|.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n or more variables.
      real(dp) :: lower, upper, excess, previous, gradient, correction
      logical :: full_rank, has_products
      integer :: iteration

      call newton_step(n, t, qtf, z, full_rank)
      length = enorm(n, z)
      excess = length - delta
      if (excess <= tolerance*delta) then
         par = 0
         return
      end if

      lower = 0
      if (full_rank .and. is_finite(length)) then
         call newton_correction(n, t, z, length, delta, lower, workspace%scaled)
      end if
      call multiply_transposed(n, t, qtf, workspace%scaled)
      gradient = enorm(n, workspace%scaled)
      upper = min(gradient/delta, giant)
      if (upper == 0) upper = dwarf/min(delta, tolerance)
      par = min(max(par, lower), upper)
      if (par == 0) par = gradient/length

      has_products = .false.
      do iteration = 1, most_iterations
         if (par == 0) par = max(dwarf, 0.001_dp*upper)
         call damped_step(n, t, qtf, par, z, workspace, has_products)
         length = enorm(n, z)
         previous = excess
         excess = length - delta
         if (abs(excess) <= tolerance*delta .or. iteration == most_iterations) return
         if (lower == 0 .and. excess <= previous .and. previous < 0) return
         if (excess > 0) lower = max(lower, par)
         if (excess < 0) upper = min(upper, par)
         call newton_correction(n, workspace%damped, z, length, delta, correction, workspace%scaled)
         par = max(lower, par + correction)
      end do
   end subroutine lmpar

   pure subroutine newton_step(n, t, qtf, z, full_rank)
      !! The step without damping; its components beyond a zero pivot are zero.
      integer, intent(in) :: n
      real(dp), intent(in) :: t(n, n)
      real(dp), intent(in) :: qtf(n)
      real(dp), intent(out) :: z(n)
      logical, intent(out) :: full_rank
      integer :: rank

      do rank = 0, n - 1
         if (t(rank + 1, rank + 1) == 0) exit
      end do
      full_rank = rank == n
      z(:rank) = qtf(:rank)
      z(rank + 1:) = 0
      call solve(rank, t, n, z)
   end subroutine newton_step

   pure subroutine newton_correction(n, triangle, z, length, delta, correction, scaled)
      !! What Newton's method on 1/|z| adds to par.
      integer, intent(in) :: n
      real(dp), intent(in) :: triangle(n, n)
         !! The triangle that z was solved with.
      real(dp), intent(in) :: z(n)
      real(dp), intent(in) :: length
      real(dp), intent(in) :: delta
      real(dp), intent(out) :: correction
      real(dp), intent(out) :: scaled(n)
         !! Workspace.
      real(dp) :: norm

      scaled = z/length
      call solve_transposed(n, triangle, scaled)
      norm = enorm(n, scaled)
      correction = (length - delta)/delta/norm/norm
   end subroutine newton_correction

   pure subroutine damped_step(n, t, qtf, par, z, workspace, has_products)
      !! The z that belongs to par: fold sqrt(par) I into T, some rows at a time, and solve. With
      !! many variables, factoring T'T + par I is faster, and accurate unless par is small.
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in) :: t(n, n)
         !! The triangle T.
      real(dp), intent(in) :: qtf(n)
         !! Q'f.
      real(dp), intent(in) :: par
         !! Not zero.
      real(dp), intent(out) :: z(n)
         !! Minus the step.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n or more variables.
      logical, intent(inout) :: has_products
         !! Whether the workspace has the products of this T from the call before.
      logical :: done
      integer :: k

      if (debugging) call assert(.not. par <= 0, 'par is positive')
      if (n >= many_columns) then
         call step_by_products(n, t, qtf, par, z, workspace%products, workspace%damped, &
                               has_products, done)
         if (done) return
      end if
      call fold_diagonal(n, t, qtf, sqrt(par), workspace%damped, &
                         workspace%block(first_on_line(workspace%block)), workspace%rows)
      do k = 1, n
         z(k) = workspace%damped(n*n + k)
      end do
      call solve(n, workspace%damped, n, z)
   end subroutine damped_step

   pure subroutine step_by_products(n, t, qtf, par, z, products, damped, has_products, done)
      !! The same, by T'T + par I. The condition of this matrix is at most n/par times its largest
      !! element, so par must not be small.
      integer, intent(in) :: n
      real(dp), intent(in) :: t(n, n)
      real(dp), intent(in) :: qtf(n)
      real(dp), intent(in) :: par
      real(dp), intent(out) :: z(n)
      real(dp), intent(inout) :: products(n, n)
         !! T'T, its lower triangle.
      real(dp), intent(out) :: damped(n, n)
      logical, intent(inout) :: has_products
      logical, intent(out) :: done
      real(dp) :: largest
      integer :: j

      if (.not. has_products) then
         call copy_triangle(n, t, n, products)
         call multiply_by_transpose(n, products)
         has_products = .true.
      end if
      largest = 0
      do j = 1, n
         largest = max(largest, products(j, j))
      end do
      done = par >= least_par*largest .and. par + largest <= giant
      if (.not. done) return
      do j = 1, n
         damped(j:, j) = products(j:, j)
         damped(j, j) = damped(j, j) + par
      end do
      call factor(n, damped, done)
      if (.not. done) return
      call multiply_transposed(n, t, qtf, z)
      call solve_transposed(n, damped, z)
      call solve(n, damped, n, z)
   end subroutine step_by_products

   pure subroutine fold_diagonal(n, t, qtf, root, damped, block, ld)
      !! Two rows begin in column k: a row of T and a row of sqrt(par) I. The row with the larger
      !! first element becomes a row of the triangle, and the other row is folded in. The other way
      !! round, a small row would be lost in the rounding errors of a large one, and with it the
      !! direction of a short step.
      integer, intent(in) :: n
      real(dp), intent(in) :: t(n, n)
      real(dp), intent(in) :: qtf(n)
      real(dp), intent(in) :: root
      real(dp), intent(out) :: damped(n, n + 1)
      integer, intent(in) :: ld
         !! The most rows to fold at once.
      real(dp), intent(inout) :: block(ld, n + 3)
         !! Workspace.
      integer :: first, rows, columns, i, k

      do k = 1, n
         if (abs(t(k, k)) >= root) then
            damped(k, k:n) = t(k, k:n)
            damped(k, n + 1) = qtf(k)
         else
            damped(k, k) = root
            damped(k, k + 1:) = 0
         end if
      end do
      do first = 1, n, ld
         rows = min(ld, n - first + 1)
         columns = n - first + 2
         block(:rows, :columns) = 0
         do i = 1, rows
            k = first + i - 1
            if (abs(t(k, k)) >= root) then
               block(i, i) = root
            else
               block(i, i:columns - 1) = t(k, k:)
               block(i, columns) = qtf(k)
            end if
         end do
         call fold(rows, columns, columns - 1, block, ld, damped(first, first), n)
      end do
   end subroutine fold_diagonal

end module minpack_lmpar
