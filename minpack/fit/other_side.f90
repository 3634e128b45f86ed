module minpack_other_side
   !! Where a fit begins if some variables have the same effect at the start.
   !!
   !! The residuals do not change along a direction in which these effects cancel, so nothing tells
   !! the fit to which side to go. Take a*exp(-k*t) + c at a = k = 0: there a and c have the same
   !! effect, and k has none. The first step may increase a or c, and with the wrong sign of a no
   !! rate fits the data. A fit that set off to the wrong side may be tried again from the other
   !! side: the first step is reflected, so that it leads as far along this direction the other way.
   use minpack_kinds, only: dp
   use minpack_vectors, only: dot, enorm
   use minpack_triangle, only: solve
   use minpack_bounds, only: bounds_type
   use minpack_model, only: model_type
   use minpack_trust_region, only: trust_region_type
   use minpack_workspace, only: workspace_type
   implicit none
   private
   public :: start_beyond, on_no_side, on_one_side, turning, turned

   ! What a fit knows of the side to which it goes.
   integer, parameter :: on_no_side = 0
      !! There is no such direction.
   integer, parameter :: on_one_side = 1
      !! It went where its first step led.
   integer, parameter :: turning = 2
      !! It asks for the residuals on the other side.
   integer, parameter :: turned = 3
      !! It began there.

contains

   subroutine start_beyond(model, noise, x, region, longest, start, found, workspace)
      !! Choose a start on the other side of the first direction without effect.
      type(model_type), intent(in) :: model
         !! The linear model at x.
      real(dp), intent(in) :: noise
         !! The error of the Jacobian, relative to its columns.
      real(dp), intent(in) :: x(:)
         !! Shape: (n). The usual start.
      type(trust_region_type), intent(in) :: region
         !! The trust region around x.
      real(dp), intent(in) :: longest
         !! How far away the start may be, in units of D.
      real(dp), intent(out) :: start(:)
         !! Shape: (n). The other start.
      logical, intent(out) :: found
         !! Whether there is one.
      type(workspace_type), intent(inout) :: workspace
         !! Memory for n variables.
      real(dp) :: along
      integer :: k, head, i

      start = x
      found = .false.
      call model%find_noise(noise, head, k)
      if (head == 0 .or. k == 0) return
      associate (step => workspace%scaled, w => workspace%image, diag => region%diag)
         ! In units of D, the step is -T^-1 q, and the direction (-w, 1) has no effect.
         step = 0
         w = 0
         step(:head) = -model%qtf(:head)
         w(:head) = model%r(:head, k)/diag(model%ipvt(k))
         call solve_head(model, diag, head, step)
         call solve_head(model, diag, head, w)
         along = dot(head, w, w)
         if (.not. along > 0) return
         along = 2*dot(head, w, step)/along
         step = step - along*w
         step(k) = along
         along = enorm(k, step)
         found = along > 0 .and. along <= huge(along)
         if (.not. found) return
         if (along > longest) step = step*(longest/along)
         do i = 1, k
            associate (j => model%ipvt(i))
               start(j) = within(region%bounds, j, x(j), x(j) + step(i)/diag(j))
            end associate
         end do
      end associate
   end subroutine start_beyond

   subroutine solve_head(model, diag, head, b)
      !! Solve a system with the first columns of T = R D^-1.
      type(model_type), intent(in) :: model
      real(dp), intent(in) :: diag(:)
      integer, intent(in) :: head
      real(dp), intent(inout) :: b(:)
      integer :: i

      call solve(head, model%r, size(model%r, 1), b)
      do i = 1, head
         b(i) = b(i)*diag(model%ipvt(i))
      end do
   end subroutine solve_head

   pure real(dp) function within(bounds, j, from, to)
      !! Where to go with a variable: half of the way to a bound that is in the way.
      type(bounds_type), intent(in) :: bounds
      integer, intent(in) :: j
      real(dp), intent(in) :: from
      real(dp), intent(in) :: to

      within = to
      if (.not. bounds%bounded) return
      if (to < bounds%lower(j)) within = from + (bounds%lower(j) - from)/2
      if (to > bounds%upper(j)) within = from + (bounds%upper(j) - from)/2
   end function within

end module minpack_other_side
