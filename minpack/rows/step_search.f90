module minpack_step_search
   !! The search for a better step of one variable, from one difference quotient to the next.
   !!
   !! A search upwards lengthens the step until two quotients agree, or until the effect of the step
   !! is as large as that of any other variable. A search downwards shortens the step until two
   !! quotients agree.
   use minpack_kinds, only: dp, epsmch, giant
   use minpack_quotient, only: sample_type
   implicit none
   private
   public :: search_type, begin_up, begin_down, wanted_step, compare_up, compare_down, found_step, &
             is_felt, too_small, alike, factor, upwards, downwards

   real(dp), parameter :: too_small = 1000*epsmch
      !! A change of the residuals that is suspected to be their rounding errors.
   real(dp), parameter :: factor = 100
      !! From one step to the next that is tried.
   real(dp), parameter :: alike = 1e-3_dp
      !! The relative difference of quotients that agree.
   real(dp), parameter :: straight = 1e-5_dp
      !! Quotients that disagree by less show no curvature that does harm.
   real(dp), parameter :: half = 0.5_dp
      !! Quotients that disagree by more have nothing in common.
   real(dp), parameter :: several = 5
   real(dp), parameter :: ordinary = 1e-3_dp
      !! A variable that is larger is not taken for a zero.
   real(dp), parameter :: nearby = 0.01_dp
      !! The longest step of such a variable while no effect is felt, in units of its value.
   integer, parameter :: most_tries = 6

   integer, parameter :: upwards = 1
   integer, parameter :: downwards = -1

   type :: search_type
      integer :: direction = upwards
      type(sample_type) :: last
         !! What the step of the column so far showed.
      integer :: attempt = 0
      real(dp) :: noise = 0
         !! Upwards: the change by the first step, which may be rounding errors alone.
      real(dp) :: least = 0
         !! Upwards: the least disagreement so far. Downwards: the least step to try.
      real(dp) :: longest = 0
         !! Downwards: the longest step whose quotient is expected to agree with that of shorter
         !! ones; zero if curvature does no harm.
      real(dp) :: agreement = giant
         !! The error of the column at most, if the quotient of another step agrees.
      real(dp) :: fall = 0
         !! Downwards: the last change of the residuals, by the change before it.
      logical :: has_effect = .false.
         !! Upwards: whether a step changed the residuals by more than their rounding errors, which
         !! do not grow with the step.
      logical :: is_sudden = .false.
         !! Upwards: whether the last step has an effect, and the step before it had none, as if the
         !! residuals jumped.
      logical :: is_curved = .false.
         !! Upwards: the search ended because curvature outweighs the slope.
   end type search_type

