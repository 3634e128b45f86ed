module minpack_active_set
   !! The problem of minpack_bounded_step once more, one change of the active set at a time.
   !!
   !! For a par > 0 that is given,
   !!
   !!    minimise |q - T z|^2 + par |z|^2   subject to   least <= z <= greatest
   !!
   !! is strictly convex, and an active-set method that never goes uphill solves it: move from z
   !! towards the solution for the free variables as far as the box lets; hold the variable that is in
   !! the way, or, at the end of the way, let go of the held one whose slope w points most into
   !! the box. No set of held variables comes back, for at the end of each way the sum is lower than at
   !! the one before (P. B. Stark and R. L. Parker, "Bounded-variable least-squares: an algorithm and
   !! applications", Computational Statistics 10 (1995) 129-141). |z| falls as par grows, and
   !! bisection finds the par that belongs to delta.
   use minpack_kinds, only: dp, epsmch
   use minpack_vectors, only: enorm
   use minpack_triangle, only: multiply, multiply_transposed
   use minpack_lmpar, only: workspace_type
   use minpack_subset_step, only: subset_step_type
   implicit none
   private
   public :: active_set_type

   real(dp), parameter :: tolerance = 0.1_dp
      !! A step is long enough, or short enough, within this fraction of delta.
   real(dp), parameter :: undamped = epsmch**2
      !! A par that is felt by no column that is more than rounding errors.
   integer, parameter :: most_bisections = 40

   type :: active_set_type
      !! Everything is in the order of the columns of T.
      integer :: n = 0
      real(dp), allocatable :: goal(:)
         !! Shape: (n). The solution for the free variables.
      real(dp), allocatable :: left(:)
         !! Shape: (n). q - T z.
      logical, allocatable :: spent(:)
         !! Shape: (n). Whether a variable was let go of here, and had no way to go.
      integer, allocatable :: free(:)
         !! Shape: (n). The columns of T that are free, first.
   contains
      procedure :: prepare
      procedure :: finish
      procedure :: descend
      procedure, private :: solve_free
      procedure, private :: advance
      procedure, private :: most_willing
   end type active_set_type

contains

   subroutine prepare(self, n, stat)
      class(active_set_type), intent(inout) :: self
      integer, intent(in) :: n
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      allocate (self%goal(n), self%left(n), self%spent(n), self%free(n), stat=stat)
   end subroutine prepare

   subroutine finish(self, t, q, delta, least, greatest, side, slope, par, z, length, reduced, &
                     workspace)
      !! Solve the problem if z does not solve it yet.
      class(active_set_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: q(:)
      real(dp), intent(in) :: delta
      real(dp), intent(in) :: least(:)
      real(dp), intent(in) :: greatest(:)
      integer, intent(inout) :: side(:)
         !! Shape: (n). As in minpack_bounded_step, and so is slope.
      real(dp), intent(inout), contiguous :: slope(:)
      real(dp), intent(inout) :: par
      real(dp), intent(inout), contiguous :: z(:)
         !! In the box.
      real(dp), intent(inout) :: length
         !! |z|.
      type(subset_step_type), intent(inout) :: reduced
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: low, high
      integer :: bisection

      self%spent = .false.
      if (self%most_willing(least, greatest, side, slope, par, z, enorm(self%n, q)) == 0) return
      low = 0
      high = huge(high)
      par = max(par, undamped)
      do bisection = 1, most_bisections
         call self%descend(t, q, least, greatest, par, side, slope, z, reduced, workspace)
         length = enorm(self%n, z)
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
   end subroutine finish

   subroutine descend(self, t, q, least, greatest, par, side, slope, z, reduced, workspace)
      !! Solve the problem for a par that is not zero. The arguments are those of finish.
      class(active_set_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: q(:)
      real(dp), intent(in) :: least(:)
      real(dp), intent(in) :: greatest(:)
      real(dp), intent(in) :: par
      integer, intent(inout) :: side(:)
      real(dp), intent(inout), contiguous :: slope(:)
      real(dp), intent(inout), contiguous :: z(:)
      type(subset_step_type), intent(inout) :: reduced
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: norm, share
      integer :: released, blocking, round

      norm = enorm(self%n, q)
      self%spent = .false.
      released = 0
      do round = 1, 100 + 10*self%n
         call self%solve_free(t, q, par, side, z, reduced, workspace)
         call self%advance(least, greatest, side, z, share, blocking)
         if (blocking /= 0) then
            ! What cannot move although it would is held by rounding errors alone.
            if (share > 0) self%spent = .false.
            if (blocking == released .and. share <= 0) self%spent(blocking) = .true.
            cycle
         end if
         call multiply(self%n, t, z, self%left)
         self%left = q - self%left
         call multiply_transposed(self%n, t, self%left, slope)
         released = self%most_willing(least, greatest, side, slope, par, z, norm)
         if (released == 0) return
         side(released) = 0
      end do
   end subroutine descend

   subroutine solve_free(self, t, q, par, side, z, reduced, workspace)
      !! The solution for the free variables, the held ones being where they are.
      class(active_set_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: q(:)
      real(dp), intent(in) :: par
      integer, intent(in) :: side(:)
      real(dp), intent(in), contiguous :: z(:)
      type(subset_step_type), intent(inout) :: reduced
      type(workspace_type), intent(inout) :: workspace
      integer :: count, j

      self%goal = merge(z, 0.0_dp, side /= 0)
      call multiply(self%n, t, self%goal, self%left)
      self%left = q - self%left
      count = 0
      do j = 1, self%n
         if (side(j) /= 0) cycle
         count = count + 1
         self%free(count) = j
      end do
      call reduced%solve_damped(t, self%left, self%free(:count), par, self%goal, workspace)
   end subroutine solve_free

   pure subroutine advance(self, least, greatest, side, z, share, blocking)
      !! Move z towards the goal, and hold the variable that is in the way.
      class(active_set_type), intent(in) :: self
      real(dp), intent(in) :: least(:)
      real(dp), intent(in) :: greatest(:)
      integer, intent(inout) :: side(:)
      real(dp), intent(inout) :: z(:)
      real(dp), intent(out) :: share
         !! How much of the way was free.
      integer, intent(out) :: blocking
         !! The variable that is in the way, or 0.
      real(dp) :: room
      integer :: j

      share = 1
      blocking = 0
      do j = 1, self%n
         if (side(j) /= 0) cycle
         if (self%goal(j) > greatest(j)) then
            room = (greatest(j) - z(j))/(self%goal(j) - z(j))
         else if (self%goal(j) < least(j)) then
            room = (least(j) - z(j))/(self%goal(j) - z(j))
         else
            cycle
         end if
         if (blocking /= 0 .and. room >= share) cycle
         share = room
         blocking = j
      end do
      if (blocking == 0) then
         z = self%goal
         return
      end if
      where (side == 0) z = min(max(z + share*(self%goal - z), least), greatest)
      side(blocking) = merge(-1, 1, self%goal(blocking) > greatest(blocking))
      z(blocking) = merge(greatest(blocking), least(blocking), side(blocking) < 0)
   end subroutine advance

   pure integer function most_willing(self, least, greatest, side, slope, par, z, norm) result(most)
      !! The held variable whose slope points most into the box, or 0.
      class(active_set_type), intent(in) :: self
      real(dp), intent(in) :: least(:)
      real(dp), intent(in) :: greatest(:)
      integer, intent(in) :: side(:)
      real(dp), intent(in) :: slope(:)
      real(dp), intent(in) :: par
      real(dp), intent(in) :: z(:)
      real(dp), intent(in) :: norm
         !! |q|.
      real(dp) :: inwards, furthest
      integer :: j

      most = 0
      furthest = 10*epsmch*norm
      do j = 1, self%n
         if (side(j) == 0 .or. self%spent(j) .or. least(j) >= greatest(j)) cycle
         inwards = side(j)*(slope(j) - par*z(j)) - 10*epsmch*par*abs(z(j))
         if (inwards <= furthest) cycle
         furthest = inwards
         most = j
      end do
   end function most_willing

end module minpack_active_set
