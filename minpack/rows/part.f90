module minpack_part
   !! Some of the rows of a fit: they are evaluated as a request says, and added to sums.
   use minpack_kinds, only: dp, is_finite
   use minpack_info, only: going_on
   use minpack_vectors, only: enorm
   use minpack_user_functions, only: user_functions_type
   use minpack_strided_matrix, only: strided_matrix_type
   use minpack_loss, only: loss_type
   use minpack_chunk, only: chunk_type
   use minpack_quotient, only: sample_type, take_quotient, gap
   use minpack_differences, only: move
   use minpack_request, only: request_type, norm_alone, products, exact_triangle, comparison
   use minpack_runs, only: add_signs
   use minpack_sums, only: sums_type
   implicit none
   private
   public :: part_type

   type :: part_type
      class(user_functions_type), pointer :: functions => null()
      logical :: differenced = .true.
         !! Whether the Jacobian is differenced.
      type(loss_type) :: loss
         !! What is minimized.
      type(chunk_type), private :: chunk
      real(dp), allocatable, private :: point(:)
         !! Shape: (n). The end of a step.
      real(dp), allocatable, private :: fjac(:, :)
         !! Shape: (m, n). The differenced Jacobian.
      real(dp), allocatable, private :: other(:)
         !! Shape: (m). Another quotient of one column.
   contains
      procedure :: connect
      procedure :: evaluate
      procedure, private :: add_model
      procedure, private :: add_rows
      procedure, private :: jacobian
      procedure, private :: compare
      procedure, private :: quotient
   end type part_type

