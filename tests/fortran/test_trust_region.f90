program test_trust_region
   use minpack_kinds, only: dp
   use minpack_vectors, only: enorm
   use minpack_store, only: store_type
   use minpack_bounds, only: bounds_type
   use minpack_workspace, only: workspace_type
   use minpack_model, only: model_type
   use minpack_trust_region, only: trust_region_type
   use minpack_reduction, only: reduction_type
   use checks, only: check, finish, random_matrix, random_triangle
   implicit none
   integer, parameter :: powers(3) = [0, 150, -150]
   real(dp), allocatable, target, save :: reals(:)
   integer, allocatable, target, save :: integers(:)
   real(dp), pointer, contiguous :: follow(:) => null()
   type(workspace_type), allocatable, save :: workspace
   integer :: n, i, j

   do n = 0, 32, 4
      do i = 1, size(powers)
         do j = 1, size(powers)
            call solves_the_subproblem(random_triangle(n), 10.0_dp**powers(i), 10.0_dp**powers(j))
         end do
      end do
      call solves_the_subproblem(0*random_triangle(n), 1.0_dp, 1.0_dp)
      do i = 1, n
         call solves_the_subproblem(triangle_of_rank(i - 1, n), 1.0_dp, 1.0_dp)
      end do
      call goes_down_the_gradient_if_short(random_triangle(n))
      call stays_where_nothing_pulls(random_triangle(n))
      call promises_what_the_model_gives(random_triangle(n), .false.)
      call promises_what_the_model_gives(random_triangle(n), .true.)
   end do
   call equal_columns_share_a_step()
   call solves_the_subproblem(gentle_triangle(150), 1.0_dp, 1.0_dp)
   call finish()

