module minpack_entries
   !! The entries for C and Python that fit, and evaluate. minpack.h documents them. There is no
   !! algorithm in this module.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, out_of_memory
   use minpack_settings, only: settings_type
   use minpack_c_functions, only: c_functions_type, c_function_type
   use minpack_batch, only: batch_type, c_results_type
   use minpack_inputs, only: c_input_type
   use minpack_in_turn, only: drive_in_turn
   use minpack_c_options, only: c_options_type, settings_of
   use minpack_opened, only: opened_type, open
   implicit none
   private
   public :: fit, differentiate, many, fault, evaluate

contains

   subroutine fit(residual, jacobian, options, data_norm, m, n, x, fvec, is_evaluated, fnorm, &
                  augmented, ipvt, nfev, trials, njev, steps, info) bind(c, name='minpack_fit')
      type(c_function_type), intent(in) :: residual
         !! The user's residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! Without it the Jacobian is differenced.
      type(c_options_type), intent(in) :: options
         !! The options.
      real(dp), value :: data_norm
         !! The norm of the data that the residuals are differences from; negative if it is not
         !! known.
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
      real(dp), intent(out) :: fnorm
         !! The norm of the residuals at the solution; with a loss, the square root of what is
         !! minimized.
      real(dp), intent(out) :: augmented(n, n + 2)
         !! The triangle R, and the head of Q'f beside it.
      integer(c_int), intent(out) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      integer(c_int), intent(out) :: nfev
         !! Evaluations of the residuals.
      integer(c_int), intent(out) :: trials
         !! Those among them that were not for a differenced Jacobian.
      integer(c_int), intent(out) :: njev
         !! Evaluations of the Jacobian.
      integer(c_int), intent(out) :: steps
         !! How many steps were taken.
      integer(c_int), intent(out) :: info
         !! One of the names in minpack_info, or what a function returned to stop.
      type(opened_type), target :: opened
      integer :: j

      fnorm = 0
      nfev = 0
      trials = 0
      njev = 0
      steps = 0
      augmented = 0
      do j = 1, n
         ipvt(j) = j
      end do
      call open(opened, residual, jacobian, options, m, n, fvec, info)
      if (info /= going_on) return
      associate (solver => opened%solver)
         solver%settings%data_norm = data_norm
         call solver%solve(x, solver%settings%bounds, is_evaluated /= 0)
         x = solver%fit%x
         if (solver%fit%models > 0) augmented(:, :n) = solver%fit%model%r
         augmented(:, n + 1) = solver%fit%model%qtf
         augmented(:, n + 2) = solver%fit%model%changes
         ipvt = solver%fit%model%ipvt
         fnorm = solver%fit%true_norm
         nfev = solver%rows%nfev
         trials = solver%rows%trials
         njev = solver%rows%njev
         steps = solver%fit%steps
         info = solver%fit%ending()
      end associate
   end subroutine fit

   subroutine differentiate(residual, jacobian, options, m, n, x, fvec, fjac, weighed, info) &
      bind(c, name='minpack_differentiate')
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
      real(dp), intent(in) :: x(n)
         !! The point.
      real(dp), intent(inout), target :: fvec(m)
         !! The residuals there.
      real(dp), intent(inout) :: fjac(m, n)
         !! Out: the Jacobian there, if there is one; with a loss, its rows are weighed.
      real(dp), intent(inout) :: weighed(m)
         !! Out: the residuals, weighed in the same way.
      integer(c_int), intent(out) :: info
         !! going_on, or the reason why there is no Jacobian.
      type(opened_type), target :: opened
      integer :: i

      call open(opened, residual, jacobian, options, m, n, fvec, info)
      if (info /= going_on) return
      associate (rows => opened%solver%rows)
         call rows%begin(opened%solver%settings%bounds, -1.0_dp, info)
         if (info == going_on) call rows%jacobian_at(x, info)
         if (info /= going_on) return
         call rows%matrix%copy(fjac)
         weighed = fvec
         if (rows%loss%is_linear()) return
         call rows%loss%weigh(fvec, .true., info)
         weighed = rows%loss%residuals
         do i = 1, m
            fjac(i, :) = rows%loss%factors(i)*fjac(i, :)
         end do
      end associate
   end subroutine differentiate

   subroutine many(residual, jacobian, options, m, n, fits, data_norms, inputs, input_count, &
                   bounds_count, diag_count, absolute, negligible, doubtful, results, done) &
      bind(c, name='minpack_many')
      type(c_function_type), intent(in) :: residual
         !! The residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! Without it the Jacobian is differenced.
      type(c_options_type), intent(in) :: options
         !! The options. The arrays of bounds and diag may have a column for each fit.
      integer(c_int), value :: m
         !! Number of residuals of a fit.
      integer(c_int), value :: n
         !! Number of variables.
      integer(c_int), value :: fits
         !! Number of fits.
      type(c_ptr), value :: data_norms
         !! The norms of the data of each fit, as in fit.
      integer(c_int), value :: input_count
         !! Number of inputs.
      type(c_input_type), intent(in) :: inputs(input_count)
         !! What differs from fit to fit.
      integer(c_int), value :: bounds_count
         !! Number of columns of the bounds: fits, or 1 if all fits have the same.
      integer(c_int), value :: diag_count
         !! Number of columns of diag: fits, or 1 if all fits have the same.
      integer(c_int), value :: absolute
         !! 1 if the standard deviation of the residuals is 1, otherwise 0.
      real(dp), value :: negligible
         !! The relative error of the columns of J, at least.
      real(dp), value :: doubtful
         !! The relative error of the columns of J, at most.
      type(c_results_type), intent(in) :: results
         !! Where the results go.
      integer(c_int), intent(out) :: done
         !! How many fits are done. If not all, a function stopped the next.
      type(opened_type), target :: opened
      type(batch_type) :: batch
      real(dp), allocatable, target :: fvec(:)
      integer :: stat, reason

      done = 0
      if (fits < 1) return
      call batch%connect(m, n, fits, data_norms, results, stat)
      if (stat == 0) allocate (fvec(max(m, 1)), stat=stat)
      reason = out_of_memory
      if (stat == 0) call open(opened, residual, jacobian, options, m, n, fvec, reason)
      if (reason /= going_on) then
         batch%info(1) = reason
         return
      end if
      batch%absolute = absolute /= 0
      batch%negligible = negligible
      batch%doubtful = doubtful
      call batch%vary(options, bounds_count, diag_count)
      call drive_in_turn(batch, inputs, opened%solver, done)
   end subroutine many

   integer(c_int) function fault(options, n) bind(c, name='minpack_fault')
      type(c_options_type), intent(in) :: options
         !! The options.
      integer(c_int), value :: n
         !! Number of variables.
      type(settings_type) :: settings

      settings = settings_of(options, n, .true.)
      fault = settings%fault()
   end function fault

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

end module minpack_entries
