module minpack_entries
   !! The entries for C and Python. minpack.h documents them. There is no algorithm in this module.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_associated, c_f_pointer
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on, improper_input, out_of_memory
   use minpack_triangle, only: solve_lower
   use minpack_covariance, only: covariance
   use minpack_settings, only: settings_type
   use minpack_c_functions, only: c_functions_type, c_function_type
   use minpack_rows, only: analytic_rows_type, differenced_rows_type
   use minpack_solver, only: solver_type
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
      type(solver_type), target :: solver
      type(settings_type) :: settings
      integer :: j, stat

      nfev = 0
      njev = 0
      augmented = 0
      do j = 1, n
         ipvt(j) = j
      end do
      info = improper_input
      if (n < 1 .or. m < n .or. .not. has_one_form(residual)) return
      if (present(jacobian)) then
         if (.not. has_one_form(jacobian)) return
      end if
      if (c_associated(options%lower) .neqv. c_associated(options%upper)) return
      settings = settings_of(options, n)
      call functions%connect(m, n, residual, jacobian, stat)
      if (stat == 0 .and. present(jacobian)) then
         call solver%open(functions, analytic, settings, fvec, stat)
      else if (stat == 0) then
         differenced%differences%precision = max(settings%epsfcn, epsmch)
         differenced%differences%steps => settings%steps
         call solver%open(functions, differenced, settings, fvec, stat)
      end if
      if (stat /= 0) then
         info = out_of_memory
         return
      end if
      call solver%solve(x, settings%bounds, is_evaluated /= 0)
      x = solver%fit%x
      if (solver%fit%models > 0) augmented(:, :n) = solver%fit%model%r
      augmented(:, n + 1) = solver%fit%model%qtf
      ipvt = solver%fit%model%ipvt
      nfev = solver%rows%nfev
      njev = solver%rows%njev
      info = solver%fit%info
   end subroutine fit

   logical function has_one_form(function)
      !! Whether exactly one of the two pointers to a function is given.
      type(c_function_type), intent(in) :: function

      has_one_form = c_associated(function%fill) .neqv. c_associated(function%show)
   end function has_one_form

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
      if (info == going_on) fvec = functions%values
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
         !! The variables. r must be divided by the standard deviation of the residuals.
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
