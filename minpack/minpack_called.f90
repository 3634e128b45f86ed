module minpack_called
   !! Functions that are called by address, with the data that is theirs.
   use, intrinsic :: iso_c_binding, only: c_int, c_intptr_t, c_ptr, c_funptr, c_f_pointer, &
                                          c_f_procpointer
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, stopped_by_user
   use minpack_functions, only: functions_type, matrix_view_type
   implicit none
   private
   public :: called_type, prepare

   abstract interface
      function residual_type(data, m, n, x, fvec, iflag) bind(c) result(answer)
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
      end function residual_type

      function jacobian_type(data, m, n, x, address, by_rows) bind(c) result(answer)
         import :: c_int, c_ptr, dp
         type(c_ptr), value :: data
         integer(c_int), value :: m
         integer(c_int), value :: n
         real(dp), intent(in) :: x(n)
         type(c_ptr), intent(out) :: address
            !! Where the m x n Jacobian lies, until the next call.
         integer(c_int), intent(out) :: by_rows
            !! 1 if it lies there row by row, 0 if column by column.
         integer(c_int) :: answer
            !! Negative to stop.
      end function jacobian_type
   end interface

   type, extends(functions_type) :: called_type
      procedure(residual_type), pointer, nopass :: call_residual => null()
      procedure(jacobian_type), pointer, nopass :: call_jacobian => null()
      type(c_ptr) :: data
   contains
      procedure :: residual
      procedure :: jacobian
   end type called_type

contains

   subroutine prepare(self, m, n, residual_address, jacobian_address, data_address, stat)
      type(called_type), intent(out) :: self
      integer, intent(in) :: m
      integer, intent(in) :: n
      integer(c_intptr_t), intent(in) :: residual_address
      integer(c_intptr_t), intent(in) :: jacobian_address
         !! 0 if the Jacobian is not called for.
      integer(c_intptr_t), intent(in) :: data_address
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      type(c_funptr) :: mold

      self%m = m
      self%n = n
      call c_f_procpointer(transfer(residual_address, mold), self%call_residual)
      call c_f_procpointer(transfer(jacobian_address, mold), self%call_jacobian)
      self%data = transfer(data_address, self%data)
      allocate (self%values(m), stat=stat)
   end subroutine prepare

   subroutine residual(self, x, differencing, info)
      class(called_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
      logical, intent(in) :: differencing
      integer, intent(out) :: info

      info = going_on
      if (self%call_residual(self%data, self%m, self%n, x, self%values, &
                             merge(2, 1, differencing)) < 0) info = stopped_by_user
   end subroutine residual

   subroutine jacobian(self, x, fvec, view, info)
      class(called_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: x(:)
      real(dp), intent(inout) :: fvec(:)
      type(matrix_view_type), intent(out) :: view
      integer, intent(out) :: info
      type(c_ptr) :: address
      integer(c_int) :: by_rows

      info = going_on
      if (self%call_jacobian(self%data, self%m, self%n, x, address, by_rows) < 0) then
         info = stopped_by_user
      else if (by_rows == 1) then
         call c_f_pointer(address, view%rows, [self%n, self%m])
      else
         call c_f_pointer(address, view%columns, [self%m, self%n])
      end if
   end subroutine jacobian

end module minpack_called
