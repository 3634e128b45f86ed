module minpack_active_set
   !! The problem of minpack_bounded_step, solved by one change of the active set at a time.
   !!
   !! For a given par > 0, the problem
   !!
   !!    minimize |q - T z|^2 + par |z|^2   subject to   least <= z <= greatest
   !!
   !! is strictly convex. An active-set method that never increases the objective solves it: move z
   !! towards the solution for the free variables as far as the bounds allow. Hold the variable that
   !! is in the way; or, if the solution is reached, release the held variable whose slope w points
   !! inwards most. No set of held variables occurs twice, because the objective is lower each time
   !! that a solution is reached (P. B. Stark and R. L. Parker, "Bounded-variable least-squares: an
   !! algorithm and applications", Computational Statistics 10 (1995) 129-141). |z| decreases as par
   !! increases, and bisection finds the par for which |z| = delta.
   use minpack_kinds, only: dp, epsmch
   use minpack_vectors, only: enorm
   use minpack_triangle, only: multiply, multiply_transposed
   use minpack_scaled_box, only: scaled_box_type
   use minpack_subset_step, only: damped_subset_step
   use minpack_workspace, only: workspace_type
   implicit none
   private
   public :: finish_step, descend

   real(dp), parameter :: tolerance = 0.1_dp
      !! A step is long enough, or short enough, within this fraction of delta.
   real(dp), parameter :: undamped = epsmch**2
      !! A par so small that it has no effect, except on columns of rounding errors.
   integer, parameter :: most_bisections = 40

contains

   subroutine finish_step(box, t, q, delta, par, z, length, workspace)
      !! Solve the problem if z does not solve it yet.
      type(scaled_box_type), intent(inout) :: box
         !! The bounds of z, and the variables that are held on them.
      real(dp), intent(in), contiguous :: t(:, :)
         !! Shape: (n, n). T.
      real(dp), intent(in), contiguous :: q(:)
         !! Shape: (n). Q'f.
      real(dp), intent(in) :: delta
         !! The trust radius.
      real(dp), intent(inout) :: par
         !! The Levenberg-Marquardt parameter that belongs to z.
      real(dp), intent(inout), contiguous :: z(:)
         !! Shape: (n). In the box.
      real(dp), intent(inout) :: length
         !! |z|.
      type(workspace_type), intent(inout) :: workspace
         !! In: slope is that of z.
      real(dp) :: low, high
      integer :: bisection

      workspace%spent = .false.
      if (most_willing(box, par, z, enorm(size(q), q), workspace) == 0) return
      low = 0
      high = huge(high)
      par = max(par, undamped)
      do bisection = 1, most_bisections
         call descend(box, t, q, par, z, workspace)
         length = enorm(size(z), z)
         if (abs(length - delta) <= tolerance*delta) exit
         if (length < delta) then
            if (par == undamped) exit
            high = par
            par = max(sqrt(max(low, undamped)*par), undamped)
         else
            low = par
            par = min(100*par, sqrt(par)*sqrt(high))
         end if
      end do
      if (par == undamped) par = 0
   end subroutine finish_step

   subroutine descend(box, t, q, par, z, workspace)
      !! Solve the problem for a par that is given and not zero. The other arguments are those of
      !! finish_step.
      type(scaled_box_type), intent(inout) :: box
         !! The bounds of z, and the variables that are held on them.
      real(dp), intent(in), contiguous :: t(:, :)
         !! Shape: (n, n). T.
      real(dp), intent(in), contiguous :: q(:)
         !! Shape: (n). Q'f.
      real(dp), intent(in) :: par
         !! The Levenberg-Marquardt parameter.
      real(dp), intent(inout), contiguous :: z(:)
         !! Shape: (n). In: a point in the box. Out: the solution.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      real(dp) :: norm, share
      integer :: n, released, blocking, round

      n = size(q)
      norm = enorm(n, q)
      workspace%spent = .false.
      released = 0
      do round = 1, 100 + 10*n
         call solve_free(box, t, q, par, z, workspace)
         call advance(box, workspace%goal, z, share, blocking)
         if (blocking /= 0) then
            ! If a released variable cannot move, its slope is a rounding error. Do not release it
            ! again.
            if (share > 0) workspace%spent = .false.
            if (blocking == released .and. share <= 0) workspace%spent(blocking) = .true.
            cycle
         end if
         call multiply(n, t, z, workspace%image)
         workspace%image = q - workspace%image
         call multiply_transposed(n, t, workspace%image, workspace%slope)
         released = most_willing(box, par, z, norm, workspace)
         if (released == 0) return
         box%side(released) = 0
      end do
   end subroutine descend

   subroutine solve_free(box, t, q, par, z, workspace)
      !! The goal: the solution for the free variables, while the held ones stay where they are.
      type(scaled_box_type), intent(in) :: box
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: q(:)
      real(dp), intent(in) :: par
      real(dp), intent(in), contiguous :: z(:)
      type(workspace_type), intent(inout) :: workspace
      integer :: count

      workspace%goal = merge(z, 0.0_dp, box%side /= 0)
      call multiply(size(q), t, workspace%goal, workspace%image)
      workspace%image = q - workspace%image
      call box%list_free(workspace%free, count)
      call damped_subset_step(t, workspace%image, workspace%free(:count), par, workspace%goal, &
                              workspace)
   end subroutine solve_free

   pure subroutine advance(box, goal, z, share, blocking)
      !! Move z towards the goal, and hold the variable that is in the way.
      type(scaled_box_type), intent(inout) :: box
      real(dp), intent(in) :: goal(:)
      real(dp), intent(inout) :: z(:)
      real(dp), intent(out) :: share
         !! The part of the way that was free.
      integer, intent(out) :: blocking
         !! The variable that is in the way, or 0.
      real(dp) :: room
      integer :: j

      share = 1
      blocking = 0
      associate (least => box%least, greatest => box%greatest, side => box%side)
         do j = 1, size(z)
            if (side(j) /= 0) cycle
            if (goal(j) > greatest(j)) then
               room = (greatest(j) - z(j))/(goal(j) - z(j))
            else if (goal(j) < least(j)) then
               room = (least(j) - z(j))/(goal(j) - z(j))
            else
               cycle
            end if
            if (blocking /= 0 .and. room >= share) cycle
            share = room
            blocking = j
         end do
         if (blocking == 0) then
            z = goal
            return
         end if
         where (side == 0) z = min(max(z + share*(goal - z), least), greatest)
         side(blocking) = merge(-1, 1, goal(blocking) > greatest(blocking))
         z(blocking) = merge(greatest(blocking), least(blocking), side(blocking) < 0)
      end associate
   end subroutine advance

   pure integer function most_willing(box, par, z, norm, workspace) result(most)
      !! The held variable whose slope points most into the box, or 0.
      type(scaled_box_type), intent(in) :: box
      real(dp), intent(in) :: par
      real(dp), intent(in) :: z(:)
      real(dp), intent(in) :: norm
         !! |q|.
      type(workspace_type), intent(in) :: workspace
      real(dp) :: inwards, furthest
      integer :: j

      most = 0
      furthest = 10*epsmch*norm
      do j = 1, size(z)
         if (box%side(j) == 0 .or. workspace%spent(j) .or. box%least(j) >= box%greatest(j)) cycle
         inwards = box%side(j)*(workspace%slope(j) - par*z(j)) - 10*epsmch*par*abs(z(j))
         if (inwards <= furthest) cycle
         furthest = inwards
         most = j
      end do
   end function most_willing

end module minpack_active_set
