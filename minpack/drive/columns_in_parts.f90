module minpack_columns_in_parts
   !! The steps of a Jacobian that is differenced in parts.
   !!
   !! The parts keep no column. So a column is known by its recipe: the step whose quotient it is,
   !! or two steps and the share of the way between their quotients. Other steps are compared with
   !! the recipe, and the recipe changes.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   use minpack_settings, only: settings_type
   use minpack_quotient, only: sample_type
   use minpack_step_memory, only: reals_of_memory, integers_of_memory
   use minpack_differences, only: differences_type
   use minpack_request, only: request_type, reals_of_request
   use minpack_sums, only: sums_type
   implicit none
   private
   public :: columns_in_parts_type

   type :: columns_in_parts_type
      type(differences_type) :: differences
      logical :: is_changed = .false.
         !! Whether the recipe differs from the request that it was made of.
      logical, private :: was_reconsidered = .false.
         !! Whether the quotients of this Jacobian were looked at.
      type(request_type), private :: recipe
      real(dp), allocatable, private :: recipe_numbers(:)
      real(dp), allocatable, private :: memory_reals(:)
         !! What the differences remember.
      integer, allocatable, private :: memory_integers(:)
      integer, allocatable, private :: unused(:)
         !! Shape: (0).
   contains
      procedure :: open
      procedure :: plan
      procedure :: hear
      procedure :: hear_others
      procedure :: search
      procedure :: recall
      procedure :: drop
      procedure, private :: asks
   end type columns_in_parts_type

contains

   subroutine open(self, n, settings, stat)
      !! Allocate memory.
      class(columns_in_parts_type), intent(inout), target :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(settings_type), intent(in) :: settings
         !! The options of the fit.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      type(store_type) :: store

      allocate (self%memory_reals(reals_of_memory(n)), &
                self%memory_integers(integers_of_memory(n)), &
                self%recipe_numbers(reals_of_request(n)), self%unused(0), stat=stat)
      if (stat == 0) call self%differences%allocate_for(n, stat)
      if (stat /= 0) return
      call self%recipe%attach(n, self%recipe_numbers, self%unused)
      call store%open(self%memory_reals, self%memory_integers)
      call self%differences%memory%attach(n, store)
      call self%differences%memory%begin()
      self%differences%precision = settings%residual_error()
      self%differences%steps => settings%steps
      self%differences%bounds = settings%bounds
   end subroutine open

   subroutine plan(self, request, numbers)
      !! Ask for a step in each variable.
      class(columns_in_parts_type), intent(inout) :: self
      type(request_type), intent(inout) :: request
         !! At its point, without steps.
      real(dp), intent(in) :: numbers(:)
         !! The numbers of the request.
      integer :: j

      call self%differences%plan(request%x)
      self%was_reconsidered = .false.
      self%is_changed = .false.
      do j = 1, request%n
         if (.not. self%differences%asks(j)) cycle
         request%steps(j) = self%differences%variables(j)%step
         request%ends(j) = self%differences%end_of_step(j)
      end do
      self%recipe_numbers = numbers
   end subroutine plan

   subroutine hear(self, request, sums)
      !! Take what the steps showed.
      class(columns_in_parts_type), intent(inout) :: self
      type(request_type), intent(in) :: request
         !! What was asked for.
      type(sums_type), intent(in) :: sums
         !! The answer.
      real(dp) :: share, scale
      integer :: j

      call self%differences%measure_in(sums%size)
      scale = request%unit/self%differences%unit
      associate (step => request%steps)
         do j = 1, request%n
            if (step(j) == 0) cycle
            call self%differences%hear(self%differences%variables(j), &
                                       sample_type(abs(step(j)), sums%changes(j)*scale), &
                                       sums%spoiled(j) == 0, 0.0_dp, share)
         end do
      end associate
   end subroutine hear

   subroutine hear_others(self, request, sums)
      !! Take what other steps showed, and change the recipe where these are better.
      class(columns_in_parts_type), intent(inout) :: self
      type(request_type), intent(in) :: request
         !! What was asked for.
      type(sums_type), intent(in) :: sums
         !! The answer.
      real(dp) :: share, scale
      logical :: finite
      integer :: j

      scale = request%unit/self%differences%unit
      associate (recipe => self%recipe, other => request%others, other_end => request%other_ends)
         do j = 1, request%n
            if (other(j) == 0) cycle
            finite = sums%spoiled(j) == 0
            call self%differences%hear(self%differences%variables(j), &
                                       sample_type(abs(other(j)), sums%changes(j)*scale), &
                                       finite, sums%gaps(j)*scale, share)
            if (.not. finite .or. share == 0) cycle
            self%is_changed = .true.
            if (share == 1) then
               recipe%steps(j) = other(j)
               recipe%ends(j) = other_end(j)
            else
               recipe%others(j) = other(j)
               recipe%other_ends(j) = other_end(j)
               recipe%shares(j) = share
            end if
         end do
      end associate
   end subroutine hear_others

   subroutine search(self, request, asks)
      !! Ask for other steps, if there are any to try.
      class(columns_in_parts_type), intent(inout) :: self
      type(request_type), intent(inout) :: request
         !! At the same point.
      logical, intent(out) :: asks
         !! Whether there are.
      integer :: j

      if (.not. (self%was_reconsidered .or. self%asks())) then
         call self%differences%reconsider()
         self%was_reconsidered = .true.
      end if
      asks = self%asks()
      if (.not. asks) return
      associate (recipe => self%recipe, differences => self%differences)
         call request%begin(differences%x, differences%unit, request%width, request%share)
         do j = 1, request%n
            if (.not. differences%asks(j)) cycle
            request%others(j) = differences%variables(j)%step
            request%other_ends(j) = differences%end_of_step(j)
            if (.not. differences%variables(j)%compares()) cycle
            request%steps(j) = recipe%steps(j)
            request%ends(j) = recipe%ends(j)
         end do
      end associate
   end subroutine search

   pure logical function asks(self)
      !! Whether any variable asks for a point.
      class(columns_in_parts_type), intent(in) :: self
      integer :: j

      asks = .false.
      do j = 1, self%recipe%n
         asks = asks .or. self%differences%asks(j)
      end do
   end function asks

   pure subroutine recall(self, numbers)
      !! Ask for the columns by their recipe.
      class(columns_in_parts_type), intent(in) :: self
      real(dp), intent(out) :: numbers(:)
         !! The numbers of the request.

      numbers = self%recipe_numbers
   end subroutine recall

   pure subroutine drop(self, r, are_products)
      !! Set the columns of variables without effect to zero.
      class(columns_in_parts_type), intent(in) :: self
      real(dp), intent(inout), contiguous :: r(:, :)
         !! Shape: (n + 1, n + 1). The triangle, or the products.
      logical, intent(in) :: are_products
         !! Whether these are products.
      integer :: j

      do j = 1, self%recipe%n
         if (.not. self%differences%variables(j)%is_without_effect) cycle
         r(:, j) = 0
         if (are_products) r(j, :self%recipe%n) = 0
      end do
   end subroutine drop

end module minpack_columns_in_parts
