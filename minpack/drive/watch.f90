module minpack_watch
   !! A function of the caller's that sees how a fit goes on, and can stop it.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_null_ptr, c_double
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, stopped
   implicit none
   private
   public :: watch_type, report_type, c_watch_type

   type, bind(c) :: report_type
      !! Where a fit stands.
      integer(c_int) :: iteration
         !! How many steps were taken; zero at the starting point.
      integer(c_int) :: nfev
         !! Evaluations of the residuals.
      integer(c_int) :: trials
         !! Those among them that were not for a differenced Jacobian.
      real(c_double) :: fnorm
         !! The square root of what is minimized.
      real(c_double) :: step
         !! The norm of the last step.
      real(c_double) :: radius
         !! The trust radius, in units of |D x|.
      real(c_double) :: ratio
         !! Actual by predicted reduction by the last step.
      real(c_double) :: gradient
         !! The largest element of the gradient, of variables that bounds let move; -1 if it is not
         !! known.
   end type report_type

   abstract interface
      function c_watch_type(data, m, n, x, fvec, report) bind(c) result(answer)
         import :: c_int, c_ptr, dp, report_type
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
            !! The best point.
         real(dp), intent(in) :: fvec(m)
            !! The residuals there.
         type(report_type), intent(in) :: report
         integer(c_int) :: answer
            !! Positive to stop; negative to stop with this info.
      end function c_watch_type
   end interface

   type :: watch_type
      procedure(c_watch_type), pointer, nopass :: function => null()
         !! The caller's function, or null.
      type(c_ptr) :: data = c_null_ptr
         !! What this function is called with.
   contains
      procedure :: show
   end type watch_type

contains

   subroutine show(self, x, fvec, report, info)
      !! Show where the fit stands.
      class(watch_type), intent(in) :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The best point.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals there.
      type(report_type), intent(in) :: report
         !! How it came there.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      integer :: answer

      answer = self%function(self%data, size(fvec), size(x), x, fvec, report)
      info = going_on
      if (answer > 0) info = stopped
      if (answer < 0) info = answer
   end subroutine show

end module minpack_watch
