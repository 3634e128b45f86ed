module minpack_lane
   !! One fit that asks for residuals at some points, or for a Jacobian, and is told. It calls no
   !! function, so a caller can answer the questions of many fits at once.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_vectors, only: copy, enorm
   use minpack_store, only: store_type
   use minpack_bounds, only: bounds_type
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_state, only: nothing, a_model, a_norm, reals_of_fit, integers_of_fit
   use minpack_ask_and_tell, only: fit_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_step_memory, only: reals_of_memory, integers_of_memory
   use minpack_differences, only: differences_type
   use minpack_folding, only: folding_type
   use minpack_loss, only: loss_type
   use minpack_told_model, only: widen, judge, tell_model_of, conclude
   implicit none
   private
   public :: lane_type, ended, at_start, trying, differencing, idling, wanting_jacobian

   integer, parameter :: ended = 0
      !! The fit asks for nothing more.
   integer, parameter :: at_start = 1
      !! It asks for the residuals at the starting point.
   integer, parameter :: trying = 2
      !! It asks for the residuals at a trial point.
   integer, parameter :: differencing = 3
      !! It asks for the residuals at the points of a differenced Jacobian.
   integer, parameter :: idling = 4
      !! It asks for the residuals with a step in all variables without effect.
   integer, parameter :: wanting_jacobian = 5
      !! It asks for the Jacobian at the best point.

   type :: lane_type
      integer :: k = 0
         !! Which fit it is.
      integer :: stage = ended
         !! What it asks for: one of the names above.
      integer :: nfev = 0
         !! Evaluations of the residuals.
      integer, private :: trials = 0
         !! Those among them that were not for a differenced Jacobian.
      type(fit_type) :: fit
      type(settings_type) :: settings
         !! The options; the bounds and the norm of the data are those of the current fit.
      type(loss_type), pointer, private :: loss => null()
         !! What is minimized, with memory that fits share.
      real(dp), allocatable, private :: fvec(:)
         !! Shape: (m). The residuals at the best point.
      real(dp), allocatable, private :: fjac(:, :)
         !! Shape: (m, n).
      type(differences_type), private :: differences
      logical, private :: is_reconsidered = .false.
         !! Whether the quotients of all variables were looked at together.
      real(dp), allocatable, private :: reals(:)
         !! The numbers of the fit, and of the differences behind them.
      integer, allocatable, private :: integers(:)
   contains
      procedure :: open
      procedure :: begin
      procedure :: asked
      procedure :: points
      procedure :: take_residuals
      procedure :: take_jacobian
      procedure :: stop
      procedure, private :: go_on
      procedure, private :: begin_differences
      procedure, private :: look_at_differences
   end type lane_type

