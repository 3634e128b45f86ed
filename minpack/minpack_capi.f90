module minpack_capi
   !! The entries for C, and through it for Python. No algorithm lives here.
   use, intrinsic :: iso_c_binding, only: c_int, c_intptr_t
   use minpack_kinds, only: dp
   use minpack_info, only: out_of_memory
   use minpack_problem, only: model_type
   use minpack_called, only: called_type, prepare
   use minpack_dense, only: dense_type, analytic_type, differenced_type
   use minpack_lm, only: minimize, settings_type
   use minpack_covariance, only: covariance
   implicit none
   private
   public :: lmdif, lmder, covar

contains

   subroutine lmdif(residual, data, m, n, x, fvec, ftol, xtol, gtol, maxfev, epsfcn, factor, &
                    fixed_scale, diag, r, ipvt, qtf, nfev, info) bind(c)
      !! Solve with a differenced Jacobian.
      integer(c_intptr_t), intent(in) :: residual
         !! Address of the function, and next of the data it is called with.
      integer(c_intptr_t), intent(in) :: data
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: n
      real(dp), intent(inout), target :: x(n)
         !! In: the starting point. Out: the solution.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals at x.
      real(dp), intent(in) :: ftol
      real(dp), intent(in) :: xtol
      real(dp), intent(in) :: gtol
      integer(c_int), intent(in) :: maxfev
      real(dp), intent(in) :: epsfcn
      real(dp), intent(in) :: factor
      integer(c_int), intent(in) :: fixed_scale
      real(dp), intent(in), target :: diag(n)
      real(dp), intent(out), target :: r(n, n)
      integer(c_int), intent(out), target :: ipvt(n)
      real(dp), intent(out), target :: qtf(n)
      integer(c_int), intent(out) :: nfev
      integer(c_int), intent(out) :: info
      type(differenced_type) :: problem

      problem%epsfcn = epsfcn
      call solve(problem, residual, 0_c_intptr_t, data, x, fvec, &
                 settings_type(ftol, xtol, gtol, factor, maxfev, fixed_scale /= 0, diag), &
                 r, ipvt, qtf, info)
      nfev = problem%nfev
   end subroutine lmdif

   subroutine lmder(residual, jacobian, data, m, n, x, fvec, ftol, xtol, gtol, maxfev, factor, &
                    fixed_scale, diag, r, ipvt, qtf, nfev, njev, info) bind(c)
      !! Solve with the user's Jacobian.
      integer(c_intptr_t), intent(in) :: residual
         !! Addresses of the functions, and next of the data they are called with.
      integer(c_intptr_t), intent(in) :: jacobian
      integer(c_intptr_t), intent(in) :: data
      integer(c_int), intent(in) :: m
      integer(c_int), intent(in) :: n
      real(dp), intent(inout), target :: x(n)
         !! In: the starting point. Out: the solution.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals at x.
      real(dp), intent(in) :: ftol
      real(dp), intent(in) :: xtol
      real(dp), intent(in) :: gtol
      integer(c_int), intent(in) :: maxfev
      real(dp), intent(in) :: factor
      integer(c_int), intent(in) :: fixed_scale
      real(dp), intent(in), target :: diag(n)
      real(dp), intent(out), target :: r(n, n)
      integer(c_int), intent(out), target :: ipvt(n)
      real(dp), intent(out), target :: qtf(n)
      integer(c_int), intent(out) :: nfev
      integer(c_int), intent(out) :: njev
      integer(c_int), intent(out) :: info
      type(analytic_type) :: problem

      call solve(problem, residual, jacobian, data, x, fvec, &
                 settings_type(ftol, xtol, gtol, factor, maxfev, fixed_scale /= 0, diag), &
                 r, ipvt, qtf, info)
      nfev = problem%nfev
      njev = problem%njev
   end subroutine lmder

   subroutine covar(n, r, ipvt, cov, regular) bind(c)
      !! The covariance (J'J)^-1 from R.
      integer(c_int), intent(in) :: n
      real(dp), intent(inout) :: r(n, n)
      integer(c_int), intent(in) :: ipvt(n)
      real(dp), intent(out) :: cov(n, n)
      integer(c_int), intent(out) :: regular
      logical :: inverted

      call covariance(n, r, ipvt, cov, inverted)
      regular = merge(1, 0, inverted)
   end subroutine covar

   subroutine solve(problem, residual, jacobian, data, x, fvec, settings, r, ipvt, qtf, info)
      class(dense_type), intent(inout) :: problem
      integer(c_intptr_t), intent(in) :: residual
      integer(c_intptr_t), intent(in) :: jacobian
      integer(c_intptr_t), intent(in) :: data
      real(dp), intent(inout), contiguous :: x(:)
      real(dp), intent(inout), target, contiguous :: fvec(:)
      type(settings_type), intent(in) :: settings
      real(dp), intent(out), target, contiguous :: r(:, :)
      integer(c_int), intent(out), target, contiguous :: ipvt(:)
      real(dp), intent(out), target, contiguous :: qtf(:)
      integer(c_int), intent(out) :: info
      type(called_type), target :: functions
      type(model_type) :: model
      integer :: j, stat

      r = 0
      ipvt = [(j, j=1, size(ipvt))]
      qtf = 0
      call prepare(functions, size(fvec), size(x), residual, jacobian, data, stat)
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

end module minpack_capi
