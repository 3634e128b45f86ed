#include "../codes.h"
module minpack_loss
   !! Losses: what is minimized is the sum of C**2 rho((f/C)**2) over the residuals f, half of which
   !! is the cost. A loss that grows more slowly than f**2 makes a fit robust against outliers.
   !!
   !! B. Triggs, P. F. McLauchlan, R. I. Hartley and A. W. Fitzgibbon, "Bundle adjustment - a modern
   !! synthesis", Vision Algorithms: Theory and Practice (2000), section 4.3: the cost has the
   !! gradient J'(rho' f), and almost the second derivatives J'(rho' + 2 rho'' (f/C)**2) J. Both are
   !! those of an ordinary sum of squares, if the rows of J and the residuals are multiplied by
   !! factors. Where a residual is large, rho' + 2 rho'' (f/C)**2 is small or negative; then some of
   !! rho' is taken instead, as minpack_robust says.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_null_ptr
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on
   use minpack_vectors, only: enorm
   use minpack_robust, only: outlying, first_share
   implicit none
   private
   public :: loss_type

   integer, parameter :: linear_loss = MINPACK_LINEAR
   integer, parameter :: huber_loss = MINPACK_HUBER
   integer, parameter :: soft_l1_loss = MINPACK_SOFT_L1
   integer, parameter :: cauchy_loss = MINPACK_CAUCHY
   integer, parameter :: arctan_loss = MINPACK_ARCTAN

   abstract interface
      function c_loss_type(data, m, z, rho) bind(c) result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         real(dp), intent(in) :: z(m)
         real(dp), intent(out) :: rho(m, 3)
            !! The values of the loss, its first and its second derivatives.
         integer(c_int) :: answer
            !! Negative to stop.
      end function c_loss_type
   end interface

   interface
      pure real(dp) function log1p(x) bind(c, name='log1p')
         !! log(1 + x), from the C library.
         import :: dp
         real(dp), value :: x
      end function log1p
   end interface

   type :: loss_type
      integer :: kind = linear_loss
         !! One of the names above, if there is no function.
      real(dp), pointer, contiguous :: scale(:) => null()
         !! Shape: (m), or (1). C.
      real(dp) :: share = first_share
         !! The least curvature of a model for steps, as a share of rho'.
      real(dp) :: width = 1
         !! By which factor C is widened on the way to the solution.
      procedure(c_loss_type), pointer, nopass :: function => null()
         !! The user's function, or null.
      type(c_ptr) :: data = c_null_ptr
         !! What this function is called with.
      real(dp), allocatable :: residuals(:)
         !! Shape: (m). The residuals, weighed.
      real(dp), allocatable :: factors(:)
         !! Shape: (m). The factors of the rows of the Jacobian; of a linear loss, (0).
      real(dp), allocatable, private :: z(:)
         !! Shape: (m). (f/C)**2, for the user's function.
      real(dp), allocatable, private :: rho(:, :)
         !! Shape: (m, 3). What this function returned.
   contains
      procedure :: is_linear
      procedure :: allocate_for
      procedure :: outliers
      procedure :: bends_back
      procedure :: logarithms
      procedure :: measure
      procedure :: weigh
      procedure, private :: scale_of
      procedure, private :: total
      procedure, private :: call_function
   end type loss_type

