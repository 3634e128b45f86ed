module minpack_told_model
   !! How a fit is told its linear model: by the products of the columns if they are accurate
   !! enough, otherwise by the triangle.
   use minpack_kinds, only: dp
   use minpack_ask_and_tell, only: fit_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_folding, only: folding_type
   implicit none
   private
   public :: tell_model_of

contains

   subroutine tell_model_of(matrix, fvec, folding, fit)
      !! Tell a fit the linear model of its residuals.
      type(strided_matrix_type), intent(in) :: matrix
         !! The Jacobian at the best point.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals there.
      type(folding_type), intent(inout) :: folding
         !! With memory for the rows.
      type(fit_type), intent(inout) :: fit
         !! Asks for a model.
      logical :: accurate

      accurate = .false.
      if (folding%has_few_columns) then
         call folding%multiply(matrix, fvec)
         call fit%tell_products(folding%products, accurate)
      end if
      if (accurate) return
      call folding%triangulate_rows(matrix, fvec)
      call fit%tell_model(folding%triangle)
   end subroutine tell_model_of

end module minpack_told_model
