module minpack_sums
   !! What the parts of a fit answer: sums over their rows, as numbers whose count does not depend
   !! on the number of rows. The sums of two parts become the sums of both.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   use minpack_fold, only: fold_in
   use minpack_runs, only: size_of_runs, no_runs, add_runs
   implicit none
   private
   public :: sums_type, reals_of_sums

   type :: sums_type
      integer :: n = 0
         !! Number of variables.
      real(dp), pointer :: count => null()
         !! Number of rows.
      real(dp), pointer :: folded => null()
         !! Number of rows of the triangle, or -1 if there are products instead.
      real(dp), pointer :: norm => null()
         !! The square root of what is minimized, with the width of the request.
      real(dp), pointer :: data_norm => null()
         !! The norm of the data, in the first answer of a fit; zero if it is not known, too.
      real(dp), pointer :: true_norm => null()
         !! The same, without widening.
      real(dp), pointer :: outliers => null()
         !! How many residuals are outliers of the loss.
      real(dp), pointer, contiguous :: runs(:) => null()
         !! Shape: (size_of_runs). The runs of residuals that have the same sign.
      real(dp), pointer :: logarithms => null()
         !! The sum of the logarithms of the residuals, as the loss defines it.
      real(dp), pointer :: size => null()
         !! The norm of the residuals; the same if the loss is linear.
      real(dp), pointer, contiguous :: changes(:) => null()
         !! Shape: (n). The norm of the change of the residuals by each step; of the other step in a
         !! comparison.
      real(dp), pointer, contiguous :: gaps(:) => null()
         !! Shape: (n). The norm of the difference of two quotients.
      real(dp), pointer, contiguous :: spoiled(:) => null()
         !! Shape: (n). 1 if the quotient is not finite, or 0.
      real(dp), pointer, contiguous :: packed(:) => null()
         !! Shape: ((n + 1)(n + 2)/2). The triangle of [J f], column after column; or the products
         !! of the columns, without that of f with itself.
   contains
      procedure :: attach
      procedure :: height
      procedure :: add
      procedure :: add_products
      procedure :: unpack_products
      procedure :: unpack
      procedure :: pack
   end type sums_type

contains

   pure integer function reals_of_sums(n) result(count)
      !! How many numbers an answer consists of.
      integer, intent(in) :: n
         !! Number of variables.

      count = 12 + 3*n + (n + 1)*(n + 2)/2
   end function reals_of_sums

   subroutine attach(self, n, numbers, unused)
      !! Make sums of numbers, which may be new or come from elsewhere.
      class(sums_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      real(dp), intent(in), target, contiguous :: numbers(:)
         !! Shape: (reals_of_sums(n)).
      integer, intent(in), target, contiguous :: unused(:)
         !! Shape: (0).
      type(store_type) :: store

      call store%open(numbers, unused)
      self%n = n
      self%count => store%number()
      self%folded => store%number()
      self%norm => store%number()
      self%data_norm => store%number()
      self%size => store%number()
      self%true_norm => store%number()
      self%outliers => store%number()
      self%runs => store%vector(size_of_runs)
      self%logarithms => store%number()
      self%changes => store%vector(n)
      self%gaps => store%vector(n)
      self%spoiled => store%vector(n)
      self%packed => store%vector((n + 1)*(n + 2)/2)
   end subroutine attach

   pure integer function height(self)
      !! The number of rows of the triangle.
      class(sums_type), intent(in) :: self

      height = nint(self%folded)
   end function height

   subroutine add(self, more, triangle, block)
      !! Add the sums of other rows.
      class(sums_type), intent(inout) :: self
      type(sums_type), intent(in) :: more
         !! The sums to add.
      real(dp), intent(inout), contiguous :: triangle(:, :)
         !! Shape: (n + 1, n + 1). Workspace.
      real(dp), intent(inout), contiguous :: block(:, :)
         !! Shape: (n + 1, n + 3). Workspace.
      integer :: rows

      if (more%folded < 0) then
         self%packed = self%packed + more%packed
         self%folded = more%folded
      else if (more%folded > 0) then
         rows = self%height()
         call self%unpack(triangle)
         call more%unpack(block)
         call fold_in(more%height(), self%n + 1, block, self%n + 1, triangle, rows)
         call self%pack(triangle, rows)
      end if
      self%count = self%count + more%count
      self%norm = hypot(self%norm, more%norm)
      self%data_norm = hypot(self%data_norm, more%data_norm)
      self%true_norm = hypot(self%true_norm, more%true_norm)
      self%outliers = self%outliers + more%outliers
      call add_runs(self%runs, more%runs)
      self%logarithms = self%logarithms + more%logarithms
      self%size = hypot(self%size, more%size)
      self%changes = hypot(self%changes, more%changes)
      self%gaps = hypot(self%gaps, more%gaps)
      self%spoiled = max(self%spoiled, more%spoiled)
   end subroutine add

   pure subroutine add_products(self, products)
      !! Add the products of the columns of other rows.
      class(sums_type), intent(inout) :: self
      real(dp), intent(in) :: products(:, :)
         !! Shape: (n + 1, n). J'J, its lower triangle, and f'J below it.
      integer :: j, last, length

      self%folded = -1
      last = 0
      do j = 1, self%n
         length = self%n + 2 - j
         self%packed(last + 1:last + length) = self%packed(last + 1:last + length) + products(j:, j)
         last = last + length
      end do
   end subroutine add_products

   pure subroutine unpack_products(self, products)
      !! Copy the products to a matrix.
      class(sums_type), intent(in) :: self
      real(dp), intent(inout) :: products(:, :)
         !! Shape: (n + 1, n). J'J, its lower triangle, and f'J below it.
      integer :: j, last, length

      last = 0
      do j = 1, self%n
         length = self%n + 2 - j
         products(j:, j) = self%packed(last + 1:last + length)
         last = last + length
      end do
   end subroutine unpack_products

   pure subroutine unpack(self, triangle)
      !! Copy the triangle to a matrix, with zeros below its diagonal.
      class(sums_type), intent(in) :: self
      real(dp), intent(inout) :: triangle(:, :)
         !! Shape: at least (n + 1, n + 1).
      integer :: j, last

      last = 0
      do j = 1, self%n + 1
         triangle(:j, j) = self%packed(last + 1:last + j)
         triangle(j + 1:, j) = 0
         last = last + j
      end do
   end subroutine unpack

   pure subroutine pack(self, triangle, height)
      !! Take the triangle from a matrix.
      class(sums_type), intent(inout) :: self
      real(dp), intent(in) :: triangle(:, :)
         !! Shape: (n + 1, n + 1). Rows beyond its height are zero.
      integer, intent(in) :: height
         !! The number of its rows.
      integer :: j, last

      self%folded = height
      last = 0
      do j = 1, self%n + 1
         self%packed(last + 1:last + j) = triangle(:j, j)
         last = last + j
      end do
   end subroutine pack

end module minpack_sums
