module minpack_bounded_step
   !! The step within bounds: the minimum of the linear model in the part of the trust region that
   !! is within the bounds.
   !!
   !! In the scaled variables of minpack_lmpar, with the step s = -z, the problem is
   !!
   !!    minimize |q - T z|^2/2   subject to   |z| <= delta   and   least <= z <= greatest,
   !!
   !! where least = D (x - upper) <= 0 and greatest = D (x - lower) >= 0. The problem is convex.
   !! Therefore z is a solution if and only if there is a par >= 0 (zero unless |z| = delta) for
   !! which the slopes w = T'(q - T z) - par z satisfy: zero for every variable between its bounds;
   !! not negative for a variable at its lower bound (z = greatest); not positive for a variable at
   !! its upper bound. If the active set is known, that is, which variables are held and on which
   !! bound, the free variables follow. They solve the same problem without bounds: with their own
   !! columns of T, with q reduced by the contribution of the held variables, and with the radius
   !! that these leave. This is what lmpar does. The active set is found in rounds:
   !!
   !! 1. Hold the fixed variables, and the variables on a bound that the gradient T'q presses
   !!    against it.
   !! 2. Solve for the free variables. Set each variable that leaves the bounds on the bound that it
   !!    crossed, hold it, and repeat 2.
   !! 3. Release each held variable whose slope w points inwards, and return to 2.
   !!
   !! If no variable is held and none leaves the bounds, the step is bit for bit that of lmpar. Most
   !! steps need few rounds, because a round holds or releases several variables. But the rounds can
   !! cycle, so no variable is released more often than most_chances. If the problem is not solved
   !! then, minpack_active_set solves it, which changes one variable at a time. It cannot cycle, but
   !! is slower.
   !!
   !! The step reduces the linear model by at least a fixed fraction of the reduction that a step
   !! along the projected gradient achieves. Therefore the fit converges to points where the
   !! projected gradient is zero (A. R. Conn, N. I. M. Gould, Ph. L. Toint, "Global convergence of a
   !! class of trust region algorithms for optimization with simple bounds", SIAM J. Numer. Anal. 25
   !! (1988) 433-460).
   use minpack_kinds, only: dp
   use minpack_assertions, only: debugging, assert
   use minpack_vectors, only: enorm
   use minpack_triangle, only: multiply, multiply_transposed
   use minpack_bounds, only: has_no_way_to_go
   use minpack_lmpar, only: lmpar
   use minpack_scaled_box, only: scaled_box_type
   use minpack_subset_step, only: subset_step
   use minpack_active_set, only: finish_step
   use minpack_workspace, only: workspace_type
   implicit none
   private
   public :: bounded_step

   real(dp), parameter :: least_room = 0.1_dp
      !! The least part of the radius for the free variables.
   integer, parameter :: most_chances = 3
      !! How often the rounds release a variable.

contains

   subroutine bounded_step(box, t, qtf, delta, par, z, length, workspace)
      !! Find par and the z within the trust radius and within a box. The arguments are those of
      !! lmpar, but for:
      type(scaled_box_type), intent(inout) :: box
         !! In: the bounds of z. Out: also the variables that are held on them.
      real(dp), intent(in), contiguous :: t(:, :)
         !! Shape: (n, n). T.
      real(dp), intent(in), contiguous :: qtf(:)
         !! Shape: (n). Q'f.
      real(dp), intent(in) :: delta
         !! The trust radius.
      real(dp), intent(inout) :: par
         !! The Levenberg-Marquardt parameter. In: that of the step before. Out: that of this one.
      real(dp), intent(out), contiguous :: z(:)
         !! Shape: (n). Minus the step.
      real(dp), intent(out) :: length
         !! |z|.
      type(workspace_type), intent(inout) :: workspace
         !! Out: slope is that of z where a variable is held.
      logical :: changed

      associate (slope => workspace%slope)
         call multiply_transposed(size(z), t, qtf, slope)
         box%side = 0
         where (has_no_way_to_go(box%greatest, -box%least, slope))
            box%side = merge(1, -1, slope < 0)
         end where
      end associate
      workspace%chances = merge(0, most_chances, box%least >= box%greatest)
      z = 0
      changed = .true.
      do while (changed)
         call solve_free(box, t, qtf, delta, par, z, length, workspace)
         call hold_leaving(box, z, changed)
         if (.not. changed) call release(box, t, qtf, par, z, workspace, changed)
      end do
      if (all(box%side == 0)) return
      length = enorm(size(z), z)
      call finish_step(box, t, qtf, delta, par, z, length, workspace)
      if (debugging) then
         call assert(.not. any(z < box%least - tiny(z) .or. z > box%greatest + tiny(z)), &
                     'a step stays in its box')
         call assert(.not. par < 0, 'par is not negative')
      end if
   end subroutine bounded_step

   subroutine solve_free(box, t, qtf, delta, par, z, length, workspace)
      !! Let lmpar solve for the free variables, while the held ones stay where they are.
      type(scaled_box_type), intent(in) :: box
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: delta
      real(dp), intent(inout) :: par
      real(dp), intent(inout), contiguous :: z(:)
      real(dp), intent(out) :: length
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: room
      integer :: n, count

      n = size(z)
      where (box%side == 0) z = 0
      call box%list_free(workspace%free, count)
      if (count == n) then
         call lmpar(n, t, qtf, delta, par, z, length, workspace)
         return
      end if
      call multiply(n, t, z, workspace%image)
      workspace%image = qtf - workspace%image
      length = enorm(n, z)
      room = delta*sqrt(max(1 - (length/delta)**2, least_room**2))
      call subset_step(t, workspace%image, workspace%free(:count), room, par, z, workspace)
   end subroutine solve_free

   pure subroutine hold_leaving(box, z, changed)
      !! Set each variable that leaves the box on the bound that it crosses.
      type(scaled_box_type), intent(inout) :: box
      real(dp), intent(inout) :: z(:)
      logical, intent(out) :: changed
      integer :: j

      changed = .false.
      do j = 1, size(z)
         if (box%side(j) /= 0) cycle
         if (z(j) > box%greatest(j)) then
            box%side(j) = -1
            z(j) = box%greatest(j)
         else if (z(j) < box%least(j)) then
            box%side(j) = 1
            z(j) = box%least(j)
         end if
         changed = changed .or. box%side(j) /= 0
      end do
   end subroutine hold_leaving

   subroutine release(box, t, qtf, par, z, workspace, changed)
      !! Release the variables that would move into the box.
      type(scaled_box_type), intent(inout) :: box
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: par
      real(dp), intent(in), contiguous :: z(:)
      type(workspace_type), intent(inout) :: workspace
      logical, intent(out) :: changed
      integer :: n, j

      changed = .false.
      if (all(box%side == 0)) return
      n = size(z)
      associate (slope => workspace%slope, chances => workspace%chances)
         call multiply(n, t, z, workspace%image)
         workspace%image = qtf - workspace%image
         call multiply_transposed(n, t, workspace%image, slope)
         do j = 1, n
            if (chances(j) == 0 .or. box%side(j)*(slope(j) - par*z(j)) <= 0) cycle
            box%side(j) = 0
            chances(j) = chances(j) - 1
            changed = .true.
         end do
      end associate
   end subroutine release

end module minpack_bounded_step
