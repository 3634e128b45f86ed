module minpack_region
   !! The trust region |D p| <= delta: where it is, and how it is scaled.
   use minpack_kinds, only: dp, is_finite
   use minpack_store, only: store_type
   use minpack_vectors, only: enorm
   use minpack_scale, only: is_slow, follow
   use minpack_bounds, only: bounds_type, is_on_bound
   use minpack_model, only: model_type
   use minpack_workspace, only: workspace_type
   use minpack_scaled_box, only: scaled_box_type
   use minpack_reach, only: reach_type
   use minpack_reduction, only: reduction_type
   implicit none
   private
   public :: region_type

   real(dp), parameter :: negligible = 1e-8_dp
      !! If |D x| is smaller than this part of the norm of the residuals, the residuals hardly
      !! change between x and zero.

   real(dp), parameter :: no_effect = 1.0e-2_dp
      !! A variable has no effect if doubling it changes the residuals by less than this part.

   type :: region_type
      integer :: n = 0
         !! Number of variables.
      type(bounds_type) :: bounds
         !! Where the variables may go.
      logical :: follows = .true.
         !! Whether D follows the norms of the Jacobian's columns.
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
      procedure :: equalize
      procedure :: restore
   end type region_type

contains

   subroutine attach(self, n, bounds, follows, store)
      class(region_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(bounds_type), intent(in) :: bounds
         !! Where the variables may go.
      logical, intent(in) :: follows
         !! Whether D follows the norms of the Jacobian's columns.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%n = n
      self%bounds = bounds
      self%follows = follows
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
      class(region_type), intent(inout) :: self

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
      class(region_type), intent(inout) :: self
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
      real(dp) :: unit, standby
      integer :: j, k

      self%slow_steps = 0
      unit = 1
      if (associated(diag)) then
         ! A power of two brings the caller's scale close to the Jacobian's, and does not change the
         ! steps.
         unit = power_of_two(maxval(model%acnorm/diag))
         self%diag = unit*diag
      else
         ! MINPACK takes 1 for a variable without effect. If all columns are smaller, as those of
         ! picoamperes, its column may be smaller than 1, too, when the variable has an effect.
         standby = min(1.0_dp, minval(model%acnorm, mask=model%acnorm > 0))
         self%diag = merge(model%acnorm, standby, model%acnorm /= 0)
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

   subroutine adopt(self, model)
      !! Take over the linear model at a new point.
      class(region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model.
      integer :: j

      if (self%bounds%bounded) then
         do j = 1, self%n
            call self%reach%judge(model%ipvt(j), model%slope(j)*model%fnorm)
         end do
      end if
      if (self%follows) call follow(self%n, model%acnorm, self%slow_steps, self%recent, self%diag)
      do j = 1, self%n
         self%t(:j, j) = model%r(:j, j)/self%diag(model%ipvt(j))
      end do
   end subroutine adopt

   subroutine stand_at(self, x, reduction, workspace)
      !! Move the centre of the region to x, where the last step has led.
      class(region_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      self%slow_steps = merge(self%slow_steps + 1, 0, is_slow(self%par, reduction%actual))
      workspace%scaled = self%diag*x
      if (self%bounds%bounded) then
         where (is_on_bound(self%bounds%lower, x, self%bounds%upper)) workspace%scaled = 0
      end if
      self%xnorm = enorm(self%n, workspace%scaled)
   end subroutine stand_at

   pure subroutine equalize(self, model, x, z, units)
      !! Divide the columns of T by powers of two that are close to their norms, as if D were the
      !! norms of the Jacobian's columns. Let columns be small that have become so because their
      !! variables have lost their effect.
      class(region_type), intent(inout) :: self
      type(model_type), intent(in) :: model
         !! The linear model.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The point.
      real(dp), intent(inout) :: z(:)
         !! Shape: (n). A step in these variables.
      real(dp), intent(out) :: units(:)
         !! Shape: (n). The powers.
      integer :: j, k

      do k = 1, self%n
         j = model%ipvt(k)
         units(k) = 1
         if (self%follows .and. model%acnorm(j)*abs(x(j)) <= no_effect*model%fnorm) cycle
         units(k) = power_of_two(enorm(k, self%t(:, k)))
         self%t(:k, k) = self%t(:k, k)/units(k)
      end do
      z = z*units
      if (.not. self%bounds%bounded) return
      self%box%least = self%box%least*units
      self%box%greatest = self%box%greatest*units
   end subroutine equalize

   pure subroutine restore(self, units)
      !! Undo what equalize did.
      class(region_type), intent(inout) :: self
      real(dp), intent(in) :: units(:)
         !! Shape: (n). The powers.
      integer :: j

      do j = 1, self%n
         self%t(:j, j) = self%t(:j, j)*units(j)
      end do
      if (.not. self%bounds%bounded) return
      self%box%least = self%box%least/units
      self%box%greatest = self%box%greatest/units
   end subroutine restore

   pure real(dp) function power_of_two(value)
      !! The largest power of two that is not above a value; one for zero, NaN and infinity.
      real(dp), intent(in) :: value

      power_of_two = 1
      if (value > 0 .and. is_finite(value)) power_of_two = scale(1.0_dp, exponent(value) - 1)
   end function power_of_two

end module minpack_region
