module minpack_subset_step
   !! The step of minpack_lmpar in some of the variables alone, the others being where they are.
   use minpack_kinds, only: dp
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use minpack_lmpar, only: lmpar, damped_step, workspace_type
   implicit none
   private
   public :: subset_step_type

   type :: subset_step_type
      real(dp), allocatable :: columns(:, :)
         !! Shape: (n, n + 1). Some columns of T and a right-hand side.
      real(dp), allocatable :: triangle(:, :)
         !! Shape: (n, n). What they become when factored.
      integer, allocatable :: ipvt(:)
         !! Shape: (n). The order in which they were factored.
      real(dp), allocatable :: norms(:)
         !! Shape: (n). Theirs.
      real(dp), allocatable :: left(:, :)
         !! Shape: (n, 2). Workspace of pivoted_qr.
      real(dp), allocatable :: solution(:)
         !! Shape: (n). z of these variables in that order.
   contains
      procedure :: prepare
      procedure :: solve
      procedure :: solve_damped
      procedure, private :: factor
      procedure, private :: spread
   end type subset_step_type

contains

   subroutine prepare(self, n, stat)
      class(subset_step_type), intent(inout) :: self
      integer, intent(in) :: n
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      allocate (self%columns(n, n + 1), self%triangle(n, n), self%ipvt(n), self%norms(n), &
                self%left(n, 2), self%solution(n), stat=stat)
   end subroutine prepare

   subroutine solve(self, t, qtf, which, delta, par, z, workspace)
      !! Solve for the variables that are named. The arguments are those of lmpar, but for:
      class(subset_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
         !! Shape: (n). Q'f less what the other variables explain of it.
      integer, intent(in) :: which(:)
         !! Fewer than n columns of T, in order.
      real(dp), intent(in) :: delta
      real(dp), intent(inout) :: par
      real(dp), intent(inout), contiguous :: z(:)
         !! Shape: (n). Out: minus the step in these variables, as it was in the others.
      type(workspace_type), intent(inout) :: workspace
      real(dp) :: length
      integer :: count

      count = size(which)
      call self%factor(t, qtf, which)
      call lmpar(count, self%triangle, self%columns(:count, count + 1), delta, par, self%solution, &
                 length, workspace)
      call self%spread(which, z)
   end subroutine solve

   subroutine solve_damped(self, t, qtf, which, par, z, workspace)
      !! Solve with a par that is given and not zero. The other arguments are those of solve.
      class(subset_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      integer, intent(in) :: which(:)
      real(dp), intent(in) :: par
      real(dp), intent(inout), contiguous :: z(:)
      type(workspace_type), intent(inout) :: workspace
      integer :: count

      count = size(which)
      call self%factor(t, qtf, which)
      call damped_step(count, self%triangle, self%columns(:count, count + 1), par, self%solution, &
                       workspace)
      call self%spread(which, z)
   end subroutine solve_damped

   subroutine factor(self, t, qtf, which)
      !! Make a triangle, and its right-hand side, of the columns that are named.
      class(subset_step_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      integer, intent(in) :: which(:)
      integer :: n, count, j, k

      n = size(qtf)
      count = size(which)
      do k = 1, count
         j = which(k)
         self%columns(:j, k) = t(:j, j)
         self%columns(j + 1:, k) = 0
      end do
      self%columns(:, count + 1) = qtf
      call triangulate(n, count + 1, self%columns, n)
      call take_triangle(n, count, self%columns, self%triangle)
      call pivoted_qr(count, self%triangle, self%columns(:count, count + 1), self%ipvt, self%norms, &
                      self%left)
   end subroutine factor

   pure subroutine spread(self, which, z)
      class(subset_step_type), intent(in) :: self
      integer, intent(in) :: which(:)
      real(dp), intent(inout) :: z(:)
      integer :: i

      do i = 1, size(which)
         z(which(self%ipvt(i))) = self%solution(i)
      end do
   end subroutine spread

   pure subroutine take_triangle(ld, n, from, r)
      integer, intent(in) :: ld
      integer, intent(in) :: n
      real(dp), intent(in) :: from(ld, n)
      real(dp), intent(out) :: r(n, n)
      integer :: j

      do j = 1, n
         r(:j, j) = from(:j, j)
         r(j + 1:, j) = 0
      end do
   end subroutine take_triangle

end module minpack_subset_step
