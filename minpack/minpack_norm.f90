module minpack_norm
   !! The Euclidean norm of anything that can be represented.
   use minpack_kinds, only: dp, epsmch, dwarf, giant
   implicit none
   private
   public :: enorm

contains

   pure real(dp) function enorm(n, x)
      !! The Euclidean norm of x. The plain sum of squares is scaled only if it over- or underflows.
      integer, intent(in) :: n
      real(dp), intent(in) :: x(n)
      real(dp) :: squares, s1, s2, s3, s4, largest
      integer :: quarter, i

      ! Four sums: one alone waits for itself at every addition.
      quarter = n/4
      s1 = 0; s2 = 0; s3 = 0; s4 = 0
      !$omp simd reduction(+:s1, s2, s3, s4)
      do i = 1, quarter
         s1 = s1 + x(i)**2
         s2 = s2 + x(quarter + i)**2
         s3 = s3 + x(2*quarter + i)**2
         s4 = s4 + x(3*quarter + i)**2
      end do
      squares = (s1 + s2) + (s3 + s4)
      do i = 4*quarter + 1, n
         squares = squares + x(i)**2
      end do
      if ((squares >= dwarf/epsmch .and. squares <= giant) .or. squares /= squares) then
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

end module minpack_norm
