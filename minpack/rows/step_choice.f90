module minpack_step_choice
   !! The choice of the step of one variable: which columns are suspected, and what is remembered.
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
   !! The first case is suspected if the residuals change by less than 1000 epsmch of their size, of
   !! the data, or of the largest effect |J_j x_j| of a variable. The second case is suspected if
   !! the residuals change by more than a thousandth of their size at the start. Then a step is
   !! tried that is 100 times as long, or 100 times as short. If the two quotients agree, the first
   !! was correct, and the variable is trusted. Otherwise the step is varied until two quotients in
   !! a row agree, or agree better than the next two. This step is remembered. If no step has an
   !! effect beyond rounding errors, the column is zero.
   !!
   !! In the second case the column may be almost a combination of others, as that of a period
   !! beside that of a phase if the times are Julian dates. Then both errors do harm: rounding
   !! errors change the covariance, and curvature stops the fit before the minimum. Therefore the
   !! remembered step is the longest for which curvature is a thousandth. If curvature is more than
   !! a hundredth of that, the residuals are evaluated at the opposite steps of all variables, too:
   !! the curvature cancels in the mean of the two quotients.
   use minpack_kinds, only: dp, epsmch, giant
   use minpack_assertions, only: debugging, assert
   use minpack_info, only: going_on, jacobian_not_finite
   use minpack_bounds, only: bounds_type
   use minpack_quotient, only: sample_type, disagreement
   use minpack_differenced_variable, only: variable_type, again, searching, concluding, &
                                           mirrored
   use minpack_step_memory, only: step_memory_type
   use minpack_step_search, only: begin_up, begin_down, wanted_step, compare_up, compare_down, &
                                  found_step, is_felt, too_small, upwards
   implicit none
   private
   public :: step_choice_type

   real(dp), parameter :: too_large = 1e-3_dp
      !! A change of the residuals that is suspected to hide their curvature.
   real(dp), parameter :: a_jump = 10
      !! A change that is a jump, as at the wall of a penalty, also for a variable that was trusted
      !! away from it.
   real(dp), parameter :: least_unit = 1e-200_dp
      !! Changes in a smaller unit may overflow.

   type :: step_choice_type
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
      real(dp) :: data_norm = -1
         !! The norm of the data that the residuals are differences from; negative if it is not
         !! known.
      real(dp) :: largest = 1
         !! The largest effect of a variable, or the data if they are larger, in this unit.
   contains
      procedure :: size_of_data
      procedure :: first_step
      procedure :: hear
      procedure :: suspect
      procedure :: is_jump
      procedure, private :: has_effect
      procedure, private :: compare
      procedure, private :: search_on
      procedure, private :: mirror
      procedure, private :: finish_search
      procedure, private :: restore
   end type step_choice_type

