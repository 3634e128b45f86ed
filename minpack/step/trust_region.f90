module minpack_trust_region
   !! The trust region |D p| <= delta: the step within it, the reduction that the step achieved, and
   !! the new trust radius.
   use minpack_kinds, only: dp, epsmch, is_finite
   use minpack_store, only: store_type
   use minpack_vectors, only: dot, enorm
   use minpack_scale, only: is_slow, follow
   use minpack_bounds, only: bounds_type
   use minpack_triangle, only: multiply
   use minpack_model, only: model_type
   use minpack_workspace, only: workspace_type
   use minpack_lmpar, only: lmpar
   use minpack_scaled_box, only: scaled_box_type
   use minpack_bounded_step, only: bounded_step
   use minpack_reach, only: reach_type
   implicit none
   private
   public :: trust_region_type, reduction_type

   real(dp), parameter :: negligible = 1e-8_dp
      !! If |D x| is smaller than this part of the norm of the residuals, the residuals hardly
      !! change between x and zero.

   real(dp), parameter :: exact = 1e-4_dp
      !! The region grows until the error of the linear model would be this part of the reduction.
   real(dp), parameter :: most_growth = 100
      !! The largest factor by which it grows.

   type :: reduction_type
      !! The reduction of the sum of squares by a step, relative to its value.
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
         !! Number of variables.
      type(bounds_type) :: bounds
         !! Where the variables may go.
      real(dp), pointer, contiguous :: diag(:) => null()
         !! Shape: (n). D.
      real(dp), pointer, contiguous :: recent(:) => null()
         !! Shape: (n). The largest norms of the columns since the last step that was not slow.
      real(dp), pointer, contiguous :: z(:) => null()
         !! Shape: (n). Minus the last step, scaled and permuted.
      real(dp), pointer, contiguous :: t(:, :) => null()
         !! Shape: (n, n). T = R (P' D P)^-1: see minpack_lmpar.
      real(dp), pointer :: delta => null()
         !! The trust radius.
      real(dp), pointer :: par => null()
         !! The Levenberg-Marquardt parameter of the last step.
      real(dp), pointer :: xnorm => null()
         !! |D x|, of the variables that are on no bound.
      real(dp), pointer :: length => null()
         !! |D p| of the last step p.
      integer, pointer :: slow_steps => null()
         !! How many steps in a row were slow.
      type(scaled_box_type) :: box
         !! With bounds: the bounds of z, and the variables that the last step holds on them.
      type(reach_type) :: reach
         !! With bounds: how far a step may go towards them.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: set_off
      procedure :: adopt
      procedure :: stand_at
      procedure :: surround
      procedure :: propose
      procedure :: assess
      procedure :: resize
      procedure, private :: propose_within
   end type trust_region_type

contains

   subroutine attach(self, n, bounds, store)
      class(trust_region_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(bounds_type), intent(in) :: bounds
         !! Where the variables may go.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%n = n
      self%bounds = bounds
      self%diag => store%vector(n)
      self%recent => store%vector(n)
      self%z => store%vector(n)
      self%t => store%matrix(n, n)
      self%delta => store%number()
      self%par => store%number()
      self%xnorm => store%number()
      self%length => store%number()
      self%slow_steps => store%counter()
      if (.not. bounds%bounded) return
      call self%box%attach(n, store)
      call self%reach%attach(n, store)
   end subroutine attach

   subroutine begin(self)
      !! Set the region to its values before a fit. T has none yet.
      class(trust_region_type), intent(inout) :: self

      self%diag = 1
      self%recent = 0
      self%z = 0
      self%delta = 0
      self%par = 0
      self%xnorm = 0
      self%length = 0
      self%slow_steps = 0
      if (.not. self%bounds%bounded) return
      self%box%least = 0
      self%box%greatest = 0
      self%box%side = 0
      call self%reach%begin()
   end subroutine begin

   subroutine set_off(self, model, x, factor, diag, workspace)
      !! Choose the first scale and the first radius.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model at x.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      real(dp), intent(in) :: factor
         !! The radius is this many times |D x|, or this itself where that is zero.
      real(dp), intent(in), pointer, contiguous :: diag(:)
         !! Shape: (n). D, or null if D follows the norms of the Jacobian's columns.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      real(dp) :: unit
      integer :: j, k

      self%slow_steps = 0
      unit = 1
      if (associated(diag)) then
         ! A power of two brings the caller's scale close to the Jacobian's, and does not change the
         ! steps.
         unit = power_of_two(maxval(model%acnorm/diag))
         self%diag = unit*diag
      else
         self%diag = merge(model%acnorm, 1.0_dp, model%acnorm /= 0)
      end if
      associate (scaled => workspace%scaled)
         scaled = self%diag*x
         if (self%bounds%bounded) then
            do k = 1, self%n
               j = model%ipvt(k)
               if (self%bounds%pins(j, x(j), model%slope(k))) scaled(j) = 0
            end do
         end if
         self%xnorm = enorm(self%n, scaled)
      end associate
      ! If the residuals do not change within the trust region, the fit would end at its start.
      self%delta = factor*max(merge(self%xnorm, unit, self%xnorm > 0), negligible*model%fnorm)
   end subroutine set_off

   subroutine adopt(self, model, follows)
      !! Take over the linear model at a new point.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model.
      logical, intent(in) :: follows
         !! Whether D follows the norms of the Jacobian's columns.
      integer :: j

      if (self%bounds%bounded) then
         do j = 1, self%n
            call self%reach%judge(model%ipvt(j), model%slope(j)*model%fnorm)
         end do
      end if
      if (follows) call follow(self%n, model%acnorm, self%slow_steps, self%recent, self%diag)
      do j = 1, self%n
         self%t(:j, j) = model%r(:j, j)/self%diag(model%ipvt(j))
      end do
   end subroutine adopt

   subroutine stand_at(self, x, reduction, workspace)
      !! Move the centre of the region to x, where the last step has led.
      class(trust_region_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      self%slow_steps = merge(self%slow_steps + 1, 0, is_slow(self%par, reduction%actual))
      workspace%scaled = self%diag*x
      if (self%bounds%bounded) then
         where (x <= self%bounds%lower .or. x >= self%bounds%upper) workspace%scaled = 0
      end if
      self%xnorm = enorm(self%n, workspace%scaled)
   end subroutine stand_at

   subroutine surround(self, model, x)
      !! Put the box around x, without a step yet.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model at x.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      integer :: i, j

      self%z = 0
      self%box%side = 0
      associate (lower => self%bounds%lower, upper => self%bounds%upper)
         do i = 1, self%n
            j = model%ipvt(i)
            self%box%least(i) = -self%diag(j)*self%reach%limit(j, x(j), upper(j) - x(j))
            self%box%greatest(i) = self%diag(j)*self%reach%limit(j, x(j), x(j) - lower(j))
         end do
      end associate
   end subroutine surround

   subroutine propose(self, model, x, trial, workspace)
      !! Choose the point to try from x.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model at x.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      real(dp), intent(out) :: trial(:)
         !! Shape: (n). The point to try.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      integer :: i, j

      if (self%bounds%bounded) then
         call self%propose_within(model, x, trial, workspace)
         return
      end if
      call lmpar(self%n, self%t, model%qtf, self%delta, self%par, self%z, self%length, &
                 workspace)
      do i = 1, self%n
         j = model%ipvt(i)
         trial(j) = x(j) - self%z(i)/self%diag(j)
      end do
   end subroutine propose

   subroutine propose_within(self, model, x, trial, workspace)
      !! Choose the point to try from x, within the bounds, and on them where the step lands on
      !! them.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      real(dp), intent(out) :: trial(:)
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: bound
      integer :: i, j

      call self%surround(model, x)
      associate (lower => self%bounds%lower, upper => self%bounds%upper, box => self%box)
         call bounded_step(box, self%t, model%qtf, self%delta, self%par, self%z, self%length, &
                           workspace)
         do i = 1, self%n
            j = model%ipvt(i)
            trial(j) = min(max(x(j) - self%z(i)/self%diag(j), lower(j)), upper(j))
            call self%reach%press(j, 0, 0.0_dp)
            if (box%side(i) == 0) cycle
            bound = merge(lower(j), upper(j), box%side(i) < 0)
            if (self%reach%may_land(j) .or. x(j) == bound) trial(j) = bound
            if (x(j) /= bound) then
               call self%reach%press(j, box%side(i), workspace%slope(i)*self%diag(j))
            end if
         end do
      end associate
   end subroutine propose_within

   function assess(self, model, fnorm, trial_norm, workspace) result(reduction)
      !! Compare the reduction that the last step achieved with the predicted reduction.
      class(trust_region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model that the step was proposed with.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals before the step.
      real(dp), intent(in) :: trial_norm
         !! Norm of the residuals after it.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      type(reduction_type) :: reduction
      real(dp) :: linear, damping

      reduction%far_off = 0.1_dp*trial_norm >= fnorm
      reduction%actual = -1
      if (.not. reduction%far_off) reduction%actual = 1 - (trial_norm/fnorm)**2
      associate (image => workspace%image)
         call multiply(self%n, self%t, self%z, image)
         linear = (enorm(self%n, image)/fnorm)**2
         damping = (sqrt(self%par)*self%length/fnorm)**2
         if (holds_any(self)) then
            ! With held variables, par does not determine z. The damping follows from the gradient.
            damping = dot(self%n, image/fnorm, model%qtf/fnorm) - linear
         end if
      end associate
      reduction%predicted = linear + 2*damping
      reduction%slope = -(linear + damping)
      reduction%ratio = 0
      if (reduction%predicted /= 0) reduction%ratio = reduction%actual/reduction%predicted
   end function assess

   subroutine resize(self, reduction)
      !! Shrink the region if the step achieved at most a quarter of the predicted reduction. Double
      !! it if the step achieved three quarters or more, and enlarge it further if the step shows
      !! that the linear model is exact.
      class(trust_region_type), intent(inout) :: self
      type(reduction_type), intent(in) :: reduction
         !! What the last step brought.
      real(dp) :: shrink

      if (reduction%ratio <= 0.25_dp) then
         shrink = 0.5_dp
         if (reduction%actual < 0) then
            shrink = 0.5_dp*reduction%slope/(reduction%slope + 0.5_dp*reduction%actual)
            if (reduction%far_off .or. shrink < 0.1_dp) shrink = 0.1_dp
         end if
         self%delta = shrink*min(self%delta, 10*self%length)
         self%par = self%par/shrink
      else if (self%par == 0) then
         self%delta = 2*self%length
      else if (reduction%ratio >= 0.75_dp) then
         self%delta = growth(reduction%ratio)*self%length
         self%par = self%par/growth(reduction%ratio)
      end if
   end subroutine resize

   pure real(dp) function growth(ratio)
      !! The factor by which the region grows after a step that it has limited.
      real(dp), intent(in) :: ratio
         !! Actual by predicted reduction.

      growth = min(max(2.0_dp, exact/max(abs(1 - ratio), epsmch)), most_growth)
   end function growth

   pure logical function holds_any(self)
      !! Whether the last step holds a variable on a bound.
      type(trust_region_type), intent(in) :: self

      holds_any = .false.
      if (self%bounds%bounded) holds_any = any(self%box%side /= 0)
   end function holds_any

   pure real(dp) function power_of_two(value)
      !! The largest power of two below a value; one for zero, NaN and infinity.
      real(dp), intent(in) :: value

      power_of_two = 1
      if (value > 0 .and. is_finite(value)) power_of_two = scale(1.0_dp, exponent(value) - 1)
   end function power_of_two

end module minpack_trust_region
