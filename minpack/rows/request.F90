#include "../codes.h"
module minpack_request
   !! What the parts of a fit are asked to evaluate, in numbers that can be sent to another process.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   implicit none
   private
   public :: request_type, reals_of_request, nothing_more, norm_alone, products, &
             triangle, exact_triangle, comparison

   integer, parameter :: nothing_more = MINPACK_NOTHING_MORE
      !! The fit has ended.
   integer, parameter :: norm_alone = MINPACK_NORM_ALONE
      !! The norm of the residuals at x.
   integer, parameter :: products = MINPACK_PRODUCTS
      !! The norm, and the products of the columns of [J f] at x, with what the steps of the columns
      !! showed.
   integer, parameter :: triangle = MINPACK_TRIANGLE
      !! The same, but the triangle of [J f] instead of the products.
   integer, parameter :: exact_triangle = MINPACK_EXACT_TRIANGLE
      !! The triangle; with a loss, J has the curvature of the cost.
   integer, parameter :: comparison = MINPACK_COMPARISON
      !! What other steps show, and how their quotients differ from those of the steps.

   type :: request_type
      integer :: n = 0
         !! Number of variables.
      real(dp), pointer :: unit => null()
         !! The unit for changes of the residuals.
      real(dp), pointer :: width => null()
         !! By which factor the loss is widened.
      real(dp), pointer :: share => null()
         !! The least curvature of a model with a loss, as a share of rho'.
      real(dp), pointer, contiguous :: x(:) => null()
         !! Shape: (n), as all arrays here. The point.
      real(dp), pointer, contiguous :: steps(:) => null()
         !! The step from x in each variable; zero if its column is zero, or not asked for.
      real(dp), pointer, contiguous :: ends(:) => null()
         !! The value of each variable at the end of its step.
      real(dp), pointer, contiguous :: others(:) => null()
         !! Another step, or zero.
      real(dp), pointer, contiguous :: other_ends(:) => null()
         !! The value of each variable at its end.
      real(dp), pointer, contiguous :: shares(:) => null()
         !! A column of a triangle is the quotient of the step, and this share of the way from there
         !! to the quotient of the other step.
   contains
      procedure :: attach
      procedure :: begin
   end type request_type

contains

   pure integer function reals_of_request(n) result(count)
      !! How many numbers a request consists of.
      integer, intent(in) :: n
         !! Number of variables.

      count = 6*n + 3
   end function reals_of_request

   subroutine attach(self, n, numbers, unused)
      !! Make a request of numbers, which may be new or come from elsewhere.
      class(request_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in), target, contiguous :: numbers(:)
         !! Shape: (reals_of_request(n)).
      integer, intent(in), target, contiguous :: unused(:)
         !! Shape: (0).
      type(store_type) :: store

      call store%open(numbers, unused)
      self%n = n
      self%unit => store%number()
      self%x => store%vector(n)
      self%steps => store%vector(n)
      self%ends => store%vector(n)
      self%others => store%vector(n)
      self%other_ends => store%vector(n)
      self%shares => store%vector(n)
      self%width => store%number()
      self%share => store%number()
   end subroutine attach

   subroutine begin(self, x, unit, width, share)
      !! Ask for something at x, without steps.
      class(request_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: unit
         !! The unit for changes of the residuals.
      real(dp), intent(in) :: width
         !! By which factor the loss is widened.
      real(dp), intent(in) :: share
         !! The least curvature of a model with a loss.

      self%unit = unit
      self%width = width
      self%share = share
      self%x = x
      self%steps = 0
      self%ends = x
      self%others = 0
      self%other_ends = x
      self%shares = 0
   end subroutine begin

end module minpack_request
