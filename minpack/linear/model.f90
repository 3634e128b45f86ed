module minpack_model
   !! The linear model f + J p of the residuals, multiplied by the orthogonal matrix Q' of J P = Q
   !! R. Its size does not depend on the number of residuals.
   !!
   !! The columns are pivoted, because then R shows if a column is a combination of others. If there
   !! are many columns, and R shows without pivoting that all of them are independent, they are
   !! pivoted only at the end of a fit.
   use minpack_kinds, only: dp
   use minpack_store, only: store_type
   use minpack_vectors, only: all_finite, enorm
   use minpack_triangle, only: copy_triangle
   use minpack_tile, only: many_columns
   use minpack_qr, only: pivoted_qr
   use minpack_products, only: factor_products
   implicit none
   private
   public :: model_type

   real(dp), parameter :: least_part = 1e-6_dp
      !! The smallest part of its norm that a column keeps, after projection on the columns before
      !! it, if it is independent of them.

   type :: model_type
      real(dp), pointer, contiguous :: r(:, :) => null()
         !! Shape: (n, n). R, zeros below its diagonal, which does not increase if the columns are
         !! pivoted.
      real(dp), pointer, contiguous :: qtf(:) => null()
         !! Shape: (n). Q' f.
      integer, pointer, contiguous :: ipvt(:) => null()
         !! Shape: (n). Column j of J P is column ipvt(j) of J.
      real(dp), pointer, contiguous :: acnorm(:) => null()
         !! Shape: (n). The norms of the columns of J.
      real(dp), pointer, contiguous :: changes(:) => null()
         !! Shape: (n). How much the step of each column of J changed the residuals, in units of the
         !! data; 1 if J was not differenced, and more across a jump.
      real(dp), pointer :: fnorm => null()
         !! The norm of f.
   contains
      procedure :: attach
      procedure :: begin
      procedure :: take
      procedure :: take_products
      procedure :: take_changes
      procedure :: pivot
      procedure :: has_noise
      procedure :: find_noise
      procedure :: leave_out_noise
      procedure :: slope
   end type model_type

