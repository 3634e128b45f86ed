module minpack_trust_region
   !! The trust region |D p| <= delta: the step within it, what the step brought, and the radius that
   !! its success leaves to the next.
   use minpack_kinds, only: dp, is_finite
   use minpack_vectors, only: dot, enorm
   use minpack_model, only: model_type
   use minpack_triangle, only: multiply
   use minpack_bounds, only: bounds_type
   use minpack_lmpar, only: lmpar, workspace_type
   use minpack_bounded_step, only: bounded_step_type
   use minpack_reach, only: reach_type
   implicit none
   private
   public :: trust_region_type, reduction_type

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
         !! |D x|, of the variables that are on no bound.
      type(bounds_type) :: box
      type(bounded_step_type) :: bounds
         !! The step where there are bounds.
      type(reach_type) :: reach
         !! How far it goes towards them.
      real(dp) :: length = 0
         !! |D p| of the last step p.
      real(dp), allocatable :: diag(:)
         !! Shape: (n). D.
      real(dp), allocatable :: z(:)
         !! Shape: (n). Minus the last step, scaled and permuted.
      real(dp), allocatable :: t(:, :)
         !! Shape: (n, n). T = R (P' D P)^-1: see minpack_lmpar.
      real(dp), allocatable :: unlimited(:)
         !! Shape: (n). z without a radius: see minpack_settled.
      type(workspace_type) :: workspace
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
      procedure, private :: propose_within
   end type trust_region_type

contains

   subroutine prepare(self, n, diag, fixed_scale, box, stat)
      class(trust_region_type), intent(out) :: self
      integer, intent(in) :: n
      real(dp), intent(in) :: diag(:)
         !! Shape: (n). D if the scale is fixed.
      logical, intent(in) :: fixed_scale
      type(bounds_type), intent(in) :: box
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      self%fixed_scale = fixed_scale
      self%box = box
      allocate (self%diag(n), self%z(n), self%unlimited(n), self%work(n), self%t(n, n), stat=stat)
      if (stat == 0) self%diag = diag
      if (stat == 0) call self%workspace%prepare(n, stat)
      if (stat == 0 .and. box%bounded) call self%bounds%prepare(n, stat)
      if (stat == 0 .and. box%bounded) call self%reach%prepare(n, stat)
   end subroutine prepare

   subroutine begin(self, model, x, factor)
      !! Choose the first scale and the first radius.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model at x.
      real(dp), intent(in) :: x(:)
      real(dp), intent(in) :: factor
         !! The radius is this many times |D x|, or this itself where that is zero.
      real(dp) :: unit
      integer :: j, k

      unit = 1
      if (self%fixed_scale) then
         ! Powers of two bring the caller's scale near the Jacobian's without changing a step.
         unit = power_of_two(maxval(model%acnorm/self%diag))
         self%diag = unit*self%diag
      else
         self%diag = merge(model%acnorm, 1.0_dp, model%acnorm /= 0)
      end if
      self%work = self%diag*x
      if (self%box%bounded) then
         do k = 1, self%n
            j = model%ipvt(k)
            if (self%box%pins(j, x(j), model%slope(k))) self%work(j) = 0
         end do
      end if
      self%xnorm = enorm(self%n, self%work)
      ! A region too small for the residuals to feel it would end the fit where it begins.
      self%delta = factor*max(merge(self%xnorm, unit, self%xnorm > 0), negligible*model%fnorm)
   end subroutine begin

   subroutine adopt(self, model)
      !! Take over the linear model at a new point, and let the scale follow it.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      integer :: j

      if (self%box%bounded) then
         do j = 1, self%n
            call self%reach%judge(model%ipvt(j), model%slope(j)*model%fnorm)
         end do
      end if
      if (.not. self%fixed_scale) self%diag = max(self%diag, model%acnorm)
      do j = 1, self%n
         self%t(:j, j) = model%r(:j, j)/self%diag(model%ipvt(j))
      end do
   end subroutine adopt

   subroutine stand_at(self, x)
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)

      self%work = self%diag*x
      if (self%box%bounded) where (x <= self%box%lower .or. x >= self%box%upper) self%work = 0
      self%xnorm = enorm(self%n, self%work)
   end subroutine stand_at

   subroutine propose(self, model, x, trial)
      !! The point to try from x.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      real(dp), intent(out) :: trial(:)
      integer :: i, j

      if (self%box%bounded) then
         call self%propose_within(model, x, trial)
         return
      end if
      call lmpar(self%n, self%t, model%qtf, self%delta, self%par, self%z, self%length, &
                 self%workspace)
      do i = 1, self%n
         j = model%ipvt(i)
         trial(j) = x(j) - self%z(i)/self%diag(j)
      end do
   end subroutine propose

   subroutine propose_within(self, model, x, trial)
      !! The point to try from x, within the bounds, and on them where the step lands on them.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      real(dp), intent(out) :: trial(:)
      real(dp) :: bound
      integer :: i, j

      associate (lower => self%box%lower, upper => self%box%upper, bounds => self%bounds)
         do i = 1, self%n
            j = model%ipvt(i)
            bounds%least(i) = -self%diag(j)*self%reach%limit(j, x(j), upper(j) - x(j))
            bounds%greatest(i) = self%diag(j)*self%reach%limit(j, x(j), x(j) - lower(j))
         end do
         call bounds%propose(self%t, model%qtf, self%delta, self%par, self%z, self%length, &
                             self%workspace)
         do i = 1, self%n
            j = model%ipvt(i)
            trial(j) = min(max(x(j) - self%z(i)/self%diag(j), lower(j)), upper(j))
            call self%reach%press(j, 0, 0.0_dp)
            if (bounds%side(i) == 0) cycle
            bound = merge(lower(j), upper(j), bounds%side(i) < 0)
            if (self%reach%may_land(j) .or. x(j) == bound) trial(j) = bound
            if (x(j) /= bound) then
               call self%reach%press(j, bounds%side(i), bounds%slope(i)*self%diag(j))
            end if
         end do
      end associate
   end subroutine propose_within

   function assess(self, model, fnorm, trial_norm) result(reduction)
      !! Compare what the last step promised with what it brought.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
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
      if (self%bounds%held_any) then
         ! What is held is not where par would have it.
         damping = dot(self%n, self%work/fnorm, model%qtf/fnorm) - linear
      end if
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

   pure real(dp) function power_of_two(value)
      !! The power of two below a value; one for zero and for what is not finite.
      real(dp), intent(in) :: value

      power_of_two = 1
      if (value > 0 .and. is_finite(value)) power_of_two = scale(1.0_dp, exponent(value) - 1)
   end function power_of_two

end module minpack_trust_region
