module minpack_fold
   !! The folding of rows into a triangle.
   !!
   !! The Jacobian is never factored as a whole. Its rows, with the residuals as one more column,
   !! are processed in blocks. Each block B is folded into an upper triangle R:
   !!
   !!     Q' [R]  =  [R_new]
   !!        [B]     [  0  ]
   !!
   !! Reflection k is I - tau u u'. Its vector u has a 1 in row k of R and the vector v in the rows
   !! of B. Therefore the zeros of R stay zeros, and v overwrites column k of B. Four reflections
   !! are gathered in a panel.
   !!
   !! Fits with many residuals spend most of their time here. The block should fit into the cache,
   !! and each of its columns should begin on a cache line: operations on vectors that are not
   !! aligned take 50 % longer.
   use minpack_kinds, only: dp
   use minpack_assertions, only: debugging, assert
   use minpack_block_reflection, only: panel, reflect_three
   use minpack_panel, only: fold_panel
   use minpack_reflection, only: make_reflection, reflect
   implicit none
   private
   public :: triangulate, fold, fold_in

contains

   pure subroutine triangulate(rows, columns, r, ld)
      !! Factor the first rows in place. The other rows are folded into the result. Starting from a
      !! triangle of zeros would be less accurate: if a row is small compared with the others, its
      !! contribution to the last diagonal elements would be lost in rounding errors.
      integer, intent(in) :: rows
         !! Number of rows.
      integer, intent(in) :: columns
         !! Number of columns.
      integer, intent(in) :: ld
         !! From one column to the next, in numbers.
      real(dp), intent(inout) :: r(ld, columns)
         !! Out: the triangle. The elements below the diagonal are destroyed.
      real(dp) :: tau
      integer :: j, k

      do k = 1, min(rows - 1, columns)
         call make_reflection(rows - k, r(k, k), r(k + 1, k), tau)
         do j = k + 1, columns
            call reflect(rows - k, r(k + 1, k), tau, r(k, j), r(k + 1, j))
         end do
      end do
   end subroutine triangulate

   pure subroutine fold(rows, columns, height, block, ld, r, ldr)
      !! Fold a block of rows into the triangle r.
      integer, intent(in) :: rows
         !! Rows of the block.
      integer, intent(in) :: columns
         !! Columns of the block and of the triangle.
      integer, intent(in) :: height
         !! Number of rows of r so far. If it is less than the number of columns, the rest of the
         !! block remains in its last columns.
      integer, intent(in) :: ld
         !! From one column of the block to the next, in numbers.
      real(dp), intent(inout) :: block(ld, columns + 2)
         !! Shape: (rows, columns), the rows to fold in. Destroyed. The columns behind them are
         !! spare.
      integer, intent(in) :: ldr
         !! From one column of the triangle to the next, in numbers.
      real(dp), intent(inout) :: r(ldr, columns)
         !! The upper triangle of the rows that were folded before.
      real(dp) :: t(panel, panel), top(panel, 3), tau
      integer :: first, last, behind, j, k

      if (debugging) then
         call assert(rows <= ld, 'the rows of a block lie in its columns')
         call assert(height <= min(columns, ldr), 'a triangle has no more rows than columns')
      end if
      block(:rows, columns + 1:) = 0
      do first = 1, min(height, columns - 1) - panel + 1, panel
         last = first + panel - 1
         call fold_panel(rows, block(1, first), ld, r(first, first), ldr, t)
         do j = last + 1, columns, 3
            behind = min(columns, j + 2)
            top = 0
            top(:, :behind - j + 1) = r(first:last, j:behind)
            call reflect_three(rows, block(1, first), ld, t, top, block(1, j))
            r(first:last, j:behind) = top(:, :behind - j + 1)
         end do
      end do
      do k = first, height
         call make_reflection(rows, r(k, k), block(1, k), tau)
         do j = k + 1, columns
            call reflect(rows, block(1, k), tau, r(k, j), block(1, j))
         end do
      end do
   end subroutine fold

   pure subroutine fold_in(rows, columns, block, ld, r, height)
      !! Fold a block of rows into the triangle r, which may not have all of its rows yet.
      integer, intent(in) :: rows
         !! Rows of the block.
      integer, intent(in) :: columns
         !! Columns of the block and of the triangle.
      integer, intent(in) :: ld
         !! From one column of the block to the next, in numbers.
      real(dp), intent(inout) :: block(ld, columns + 2)
         !! As in fold. Destroyed.
      real(dp), intent(inout) :: r(columns, columns)
         !! The triangle.
      integer, intent(inout) :: height
         !! Its rows.
      integer :: more, j

      call fold(rows, columns, height, block, ld, r, columns)
      if (height == columns) return
      call triangulate(rows, columns - height, block(1, height + 1), ld)
      more = min(rows, columns - height)
      do j = height + 1, columns
         r(height + 1:min(j, height + more), j) = block(:min(j - height, more), j)
      end do
      height = height + more
   end subroutine fold_in

end module minpack_fold
