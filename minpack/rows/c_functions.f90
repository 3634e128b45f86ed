module minpack_c_functions
   !! Functions that are called by address, each with the data that is its own.
   use, intrinsic :: iso_c_binding, only: c_int, c_int64_t, c_intptr_t, c_ptr, c_funptr, c_f_pointer, &
                                          c_f_procpointer
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type, shown_type
   implicit none
   private
   public :: c_functions_type, address_type, prepare

   abstract interface
      ! The signatures of what is filled are cminpack's.
      function filled_residual_type(data, m, n, x, fvec, iflag) bind(c) result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         real(dp), intent(out) :: fvec(m)
         integer(c_int), value :: iflag
            !! 1, or 2 while differencing.
         integer(c_int) :: answer
            !! Negative to stop.
      end function filled_residual_type

      function shown_residual_type(data, m, n, x, address) bind(c) result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         type(c_ptr), intent(out) :: address
            !! Where the m residuals lie, until the next call.
         integer(c_int) :: answer
            !! Negative to stop.
      end function shown_residual_type

      function shown_jacobian_type(data, m, n, x, shown) bind(c) result(answer)
         import :: c_int, c_ptr, dp, shown_type
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         type(shown_type), intent(out) :: shown
            !! Where the m x n Jacobian lies, until the next call.
         integer(c_int) :: answer
            !! Negative to stop.
      end function shown_jacobian_type

      function filled_jacobian_type(data, m, n, x, fvec, fjac, ldfjac, iflag) bind(c) &
         result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         real(dp), intent(inout) :: fvec(m)
            !! The residuals at x, read only by convention.
         integer(c_int), value :: ldfjac
         real(dp), intent(out) :: fjac(ldfjac, n)
         integer(c_int), value :: iflag
            !! 2.
         integer(c_int) :: answer
            !! Negative to stop.
      end function filled_jacobian_type
   end interface

   real(dp), parameter :: not_written = transfer(-1_c_int64_t, 1.0_dp)
      !! NaN.

   type :: address_type
      integer(c_intptr_t) :: function = 0
      integer(c_intptr_t) :: data = 0
         !! What it is called with.
      logical :: fills = .false.
         !! Whether it fills memory of the core's, or shows where its values lie.
   end type address_type

   type, extends(user_functions_type) :: c_functions_type
      procedure(shown_residual_type), pointer, nopass :: show_residual => null()
      procedure(filled_residual_type), pointer, nopass :: fill_residual => null()
         !! One of the two is associated.
      type(c_ptr) :: residual_data
      real(dp), allocatable :: filled(:)
         !! Shape: (m). Residuals that are filled.
      procedure(shown_jacobian_type), pointer, nopass :: show_jacobian => null()
      procedure(filled_jacobian_type), pointer, nopass :: fill_jacobian => null()
         !! One of the two is associated if the Jacobian is called for.
      type(c_ptr) :: jacobian_data
      real(dp), allocatable :: fjac(:, :)
         !! Shape: (m, n). A Jacobian that is filled. What a function leaves out is NaN.
   contains
      procedure :: residual
      procedure :: jacobian
   end type c_functions_type

contains

   subroutine prepare(self, m, n, residual_at, jacobian_at, stat)
      type(c_functions_type), intent(out) :: self
      integer, intent(in) :: m
      integer, intent(in) :: n
      type(address_type), intent(in) :: residual_at
      type(address_type), intent(in) :: jacobian_at
         !! 0 if the Jacobian is not called for.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      type(c_funptr) :: mold

      self%m = m
      self%n = n
      self%residual_data = transfer(residual_at%data, self%residual_data)
      self%jacobian_data = transfer(jacobian_at%data, self%jacobian_data)
      stat = 0
      if (residual_at%fills) then
         call c_f_procpointer(transfer(residual_at%function, mold), self%fill_residual)
         allocate (self%filled(m), stat=stat)
      else
         call c_f_procpointer(transfer(residual_at%function, mold), self%show_residual)
      end if
      if (.not. jacobian_at%fills) then
         call c_f_procpointer(transfer(jacobian_at%function, mold), self%show_jacobian)
      else if (stat == 0) then
         call c_f_procpointer(transfer(jacobian_at%function, mold), self%fill_jacobian)
         allocate (self%fjac(m, n), stat=stat)
      end if
   end subroutine prepare

   subroutine residual(self, x, differencing, info)
      class(c_functions_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      logical, intent(in) :: differencing
      integer, intent(out) :: info
      type(c_ptr) :: address

      if (associated(self%fill_residual)) then
         self%filled = not_written
         info = unless_stopped(self%fill_residual(self%residual_data, self%m, self%n, x, &
                                                  self%filled, merge(2, 1, differencing)))
         self%values => self%filled
         return
      end if
      info = unless_stopped(self%show_residual(self%residual_data, self%m, self%n, x, address))
      if (info == going_on) call c_f_pointer(address, self%values, [self%m])
   end subroutine residual

   subroutine jacobian(self, x, fvec, view, info)
      class(c_functions_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
      real(dp), intent(inout) :: fvec(:)
      type(strided_matrix_type), intent(out) :: view
      integer, intent(out) :: info
      type(shown_type) :: shown

      if (associated(self%fill_jacobian)) then
         self%fjac = not_written
         info = unless_stopped(self%fill_jacobian(self%jacobian_data, self%m, self%n, x, fvec, &
                                                  self%fjac, self%m, 2))
         call view%show_columns(self%fjac)
         return
      end if
      info = unless_stopped(self%show_jacobian(self%jacobian_data, self%m, self%n, x, shown))
      if (info == going_on) call view%show(shown)
   end subroutine jacobian

   pure integer function unless_stopped(answer) result(info)
      integer(c_int), intent(in) :: answer

      info = merge(answer, going_on, answer < 0)
   end function unless_stopped

end module minpack_c_functions
