program test_ask_and_tell
   !! Fits that are kept as plain numbers between any two questions, many of them side by side.
   use minpack_kinds, only: dp
   use minpack_bounds, only: bounds_type
   use minpack_workspace, only: workspace_type
   use minpack_settings, only: settings_type
   use minpack_state, only: nothing, a_model, a_norm, reals_of_fit, integers_of_fit
   use minpack_ask_and_tell, only: fit_type
   use minpack_fold, only: triangulate
   use checks, only: check, finish, random_matrix
   implicit none
   integer, parameter :: m = 20, n = 3, fits = 5
   real(dp), target, save :: lower(n), upper(n)
   type(workspace_type), allocatable, target, save :: workspace
   type(settings_type), target, save :: settings
   real(dp), allocatable, save :: t(:), data(:, :), alone(:, :), together(:, :)
   integer, allocatable, save :: evaluations(:)
   logical :: bounded
   integer :: i, k, stat

   t = [(0.2_dp*i, i=1, m)]
   data = spread(2.5_dp*exp(-1.3_dp*t) + 0.5_dp, 2, fits) + 0.05_dp*random_matrix(m, fits)
   lower = 0
   upper = [2.0_dp, 9.0_dp, 9.0_dp]
   settings%ftol = 1e-10_dp
   settings%xtol = 1e-10_dp
   settings%maxfev = 1000
   settings%factor = 100
   allocate (alone(n, fits), evaluations(fits))
   do i = 1, 2
      bounded = i == 2
      settings%bounds = bounds_type()
      if (bounded) settings%bounds = bounds_type(.true., lower, upper)
      if (allocated(workspace)) deallocate (workspace)
      allocate (workspace)
      call workspace%allocate_for(n, bounded, stat)
      call check(stat == 0, 'memory')
      do k = 1, fits
         call solve_alone(k)
      end do
      call solve_together()
      call check(all(alone == together), 'fits side by side end on the same bits as alone')
      call check(any(alone(1, :) == upper(1)) .eqv. bounded, 'bounds are met')
   end do
   call check(reals_of_fit(46340, .true.) > huge(1), 'the size of a fit does not overflow')
   call finish()

contains

   subroutine solve_alone(k)
      !! One fit, in memory that it keeps.
      integer, intent(in) :: k
      real(dp), target :: reals(reals_of_fit(n, bounded))
      integer, target :: integers(integers_of_fit(n, bounded))
      type(fit_type) :: fit

      call fit%attach(n, settings, workspace, reals, integers)
      call start(fit, k)
      do while (fit%needs /= nothing)
         call answer(fit, k)
      end do
      call check(fit%info >= 1 .and. fit%info <= 4, 'a fit converges')
      alone(:, k) = fit%x
   end subroutine solve_alone

   subroutine solve_together()
      !! All fits, a question each in turn; only their numbers are kept.
      real(dp) :: kept(reals_of_fit(n, bounded), fits)
      integer :: kept_integers(integers_of_fit(n, bounded), fits)
      real(dp), target :: reals(reals_of_fit(n, bounded))
      integer, target :: integers(integers_of_fit(n, bounded))
      type(fit_type) :: fit
      logical :: going(fits)
      integer :: k

      together = alone
      going = .true.
      do k = 1, fits
         call fit%attach(n, settings, workspace, reals, integers)
         call start(fit, k)
         kept(:, k) = reals
         kept_integers(:, k) = integers
      end do
      do while (any(going))
         do k = 1, fits
            if (.not. going(k)) cycle
            reals = kept(:, k)
            integers = kept_integers(:, k)
            call fit%attach(n, settings, workspace, reals, integers)
            call answer(fit, k)
            going(k) = fit%needs /= nothing
            together(:, k) = fit%x
            kept(:, k) = reals
            kept_integers(:, k) = integers
            reals = -1
            integers = -1
         end do
      end do
   end subroutine solve_together

   subroutine start(fit, k)
      type(fit_type), intent(inout) :: fit
      integer, intent(in) :: k
      real(dp), parameter :: x(n) = 1

      evaluations(k) = 1
      call fit%begin(x, norm2(residuals(x, k)))
   end subroutine start

   subroutine answer(fit, k)
      !! Tell a fit what it needs.
      type(fit_type), intent(inout) :: fit
      integer, intent(in) :: k
      real(dp) :: rows(m, n + 1), triangle(n + 1, n + 1), norm

      select case (fit%needs)
      case (a_model)
         rows(:, 1) = exp(-fit%x(2)*t)
         rows(:, 2) = -fit%x(1)*t*rows(:, 1)
         rows(:, 3) = 1
         rows(:, 4) = residuals(fit%x, k)
         call triangulate(m, n + 1, rows, m)
         triangle = rows(:n + 1, :)
         call fit%tell_model(triangle)
      case (a_norm)
         evaluations(k) = evaluations(k) + 1
         norm = norm2(residuals(fit%trial, k))
         call fit%tell_norm(norm, norm, evaluations(k), evaluations(k))
      end select
   end subroutine answer

   function residuals(x, k)
      real(dp), intent(in) :: x(n)
      integer, intent(in) :: k
      real(dp) :: residuals(m)

      residuals = x(1)*exp(-x(2)*t) + x(3) - data(:, k)
   end function residuals

end program test_ask_and_tell
