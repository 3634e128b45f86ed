module minpack_lockstep
   !! The driver for many fits that calls no function. It asks for the residuals at all points that
   !! its fits need at the moment, so that one call of a vectorized function answers. A fit runs in
   !! a lane; when the fit ends, the next begins there.
   use minpack_kinds, only: dp
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_folding, only: folding_type
   use minpack_loss, only: loss_type
   use minpack_batch, only: batch_type
   use minpack_lane, only: lane_type, ended, wanting_jacobian
   implicit none
   private
   public :: lockstep_type

   integer, parameter :: stopped = -1
      !! How a fit ends that the caller stops.

   type :: lockstep_type
      type(batch_type) :: batch
      real(dp), pointer, contiguous :: y(:, :) => null()
         !! Shape: (m, fits). The data.
      real(dp), pointer, contiguous :: weights(:, :) => null()
         !! Shape: (m, fits), or (1, fits) for one weight a fit, or null.
      type(lane_type), allocatable, private :: lanes(:)
      integer, private :: begun = 0
         !! How many fits have begun.
      type(workspace_type), private :: workspace
      type(folding_type), private :: folding
      type(loss_type), private :: loss
      real(dp), allocatable, private :: residuals(:, :)
         !! Shape: (m, n). The residuals of one fit, or the rows of its Jacobian.
   contains
      procedure :: open
      procedure :: advance
      procedure, private :: begin_next
      procedure, private :: tell_lane
      procedure, private :: tell_jacobian
   end type lockstep_type

