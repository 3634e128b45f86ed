module minpack_parts_asked
   !! What the parts of a fit are asked to evaluate, and how often they were.
   use minpack_kinds, only: dp, dwarf
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_state, only: reals_of_fit, integers_of_fit
   use minpack_ask_and_tell, only: fit_type
   use minpack_request, only: request_type, reals_of_request, nothing_more, norm_alone, products, &
                              triangle
   use minpack_columns_in_parts, only: columns_in_parts_type
   implicit none
   private
   public :: asked_type, a_start, accepted_point, a_trial, other_steps, better_columns, an_end

   ! What is asked for.
   integer, parameter :: a_start = 0
      !! The norm at the starting point; without a loss, also the model.
   integer, parameter :: accepted_point = 1
      !! The model at a point that was accepted.
   integer, parameter :: a_trial = 2
      !! The norm at the trial point, perhaps with the model.
   integer, parameter :: other_steps = 3
      !! Other steps of differences.
   integer, parameter :: better_columns = 4
      !! The model, with the steps that were found.
   integer, parameter :: an_end = 5
      !! The model at the solution, with the curvature of the cost.

   type :: asked_type
      type(fit_type) :: fit
      type(settings_type) :: settings
      integer :: what = nothing_more
         !! What the parts are asked for: a name in minpack_request.
      type(request_type) :: request
         !! The same in numbers.
      integer :: nfev = 0
         !! Evaluations of all residuals.
      integer :: trials = 0
         !! Those among them that were not for a differenced Jacobian.
      integer :: njev = 0
         !! Evaluations of the Jacobian.
      real(dp), allocatable :: numbers(:)
         !! The numbers of the request.
      integer :: stage = a_start
      type(columns_in_parts_type) :: columns
         !! Of a differenced Jacobian.
      type(workspace_type) :: workspace
      real(dp), allocatable :: reals(:)
         !! The numbers of the fit.
      integer, allocatable :: integers(:)
      real(dp), allocatable :: r(:, :)
         !! Shape: (n + 1, n + 1). The triangle, or the products, that were told last.
      logical :: by_products = .true.
         !! Whether products are asked for. If they were not accurate once, triangles are.
      integer, allocatable :: unused(:)
         !! Shape: (0).
   contains
      procedure :: open
      procedure :: ask_for_norm
      procedure :: ask_for_model
      procedure :: ask_again
      procedure :: usual_model
      procedure :: count_evaluations
   end type asked_type

contains

   subroutine open(self, n, stat)
      !! Allocate memory for a fit. The settings are there.
      class(asked_type), intent(inout), target :: self
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      logical :: bounded

      bounded = self%settings%bounds%bounded
      allocate (self%reals(reals_of_fit(n, bounded)), self%integers(integers_of_fit(n, bounded)), &
                self%numbers(reals_of_request(n)), self%r(n + 1, n + 1), &
                self%unused(0), stat=stat)
      if (stat == 0) call self%workspace%allocate_for(n, bounded, stat)
      if (stat == 0 .and. self%settings%differenced) then
         call self%columns%open(n, self%settings, stat)
      end if
      if (stat /= 0) return
      call self%fit%attach(n, self%settings, self%workspace, self%reals, self%integers)
      call self%request%attach(n, self%numbers, self%unused)
   end subroutine open

   subroutine ask_for_norm(self, x)
      !! Ask for the norm at x alone.
      class(asked_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).

      self%what = norm_alone
      associate (robust => self%fit%robust)
         call self%request%begin(x, 1.0_dp, robust%width, robust%share)
      end associate
   end subroutine ask_for_norm

   subroutine ask_for_model(self, x, what)
      !! Ask for the model at x.
      class(asked_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      integer, intent(in) :: what
         !! products, triangle or exact_triangle.

      self%what = what
      associate (robust => self%fit%robust)
         call self%request%begin(x, max(self%fit%fnorm, dwarf), robust%width, robust%share)
      end associate
      if (self%settings%differenced) call self%columns%plan(self%request, self%numbers)
   end subroutine ask_for_model

   subroutine ask_again(self)
      !! Ask for the model at the same point, by the steps that are best.
      class(asked_type), intent(inout) :: self

      self%stage = better_columns
      self%what = self%usual_model()
      if (self%settings%differenced) call self%columns%recall(self%numbers)
   end subroutine ask_again

   pure integer function usual_model(self)
      !! How the model is asked for.
      class(asked_type), intent(in) :: self

      usual_model = merge(products, triangle, self%by_products)
   end function usual_model

   subroutine count_evaluations(self)
      !! Count evaluations as a fit in memory does: the model at a trial point counts when it is
      !! used.
      class(asked_type), intent(inout) :: self

      select case (self%stage)
      case (an_end, accepted_point)
         self%nfev = self%nfev + count(self%request%steps /= 0)
         self%njev = self%njev + 1
      case (a_start, a_trial)
         self%nfev = self%nfev + 1
      case (other_steps)
         self%nfev = self%nfev + count(self%request%others /= 0)
      end select
      if (self%stage == a_start .or. self%stage == a_trial) self%trials = self%trials + 1
   end subroutine count_evaluations

end module minpack_parts_asked
