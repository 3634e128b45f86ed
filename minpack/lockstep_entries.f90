module minpack_lockstep_entries
   !! The entries for C and Python of the driver that calls no function. minpack.h documents them.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_null_ptr, c_loc, c_associated, c_f_pointer
   use minpack_kinds, only: dp
   use minpack_c_options, only: c_options_type, has_paired_bounds, settings_of, loss_of
   use minpack_batch, only: c_results_type
   use minpack_lockstep, only: lockstep_type
   implicit none
   private
   public :: lockstep_open, lockstep_advance, lockstep_close

contains

   subroutine lockstep_open(options, m, n, fits, lanes, differenced, data_norms, y, weights, &
                            weight_count, bounds_count, diag_count, absolute, negligible, &
                            doubtful, results, handle) &
      bind(c, name='minpack_lockstep_open')
      type(c_options_type), intent(in) :: options
         !! The options. The arrays of bounds and diag may have a column for each fit.
      integer(c_int), value :: m
         !! Number of residuals of a fit.
      integer(c_int), value :: n
         !! Number of variables.
      integer(c_int), value :: fits
         !! Number of fits.
      integer(c_int), value :: lanes
         !! How many fits run at a time.
      integer(c_int), value :: differenced
         !! 1 if the Jacobians are differenced, 0 if the caller gives them.
      type(c_ptr), value :: data_norms
         !! The norms of the data of each fit, with the weights, as in fit.
      type(c_ptr), value :: y
         !! m x fits: the data.
      type(c_ptr), value :: weights
         !! weight_count x fits, or null.
      integer(c_int), value :: weight_count
         !! m, or 1.
      integer(c_int), value :: bounds_count
         !! Number of columns of the bounds: fits, or 1 if all fits have the same.
      integer(c_int), value :: diag_count
         !! Number of columns of diag: fits, or 1 if all fits have the same.
      integer(c_int), value :: absolute
         !! 1 if the standard deviation of the residuals is 1, otherwise 0.
      real(dp), value :: negligible
         !! The relative error of the columns of J, at least.
      real(dp), value :: doubtful
         !! The relative error of the columns of J, at most.
      type(c_results_type), intent(in) :: results
         !! Where the results go.
      type(c_ptr), intent(out) :: handle
         !! For the other entries; null if memory ran out, or the input is improper.
      type(lockstep_type), pointer :: self
      integer :: stat

      handle = c_null_ptr
      if (n < 1 .or. m < n .or. fits < 1 .or. lanes < 1) return
      if (.not. has_paired_bounds(options)) return
      allocate (self, stat=stat)
      if (stat /= 0) return
      self%batch%absolute = absolute /= 0
      self%batch%negligible = negligible
      self%batch%doubtful = doubtful
      call c_f_pointer(y, self%y, [m, fits])
      if (c_associated(weights)) call c_f_pointer(weights, self%weights, [weight_count, fits])
      call self%batch%connect(m, n, fits, data_norms, results, stat)
      call self%batch%vary(options, bounds_count, diag_count)
      if (stat == 0) then
         call self%open(lanes, settings_of(options, n, differenced /= 0), loss_of(options), stat)
      end if
      if (stat == 0) then
         handle = c_loc(self)
      else
         deallocate (self, stat=stat)
      end if
   end subroutine lockstep_open

   subroutine lockstep_advance(handle, m, n, lanes, count, values, failed, jacobian_count, &
                               jacobians, jacobian_failed, points, fits, jacobian_points, &
                               jacobian_fits) bind(c, name='minpack_lockstep_advance')
      type(c_ptr), value :: handle
         !! From lockstep_open.
      integer(c_int), value :: m
         !! Number of residuals of a fit.
      integer(c_int), value :: n
         !! Number of variables.
      integer(c_int), value :: lanes
         !! How many fits run at a time.
      integer(c_int), intent(inout) :: count
         !! In: number of points whose values are told. Out: number of points that are asked for.
      real(dp), intent(in) :: values(m, count)
         !! The values of the model at the points that were asked for before.
      integer(c_int), intent(in) :: failed(count)
         !! Not zero where there are no values: the fit ends.
      integer(c_int), intent(inout) :: jacobian_count
         !! In: number of Jacobians that are told. Out: number of Jacobians that are asked for.
      real(dp), intent(in) :: jacobians(m, n, jacobian_count)
         !! The Jacobians of the model that were asked for before.
      integer(c_int), intent(in) :: jacobian_failed(jacobian_count)
         !! Not zero where there is no Jacobian: the fit ends.
      real(dp), intent(inout) :: points(n, n*lanes)
         !! Where the model is to be evaluated next.
      integer(c_int), intent(inout) :: fits(n*lanes)
         !! Of which fit each of these points is, from 1.
      real(dp), intent(inout) :: jacobian_points(n, lanes)
         !! Where the Jacobian of the model is to be evaluated next.
      integer(c_int), intent(inout) :: jacobian_fits(lanes)
         !! Of which fit each of these points is, from 1.
      type(lockstep_type), pointer :: self
      integer :: points_asked, jacobians_asked

      call c_f_pointer(handle, self)
      call self%advance(values, failed, jacobians, jacobian_failed, points, fits, points_asked, &
                        jacobian_points, jacobian_fits, jacobians_asked)
      count = points_asked
      jacobian_count = jacobians_asked
   end subroutine lockstep_advance

   subroutine lockstep_close(handle) bind(c, name='minpack_lockstep_close')
      type(c_ptr), value :: handle
         !! From lockstep_open.
      type(lockstep_type), pointer :: self
      integer :: stat

      call c_f_pointer(handle, self)
      deallocate (self, stat=stat)
   end subroutine lockstep_close

end module minpack_lockstep_entries
