program test_loss
   !! The losses: the model for steps has the gradient of the cost, the last model its curvature.
   use minpack_kinds, only: dp, epsmch
   use minpack_info, only: going_on
   use minpack_loss, only: loss_type
   use checks, only: check, finish
   implicit none

   real(dp), target :: scale(4) = [0.5_dp, 0.5_dp, 1.0_dp, 3.0_dp]
   real(dp) :: f(4) = [0.1_dp, -0.7_dp, 2.0_dp, -40.0_dp]
   real(dp) :: norm, true_norm, low, high, here, slope, curvature, moved(4)
   real(dp), parameter :: h = 1e-3_dp
   type(loss_type) :: loss
   integer :: kind, i, info, stat

   do kind = 1, 4
      call open(kind)
      call loss%measure(f, norm, true_norm, info)
      call check(info == going_on, 'a loss of the library calls nothing')
      do i = 1, size(f)
         moved = f
         moved(i) = f(i) - h
         call loss%measure(moved, low, true_norm, info)
         moved(i) = f(i) + h
         call loss%measure(moved, high, true_norm, info)
         slope = (high**2 - low**2)/(4*h)
         here = norm
         curvature = (high**2 - 2*here**2 + low**2)/(2*h**2)
         call loss%weigh(f, .true., info)
         call check(abs(loss%factors(i)*loss%residuals(i) - slope) <= 1e-5_dp*(1 + abs(slope)), &
                    'gradient')
         call check(abs(loss%factors(i)**2 - max(curvature, epsmch)) <= 1e-4_dp, 'curvature')
         call loss%weigh(f, .false., info)
         call check(abs(loss%factors(i)*loss%residuals(i) - slope) <= 1e-5_dp*(1 + abs(slope)), &
                    'gradient for steps')
         call check(loss%factors(i)**2 >= max(curvature, epsmch) - 1e-4_dp, &
                    'curvature for steps')
      end do
   end do

   call open(0)
   call check(loss%is_linear(), 'no loss')
   call loss%measure(f, norm, true_norm, info)
   call check(abs(norm - norm2(f)) <= 10*epsmch*norm, 'the norm')

   call open(2)
   f(1) = 1e-9_dp
   f(2:) = 0
   call loss%measure(f, norm, true_norm, info)
   call check(abs(norm/1e-9_dp - 1) <= 10*epsmch, 'a small residual loses no digits')
   call finish()

contains

   subroutine open(kind)
      integer, intent(in) :: kind
      type(loss_type) :: fresh

      loss = fresh
      loss%kind = kind
      loss%scale => scale
      call loss%allocate_for(size(f), stat)
      call check(stat == 0, 'memory')
   end subroutine open

end program test_loss
