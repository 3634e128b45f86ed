module minpack_difference
   !! Jacobians by forward differences.
   !!
   !! A step h errs by h f''/2 in the derivative, residuals that are wrong by epsfcn |f| by
   !! 2 epsfcn |f|/h. With f'' of the order of f/x**2, the two are alike at h = sqrt(epsfcn) |x|.
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_box, only: box_type
   use minpack_functions, only: functions_type
   implicit none
   private
   public :: fdjac

contains

   subroutine fdjac(functions, box, x, fvec, epsfcn, fjac, nfev, info)
      !! Difference the residuals in every variable: forward, or backward where the forward step
      !! leaves the functions' domain, and with a variable that is next to nothing taken as zero
      !! where the residuals do not feel its own step. Nothing is evaluated outside the box, nor for
      !! the column of a variable that is fixed, which is zero.
      class(functions_type), intent(inout) :: functions
      type(box_type), intent(in) :: box
      real(dp), intent(inout), contiguous :: x(:)
         !! Shape: (n). Left as it came.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      real(dp), intent(in) :: epsfcn
         !! Relative error of the residuals; the step is its square root times the variable.
      real(dp), intent(inout), contiguous :: fjac(:, :)
         !! Shape: (m, n).
      integer, intent(inout) :: nfev
      integer, intent(out) :: info
      real(dp) :: relative_step, step
      integer :: j

      relative_step = sqrt(max(epsfcn, epsmch))
      info = going_on
      do j = 1, size(x)
         step = relative_step*abs(x(j))
         if (step == 0) step = relative_step
         call difference(step)
         ! A variable that came to lie on 1e-17 by cancellation is a zero in all but name.
         if (info == going_on .and. step < epsmch) then
            if (all(fjac(:, j) == 0)) call difference(relative_step)
         end if
         if (info /= going_on) return
      end do

   contains

      subroutine difference(forward)
         real(dp), intent(in) :: forward
         real(dp) :: first, second

         first = box%difference(j, x(j), forward)
         call step_by(first)
         if (info /= jacobian_not_finite) return
         second = box%difference(j, x(j), -first)
         if (second /= first) call step_by(second)
      end subroutine difference

      subroutine step_by(step)
         real(dp), intent(in) :: step
         real(dp) :: start
         logical :: finite

         if (step == 0) then
            fjac(:, j) = 0
            return
         end if
         start = x(j)
         x(j) = box%confine(j, start + step)
         call functions%residual(x, .true., info)
         x(j) = start
         nfev = nfev + 1
         if (info /= going_on) return
         call quotient(size(fvec), functions%values, fvec, step, fjac(:, j), finite)
         if (.not. finite) info = jacobian_not_finite
      end subroutine step_by

   end subroutine fdjac

   pure subroutine quotient(m, values, fvec, step, column, finite)
      integer, intent(in) :: m
      real(dp), intent(in) :: values(m)
      real(dp), intent(in) :: fvec(m)
      real(dp), intent(in) :: step
      real(dp), intent(out) :: column(m)
      logical, intent(out) :: finite
         !! Whether no quotient is NaN or infinite: zero times such a value is NaN.
      real(dp) :: zero
      integer :: i

      zero = 0
      !$omp simd reduction(+:zero)
      do i = 1, m
         column(i) = (values(i) - fvec(i))/step
         zero = zero + 0*column(i)
      end do
      finite = zero == 0
   end subroutine quotient

end module minpack_difference
