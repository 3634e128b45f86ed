module minpack_told_model
   !! How a fit is told its linear model: by the products of the columns if they are accurate
   !! enough, otherwise by the triangle.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_settings, only: first_attempt
   use minpack_ask_and_tell, only: fit_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_loss, only: loss_type
   use minpack_folding, only: folding_type
   use minpack_runs, only: size_of_runs, no_runs, add_signs, rows_of, are_long, prevail, &
                           are_beyond_chance
   use minpack_robust, only: first_width, are_outliers
   implicit none
   private
   public :: widen, judge, tell_model_of, conclude

contains

   subroutine widen(fvec, loss, fit)
      !! Let a fit begin with a wider loss, if its start is poor.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at the start.
      type(loss_type), intent(in) :: loss
         !! What is minimized.
      type(fit_type), intent(inout) :: fit
         !! Has begun.
      real(dp) :: rows

      if (loss%is_linear() .or. fit%settings%attempt /= first_attempt) return
      rows = rows_of(runs_of(fvec))
      if (.not. are_outliers(loss%outliers(fvec), rows)) return
      call fit%widen(first_width(loss%logarithms(fvec), rows))
   end subroutine widen

   subroutine judge(fvec, loss, fit)
      !! Let a fit that has ended know its outliers and its runs.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at the best point.
      type(loss_type), intent(in) :: loss
         !! What is minimized.
      type(fit_type), intent(inout) :: fit
         !! Has ended.
      real(dp) :: runs(size_of_runs)

      if (loss%is_linear() .and. .not. fit%has_solution()) return
      runs = runs_of(fvec)
      fit%is_misfit = prevail(runs)
      fit%is_sure_misfit = are_beyond_chance(runs)
      if (loss%is_linear()) return
      call fit%judge(are_outliers(loss%outliers(fvec), rows_of(runs)), are_long(runs), &
                     loss%bends_back())
   end subroutine judge

   pure function runs_of(fvec) result(runs)
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals.
      real(dp) :: runs(size_of_runs)

      runs = no_runs
      call add_signs(runs, fvec)
   end function runs_of

   subroutine tell_model_of(matrix, fvec, loss, folding, fit)
      !! Tell a fit the linear model of its residuals.
      type(strided_matrix_type), intent(in) :: matrix
         !! The Jacobian at the best point.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). The residuals there.
      type(loss_type), intent(inout), target :: loss
         !! What is minimized.
      type(folding_type), intent(inout) :: folding
         !! With memory for the rows.
      type(fit_type), intent(inout) :: fit
         !! Asks for a model.
      real(dp), pointer, contiguous :: residuals(:)
      real(dp) :: norm, true_norm
      integer :: info

      info = going_on
      residuals => fvec
      if (.not. loss%is_linear()) then
         loss%width = fit%robust%width
         loss%share = fit%robust%share
         if (fit%robust%is_new()) then
            call loss%measure(fvec, norm, true_norm, info)
            call fit%take_norm(norm)
         end if
         if (info == going_on) call loss%weigh(fvec, .false., info)
         residuals => loss%residuals
      end if
      if (info == going_on) then
         call tell(matrix, residuals, folding, fit, loss%factors)
      else
         call fit%stop(info)
      end if
   end subroutine tell_model_of

   subroutine conclude(matrix, fvec, loss, folding, fit)
      !! Give a fit that has ended the model at its solution, with the curvature of the cost.
      type(strided_matrix_type), intent(in) :: matrix
         !! The Jacobian at the best point.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals there.
      type(loss_type), intent(inout) :: loss
         !! What is minimized. It is not linear.
      type(folding_type), intent(inout) :: folding
         !! With memory for the rows.
      type(fit_type), intent(inout) :: fit
         !! Has ended.
      integer :: info

      loss%width = 1
      call loss%weigh(fvec, .true., info)
      if (info == going_on) then
         if (associated(matrix%changes)) call fit%model%take_changes(matrix%changes)
         call folding%triangulate_rows(matrix, loss%residuals, loss%factors)
         call fit%conclude(folding%chunks(1)%triangle)
      else
         call fit%stop(info)
      end if
   end subroutine conclude

   subroutine tell(matrix, residuals, folding, fit, factors)
      type(strided_matrix_type), intent(in) :: matrix
      real(dp), intent(in), contiguous :: residuals(:)
      type(folding_type), intent(inout) :: folding
      type(fit_type), intent(inout) :: fit
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of the Jacobian; (0) if there are none.
      logical :: accurate

      accurate = .false.
      if (associated(matrix%changes)) call fit%model%take_changes(matrix%changes)
      if (fit%by_products) then
         call folding%multiply(matrix, residuals, factors)
         call fit%tell_products(folding%chunks(1)%products, accurate)
      end if
      if (accurate) return
      call folding%triangulate_rows(matrix, residuals, factors)
      call fit%tell_model(folding%chunks(1)%triangle)
   end subroutine tell

end module minpack_told_model
