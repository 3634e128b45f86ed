module minpack_kinds
   !! The kind of real numbers and the machine constants that the algorithms name.
   use, intrinsic :: iso_c_binding, only: c_double
   implicit none
   private
   public :: dp, epsmch, dwarf, giant, is_finite, all_finite

   integer, parameter :: dp = c_double
   real(dp), parameter :: epsmch = epsilon(1.0_dp)
   real(dp), parameter :: dwarf = tiny(1.0_dp)
   real(dp), parameter :: giant = huge(1.0_dp)

contains

   elemental logical function is_finite(value)
      real(dp), intent(in) :: value

      is_finite = abs(value) <= giant
   end function is_finite

   pure logical function all_finite(n, values)
      !! Whether no value is NaN or infinite: zero times such a value is NaN, and NaN stays in the sum.
      integer, intent(in) :: n
      real(dp), intent(in) :: values(n)
      real(dp) :: zero
      integer :: i

      zero = 0
      !$omp simd reduction(+:zero)
      do i = 1, n
         zero = zero + 0*values(i)
      end do
      all_finite = zero == 0
   end function all_finite

end module minpack_kinds
