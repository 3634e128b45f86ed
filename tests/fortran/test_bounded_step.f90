program test_bounded_step
   !! The step within bounds against the conditions that only a solution fulfils.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   use minpack_workspace, only: workspace_type
   use minpack_scaled_box, only: scaled_box_type
   use minpack_bounded_step, only: bounded_step
   use checks, only: check, finish, random_matrix, random_triangle
   implicit none
   real(dp), parameter :: radii(4) = [1e-3_dp, 0.1_dp, 1.0_dp, 1e6_dp]
   real(dp), parameter :: widths(4) = [1e-3_dp, 0.1_dp, 1.0_dp, 1e6_dp]
   real(dp), parameter :: scales(3) = [1.0_dp, 1e150_dp, 1e-150_dp]
   integer :: steps = 0, unsolved = 0
   integer :: n, i, j, k, repetition

   do n = 1, 12
      do i = 1, size(radii)
         do j = 1, size(widths)
            do k = 1, size(scales)
               do repetition = 1, 4
                  call solves(random_triangle(n), reshape(random_matrix(n, 1), [n]), radii(i), &
                              widths(j)*box(n), scales(k))
               end do
            end do
         end do
      end do
      call solves(rank_of_one(n), reshape(random_matrix(n, 1), [n]), 1.0_dp, box(n), 1.0_dp)
   end do
   call check(steps > 0 .and. unsolved == 0, 'the steps solve their problems')
   call finish()

contains

   function box(n) result(limits)
      !! Least and greatest z: some zero, some equal, some infinite.
      integer, intent(in) :: n
      real(dp) :: limits(n, 2)
      real(dp), allocatable :: kinds(:)
      integer :: j

      limits(:, 1) = -abs(reshape(random_matrix(n, 1), [n]))
      limits(:, 2) = abs(reshape(random_matrix(n, 1), [n]))
      kinds = reshape(random_matrix(n, 1), [n])
      do j = 1, n
         if (kinds(j) < -0.8_dp) then
            limits(j, :) = 0
         else if (kinds(j) < -0.4_dp) then
            limits(j, 1) = 0
         else if (kinds(j) < 0) then
            limits(j, 2) = 0
         else if (kinds(j) > 0.8_dp) then
            limits(j, 2) = huge(1.0_dp)
         end if
      end do
   end function box

   subroutine solves(triangle, q, delta, limits, scale)
      real(dp), intent(in) :: triangle(:, :)
      real(dp), intent(in) :: q(:)
      real(dp), intent(in) :: delta
      real(dp), intent(in) :: limits(:, :)
      real(dp), intent(in) :: scale
         !! Of the residuals, and so of everything in scaled variables.
      type(scaled_box_type) :: bounds
      type(workspace_type) :: workspace
      type(store_type) :: store
      real(dp), target :: reals(2*size(q))
      integer, target :: integers(size(q))
      real(dp), allocatable :: t(:, :), z(:), slope(:)
      real(dp) :: par, length, tolerance
      integer :: n, stat

      n = size(q)
      ! The columns of T have norms of at most one.
      t = triangle/maxval(norm2(triangle, 1))
      allocate (z(n))
      call store%open(reals, integers)
      call bounds%attach(n, store)
      call check(store%is_full(), 'a box takes what it needs')
      call workspace%allocate_for(n, .true., stat)
      call check(stat == 0, 'memory')
      bounds%least = max(limits(:, 1), -huge(1.0_dp)/scale)*scale
      bounds%greatest = min(limits(:, 2), huge(1.0_dp)/scale)*scale
      par = 0
      call bounded_step(bounds, t, scale*q, scale*delta, par, z, length, workspace)
      call check(all(bounds%least <= z .and. z <= bounds%greatest), 'the step stays in the box')
      call check(length <= 1.2_dp*scale*delta, 'the step stays in the region')
      call check(abs(length - norm2(z/scale)*scale) <= 1e-12_dp*length, 'length is |z|')

      z = z/scale
      slope = matmul(transpose(t), q - matmul(t, z)) - par*z
      tolerance = 1e-11_dp*(1 + par*maxval(abs(z)))
      steps = steps + 1
      where (limits(:, 1) == limits(:, 2)) slope = 0
      if (any(slope > merge(huge(1.0_dp), tolerance, scale*z >= bounds%greatest)) .or. &
          any(slope < merge(-huge(1.0_dp), -tolerance, scale*z <= bounds%least))) &
         unsolved = unsolved + 1
   end subroutine solves

   function rank_of_one(n) result(triangle)
      integer, intent(in) :: n
      real(dp) :: triangle(n, n)

      triangle = 0
      triangle(1, :) = 1
   end function rank_of_one

end program test_bounded_step
