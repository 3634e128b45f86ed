module minpack_products
   !! The column-pivoted triangle of J from the products of the columns of [J f].
   !!
   !! R of J P = Q R is the Cholesky factor of P' J'J P, and Q'f is the solution of R' q = P' J'f.
   !! The products cost less than reflections, but a column that is close to a combination of other
   !! columns loses twice as many digits. Therefore the products are given up if a column keeps too
   !! little after projection on the columns before it.
   use minpack_kinds, only: dp
   use minpack_vectors, only: least_square, greatest_square
   use minpack_tile, only: many_columns
   use minpack_triangle, only: solve_transposed
   use minpack_cholesky, only: factor_pivoting
   implicit none
   private
   public :: factor_products, most_columns, are_of_use

   integer, parameter :: most_columns = 12
      !! With more columns, reflections are not slower: they are applied to four columns at once. If
      !! there are many, tiles of products take half the time.
   real(dp), parameter :: least_share = 1e-4_dp
      !! The least share of its square that a column must keep. A share of 1e-4 costs four digits.
   real(dp), parameter :: least_share_of_many = 1e-6_dp
      !! The same for many columns. The last column of a square matrix of random numbers keeps a
      !! share of about 1/n.

contains

   pure logical function are_of_use(n)
      !! Whether the products of n columns are faster than reflections.
      integer, intent(in) :: n
         !! Number of columns of J.

      are_of_use = n <= most_columns .or. n >= many_columns
   end function are_of_use

   pure subroutine factor_products(n, products, r, qtf, ipvt, acnorm, left, accurate)
      !! Factor the products with column pivoting.
      integer, intent(in) :: n
         !! Number of columns of J.
      real(dp), intent(in) :: products(n + 1, n)
         !! J'J, its lower triangle, and f'J below it.
      real(dp), intent(out) :: r(n, n)
         !! R, zeros below its diagonal.
      real(dp), intent(out) :: qtf(n)
         !! Q'f.
      integer, intent(out) :: ipvt(n)
         !! Column j of J P is column ipvt(j) of J.
      real(dp), intent(out) :: acnorm(n)
         !! The norms of the columns of J.
      real(dp), intent(out) :: left(n)
         !! Workspace: what is left of the squares of the columns.
      logical, intent(out) :: accurate
         !! If not, the other results are not valid.
      real(dp) :: value, reciprocal
      integer :: i, j, k, pivot

      accurate = .false.
      do j = 1, n
         left(j) = products(j, j)
         if (.not. (left(j) >= least_square .and. left(j) <= greatest_square)) return
         if (.not. abs(products(n + 1, j)) <= greatest_square) return
         ipvt(j) = j
      end do
      acnorm = sqrt(left)
      if (n >= many_columns) then
         call factor_many(n, products, r, qtf, ipvt, left, accurate)
         return
      end if
      r = 0
      do k = 1, n
         pivot = k
         do j = k + 1, n
            if (left(j) > left(pivot)) pivot = j
         end do
         if (pivot /= k) call exchange(n, k, pivot, r, ipvt, left)
         associate (column => ipvt(k))
            if (.not. left(k) >= least_share*products(column, column)) return
            r(k, k) = sqrt(left(k))
            reciprocal = 1/r(k, k)
            do j = k + 1, n
               value = products(max(column, ipvt(j)), min(column, ipvt(j)))
               do i = 1, k - 1
                  value = value - r(i, k)*r(i, j)
               end do
               r(k, j) = value*reciprocal
               left(j) = left(j) - r(k, j)**2
            end do
            value = products(n + 1, column)
         end associate
         do i = 1, k - 1
            value = value - r(i, k)*qtf(i)
         end do
         qtf(k) = value*reciprocal
      end do
      accurate = .true.
   end subroutine factor_products

   pure subroutine factor_many(n, products, r, qtf, ipvt, left, accurate)
      !! The same for many columns, whose norms are known.
      integer, intent(in) :: n
      real(dp), intent(in) :: products(n + 1, n)
      real(dp), intent(out) :: r(n, n)
      real(dp), intent(out) :: qtf(n)
      integer, intent(out) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      logical, intent(out) :: accurate
      integer :: j

      do j = 1, n
         r(j:, j) = products(j:n, j)
      end do
      qtf = least_share_of_many*left
      call factor_pivoting(n, r, qtf, ipvt, left, accurate)
      if (.not. accurate) return
      do j = 1, n
         r(j + 1:, j) = 0
         qtf(j) = products(n + 1, ipvt(j))
      end do
      call solve_transposed(n, r, qtf)
   end subroutine factor_many

   pure subroutine exchange(n, k, pivot, r, ipvt, left)
      !! Exchange two columns above row k.
      integer, intent(in) :: n
      integer, intent(in) :: k
      integer, intent(in) :: pivot
      real(dp), intent(inout) :: r(n, n)
      integer, intent(inout) :: ipvt(n)
      real(dp), intent(inout) :: left(n)
      real(dp) :: value
      integer :: i, column

      do i = 1, k - 1
         value = r(i, k)
         r(i, k) = r(i, pivot)
         r(i, pivot) = value
      end do
      value = left(k)
      left(k) = left(pivot)
      left(pivot) = value
      column = ipvt(k)
      ipvt(k) = ipvt(pivot)
      ipvt(pivot) = column
   end subroutine exchange

end module minpack_products
