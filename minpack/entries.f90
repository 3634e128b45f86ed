module minpack_entries
   !! The entries for C, and through it for Python. No algorithm lives here.
   use, intrinsic :: iso_c_binding, only: c_int, c_intptr_t
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, out_of_memory
   use minpack_bounds, only: bounds_type
   use minpack_model, only: model_type
   use minpack_c_functions, only: c_functions_type, address_type, prepare
   use minpack_rows, only: rows_type, analytic_rows_type, differenced_rows_type
   use minpack_fit, only: minimize, settings_type
   use minpack_covariance, only: covariance
   use minpack_triangle, only: solve_lower
   implicit none
   private
   public :: lmdif, lmder, evaluate, covar, whiten

contains

   subroutine lmdif(residual, residual_data, residual_fills, m, n, x, fvec, evaluated, ftol, xtol, &
                    gtol, maxfev, epsfcn, fixed_steps, steps, factor, fixed_scale, diag, bounded, lower, upper, augmented, &
                    ipvt, nfev, info) bind(c)
      !! Solve with a differenced Jacobian.
      integer(c_intptr_t), intent(in) :: residual
         !! Address of the function, and next of the data it is called with.
      integer(c_intptr_t), intent(in) :: residual_data
      integer(c_int), intent(in) :: residual_fills
         !! 1 if it has cminpack's signature, 0 if it shows where its values lie.
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: n
      real(dp), intent(inout), target :: x(n)
         !! In: the starting point. Out: the solution.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals at x.
      integer(c_int), intent(in) :: evaluated
         !! 1 if fvec comes with the residuals at x, 0 if they are yet to be evaluated.
      real(dp), intent(in) :: ftol
      real(dp), intent(in) :: xtol
      real(dp), intent(in) :: gtol
      integer(c_int), intent(in) :: maxfev
      real(dp), intent(in) :: epsfcn
      integer(c_int), intent(in) :: fixed_steps
         !! 1 if the steps of differences are those given, in units of |x|; 0 if epsfcn tells them.
      real(dp), intent(in), target :: steps(n)
      real(dp), intent(in) :: factor
      integer(c_int), intent(in) :: fixed_scale
      real(dp), intent(in), target :: diag(n)
      integer(c_int), intent(in) :: bounded
         !! 1 if x is to stay within lower and upper, 0 if it goes where it likes.
      real(dp), intent(in), target :: lower(n)
      real(dp), intent(in), target :: upper(n)
      real(dp), intent(out), target :: augmented(n, n + 1)
         !! The triangle R, and beside it the head of Q'f.
      integer(c_int), intent(out), target :: ipvt(n)
      integer(c_int), intent(out) :: nfev
      integer(c_int), intent(out) :: info
      type(differenced_rows_type) :: problem
      type(bounds_type) :: box

      box = bounds_type(bounded /= 0, lower, upper)
      problem%differences%box = box
      problem%differences%epsfcn = epsfcn
      problem%differences%fixed_steps = fixed_steps /= 0
      problem%differences%steps => steps
      call solve(problem, address_type(residual, residual_data, residual_fills /= 0), &
                 address_type(), x, fvec, evaluated /= 0, &
                 settings_type(ftol, xtol, gtol, factor, epsfcn, maxfev, fixed_scale /= 0, diag, box), &
                 augmented(:, :n), augmented(:, n + 1), ipvt, info)
      nfev = problem%nfev
   end subroutine lmdif

   subroutine lmder(residual, residual_data, residual_fills, jacobian, jacobian_data, &
                    jacobian_fills, m, n, x, fvec, evaluated, ftol, xtol, gtol, maxfev, factor, &
                    fixed_scale, diag, bounded, lower, upper, augmented, ipvt, nfev, njev, info) &
                    bind(c)
      !! Solve with the user's Jacobian.
      integer(c_intptr_t), intent(in) :: residual
         !! Addresses of the functions, each with the data that it is called with.
      integer(c_intptr_t), intent(in) :: residual_data
      integer(c_int), intent(in) :: residual_fills
         !! 1 for a function with cminpack's signature, 0 for one that shows where its values lie.
      integer(c_intptr_t), intent(in) :: jacobian
      integer(c_intptr_t), intent(in) :: jacobian_data
      integer(c_int), intent(in) :: jacobian_fills
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: n
      real(dp), intent(inout), target :: x(n)
         !! In: the starting point. Out: the solution.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals at x.
      integer(c_int), intent(in) :: evaluated
         !! 1 if fvec comes with the residuals at x, 0 if they are yet to be evaluated.
      real(dp), intent(in) :: ftol
      real(dp), intent(in) :: xtol
      real(dp), intent(in) :: gtol
      integer(c_int), intent(in) :: maxfev
      real(dp), intent(in) :: factor
      integer(c_int), intent(in) :: fixed_scale
      real(dp), intent(in), target :: diag(n)
      integer(c_int), intent(in) :: bounded
         !! 1 if x is to stay within lower and upper, 0 if it goes where it likes.
      real(dp), intent(in), target :: lower(n)
      real(dp), intent(in), target :: upper(n)
      real(dp), intent(out), target :: augmented(n, n + 1)
         !! The triangle R, and beside it the head of Q'f.
      integer(c_int), intent(out), target :: ipvt(n)
      integer(c_int), intent(out) :: nfev
      integer(c_int), intent(out) :: njev
      integer(c_int), intent(out) :: info
      type(analytic_rows_type) :: problem
      type(bounds_type) :: box

      box = bounds_type(bounded /= 0, lower, upper)
      call solve(problem, address_type(residual, residual_data, residual_fills /= 0), &
                 address_type(jacobian, jacobian_data, jacobian_fills /= 0), x, fvec, &
                 evaluated /= 0, &
                 settings_type(ftol, xtol, gtol, factor, 0.0_dp, maxfev, fixed_scale /= 0, diag, box), &
                 augmented(:, :n), augmented(:, n + 1), ipvt, info)
      nfev = problem%nfev
      njev = problem%njev
   end subroutine lmder

   subroutine evaluate(residual, data, m, n, x, fvec, info) bind(c)
      !! Call once a residual function with cminpack's signature.
      integer(c_intptr_t), intent(in) :: residual
         !! Address of the function, and next of the data it is called with.
      integer(c_intptr_t), intent(in) :: data
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: n
      real(dp), intent(in) :: x(n)
      real(dp), intent(out) :: fvec(m)
      integer(c_int), intent(out) :: info
         !! Negative if the function called for a stop.
      type(c_functions_type), target :: functions
      integer :: stat

      fvec = 0
      call prepare(functions, m, n, address_type(residual, data, .true.), address_type(), stat)
      if (stat /= 0) then
         info = out_of_memory
         return
      end if
      call functions%residual(x, .false., info)
      fvec = functions%filled
   end subroutine evaluate

   subroutine whiten(m, count, factor, columns) bind(c)
      !! Solve L w = b for each of some columns b, which become w.
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: count
      real(dp), intent(in) :: factor(m, m)
         !! L, a lower triangle.
      real(dp), intent(inout) :: columns(m, count)
      integer :: j

      do j = 1, count
         call solve_lower(m, factor, columns(:, j))
      end do
   end subroutine whiten

   subroutine covar(n, r, ipvt, x, active, negligible, doubtful, cov, state, regular) bind(c)
      !! The covariance (J'J)^-1 from R, of the variables that are free.
      integer(c_int), intent(in) :: n
      real(dp), intent(in) :: r(n, n)
      integer(c_int), intent(in) :: ipvt(n)
      real(dp), intent(in) :: x(n)
      integer(c_int), intent(in) :: active(n)
         !! 0 for what is free, anything else for what is on a bound.
      real(dp), intent(in) :: negligible
         !! The relative error of the columns of J, at least.
      real(dp), intent(in) :: doubtful
         !! The same, at most.
      real(dp), intent(out) :: cov(n, n)
      integer(c_int), intent(out) :: state(n)
         !! 0 for what is determined, 1 for what has no effect, 2 for what may act with others only, 3 for
         !! what is hardly determined.
      integer(c_int), intent(out) :: regular
      logical :: inverted

      call covariance(n, r, ipvt, x, active, negligible, doubtful, cov, state, inverted)
      regular = merge(1, 0, inverted)
   end subroutine covar

   subroutine solve(problem, residual_at, jacobian_at, x, fvec, evaluated, settings, r, qtf, ipvt, &
                    info)
      class(rows_type), intent(inout) :: problem
      type(address_type), intent(in) :: residual_at
      type(address_type), intent(in) :: jacobian_at
      real(dp), intent(inout), contiguous :: x(:)
      real(dp), intent(inout), target, contiguous :: fvec(:)
      logical, intent(in) :: evaluated
      type(settings_type), intent(in) :: settings
      real(dp), intent(out), target, contiguous :: r(:, :)
      real(dp), intent(out), target, contiguous :: qtf(:)
      integer(c_int), intent(out), target, contiguous :: ipvt(:)
      integer(c_int), intent(out) :: info
      type(c_functions_type), target :: functions
      type(model_type) :: model
      integer :: j, stat

      r = 0
      ipvt = [(j, j=1, size(ipvt))]
      qtf = 0
      problem%nfev = 1
      call prepare(functions, size(fvec), size(x), residual_at, jacobian_at, stat)
      if (stat == 0 .and. .not. evaluated) then
         call functions%residual(x, .false., info)
         if (info /= going_on) return
         fvec = functions%values
      end if
      if (stat == 0) call problem%prepare(functions, fvec, stat)
      if (stat == 0) allocate (model%acnorm(problem%n), stat=stat)
      if (stat /= 0) then
         info = out_of_memory
         return
      end if
      model%r => r
      model%qtf => qtf
      model%ipvt => ipvt
      call minimize(problem, settings, x, model, info)
   end subroutine solve

end module minpack_entries