contains

   subroutine solves_the_subproblem(triangle, scale, residuals)
      !! With the step p: (R'R + par D^2) p = -R'q, and |D p| is delta within a tenth, or less if
      !! par is zero.
      real(dp), intent(in) :: triangle(:, :)
      real(dp), intent(in) :: scale
      real(dp), intent(in) :: residuals
      real(dp), parameter :: radii(4) = [1e-6_dp, 0.03_dp, 0.5_dp, 1e6_dp]
      type(trust_region_type) :: region
      type(model_type) :: model
      real(dp), allocatable :: x(:), trial(:), p(:), gradient(:)
      real(dp) :: unit
      integer :: n, k

      n = size(triangle, 1)
      call make_model(model, scale*triangle)
      model%qtf = residuals*model%qtf
      unit = residuals/scale
      allocate (x(n), trial(n))
      x = 0
      call found(region, n, bounds_type())
      model%fnorm = 1
      call region%set_off(model, x, 1.0_dp, follow, workspace)
      call region%adopt(model)
      do k = 1, size(radii)
         region%delta = radii(k)*residuals
         region%par = 0
         call region%propose(model, x, trial, workspace)
         if (region%par == 0) then
            call check(region%length <= 1.1_dp*region%delta, 'an undamped step is in the region')
         else if (region%par > epsilon(region%par)) then
            call check(abs(region%length - region%delta) <= 0.1_dp*region%delta, &
                       'a damped step ends on the boundary')
         else
            ! Damping only picks the shortest of the many solutions of a singular triangle.
            call check(region%length <= 1.1_dp*region%delta, 'the shortest step is in the region')
         end if
         ! In units of the scales, so that no product overflows.
         p = trial/unit
         gradient = matmul(transpose(triangle), matmul(triangle, p) + model%qtf/residuals) &
                    + region%par*(region%diag/scale)**2*p
         call check(all(abs(gradient) < 1e-12_dp*(1 + region%par*maxval(abs(p)))), &
                    'the step solves the damped equations')
         call check(abs(region%length/residuals - norm2(region%diag/scale*p)) &
                    <= 1e-12_dp*norm2(region%diag/scale*p), 'length is |D p|')
      end do
      deallocate (model%r, model%qtf, model%ipvt, model%acnorm, model%fnorm)
   end subroutine solves_the_subproblem

   subroutine goes_down_the_gradient_if_short(triangle)
      real(dp), intent(in) :: triangle(:, :)
      type(trust_region_type) :: region
      type(model_type) :: model
      real(dp), allocatable :: x(:), trial(:), downhill(:)
      integer :: n

      n = size(triangle, 1)
      call make_model(model, triangle)
      allocate (x(n), trial(n))
      x = 0
      call found(region, n, bounds_type())
      model%fnorm = 1
      call region%set_off(model, x, 1.0_dp, follow, workspace)
      call region%adopt(model)
      region%delta = 1e-20_dp
      call region%propose(model, x, trial, workspace)
      trial = region%diag*trial/region%length
      downhill = -matmul(transpose(triangle), model%qtf)/region%diag
      downhill = downhill/norm2(downhill)
      call check(all(abs(trial - downhill) < 1e-10_dp), 'a short step goes down the gradient')
      deallocate (model%r, model%qtf, model%ipvt, model%acnorm, model%fnorm)
   end subroutine goes_down_the_gradient_if_short

   subroutine equal_columns_share_a_step()
      !! A radius just above the length of the shortest solution makes the damping next to nothing.
      type(trust_region_type) :: region
      type(model_type) :: model
      real(dp) :: x(2), trial(2)
      integer :: k

      call make_model(model, reshape([1.0_dp, 0.0_dp, 1.0_dp, 0.0_dp], [2, 2]))
      model%qtf = [1.0_dp, 1.0_dp]
      x = 0
      call found(region, 2, bounds_type())
      model%fnorm = 1
      call region%set_off(model, x, 1.0_dp, follow, workspace)
      call region%adopt(model)
      do k = 1, 5
         region%delta = 0.9_dp
         call region%propose(model, x, trial, workspace)
         region%par = 1e-10_dp*region%par
      end do
      call check(abs(trial(1) - trial(2)) < 1e-14_dp, 'equal columns share a step')
      deallocate (model%r, model%qtf, model%ipvt, model%acnorm, model%fnorm)
   end subroutine equal_columns_share_a_step

   subroutine stays_where_nothing_pulls(triangle)
      real(dp), intent(in) :: triangle(:, :)
      type(trust_region_type) :: region
      type(model_type) :: model
      real(dp), allocatable :: x(:), trial(:)
      integer :: n

      n = size(triangle, 1)
      call make_model(model, triangle)
      model%qtf = 0
      allocate (x(n), trial(n))
      x = 1
      call found(region, n, bounds_type())
      model%fnorm = 1
      call region%set_off(model, x, 1.0_dp, follow, workspace)
      call region%adopt(model)
      call region%propose(model, x, trial, workspace)
      call check(all(trial == x), 'no step without a gradient')
      deallocate (model%r, model%qtf, model%ipvt, model%acnorm, model%fnorm)
   end subroutine stays_where_nothing_pulls

   subroutine promises_what_the_model_gives(triangle, bounded)
      real(dp), intent(in) :: triangle(:, :)
      logical, intent(in) :: bounded
      type(trust_region_type) :: region
      type(reduction_type) :: reduction
      type(model_type) :: model
      real(dp), allocatable, target :: lower(:), upper(:)
      real(dp), allocatable :: x(:), trial(:), p(:)
      real(dp) :: fnorm, promised, slope
      integer :: n

      n = size(triangle, 1)
      if (n == 0) return
      call make_model(model, triangle)
      fnorm = 2*norm2(model%qtf)
      lower = spread(-0.01_dp, 1, n)
      upper = spread(0.02_dp, 1, n)
      allocate (x(n), trial(n))
      x = 0
      call found(region, n, bounds_type(bounded, lower, upper))
      model%fnorm = fnorm
      call region%set_off(model, x, 0.1_dp, follow, workspace)
      call region%adopt(model)
      call region%propose(model, x, trial, workspace)
      call check(any(trial == lower/2 .or. trial == upper/2) .eqv. bounded, &
                 'the first step stops half-way to a bound')
      if (bounded) then
         call check(all(lower/2 <= trial .and. trial <= upper/2), 'and goes no further')
      end if
      reduction = region%assess(model, fnorm, fnorm, workspace)
      p = trial
      promised = sum(model%qtf**2) - sum((model%qtf + matmul(triangle, p))**2)
      slope = dot_product(model%qtf, matmul(triangle, p))
      call check(abs(reduction%predicted*fnorm**2 - promised) < 1e-12_dp*promised, &
                 'what it promises')
      call check(abs(reduction%slope*fnorm**2 - slope) < 1e-12_dp*promised, 'and how it begins')
      call check(reduction%actual == 0, 'and what it brought')
      if (bounded) then
         call region%reach%call_in()
         call region%propose(model, x, trial, workspace)
         call check(any(trial == lower .or. trial == upper), 'what was called in lands exactly')
      end if
      deallocate (model%r, model%qtf, model%ipvt, model%acnorm, model%fnorm)
   end subroutine promises_what_the_model_gives

   subroutine found(region, n, bounds)
      !! A new region, and workspace for it.
      type(trust_region_type), intent(out) :: region
      integer, intent(in) :: n
      type(bounds_type), intent(in) :: bounds
      type(store_type) :: store
      integer :: stat

      reals = spread(0.0_dp, 1, n*n + 3*n + 4 + merge(3*n, 0, bounds%bounded))
      integers = spread(0, 1, merge(3*n, 0, bounds%bounded) + 1)
      call store%open(reals, integers)
      call region%attach(n, bounds, .true., store)
      call check(store%is_full(), 'a region takes what it needs')
      call region%begin()
      if (allocated(workspace)) deallocate (workspace)
      allocate (workspace)
      call workspace%allocate_for(n, bounds%bounded, stat)
      call check(stat == 0, 'memory')
   end subroutine found

   subroutine make_model(model, triangle)
      type(model_type), intent(out) :: model
      real(dp), intent(in) :: triangle(:, :)
      integer :: n, k

      n = size(triangle, 1)
      allocate (model%r(n, n), model%qtf(n), model%ipvt(n), model%acnorm(n), model%fnorm)
      model%r = triangle
      model%qtf = reshape(random_matrix(n, 1), [n])
      model%ipvt = [(k, k=1, n)]
      model%acnorm = [(enorm(n, triangle(:, k)), k=1, n)]
   end subroutine make_model

   function gentle_triangle(n) result(r)
      !! Well-conditioned however large.
      integer, intent(in) :: n
      real(dp) :: r(n, n)
      integer :: k

      r = random_triangle(n)/n
      do k = 1, n
         r(k, k) = 1 + r(k, k)
      end do
   end function gentle_triangle

   function triangle_of_rank(rank, n) result(r)
      integer, intent(in) :: rank
      integer, intent(in) :: n
      real(dp) :: r(n, n)

      r = random_triangle(n)
      r(rank + 1:, :) = 0
   end function triangle_of_rank

end program test_trust_region
