module minpack_workspace
   !! Scratch memory for the computation of steps. Its contents have no meaning between two calls,
   !! so the fits of one thread share it.
   use minpack_kinds, only: dp
   use minpack_vectors, only: line
   implicit none
   private
   public :: workspace_type

   integer, parameter :: most_rows = 128
      !! To be folded into a triangle at once.

   type :: workspace_type
      integer :: rows = 0
         !! Rows of the block.
      real(dp), allocatable :: damped(:)
         !! Shape: (n*(n + 1)). The triangle of [T; sqrt(par) I], and the right-hand side behind it.
      real(dp), allocatable :: products(:)
         !! Shape: (n*n). T'T.
      real(dp), allocatable :: block(:)
         !! Rows that are folded, from the first cache line on: (rows, n + 3).
      real(dp), allocatable :: scaled(:)
         !! Shape: (n). A vector in scaled variables.
      real(dp), allocatable :: image(:)
         !! Shape: (n). T z, or Q'f - T z.
      real(dp), allocatable :: unlimited(:)
         !! Shape: (n). Minus a step that no radius limits.
      real(dp), allocatable :: left(:, :)
         !! Shape: (n, 2). For pivoted_qr.

      ! With bounds:
      real(dp), allocatable :: columns(:, :)
         !! Shape: (n, n + 1). Some columns of T, and a right-hand side.
      real(dp), allocatable :: triangle(:, :)
         !! Shape: (n, n). The triangle of these columns.
      real(dp), allocatable :: norms(:)
         !! Shape: (n). The norms of these columns.
      real(dp), allocatable :: solution(:)
         !! Shape: (n). z of these columns, in the order in which they were factored.
      real(dp), allocatable :: slope(:)
         !! Shape: (n). T'(q - T z).
      real(dp), allocatable :: goal(:)
         !! Shape: (n). The solution for the free variables.
      integer, allocatable :: ipvt(:)
         !! Shape: (n). The order in which columns were factored.
      integer, allocatable :: free(:)
         !! Shape: (n). The columns of the free variables, first.
      integer, allocatable :: chances(:)
         !! Shape: (n). How often a variable may still be released.
      logical, allocatable :: spent(:)
         !! Shape: (n). Whether a variable was released and could not move.
   contains
      procedure :: allocate_for
   end type workspace_type

contains

   subroutine allocate_for(self, n, bounded, stat)
      class(workspace_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      logical, intent(in) :: bounded
         !! Whether the fits have bounds.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%rows = line*((min(n, most_rows) + line - 1)/line)
      allocate (self%damped(n*(n + 1)), self%products(n*n), &
                self%block(self%rows*(n + 3) + line), self%scaled(n), self%image(n), &
                self%unlimited(n), self%left(n, 2), stat=stat)
      if (stat /= 0 .or. .not. bounded) return
      allocate (self%columns(n, n + 1), self%triangle(n, n), self%norms(n), self%solution(n), &
                self%slope(n), self%goal(n), self%ipvt(n), self%free(n), self%chances(n), &
                self%spent(n), stat=stat)
   end subroutine allocate_for

end module minpack_workspace
