module minpack_vectors
   !! Operations on vectors.
   use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc
   use minpack_kinds, only: dp, epsmch, dwarf, giant
   implicit none
   private
   public :: copy, dot, enorm, divide, all_finite, visit, first_on_line, line, least_square, &
             greatest_square

   ! A sum of squares between these two has not overflowed, and has lost nothing to underflow.
   real(dp), parameter :: least_square = dwarf/epsmch
   real(dp), parameter :: greatest_square = giant

   integer, parameter :: line = 8
      !! Numbers in a cache line.
   integer, parameter :: lanes = 8
      !! Number of independent partial sums. In a single sum, each addition would wait for the
      !! addition before it.

contains

   pure subroutine copy(n, a, b)
      !! Copy a to b. The compiler knows here that they do not overlap, as it does not of pointers.
      integer, intent(in) :: n
         !! Length of the vectors.
      real(dp), intent(in) :: a(n)
         !! The values.
      real(dp), intent(out) :: b(n)
         !! Where they are copied to.

      b = a
   end subroutine copy

   pure real(dp) function dot(n, a, b)
      !! The sum of a(i)*b(i).
      integer, intent(in) :: n
         !! Length of the vectors.
      real(dp), intent(in) :: a(n)
         !! The first vector.
      real(dp), intent(in) :: b(n)
         !! The second vector.
      real(dp) :: sums(lanes)
      integer :: i, k

      sums = 0
      do i = 0, n - lanes, lanes
         do k = 1, lanes
            sums(k) = sums(k) + a(i + k)*b(i + k)
         end do
      end do
      dot = ((sums(1) + sums(2)) + (sums(3) + sums(4))) &
            + ((sums(5) + sums(6)) + (sums(7) + sums(8)))
      do i = n - modulo(n, lanes) + 1, n
         dot = dot + a(i)*b(i)
      end do
   end function dot

   pure real(dp) function enorm(n, x)
      !! The Euclidean norm of x. The plain sum of squares is scaled only if it over- or underflows.
      integer, intent(in) :: n
         !! Length of the vector.
      real(dp), intent(in) :: x(n)
         !! The vector.
      real(dp) :: squares, largest
      integer :: i

      squares = dot(n, x, x)
      if (squares /= squares .or. &
          (squares >= least_square .and. squares <= greatest_square)) then
         enorm = sqrt(squares)
         return
      end if

      largest = 0
      do i = 1, n
         largest = max(largest, abs(x(i)))
      end do
      if (largest == 0 .or. largest > giant) then
         enorm = largest
         return
      end if
      squares = 0
      do i = 1, n
         squares = squares + (x(i)/largest)**2
      end do
      enorm = largest*sqrt(squares)
   end function enorm

   pure subroutine divide(n, x, divisor)
      !! x/divisor; by way of its reciprocal, which is faster, if that can be represented.
      integer, intent(in) :: n
         !! Length of the vector.
      real(dp), intent(inout) :: x(n)
         !! The vector, which is divided in place.
      real(dp), intent(in) :: divisor
         !! The number to divide by; not zero.
      real(dp) :: reciprocal
      integer :: i

      if (abs(divisor) > dwarf) then
         reciprocal = 1/divisor
         do i = 1, n
            x(i) = x(i)*reciprocal
         end do
      else
         do i = 1, n
            x(i) = x(i)/divisor
         end do
      end if
   end subroutine divide

   pure logical function all_finite(n, x)
      !! Whether no value is NaN or infinite: zero times such a value is NaN, and NaN stays in a
      !! sum.
      integer, intent(in) :: n
         !! Length of the vector.
      real(dp), intent(in) :: x(n)
         !! The vector.
      real(dp) :: zeros(lanes), zero
      integer :: i, k

      zeros = 0
      do i = 0, n - lanes, lanes
         do k = 1, lanes
            zeros(k) = zeros(k) + 0*x(i + k)
         end do
      end do
      zero = sum(zeros)
      do i = n - modulo(n, lanes) + 1, n
         zero = zero + 0*x(i)
      end do
      all_finite = zero == 0
   end function all_finite

   pure real(dp) function visit(n, x)
      !! Bring numbers into cache as fast as memory can send them, which is in the order in which
      !! they lie. The result is used only so that the compiler does not remove the loop.
      integer, intent(in) :: n
         !! How many numbers.
      real(dp), intent(in) :: x(n)
         !! The numbers.
      integer :: i

      visit = 0
      !$omp simd reduction(+:visit)
      do i = 1, n
         visit = visit + x(i)
      end do
   end function visit

   pure integer function first_on_line(numbers) result(first)
      !! The first of some numbers that begins a cache line.
      real(dp), intent(in), target :: numbers(:)
         !! The numbers where they lie.
      integer(c_intptr_t) :: address

      address = transfer(c_loc(numbers), address)/8
      first = 1 + int(modulo(-address, int(line, c_intptr_t)))
   end function first_on_line

end module minpack_vectors
