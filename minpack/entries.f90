module minpack_entries
   !! The entries for C and Python. minpack.h documents them. There is no algorithm in this module.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_associated, c_f_pointer
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on, out_of_memory
   use minpack_triangle, only: solve_lower
   use minpack_covariance, only: covariance
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_ask_and_tell, only: fit_type, reals_of_fit, integers_of_fit
   use minpack_c_functions, only: c_functions_type, c_function_type
   use minpack_rows, only: rows_type, analytic_rows_type, differenced_rows_type
   use minpack_by_callback, only: drive_by_callback
   implicit none
   private
   public :: fit, fault, evaluate, covar, whiten, c_options_type

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
   end type c_options_type

contains

   subroutine fit(residual, jacobian, options, m, n, x, fvec, is_evaluated, augmented, ipvt, nfev, &
                  njev, info) bind(c, name='minpack_fit')
      type(c_function_type), intent(in) :: residual
         !! The user's residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! Without it the Jacobian is differenced.
      type(c_options_type), intent(in) :: options
         !! The options.
      integer(c_int), value :: m
         !! Number of residuals.
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(inout) :: x(n)
         !! In: the starting point. Out: the solution.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals at x.
      integer(c_int), value :: is_evaluated
         !! 1 if fvec comes with the residuals at x, 0 if they are yet to be evaluated.
      real(dp), intent(out) :: augmented(n, n + 1)
         !! The triangle R, and the head of Q'f beside it.
      integer(c_int), intent(out) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      integer(c_int), intent(out) :: nfev
         !! Evaluations of the residuals.
      integer(c_int), intent(out) :: njev
         !! Evaluations of the Jacobian.
      integer(c_int), intent(out) :: info
         !! One of the names in minpack_info, or what a function returned to stop.
      type(c_functions_type), target :: functions
      type(analytic_rows_type), target :: analytic
      type(differenced_rows_type), target :: differenced
      type(settings_type) :: settings
      integer :: stat

      settings = settings_of(options, n)
      nfev = 1
      njev = 0
      call functions%connect(m, n, residual, jacobian, stat)
      info = merge(going_on, out_of_memory, stat == 0)
      if (info == going_on .and. is_evaluated == 0) then
         call functions%residual(x, .false., info)
         if (info == going_on) fvec = functions%values
      end if
      if (present(jacobian)) then
         call fit_rows(analytic, functions, settings, x, fvec, augmented, ipvt, nfev, njev, info)
      else
         differenced%differences%bounds = settings%bounds
         differenced%differences%precision = max(settings%epsfcn, epsmch)
         differenced%differences%steps => settings%steps
         call fit_rows(differenced, functions, settings, x, fvec, augmented, ipvt, nfev, njev, info)
      end if
   end subroutine fit

   subroutine fit_rows(rows, functions, settings, x, fvec, augmented, ipvt, nfev, njev, info)
      !! Fit rows of either kind.
      class(rows_type), intent(inout), target :: rows
      type(c_functions_type), intent(in), target :: functions
      type(settings_type), intent(in), target :: settings
      real(dp), intent(inout), contiguous :: x(:)
      real(dp), intent(inout), target, contiguous :: fvec(:)
      real(dp), intent(out), contiguous :: augmented(:, :)
      integer(c_int), intent(out), contiguous :: ipvt(:)
      integer(c_int), intent(inout) :: nfev
      integer(c_int), intent(inout) :: njev
      integer(c_int), intent(inout) :: info
         !! In: going_on, or why there is nothing to do.
      type(fit_type) :: fit
      type(workspace_type), target :: workspace
      real(dp), allocatable, target :: reals(:)
      integer, allocatable, target :: integers(:)
      logical :: bounded
      integer :: n, j, stat

      n = size(x)
      augmented = 0
      do j = 1, n
         ipvt(j) = j
      end do
      if (info /= going_on) return
      bounded = settings%bounds%bounded
      allocate (reals(reals_of_fit(n, bounded)), integers(integers_of_fit(n, bounded)), stat=stat)
      if (stat == 0) call workspace%allocate_for(n, bounded, stat)
      if (stat == 0) call rows%connect(functions, fvec, stat)
      if (stat /= 0) then
         info = out_of_memory
         return
      end if
      call fit%attach(n, settings, workspace, reals, integers)
      call fit%begin(x, rows%fnorm)
      call drive_by_callback(fit, rows)
      x = fit%x
      augmented(:, :n) = fit%model%r
      augmented(:, n + 1) = fit%model%qtf
      ipvt = fit%model%ipvt
      nfev = rows%nfev
      njev = rows%njev
      info = fit%info
   end subroutine fit_rows

   integer(c_int) function fault(options, n) bind(c, name='minpack_fault')
      type(c_options_type), intent(in) :: options
         !! The options.
      integer(c_int), value :: n
         !! Number of variables.
      type(settings_type) :: settings

      settings = settings_of(options, n)
      fault = settings%fault()
   end function fault

   function settings_of(options, n) result(settings)
      type(c_options_type), intent(in) :: options
      integer, intent(in) :: n
      type(settings_type) :: settings

      settings%ftol = options%ftol
      settings%xtol = options%xtol
      settings%gtol = options%gtol
      settings%factor = options%factor
      settings%epsfcn = options%epsfcn
      settings%maxfev = options%maxfev
      if (c_associated(options%diag)) call c_f_pointer(options%diag, settings%diag, [n])
      if (c_associated(options%diff_step)) call c_f_pointer(options%diff_step, settings%steps, [n])
      settings%bounds%bounded = c_associated(options%lower)
      if (.not. settings%bounds%bounded) return
      call c_f_pointer(options%lower, settings%bounds%lower, [n])
      call c_f_pointer(options%upper, settings%bounds%upper, [n])
   end function settings_of

   subroutine evaluate(residual, m, n, x, fvec, info) bind(c, name='minpack_evaluate')
      type(c_function_type), intent(in) :: residual
         !! The user's residual function.
      integer(c_int), value :: m
         !! Number of residuals.
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(in) :: x(n)
         !! The point.
      real(dp), intent(out) :: fvec(m)
         !! The residuals there.
      integer(c_int), intent(out) :: info
         !! Negative if the function called for a stop.
      type(c_functions_type), target :: functions
      integer :: stat

      fvec = 0
      info = out_of_memory
      call functions%connect(m, n, residual, stat=stat)
      if (stat /= 0) return
      call functions%residual(x, .false., info)
      fvec = functions%values
   end subroutine evaluate

   subroutine whiten(m, count, factor, columns) bind(c, name='minpack_whiten')
      integer(c_int), value :: m
         !! Size of the triangle.
      integer(c_int), value :: count
         !! How many columns to solve for.
      real(dp), intent(in) :: factor(m, m)
         !! L, a lower triangle.
      real(dp), intent(inout) :: columns(m, count)
         !! In: b. Out: w, where L w = b.
      integer :: j

      do j = 1, count
         call solve_lower(m, factor, columns(:, j))
      end do
   end subroutine whiten

   subroutine covar(n, r, ipvt, x, active, negligible, doubtful, cov, state, regular) &
      bind(c, name='minpack_covar')
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(in) :: r(n, n)
         !! The triangle R of J P = Q R.
      integer(c_int), intent(in) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(in) :: x(n)
         !! The variables, in units in which the inverse of J'J is their covariance.
      integer(c_int), intent(in) :: active(n)
         !! 0 for a free variable, anything else for one on a bound.
      real(dp), value :: negligible
         !! The relative error of the columns of J, at least.
      real(dp), value :: doubtful
         !! The relative error of the columns of J, at most.
      real(dp), intent(out) :: cov(n, n)
         !! The inverse of J'J.
      integer(c_int), intent(out) :: state(n)
         !! What the data tell of each variable: a name in minpack_covariance.
      integer(c_int), intent(out) :: regular
         !! 1 if there is a covariance.
      logical :: inverted

      call covariance(n, r, ipvt, x, active, negligible, doubtful, cov, state, inverted)
      regular = merge(1, 0, inverted)
   end subroutine covar

end module minpack_entries
