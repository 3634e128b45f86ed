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
   !!
   !! Nothing is evaluated here. Each variable asks for a point, and is told the residuals there; whoever
   !! evaluates them may take the points one by one or all at once.
   use minpack_kinds, only: dp, epsmch, giant, dwarf
   use minpack_info, only: going_on, jacobian_not_finite, out_of_memory
   use minpack_bounds, only: bounds_type
   use minpack_quotient, only: sample_type, take_quotient, disagreement
   use minpack_step_memory, only: step_memory_type
   use minpack_step_search, only: search_type, begin_up, begin_down, wanted_step, compare_up, &
                                  compare_down, found_step, too_small, factor, upwards
   implicit none
   private
   public :: differences_type

   real(dp), parameter :: too_large = 1e-3_dp
      !! A change of the residuals that is suspected to hide their curvature.

   integer, parameter :: settled = 0
      !! The column is good.
   integer, parameter :: first = 1
      !! The column is to be differenced by the step to begin with.
   integer, parameter :: again = 2
      !! The same once more, because a step that was remembered is forgotten.
   integer, parameter :: searching = 3
      !! Another step is tried.
   integer, parameter :: restoring = 4
      !! Shorter steps were worse: the column is to be differenced by the first step again.

   type :: variable_type
      integer :: stage = settled
      real(dp) :: step = 0
         !! The step that is asked for, or zero; negative backward.
      logical :: is_turned = .false.
         !! Whether it is the opposite of the step that was asked for before.
      type(sample_type) :: sample
         !! What the step of the column showed.
      type(search_type) :: search
   end type variable_type

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
      procedure :: asks
      procedure :: point
      procedure :: take
      procedure :: idle_point
      procedure :: take_idle
      procedure :: reconsider
      procedure, private :: first_step
      procedure, private :: ask
      procedure, private :: turn
      procedure, private :: forget_step
      procedure, private :: suspect
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

   subroutine plan(self, x, fnorm)
      !! Ask for a point for each variable that is not fixed.
      class(differences_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals at x.
      integer :: j

      self%x = x
      self%info = going_on
      self%unit = max(fnorm, dwarf)
      if (self%memory%start_unit == 0) self%memory%start_unit = self%unit
      do j = 1, size(x)
         self%variables(j)%sample = sample_type()
         call self%ask(j, first, self%first_step(j))
      end do
   end subroutine plan

   pure real(dp) function first_step(self, j) result(step)
      !! The step of variable j to begin with.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp) :: relative

      relative = sqrt(self%precision)
      if (associated(self%steps)) relative = self%steps(j)
      step = relative*abs(self%x(j))
      if (step == 0) step = relative
      associate (memory => self%memory)
         if (abs(self%x(j)) <= 2*memory%size(j)) step = max(step, memory%shortest(j))
         step = min(step, memory%longest(j))
      end associate
   end function first_step

   pure logical function asks(self, j)
      !! Whether variable j asks for a point.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j

      asks = self%variables(j)%step /= 0
   end function asks

   pure subroutine point(self, j, x)
      !! The point that variable j asks for.
      class(differences_type), intent(in) :: self
      integer, intent(in) :: j
      real(dp), intent(out) :: x(:)
         !! Shape: (n).

      x = self%x
      x(j) = self%bounds%confine(j, x(j) + self%variables(j)%step)
   end subroutine point

   subroutine take(self, j, values, fvec, column)
      !! Take the residuals at the point that variable j asked for. It may ask for another point then.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      real(dp), intent(in), contiguous :: values(:)
         !! Shape: (m). The residuals at that point.
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      real(dp), intent(inout), contiguous :: column(:)
         !! Shape: (m). The column of the Jacobian.
      type(sample_type) :: next
      logical :: finite
      integer :: m, stat

      m = size(values)
      associate (variable => self%variables(j))
         if (variable%stage == searching) then
            stat = 0
            if (.not. allocated(self%other)) allocate (self%other(m), stat=stat)
            if (stat /= 0) then
               self%info = out_of_memory
               return
            end if
            call take_quotient(m, values, fvec, variable%step, self%unit, self%other, next, finite)
            if (finite) then
               call self%compare(j, next, column)
            else if (.not. self%turn(j)) then
               ! The column in hand will have to do.
               call self%finish_search(j)
            end if
            return
         end if
         call take_quotient(m, values, fvec, variable%step, self%unit, column, next, finite)
         if (.not. finite) then
            if (.not. self%turn(j)) self%info = jacobian_not_finite
            return
         end if
         variable%sample = next
         variable%step = 0
         if (variable%stage == again) then
            call self%suspect(j)
         else
            variable%stage = settled
         end if
      end associate
   end subroutine take

   subroutine ask(self, j, stage, wanted)
      !! Let variable j ask for a point: a step of that length forward, or backward where the forward
      !! step leaves the bounds. A variable that is fixed asks for none; its column is zero.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      integer, intent(in) :: stage
      real(dp), intent(in) :: wanted

      associate (variable => self%variables(j))
         variable%stage = stage
         variable%is_turned = .false.
         variable%step = self%bounds%difference(j, self%x(j), wanted)
      end associate
   end subroutine ask

   logical function turn(self, j)
      !! Let variable j ask for the opposite step, once: the first left the domain of the functions.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      real(dp) :: opposite

      associate (variable => self%variables(j))
         opposite = self%bounds%difference(j, self%x(j), -variable%step)
         turn = .not. variable%is_turned .and. opposite /= variable%step .and. opposite /= 0
         variable%is_turned = .true.
         variable%step = merge(opposite, 0.0_dp, turn)
      end associate
   end function turn

   subroutine idle_point(self, x, count)
      !! A point to step to in all variables that had no effect. If they have none together either, there
      !! is no need to try them one by one.
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
         associate (sample => self%variables(j)%sample)
            if (sample%step <= 0 .or. sample%change > giant) cycle
         end associate
         call self%forget_step(j)
         if (.not. self%asks(j)) call self%suspect(j)
      end do
   end subroutine reconsider

   subroutine forget_step(self, j)
      !! Forget the step that is remembered if the variable has more effect here, or a larger size; ask for
      !! the usual step if the other one was in use.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      logical :: is_in_use

      associate (memory => self%memory)
         if (memory%shortest(j) <= 0) return
         is_in_use = abs(self%x(j)) <= 2*memory%size(j)
         if (is_in_use .and. &
             self%variables(j)%sample%change <= 10*sqrt(epsmch)*self%largest) return
         memory%shortest(j) = 0
         memory%trusted_from(j) = giant
      end associate
      if (is_in_use) call self%ask(j, again, self%first_step(j))
   end subroutine forget_step

   subroutine suspect(self, j)
      !! Begin to search for another step if the change of the residuals is suspicious.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j

      associate (variable => self%variables(j), change => self%variables(j)%sample%change, &
                 memory => self%memory)
         variable%stage = settled
         if (change > 0) memory%is_dead(j) = 0
         if (memory%is_dead(j) == 1) return
         if (change <= too_small*self%largest .and. change*self%unit < memory%trusted_from(j)) then
            variable%search = begin_up(variable%sample)
         else if (change*(self%unit/memory%start_unit) >= too_large &
                  .and. memory%is_trusted(j) == 0) then
            variable%search = begin_down(variable%sample, self%x(j), self%precision)
         else
            return
         end if
      end associate
      call self%search_on(j)
   end subroutine suspect

   subroutine compare(self, j, next, column)
      !! Compare the quotient of another step with the column of variable j.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      type(sample_type), intent(in) :: next
         !! What the other step showed.
      real(dp), intent(inout), contiguous :: column(:)
      real(dp) :: difference
      logical :: goes_on

      difference = disagreement(size(column), column, self%other, self%unit, next)
      associate (search => self%variables(j)%search)
         if (search%direction == upwards) then
            call compare_up(search, next, difference, self%largest, column, self%other, goes_on)
         else
            call compare_down(search, next, difference, column, self%other, goes_on)
         end if
      end associate
      if (goes_on) then
         call self%search_on(j)
      else
         call self%finish_search(j)
      end if
   end subroutine compare

   subroutine search_on(self, j)
      !! Ask for the next step of the search, or finish it.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j
      real(dp) :: step

      step = wanted_step(self%variables(j)%search, self%largest)
      if (step > 0) then
         call self%ask(j, searching, step)
      else
         call self%finish_search(j)
      end if
   end subroutine search_on

   subroutine finish_search(self, j)
      !! Remember what the search found.
      class(differences_type), intent(inout) :: self
      integer, intent(in) :: j

      associate (variable => self%variables(j), memory => self%memory, &
                 last => self%variables(j)%search%last)
         variable%stage = settled
         variable%step = 0
         if (variable%search%direction == upwards) then
            memory%trusted_from(j) = self%unit*variable%sample%change/4
            if (variable%search%is_curved) return
            memory%is_dead(j) = merge(1, 0, last%change <= 0)
            if (last%step > variable%sample%step) then
               memory%shortest(j) = last%step
               memory%size(j) = abs(self%x(j))
            end if
            variable%sample = last
            memory%trusted_from(j) = self%unit*last%change/4
            return
         end if
         memory%is_trusted(j) = 1
         if (last%step >= variable%sample%step) return
         if (found_step(variable%search)) then
            memory%longest(j) = last%step
            variable%sample = last
         else
            call self%ask(j, restoring, variable%sample%step)
         end if
      end associate
   end subroutine finish_search

end module minpack_differences
