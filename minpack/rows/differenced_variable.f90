module minpack_differenced_variable
   !! One variable while its column of the Jacobian is differenced: the point that it asks for, and
   !! why.
   use minpack_kinds, only: dp
   use minpack_bounds, only: bounds_type
   use minpack_quotient, only: sample_type
   use minpack_step_search, only: search_type
   implicit none
   private
   public :: variable_type, settled, first, again, searching, concluding, mirrored

   integer, parameter :: settled = 0
      !! The column is good.
   integer, parameter :: first = 1
      !! The column is to be differenced by the step to begin with.
   integer, parameter :: again = 2
      !! The first step is repeated, because the remembered step was discarded.
   integer, parameter :: searching = 3
      !! Another step is tried.
   integer, parameter :: concluding = 4
      !! The search is over: the column is to be differenced by the step that was found, or by the
      !! first step again.
   integer, parameter :: mirrored = 5
      !! The opposite step is asked for, too.

   type :: variable_type
      integer :: j = 0
         !! Which variable it is.
      real(dp) :: x = 0
         !! Its value.
      integer :: stage = settled
      real(dp) :: step = 0
         !! The step that is asked for, or zero; negative backward.
      logical :: is_turned = .false.
         !! Whether it is the opposite of the step that was asked for before.
      type(sample_type) :: sample
         !! What the step of the column showed.
      logical :: is_without_effect = .false.
         !! Whether no step had an effect: the column is zero, not the rounding errors.
      logical :: is_smooth = .false.
         !! Whether shorter steps showed that the change by the step is no jump.
      type(search_type) :: search
   contains
      procedure :: ask
      procedure :: turn
      procedure :: settle
      procedure :: compares
   end type variable_type

contains

   pure subroutine ask(self, bounds, stage, wanted)
      !! Ask for a step forward, or backward where the forward step leaves the bounds. A variable
      !! that is fixed asks for none; its column is zero.
      class(variable_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
         !! Where the residuals may be evaluated.
      integer, intent(in) :: stage
         !! Why.
      real(dp), intent(in) :: wanted
         !! The length of the step.

      self%stage = stage
      self%is_turned = .false.
      self%step = bounds%difference(self%j, self%x, wanted)
   end subroutine ask

   pure subroutine turn(self, bounds, turned)
      !! Ask for the opposite step, once, because the first step left the domain of the functions.
      class(variable_type), intent(inout) :: self
      type(bounds_type), intent(in) :: bounds
         !! Where the residuals may be evaluated.
      logical, intent(out) :: turned
         !! Whether there is another step to ask for.
      real(dp) :: opposite

      opposite = bounds%difference(self%j, self%x, -self%step)
      turned = .not. self%is_turned .and. opposite /= self%step .and. opposite /= 0
      self%is_turned = .true.
      self%step = merge(opposite, 0.0_dp, turned)
   end subroutine turn

   pure subroutine settle(self)
      !! Ask for nothing more.
      class(variable_type), intent(inout) :: self

      self%stage = settled
      self%step = 0
   end subroutine settle

   pure logical function compares(self)
      !! Whether the quotient of the point that is asked for will be compared with the column so
      !! far. If not, it becomes the column.
      class(variable_type), intent(in) :: self

      compares = self%stage == searching .or. self%stage == mirrored
   end function compares

end module minpack_differenced_variable
