module minpack_kinds
   !! The kind of real numbers, and the machine constants of the algorithms.
   use, intrinsic :: iso_c_binding, only: c_double
   implicit none
   private
   public :: dp, epsmch, dwarf, giant, is_finite

   integer, parameter :: dp = c_double
   real(dp), parameter :: epsmch = epsilon(1.0_dp)
   real(dp), parameter :: dwarf = tiny(1.0_dp)
   real(dp), parameter :: giant = huge(1.0_dp)

contains

   elemental logical function is_finite(value)
      real(dp), intent(in) :: value
         !! Any number.

      is_finite = abs(value) <= giant
   end function is_finite

end module minpack_kinds
