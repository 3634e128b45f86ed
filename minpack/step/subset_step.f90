module minpack_subset_step
   !! The step of minpack_lmpar in some of the variables, while the other variables do not move.
   use minpack_kinds, only: dp
   use minpack_fold, only: triangulate
   use minpack_qr, only: pivoted_qr
   use minpack_triangle, only: copy_triangle
   use minpack_lmpar, only: lmpar, damped_step
   use minpack_workspace, only: workspace_type
   implicit none
   private
   public :: subset_step, damped_subset_step

contains

   subroutine subset_step(t, qtf, which, delta, par, z, workspace)
      !! Find par, and the step in some variables within the trust radius. The arguments are those
      !! of lmpar, but for:
      real(dp), intent(in), contiguous :: t(:, :)
         !! Shape: (n, n). T.
      real(dp), intent(in), contiguous :: qtf(:)
         !! Shape: (n). Q'f less the part that the other variables explain.
      integer, intent(in) :: which(:)
         !! The columns of T of these variables, in order: fewer than n.
      real(dp), intent(in) :: delta
         !! The trust radius.
      real(dp), intent(inout) :: par
         !! The Levenberg-Marquardt parameter, as in lmpar.
      real(dp), intent(inout), contiguous :: z(:)
         !! Shape: (n). Out: minus the step in these variables. The others are not changed.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      real(dp) :: length
      integer :: count

      count = size(which)
      call factor_columns(t, qtf, which, workspace)
      call lmpar(count, workspace%triangle, workspace%columns(:count, count + 1), delta, par, &
                 workspace%solution, length, workspace)
      call spread_solution(which, workspace%ipvt, workspace%solution, z)
   end subroutine subset_step

   subroutine damped_subset_step(t, qtf, which, par, z, workspace)
      !! The step in some variables for a par that is given and not zero. The other arguments are
      !! those of subset_step.
      real(dp), intent(in), contiguous :: t(:, :)
         !! Shape: (n, n). T.
      real(dp), intent(in), contiguous :: qtf(:)
         !! Shape: (n). Q'f less the part that the other variables explain.
      integer, intent(in) :: which(:)
         !! The columns of T of these variables, in order.
      real(dp), intent(in) :: par
         !! The Levenberg-Marquardt parameter; not zero.
      real(dp), intent(inout), contiguous :: z(:)
         !! Shape: (n). Out: minus the step in these variables.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      integer :: count
      logical :: has_products

      count = size(which)
      call factor_columns(t, qtf, which, workspace)
      has_products = .false.
      call damped_step(count, workspace%triangle, workspace%columns(:count, count + 1), par, &
                       workspace%solution, workspace, has_products)
      call spread_solution(which, workspace%ipvt, workspace%solution, z)
   end subroutine damped_subset_step

   subroutine factor_columns(t, qtf, which, workspace)
      !! Factor some columns of T, and the right-hand side with them.
      real(dp), intent(in), contiguous :: t(:, :)
      real(dp), intent(in), contiguous :: qtf(:)
      integer, intent(in) :: which(:)
      type(workspace_type), intent(inout) :: workspace
      integer :: n, count, j, k

      n = size(qtf)
      count = size(which)
      do k = 1, count
         j = which(k)
         workspace%columns(:j, k) = t(:j, j)
         workspace%columns(j + 1:, k) = 0
      end do
      workspace%columns(:, count + 1) = qtf
      call triangulate(n, count + 1, workspace%columns, n)
      call copy_triangle(count, workspace%columns, n, workspace%triangle)
      call pivoted_qr(count, workspace%triangle, workspace%columns(:count, count + 1), &
                      workspace%ipvt, workspace%norms, workspace%left)
   end subroutine factor_columns

   pure subroutine spread_solution(which, ipvt, solution, z)
      integer, intent(in) :: which(:)
      integer, intent(in) :: ipvt(:)
      real(dp), intent(in) :: solution(:)
      real(dp), intent(inout) :: z(:)
      integer :: i

      do i = 1, size(which)
         z(which(ipvt(i))) = solution(i)
      end do
   end subroutine spread_solution

end module minpack_subset_step