contains

   pure function begin_up(sample) result(search)
      !! Begin to lengthen the step.
      type(sample_type), intent(in) :: sample
         !! What the first step showed.
      type(search_type) :: search

      search = search_type(upwards, sample, 1, sample%change, half)
   end function begin_up

   pure function begin_down(sample, x, precision, largest) result(search)
      !! Begin to shorten the step. What a shorter step changes is more than the errors of x and of
      !! the residuals.
      type(sample_type), intent(in) :: sample
         !! What the first step showed.
      real(dp), intent(in) :: x
         !! The variable.
      real(dp), intent(in) :: precision
         !! Relative error of the residuals.
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.
      type(search_type) :: search
      real(dp) :: error

      error = max(precision, epsmch*largest)
      search = search_type(downwards, sample, 1, &
                           least=1e4_dp*max(epsmch*abs(x), error*(sample%step/sample%change)))
   end function begin_down

   pure real(dp) function wanted_step(search, x, largest) result(step)
      !! The length of the next step, or zero if the search is over.
      type(search_type), intent(in) :: search
         !! The search.
      real(dp), intent(in) :: x
         !! The variable.
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.

      step = 0
      if (search%attempt > most_tries) return
      associate (last => search%last, attempt => search%attempt)
         if (search%direction == downwards) then
            if (last%step >= several*search%least) step = max(last%step/factor, search%least)
            return
         end if
         if (last%change <= 0 .and. attempt > 2) return
         step = factor*last%step
         if (.not. is_felt(last, largest) .or. &
             (attempt == 1 .and. last%change <= too_small*largest/factor)) step = factor*step
         ! A variable of about 1e-17, which is a rounding error, is treated as zero.
         if (last%change <= 0 .and. (step < epsmch .or. attempt == 2)) then
            step = max(step, sqrt(epsmch))
         end if
         ! A function that is constant around x but for rounding errors may jump further away.
         if (abs(x) > ordinary .and. &
             (.not. search%has_effect .or. &
              (last%change > too_small*largest .and. .not. search%is_sudden))) then
            step = min(step, nearby*abs(x))
         end if
         if (step <= last%step) step = 0
      end associate
   end function wanted_step

   pure logical function is_felt(sample, largest)
      !! Whether a change of the residuals is more than their rounding errors.
      type(sample_type), intent(in) :: sample
         !! What a step showed.
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.

      is_felt = sample%change > several*epsmch*largest
   end function is_felt

   pure subroutine compare_up(search, next, disagreement, largest, share, goes_on)
      !! Compare the quotient of a longer step with the column so far.
      type(search_type), intent(inout) :: search
         !! The search, which goes up.
      type(sample_type), intent(in) :: next
         !! What the longer step showed.
      real(dp), intent(in) :: disagreement
         !! The relative difference of the two quotients.
      real(dp), intent(in) :: largest
         !! The largest effect of a variable.
      real(dp), intent(out) :: share
         !! The better column is the column so far and this share of the way to the quotient.
      logical, intent(out) :: goes_on
         !! Whether to try one more step.
      real(dp) :: growth

      goes_on = .false.
      share = 0
      search%is_sudden = search%last%change <= 0
      if (next%change > several*search%noise) then
         search%has_effect = search%has_effect .or. is_felt(next, largest) .or. disagreement <= half
      end if
      associate (last => search%last)
         if (next%step <= last%step) return
         if (disagreement <= alike .and. next%change > too_small*largest) then
            search%agreement = disagreement + epsmch*largest/next%change
            return
         end if
         if (last%change > too_small*largest) then
            growth = (next%change/next%step)/(last%change/last%step)
            ! Rounding errors fall as the step grows. This growth is curvature, and the slope is
            ! almost zero.
            search%is_curved = growth > 2
            ! The effect of curvature grows as the square of the step. If it grows faster, the
            ! longer step tells nothing.
            if (search%is_curved .and. growth <= several*next%step/last%step) then
               share = -last%step/(next%step - last%step)
            end if
            if (search%is_curved) return
         end if
         ! Once quotients agree less than the two before them did, or than rounding errors
         ! explain, curvature outweighs rounding.
         if (search%least < half .and. disagreement > search%least) return
         if (search%attempt > 1 .and. is_felt(last, largest) .and. search%noise > 0 .and. &
             disagreement*last%change > factor*search%noise) return
         if (is_felt(last, largest)) search%least = min(search%least, disagreement)
         share = 1
         last = next
         goes_on = .not. (last%change >= sqrt(epsmch)*largest .and. disagreement <= half)
      end associate
      search%attempt = search%attempt + 1
   end subroutine compare_up

   pure subroutine compare_down(search, next, disagreement, share, goes_on)
      !! Compare the quotient of a shorter step with the column so far.
      type(search_type), intent(inout) :: search
         !! The search, which goes down.
      type(sample_type), intent(in) :: next
         !! What the shorter step showed.
      real(dp), intent(in) :: disagreement
         !! Of the two quotients.
      real(dp), intent(out) :: share
         !! 1 if this quotient is better, or 0.
      logical, intent(out) :: goes_on
         !! Whether to try one more step.

      goes_on = disagreement > alike
      share = 0
      if (search%attempt == 1 .and. disagreement > straight) search%longest = search%last%step
      if (.not. goes_on) then
         search%agreement = disagreement
         return
      end if
      search%fall = next%change/search%last%change
      ! The disagreement of the two quotients is proportional to the longer step.
      search%longest = max(next%step, search%last%step*(alike/disagreement))
      share = 1
      search%last = next
      search%attempt = search%attempt + 1
   end subroutine compare_down

   pure logical function found_step(search)
      !! Whether the shorter step is better: a change that does not fall with the step is an error
      !! of the residuals.
      type(search_type), intent(in) :: search
         !! A search that went down.

      found_step = several*search%fall < 1
   end function found_step

end module minpack_step_search
