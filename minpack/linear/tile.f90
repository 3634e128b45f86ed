module minpack_tile
   !! Operations on four columns of a matrix and three of another: the parts of products of matrices
   !! that a processor keeps in its registers.
   use minpack_kinds, only: dp
   implicit none
   private
   public :: tile_rows, tile_columns, tile_products, subtract_tile, at_a_time, many_columns

   integer, parameter :: tile_rows = 4
   integer, parameter :: tile_columns = 3
   integer, parameter :: at_a_time = 96
      !! Columns that stay in the cache while all tiles in them are computed.

   integer, parameter :: many_columns = 32
      !! With so many columns, tiles are faster than operations on one column after another.

contains

   pure subroutine tile_products(length, a, ld, b1, b2, b3, products)
      !! Compute A'B.
      integer, intent(in) :: length
         !! The length of the columns.
      integer, intent(in) :: ld
         !! From one column of A to the next, in numbers.
      real(dp), intent(in) :: a(ld, tile_rows)
         !! A.
      real(dp), intent(in) :: b1(length)
         !! The first column of B.
      real(dp), intent(in) :: b2(length)
         !! The second column of B.
      real(dp), intent(in) :: b3(length)
         !! The third column of B.
      real(dp), intent(out) :: products(tile_rows, tile_columns)
         !! A'B.
      real(dp) :: p11, p21, p31, p41, p12, p22, p32, p42, p13, p23, p33, p43
      integer :: i

      p11 = 0; p21 = 0; p31 = 0; p41 = 0
      p12 = 0; p22 = 0; p32 = 0; p42 = 0
      p13 = 0; p23 = 0; p33 = 0; p43 = 0
      !$omp simd reduction(+:p11, p21, p31, p41, p12, p22, p32, p42, p13, p23, p33, p43)
      do i = 1, length
         p11 = p11 + a(i, 1)*b1(i)
         p21 = p21 + a(i, 2)*b1(i)
         p31 = p31 + a(i, 3)*b1(i)
         p41 = p41 + a(i, 4)*b1(i)
         p12 = p12 + a(i, 1)*b2(i)
         p22 = p22 + a(i, 2)*b2(i)
         p32 = p32 + a(i, 3)*b2(i)
         p42 = p42 + a(i, 4)*b2(i)
         p13 = p13 + a(i, 1)*b3(i)
         p23 = p23 + a(i, 2)*b3(i)
         p33 = p33 + a(i, 3)*b3(i)
         p43 = p43 + a(i, 4)*b3(i)
      end do
      products(1, 1) = p11
      products(2, 1) = p21
      products(3, 1) = p31
      products(4, 1) = p41
      products(1, 2) = p12
      products(2, 2) = p22
      products(3, 2) = p32
      products(4, 2) = p42
      products(1, 3) = p13
      products(2, 3) = p23
      products(3, 3) = p33
      products(4, 3) = p43
   end subroutine tile_products

   pure subroutine subtract_tile(length, a, ld, factors, b1, b2, b3)
      !! Subtract A times the factors from B.
      integer, intent(in) :: length
         !! The length of the columns.
      integer, intent(in) :: ld
         !! From one column of A to the next, in numbers.
      real(dp), intent(in) :: a(ld, tile_rows)
         !! A.
      real(dp), intent(in) :: factors(tile_rows, tile_columns)
         !! The factors, for each column of B.
      real(dp), intent(inout) :: b1(length)
         !! The first column of B.
      real(dp), intent(inout) :: b2(length)
         !! The second column of B.
      real(dp), intent(inout) :: b3(length)
         !! The third column of B.
      integer :: i

      !$omp simd
      do i = 1, length
         b1(i) = b1(i) - (a(i, 1)*factors(1, 1) + a(i, 2)*factors(2, 1)) &
                 - (a(i, 3)*factors(3, 1) + a(i, 4)*factors(4, 1))
         b2(i) = b2(i) - (a(i, 1)*factors(1, 2) + a(i, 2)*factors(2, 2)) &
                 - (a(i, 3)*factors(3, 2) + a(i, 4)*factors(4, 2))
         b3(i) = b3(i) - (a(i, 1)*factors(1, 3) + a(i, 2)*factors(2, 3)) &
                 - (a(i, 3)*factors(3, 3) + a(i, 4)*factors(4, 3))
      end do
   end subroutine subtract_tile

end module minpack_tile