contains

   subroutine attach(self, n, store)
      class(model_type), intent(inout) :: self
      integer, intent(in) :: n
         !! Number of variables.
      type(store_type), intent(inout) :: store
         !! The caller's memory, from which the numbers are taken.

      self%r => store%matrix(n, n)
      self%qtf => store%vector(n)
      self%acnorm => store%vector(n)
      self%changes => store%vector(n)
      self%fnorm => store%number()
      self%ipvt => store%indices(n)
   end subroutine attach

   pure subroutine begin(self)
      !! Set the model to its values before a fit. R has none yet.
      class(model_type), intent(inout) :: self
      integer :: j

      self%qtf = 0
      self%acnorm = 0
      self%changes = 1
      self%fnorm = 0
      do j = 1, size(self%ipvt)
         self%ipvt(j) = j
      end do
   end subroutine begin

   subroutine take(self, triangle, fnorm, left, finite)
      !! Become the model of a triangle.
      class(model_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: triangle(:, :)
         !! Shape: (n + 1, n + 1). The rows of [J f] folded: R without pivoting, and Q'f beside it.
      real(dp), intent(in) :: fnorm
         !! The norm of f.
      real(dp), intent(inout), contiguous :: left(:, :)
         !! Shape: (n, 2). Workspace.
      logical, intent(out) :: finite
         !! Whether the Jacobian is finite. If not, this is not a model.
      integer :: n, j

      n = size(self%qtf)
      self%fnorm = fnorm
      call copy_triangle(n, triangle, n + 1, self%r)
      self%qtf = triangle(:n, n + 1)
      ! A value of the Jacobian that is not finite has spread into its column of the triangle.
      finite = all_finite(n, self%qtf)
      do j = 1, n
         finite = finite .and. all_finite(j, self%r(:, j))
      end do
      if (.not. finite) return
      do j = 1, n
         self%acnorm(j) = enorm(j, self%r(:, j))
         self%ipvt(j) = j
      end do
      if (n < many_columns .or. .not. is_regular(n, self%r, self%acnorm)) then
         call pivoted_qr(n, self%r, self%qtf, self%ipvt, self%acnorm, left)
      end if
   end subroutine take

   subroutine pivot(self, left)
      !! Pivot the columns if they are not pivoted yet.
      class(model_type), intent(inout) :: self
      real(dp), intent(inout), contiguous :: left(:, :)
         !! Shape: (n, 2). Workspace.
      integer :: n, j

      n = size(self%qtf)
      do j = 1, n
         if (self%ipvt(j) /= j) return
      end do
      do j = 2, n
         if (abs(self%r(j, j)) > abs(self%r(j - 1, j - 1))) then
            call pivoted_qr(n, self%r, self%qtf, self%ipvt, self%acnorm, left)
            return
         end if
      end do
   end subroutine pivot

   subroutine take_products(self, products, fnorm, left, accurate)
      !! Become the model of the products of the columns of [J f].
      class(model_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: products(:, :)
         !! Shape: (n + 1, n). J'J, its lower triangle, and f'J below it.
      real(dp), intent(in) :: fnorm
         !! The norm of f.
      real(dp), intent(inout), contiguous :: left(:, :)
         !! Shape: (n, 2). Workspace.
      logical, intent(out) :: accurate
         !! Whether the products determine the model. If not, this is not a model.

      self%fnorm = fnorm
      call factor_products(size(self%qtf), products, self%r, self%qtf, self%ipvt, self%acnorm, &
                           left, accurate)
   end subroutine take_products

   pure subroutine take_changes(self, changes)
      !! Take what the steps of the columns changed.
      class(model_type), intent(inout) :: self
      real(dp), intent(in), contiguous :: changes(:)
         !! Shape: (n).
      integer :: j

      do j = 1, size(changes)
         self%changes(j) = changes(j)
      end do
   end subroutine take_changes

   pure real(dp) function slope(self, j)
      !! Half the derivative of the sum of squares with respect to variable ipvt(j), divided by the
      !! norm of f, which is not zero.
      class(model_type), intent(in) :: self
      integer, intent(in) :: j
         !! A column of R.
      integer :: i

      slope = 0
      do i = 1, j
         slope = slope + self%r(i, j)*(self%qtf(i)/self%fnorm)
      end do
   end function slope

   pure logical function is_regular(n, r, acnorm)
      !! Whether each column keeps enough of its norm.
      integer, intent(in) :: n
      real(dp), intent(in) :: r(n, n)
      real(dp), intent(in) :: acnorm(n)
      integer :: j

      is_regular = .true.
      do j = 1, n
         is_regular = is_regular .and. abs(r(j, j)) > least_part*acnorm(j)
      end do
   end function is_regular

   pure logical function has_noise(self, k, noise)
      !! Whether nothing but errors of the Jacobian may be left of column k of J P, after projection
      !! on the columns before it.
      class(model_type), intent(in) :: self
      integer, intent(in) :: k
         !! The column.
      real(dp), intent(in) :: noise
         !! The error of the Jacobian, relative to its columns.

      has_noise = abs(self%r(k, k)) <= noise*self%acnorm(self%ipvt(k))
   end function has_noise

   pure subroutine find_noise(self, noise, head, first)
      !! Find a column of which nothing but errors may be left, although it is not zero.
      class(model_type), intent(in) :: self
      real(dp), intent(in) :: noise
         !! The error of the Jacobian, relative to its columns.
      integer, intent(out) :: head
         !! How many columns are independent before any that may not be.
      integer, intent(out) :: first
         !! The first such column of J P; 0 if there is none.
      integer :: k

      head = size(self%qtf)
      first = 0
      do k = size(self%qtf), 1, -1
         if (.not. self%has_noise(k, noise)) cycle
         head = k - 1
         if (self%acnorm(self%ipvt(k)) > 0) first = k
      end do
   end subroutine find_noise

   pure subroutine leave_out_noise(self, noise, diag, delta)
      !! Promise nothing of steps that lead out of the trust region in a direction in which nothing
      !! but errors of the Jacobian may be left: their sign is that of an error.
      class(model_type), intent(inout) :: self
      real(dp), intent(in) :: noise
         !! The error of the Jacobian, relative to its columns.
      real(dp), intent(in) :: diag(:)
         !! Shape: (n). The scale of the trust region.
      real(dp), intent(in) :: delta
         !! Its radius.
      integer :: k

      do k = 1, size(self%qtf)
         if (.not. self%has_noise(k, noise)) cycle
         if (abs(self%qtf(k))*diag(self%ipvt(k)) > abs(self%r(k, k))*delta) self%qtf(k) = 0
      end do
   end subroutine leave_out_noise

end module minpack_model
