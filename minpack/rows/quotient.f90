module minpack_quotient
   !! One column of a Jacobian, by a difference quotient.
   use minpack_kinds, only: dp, giant
   implicit none
   private
   public :: sample_type, take_quotient, gap, disagreement

   type :: sample_type
      !! What one step showed of a variable.
      real(dp) :: step = 0
         !! Its length; zero for a variable that is fixed.
      real(dp) :: change = 0
         !! The norm of the change of the residuals, in the unit that was given.
   end type sample_type

contains

   pure subroutine take_quotient(m, values, fvec, step, unit, column, sample, finite)
      !! Divide the change of the residuals by the step.
      integer, intent(in) :: m
         !! Number of residuals.
      real(dp), intent(in) :: values(m)
         !! The residuals at the end of the step.
      real(dp), intent(in) :: fvec(m)
         !! The residuals where the step begins.
      real(dp), intent(in) :: step
         !! Not zero; negative for a step backward.
      real(dp), intent(in) :: unit
         !! Unit of the change; not zero.
      real(dp), intent(out) :: column(m)
         !! The quotient.
      type(sample_type), intent(out) :: sample
         !! What the step showed.
      logical, intent(out) :: finite
         !! Whether no quotient is NaN or infinite: zero times such a value is NaN.
      real(dp) :: zero, squares, scale, reciprocal
      integer :: i

      zero = 0
      squares = 0
      scale = 1/unit
      reciprocal = 1/step
      !$omp simd reduction(+:zero, squares)
      do i = 1, m
         column(i) = values(i) - fvec(i)
         squares = squares + (column(i)*scale)**2
         column(i) = column(i)*reciprocal
         zero = zero + 0*column(i)
      end do
      sample = sample_type(abs(step), sqrt(squares))
      finite = zero == 0
   end subroutine take_quotient

   pure real(dp) function gap(m, column, other, unit)
      !! The norm of the difference of two quotients.
      integer, intent(in) :: m
         !! Number of residuals.
      real(dp), intent(in) :: column(m)
         !! The first quotient.
      real(dp), intent(in) :: other(m)
         !! The second quotient.
      real(dp), intent(in) :: unit
         !! Unit of the change of the residuals.
      real(dp) :: squares
      integer :: i

      squares = 0
      do i = 1, m
         squares = squares + ((column(i) - other(i))/unit)**2
      end do
      gap = sqrt(squares)
   end function gap

   pure real(dp) function disagreement(gap, sample)
      !! The norm of the difference of two quotients, relative to the second one.
      real(dp), intent(in) :: gap
         !! This norm.
      type(sample_type), intent(in) :: sample
         !! That of the second quotient.

      disagreement = giant
      if (sample%change > 0) disagreement = gap/(sample%change/sample%step)
   end function disagreement

end module minpack_quotient
