module minpack_settled
   !! Whether a fit that stops has solved its problem.
   !!
   !! MINPACK's tests by ftol and xtol look at the last step: it was short, or it reduced the sum of
   !! squares by little. There can be other reasons for this than a minimum. If a variable has a
   !! large offset (a date, a frequency), every step is relatively short. In a small trust region,
   !! or if the bounds were in the way, a step achieves little. Therefore this module asks what the
   !! last step did not reach: by how much would the linear model reduce the sum of squares without
   !! a trust region? The fit goes on while this reduction is worthwhile.
   !!
   !! The promise of the model has three limits:
   !!
   !! - In a direction that the data hardly determine, the model promises a reduction at the end of
   !!   a very long step, where the model is not valid. Damping removes such directions, unless the
   !!   model predicted the last step exactly. It is relative to the norms of the columns, also if
   !!   D is not.
   !! - After a step, the promise is that of the point before it. The reduction by the step is
   !!   subtracted, and the error of the model's prediction is added, because the next model has to
   !!   make up for it. What remains is compared with the sum of squares after the step, which may
   !!   be a millionth of that before it. A step to a bound frees or holds variables, so its model
   !!   says nothing.
   !! - Residuals as small as those that rounding errors of x would cause cannot be reduced further.
   use minpack_kinds, only: dp, epsmch
   use minpack_vectors, only: dot, enorm
   use minpack_bounds, only: is_on_bound
   use minpack_model, only: model_type
   use minpack_triangle, only: multiply
   use minpack_workspace, only: workspace_type
   use minpack_lmpar, only: damped_step
   use minpack_active_set, only: descend
   use minpack_trust_region, only: trust_region_type
   use minpack_reduction, only: reduction_type
   implicit none
   private
   public :: has_settled, is_rounding, is_promising, is_confined, has_little_left, is_exact

   real(dp), parameter :: worthwhile = 1e-6_dp
      !! The fraction of the sum of squares by which it must be reducible for the fit to go on,
      !! unless the tolerances are larger. With m - n degrees of freedom it is what a parameter
      !! contributes that is off by sqrt((m - n)*1e-6) standard errors.
   real(dp), parameter :: credible = 1e-4_dp
      !! Errors of 1 % in the columns cannot explain a larger predicted reduction.
   real(dp), parameter :: accurate = 5e-8_dp
      !! The predicted reduction that errors of accurate columns explain.
   real(dp), parameter :: long = 1e-4_dp
      !! A step that changes the residuals by so much of the data is long.
   real(dp), parameter :: damping = 1e-3_dp
      !! Directions with singular values of T below the square root of it are left out.
   real(dp), parameter :: no_damping = epsmch
   real(dp), parameter :: exact = 0.01_dp
      !! The error of the predicted reduction, as a fraction of it, of a model that was right.
   real(dp), parameter :: distant = 0.01_dp
      !! A step that reduces the sum of squares by so many times what is worthwhile comes from a
      !! point whose columns are not those of the solution.
   real(dp), parameter :: rounding = 20*epsmch
      !! Residuals are rounding errors below this fraction of |D x|.
   real(dp), parameter :: most_of_data = 1000
      !! The data may be so many times as large as their lower quartile, as those of a peak.
   real(dp), parameter :: usual = 100
      !! The norm of data that need no other unit.
   real(dp), parameter :: noiseless = 1e-8_dp
      !! Residuals are so small if the data have no noise.

