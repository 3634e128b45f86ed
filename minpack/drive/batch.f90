module minpack_batch
   !! Many fits of one function, each to its own data: their bounds, and where their results go.
   use, intrinsic :: iso_c_binding, only: c_ptr, c_associated, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_covariance, only: covariance_type, free, on_bound, fixed
   use minpack_bounds, only: bounds_type, is_on_bound
   use minpack_ask_and_tell, only: fit_type
   use minpack_c_options, only: c_options_type
   implicit none
   private
   public :: batch_type, c_results_type

   type, bind(c) :: c_results_type
      !! Arrays with the results of all fits; some may be null.
      type(c_ptr) :: x
      type(c_ptr) :: fnorm
      type(c_ptr) :: cov
      type(c_ptr) :: state
      type(c_ptr) :: effect
      type(c_ptr) :: info
      type(c_ptr) :: nfev
   end type c_results_type

   type :: batch_type
      integer :: m = 0
         !! Number of residuals of a fit.
      integer :: n = 0
         !! Number of variables.
      integer :: fits = 0
         !! Number of fits.
      logical :: absolute = .false.
         !! Whether the standard deviation of the residuals is 1.
      real(dp) :: negligible = 0
         !! A lower estimate of the relative error of the columns of the Jacobian.
      real(dp) :: doubtful = 0
         !! An upper estimate of this error.
      real(dp), pointer, contiguous :: x(:, :) => null()
         !! Shape: (n, fits). In: the starting points. Out: the solutions.
      real(dp), pointer, contiguous, private :: lower(:, :) => null()
         !! Shape: (n, fits), or (n, 1) if all fits have the same bounds; null without bounds.
      real(dp), pointer, contiguous, private :: upper(:, :) => null()
         !! Of the same shape as lower.
      real(dp), pointer, contiguous, private :: diag(:, :) => null()
         !! Shape: (n, fits), or (n, 1) if all fits have the same scale; null without a scale.
      real(dp), pointer, contiguous :: data_norms(:) => null()
         !! Shape: (fits). The norms of the data; negative if they are not known.
      real(dp), pointer, contiguous :: fnorm(:) => null()
         !! Shape: (fits). The norms of the residuals.
      real(dp), pointer, contiguous :: cov(:, :, :) => null()
         !! Shape: (n, n, fits). The covariances of the variables, or null.
      integer, pointer, contiguous :: state(:, :) => null()
         !! Shape: (n, fits). What the data tell of each variable, or null as cov is; -1 if there is
         !! no covariance.
      real(dp), pointer, contiguous :: effect(:, :) => null()
         !! Shape: (n, fits). The largest element of each column of R, or null.
      integer, pointer, contiguous :: info(:) => null()
         !! Shape: (fits). How each fit ended.
      integer, pointer, contiguous :: nfev(:) => null()
         !! Shape: (fits). Evaluations of the residuals.
      type(covariance_type), private :: covariance
   contains
      procedure :: connect
      procedure :: vary
      procedure :: bounds_of
      procedure :: diag_of
      procedure :: store
      procedure, private :: store_covariance
   end type batch_type

contains

   subroutine connect(self, m, n, fits, data_norms, results, stat)
      !! Take the arrays, and allocate memory.
      class(batch_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of residuals of a fit.
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(in) :: fits
         !! Number of fits.
      type(c_ptr), intent(in) :: data_norms
         !! The array of the norms of the data.
      type(c_results_type), intent(in) :: results
         !! The arrays of the results.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%m = m
      self%n = n
      self%fits = fits
      call c_f_pointer(data_norms, self%data_norms, [fits])
      call c_f_pointer(results%x, self%x, [n, fits])
      call c_f_pointer(results%fnorm, self%fnorm, [fits])
      call c_f_pointer(results%info, self%info, [fits])
      call c_f_pointer(results%nfev, self%nfev, [fits])
      if (c_associated(results%effect)) call c_f_pointer(results%effect, self%effect, [n, fits])
      stat = 0
      if (.not. c_associated(results%cov)) return
      call c_f_pointer(results%cov, self%cov, [n, n, fits])
      call c_f_pointer(results%state, self%state, [n, fits])
      call self%covariance%allocate_for(n, stat)
   end subroutine connect

   subroutine vary(self, options, bounds_count, diag_count)
      !! Take the options that may differ from fit to fit.
      class(batch_type), intent(inout) :: self
      type(c_options_type), intent(in) :: options
         !! Their arrays have n numbers in each column.
      integer, intent(in) :: bounds_count
         !! Columns of the bounds: one for each fit, or 1.
      integer, intent(in) :: diag_count
         !! Columns of the scale: one for each fit, or 1.

      if (c_associated(options%lower)) then
         call c_f_pointer(options%lower, self%lower, [self%n, bounds_count])
         call c_f_pointer(options%upper, self%upper, [self%n, bounds_count])
      end if
      if (c_associated(options%diag)) then
         call c_f_pointer(options%diag, self%diag, [self%n, diag_count])
      end if
   end subroutine vary

   type(bounds_type) function bounds_of(self, k) result(bounds)
      !! The bounds of a fit.
      class(batch_type), intent(in) :: self
      integer, intent(in) :: k
         !! The fit.
      integer :: column

      bounds%bounded = associated(self%lower)
      if (.not. bounds%bounded) return
      column = min(k, size(self%lower, 2))
      bounds%lower => self%lower(:, column)
      bounds%upper => self%upper(:, column)
   end function bounds_of

   function diag_of(self, k) result(diag)
      !! The scale of a fit, or null.
      class(batch_type), intent(in) :: self
      integer, intent(in) :: k
         !! The fit.
      real(dp), pointer, contiguous :: diag(:)

      diag => null()
      if (associated(self%diag)) diag => self%diag(:, min(k, size(self%diag, 2)))
   end function diag_of

   subroutine store(self, k, fit, nfev)
      !! Store the results of a fit.
      class(batch_type), intent(inout) :: self
      integer, intent(in) :: k
         !! The fit.
      type(fit_type), intent(in) :: fit
         !! The fit at its end.
      integer, intent(in) :: nfev
         !! Evaluations of the residuals.
      integer :: j

      self%info(k) = fit%ending()
      self%nfev(k) = nfev
      self%x(:, k) = fit%x
      self%fnorm(k) = fit%true_norm
      if (fit%models == 0) return
      if (associated(self%effect)) then
         do j = 1, fit%n
            self%effect(fit%model%ipvt(j), k) = maxval(abs(fit%model%r(:j, j)))
         end do
      end if
      if (associated(self%cov)) call self%store_covariance(k, fit)
   end subroutine store

   subroutine store_covariance(self, k, fit)
      class(batch_type), intent(inout) :: self
      integer, intent(in) :: k
      type(fit_type), intent(in) :: fit
      integer :: active(self%n)

      associate (model => fit%model, bounds => fit%settings%bounds, x => fit%x)
         active = free
         if (bounds%bounded) then
            where (is_on_bound(bounds%lower, x, bounds%upper)) active = on_bound
            where (bounds%lower >= bounds%upper) active = fixed
         end if
         call self%covariance%estimate(self%m, model%r, model%qtf, model%changes, model%ipvt, x, &
                                       active, fit%true_norm, self%absolute, &
                                       fit%settings%differenced, self%negligible, self%doubtful)
      end associate
      self%cov(:, :, k) = self%covariance%cov
      self%state(:, k) = self%covariance%state
      if (.not. self%covariance%regular) self%state(:, k) = -1
   end subroutine store_covariance

end module minpack_batch
