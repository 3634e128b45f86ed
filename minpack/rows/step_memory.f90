module minpack_step_memory
   !! What is remembered about the steps of finite differences from one Jacobian to the next.
   use minpack_kinds, only: dp, epsmch, giant
   use minpack_store, only: store_type
   implicit none
   private
   public :: step_memory_type, reals_of_memory, integers_of_memory

   type :: step_memory_type
      real(dp), pointer :: start_unit => null()
         !! The norm of the residuals at the first Jacobian, or zero before it.
      real(dp), pointer, contiguous :: shortest(:) => null()
         !! Shape: (n). The least step of a variable that has almost no effect, or 0.
      real(dp), pointer, contiguous :: size(:) => null()
         !! Shape: (n). |x| when that step was found.
      real(dp), pointer, contiguous :: longest(:) => null()
         !! Shape: (n). The largest step of a variable with an offset, or huge.
      real(dp), pointer, contiguous :: trusted_from(:) => null()
         !! Shape: (n). A change of the residuals of at least this size needs no second step.
      real(dp), pointer, contiguous :: agreement(:) => null()
         !! Shape: (n). The relative error of the column at most, by a second step, or huge.
      real(dp), pointer, contiguous :: changes(:) => null()
         !! Shape: (n). How much the step of each column changed the residuals, in units of the
         !! data, or of the residuals if they are larger.
      integer, pointer, contiguous :: is_dead(:) => null()
         !! Shape: (n). 1 if a variable had no effect, however long its step was.
      integer, pointer, contiguous :: is_trusted(:) => null()
         !! Shape: (n). 1 if a second step confirmed the quotient of a large change.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: limit
      procedure :: forget
   end type step_memory_type

contains

   pure integer function reals_of_memory(n) result(count)
      !! How many real numbers are remembered.
      integer, intent(in) :: n
         !! Number of variables.

      count = 6*n + 1
   end function reals_of_memory

   pure integer function integers_of_memory(n) result(count)
      !! How many integers are remembered.
      integer, intent(in) :: n
         !! Number of variables.

      count = 2*n
   end function integers_of_memory

   subroutine attach(self, n, store)
      class(step_memory_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%start_unit => store%number()
      self%shortest => store%vector(n)
      self%size => store%vector(n)
      self%longest => store%vector(n)
      self%trusted_from => store%vector(n)
      self%agreement => store%vector(n)
      self%changes => store%vector(n)
      self%is_dead => store%indices(n)
      self%is_trusted => store%indices(n)
   end subroutine attach

   pure subroutine begin(self)
      !! Forget everything.
      class(step_memory_type), intent(inout) :: self

      self%start_unit = 0
      self%shortest = 0
      self%size = 0
      self%longest = giant
      self%trusted_from = giant
      self%agreement = giant
      self%changes = 1
      self%is_dead = 0
      self%is_trusted = 0
   end subroutine begin

   pure real(dp) function limit(self, j, x, usual) result(step)
      !! The step to begin with.
      class(step_memory_type), intent(in) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: x
         !! Its value.
      real(dp), intent(in) :: usual
         !! The step if nothing is remembered.

      step = usual
      if (abs(x) <= 2*self%size(j)) step = max(step, self%shortest(j))
      step = min(step, self%longest(j))
   end function limit

   pure subroutine forget(self, j, x, change, largest, was_in_use)
      !! Forget the least step of a variable if it has more effect here, or is larger.
      class(step_memory_type), intent(inout) :: self
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: x
         !! Its value.
      real(dp), intent(in) :: change
         !! The change of the residuals by its step.
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.
      logical, intent(out) :: was_in_use
         !! Whether the step that was forgotten made this change.

      was_in_use = .false.
      if (self%shortest(j) <= 0) return
      if (abs(x) <= 2*self%size(j)) then
         if (change <= 10*sqrt(epsmch)*largest) return
         was_in_use = .true.
      end if
      self%shortest(j) = 0
      self%trusted_from(j) = giant
      self%agreement(j) = giant
   end subroutine forget

end module minpack_step_memory
