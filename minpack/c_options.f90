module minpack_c_options
   !! The options of a fit as C gives them.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_funptr, c_null_ptr, c_null_funptr, &
                                          c_associated, c_f_pointer, c_f_procpointer
   use minpack_kinds, only: dp
   use minpack_team, only: team_type
   use minpack_settings, only: settings_type, lm, only_attempt
   use minpack_loss, only: loss_type
   use minpack_watch, only: watch_type
   implicit none
   private
   public :: c_options_type, has_paired_bounds, settings_of, loss_of, watch_of, team_of

   type, bind(c) :: c_options_type
      real(dp) :: ftol
      real(dp) :: xtol
      real(dp) :: gtol
      real(dp) :: factor
      real(dp) :: epsfcn
      integer(c_int) :: maxfev
      type(c_ptr) :: diag
         !! n numbers, as in the next three arrays, or null.
      type(c_ptr) :: diff_step
      type(c_ptr) :: lower
      type(c_ptr) :: upper
      integer(c_int) :: limits_trials = 0
      integer(c_int) :: concludes = 0
      integer(c_int) :: tests = lm
      integer(c_int) :: loss = 0
      integer(c_int) :: attempt = only_attempt
      integer(c_int) :: scale_count = 0
         !! m, or 1.
      type(c_ptr) :: f_scale = c_null_ptr
         !! scale_count numbers, or null if the loss is linear.
      type(c_funptr) :: rho = c_null_funptr
         !! A loss of the user's, or null.
      type(c_ptr) :: rho_data = c_null_ptr
      type(c_funptr) :: watch = c_null_funptr
         !! Sees how the fit goes on, or null.
      type(c_ptr) :: watch_data = c_null_ptr
      type(c_funptr) :: together = c_null_funptr
         !! Evaluates the residuals at many points, or null.
      type(c_ptr) :: together_data = c_null_ptr
      integer(c_int) :: together_count = 0
         !! How many points it evaluates in little more time than one.
      type(c_funptr) :: run = c_null_funptr
         !! Runs threads, or null.
      integer(c_int) :: threads = 1
         !! How many.
   end type c_options_type

contains

   pure logical function has_paired_bounds(options)
      !! Whether there are lower and upper bounds, or neither.
      type(c_options_type), intent(in) :: options
         !! The options.

      has_paired_bounds = c_associated(options%lower) .eqv. c_associated(options%upper)
   end function has_paired_bounds

   function settings_of(options, n, differenced) result(settings)
      !! The same options, for Fortran.
      type(c_options_type), intent(in) :: options
         !! The options.
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: differenced
         !! Whether the Jacobian is differenced.
      type(settings_type) :: settings

      settings%ftol = options%ftol
      settings%xtol = options%xtol
      settings%gtol = options%gtol
      settings%factor = options%factor
      settings%epsfcn = options%epsfcn
      settings%differenced = differenced
      settings%maxfev = options%maxfev
      settings%limits_trials = options%limits_trials /= 0
      settings%concludes = options%concludes /= 0
      settings%tests = options%tests
      settings%attempt = options%attempt
      if (c_associated(options%diag)) call c_f_pointer(options%diag, settings%diag, [n])
      if (c_associated(options%diff_step)) call c_f_pointer(options%diff_step, settings%steps, [n])
      settings%bounds%bounded = c_associated(options%lower)
      if (.not. settings%bounds%bounded) return
      call c_f_pointer(options%lower, settings%bounds%lower, [n])
      call c_f_pointer(options%upper, settings%bounds%upper, [n])
   end function settings_of

   function loss_of(options) result(loss)
      !! The loss.
      type(c_options_type), intent(in) :: options
         !! The options.
      type(loss_type) :: loss

      if (.not. c_associated(options%f_scale)) return
      loss%kind = options%loss
      call c_f_pointer(options%f_scale, loss%scale, [options%scale_count])
      call c_f_procpointer(options%rho, loss%function)
      loss%data = options%rho_data
   end function loss_of

   function watch_of(options) result(watch)
      !! The function that sees how the fit goes on.
      type(c_options_type), intent(in) :: options
         !! The options.
      type(watch_type) :: watch

      call c_f_procpointer(options%watch, watch%function)
      watch%data = options%watch_data
   end function watch_of

   function team_of(options) result(team)
      !! The threads.
      type(c_options_type), intent(in) :: options
         !! The options.
      type(team_type) :: team

      call c_f_procpointer(options%run, team%run)
      team%threads = options%threads
   end function team_of

end module minpack_c_options
