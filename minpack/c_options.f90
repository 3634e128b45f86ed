module minpack_c_options
   !! The options of a fit as C gives them.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_associated, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_settings, only: settings_type
   implicit none
   private
   public :: c_options_type, settings_of

   type, bind(c) :: c_options_type
      real(dp) :: ftol
      real(dp) :: xtol
      real(dp) :: gtol
      real(dp) :: factor
      real(dp) :: epsfcn
      integer(c_int) :: maxfev
      type(c_ptr) :: diag
         !! n numbers, as in the next three arrays, or null.
      type(c_ptr) :: diff_step
      type(c_ptr) :: lower
      type(c_ptr) :: upper
   end type c_options_type

contains

   function settings_of(options, n) result(settings)
      !! The same options, for Fortran.
      type(c_options_type), intent(in) :: options
         !! The options.
      integer, intent(in) :: n
         !! Number of variables.
      type(settings_type) :: settings

      settings%ftol = options%ftol
      settings%xtol = options%xtol
      settings%gtol = options%gtol
      settings%factor = options%factor
      settings%epsfcn = options%epsfcn
      settings%maxfev = options%maxfev
      if (c_associated(options%diag)) call c_f_pointer(options%diag, settings%diag, [n])
      if (c_associated(options%diff_step)) call c_f_pointer(options%diff_step, settings%steps, [n])
      settings%bounds%bounded = c_associated(options%lower)
      if (.not. settings%bounds%bounded) return
      call c_f_pointer(options%lower, settings%bounds%lower, [n])
      call c_f_pointer(options%upper, settings%bounds%upper, [n])
   end function settings_of

end module minpack_c_options
