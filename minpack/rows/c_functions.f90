module minpack_c_functions
   !! Functions that are called at their address. Each has its own data.
   use, intrinsic :: iso_c_binding, only: c_int, c_int64_t, c_ptr, c_funptr, c_null_ptr, &
                                          c_f_pointer, c_f_procpointer
   use minpack_kinds, only: dp
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type, shown_matrix_type
   implicit none
   private
   public :: c_functions_type, c_function_type

   abstract interface
      ! The functions that fill memory have cminpack's signatures.
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
         import :: c_int, c_ptr, dp, shown_matrix_type
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         type(shown_matrix_type), intent(out) :: shown
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

      function together_type(data, m, n, count, points, values) bind(c) result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         integer(c_int), value :: count
         real(dp), intent(in) :: points(n, count)
         real(dp), intent(out) :: values(m, count)
            !! The residuals at the points.
         integer(c_int) :: answer
            !! Negative to stop.
      end function together_type
   end interface

   real(dp), parameter :: not_written = transfer(-1_c_int64_t, 1.0_dp)
      !! NaN.

   type, bind(c) :: c_function_type
      !! A residual or Jacobian function in one of its two forms; the other pointer is null.
      type(c_funptr) :: fill
         !! Fills memory of the core's.
      type(c_funptr) :: show
         !! Shows where its values lie.
      type(c_ptr) :: data
         !! What the function is called with.
   end type c_function_type

   type, extends(user_functions_type) :: c_functions_type
      procedure(filled_residual_type), pointer, nopass :: fill_residual => null()
      procedure(shown_residual_type), pointer, nopass :: show_residual => null()
      type(c_ptr) :: residual_data = c_null_ptr
      real(dp), allocatable :: filled(:)
         !! Shape: (m). Residuals that were filled in.
      procedure(filled_jacobian_type), pointer, nopass :: fill_jacobian => null()
      procedure(shown_jacobian_type), pointer, nopass :: show_jacobian => null()
      type(c_ptr) :: jacobian_data = c_null_ptr
      procedure(together_type), pointer, nopass :: together => null()
      type(c_ptr) :: together_data = c_null_ptr
      real(dp), allocatable :: fjac(:, :)
         !! Shape: (m, n). A Jacobian that was filled in. An element that was left out is NaN.
   contains
      procedure :: connect
      procedure :: residual
      procedure :: jacobian
      procedure :: take_together
      procedure :: residuals
   end type c_functions_type

contains

   subroutine connect(self, m, n, residual, jacobian, stat)
      !! Take the functions, and allocate the memory that they fill.
      class(c_functions_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of residuals.
      integer, intent(in) :: n
         !! Number of variables.
      type(c_function_type), intent(in) :: residual
         !! The residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! The Jacobian function, if there is one.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%m = m
      self%n = n
      stat = 0
      self%residual_data = residual%data
      call c_f_procpointer(residual%fill, self%fill_residual)
      call c_f_procpointer(residual%show, self%show_residual)
      if (debugging) then
         call assert(associated(self%fill_residual) .neqv. associated(self%show_residual), &
                     'a function has one form')
      end if
      if (associated(self%fill_residual)) allocate (self%filled(m), stat=stat)
      if (stat /= 0 .or. .not. present(jacobian)) return
      self%jacobian_data = jacobian%data
      call c_f_procpointer(jacobian%fill, self%fill_jacobian)
      call c_f_procpointer(jacobian%show, self%show_jacobian)
      if (associated(self%fill_jacobian)) allocate (self%fjac(m, n), stat=stat)
   end subroutine connect

   subroutine residual(self, x, differencing, info)
      class(c_functions_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The point.
      logical, intent(in) :: differencing
         !! Whether the values are for a column of a differenced Jacobian.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
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

   subroutine take_together(self, function, data, count)
      !! Take a function that evaluates the residuals at many points, if there is one.
      class(c_functions_type), intent(inout) :: self
      type(c_funptr), intent(in) :: function
         !! The function, or null.
      type(c_ptr), intent(in) :: data
         !! What it is called with.
      integer, intent(in) :: count
         !! How many points it evaluates in little more time than one.

      call c_f_procpointer(function, self%together)
      self%together_data = data
      self%goes_together = associated(self%together)
      self%goes_ahead = self%goes_together .and. count > self%n
   end subroutine take_together

   subroutine residuals(self, points, values, info)
      class(c_functions_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: points(:, :)
         !! Shape: (n, count).
      real(dp), intent(inout), contiguous :: values(:, :)
         !! Shape: (m, count). The residuals there.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.

      info = unless_stopped(self%together(self%together_data, self%m, self%n, size(points, 2), &
                                          points, values))
   end subroutine residuals

   subroutine jacobian(self, x, fvec, matrix, info)
      class(c_functions_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: x(:)
         !! Shape: (n). The point.
      real(dp), intent(inout) :: fvec(:)
         !! Shape: (m). The residuals at x.
      type(strided_matrix_type), intent(out) :: matrix
         !! The Jacobian at x.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      type(shown_matrix_type) :: shown

      if (associated(self%fill_jacobian)) then
         self%fjac = not_written
         info = unless_stopped(self%fill_jacobian(self%jacobian_data, self%m, self%n, x, fvec, &
                                                  self%fjac, self%m, 2))
         call matrix%show_columns(self%fjac)
         return
      end if
      info = unless_stopped(self%show_jacobian(self%jacobian_data, self%m, self%n, x, shown))
      if (info == going_on) call matrix%show(shown)
   end subroutine jacobian

   pure integer function unless_stopped(answer) result(info)
      integer(c_int), intent(in) :: answer

      info = merge(answer, going_on, answer < 0)
   end function unless_stopped

end module minpack_c_functions
