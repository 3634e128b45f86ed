module minpack_differences
   !! Jacobians by differences, with steps that the residuals can feel.
   !!
   !! A step h errs by h f''/2 in the derivative, residuals that are wrong by epsfcn |f| by
   !! 2 epsfcn |f|/h. With f'' of the order of f/x**2, the two are alike at h = sqrt(epsfcn) |x|, which is
   !! MINPACK's step. |x| is a bad measure of f'' in two cases:
   !!
   !! - A variable that is next to zero, or has next to no effect beside others: the change of
   !!   the residuals drowns in their rounding errors.
   !! - A variable with a large offset, such as a date: the step is as long as the feature that it is to
   !!   resolve.
   !!
   !! A column is suspected of the first if the residuals changed by less than 1000 epsmch of their
   !! size, or of the largest effect |J_j x_j| of a variable on them; and of the second if they
   !! changed by more than a thousandth of their size at the start. Then the variable is
   !! stepped once more, a hundred times farther or less far. If the two quotients agree, the first was
   !! right, and the variable is trusted. If not, the step is varied until two quotients in a row agree, or
   !! agree better than the next two, and is remembered.
   use minpack_kinds, only: dp, epsmch, giant, dwarf
   use minpack_info, only: going_on, jacobian_not_finite, out_of_memory
   use minpack_bounds, only: bounds_type
   use minpack_user_functions, only: user_functions_type
   use minpack_quotient, only: difference, sample_type
   implicit none
   private
   public :: differences_type

   real(dp), parameter :: too_small = 1000*epsmch
      !! A change of the residuals that is suspected to be their rounding errors.
   real(dp), parameter :: too_large = 1e-3_dp
      !! A change of the residuals that is suspected to hide their curvature.
   real(dp), parameter :: factor = 100
      !! From one step to the next that is tried.
   real(dp), parameter :: alike = 1e-3_dp
      !! The relative difference of quotients that agree.
   real(dp), parameter :: half = 0.5_dp
      !! Quotients that disagree by more have nothing in common.
   real(dp), parameter :: several = 5
   integer, parameter :: most_tries = 6

   type :: differences_type
      type(bounds_type) :: box
         !! Where the residuals may be evaluated.
      real(dp) :: epsfcn = 0
         !! Relative error of the residuals.
      logical :: fixed_steps = .false.
         !! Whether the steps are the caller's.
      real(dp), pointer, contiguous :: steps(:) => null()
         !! Shape: (n). Those steps, in units of |x|.

      class(user_functions_type), pointer :: functions => null()
      real(dp), pointer, contiguous :: fvec(:) => null()
         !! Shape: (m). The residuals at x.
      real(dp), allocatable :: x(:)
         !! Shape: (n). The point that is stepped from.
      real(dp), allocatable :: point(:)
         !! Shape: (n). A point that is stepped to in several variables.
      real(dp) :: unit = 0
         !! The norm of the residuals at x, in which their changes are measured.
      real(dp) :: start_unit = 0
         !! The same at the first Jacobian.
      integer :: evaluations = 0
         !! For one Jacobian.

      type(sample_type), allocatable :: samples(:)
         !! Shape: (n). What was seen of each variable.
      real(dp), allocatable :: shortest(:)
         !! Shape: (n). The least step of a variable with next to no effect, or 0.
      real(dp), allocatable :: size(:)
         !! Shape: (n). |x| when that step was found.
      real(dp), allocatable :: longest(:)
         !! Shape: (n). The largest step of a variable with an offset, or huge.
      real(dp), allocatable :: trusted_from(:)
         !! Shape: (n). The change of the residuals from which on a variable is not suspected again.
      logical, allocatable :: is_dead(:)
         !! Shape: (n). Whether a variable had no effect, however far it was stepped.
      logical, allocatable :: trusted(:)
         !! Shape: (n). Whether a large change turned out to be all right.
      real(dp), allocatable :: other(:)
         !! Shape: (m). Another quotient for the same column.
   contains
      procedure :: prepare
      procedure :: fdjac
      procedure, private :: first_step
      procedure, private :: revise
      procedure, private :: bury_idle
      procedure, private :: forget_step
      procedure, private :: lengthen
      procedure, private :: shorten
      procedure, private :: try
      procedure, private :: difference_by
   end type differences_type

