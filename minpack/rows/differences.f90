module minpack_differences
   !! Jacobians by finite differences, with steps that the residuals can resolve: see
   !! minpack_step_choice.
   !!
   !! Nothing is evaluated in this module. Each variable asks for a point, and is told the residuals
   !! there. The caller may evaluate the points one by one or all at once.
   use minpack_kinds, only: dp, epsmch, giant, dwarf
   use minpack_info, only: going_on, out_of_memory
   use minpack_quotient, only: sample_type, take_quotient, gap
   use minpack_differenced_variable, only: variable_type, first, again
   use minpack_step_choice, only: step_choice_type
   use minpack_step_search, only: factor
   implicit none
   private
   public :: differences_type, move

   real(dp), parameter :: rounded = 1.0e-3_dp*epsmch
      !! A part of the data that is less than their rounding errors.

   type, extends(step_choice_type) :: differences_type
      real(dp), allocatable :: x(:)
         !! Shape: (n). The point that is stepped from.
      type(variable_type), allocatable :: variables(:)
         !! Shape: (n).
      real(dp), allocatable :: other(:)
         !! Shape: (m). Another quotient for the same column; allocated when it is needed.
   contains
      procedure :: allocate_for
      procedure :: plan
      procedure :: measure_in
      procedure :: asks
      procedure :: point
      procedure :: end_of_step
      procedure :: take
      procedure :: idle_point
      procedure :: take_idle
      procedure :: reconsider
      procedure :: note_changes
      procedure :: clear
   end type differences_type

