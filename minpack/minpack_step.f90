module minpack_step
   !! The trust region: the step that minimises |f + J p| subject to |D p| <= delta, and the radius
   !! delta that the success of one step leaves to the next.
   !!
   !! Everything here is in the scaled variables s = D p, in which the region is a ball. With
   !! J P = Q R, the triangle is T = R (P' D P)^-1, whose columns have norms of at most one when D
   !! follows the Jacobian's columns: no product overflows, however J and f are scaled. The step is
   !! -z, where z solves (T'T + par I) z = T' Q'f, and par >= 0 is found by Newton's method on
   !! 1/|z| as Moré (1978, section 5) describes.
   use minpack_kinds, only: dp, epsmch, dwarf, giant, is_finite
   use minpack_vectors, only: enorm
   use minpack_problem, only: model_type
   use minpack_triangle, only: solve, solve_transposed, multiply, multiply_transposed
   implicit none
   private
   public :: trust_region_type, reduction_type

   real(dp), parameter :: tolerance = 0.1_dp
      !! A step is long enough, or short enough, within this fraction of delta.
   integer, parameter :: most_iterations = 10
   real(dp), parameter :: negligible = 1e-8_dp
      !! What |D x| is beside the residuals when they are next to constant from x to zero.

   type :: reduction_type
      !! By how much a step reduced the sum of squares, as a fraction of it.
      real(dp) :: actual
      real(dp) :: predicted
      real(dp) :: slope
         !! Half the derivative of the sum of squares along the step.
      real(dp) :: ratio
         !! actual/predicted.
      logical :: far_off
         !! Whether the norm grew tenfold or more; actual is -1 then.
   end type reduction_type

   type :: trust_region_type
      integer :: n = 0
      logical :: fixed_scale = .false.
         !! Whether D is the caller's, or follows the norms of the Jacobian's columns.
      real(dp) :: delta = 0
         !! Radius of the region.
      real(dp) :: par = 0
         !! The Levenberg-Marquardt parameter of the last step.
      real(dp) :: xnorm = 0
         !! |D x|.
      real(dp) :: length = 0
         !! |D p| of the last step p.
      real(dp), allocatable :: diag(:)
         !! Shape: (n). D.
      real(dp), allocatable :: z(:)
         !! Shape: (n). Minus the last step, scaled and permuted.
      real(dp), allocatable :: t(:, :)
         !! Shape: (n, n). T, held by rows.
      real(dp), allocatable :: damped(:, :)
         !! Shape: (n, n). The triangle of [T; sqrt(par) I], held by rows.
      real(dp), allocatable :: work(:)
         !! Shape: (n).
   contains
      procedure :: prepare
      procedure :: begin
      procedure :: adopt
      procedure :: stand_at
      procedure :: propose
      procedure :: assess
      procedure :: resize
      procedure, private :: lmpar
      procedure, private :: newton_step
      procedure, private :: damped_step
      procedure, private :: newton_correction
   end type trust_region_type

contains

   subroutine prepare(self, n, diag, fixed_scale, stat)
      class(trust_region_type), intent(out) :: self
      integer, intent(in) :: n
      real(dp), intent(in) :: diag(:)
         !! Shape: (n). D if the scale is fixed.
      logical, intent(in) :: fixed_scale
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      self%fixed_scale = fixed_scale
      allocate (self%diag(n), self%z(n), self%work(n), self%t(n, n), self%damped(n, n), stat=stat)
      if (stat == 0) self%diag = diag
   end subroutine prepare

   subroutine begin(self, acnorm, x, fnorm, factor)
      !! Choose the first scale and the first radius.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: acnorm(:)
         !! Shape: (n). Norms of the Jacobian's columns.
      real(dp), intent(in) :: x(:)
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.
      real(dp), intent(in) :: factor
         !! The radius is this many times |D x|, or this itself where that is zero.
      real(dp) :: unit

      unit = 1
      if (self%fixed_scale) then
         ! Powers of two bring the caller's scale near the Jacobian's without changing a step.
         unit = power_of_two(maxval(acnorm/self%diag))
         self%diag = unit*self%diag
      else
         self%diag = merge(acnorm, 1.0_dp, acnorm /= 0)
      end if
      call self%stand_at(x)
      ! A region too small for the residuals to feel it would end the fit where it begins.
      self%delta = factor*max(merge(self%xnorm, unit, self%xnorm > 0), negligible*fnorm)
   end subroutine begin

   subroutine adopt(self, model)
      !! Take over the linear model at a new point, and let the scale follow it.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      integer :: i, j

      if (.not. self%fixed_scale) self%diag = max(self%diag, model%acnorm)
      do j = 1, self%n
         do i = 1, j
            self%t(j, i) = model%r(i, j)/self%diag(model%ipvt(j))
         end do
      end do
   end subroutine adopt

   subroutine stand_at(self, x)
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)

      self%work = self%diag*x
      self%xnorm = enorm(self%n, self%work)
   end subroutine stand_at

   subroutine propose(self, model, x, trial)
      !! The point to try from x.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      real(dp), intent(out) :: trial(:)
      integer :: i, j

      call self%lmpar(model%qtf)
      do i = 1, self%n
         j = model%ipvt(i)
         trial(j) = x(j) - self%z(i)/self%diag(j)
      end do
   end subroutine propose

   function assess(self, fnorm, trial_norm) result(reduction)
      !! Compare what the last step promised with what it brought.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals before the step.
      real(dp), intent(in) :: trial_norm
         !! Norm of the residuals after it.
      type(reduction_type) :: reduction
      real(dp) :: linear, damping

      reduction%far_off = 0.1_dp*trial_norm >= fnorm
      reduction%actual = -1
      if (.not. reduction%far_off) reduction%actual = 1 - (trial_norm/fnorm)**2
      call multiply(self%n, self%t, self%z, self%work)
      linear = (enorm(self%n, self%work)/fnorm)**2
      damping = (sqrt(self%par)*self%length/fnorm)**2
      reduction%predicted = linear + 2*damping
      reduction%slope = -(linear + damping)
      reduction%ratio = 0
      if (reduction%predicted /= 0) reduction%ratio = reduction%actual/reduction%predicted
   end function assess

   subroutine resize(self, reduction)
      !! Shrink the region after a step that brought a quarter or less of what it promised; double
      !! it after one that brought three quarters.
      class(trust_region_type), intent(inout) :: self
      type(reduction_type), intent(in) :: reduction
      real(dp) :: shrink

      if (reduction%ratio <= 0.25_dp) then
         shrink = 0.5_dp
         if (reduction%actual < 0) then
            shrink = 0.5_dp*reduction%slope/(reduction%slope + 0.5_dp*reduction%actual)
            if (reduction%far_off .or. shrink < 0.1_dp) shrink = 0.1_dp
         end if
         self%delta = shrink*min(self%delta, 10*self%length)
         self%par = self%par/shrink
      else if (self%par == 0 .or. reduction%ratio >= 0.75_dp) then
         self%delta = 2*self%length
         self%par = 0.5_dp*self%par
      end if
   end subroutine resize

   subroutine lmpar(self, qtf)
      !! Find par and the z that belongs to it: |z| within a tenth of delta, or par zero and |z|
      !! less than that.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp) :: lower, upper, excess, previous, gradient
      logical :: full_rank
      integer :: iteration

      call self%newton_step(qtf, full_rank)
      excess = self%length - self%delta
      if (excess <= tolerance*self%delta) then
         self%par = 0
         return
      end if

      lower = 0
      if (full_rank .and. is_finite(self%length)) lower = self%newton_correction(self%t, excess)
      call multiply_transposed(self%n, self%t, qtf, self%work)
      gradient = enorm(self%n, self%work)
      upper = min(gradient/self%delta, giant)
      if (upper == 0) upper = dwarf/min(self%delta, tolerance)
      self%par = min(max(self%par, lower), upper)
      if (self%par == 0) self%par = gradient/self%length

      do iteration = 1, most_iterations
         if (self%par == 0) self%par = max(dwarf, 0.001_dp*upper)
         call self%damped_step(qtf)
         previous = excess
         excess = self%length - self%delta
         if (abs(excess) <= tolerance*self%delta .or. iteration == most_iterations) return
         if (lower == 0 .and. excess <= previous .and. previous < 0) return
         if (excess > 0) lower = max(lower, self%par)
         if (excess < 0) upper = min(upper, self%par)
         self%par = max(lower, self%par + self%newton_correction(self%damped, excess))
      end do
   end subroutine lmpar

   subroutine newton_step(self, qtf, full_rank)
      !! The step without damping; its components beyond a zero pivot are zero.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: qtf(:)
      logical, intent(out) :: full_rank
      integer :: rank

      do rank = 0, self%n - 1
         if (self%t(rank + 1, rank + 1) == 0) exit
      end do
      full_rank = rank == self%n
      self%z(:rank) = qtf(:rank)
      self%z(rank + 1:) = 0
      call solve(rank, self%t, self%n, self%z)
      self%length = enorm(self%n, self%z)
   end subroutine newton_step

   real(dp) function newton_correction(self, triangle, excess)
      !! What Newton's method on 1/|z| adds to par when |z| is too long by excess.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: triangle(self%n, self%n)
         !! The triangle that z was solved with, held by rows.
      real(dp), intent(in) :: excess
      real(dp) :: norm

      self%work = self%z/self%length
      call solve_transposed(self%n, triangle, self%work)
      norm = enorm(self%n, self%work)
      newton_correction = excess/self%delta/norm/norm
   end function newton_correction

   subroutine damped_step(self, qtf)
      !! Rotate sqrt(par) I into T, row by row, and solve.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: qtf(:)
      real(dp) :: root, right, cosine, sine, radius
      integer :: j, k

      do j = 1, self%n
         self%damped(j:, j) = self%t(j:, j)
      end do
      self%z = qtf
      root = sqrt(self%par)
      do j = 1, self%n
         self%work(j) = root
         self%work(j + 1:) = 0
         right = 0
         do k = j, self%n
            if (self%work(k) == 0) cycle
            radius = hypot(self%damped(k, k), self%work(k))
            cosine = self%damped(k, k)/radius
            sine = self%work(k)/radius
            call rotate(cosine, sine, self%damped(k:, k), self%work(k:))
            call rotate(cosine, sine, self%z(k), right)
         end do
      end do
      call solve(self%n, self%damped, self%n, self%z)
      self%length = enorm(self%n, self%z)
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

   pure real(dp) function power_of_two(value)
      !! The power of two below a value; one for zero and for what is not finite.
      real(dp), intent(in) :: value

      power_of_two = 1
      if (value > 0 .and. is_finite(value)) power_of_two = scale(1.0_dp, exponent(value) - 1)
   end function power_of_two

end module minpack_step
