module minpack_trust_region
   !! The step within the trust region, the reduction that the step achieved, and the new trust
   !! radius.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, enorm
   use minpack_triangle, only: multiply
   use minpack_model, only: model_type
   use minpack_workspace, only: workspace_type
   use minpack_lmpar, only: lmpar
   use minpack_bounded_step, only: bounded_step
   use minpack_reduction, only: reduction_type
   use minpack_region, only: region_type
   implicit none
   private
   public :: trust_region_type

   type, extends(region_type) :: trust_region_type
   contains
      procedure :: surround
      procedure :: propose
      procedure :: assess
      procedure :: resize
      procedure, private :: propose_within
   end type trust_region_type

contains

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
      real(dp) :: factor

      if (reduction%ratio <= 0.25_dp) then
         factor = reduction%shrinkage()
         self%delta = factor*min(self%delta, 10*self%length)
         self%par = self%par/factor
      else if (self%par == 0) then
         self%delta = 2*self%length
      else if (reduction%ratio >= 0.75_dp) then
         factor = reduction%growth()
         self%delta = factor*self%length
         self%par = self%par/factor
      end if
   end subroutine resize

   pure logical function holds_any(self)
      !! Whether the last step holds a variable on a bound.
      type(trust_region_type), intent(in) :: self

      holds_any = .false.
      if (self%bounds%bounded) holds_any = any(self%box%side /= 0)
   end function holds_any

end module minpack_trust_region