contains

   subroutine allocate_for(self, n, stat)
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      allocate (self%x(n), self%variables(n), stat=stat)
   end subroutine allocate_for

   subroutine plan(self, x)
      !! Ask for a point for each variable that is not fixed.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      integer :: j

      self%x = x
      self%info = going_on
      do j = 1, size(x)
         self%variables(j) = variable_type(j, x(j))
         call self%variables(j)%ask(self%bounds, first, self%first_step(j, x(j)))
      end do
   end subroutine plan

   pure subroutine measure_in(self, fnorm)
      !! Take the unit for changes of the residuals, before anything is taken.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.

      ! Of data that are known, smaller residuals are rounding errors, or exactly zero.
      self%unit = max(fnorm, dwarf, rounded*self%data_norm)
      if (self%memory%start_unit == 0) self%memory%start_unit = self%unit
   end subroutine measure_in

   pure logical function asks(self, j)
      !! Whether variable j asks for a point.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.

      asks = self%variables(j)%step /= 0
   end function asks

   pure subroutine point(self, j, x)
      !! The point that variable j asks for.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(out) :: x(:)
         !! Shape: (n).

      x = self%x
      x(j) = self%end_of_step(j)
   end subroutine point

   pure real(dp) function end_of_step(self, j)
      !! The value of variable j at the point that it asks for.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.

      end_of_step = self%bounds%confine(j, self%x(j) + self%variables(j)%step)
   end function end_of_step

   subroutine take(self, j, values, fvec, column)
      !! Take the residuals at the point that variable j asked for. It may ask for another point
      !! then.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in), contiguous :: values(:)
         !! Shape: (m). The residuals at that point.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      real(dp), intent(inout), contiguous :: column(:)
         !! Shape: (m). The column of the Jacobian.
      type(sample_type) :: sample
      real(dp) :: share
      logical :: finite
      integer :: m, stat

      m = size(values)
      associate (variable => self%variables(j))
         if (.not. variable%compares()) then
            call take_quotient(m, values, fvec, variable%step, self%unit, column, sample, finite)
            call self%hear(variable, sample, finite, 0.0_dp, share)
            return
         end if
         stat = 0
         if (.not. allocated(self%other)) allocate (self%other(m), stat=stat)
         if (stat /= 0) then
            self%info = out_of_memory
            return
         end if
         call take_quotient(m, values, fvec, variable%step, self%unit, self%other, sample, finite)
         call self%hear(variable, sample, finite, gap(m, column, self%other, self%unit), share)
      end associate
      call move(column, self%other, share)
   end subroutine take

   subroutine idle_point(self, x, count)
      !! A point to step to in all variables that had no effect. If they have none together either,
      !! there is no need to try them one by one.
      class(differences_type), intent(in) :: self
      real(dp), intent(out) :: x(:)
         !! Shape: (n).
      integer, intent(out) :: count
         !! How many variables these are. If fewer than two, the point is of no use.
      real(dp) :: step
      integer :: j

      count = 0
      x = self%x
      if (associated(self%steps)) return
      do j = 1, size(x)
         associate (sample => self%variables(j)%sample)
            if (sample%step <= 0 .or. sample%change > 0 .or. self%memory%is_dead(j) == 1) cycle
            step = self%bounds%difference(j, x(j), max(factor**3*sample%step, sqrt(epsmch)))
            x(j) = self%bounds%confine(j, x(j) + step)
            count = count + 1
         end associate
      end do
   end subroutine idle_point

   pure subroutine take_idle(self, values, fvec)
      !! Take the residuals at the idle point.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: values(:)
         !! Shape: (m).
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.

      if (any(values /= fvec)) return
      where (self%variables%sample%step > 0 .and. self%variables%sample%change <= 0)
         self%memory%is_dead = 1
      end where
   end subroutine take_idle

   subroutine reconsider(self)
      !! Look at the quotients of all variables, and ask for other steps where one is suspected.
      class(differences_type), intent(inout) :: self
      logical :: was_in_use
      integer :: j

      if (associated(self%steps)) return
      self%largest = self%size_of_data()
      do j = 1, size(self%x)
         associate (sample => self%variables(j)%sample)
            if (sample%step <= 0 .or. sample%change > giant) cycle
            self%largest = max(self%largest, abs(self%x(j))*(sample%change/sample%step))
         end associate
      end do
      do j = 1, size(self%x)
         associate (variable => self%variables(j), sample => self%variables(j)%sample)
            if (sample%step <= 0) cycle
            call self%memory%forget(j, variable%x, sample%change, self%largest, was_in_use)
            if (was_in_use) then
               call variable%ask(self%bounds, again, self%first_step(j, variable%x))
            else
               call self%suspect(variable)
            end if
         end associate
      end do
   end subroutine reconsider

   pure subroutine note_changes(self)
      !! Note what the changes by the steps are, when all columns are known. The caller's steps are
      !! not judged. Data whose size is not known are taken for as large as the residuals at the
      !! start, or the largest effect of a variable if it is smaller. Residuals that have vanished
      !! are those of equations. Where a second step agreed, its error counts.
      class(differences_type), intent(inout) :: self
      real(dp) :: size_of_values
      integer :: j

      if (associated(self%steps)) return
      size_of_values = self%size_of_data()
      if (self%data_norm < 0 .and. self%unit > sqrt(epsmch)*self%memory%start_unit) then
         size_of_values = max(1.0_dp, min(self%memory%start_unit/self%unit, self%largest))
      end if
      associate (memory => self%memory)
         do j = 1, size(self%variables)
            associate (variable => self%variables(j), sample => self%variables(j)%sample, &
                       change => memory%changes(j))
               change = 1
               if (sample%change > 0) change = min(sample%change/size_of_values, 1.0_dp)
               if (memory%agreement(j) < giant) change = max(change, epsmch/memory%agreement(j))
               if (self%is_jump(sample) .and. .not. variable%is_smooth) change = giant
            end associate
         end do
      end associate
   end subroutine note_changes

   pure subroutine clear(self, fjac)
      !! Set the columns of variables without effect to zero.
      class(differences_type), intent(in) :: self
      real(dp), intent(inout), contiguous :: fjac(:, :)
         !! Shape: (m, n). The Jacobian.
      integer :: j

      do j = 1, size(self%variables)
         if (self%variables(j)%is_without_effect) fjac(:, j) = 0
      end do
   end subroutine clear

   pure subroutine move(column, other, share)
      !! Move a column a share of the way to another quotient.
      real(dp), intent(inout) :: column(:)
         !! Shape: (m). The column so far.
      real(dp), intent(in) :: other(:)
         !! Shape: (m). The other quotient.
      real(dp), intent(in) :: share
         !! As in hear.

      if (share == 1) then
         column = other
      else if (share /= 0) then
         column = column + share*(other - column)
      end if
   end subroutine move

end module minpack_differences
