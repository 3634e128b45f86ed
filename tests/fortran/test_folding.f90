module reversed
   !! A stand-in for threads: it does the last piece first.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_funptr, c_f_procpointer
   use minpack_team, only: task_type
   implicit none

   integer :: calls = 0

contains

   subroutine run_reversed(task, job, pieces, threads) bind(c)
      type(c_funptr), value :: task
      type(c_ptr), value :: job
      integer(c_int), value :: pieces
      integer(c_int), value :: threads
      procedure(task_type), pointer :: do_piece
      integer :: piece

      call c_f_procpointer(task, do_piece)
      calls = calls + 1
      do piece = pieces, 1, -1
         call do_piece(job, piece)
      end do
   end subroutine run_reversed

end module reversed

program test_folding
   use minpack_kinds, only: dp
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_folding, only: folding_type
   use reversed, only: run_reversed, calls
   use checks, only: check, finish, random_matrix, gram
   implicit none

   call chunks_make_the_whole(7, 3, 0)
   call chunks_make_the_whole(400000, 3, 3)
   call chunks_make_the_whole(40001, 13, 2)
   call chunks_make_the_whole(9000, 33, 3)
   call chunks_make_the_whole(1500, 70, 1)
   call finish()

contains

   subroutine chunks_make_the_whole(m, n, shares)
      !! Products and triangle are those of all rows, in whatever order the chunks are done.
      integer, intent(in) :: m
      integer, intent(in) :: n
      integer, intent(in) :: shares
         !! How often the work is shared, when the rows are multiplied once and folded twice.
      type(folding_type), target :: one, other
      type(strided_matrix_type) :: matrix
      real(dp), allocatable, target :: fjac(:, :), fvec(:), whole(:, :)
      real(dp) :: none(0), tolerance
      integer :: stat, j

      allocate (fjac, source=random_matrix(m, n))
      fvec = reshape(random_matrix(m, 1), [m])
      allocate (whole, source=gram(reshape([fjac, fvec], [m, n + 1])))
      tolerance = 1e-14_dp*m
      call matrix%show_columns(fjac)
      call one%allocate_for(m, n, stat)
      call other%allocate_for(m, n, stat)
      other%team%run => run_reversed
      other%team%threads = 2
      calls = 0
      if (allocated(one%chunks(1)%products)) then
         call one%multiply(matrix, fvec, none)
         call other%multiply(matrix, fvec, none)
         do j = 1, n
            call check(all(abs(one%chunks(1)%products(j:, j) - whole(j:, j)) <= tolerance), &
                       'products of all rows')
            call check(all(one%chunks(1)%products(j:, j) == other%chunks(1)%products(j:, j)), &
                       'products do not depend on the order')
         end do
      end if
      do j = 1, 2  ! the second time over the first result
         call one%triangulate_rows(matrix, fvec, none)
         call other%triangulate_rows(matrix, fvec, none)
      end do
      call check(calls == shares, 'large work is shared')
      call check(one%chunks(1)%height == n + 1, 'a triangle of all columns')
      associate (r => upper(one%chunks(1)%triangle), q => upper(other%chunks(1)%triangle))
         call check(all(abs(gram(r) - whole) <= 10*tolerance), 'triangle of all rows')
         call check(all(r == q), 'the triangle does not depend on the order')
      end associate
   end subroutine chunks_make_the_whole

   function upper(triangle) result(r)
      real(dp), intent(in) :: triangle(:, :)
      real(dp) :: r(size(triangle, 1), size(triangle, 2))
      integer :: j

      r = triangle
      do j = 1, size(r, 2)
         r(j + 1:, j) = 0
      end do
   end function upper

end program test_folding
