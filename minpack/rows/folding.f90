module minpack_folding
   !! The rows of [J f], folded chunk by chunk, perhaps in several threads. The chunks are combined
   !! in their order, and do not depend on the number of threads, so neither does the result.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_loc, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_vectors, only: line
   use minpack_team, only: team_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_chunk, only: chunk_type
   implicit none
   private
   public :: folding_type

   integer, parameter :: most_chunks = 16
   real(dp), parameter :: least_work = 4e6_dp
      !! The number of multiplications that are worth the start of threads. They take a millisecond.
   integer, parameter :: fewest_to_multiply = 256
      !! The least number of rows in a chunk whose products are computed.
   integer, parameter :: fewest_to_fold = 16
      !! The least number of rows in a chunk that is folded, in units of n. The triangle of each
      !! chunk is folded once more.

   type :: job_type
      !! What the threads share.
      type(strided_matrix_type), pointer :: matrix => null()
      real(dp), pointer, contiguous :: fvec(:) => null()
      real(dp), pointer, contiguous :: factors(:) => null()
      type(chunk_type), pointer :: chunks(:) => null()
      integer :: rows = 0
         !! The number of rows in a chunk.
   contains
      procedure :: last_row
   end type job_type

   type :: folding_type
      type(team_type) :: team
         !! The threads.
      type(chunk_type), allocatable :: chunks(:)
         !! The first one becomes the whole.
      integer, private :: m = 0
         !! Number of rows.
      integer, private :: n = 0
         !! Number of variables.
   contains
      procedure :: allocate_for
      procedure :: multiply
      procedure :: triangulate_rows
      procedure, private :: chunks_of
      procedure, private :: job_for
   end type folding_type

contains

   subroutine allocate_for(self, m, n, stat)
      class(folding_type), intent(inout) :: self
      integer, intent(in) :: m
         !! Number of rows.
      integer, intent(in) :: n
         !! Number of variables.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.
      integer :: k

      self%m = m
      self%n = n
      allocate (self%chunks(max(self%chunks_of(max(fewest_to_multiply, n)), &
                                self%chunks_of(fewest_to_fold*n))), stat=stat)
      if (stat /= 0) return
      do k = 1, size(self%chunks)
         if (stat == 0) call self%chunks(k)%allocate_for(m, n, stat)
      end do
   end subroutine allocate_for

   subroutine multiply(self, matrix, fvec, factors)
      !! Compute the products of the columns of [J f].
      class(folding_type), intent(inout), target :: self
      type(strided_matrix_type), intent(in), target :: matrix
         !! J.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), target, contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      type(job_type), target :: job
      integer :: k, count

      count = self%chunks_of(max(fewest_to_multiply, self%n))
      if (count == 1) then
         call self%chunks(1)%multiply(matrix, fvec, factors, 1, self%m)
         return
      end if
      job = self%job_for(matrix, fvec, factors, count)
      call self%team%share(multiply_chunk, c_loc(job), count)
      associate (products => self%chunks(1)%products)
         do k = 2, count
            products = products + self%chunks(k)%products
         end do
      end associate
   end subroutine multiply

   subroutine triangulate_rows(self, matrix, fvec, factors)
      !! Make the triangle of the rows of [J f].
      class(folding_type), intent(inout), target :: self
      type(strided_matrix_type), intent(in), target :: matrix
         !! J.
      real(dp), intent(in), target, contiguous :: fvec(:)
         !! Shape: (m). f.
      real(dp), intent(in), target, contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.
      type(job_type), target :: job
      integer :: k, count

      count = self%chunks_of(fewest_to_fold*self%n)
      job = self%job_for(matrix, fvec, factors, count)
      call self%team%share(fold_chunk, c_loc(job), count)
      do k = 2, count
         call self%chunks(1)%add_triangle(self%chunks(k))
      end do
   end subroutine triangulate_rows

   pure integer function chunks_of(self, fewest_rows) result(count)
      !! The number of chunks.
      class(folding_type), intent(in) :: self
      integer, intent(in) :: fewest_rows
         !! The least number of rows in a chunk.

      count = 1
      if (real(self%m, dp)*self%n*(self%n + 1) < least_work) return
      count = max(1, min(most_chunks, self%m/fewest_rows))
   end function chunks_of

   function job_for(self, matrix, fvec, factors, count) result(job)
      !! The rows, and the chunks for them.
      class(folding_type), intent(in), target :: self
      type(strided_matrix_type), intent(in), target :: matrix
      real(dp), intent(in), target, contiguous :: fvec(:)
      real(dp), intent(in), target, contiguous :: factors(:)
      integer, intent(in) :: count
         !! The number of chunks.
      type(job_type) :: job

      job%matrix => matrix
      job%fvec => fvec
      job%factors => factors
      job%chunks => self%chunks
      ! The columns of each chunk begin where cache lines do, if those of the matrix do.
      job%rows = self%m
      if (count > 1) job%rows = line*((self%m/count + line)/line)
   end function job_for

   pure integer function last_row(self, k)
      !! The last row of a chunk; of chunk 0: no row.
      class(job_type), intent(in) :: self
      integer, intent(in) :: k
         !! The chunk.

      last_row = min(k*self%rows, size(self%fvec))
   end function last_row

   subroutine multiply_chunk(job, piece) bind(c)
      type(c_ptr), value :: job
      integer(c_int), value :: piece
      type(job_type), pointer :: of

      call c_f_pointer(job, of)
      call of%chunks(piece)%multiply(of%matrix, of%fvec, of%factors, of%last_row(piece - 1) + 1, &
                                     of%last_row(piece))
   end subroutine multiply_chunk

   subroutine fold_chunk(job, piece) bind(c)
      type(c_ptr), value :: job
      integer(c_int), value :: piece
      type(job_type), pointer :: of

      call c_f_pointer(job, of)
      of%chunks(piece)%height = 0
      call of%chunks(piece)%add_rows(of%matrix, of%fvec, of%factors, of%last_row(piece - 1) + 1, &
                                     of%last_row(piece))
   end subroutine fold_chunk

end module minpack_folding
