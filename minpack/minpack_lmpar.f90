module minpack_lmpar
   !! The step that minimises |f + J p| subject to |D p| <= delta.
   !!
   !! Everything here is in the scaled variables s = D p, in which the region is a ball. With
   !! J P = Q R, the triangle is T = R (P' D P)^-1, whose columns have norms of at most one when D
   !! follows the Jacobian's columns: no product overflows, however J and f are scaled. The step is
   !! -z, where z solves (T'T + par I) z = T' Q'f, and par >= 0 is found by Newton's method on
   !! 1/|z| as Moré (1978, section 5) describes.
   use minpack_kinds, only: dp, dwarf, giant, is_finite
   use minpack_vectors, only: enorm
   use minpack_triangle, only: solve, solve_transposed, multiply_transposed
   implicit none
   private
   public :: lmpar

   real(dp), parameter :: tolerance = 0.1_dp
      !! A step is long enough, or short enough, within this fraction of delta.
   integer, parameter :: most_iterations = 10

contains

   pure subroutine lmpar(n, t, qtf, delta, par, z, length, damped, work)
      !! Find par and the z that belongs to it: |z| within a tenth of delta, or par zero and |z|
      !! less than that.
      integer, intent(in) :: n
      real(dp), intent(in) :: t(n, n)
         !! T, held by rows.
      real(dp), intent(in) :: qtf(n)
      real(dp), intent(in) :: delta
         !! Radius of the region.
      real(dp), intent(inout) :: par
         !! The Levenberg-Marquardt parameter. In: that of the step before. Out: that of this one.
      real(dp), intent(out) :: z(n)
         !! Minus the step.
      real(dp), intent(out) :: length
         !! |z|.
      real(dp), intent(out) :: damped(n, n)
         !! Workspace: the triangle of [T; sqrt(par) I], held by rows.
      real(dp), intent(out) :: work(n)
      real(dp) :: lower, upper, excess, previous, gradient, correction
      logical :: full_rank
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
         call newton_correction(n, t, z, length, delta, lower, work)
      end if
      call multiply_transposed(n, t, qtf, work)
      gradient = enorm(n, work)
      upper = min(gradient/delta, giant)
      if (upper == 0) upper = dwarf/min(delta, tolerance)
      par = min(max(par, lower), upper)
      if (par == 0) par = gradient/length

      do iteration = 1, most_iterations
         if (par == 0) par = max(dwarf, 0.001_dp*upper)
         call damped_step(n, t, qtf, par, z, damped, work)
         length = enorm(n, z)
         previous = excess
         excess = length - delta
         if (abs(excess) <= tolerance*delta .or. iteration == most_iterations) return
         if (lower == 0 .and. excess <= previous .and. previous < 0) return
         if (excess > 0) lower = max(lower, par)
         if (excess < 0) upper = min(upper, par)
         call newton_correction(n, damped, z, length, delta, correction, work)
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

   pure subroutine newton_correction(n, triangle, z, length, delta, correction, work)
      !! What Newton's method on 1/|z| adds to par.
      integer, intent(in) :: n
      real(dp), intent(in) :: triangle(n, n)
         !! The triangle that z was solved with, held by rows.
      real(dp), intent(in) :: z(n)
      real(dp), intent(in) :: length
      real(dp), intent(in) :: delta
      real(dp), intent(out) :: correction
      real(dp), intent(out) :: work(n)
      real(dp) :: norm

      work = z/length
      call solve_transposed(n, triangle, work)
      norm = enorm(n, work)
      correction = (length - delta)/delta/norm/norm
   end subroutine newton_correction

   pure subroutine damped_step(n, t, qtf, par, z, damped, work)
      !! Rotate sqrt(par) I into T, row by row, and solve.
      integer, intent(in) :: n
      real(dp), intent(in) :: t(n, n)
      real(dp), intent(in) :: qtf(n)
      real(dp), intent(in) :: par
      real(dp), intent(out) :: z(n)
      real(dp), intent(out) :: damped(n, n)
      real(dp), intent(out) :: work(n)
      real(dp) :: root, right, cosine, sine, radius
      integer :: j, k

      do j = 1, n
         damped(j:, j) = t(j:, j)
      end do
      z = qtf
      root = sqrt(par)
      do j = 1, n
         work(j) = root
         work(j + 1:) = 0
         right = 0
         do k = j, n
            if (work(k) == 0) cycle
            radius = hypot(damped(k, k), work(k))
            cosine = damped(k, k)/radius
            sine = work(k)/radius
            call rotate(cosine, sine, damped(k:, k), work(k:))
            call rotate(cosine, sine, z(k), right)
         end do
      end do
      call solve(n, damped, n, z)
   end subroutine damped_step

   elemental subroutine rotate(cosine, sine, a, b)
      real(dp), intent(in) :: cosine
      real(dp), intent(in) :: sine
      real(dp), intent(inout) :: a
      real(dp), intent(inout) :: b
      real(dp) :: value

      value = a
      a = cosine*value + sine*b
      b = cosine*b - sine*value
   end subroutine rotate

end module minpack_lmpar