contains

   logical function has_settled(region, model, reduction, accepted, x, fnorm, tolerance, workspace)
      class(trust_region_type), intent(inout) :: region
         !! The trust region, after its radius was updated.
      type(model_type), intent(in) :: model
         !! The linear model that the last step was proposed with.
      type(reduction_type), intent(in) :: reduction
         !! What the step brought.
      logical, intent(in) :: accepted
         !! Whether it was taken.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). Where the fit stands.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals there.
      real(dp), intent(in) :: tolerance
         !! The larger one of ftol and xtol.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      real(dp) :: remaining, error

      has_settled = .false.
      if (region%bounds%bounded) then
         if (region%reach%falls_short()) then
            call region%reach%call_in()
            return
         end if
         if (accepted .and. region%reach%lands()) return
      end if

      error = abs(reduction%actual - reduction%predicted)
      remaining = reduction%predicted
      if (region%par > 0) then
         remaining = promise(region, model, x, &
                             merge(damping_after(abs(1 - reduction%ratio)), damping, accepted), &
                             workspace)
      end if
      if (accepted) then
         remaining = max(remaining - reduction%predicted + error, distant*reduction%predicted)
         remaining = remaining*(model%fnorm/fnorm)**2
      end if
      has_settled = remaining <= max(worthwhile, tolerance) &
                    .or. fnorm <= rounding*effect(region, model, x, workspace)
   end function has_settled

   pure logical function is_rounding(model, data_norm, fnorm)
      !! Whether the residuals are rounding errors of the data. If the norm of the
      !! data is not known, data are assumed of the size that variables of about 1 produce.
      type(model_type), intent(in) :: model
         !! The linear model where the fit stands.
      real(dp), intent(in) :: data_norm
         !! The norm of the data; negative if it is not known.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals.

      real(dp) :: norm

      norm = enorm(size(model%acnorm), model%acnorm)
      if (data_norm < 0) then
         norm = min(norm, usual)
      else
         norm = max(data_norm, min(norm, most_of_data*data_norm))
      end if
      is_rounding = fnorm <= rounding*norm
   end function is_rounding

   pure real(dp) function damping_after(error)
      !! The damping for a model that predicted the last step with a relative error.
      real(dp), intent(in) :: error

      damping_after = merge(no_damping, damping, error <= exact)
   end function damping_after

   logical function is_promising(region, model, x, workspace)
      !! Whether the model promises more than the errors of a differenced Jacobian can explain.
      class(trust_region_type), intent(inout) :: region
         !! The trust region.
      type(model_type), intent(in) :: model
         !! The linear model at its centre.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The centre.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      is_promising = promise(region, model, x, damping, workspace) > credible
   end function is_promising

   logical function is_confined(region, model, x, workspace)
      !! Whether the trust region limited the last step, and the model promises more. Residuals with
      !! few correct digits end a fit in this way, because derivatives are wrong, unless steps of
      !! differences are long already.
      class(trust_region_type), intent(inout) :: region
         !! The trust region.
      type(model_type), intent(in) :: model
         !! The linear model at its centre.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The centre.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      is_confined = region%par > 0 .and. all(model%changes < long)
      if (is_confined) is_confined = promise(region, model, x, damping, workspace) > accurate
   end function is_confined

   logical function is_exact(region, model, x, fnorm, start_norm, workspace)
      !! Whether the residuals are so small that the data have no noise. Then their rounding errors
      !! are what is left, also if a constant in the model makes them large.
      type(trust_region_type), intent(in) :: region
         !! The trust region.
      type(model_type), intent(in) :: model
         !! The linear model at its centre.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The centre.
      real(dp), intent(in) :: fnorm
         !! Norm of the residuals there.
      real(dp), intent(in) :: start_norm
         !! Their norm at the start.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      is_exact = fnorm <= noiseless*min(start_norm, effect(region, model, x, workspace))
   end function is_exact

   logical function has_little_left(region, model, x, ratio, workspace)
      !! Whether the model promises no reduction that is worthwhile, or the residuals are rounding
      !! errors.
      class(trust_region_type), intent(inout) :: region
         !! The trust region.
      type(model_type), intent(in) :: model
         !! The linear model at its centre.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The centre.
      real(dp), intent(in) :: ratio
         !! Actual by predicted reduction by the last step.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.

      if (region%bounds%bounded) call region%surround(model, x)
      has_little_left = model%fnorm <= rounding*effect(region, model, x, workspace)
      if (.not. has_little_left) then
         has_little_left = promise(region, model, x, damping_after(abs(1 - ratio)), workspace) &
                           <= worthwhile
      end if
   end function has_little_left

   real(dp) function effect(region, model, x, workspace)
      !! How much the residuals change from zero to x, by the model. D may be that of a point with
      !! much larger columns. A column that was differenced across a jump tells nothing.
      type(trust_region_type), intent(in) :: region
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      type(workspace_type), intent(inout) :: workspace
      integer :: j

      workspace%scaled = model%acnorm*x
      do j = 1, region%n
         if (model%changes(j) > 1) workspace%scaled(j) = 0
      end do
      if (region%bounds%bounded) then
         where (is_on_bound(region%bounds%lower, x, region%bounds%upper)) workspace%scaled = 0
      end if
      effect = enorm(region%n, workspace%scaled)
   end function effect

   real(dp) function promise(region, model, x, par, workspace)
      !! The relative reduction of the sum of squares by the step with a given par, however long.
      class(trust_region_type), intent(inout) :: region
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: x(:)
      real(dp), intent(in) :: par
      type(workspace_type), intent(inout) :: workspace
      logical :: has_products

      associate (n => region%n, z => workspace%unlimited, image => workspace%image, &
                 units => workspace%scaled)
         z = region%z
         call region%equalize(model, x, z, units)
         if (region%bounds%bounded) then
            call descend(region%box, region%t, model%qtf, par, z, workspace)
         else
            has_products = .false.
            call damped_step(n, region%t, model%qtf, par, z, workspace, has_products)
         end if
         call multiply(n, region%t, z, image)
         call region%restore(units)
         promise = 2*dot(n, image/model%fnorm, model%qtf/model%fnorm) &
                   - (enorm(n, image)/model%fnorm)**2
      end associate
   end function promise

end module minpack_settled