contains

   subroutine prepare(self, functions, fvec, stat)
      class(differences_type), intent(inout) :: self
      class(user_functions_type), intent(in), target :: functions
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). Where the residuals at x will be.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%functions => functions
      self%fvec => fvec
      associate (n => functions%n)
         allocate (self%x(n), self%point(n), self%samples(n), self%shortest(n), self%size(n), &
                   self%longest(n), self%trusted_from(n), self%trusted(n), self%is_dead(n), &
                   stat=stat)
      end associate
      if (stat /= 0) return
      self%shortest = 0
      self%size = 0
      self%longest = giant
      self%trusted_from = giant
      self%trusted = .false.
      self%is_dead = .false.
   end subroutine prepare

   subroutine fdjac(self, x, fnorm, fjac, nfev, info)
      !! Difference the residuals in every variable.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.
      real(dp), intent(inout), contiguous :: fjac(:, :)
         !! Shape: (m, n).
      integer, intent(inout) :: nfev
      integer, intent(out) :: info
      integer :: j

      info = going_on
      self%x = x
      self%unit = max(fnorm, dwarf)
      if (self%start_unit == 0) self%start_unit = self%unit
      self%evaluations = 0
      do j = 1, size(x)
         call self%difference_by(self%first_step(j), j, fjac(:, j), self%samples(j), info)
         if (info /= going_on) exit
      end do
      if (info == going_on .and. .not. self%fixed_steps) call self%revise(fjac, info)
      nfev = nfev + self%evaluations
   end subroutine fdjac

   pure real(dp) function first_step(self, j) result(step)
      !! The step of variable j to begin with.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp) :: relative

      relative = sqrt(max(self%epsfcn, epsmch))
      if (self%fixed_steps) relative = self%steps(j)
      step = relative*abs(self%x(j))
      if (step == 0) step = relative
      if (abs(self%x(j)) <= 2*self%size(j)) step = max(step, self%shortest(j))
      step = min(step, self%longest(j))
   end function first_step

   subroutine revise(self, fjac, info)
      !! Try the variables that are suspected with other steps.
      class(differences_type), intent(inout) :: self
      real(dp), intent(inout), contiguous :: fjac(:, :)
      integer, intent(out) :: info
      real(dp) :: largest
      integer :: j

      info = going_on
      largest = 1
      do j = 1, size(self%x)
         associate (sample => self%samples(j))
            if (sample%step <= 0) cycle
            largest = max(largest, abs(self%x(j))*(sample%change/sample%step))
         end associate
      end do
      call self%bury_idle(info)
      if (info /= going_on) return
      do j = 1, size(self%x)
         if (self%samples(j)%step <= 0 .or. self%samples(j)%change > giant) cycle
         call self%forget_step(largest, j, fjac(:, j), info)
         if (info /= going_on) return
         associate (change => self%samples(j)%change)
            self%is_dead(j) = self%is_dead(j) .and. change <= 0
            if (self%is_dead(j)) cycle
            if (change <= too_small*largest .and. change*self%unit < self%trusted_from(j)) then
               call self%lengthen(largest, j, fjac(:, j), info)
            else if (change*(self%unit/self%start_unit) >= too_large .and. .not. self%trusted(j)) then
               call self%shorten(j, fjac(:, j), info)
            end if
         end associate
         if (info /= going_on) return
      end do
   end subroutine revise

   subroutine bury_idle(self, info)
      !! Step several variables that had no effect at once: if they have none then either, there is no
      !! need to try them one by one.
      class(differences_type), intent(inout) :: self
      integer, intent(out) :: info
      real(dp) :: step
      integer :: count, j

      info = going_on
      count = 0
      self%point = self%x
      do j = 1, size(self%x)
         associate (sample => self%samples(j))
            if (sample%step <= 0 .or. sample%change > 0 .or. self%is_dead(j)) cycle
            step = self%box%difference(j, self%x(j), max(factor**3*sample%step, sqrt(epsmch)))
            self%point(j) = self%box%confine(j, self%x(j) + step)
            count = count + 1
         end associate
      end do
      if (count < 2) return
      call self%functions%residual(self%point, .true., info)
      self%evaluations = self%evaluations + 1
      if (info /= going_on) return
      if (any(self%functions%values /= self%fvec)) return
      self%is_dead = self%is_dead .or. (self%samples%step > 0 .and. self%samples%change <= 0)
   end subroutine bury_idle

   subroutine forget_step(self, largest, j, column, info)
      !! Let go of the step that is remembered if the variable has more effect here, or a larger size.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.
      integer, intent(in) :: j
      real(dp), intent(inout), contiguous :: column(:)
      integer, intent(out) :: info
      logical :: is_in_use

      info = going_on
      if (self%shortest(j) <= 0) return
      is_in_use = abs(self%x(j)) <= 2*self%size(j)
      if (is_in_use .and. self%samples(j)%change <= 10*sqrt(epsmch)*largest) return
      self%shortest(j) = 0
      self%trusted_from(j) = giant
      if (is_in_use) call self%difference_by(self%first_step(j), j, column, self%samples(j), info)
   end subroutine forget_step

   subroutine lengthen(self, largest, j, column, info)
      !! Step farther until two quotients agree or the effect is as large as that of any other variable.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.
      integer, intent(in) :: j
      real(dp), intent(inout), contiguous :: column(:)
      integer, intent(out) :: info
      type(sample_type) :: last, next
      real(dp) :: step, disagreement, least
      logical :: is_felt
      integer :: attempt

      last = self%samples(j)
      least = half
      do attempt = 1, most_tries
         step = factor*last%step
         is_felt = last%change > several*epsmch*largest
         if (.not. is_felt .or. (attempt == 1 .and. last%change <= too_small*largest/factor)) step = factor*step
         if (last%change <= 0) then
            if (attempt > 2) exit
            ! A variable that came to lie on 1e-17 by cancellation is a zero in all but name.
            if (step < epsmch .or. attempt == 2) step = max(step, sqrt(epsmch))
         end if
         call self%try(step, j, column, last, next, disagreement, info)
         if (info /= going_on .or. next%step <= last%step) exit
         if (disagreement <= alike .and. next%change > too_small*largest) exit
         if (last%change > too_small*largest .and. &
             next%change/next%step > 2*(last%change/last%step)) then
            ! Rounding errors fall as the step grows. This is curvature, beside next to no slope.
            column = column - (self%other - column)*(last%step/(next%step - last%step))
            self%trusted_from(j) = self%unit*self%samples(j)%change/4
            return
         end if
         ! Once quotients agree less than the two before them did, curvature outweighs rounding.
         if (least < half .and. disagreement > least) exit
         if (is_felt) least = min(least, disagreement)
         column = self%other
         last = next
         if (last%change >= sqrt(epsmch)*largest .and. disagreement <= half) exit
      end do
      self%is_dead(j) = last%change <= 0
      if (last%step > self%samples(j)%step) then
         self%shortest(j) = last%step
         self%size(j) = abs(self%x(j))
      end if
      self%samples(j) = last
      self%trusted_from(j) = self%unit*last%change/4
   end subroutine lengthen

   subroutine shorten(self, j, column, info)
      !! Step less far until two quotients agree.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      real(dp), intent(inout), contiguous :: column(:)
      integer, intent(out) :: info
      type(sample_type) :: last, next
      real(dp) :: least, disagreement, growth
      integer :: attempt

      info = going_on
      growth = 1
      last = self%samples(j)
      ! What a shorter step changes is more than the errors of x and of the residuals.
      least = max(1e4_dp*epsmch*abs(self%x(j)), &
                  1e3_dp*max(self%epsfcn, epsmch)*(last%step/last%change))
      do attempt = 1, most_tries
         if (last%step/factor < least) exit
         call self%try(last%step/factor, j, column, last, next, disagreement, info)
         if (info /= going_on) return
         if (disagreement <= alike .and. attempt == 1) exit
         growth = (next%change/next%step)/(last%change/last%step)
         column = self%other
         last = next
         if (disagreement <= alike) exit
      end do
      self%trusted(j) = .true.
      if (last%step >= self%samples(j)%step) return
      if (growth < factor/several) then
         self%longest(j) = last%step
         self%samples(j) = last
      else
         ! A quotient that grows as the step falls is an error of the residuals.
         call self%difference_by(self%samples(j)%step, j, column, self%samples(j), info)
      end if
   end subroutine shorten

   subroutine try(self, step, j, column, last, next, disagreement, info)
      !! Difference variable j with another step, and compare the quotient with the column.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: step
      integer, intent(in) :: j
      real(dp), intent(in), contiguous :: column(:)
      type(sample_type), intent(in) :: last
         !! What was seen with the step of the column.
      type(sample_type), intent(out) :: next
         !! What is seen with this one. The quotient is left in `other`.
      real(dp), intent(out) :: disagreement
         !! The norm of the difference of the quotients, relative to that of this one.
      integer, intent(out) :: info
      real(dp) :: squares
      integer :: i, stat

      disagreement = giant
      if (.not. allocated(self%other)) then
         allocate (self%other(size(self%fvec)), stat=stat)
         if (stat /= 0) then
            info = out_of_memory
            return
         end if
      end if
      call self%difference_by(step, j, self%other, next, info)
      if (info == jacobian_not_finite) then
         ! The column that is known will have to do.
         info = going_on
         next = last
         disagreement = 0
      end if
      if (info /= going_on .or. next%change <= 0 .or. disagreement <= 0) return
      squares = 0
      do i = 1, size(column)
         squares = squares + ((column(i) - self%other(i))/self%unit)**2
      end do
      disagreement = sqrt(squares)/(next%change/next%step)
   end subroutine try

   subroutine difference_by(self, step, j, column, sample, info)
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: step
      integer, intent(in) :: j
      real(dp), intent(inout), contiguous :: column(:)
      type(sample_type), intent(out) :: sample
      integer, intent(out) :: info

      call difference(self%functions, self%box, self%x, self%fvec, self%unit, j, step, column, &
                      sample, self%evaluations, info)
   end subroutine difference_by

end module minpack_differences
