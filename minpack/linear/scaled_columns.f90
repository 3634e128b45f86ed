module minpack_scaled_columns
   !! Columns of a triangle R, scaled to norm one, and which of them are combinations of the others.
   !!
   !! The columns are scaled so that no decision depends on the units of the variables, and factored
   !! once more: R N^-1 P = Q S. |S(k, k)| is the sine of the angle between a column and the space
   !! of the columns before it. If the sine is within the error of the columns, the data may not
   !! determine the variable, nor those variables whose columns it combines: they act together.
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use minpack_triangle, only: solve, copy_triangle
   use minpack_tile, only: many_columns
   use minpack_inverse, only: invert, multiply_rows
   implicit none
   private
   public :: scaled_columns

   real(dp), parameter :: considerable = 0.01_dp
      !! The least share in a combination of columns that counts.
   real(dp), parameter :: clear = 1e-3_dp
      !! Columns are independent beyond doubt if all sines are larger.

   type :: scaled_columns
      integer :: count = 0
         !! Number of columns.
      integer, allocatable :: which(:)
         !! Shape: (n). The variables of the columns; after factor, in the order of S.
      real(dp), allocatable :: norms(:)
         !! Shape: (n). The diagonal of N, in the same order.

      integer, private :: n = 0
      real(dp), allocatable, private :: columns(:, :)
         !! Shape: (n, n). R N^-1, folded; then workspace.
      real(dp), allocatable, private :: s(:)
         !! Shape: (n*n). S, a square matrix of the size of count.
      integer, allocatable, private :: order(:), unordered(:)
      real(dp), allocatable, private :: numbers(:)
         !! Shape: (n). Workspace.
      real(dp), allocatable, private :: left(:, :)
         !! Shape: (n, 2). For pivoted_qr.
   contains
      procedure :: allocate_for
      procedure :: take
      procedure :: factor
      procedure :: multiply_inverse
   end type scaled_columns

