module minpack_batch
   !! The driver for many fits of one function, each to its own data: one fit after another, in the
   !! memory of one fit.
   use, intrinsic :: iso_c_binding, only: c_int8_t, c_intptr_t, c_ptr, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_covariance, only: covariance_type
   use minpack_bounds, only: bounds_type
   use minpack_solver, only: solver_type
   implicit none
   private
   public :: batch_type, input_type

   type, bind(c) :: input_type
      !! Numbers that the function reads, and that differ from fit to fit.
      type(c_ptr) :: place
         !! Where the function reads them.
      type(c_ptr) :: source
         !! Those of the first fit.
      integer(c_intptr_t) :: step
         !! From the numbers of a fit to those of the next, in bytes.
      integer(c_intptr_t) :: size
         !! In bytes.
   end type input_type

   type :: batch_type
      type(input_type), pointer, contiguous :: inputs(:) => null()
      real(dp), pointer, contiguous :: lower(:, :) => null()
         !! Shape: (n, fits), or (n, 1) if all fits have the same bounds; null without bounds.
      real(dp), pointer, contiguous :: upper(:, :) => null()
         !! Of the same shape as lower.
      logical :: absolute = .false.
         !! Whether the standard deviation of the residuals is 1.
      real(dp) :: negligible = 0
         !! A lower estimate of the relative error of the columns of the Jacobian.
      real(dp) :: doubtful = 0
         !! An upper estimate of this error.
      real(dp), pointer, contiguous :: x(:, :) => null()
         !! Shape: (n, fits). In: the starting points. Out: the solutions.
      real(dp), pointer, contiguous :: fnorm(:) => null()
         !! Shape: (fits). The norms of the residuals.
      real(dp), pointer, contiguous :: cov(:, :, :) => null()
         !! Shape: (n, n, fits). The covariances of the variables, or null.
      real(dp), pointer, contiguous :: effect(:, :) => null()
         !! Shape: (n, fits). The largest element of each column of R, or null.
      integer, pointer, contiguous :: state(:, :) => null()
         !! Shape: (n, fits). What the data tell of each variable, or null as cov is; -1 if there is
         !! no covariance.
      integer, pointer, contiguous :: info(:) => null()
         !! Shape: (fits). How each fit ended.
      integer, pointer, contiguous :: nfev(:) => null()
         !! Shape: (fits). Evaluations of the residuals.
   contains
      procedure :: drive
      procedure, private :: load
      procedure, private :: bounds_of
      procedure, private :: store
      procedure, private :: store_covariance
   end type batch_type

contains

   subroutine drive(self, solver, covariance, done)
      !! Solve the fits until a function calls for a stop.
      class(batch_type), intent(inout) :: self
      type(solver_type), intent(inout) :: solver
         !! Opened for the function.
      type(covariance_type), intent(inout) :: covariance
         !! With memory for the variables, if covariances are wanted.
      integer, intent(out) :: done
         !! How many fits are done. If not all, a function stopped the next.

      do done = 0, size(self%info) - 1
         associate (k => done + 1)
            call self%load(k)
            call solver%solve(self%x(:, k), self%bounds_of(k), .false.)
            call self%store(k, solver, covariance)
            if (self%info(k) < 0) return
         end associate
      end do
   end subroutine drive

   subroutine load(self, k)
      !! Put the numbers of a fit where the function reads them.
      class(batch_type), intent(in) :: self
      integer, intent(in) :: k
         !! The fit.
      integer(c_int8_t), pointer, contiguous :: place(:), source(:)
      integer :: i

      do i = 1, size(self%inputs)
         associate (input => self%inputs(i))
            call c_f_pointer(input%place, place, [input%size])
            call c_f_pointer(input%source, source, [(k - 1)*input%step + input%size])
            place = source((k - 1)*input%step + 1:)
         end associate
      end do
   end subroutine load

   type(bounds_type) function bounds_of(self, k) result(bounds)
      !! The bounds of a fit.
      class(batch_type), intent(in) :: self
      integer, intent(in) :: k
         !! The fit.
      integer :: column

      bounds%bounded = associated(self%lower)
      if (.not. bounds%bounded) return
      column = min(k, size(self%lower, 2))
      bounds%lower => self%lower(:, column)
      bounds%upper => self%upper(:, column)
   end function bounds_of

   subroutine store(self, k, solver, covariance)
      !! Store the results of a fit.
      class(batch_type), intent(inout) :: self
      integer, intent(in) :: k
         !! The fit.
      type(solver_type), intent(in) :: solver
      type(covariance_type), intent(inout) :: covariance
      integer :: j

      self%info(k) = solver%fit%info
      self%nfev(k) = solver%rows%nfev
      self%x(:, k) = solver%fit%x
      self%fnorm(k) = solver%rows%fnorm
      if (solver%fit%models == 0) return
      associate (model => solver%fit%model)
         if (associated(self%effect)) then
            do j = 1, size(model%ipvt)
               self%effect(model%ipvt(j), k) = maxval(abs(model%r(:j, j)))
            end do
         end if
      end associate
      if (associated(self%cov)) call self%store_covariance(k, solver, covariance)
   end subroutine store

   subroutine store_covariance(self, k, solver, covariance)
      class(batch_type), intent(inout) :: self
      integer, intent(in) :: k
         !! The fit.
      type(solver_type), intent(in) :: solver
      type(covariance_type), intent(inout) :: covariance
      integer :: active(size(self%x, 1))

      associate (model => solver%fit%model, bounds => solver%settings%bounds, x => solver%fit%x)
         active = 0
         if (bounds%bounded) then
            where (x <= bounds%lower .or. x >= bounds%upper) active = 1
         end if
         call covariance%estimate(solver%functions%m, model%r, model%ipvt, x, active, &
                                  solver%rows%fnorm, self%absolute, self%negligible, self%doubtful)
      end associate
      self%cov(:, :, k) = covariance%cov
      self%state(:, k) = covariance%state
      if (.not. covariance%regular) self%state(:, k) = -1
   end subroutine store_covariance

end module minpack_batch
