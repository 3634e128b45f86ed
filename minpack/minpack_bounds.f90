module minpack_bounds
   !! The step within bounds: a minimiser of the linear model in the part of the trust region that
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
   !! Every round holds or lets go of something, and nothing is let go of more often than most_chances
   !! says: the rounds end.
   !!
   !! Why the fit converges: if every step reduces the model by a fixed fraction of what a step along
   !! the projected gradient would, a trust-region method with bounds converges to points at which
   !! the projected gradient is zero (A. R. Conn, N. I. M. Gould, Ph. L. Toint, "Global convergence of
   !! a class of trust region algorithms for optimization with simple bounds", SIAM J. Numer. Anal.
   !! 25 (1988) 433-460). A solution of the problem above reduces it by more than that; but lmpar
   !! solves within a tenth, and 3 is cut short. So the projected gradient's step is computed too, and
   !! taken instead where it brings ten times as much. That one is the first of
   !! z(a) = T'q a/|T'q|, cut off at the bounds, for a = a0, a0/2, a0/4, ..., a0 being the best on the
   !! line without bounds or delta, whose reduction is at least a tenth of (T'q)'z(a). One is:
   !! (T'q)'z(a) >= |T'q| |z(a)|^2/a, what is cut off having the sign of what is left, while curvature
   !! takes back |T z(a)|^2/2.
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_triangle, only: multiply, multiply_transposed
   use minpack_box, only: has_no_way_to_go
   use minpack_lmpar, only: lmpar, workspace_type
   use minpack_reduced, only: reduced_type
   implicit none
   private
   public :: bounds_type

   real(dp), parameter :: enough = 0.1_dp
      !! The fraction of the projected gradient's reduction that a step must bring, and of its own
      !! first-order reduction that the projected gradient's must.
   real(dp), parameter :: least_room = 0.1_dp
      !! What the held variables leave of the radius at least.
   integer, parameter :: most_halvings = 60
   integer, parameter :: most_chances = 3
      !! How often a step lets go of a variable. One leaves one step in a hundred unsolved.

   type :: bounds_type
      !! Everything is in the order of the columns of T.
      integer :: n = 0
      logical :: held_any = .false.
         !! Whether the last step came to a bound.
      real(dp), allocatable :: least(:)
         !! Shape: (n). What z may be.
      real(dp), allocatable :: greatest(:)
         !! Shape: (n).
      logical, allocatable :: pinned(:)
         !! Shape: (n). Whether a variable has no way to go from where the step begins.
      integer, allocatable :: side(:)
         !! Shape: (n). -1 where held at the lower bound, 1 at the upper, 0 where free.
      integer, allocatable :: chances(:)
         !! Shape: (n). How often a variable may still be let go of.
      real(dp) :: size = 0
         !! |q|, which products of two are divided by so that none overflows.
      real(dp), allocatable :: gradient(:)
         !! Shape: (n). T'q.
      real(dp), allocatable :: slope(:)
         !! Shape: (n). w + par z.
      real(dp), allocatable :: direction(:)
         !! Shape: (n). The projected gradient's.
      real(dp), allocatable :: along(:)
         !! Shape: (n). z along the projected gradient.
      real(dp), allocatable :: image(:)
         !! Shape: (n). T z.
      integer, allocatable :: free(:)
         !! Shape: (n). The columns of T that are free, first.
      type(reduced_type) :: reduced
   contains
      procedure :: prepare
      procedure :: propose
      procedure :: project_gradient
      procedure, private :: solve_free
      procedure, private :: hold_leaving
      procedure, private :: release
      procedure, private :: appraise
   end type bounds_type

contains

   subroutine prepare(self, n, stat)
      class(bounds_type), intent(inout) :: self
      integer, intent(in) :: n
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      allocate (self%least(n), self%greatest(n), self%pinned(n), self%side(n), self%chances(n), &
                self%gradient(n), self%slope(n), self%direction(n), self%along(n), self%image(n), self%free(n), stat=stat)
      if (stat == 0) call self%reduced%prepare(n, stat)
   end subroutine prepare

   subroutine propose(self, t, qtf, delta, par, z, length, workspace)
      !! The z for the bounds least and greatest. The arguments are those of lmpar.
      class(bounds_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: delta
      real(dp), intent(inout) :: par
      real(dp), intent(out), contiguous :: z(:)
      real(dp), intent(out) :: length
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: first_order, gained, by_gradient
      logical :: changed

      self%size = enorm(self%n, qtf)
      call multiply_transposed(self%n, t, qtf, self%gradient)
      self%pinned = has_no_way_to_go(self%greatest, -self%least, self%gradient)
      self%side = merge(merge(1, -1, self%gradient < 0), 0, self%pinned)
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

      call self%appraise(t, qtf, z, first_order, gained)
      call self%project_gradient(t, qtf, delta, by_gradient)
      if (gained < enough*by_gradient) z = self%along
      length = enorm(self%n, z)
   end subroutine propose

   subroutine solve_free(self, t, qtf, delta, par, z, length, workspace)
      !! Let lmpar solve for the free variables, the held ones being where they are.
      class(bounds_type), intent(inout) :: self
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
      class(bounds_type), intent(inout) :: self
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
      class(bounds_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: par
      real(dp), intent(in), contiguous :: z(:)
      logical, intent(out) :: changed
      integer :: j

      changed = .false.
      if (all(self%side == 0 .or. self%chances == 0)) return
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

   subroutine project_gradient(self, t, qtf, delta, gained)
      !! Leave the z(a) that is called for above in `along`, after `propose` has seen the gradient.
      class(bounds_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in) :: delta
      real(dp), intent(out) :: gained
      real(dp) :: steepness, curvature, first_order, a
      integer :: halving

      self%along = 0
      gained = 0
      self%direction = merge(0.0_dp, self%gradient, self%pinned)
      steepness = enorm(self%n, self%direction)
      if (steepness == 0) return
      self%direction = self%direction/steepness
      call multiply(self%n, t, self%direction, self%image)
      curvature = enorm(self%n, self%image)
      a = delta
      if (steepness < delta*curvature*curvature) a = steepness/curvature/curvature
      do halving = 0, most_halvings
         self%along = min(max(a*self%direction, self%least), self%greatest)
         call self%appraise(t, qtf, self%along, first_order, gained)
         if (gained >= enough*first_order) exit
         a = a/2
      end do
   end subroutine project_gradient

   subroutine appraise(self, t, qtf, z, first_order, whole)
      !! By how much a step reduces the model's sum of squares, as a fraction of |q|^2.
      class(bounds_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp), intent(in), contiguous :: z(:)
      real(dp), intent(out) :: first_order
      real(dp), intent(out) :: whole
      real(dp) :: norm
      integer :: i

      call multiply(self%n, t, z, self%image)
      first_order = 0
      do i = 1, self%n
         first_order = first_order + 2*(qtf(i)/self%size)*(self%image(i)/self%size)
      end do
      norm = enorm(self%n, self%image)
      whole = first_order - (norm/self%size)**2
   end subroutine appraise

end module minpack_bounds
