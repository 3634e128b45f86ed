module minpack_opened
   !! A solver for the functions and options of a caller in C.
   use, intrinsic :: iso_c_binding, only: c_associated
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, improper_input, out_of_memory
   use minpack_settings, only: settings_type
   use minpack_c_functions, only: c_functions_type, c_function_type
   use minpack_rows, only: analytic_rows_type
   use minpack_differenced_rows, only: differenced_rows_type
   use minpack_solver, only: solver_type
   use minpack_c_options, only: c_options_type, has_paired_bounds, settings_of, loss_of, &
                                watch_of, team_of
   implicit none
   private
   public :: opened_type, open

   type :: opened_type
      !! A solver, and what it is made of.
      type(c_functions_type) :: functions
      type(analytic_rows_type) :: analytic
      type(differenced_rows_type) :: differenced
      type(solver_type) :: solver
   end type opened_type

contains

   subroutine open(opened, residual, jacobian, options, m, n, fvec, info)
      !! Open a solver for C functions.
      type(opened_type), intent(inout), target :: opened
         !! The solver, and what it is made of.
      type(c_function_type), intent(in) :: residual
         !! The residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! Without it the Jacobian is differenced.
      type(c_options_type), intent(in) :: options
         !! The options.
      integer, intent(in) :: m
         !! Number of residuals.
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Memory for the residuals.
      integer, intent(out) :: info
         !! going_on, or why there is no solver.
      type(settings_type) :: settings
      integer :: stat

      info = improper_input
      if (n < 1 .or. m < n .or. .not. has_one_form(residual)) return
      if (present(jacobian)) then
         if (.not. has_one_form(jacobian)) return
      end if
      if (.not. has_paired_bounds(options)) return
      settings = settings_of(options, n, .not. present(jacobian))
      opened%analytic%loss = loss_of(options)
      opened%differenced%loss = loss_of(options)
      opened%analytic%folding%team = team_of(options)
      opened%differenced%folding%team = team_of(options)
      opened%solver%watch = watch_of(options)
      call opened%functions%connect(m, n, residual, jacobian, stat)
      call opened%functions%take_together(options%together, options%together_data, &
                                           options%together_count)
      if (stat == 0 .and. present(jacobian)) then
         call opened%solver%open(opened%functions, opened%analytic, settings, fvec, stat)
      else if (stat == 0) then
         opened%differenced%differences%precision = settings%residual_error()
         opened%differenced%differences%steps => settings%steps
         call opened%solver%open(opened%functions, opened%differenced, settings, fvec, stat)
      end if
      info = going_on
      if (stat /= 0) info = out_of_memory
   end subroutine open

   logical function has_one_form(function)
      !! Whether exactly one of the two pointers to a function is given.
      type(c_function_type), intent(in) :: function

      has_one_form = c_associated(function%fill) .neqv. c_associated(function%show)
   end function has_one_form

end module minpack_opened
