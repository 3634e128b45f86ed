module minpack_parts_entries
   !! The entries for C and Python of a fit in parts. minpack.h documents them.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_null_ptr, c_loc, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_info, only: going_on, out_of_memory
   use minpack_c_functions, only: c_functions_type, c_function_type
   use minpack_c_options, only: c_options_type, has_paired_bounds, settings_of, loss_of, watch_of
   use minpack_loss, only: loss_type
   use minpack_request, only: request_type, nothing_more
   use minpack_sums, only: sums_type
   use minpack_part, only: part_type
   use minpack_inputs, only: c_input_type, load
   use minpack_parts, only: parts_type
   implicit none
   private
   public :: parts_open, parts_advance, parts_result, parts_close, parts_add, parts_evaluate

contains

   subroutine parts_open(options, n, differenced, in_one_trip, handle) &
      bind(c, name='minpack_parts_open')
      type(c_options_type), intent(in) :: options
         !! The options.
      integer(c_int), value :: n
         !! Number of variables.
      integer(c_int), value :: differenced
         !! 1 if the parts difference their Jacobians.
      integer(c_int), value :: in_one_trip
         !! 1 if the model at a trial point is asked for together with its norm.
      type(c_ptr), intent(out) :: handle
         !! For the other entries; null if memory ran out, or the input is improper.
      type(parts_type), pointer :: self
      type(loss_type) :: loss
      integer :: stat

      handle = c_null_ptr
      if (n < 1 .or. .not. has_paired_bounds(options)) return
      allocate (self, stat=stat)
      if (stat /= 0) return
      self%settings = settings_of(options, n, differenced /= 0)
      self%watch = watch_of(options)
      self%in_one_trip = in_one_trip /= 0
      loss = loss_of(options)
      self%is_robust = .not. loss%is_linear()
      self%bends_back = loss%bends_back()
      call self%open(n, stat)
      if (stat == 0) then
         handle = c_loc(self)
      else
         deallocate (self, stat=stat)
      end if
   end subroutine parts_open

   subroutine parts_advance(handle, n, told, sums, info, x, request, what, counts) &
      bind(c, name='minpack_parts_advance')
      type(c_ptr), value :: handle
         !! From parts_open.
      integer(c_int), value :: n
         !! Number of variables.
      integer(c_int), value :: told
         !! 0 to begin at x, without sums; 1 to tell the sums that were asked for.
      real(dp), intent(in), target :: sums(12 + 3*n + (n + 1)*(n + 2)/2)
         !! The sums over all rows.
      integer(c_int), intent(inout) :: info
         !! In: zero, or why the fit has to end. Out: how the fit has ended.
      real(dp), intent(inout) :: x(n)
         !! In: the starting point. Out: the best point.
      real(dp), intent(inout) :: request(6*n + 3)
         !! What the parts are asked for next.
      integer(c_int), intent(out) :: what
         !! The name of the request.
      integer(c_int), intent(out) :: counts(4)
         !! Evaluations of the residuals; those among them that were not for a differenced Jacobian;
         !! evaluations of the Jacobian; steps that were taken.
      type(parts_type), pointer :: self
      type(sums_type) :: answer
      integer, target :: unused(0)

      call c_f_pointer(handle, self)
      call answer%attach(n, sums, unused)
      if (told == 0) then
         call self%begin(x)
      else if (info == 0) then
         call self%tell(answer)
      else
         call self%fit%stop(info)
         self%what = nothing_more
      end if
      x = self%fit%x
      request = self%numbers
      what = self%what
      info = self%fit%ending()
      counts = [self%nfev, self%trials, self%njev, self%fit%steps]
   end subroutine parts_advance

   subroutine parts_result(handle, n, fnorm, augmented, ipvt) bind(c, name='minpack_parts_result')
      type(c_ptr), value :: handle
         !! From parts_open.
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(out) :: fnorm
         !! The square root of what is minimized, at the best point.
      real(dp), intent(out) :: augmented(n, n + 2)
         !! The triangle R, and the head of Q'f beside it.
      integer(c_int), intent(out) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      type(parts_type), pointer :: self

      call c_f_pointer(handle, self)
      augmented = 0
      if (self%fit%models > 0) augmented(:, :n) = self%fit%model%r
      augmented(:, n + 1) = self%fit%model%qtf
      augmented(:, n + 2) = self%fit%model%changes
      ipvt = self%fit%model%ipvt
      fnorm = self%fit%true_norm
   end subroutine parts_result

   subroutine parts_close(handle) bind(c, name='minpack_parts_close')
      type(c_ptr), value :: handle
         !! From parts_open.
      type(parts_type), pointer :: self
      integer :: stat

      call c_f_pointer(handle, self)
      deallocate (self, stat=stat)
   end subroutine parts_close

   subroutine parts_add(n, sums, more, info) bind(c, name='minpack_parts_add')
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(inout), target :: sums(12 + 3*n + (n + 1)*(n + 2)/2)
         !! Sums over some rows.
      real(dp), intent(in), target :: more(12 + 3*n + (n + 1)*(n + 2)/2)
         !! Sums over other rows, to be added.
      integer(c_int), intent(out) :: info
         !! going_on, or out_of_memory.
      type(sums_type) :: mine, others
      integer, target :: unused(0)
      real(dp), allocatable :: triangle(:, :), block(:, :)
      integer :: stat

      call mine%attach(n, sums, unused)
      call others%attach(n, more, unused)
      info = out_of_memory
      allocate (triangle(n + 1, n + 1), block(n + 1, n + 3), stat=stat)
      if (stat /= 0) return
      call mine%add(others, triangle, block)
      info = going_on
   end subroutine parts_add

   subroutine parts_evaluate(residual, jacobian, options, m, n, fvec, is_evaluated, inputs, &
                             input_count, blocks, request, what, sums, info) &
      bind(c, name='minpack_parts_evaluate')
      type(c_function_type), intent(in) :: residual
         !! The residual function.
      type(c_function_type), intent(in), optional :: jacobian
         !! Without it the Jacobian is differenced.
      type(c_options_type), intent(in) :: options
         !! The options.
      integer(c_int), value :: m
         !! Number of rows.
      integer(c_int), value :: n
         !! Number of variables.
      real(dp), intent(inout) :: fvec(m)
         !! Memory for the residuals.
      integer(c_int), value :: is_evaluated
         !! 1 if fvec comes with the residuals at the point of the request, 0 if not.
      integer(c_int), value :: input_count
         !! Number of inputs.
      type(c_input_type), intent(in) :: inputs(input_count)
         !! What differs from block to block; none if there is one block.
      integer(c_int), value :: blocks
         !! Number of blocks of m rows each.
      real(dp), intent(in), target :: request(6*n + 3)
         !! What is asked for.
      integer(c_int), value :: what
         !! The name of the request.
      real(dp), intent(inout), target :: sums(12 + 3*n + (n + 1)*(n + 2)/2)
         !! The sums to which those over these rows are added.
      integer(c_int), intent(out) :: info
         !! going_on, or the reason to stop.
      type(c_functions_type), target :: functions
      type(part_type), target :: rows
      type(request_type) :: question
      type(sums_type) :: answer
      integer, target :: unused(0)
      integer :: stat, k

      info = going_on
      if (m < 1) return
      call question%attach(n, request, unused)
      call answer%attach(n, sums, unused)
      rows%loss = loss_of(options)
      rows%differenced = .not. present(jacobian)
      info = out_of_memory
      call functions%connect(m, n, residual, jacobian, stat)
      if (stat == 0) call rows%connect(functions, stat)
      if (stat /= 0) return
      do k = 1, blocks
         call load(inputs, k)
         call rows%evaluate(fvec, is_evaluated /= 0, question, what, answer, info)
         if (info /= going_on) return
      end do
   end subroutine parts_evaluate

end module minpack_parts_entries
