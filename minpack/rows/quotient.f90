module minpack_quotient
   !! One column of a Jacobian: the difference quotient for a given step.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_bounds, only: bounds_type
   use minpack_user_functions, only: user_functions_type
   implicit none
   private
   public :: difference, sample_type

   type :: sample_type
      !! What was seen of a variable by one step.
      real(dp) :: step = 0
         !! Its length; zero for a variable that is fixed.
      real(dp) :: change = 0
         !! The norm of the change of the residuals, in the unit that was given.
   end type sample_type

contains

   subroutine difference(functions, box, x, fvec, unit, j, wanted, column, sample, nfev, info)
      !! Step variable j forward, or backward where the forward step leaves the bounds or the functions'
      !! domain. A variable that is fixed is not stepped; its column is zero.
      class(user_functions_type), intent(inout) :: functions
      type(bounds_type), intent(in) :: box
      real(dp), intent(inout), contiguous :: x(:)
         !! Shape: (n). Left as it came.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      real(dp), intent(in) :: unit
         !! Of the change; not zero.
      integer, intent(in) :: j
      real(dp), intent(in) :: wanted
         !! Length of the step.
      real(dp), intent(inout), contiguous :: column(:)
         !! Shape: (m).
      type(sample_type), intent(out) :: sample
      integer, intent(inout) :: nfev
      integer, intent(out) :: info
      real(dp) :: first, second

      info = going_on
      first = box%difference(j, x(j), wanted)
      call step_by(first)
      if (info /= jacobian_not_finite) return
      second = box%difference(j, x(j), -first)
      if (second /= first) call step_by(second)

   contains

      subroutine step_by(step)
         real(dp), intent(in) :: step
         real(dp) :: start
         logical :: finite

         sample%step = abs(step)
         if (step == 0) then
            column = 0
            return
         end if
         start = x(j)
         x(j) = box%confine(j, start + step)
         call functions%residual(x, .true., info)
         x(j) = start
         nfev = nfev + 1
         if (info /= going_on) return
         call divide_change(size(fvec), functions%values, fvec, step, unit, column, sample%change, &
                            finite)
         if (.not. finite) info = jacobian_not_finite
      end subroutine step_by

   end subroutine difference

   pure subroutine divide_change(m, values, fvec, step, unit, column, change, finite)
      integer, intent(in) :: m
      real(dp), intent(in) :: values(m)
      real(dp), intent(in) :: fvec(m)
      real(dp), intent(in) :: step
      real(dp), intent(in) :: unit
      real(dp), intent(out) :: column(m)
      real(dp), intent(out) :: change
      logical, intent(out) :: finite
         !! Whether no quotient is NaN or infinite: zero times such a value is NaN.
      real(dp) :: zero, squares, scale
      integer :: i

      zero = 0
      squares = 0
      scale = 1/unit
      !$omp simd reduction(+:zero, squares)
      do i = 1, m
         column(i) = values(i) - fvec(i)
         squares = squares + (column(i)*scale)**2
         column(i) = column(i)/step
         zero = zero + 0*column(i)
      end do
      change = sqrt(squares)
      finite = zero == 0
   end subroutine divide_change

end module minpack_quotient
