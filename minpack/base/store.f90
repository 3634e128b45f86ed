module minpack_store
   !! Memory of the caller's that is handed out part by part. All numbers of a fit are there, so
   !! that they can be copied, pickled or sent to another process between two questions.
   use, intrinsic :: iso_c_binding, only: c_int64_t
   use minpack_kinds, only: dp
   implicit none
   private
   public :: store_type

   type :: store_type
      private
      real(dp), pointer, contiguous :: reals(:) => null()
      integer, pointer, contiguous :: integers(:) => null()
      integer(c_int64_t) :: reals_taken = 0
      integer(c_int64_t) :: integers_taken = 0
   contains
      procedure :: open
      procedure :: number
      procedure :: vector
      procedure :: matrix
      procedure :: counter
      procedure :: indices
      procedure :: is_full
   end type store_type

contains

   subroutine open(self, reals, integers)
      !! Begin to hand out two arrays.
      class(store_type), intent(inout) :: self
      real(dp), intent(in), target, contiguous :: reals(:)
         !! The real numbers to hand out.
      integer, intent(in), target, contiguous :: integers(:)
         !! The integers to hand out.

      self%reals => reals
      self%integers => integers
      self%reals_taken = 0
      self%integers_taken = 0
   end subroutine open

   function number(self)
      !! Hand out one real number.
      class(store_type), intent(inout) :: self
      real(dp), pointer :: number

      self%reals_taken = self%reals_taken + 1
      number => self%reals(self%reals_taken)
   end function number

   function vector(self, n)
      !! Hand out n real numbers.
      class(store_type), intent(inout) :: self
      integer, intent(in) :: n
         !! How many numbers.
      real(dp), pointer, contiguous :: vector(:)

      vector => self%reals(self%reals_taken + 1:self%reals_taken + n)
      self%reals_taken = self%reals_taken + n
   end function vector

   function matrix(self, rows, columns)
      !! Hand out a matrix of real numbers.
      class(store_type), intent(inout) :: self
      integer, intent(in) :: rows
         !! Number of rows.
      integer, intent(in) :: columns
         !! Number of columns.
      real(dp), pointer, contiguous :: matrix(:, :)

      integer(c_int64_t) :: count

      count = int(rows, c_int64_t)*columns
      matrix(1:rows, 1:columns) => self%reals(self%reals_taken + 1:self%reals_taken + count)
      self%reals_taken = self%reals_taken + count
   end function matrix

   function counter(self)
      !! Hand out one integer.
      class(store_type), intent(inout) :: self
      integer, pointer :: counter

      self%integers_taken = self%integers_taken + 1
      counter => self%integers(self%integers_taken)
   end function counter

   function indices(self, n)
      !! Hand out n integers.
      class(store_type), intent(inout) :: self
      integer, intent(in) :: n
         !! How many integers.
      integer, pointer, contiguous :: indices(:)

      indices => self%integers(self%integers_taken + 1:self%integers_taken + n)
      self%integers_taken = self%integers_taken + n
   end function indices

   pure logical function is_full(self)
      !! Whether everything was handed out.
      class(store_type), intent(in) :: self

      is_full = self%reals_taken == size(self%reals, kind=c_int64_t) &
                .and. self%integers_taken == size(self%integers, kind=c_int64_t)
   end function is_full

end module minpack_store