contains

   subroutine open(self, lanes, settings, loss, stat)
      !! Allocate memory. The batch, y and weights are connected.
      class(lockstep_type), intent(inout), target :: self
      integer, intent(in) :: lanes
         !! How many fits run at a time.
      type(settings_type), intent(in) :: settings
         !! The options.
      type(loss_type), intent(in) :: loss
         !! What is minimized.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      integer :: i

      associate (m => self%batch%m, n => self%batch%n)
         allocate (self%lanes(lanes), self%residuals(m, n), stat=stat)
         if (stat == 0) call self%workspace%allocate_for(n, settings%bounds%bounded, stat)
         if (stat == 0) call self%folding%allocate_for(m, n, stat)
         self%loss = loss
         if (stat == 0) call self%loss%allocate_for(m, stat)
         do i = 1, lanes
            if (stat == 0) then
               call self%lanes(i)%open(m, n, settings, self%loss, stat)
            end if
         end do
      end associate
   end subroutine open

   subroutine advance(self, values, failed, jacobians, jacobian_failed, points, fits, count, &
                      jacobian_points, jacobian_fits, jacobian_count)
      !! Take the values of the model at the points that were asked for before, and its Jacobians.
      !! Ask for the next points. If there are none, all fits are done.
      class(lockstep_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: values(:, :)
         !! Shape: (m, count). The values of the model, without the data.
      integer, intent(in), contiguous :: failed(:)
         !! Shape: (count). Not zero where there are no values: the fit ends.
      real(dp), intent(in), contiguous :: jacobians(:, :, :)
         !! Shape: (m, n, jacobian_count). The Jacobians of the model.
      integer, intent(in), contiguous :: jacobian_failed(:)
         !! Shape: (jacobian_count). Not zero where there is no Jacobian: the fit ends.
      real(dp), intent(inout), contiguous :: points(:, :)
         !! Shape: (n, n*lanes). Where the model is needed next.
      integer, intent(inout), contiguous :: fits(:)
         !! Shape: (n*lanes). Of which fit each of these points is.
      integer, intent(out) :: count
         !! How many points these are.
      real(dp), intent(inout), contiguous :: jacobian_points(:, :)
         !! Shape: (n, lanes). Where the Jacobian is needed next.
      integer, intent(inout), contiguous :: jacobian_fits(:)
         !! Shape: (lanes). Of which fit each of these points is.
      integer, intent(out) :: jacobian_count
         !! How many points these are.
      integer :: i, told, jacobians_told, more

      told = 0
      jacobians_told = 0
      count = 0
      jacobian_count = 0
      ! Each lane is told and asked in one go, while it is in the cache.
      do i = 1, size(self%lanes)
         associate (lane => self%lanes(i))
            if (lane%stage == wanting_jacobian) then
               jacobians_told = jacobians_told + 1
               call self%tell_jacobian(lane, jacobians(:, :, jacobians_told), &
                                       jacobian_failed(jacobians_told) /= 0)
            else if (lane%stage /= ended) then
               more = lane%asked()
               call self%tell_lane(lane, values(:, told + 1:told + more), &
                                   any(failed(told + 1:told + more) /= 0))
               told = told + more
            end if
            if (lane%stage == ended) call self%begin_next(lane)
            if (lane%stage == wanting_jacobian) then
               jacobian_count = jacobian_count + 1
               jacobian_points(:, jacobian_count) = lane%fit%x
               jacobian_fits(jacobian_count) = lane%k
            else if (lane%stage /= ended) then
               more = lane%asked()
               call lane%points(points(:, count + 1:count + more))
               fits(count + 1:count + more) = lane%k
               count = count + more
            end if
         end associate
      end do
   end subroutine advance

   subroutine begin_next(self, lane)
      !! Store the results of the fit that has ended in a lane, and begin the next fit there.
      class(lockstep_type), intent(inout), target :: self
      type(lane_type), intent(inout), target :: lane

      if (lane%k > 0) call self%batch%store(lane%k, lane%fit, lane%nfev)
      lane%k = 0
      if (self%begun == self%batch%fits) return
      self%begun = self%begun + 1
      lane%settings%diag => self%batch%diag_of(self%begun)
      lane%settings%data_norm = self%batch%data_norms(self%begun)
      call lane%begin(self%begun, self%batch%x(:, self%begun), &
                      self%batch%bounds_of(self%begun), self%workspace)
   end subroutine begin_next

   subroutine tell_lane(self, lane, values, has_failed)
      !! Take the values of the model at the points of one fit.
      class(lockstep_type), intent(inout), target :: self
      type(lane_type), intent(inout), target :: lane
      real(dp), intent(in), contiguous :: values(:, :)
      logical, intent(in) :: has_failed
      integer :: i, count

      if (has_failed) then
         call lane%stop(stopped)
         return
      end if
      count = size(values, 2)
      do i = 1, count
         call subtract(self%batch%m, values(:, i), self%y(:, lane%k), self%residuals(:, i))
         call weigh(self%weights, lane%k, self%residuals(:, i))
      end do
      call lane%take_residuals(self%residuals(:, :count), self%folding)
   end subroutine tell_lane

   subroutine tell_jacobian(self, lane, jacobian, has_failed)
      !! Take the Jacobian of the model of one fit.
      class(lockstep_type), intent(inout), target :: self
      type(lane_type), intent(inout), target :: lane
      real(dp), intent(in), contiguous :: jacobian(:, :)
      logical, intent(in) :: has_failed
      type(strided_matrix_type) :: matrix
      integer :: j

      if (has_failed) then
         call lane%stop(stopped)
         return
      end if
      do j = 1, size(jacobian, 2)
         self%residuals(:, j) = jacobian(:, j)
         call weigh(self%weights, lane%k, self%residuals(:, j))
      end do
      call matrix%show_columns(self%residuals)
      call lane%take_jacobian(matrix, self%folding)
   end subroutine tell_jacobian

   pure subroutine subtract(m, values, y, residuals)
      !! Compute residuals. The compiler knows here that the arrays do not overlap.
      integer, intent(in) :: m
      real(dp), intent(in) :: values(m)
      real(dp), intent(in) :: y(m)
      real(dp), intent(out) :: residuals(m)
      integer :: i

      !$omp simd
      do i = 1, m
         residuals(i) = values(i) - y(i)
      end do
   end subroutine subtract

   pure subroutine weigh(weights, k, rows)
      !! Multiply the rows of a fit by its weights, if there are any.
      real(dp), intent(in), pointer, contiguous :: weights(:, :)
      integer, intent(in) :: k
      real(dp), intent(inout) :: rows(:)

      if (.not. associated(weights)) return
      if (size(weights, 1) == 1) then
         rows = weights(1, k)*rows
      else
         rows = weights(:, k)*rows
      end if
   end subroutine weigh

end module minpack_lockstep
