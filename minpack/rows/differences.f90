module minpack_differences
   !! Jacobians by finite differences, with steps that the residuals can resolve.
   !!
   !! A step h causes an error of h f''/2 in the derivative. An error of epsfcn |f| in the residuals
   !! causes an error of 2 epsfcn |f|/h. If f'' is of the order of f/x**2, the two errors are equal
   !! for h = sqrt(epsfcn) |x|, which is MINPACK's step. |x| is a bad measure of f'' in two cases:
   !!
   !! - A variable is close to zero, or its effect is tiny compared with other variables. Then the
   !!   change of the residuals is lost in their rounding errors.
   !! - A variable has a large offset, such as a date. Then the step is as long as the feature that
   !!   it should resolve.
   !!
   !! The first case is suspected if the residuals change by less than 1000 epsmch of their size, or
   !! of the largest effect |J_j x_j| of a variable. The second case is suspected if the residuals
   !! change by more than a thousandth of their size at the start. Then a step is tried that is 100
   !! times as long, or 100 times as short. If the two quotients agree, the first was correct, and
   !! the variable is trusted. Otherwise the step is varied until two quotients in a row agree, or
   !! agree better than the next two. This step is remembered. If no
   !! step has an effect beyond rounding errors, the column is zero.
   !!
   !! Nothing is evaluated in this module. Each variable asks for a point, and is told the residuals
   !! there. The caller may evaluate the points one by one or all at once.
   use minpack_kinds, only: dp, epsmch, giant, dwarf
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on, jacobian_not_finite, out_of_memory
   use minpack_bounds, only: bounds_type
   use minpack_quotient, only: sample_type, take_quotient, gap, disagreement
   use minpack_differenced_variable, only: variable_type, first, again, searching, restoring
   use minpack_step_memory, only: step_memory_type
   use minpack_step_search, only: begin_up, begin_down, wanted_step, compare_up, compare_down, &
                                  found_step, is_felt, too_small, factor, upwards
   implicit none
   private
   public :: differences_type, move

   real(dp), parameter :: too_large = 1e-3_dp
      !! A change of the residuals that is suspected to hide their curvature.
   real(dp), parameter :: least_unit = 1e-200_dp
      !! Changes in a smaller unit may overflow.

   type :: differences_type
      type(bounds_type) :: bounds
         !! Where the residuals may be evaluated.
      real(dp) :: precision = epsmch
         !! Relative error of the residuals.
      real(dp), pointer, contiguous :: steps(:) => null()
         !! Shape: (n). The caller's steps in units of |x|, which are kept, or null.
      type(step_memory_type) :: memory
      integer :: info = going_on
         !! going_on, or why there is no Jacobian.
      real(dp) :: unit = 0
         !! The norm of the residuals at x, in which their changes are measured.
      real(dp) :: largest = 1
         !! The largest effect of a variable.
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
      procedure :: compares
      procedure :: hear
      procedure :: idle_point
      procedure :: take_idle
      procedure :: reconsider
      procedure :: clear
      procedure, private :: first_step
      procedure, private :: suspect
      procedure, private :: has_effect
      procedure, private :: compare
      procedure, private :: search_on
      procedure, private :: finish_search
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
         call self%variables(j)%ask(self%bounds, first, self%first_step(j))
      end do
   end subroutine plan

   pure subroutine measure_in(self, fnorm)
      !! Take the unit for changes of the residuals, before anything is taken.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.

      self%unit = max(fnorm, dwarf)
      if (self%memory%start_unit == 0) self%memory%start_unit = self%unit
   end subroutine measure_in

   pure real(dp) function first_step(self, j) result(step)
      !! The step of variable j to begin with.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp) :: relative

      relative = sqrt(self%precision)
      if (associated(self%steps)) relative = self%steps(j)
      step = relative*abs(self%x(j))
      if (step == 0) step = relative
      step = self%memory%limit(j, self%x(j), step)
   end function first_step

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
      associate (step => self%variables(j)%step)
         if (.not. self%compares(j)) then
            call take_quotient(m, values, fvec, step, self%unit, column, sample, finite)
            call self%hear(j, sample, finite, 0.0_dp, share)
            return
         end if
         stat = 0
         if (.not. allocated(self%other)) allocate (self%other(m), stat=stat)
         if (stat /= 0) then
            self%info = out_of_memory
            return
         end if
         call take_quotient(m, values, fvec, step, self%unit, self%other, sample, finite)
      end associate
      call self%hear(j, sample, finite, gap(m, column, self%other, self%unit), share)
      call move(column, self%other, share)
   end subroutine take

   pure logical function compares(self, j)
      !! Whether the quotient of the point that variable j asks for will be compared with the column
      !! so far. If not, it becomes the column.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.

      compares = self%variables(j)%stage == searching
   end function compares

   subroutine hear(self, j, sample, finite, gap, share)
      !! Take what the step that variable j asked for showed. It may ask for another point then.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
         !! The variable.
      type(sample_type), intent(in) :: sample
         !! What the step showed.
      logical, intent(in) :: finite
         !! Whether the quotient is finite.
      real(dp), intent(in) :: gap
         !! The norm of its difference from the column so far, if they are compared.
      real(dp), intent(out) :: share
         !! The column is now the column so far and this share of the way to the quotient.
      logical :: turned

      if (debugging) call assert(self%asks(j), 'a variable is told what it asked for')
      associate (variable => self%variables(j))
         share = merge(0, 1, self%compares(j))
         if (.not. finite) then
            call variable%turn(self%bounds, turned)
            if (turned) return
            if (self%compares(j)) then
               call self%finish_search(variable)
            else
               self%info = jacobian_not_finite
            end if
         else if (self%compares(j)) then
            call self%compare(variable, sample, disagreement(gap, sample), share)
         else
            variable%sample = sample
            if (variable%stage == again) then
               call self%suspect(variable)
            else
               call variable%settle()
            end if
         end if
      end associate
   end subroutine hear

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
      self%largest = 1
      do j = 1, size(self%x)
         associate (sample => self%variables(j)%sample)
            if (sample%step <= 0) cycle
            self%largest = max(self%largest, abs(self%x(j))*(sample%change/sample%step))
         end associate
      end do
      do j = 1, size(self%x)
         associate (variable => self%variables(j), sample => self%variables(j)%sample)
            if (sample%step <= 0 .or. sample%change > giant) cycle
            call self%memory%forget(j, variable%x, sample%change, self%largest, was_in_use)
            if (was_in_use) then
               call variable%ask(self%bounds, again, self%first_step(j))
            else
               call self%suspect(variable)
            end if
         end associate
      end do
   end subroutine reconsider

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

   subroutine suspect(self, variable)
      !! Begin to search for another step if the change of the residuals is suspicious.
      class(differences_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable

      call variable%settle()
      associate (j => variable%j, change => variable%sample%change, memory => self%memory)
         if (self%has_effect(variable%sample)) memory%is_dead(j) = 0
         variable%is_without_effect = memory%is_dead(j) == 1
         if (variable%is_without_effect) return
         if (change <= too_small*self%largest .and. change*self%unit < memory%trusted_from(j)) then
            variable%search = begin_up(variable%sample)
         else if (change*(self%unit/memory%start_unit) >= too_large &
                  .and. memory%is_trusted(j) == 0) then
            variable%search = begin_down(variable%sample, variable%x, self%precision)
         else
            return
         end if
      end associate
      call self%search_on(variable)
   end subroutine suspect

   pure logical function has_effect(self, sample)
      !! Whether a step changed the residuals by more than their rounding errors. If the residuals
      !! are zero, their rounding errors are not known.
      class(differences_type), intent(in) :: self
      type(sample_type), intent(in) :: sample

      has_effect = sample%change > 0 .and. &
                   (self%unit < least_unit .or. is_felt(sample, self%largest))
   end function has_effect

   subroutine compare(self, variable, next, difference, share)
      !! Compare the quotient of another step with the column of a variable.
      class(differences_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
      type(sample_type), intent(in) :: next
         !! What the other step showed.
      real(dp), intent(in) :: difference
         !! The relative difference of the two quotients.
      real(dp), intent(out) :: share
         !! As in hear.
      logical :: goes_on

      if (variable%search%direction == upwards) then
         call compare_up(variable%search, next, difference, self%largest, share, goes_on)
      else
         call compare_down(variable%search, next, difference, share, goes_on)
      end if
      if (goes_on) then
         call self%search_on(variable)
      else
         call self%finish_search(variable)
      end if
   end subroutine compare

   subroutine search_on(self, variable)
      !! Ask for the next step of the search, or finish it.
      class(differences_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
      real(dp) :: step

      step = wanted_step(variable%search, variable%x, self%largest)
      if (step > 0) then
         call variable%ask(self%bounds, searching, step)
      else
         call self%finish_search(variable)
      end if
   end subroutine search_on

   subroutine finish_search(self, variable)
      !! Remember what the search found.
      class(differences_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
      logical :: has_effect

      call variable%settle()
      associate (j => variable%j, search => variable%search, last => variable%search%last, &
                 memory => self%memory)
         if (search%direction == upwards .and. search%is_curved) then
            memory%trusted_from(j) = self%unit*variable%sample%change/4
         else if (search%direction == upwards) then
            has_effect = search%has_effect
            ! Without another step, and without a unit, there is nothing to compare with.
            if (search%attempt == 1 .or. self%unit < least_unit) then
               has_effect = has_effect .or. self%has_effect(last)
            end if
            variable%is_without_effect = .not. has_effect
            memory%is_dead(j) = merge(1, 0, variable%is_without_effect)
            if (last%change > 0 .and. variable%is_without_effect) return
            if (last%step > variable%sample%step) then
               memory%shortest(j) = last%step
               memory%size(j) = abs(variable%x)
            end if
            variable%sample = last
            memory%trusted_from(j) = self%unit*last%change/4
         else
            memory%is_trusted(j) = 1
            if (last%step >= variable%sample%step) return
            if (found_step(search)) then
               memory%longest(j) = last%step
               variable%sample = last
            else
               call variable%ask(self%bounds, restoring, variable%sample%step)
            end if
         end if
      end associate
   end subroutine finish_search

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
