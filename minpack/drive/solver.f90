module minpack_solver
   !! A solver for fits of one function: it has memory for a fit, and solves one fit after another.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, time_is_up, no_time
   use minpack_bounds, only: bounds_type
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_state, only: reals_of_fit, integers_of_fit
   use minpack_ask_and_tell, only: fit_type
   use minpack_user_functions, only: user_functions_type
   use minpack_rows, only: rows_type
   use minpack_watch, only: watch_type
   use minpack_told_model, only: widen
   use minpack_by_callback, only: drive_by_callback
   implicit none
   private
   public :: solver_type

   type :: solver_type
      class(user_functions_type), pointer :: functions => null()
      class(rows_type), pointer :: rows => null()
      type(settings_type) :: settings
         !! The options; the bounds and the norm of the data are those of the current fit.
      type(watch_type) :: watch
         !! Sees how a fit goes on.
      type(fit_type) :: fit
         !! The current fit.
      type(workspace_type) :: workspace
      real(dp), allocatable :: reals(:)
         !! The numbers of the current fit.
      integer, allocatable :: integers(:)
         !! The integers of the current fit.
   contains
      procedure :: open
      procedure :: solve
   end type solver_type

contains

   subroutine open(self, functions, rows, settings, fvec, stat)
      !! Take a function, and allocate memory for a fit.
      class(solver_type), intent(inout) :: self
      class(user_functions_type), intent(in), target :: functions
         !! The user's functions.
      class(rows_type), intent(inout), target :: rows
         !! The rows of these functions.
      type(settings_type), intent(in) :: settings
         !! The options.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). Memory for the residuals.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      integer :: n
      logical :: bounded

      n = functions%n
      bounded = settings%bounds%bounded
      self%functions => functions
      self%rows => rows
      self%settings = settings
      allocate (self%reals(reals_of_fit(n, bounded)), self%integers(integers_of_fit(n, bounded)), &
                stat=stat)
      if (stat == 0) call self%workspace%allocate_for(n, bounded, stat)
      if (stat == 0) call rows%connect(functions, fvec, stat)
   end subroutine open

   subroutine solve(self, x, bounds, is_evaluated)
      !! Solve a fit. The results are in `fit` and `rows`.
      class(solver_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The starting point.
      type(bounds_type), intent(in) :: bounds
         !! Where x may go.
      logical, intent(in) :: is_evaluated
         !! Whether the memory for the residuals contains the residuals at x.
      integer :: info

      self%settings%bounds = bounds
      call self%fit%attach(size(x), self%settings, self%workspace, self%reals, self%integers)
      info = going_on
      if (.not. is_evaluated) call self%rows%evaluate_start(x, info)
      call self%rows%begin(bounds, self%settings%data_norm, info)
      call self%fit%begin(x, self%rows%fnorm)
      if (info == no_time) info = time_is_up
      if (info /= going_on) call self%fit%stop(info)
      call widen(self%rows%fvec, self%rows%loss, self%fit)
      call drive_by_callback(self%fit, self%rows, self%watch)
   end subroutine solve

end module minpack_solver