contains

   pure real(dp) function size_of_data(self) result(size)
      !! The data in the unit of changes, or 1 if they are smaller than the residuals.
      class(step_choice_type), intent(in) :: self

      size = 1
      if (self%unit >= least_unit) size = max(size, min(self%data_norm/self%unit, giant))
   end function size_of_data

   pure real(dp) function first_step(self, j, x) result(step)
      !! The step of variable j to begin with.
      class(step_choice_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: x
         !! Its value.
      real(dp) :: relative

      relative = sqrt(self%precision)
      if (associated(self%steps)) relative = self%steps(j)
      step = relative*abs(x)
      if (step == 0) step = relative
      step = self%memory%limit(j, x, step)
   end function first_step

   subroutine hear(self, variable, sample, finite, gap, share)
      !! Take what the step of a variable showed. The variable may ask for another point then.
      class(step_choice_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
         !! Asks for a point.
      type(sample_type), intent(in) :: sample
         !! What the step showed.
      logical, intent(in) :: finite
         !! Whether the quotient is finite.
      real(dp), intent(in) :: gap
         !! The norm of its difference from the column so far, if they are compared.
      real(dp), intent(out) :: share
         !! The column is now the column so far and this share of the way to the quotient.
      logical :: turned

      if (debugging) call assert(variable%step /= 0, 'a variable is told what it asked for')
      share = merge(0, 1, variable%compares())
      if (variable%stage == mirrored) then
         if (finite) share = variable%sample%step/(variable%sample%step + sample%step)
         call variable%settle()
      else if (.not. finite) then
         call variable%turn(self%bounds, turned)
         if (turned) return
         if (variable%stage == searching) then
            call self%finish_search(variable)
         else
            self%info = jacobian_not_finite
         end if
      else if (variable%stage == searching) then
         call self%compare(variable, sample, disagreement(gap, sample), share)
      else
         variable%sample = sample
         if (variable%stage == again) then
            call self%suspect(variable)
         else
            call self%mirror(variable)
         end if
      end if
   end subroutine hear

   subroutine mirror(self, variable)
      !! If curvature limits the step of any variable, ask for the opposite step, too.
      class(step_choice_type), intent(in) :: self
      type(variable_type), intent(inout) :: variable
         !! Its column was differenced.
      real(dp) :: step

      step = variable%step
      call variable%settle()
      if (variable%is_turned .or. all(self%memory%longest >= giant)) return
      call variable%ask(self%bounds, mirrored, -step)
      if (variable%step*step > 0) call variable%settle()
   end subroutine mirror

   subroutine suspect(self, variable)
      !! Begin to search for another step if the change of the residuals is suspicious.
      class(step_choice_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
         !! Its column was differenced by the first step.

      call variable%settle()
      associate (j => variable%j, change => variable%sample%change, memory => self%memory)
         if (self%has_effect(variable%sample)) memory%is_dead(j) = 0
         variable%is_without_effect = memory%is_dead(j) == 1
         if (variable%is_without_effect) return
         if (change <= too_small*self%largest .and. change*self%unit < memory%trusted_from(j)) then
            variable%search = begin_up(variable%sample)
         else if (self%is_jump(variable%sample) .or. &
                  (change*(self%unit/memory%start_unit) >= too_large &
                   .and. memory%is_trusted(j) == 0)) then
            variable%search = begin_down(variable%sample, variable%x, self%precision, &
                                         self%largest)
         else
            return
         end if
      end associate
      call self%search_on(variable)
   end subroutine suspect

   pure logical function is_jump(self, sample)
      !! Whether a step changed the residuals by much more than their size at the start.
      class(step_choice_type), intent(in) :: self
      type(sample_type), intent(in) :: sample
         !! What the step showed.

      is_jump = sample%change*(self%unit/self%memory%start_unit) > a_jump
   end function is_jump

   pure logical function has_effect(self, sample)
      !! Whether a step changed the residuals by more than their rounding errors. If the residuals
      !! are zero, their rounding errors are not known.
      class(step_choice_type), intent(in) :: self
      type(sample_type), intent(in) :: sample

      has_effect = sample%change > 0 .and. &
                   (self%unit < least_unit .or. is_felt(sample, self%largest))
   end function has_effect

   subroutine compare(self, variable, next, difference, share)
      !! Compare the quotient of another step with the column of a variable.
      class(step_choice_type), intent(inout) :: self
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
      class(step_choice_type), intent(inout) :: self
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
      class(step_choice_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
      logical :: has_effect

      call variable%settle()
      associate (j => variable%j, search => variable%search, last => variable%search%last, &
                 memory => self%memory)
         if (search%direction == upwards) then
            has_effect = search%has_effect .or. search%is_curved
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
            memory%agreement(j) = search%agreement
            memory%trusted_from(j) = self%unit*last%change/4
         else
            memory%is_trusted(j) = 1
            variable%is_smooth = search%agreement < giant
            if (last%step >= variable%sample%step) then
               if (search%longest <= 0) return
               memory%longest(j) = search%longest
               variable%step = self%bounds%difference(j, variable%x, search%longest)
               call self%mirror(variable)
            else if (found_step(search)) then
               memory%longest(j) = search%longest
               call variable%ask(self%bounds, concluding, search%longest)
            else
               call self%restore(variable)
            end if
         end if
      end associate
   end subroutine finish_search

   subroutine restore(self, variable)
      !! Ask for the first step again, because shorter steps are no better. If the residuals jump
      !! there, as at the wall of a penalty, ask for the opposite step.
      class(step_choice_type), intent(inout) :: self
      type(variable_type), intent(inout) :: variable
      logical :: jumps

      jumps = variable%sample%change > 1
      self%memory%is_trusted(variable%j) = merge(0, 1, jumps)
      call variable%ask(self%bounds, concluding, &
                        merge(-variable%sample%step, variable%sample%step, jumps))
   end subroutine restore

end module minpack_step_choice