contains

   subroutine connect(self, functions, stat)
      !! Take the functions, and allocate memory.
      class(part_type), intent(inout) :: self
      class(user_functions_type), intent(in), target :: functions
         !! The user's functions.
      integer, intent(out) :: stat
         !! Not zero if memory ran out.

      self%functions => functions
      associate (m => functions%m, n => functions%n)
         call self%chunk%allocate_for(m, n, stat)
         if (stat == 0) call self%loss%allocate_for(m, stat)
         if (stat == 0) allocate (self%point(n), stat=stat)
         if (stat == 0 .and. self%differenced) allocate (self%fjac(m, n), self%other(m), stat=stat)
      end associate
   end subroutine connect

   subroutine evaluate(self, fvec, is_evaluated, request, what, sums, info)
      !! Add to the sums what is asked for.
      class(part_type), intent(inout), target :: self
      real(dp), intent(inout), contiguous :: fvec(:)
         !! Shape: (m). The residuals at the point of the request.
      logical, intent(in) :: is_evaluated
         !! Whether they are there.
      type(request_type), intent(in) :: request
         !! The request.
      integer, intent(in) :: what
         !! What is asked for: a name in minpack_request.
      type(sums_type), intent(inout) :: sums
         !! The sums.
      integer, intent(out) :: info
         !! going_on, or the reason to stop.
      real(dp) :: norm, true_norm, raw

      info = going_on
      if (.not. is_evaluated) then
         call self%functions%residual(request%x, .false., info)
         if (info /= going_on) return
         fvec = self%functions%values
      end if
      if (what == comparison) then
         call self%compare(fvec, request, sums, info)
         return
      end if
      self%loss%width = request%width
      self%loss%share = request%share
      call self%loss%measure(fvec, norm, true_norm, info)
      if (info /= going_on) return
      raw = norm
      if (.not. self%loss%is_linear()) then
         raw = enorm(size(fvec), fvec)
         sums%outliers = sums%outliers + self%loss%outliers(fvec)
         if (what == norm_alone) sums%logarithms = sums%logarithms + self%loss%logarithms(fvec)
      end if
      call add_signs(sums%runs, fvec)
      sums%count = sums%count + size(fvec)
      sums%norm = hypot(sums%norm, norm)
      sums%true_norm = hypot(sums%true_norm, true_norm)
      sums%size = hypot(sums%size, raw)
      if (what == norm_alone .or. .not. is_finite(norm)) return
      call self%add_model(fvec, request, what, sums, info)
   end subroutine evaluate

   subroutine add_model(self, fvec, request, what, sums, info)
      !! Add the rows of [J f] to the products, or fold them into the triangle.
      class(part_type), intent(inout), target :: self
      real(dp), intent(inout), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      type(request_type), intent(in) :: request
      integer, intent(in) :: what
         !! products, triangle or exact_triangle.
      type(sums_type), intent(inout) :: sums
      integer, intent(out) :: info
      type(strided_matrix_type) :: matrix

      if (self%differenced) then
         call self%jacobian(fvec, request, sums, info)
         call matrix%show_columns(self%fjac)
      else
         call self%functions%jacobian(request%x, fvec, matrix, info)
      end if
      if (info /= going_on) return
      if (self%loss%is_linear()) then
         call self%add_rows(matrix, fvec, what, sums, self%loss%factors)
         return
      end if
      call self%loss%weigh(fvec, what == exact_triangle, info)
      if (info /= going_on) return
      call self%add_rows(matrix, self%loss%residuals, what, sums, self%loss%factors)
   end subroutine add_model

   subroutine add_rows(self, matrix, residuals, what, sums, factors)
      !! Add rows to what was asked for.
      class(part_type), intent(inout), target :: self
      type(strided_matrix_type), intent(in) :: matrix
         !! J.
      real(dp), intent(in), contiguous :: residuals(:)
         !! Shape: (m). f.
      integer, intent(in) :: what
         !! products, triangle or exact_triangle.
      type(sums_type), intent(inout) :: sums
      real(dp), intent(in), contiguous :: factors(:)
         !! Shape: (m). Factors of the rows of J; (0) if there are none.

      associate (chunk => self%chunk, rows => size(residuals))
         if (what == products) then
            call chunk%multiply(matrix, residuals, factors, 1, rows)
            call sums%add_products(chunk%products)
         else
            chunk%height = sums%height()
            call sums%unpack(chunk%triangle)
            call chunk%add_rows(matrix, residuals, factors, 1, rows)
            call sums%pack(chunk%triangle, chunk%height)
         end if
      end associate
   end subroutine add_rows

   subroutine jacobian(self, fvec, request, sums, info)
      !! Difference the columns.
      class(part_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      type(request_type), intent(in) :: request
      type(sums_type), intent(inout) :: sums
      integer, intent(out) :: info
      type(sample_type) :: sample
      logical :: finite
      integer :: j

      info = going_on
      do j = 1, request%n
         if (request%steps(j) == 0) then
            self%fjac(:, j) = 0
            cycle
         end if
         call self%quotient(fvec, request, j, request%ends(j), request%steps(j), &
                            self%fjac(:, j), sample, finite, info)
         if (info /= going_on) return
         call note(sums, j, sample, finite)
         if (request%others(j) == 0) cycle
         call self%quotient(fvec, request, j, request%other_ends(j), request%others(j), &
                            self%other, sample, finite, info)
         if (info /= going_on) return
         call move(self%fjac(:, j), self%other, request%shares(j))
      end do
   end subroutine jacobian

   subroutine compare(self, fvec, request, sums, info)
      !! Try other steps, and compare their quotients with those of the steps, if there are any.
      class(part_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      type(request_type), intent(in) :: request
      type(sums_type), intent(inout) :: sums
      integer, intent(out) :: info
      type(sample_type) :: sample
      logical :: finite
      integer :: j

      info = going_on
      do j = 1, request%n
         if (request%others(j) == 0) cycle
         if (request%steps(j) /= 0) then
            call self%quotient(fvec, request, j, request%ends(j), request%steps(j), &
                               self%fjac(:, j), sample, finite, info)
            if (info /= going_on) return
         end if
         call self%quotient(fvec, request, j, request%other_ends(j), request%others(j), &
                            self%other, sample, finite, info)
         if (info /= going_on) return
         call note(sums, j, sample, finite)
         if (request%steps(j) == 0) cycle
         sums%gaps(j) = hypot(sums%gaps(j), gap(size(self%other), self%fjac(:, j), self%other, &
                                                request%unit))
      end do
   end subroutine compare

   subroutine quotient(self, fvec, request, j, value, step, column, sample, finite, info)
      !! Difference one column by one step.
      class(part_type), intent(inout), target :: self
      real(dp), intent(in), contiguous :: fvec(:)
         !! Shape: (m). The residuals at x.
      type(request_type), intent(in) :: request
      integer, intent(in) :: j
         !! The variable.
      real(dp), intent(in) :: value
         !! Its value at the end of the step.
      real(dp), intent(in) :: step
         !! The step.
      real(dp), intent(out), contiguous :: column(:)
         !! Shape: (m). The quotient.
      type(sample_type), intent(out) :: sample
         !! What the step showed.
      logical, intent(out) :: finite
         !! Whether the quotient is finite.
      integer, intent(out) :: info

      self%point = request%x
      self%point(j) = value
      call self%functions%residual(self%point, .true., info)
      if (info /= going_on) return
      call take_quotient(size(column), self%functions%values, fvec, step, request%unit, &
                         column, sample, finite)
   end subroutine quotient

   pure subroutine note(sums, j, sample, finite)
      !! Add what a step showed.
      type(sums_type), intent(inout) :: sums
      integer, intent(in) :: j
      type(sample_type), intent(in) :: sample
      logical, intent(in) :: finite

      sums%changes(j) = hypot(sums%changes(j), sample%change)
      if (.not. finite) sums%spoiled(j) = 1
   end subroutine note

end module minpack_part
