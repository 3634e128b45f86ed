program test_fold
   use minpack_kinds, only: dp
   use minpack_fold, only: triangulate, fold
   use checks, only: check, close_to, finish, random_matrix, random_triangle, gram
   implicit none
   integer :: n, rows

   do n = 0, 15
      do rows = 0, 20, 4
         call fold_keeps_products(random_triangle(n), random_matrix(rows, n), 'random')
      end do
      call fold_keeps_products(0*random_triangle(n), random_matrix(n + 3, n), 'onto zeros')
      call fold_keeps_products(random_triangle(n), 0*random_matrix(5, n), 'of zeros')
      call fold_keeps_products(random_triangle(n), spread(ones(n), 1, 7), 'of equal rows')
      do rows = max(n - 1, 0), n + 12, 4
         call triangulate_keeps_products(random_matrix(rows, n), 1.0_dp)
         call triangulate_keeps_products(random_matrix(rows, n), 1e200_dp)
         call triangulate_keeps_products(random_matrix(rows, n), 1e-200_dp)
         call triangulate_keeps_products(spread(ones(n), 1, rows), 1.0_dp)
         call triangulate_keeps_products(0*random_matrix(rows, n), 1.0_dp)
      end do
      do rows = 0, n
         call fold_leaves_the_rest(random_triangle(n), random_matrix(9, n), rows)
      end do
      call fold_scales(n, 1e200_dp)
      call fold_scales(n, 1e-200_dp)
      call fold_knows_small_differences(n)
   end do
   call finish()

contains

   function ones(n)
      integer, intent(in) :: n
      real(dp) :: ones(n)

      ones = 1
   end function ones

   function folded(r, block) result(new)
      real(dp), intent(in) :: r(:, :)
      real(dp), intent(in) :: block(:, :)
      real(dp) :: new(size(r, 1), size(r, 2))
      real(dp) :: room(size(block, 1) + 3, size(block, 2) + 2)

      new = r
      room = 7
      room(:size(block, 1), :size(block, 2)) = block
      call fold(size(block, 1), size(block, 2), size(block, 2), room, size(room, 1), new, &
                size(new, 1))
   end function folded

   subroutine fold_keeps_products(r, block, what)
      real(dp), intent(in) :: r(:, :)
      real(dp), intent(in) :: block(:, :)
      character(*), intent(in) :: what
      real(dp) :: new(size(r, 1), size(r, 2))

      new = folded(r, block)
      call check(all(abs(gram(new) - gram(r) - gram(block)) <= 1e-13_dp*(size(block) + size(r))), &
                 'fold '//what)
      call check(lower_part_is_zero(new), 'fold leaves a triangle '//what)
   end subroutine fold_keeps_products

   subroutine fold_leaves_the_rest(r, block, height)
      !! Folded into fewer rows than columns, what is left of a block begins behind as many columns.
      real(dp), intent(in) :: r(:, :)
      real(dp), intent(in) :: block(:, :)
      integer, intent(in) :: height
      real(dp) :: new(size(r, 1), size(r, 2)), left(size(block, 1), size(block, 2) + 2)
      integer :: n

      n = size(block, 2)
      new = r
      new(height + 1:, :) = 0
      left(:, :n) = block
      call fold(size(block, 1), n, height, left, size(left, 1), new, size(new, 1))
      left(:, :height) = 0
      call check(all(abs(gram(new) + gram(left(:, :n)) - gram(r(:height, :)) - gram(block)) &
                     <= 1e-12_dp), &
                 'fold leaves the rest')
      call check(all(new(height + 1:, :) == 0), 'fold into the rows that are there')
   end subroutine fold_leaves_the_rest

   subroutine triangulate_keeps_products(a, scale)
      real(dp), intent(in) :: a(:, :)
      real(dp), intent(in) :: scale
      real(dp) :: room(size(a, 1) + 2, size(a, 2)), r(size(a, 2), size(a, 2))
      integer :: j

      room(:size(a, 1), :) = scale*a
      room(size(a, 1) + 1:, :) = 7
      call triangulate(size(a, 1), size(a, 2), room, size(room, 1))
      r = 0
      do j = 1, size(a, 2)
         r(:min(j, size(a, 1)), j) = room(:min(j, size(a, 1)), j)/scale
      end do
      call check(all(abs(gram(r) - gram(a)) <= 1e-13_dp*size(a)), 'triangulate')
      call check(all(room(size(a, 1) + 1:, :) == 7), 'triangulate stays within its rows')
   end subroutine triangulate_keeps_products

   subroutine fold_scales(n, scale)
      !! Numbers whose squares overflow or underflow fold like others.
      integer, intent(in) :: n
      real(dp), intent(in) :: scale
      real(dp) :: r(n, n), block(9, n), plain(n, n), scaled(n, n)

      r = random_triangle(n)
      block = random_matrix(9, n)
      plain = folded(r, block)
      scaled = folded(scale*r, scale*block)/scale
      call check(all(abs(scaled - plain) < 1e-12_dp), 'fold of any scale')
   end subroutine fold_scales

   subroutine fold_knows_small_differences(n)
      !! Columns that are next to equal fold as exactly as their differences are known.
      integer, intent(in) :: n
      real(dp), parameter :: difference = 1e-6_dp
      real(dp) :: block(40, n), new(n, n), known(40, n)
      integer :: j

      block = spread(reshape(random_matrix(40, 1), [40]), 2, n) + difference*random_matrix(40, n)
      known = block
      call triangulate(40, n, known, 40)
      new = folded(0*random_triangle(n), block)
      do j = 1, n
         call check(all(abs(abs(new(:j, j)) - abs(known(:j, j))) < 1e-8_dp*difference), &
                    'fold of near columns')
      end do
   end subroutine fold_knows_small_differences

   logical function lower_part_is_zero(r)
      real(dp), intent(in) :: r(:, :)
      integer :: j

      lower_part_is_zero = .true.
      do j = 1, size(r, 2)
         lower_part_is_zero = lower_part_is_zero .and. all(r(j + 1:, j) == 0)
      end do
   end function lower_part_is_zero

end program test_fold
