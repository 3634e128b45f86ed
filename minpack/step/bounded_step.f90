module minpack_bounded_step
   !! The step within bounds: the minimiser of the linear model in the part of the trust region that
   !! lies in the box.
   !!
   !! In the scaled variables of minpack_lmpar, with the step s = -z, the problem is
   !!
   !!    minimise |q - T z|^2/2   subject to   |z| <= delta   and   least <= z <= greatest,
   !!
   !! where least = D (x - upper) <= 0 and greatest = D (x - lower) >= 0. It is convex, so that z solves
   !! it if and only if there is a par >= 0 (zero unless |z| = delta) with which the
   !! slopes w = T'(q - T z) - par z are zero for every variable between its bounds, not negative
   !! for one at its lower bound (z = greatest) and not positive for one at its upper bound. Once it
   !! is known which variables are held, and at which bound, the others follow: they solve the same
   !! problem without bounds, with their own columns of T, with q - T z of the held ones in the place
   !! of q, and in what these leave of the ball, which is what lmpar does. The held ones are found
   !! as an active set:
   !!
   !! 1. Hold what is fixed, and what is on a bound that the gradient T'q presses it against.
   !! 2. Solve for the others. Those that leave the box are set on the bound that they crossed and
   !!    held, and 2 is repeated.
   !! 3. Let go of those held whose slope w points into the box, and return to 2.
   !!
   !! Where nothing is held and nothing leaves, 2 is the step of the unbounded method, bit for bit.
   !! Few rounds solve most steps, for each holds or lets go of many variables. They can cycle, so
   !! nothing is let go of more often than most_chances says. What is unsolved then is left to
   !! minpack_active_set, which changes one variable at a time, cannot cycle, and is slower.
   !!
   !! A solution of the problem reduces the model by at least a fixed fraction of what a step along the
   !! projected gradient would. So the fit converges to points at which the projected gradient is zero
   !! (A. R. Conn, N. I. M. Gould, Ph. L. Toint, "Global convergence of a class of trust region
   !! algorithms for optimization with simple bounds", SIAM J. Numer. Anal. 25 (1988) 433-460).
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_triangle, only: multiply, multiply_transposed
   use minpack_bounds, only: has_no_way_to_go
   use minpack_lmpar, only: lmpar, workspace_type
   use minpack_subset_step, only: subset_step_type
   use minpack_active_set, only: active_set_type
   implicit none
   private
   public :: bounded_step_type

   real(dp), parameter :: least_room = 0.1_dp
      !! What the held variables leave of the radius at least.
   integer, parameter :: most_chances = 3
      !! How often the rounds let go of a variable.

   type :: bounded_step_type
      !! Everything is in the order of the columns of T.
      integer :: n = 0
      logical :: held_any = .false.
         !! Whether the last step came to a bound.
      real(dp), allocatable :: least(:)
         !! Shape: (n). What z may be.
      real(dp), allocatable :: greatest(:)
         !! Shape: (n).
      integer, allocatable :: side(:)
         !! Shape: (n). -1 where held at the lower bound, 1 at the upper, 0 where free.
      integer, allocatable :: chances(:)
         !! Shape: (n). How often a variable may still be let go of.
      real(dp), allocatable :: slope(:)
         !! Shape: (n). T'(q - T z).
      real(dp), allocatable :: image(:)
         !! Shape: (n). q - T z.
      integer, allocatable :: free(:)
         !! Shape: (n). The columns of T that are free, first.
      type(subset_step_type) :: reduced
      type(active_set_type) :: boxed
   contains
      procedure :: prepare
      procedure :: propose
      procedure :: descend
      procedure, private :: solve_free
      procedure, private :: hold_leaving
      procedure, private :: release
   end type bounded_step_type

contains

   subroutine prepare(self, n, stat)
      class(bounded_step_type), intent(inout) :: self
      integer, intent(in) :: n
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      allocate (self%least(n), self%greatest(n), self%side(n), self%chances(n), self%slope(n), &
                self%image(n), self%free(n), stat=stat)
      if (stat == 0) call self%reduced%prepare(n, stat)
      if (stat == 0) call self%boxed%prepare(n, stat)
   end subroutine prepare

   subroutine propose(self, t, qtf, delta, par, z, length, workspace)
      !! The z for the bounds least and greatest. The arguments are those of lmpar.
      class(bounded_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: delta
      real(dp), intent(inout) :: par
      real(dp), intent(out), contiguous :: z(:)
      real(dp), intent(out) :: length
      type(workspace_type), intent(inout) :: workspace
      logical :: changed

      call multiply_transposed(self%n, t, qtf, self%slope)
      self%side = 0
      where (has_no_way_to_go(self%greatest, -self%least, self%slope))
         self%side = merge(1, -1, self%slope < 0)
      end where
      self%chances = merge(0, most_chances, self%least >= self%greatest)
      z = 0
      changed = .true.
      do while (changed)
         call self%solve_free(t, qtf, delta, par, z, length, workspace)
         call self%hold_leaving(z, changed)
         if (.not. changed) call self%release(t, qtf, par, z, changed)
      end do
      self%held_any = any(self%side /= 0)
      if (.not. self%held_any) return
      length = enorm(self%n, z)
      call self%boxed%finish(t, qtf, delta, self%least, self%greatest, self%side, self%slope, &
                             par, z, length, self%reduced, workspace)
   end subroutine propose

   subroutine descend(self, t, qtf, par, z, workspace)
      !! Go on from the z that was proposed to the one for a given par, without regard to delta.
      class(bounded_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: par
         !! Not zero.
      real(dp), intent(inout), contiguous :: z(:)
      type(workspace_type), intent(inout) :: workspace

      call self%boxed%descend(t, qtf, self%least, self%greatest, par, self%side, self%slope, z, &
                              self%reduced, workspace)
   end subroutine descend

   subroutine solve_free(self, t, qtf, delta, par, z, length, workspace)
      !! Let lmpar solve for the free variables, the held ones being where they are.
      class(bounded_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: delta
      real(dp), intent(inout) :: par
      real(dp), intent(inout), contiguous :: z(:)
      real(dp), intent(out) :: length
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: room
      integer :: count, j

      count = 0
      do j = 1, self%n
         if (self%side(j) /= 0) cycle
         count = count + 1
         self%free(count) = j
         z(j) = 0
      end do
      if (count == self%n) then
         call lmpar(self%n, t, qtf, delta, par, z, length, workspace)
         return
      end if
      call multiply(self%n, t, z, self%image)
      self%image = qtf - self%image
      length = enorm(self%n, z)
      room = delta*sqrt(max(1 - (length/delta)**2, least_room**2))
      call self%reduced%solve(t, self%image, self%free(:count), room, par, z, workspace)
   end subroutine solve_free

   pure subroutine hold_leaving(self, z, changed)
      !! Set what leaves the box on the bound that it crosses.
      class(bounded_step_type), intent(inout) :: self
      real(dp), intent(inout) :: z(:)
      logical, intent(out) :: changed
      integer :: j

      changed = .false.
      do j = 1, self%n
         if (self%side(j) /= 0) cycle
         if (z(j) > self%greatest(j)) then
            self%side(j) = -1
            z(j) = self%greatest(j)
         else if (z(j) < self%least(j)) then
            self%side(j) = 1
            z(j) = self%least(j)
         end if
         changed = changed .or. self%side(j) /= 0
      end do
   end subroutine hold_leaving

   subroutine release(self, t, qtf, par, z, changed)
      !! Let go of what would move into the box.
      class(bounded_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: par
      real(dp), intent(in), contiguous :: z(:)
      logical, intent(out) :: changed
      integer :: j

      changed = .false.
      if (all(self%side == 0)) return
      call multiply(self%n, t, z, self%image)
      self%image = qtf - self%image
      call multiply_transposed(self%n, t, self%image, self%slope)
      do j = 1, self%n
         if (self%chances(j) == 0 .or. self%side(j)*(self%slope(j) - par*z(j)) <= 0) cycle
         self%side(j) = 0
         self%chances(j) = self%chances(j) - 1
         changed = .true.
      end do
   end subroutine release

end module minpack_bounded_step
