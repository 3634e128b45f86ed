module bent
   !! Residuals z + sin(z)/10 with z = A (x - truth), called by address as C functions are.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_loc, c_funloc, c_null_funptr, &
                                          c_f_pointer
   use minpack_kinds, only: dp
   use minpack_strided_matrix, only: shown_matrix_type
   use minpack_c_functions, only: c_function_type
   implicit none
   private
   public :: bent_type, stop_flag, residual, residual_of, jacobian_of

   integer, parameter :: stop_flag = -7

   type :: bent_type
      real(dp), allocatable :: a(:, :)
         !! Shape: (m, n).
      real(dp), allocatable :: truth(:)
         !! Shape: (n).
      real(dp) :: size = 1
         !! Factor of all residuals.
      logical :: by_rows = .false.
         !! How the Jacobian is handed over.
      integer :: last_call = huge(1)
         !! The call of either function that asks to stop.
      integer :: calls = 0
      real(dp), allocatable :: lower(:)
         !! Shape: (n). Bounds to watch.
      real(dp), allocatable :: upper(:)
      real(dp) :: least_room = huge(1.0_dp)
         !! Between the bounds and what either function was called with.
      real(dp), allocatable :: columns(:, :)
      real(dp), allocatable :: rows(:, :)
   end type bent_type

contains

   function residual(data, m, n, x, fvec, iflag) bind(c) result(answer)
      type(c_ptr), value :: data
      integer(c_int), value :: m
      integer(c_int), value :: n
      real(dp), intent(in) :: x(n)
      real(dp), intent(out) :: fvec(m)
      integer(c_int), value :: iflag
      integer(c_int) :: answer
      type(bent_type), pointer :: self

      call c_f_pointer(data, self)
      answer = next(self, x)
      fvec = matmul(self%a, x - self%truth)
      fvec = self%size*(fvec + 0.1_dp*sin(fvec))
   end function residual

   function shown(data, m, n, x, jacobian) bind(c) result(answer)
      type(c_ptr), value :: data
      integer(c_int), value :: m
      integer(c_int), value :: n
      real(dp), intent(in) :: x(n)
      type(shown_matrix_type), intent(out) :: jacobian
      integer(c_int) :: answer
      type(bent_type), pointer :: self

      call c_f_pointer(data, self)
      answer = next(self, x)
      call evaluate_columns(self, x)
      self%rows = transpose(self%columns)
      if (self%by_rows) then
         jacobian = shown_matrix_type(c_loc(self%rows), m*n, 1, n, 1, 0)
      else
         jacobian = shown_matrix_type(c_loc(self%columns), m*n, 1, 1, m, 0)
      end if
   end function shown

   function filled(data, m, n, x, fvec, fjac, ldfjac, iflag) bind(c) result(answer)
      type(c_ptr), value :: data
      integer(c_int), value :: m
      integer(c_int), value :: n
      real(dp), intent(in) :: x(n)
      real(dp), intent(inout) :: fvec(m)
      integer(c_int), value :: ldfjac
      real(dp), intent(out) :: fjac(ldfjac, n)
      integer(c_int), value :: iflag
      integer(c_int) :: answer
      type(bent_type), pointer :: self

      call c_f_pointer(data, self)
      answer = next(self, x)
      call evaluate_columns(self, x)
      fjac(:m, :) = self%columns
   end function filled

   subroutine evaluate_columns(self, x)
      type(bent_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)

      self%columns = self%size*spread(1 + 0.1_dp*cos(matmul(self%a, x - self%truth)), 2, size(x)) &
                     *self%a
   end subroutine evaluate_columns

   integer function next(self, x)
      type(bent_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)

      self%least_room = min(self%least_room, minval(x - self%lower), minval(self%upper - x))
      self%calls = self%calls + 1
      next = merge(stop_flag, 0, self%calls >= self%last_call)
   end function next

   function residual_of(self) result(function)
      type(bent_type), intent(in), target :: self
      type(c_function_type) :: function

      function = c_function_type(c_funloc(residual), c_null_funptr, c_loc(self))
   end function residual_of

   function jacobian_of(self, fills) result(function)
      type(bent_type), intent(in), target :: self
      logical, intent(in) :: fills
         !! Whether it fills memory, or shows where its values lie.
      type(c_function_type) :: function

      function = c_function_type(c_null_funptr, c_funloc(shown), c_loc(self))
      if (fills) function = c_function_type(c_funloc(filled), c_null_funptr, c_loc(self))
   end function jacobian_of

end module bent