contains

   subroutine allocate_for(self, n, stat)
      class(scaled_columns), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%n = n
      allocate (self%which(n), self%norms(n), self%columns(n, n), self%s(n*n), self%order(n), &
                self%unordered(n), self%numbers(n), self%left(n, 2), stat=stat)
   end subroutine allocate_for

   pure subroutine take(self, r, ipvt, chosen, deviation)
      !! Scale the columns of the chosen variables to norm one, and fold them. Columns of zeros are
      !! left out.
      class(scaled_columns), intent(inout) :: self
      real(dp), intent(in) :: r(self%n, self%n)
         !! The triangle.
      integer, intent(in) :: ipvt(self%n)
         !! Column k of R belongs to variable ipvt(k).
      logical, intent(in) :: chosen(self%n)
         !! Whether to take the column of each variable.
      real(dp), intent(in) :: deviation
         !! Divides R; not zero.
      real(dp) :: norm
      integer :: k

      self%count = 0
      do k = 1, self%n
         if (.not. chosen(ipvt(k))) cycle
         associate (column => self%columns(:, self%count + 1))
            column(:k) = r(:k, k)/deviation
            norm = enorm(k, column)
            if (norm == 0) cycle
            column(:k) = column(:k)/norm
            column(k + 1:) = 0
         end associate
         self%count = self%count + 1
         self%norms(self%count) = norm
         self%which(self%count) = ipvt(k)
      end do
      if (self%count < self%n) call triangulate(self%n, self%count, self%columns, self%n)
   end subroutine take

   pure subroutine factor(self, tolerance, together, sine)
      !! Factor the folded columns, and find the variables that act together.
      class(scaled_columns), intent(inout) :: self
      real(dp), intent(in) :: tolerance
         !! The error of the columns.
      logical, intent(out) :: together(self%n)
         !! Whether each variable acts together with others.
      real(dp), intent(out) :: sine
         !! The smallest |S(k, k)|.
      integer :: k

      together = .false.
      sine = huge(sine)
      if (self%count == 0) return
      call copy_triangle(self%count, self%columns, self%n, self%s)
      call pivot(self%count, self%s, self%numbers, self%order, self%columns(1, 1), self%left)
      do k = 1, self%count
         self%unordered(k) = self%which(k)
         self%numbers(k) = self%norms(k)
         sine = min(sine, abs(self%s(k + (k - 1)*self%count)))
      end do
      do k = 1, self%count
         self%which(k) = self%unordered(self%order(k))
         self%norms(k) = self%numbers(self%order(k))
      end do
      call find_dependent(self%count, self%s, self%which, tolerance, self%numbers, together)
   end subroutine factor

   pure subroutine multiply_inverse(self, product, representable)
      !! Compute the inverse of the columns' product. With U the inverse of S, it is
      !! N^-1 P U U' P' N^-1. S is lost.
      class(scaled_columns), intent(inout) :: self
      real(dp), intent(inout) :: product(self%n, self%n)
         !! Out: the elements of the variables of the columns.
      logical, intent(out) :: representable
         !! Whether no number is too large.

      call multiply_factors(self%n, self%count, self%s, self%columns, self%which, self%norms, &
                            product, representable)
   end subroutine multiply_inverse

   pure subroutine pivot(n, s, zeros, order, norms, left)
      !! Pivot the columns, unless they are many, and clearly independent.
      integer, intent(in) :: n
      real(dp), intent(inout) :: s(n, n)
      real(dp), intent(out) :: zeros(n)
         !! There is no right-hand side.
      integer, intent(out) :: order(n)
      real(dp), intent(out) :: norms(n)
      real(dp), intent(out) :: left(n, 2)
      logical :: independent
      integer :: k

      independent = n >= many_columns
      do k = 1, n
         order(k) = k
         independent = independent .and. abs(s(k, k)) > clear
      end do
      if (independent) return
      zeros = 0
      call pivoted_qr(n, s, zeros, order, norms, left)
   end subroutine pivot

   pure subroutine find_dependent(n, s, which, tolerance, combination, together)
      !! Find the columns that are combinations of others, and those that they combine.
      integer, intent(in) :: n
      real(dp), intent(in) :: s(n, n)
      integer, intent(in) :: which(:)
         !! The variables of the columns.
      real(dp), intent(in) :: tolerance
      real(dp), intent(inout) :: combination(:)
         !! Workspace.
      logical, intent(inout) :: together(:)
      integer :: rank, j, k

      do rank = 0, n - 1
         if (abs(s(rank + 1, rank + 1)) <= tolerance) exit
      end do
      do k = rank + 1, n
         together(which(k)) = .true.
         combination(:rank) = s(:rank, k)
         call solve(rank, s, n, combination)
         do j = 1, rank
            if (abs(combination(j)) > considerable) together(which(j)) = .true.
         end do
      end do
   end subroutine find_dependent

   pure subroutine multiply_factors(n, count, s, u, which, norms, product, representable)
      integer, intent(in) :: n
      integer, intent(in) :: count
      real(dp), intent(inout) :: s(count, count)
      real(dp), intent(out) :: u(count, count)
         !! Workspace.
      integer, intent(in) :: which(:)
      real(dp), intent(in) :: norms(:)
      real(dp), intent(inout) :: product(n, n)
      logical, intent(out) :: representable
      integer :: i, j

      call invert(count, s, u)
      do j = 1, count
         u(:j, j) = u(:j, j)/norms(:j)
      end do
      call multiply_rows(count, u, s)
      representable = .true.
      do j = 1, count
         do i = j, count
            product(which(i), which(j)) = s(i, j)
            product(which(j), which(i)) = s(i, j)
         end do
         if (.not. s(j, j) <= huge(s)) representable = .false.
      end do
   end subroutine multiply_factors

end module minpack_scaled_columns