contains

   pure logical function is_linear(self)
      !! Whether the sum of squares is minimized.
      class(loss_type), intent(in) :: self

      is_linear = self%kind == linear_loss .and. .not. associated(self%function)
   end function is_linear

   subroutine allocate_for(self, m, stat)
      class(loss_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of residuals.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      if (self%is_linear()) then
         allocate (self%factors(0), stat=stat)
         return
      end if
      allocate (self%residuals(m), self%factors(m), stat=stat)
      if (stat == 0 .and. associated(self%function)) allocate (self%z(m), self%rho(m, 3), stat=stat)
   end subroutine allocate_for

   pure logical function bends_back(self)
      !! Whether the loss may grow so slowly that there are minima at which most residuals are
      !! outliers, and others at which they are not. It is so if the cost curves downwards.
      class(loss_type), intent(in) :: self

      bends_back = associated(self%function) .or. self%kind == cauchy_loss &
                   .or. self%kind == arctan_loss
   end function bends_back

   pure real(dp) function outliers(self, f)
      !! How many residuals are outliers.
      class(loss_type), intent(in) :: self
      real(dp), intent(in), contiguous :: f(:)
         !! Shape: (m). The residuals.
      integer :: i

      outliers = 0
      do i = 1, size(f)
         if (abs(f(i)) > outlying*self%scale_of(i)) outliers = outliers + 1
      end do
   end function outliers

   pure real(dp) function logarithms(self, f)
      !! The sum of the logarithms of abs(f/C), where that is more than 1.
      class(loss_type), intent(in) :: self
      real(dp), intent(in), contiguous :: f(:)
         !! Shape: (m). The residuals.
      integer :: i

      logarithms = 0
      do i = 1, size(f)
         logarithms = logarithms + log(max(abs(f(i)/self%scale_of(i)), 1.0_dp))
      end do
   end function logarithms

   subroutine measure(self, f, norm, true_norm, info)
      !! Compute the square root of what is minimized; for the sum of squares it is the norm.
      class(loss_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: f(:)
         !! Shape: (m). The residuals.
      real(dp), intent(out) :: norm
         !! Infinite if it overflows, NaN or infinite if a residual is.
      real(dp), intent(out) :: true_norm
         !! The same, without the widening.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      info = going_on
      if (self%is_linear()) then
         norm = enorm(size(f), f)
         true_norm = norm
         return
      end if
      call self%total(f, self%width, norm, info)
      true_norm = norm
      if (self%width > 1 .and. info == going_on) call self%total(f, 1.0_dp, true_norm, info)
   end subroutine measure

   subroutine total(self, f, width, norm, info)
      !! Sum up a loss of a width.
      class(loss_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: f(:)
      real(dp), intent(in) :: width
      real(dp), intent(out) :: norm
      integer, intent(out) :: info
      real(dp) :: squares, c, rho, slope, curvature
      integer :: i

      info = going_on
      norm = 0
      if (associated(self%function)) call self%call_function(f, width, info)
      if (info /= going_on) return
      squares = 0
      do i = 1, size(f)
         c = width*self%scale_of(i)
         if (associated(self%function)) then
            rho = self%rho(i, 1)
         else
            call values_at(self%kind, (f(i)/c)**2, rho, slope, curvature)
         end if
         squares = squares + c*rho*c + 0*f(i)  ! NaN if f is infinite, for rho may be finite then
      end do
      norm = sqrt(squares)
   end subroutine total

   subroutine weigh(self, f, exact, info)
      !! Compute the factors of the rows, and the residuals that belong to these rows.
      class(loss_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: f(:)
         !! Shape: (m). The residuals.
      logical, intent(in) :: exact
         !! Whether the model is to have the curvature of the cost, as well as a sum of squares can;
         !! not for steps.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      real(dp) :: z, rho, slope, curvature, share, least
      integer :: i

      info = going_on
      if (associated(self%function)) call self%call_function(f, self%width, info)
      if (info /= going_on) return
      share = merge(0.0_dp, self%share, exact)
      do i = 1, size(f)
         z = (f(i)/(self%width*self%scale_of(i)))**2
         if (associated(self%function)) then
            slope = self%rho(i, 2)
            curvature = self%rho(i, 3)
         else
            call values_at(self%kind, z, rho, slope, curvature)
         end if
         least = share*slope
         if (.not. least > 0) least = epsmch
         self%factors(i) = sqrt(max(slope + 2*curvature*z, least))
         self%residuals(i) = slope*f(i)/self%factors(i)
      end do
   end subroutine weigh

   subroutine call_function(self, f, width, info)
      class(loss_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: f(:)
      real(dp), intent(in) :: width
      integer, intent(out) :: info
      integer :: i, answer

      do i = 1, size(f)
         self%z(i) = (f(i)/(width*self%scale_of(i)))**2
      end do
      answer = self%function(self%data, size(f), self%z, self%rho)
      info = merge(answer, going_on, answer < 0)
   end subroutine call_function

   pure real(dp) function scale_of(self, i)
      !! C of residual i.
      class(loss_type), intent(in) :: self
      integer, intent(in) :: i

      scale_of = self%scale(min(i, size(self%scale)))
   end function scale_of

   pure subroutine values_at(kind, z, rho, slope, curvature)
      !! A loss at z, and its first two derivatives.
      integer, intent(in) :: kind
      real(dp), intent(in) :: z
      real(dp), intent(out) :: rho
      real(dp), intent(out) :: slope
      real(dp), intent(out) :: curvature
      real(dp) :: root

      rho = z
      slope = 1
      curvature = 0
      select case (kind)
      case (huber_loss)
         if (z <= 1) return
         root = sqrt(z)
         rho = 2*root - 1
         slope = 1/root
         curvature = -slope/(2*z)
      case (soft_l1_loss)
         root = sqrt(1 + z)
         rho = 2*(z/(root + 1))
         slope = 1/root
         curvature = -slope/(2*(1 + z))
      case (cauchy_loss)
         rho = log1p(z)
         slope = 1/(1 + z)
         curvature = -slope**2
      case (arctan_loss)
         rho = atan(z)
         slope = 1/(1 + z**2)
         curvature = -2*z*slope**2
      end select
   end subroutine values_at

end module minpack_loss