contains

   subroutine open(self, m, n, settings, loss, stat)
      !! Allocate memory for one fit after another.
      class(lane_type), intent(inout), target :: self
      integer, intent(in) :: m
         !! Number of residuals.
      integer, intent(in) :: n
         !! Number of variables.
      type(settings_type), intent(in) :: settings
         !! The options.
      type(loss_type), intent(in), target :: loss
         !! What is minimized.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      logical :: bounded

      bounded = settings%bounds%bounded
      self%settings = settings
      self%loss => loss
      allocate (self%fvec(m), &
                self%reals(reals_of_fit(n, bounded) + reals_of_memory(n)), &
                self%integers(integers_of_fit(n, bounded) + integers_of_memory(n)), stat=stat)
      if (stat /= 0 .or. .not. settings%differenced) return
      self%differences%precision = settings%residual_error()
      self%differences%steps => self%settings%steps
      allocate (self%fjac(m, n), stat=stat)
      if (stat == 0) call self%differences%allocate_for(n, stat)
   end subroutine open

   subroutine begin(self, k, x, bounds, workspace)
      !! Begin a fit.
      class(lane_type), intent(inout), target :: self
      integer, intent(in) :: k
         !! Which fit it is.
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The starting point.
      type(bounds_type), intent(in) :: bounds
         !! Where x may go.
      type(workspace_type), intent(in), target :: workspace
         !! Memory for the computation of steps, which fits share.
      type(store_type) :: memory
      integer :: n, reals, integers

      n = size(x)
      reals = size(self%reals) - reals_of_memory(n)
      integers = size(self%integers) - integers_of_memory(n)
      self%k = k
      self%stage = at_start
      self%nfev = 0
      self%trials = 0
      self%settings%bounds = bounds
      call self%fit%attach(n, self%settings, workspace, self%reals(:reals), &
                           self%integers(:integers))
      self%fit%x = x
      if (.not. self%settings%differenced) return
      call memory%open(self%reals(reals + 1:), self%integers(integers + 1:))
      call self%differences%memory%attach(n, memory)
      call self%differences%memory%begin()
      self%differences%bounds = bounds
      self%differences%data_norm = self%settings%data_norm
   end subroutine begin

   pure integer function asked(self)
      !! At how many points the fit asks for residuals.
      class(lane_type), intent(in) :: self
      integer :: j

      select case (self%stage)
      case (at_start, trying, idling)
         asked = 1
      case (differencing)
         asked = 0
         do j = 1, self%fit%n
            if (self%differences%asks(j)) asked = asked + 1
         end do
      case default
         asked = 0
      end select
   end function asked

   subroutine points(self, x)
      !! The points at which the fit asks for residuals.
      class(lane_type), intent(in) :: self
      real(dp), intent(out), contiguous :: x(:, :)
         !! Shape: (n, asked).
      integer :: i, j, idle

      select case (self%stage)
      case (at_start)
         x(:, 1) = self%fit%x
      case (trying)
         x(:, 1) = self%fit%trial
      case (idling)
         call self%differences%idle_point(x(:, 1), idle)
      case (differencing)
         i = 0
         do j = 1, self%fit%n
            if (.not. self%differences%asks(j)) cycle
            i = i + 1
            call self%differences%point(j, x(:, i))
         end do
      end select
   end subroutine points

   subroutine take_residuals(self, values, folding)
      !! Take the residuals at the points, and decide what to ask for next.
      class(lane_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: values(:, :)
         !! Shape: (m, asked).
      type(folding_type), intent(inout) :: folding
         !! Memory for the folding of rows, which fits share.
      real(dp) :: norm, true_norm
      integer :: i, j, info

      self%nfev = self%nfev + size(values, 2)
      if (self%stage == at_start .or. self%stage == trying) then
         self%trials = self%trials + 1
         self%loss%width = merge(1.0_dp, self%fit%robust%width, self%stage == at_start)
         call self%loss%measure(values(:, 1), norm, true_norm, info)
      end if
      select case (self%stage)
      case (at_start)
         self%fvec = values(:, 1)
         call self%fit%begin(self%fit%x, norm)
         call widen(self%fvec, self%loss, self%fit)
      case (trying)
         call self%fit%tell_norm(norm, true_norm, self%nfev, self%trials)
         if (self%fit%accepted) call copy(size(self%fvec), values(:, 1), self%fvec)
      case (idling)
         call self%differences%take_idle(values(:, 1), self%fvec)
         call self%differences%reconsider()
         self%is_reconsidered = .true.
      case (differencing)
         i = 0
         do j = 1, self%fit%n
            if (.not. self%differences%asks(j)) cycle
            i = i + 1
            call self%differences%take(j, values(:, i), self%fvec, self%fjac(:, j))
         end do
      end select
      if (self%stage == idling .or. self%stage == differencing) then
         call self%look_at_differences(folding)
      else
         call self%go_on(folding)
      end if
   end subroutine take_residuals

   subroutine take_jacobian(self, matrix, folding)
      !! Take the Jacobian at the best point.
      class(lane_type), intent(inout), target :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! The Jacobian.
      type(folding_type), intent(inout) :: folding
         !! Memory for the folding of rows, which fits share.

      if (self%fit%needs == nothing) then
         call conclude(matrix, self%fvec, self%loss, folding, self%fit)
         self%stage = ended
         return
      end if
      call tell_model_of(matrix, self%fvec, self%loss, folding, self%fit)
      call self%go_on(folding)
   end subroutine take_jacobian

   subroutine stop(self, info)
      !! End the fit.
      class(lane_type), intent(inout) :: self
      integer, intent(in) :: info
         !! The reason.

      if (self%stage == at_start) call self%fit%begin(self%fit%x, 0.0_dp)
      call self%fit%stop(info)
      self%stage = ended
   end subroutine stop

   subroutine go_on(self, folding)
      !! Ask for what the fit needs.
      class(lane_type), intent(inout), target :: self
      type(folding_type), intent(inout) :: folding

      select case (self%fit%needs)
      case (nothing)
         self%stage = ended
         call judge(self%fvec, self%loss, self%fit)
         if (self%loss%is_linear() .or. .not. (self%settings%concludes &
                                               .and. self%fit%has_solution())) return
         self%stage = wanting_jacobian
         if (self%settings%differenced) call self%begin_differences(folding)
      case (a_norm)
         self%stage = trying
      case (a_model)
         self%stage = wanting_jacobian
         if (self%settings%differenced) call self%begin_differences(folding)
      end select
   end subroutine go_on

   subroutine begin_differences(self, folding)
      !! Ask for the points of a differenced Jacobian.
      class(lane_type), intent(inout), target :: self
      type(folding_type), intent(inout) :: folding
      real(dp) :: norm
      integer :: j

      self%is_reconsidered = .false.
      norm = self%fit%fnorm
      if (.not. self%loss%is_linear()) norm = enorm(size(self%fvec), self%fvec)
      call self%differences%plan(self%fit%x)
      call self%differences%measure_in(norm)
      do j = 1, self%fit%n
         if (.not. self%differences%asks(j)) self%fjac(:, j) = 0
      end do
      call self%look_at_differences(folding)
   end subroutine begin_differences

   subroutine look_at_differences(self, folding)
      !! Go on to the next points of the differenced Jacobian, or to what follows it.
      class(lane_type), intent(inout), target :: self
      type(folding_type), intent(inout) :: folding
      type(strided_matrix_type) :: matrix
      integer :: idle

      self%stage = differencing
      if (self%differences%info /= going_on) then
         call self%stop(self%differences%info)
         return
      end if
      if (self%asked() > 0) return
      if (.not. self%is_reconsidered) then
         call self%differences%idle_point(self%fit%trial, idle)
         if (idle > 1) then
            self%stage = idling
            return
         end if
         call self%differences%reconsider()
         self%is_reconsidered = .true.
         if (self%asked() > 0) return
      end if
      call self%differences%clear(self%fjac)
      call self%differences%note_changes()
      call matrix%show_columns(self%fjac)
      matrix%changes => self%differences%memory%changes
      call self%take_jacobian(matrix, folding)
   end subroutine look_at_differences

end module minpack_lane
