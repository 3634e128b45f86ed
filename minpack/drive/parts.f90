module minpack_parts
   !! The driver for one fit whose rows are in parts: it says what is to be evaluated in all parts,
   !! and is told the sums over all rows.
   use minpack_kinds, only: dp
   use minpack_info, only: going_on
   use minpack_settings, only: first_attempt
   use minpack_runs, only: rows_of, are_long, prevail, &
                           are_beyond_chance
   use minpack_robust, only: first_width, are_outliers
   use minpack_state, only: nothing, a_model, a_norm
   use minpack_products, only: most_columns
   use minpack_request, only: nothing_more, norm_alone, products, triangle, exact_triangle, &
                              comparison
   use minpack_sums, only: sums_type
   use minpack_parts_asked, only: asked_type, a_start, accepted_point, a_trial, other_steps, &
                                  better_columns, an_end
   use minpack_watch, only: watch_type
   use minpack_show, only: show_new
   implicit none
   private
   public :: parts_type

   type, extends(asked_type) :: parts_type
      type(watch_type) :: watch
         !! Sees how the fit goes on.
      logical :: in_one_trip = .true.
         !! Whether the model at a trial point is asked for together with its norm.
      logical :: is_robust = .false.
         !! Whether there is a loss.
      logical :: bends_back = .false.
         !! Whether the loss does so.
      integer, private :: shown = -1
         !! The step after which the fit was shown last.
      real(dp), private :: norm = 0
         !! The norm at the point where the model was asked for.
      logical, private :: is_outlying = .false.
         !! Whether most residuals are outliers at the best point.
      logical, private :: has_long_runs = .false.
         !! Whether runs of residuals that have the same sign are long there.
   contains
      procedure :: begin
      procedure :: tell
      procedure, private :: look_at_rows
      procedure, private :: go_on
      procedure, private :: hear_point
      procedure, private :: hear_model
      procedure, private :: choose_columns
      procedure, private :: take_model
      procedure, private :: end_fit
   end type parts_type

contains

   subroutine begin(self, x)
      !! Start from x, and ask for something.
      class(parts_type), intent(inout) :: self
      real(dp), intent(in) :: x(:)
         !! Shape: (n).

      call self%fit%begin(x, 1.0_dp)
      self%stage = a_start
      self%by_products = self%fit%n <= most_columns
      if (self%is_robust) then
         call self%ask_for_norm(x)
      else
         call self%ask_for_model(x, self%usual_model())
      end if
   end subroutine begin

   subroutine tell(self, sums)
      !! Take the sums that were asked for, and ask for something else.
      class(parts_type), intent(inout) :: self
      type(sums_type), intent(in) :: sums
         !! The sums over all rows.

      call self%count_evaluations()
      if (self%what == products) then
         call sums%unpack_products(self%r)
      else if (self%what == triangle .or. self%what == exact_triangle) then
         call sums%unpack(self%r)
      end if
      select case (self%stage)
      case (a_start)
         self%columns%differences%data_norm = sums%data_norm
         call self%fit%begin(self%request%x, sums%norm)
         call self%look_at_rows(sums)
         if (self%settings%attempt == first_attempt .and. self%is_robust &
             .and. self%is_outlying) then
            call self%fit%widen(first_width(sums%logarithms, rows_of(sums%runs)))
         end if
         call self%hear_point(sums)
      case (accepted_point)
         call self%hear_model(sums)
      case (a_trial)
         call self%fit%tell_norm(sums%norm, sums%true_norm, self%nfev, self%trials)
         if (self%fit%accepted) call self%look_at_rows(sums)
         call self%hear_point(sums)
      case (other_steps)
         call self%columns%hear_others(self%request, sums)
         call self%choose_columns()
      case (better_columns)
         call self%take_model()
      case (an_end)
         call self%fit%conclude(self%r)
         self%what = nothing_more
      end select
   end subroutine tell

   subroutine look_at_rows(self, sums)
      !! See how the residuals are spread at a point that becomes the best.
      class(parts_type), intent(inout) :: self
      type(sums_type), intent(in) :: sums

      self%is_outlying = are_outliers(sums%outliers, rows_of(sums%runs))
      self%has_long_runs = are_long(sums%runs)
      self%fit%is_misfit = prevail(sums%runs)
      self%fit%is_sure_misfit = are_beyond_chance(sums%runs)
   end subroutine look_at_rows

   subroutine go_on(self)
      !! Ask for what the fit needs.
      class(parts_type), intent(inout) :: self
      logical :: asks_for_model

      select case (self%fit%needs)
      case (a_model)
         self%stage = accepted_point
         call self%ask_for_model(self%fit%x, self%usual_model())
      case (a_norm)
         self%stage = a_trial
         asks_for_model = .not. self%fit%expects_end()
         if (self%in_one_trip .and. asks_for_model) then
            call self%ask_for_model(self%fit%trial, self%usual_model())
         else
            call self%ask_for_norm(self%fit%trial)
         end if
      case (nothing)
         call self%end_fit()
      end select
   end subroutine go_on

   subroutine end_fit(self)
      !! Ask for nothing more, or for the last model.
      class(parts_type), intent(inout) :: self
      integer :: info

      self%what = nothing_more
      if (self%fit%info < 0) return
      if (self%is_robust) then
         call self%fit%judge(self%is_outlying, self%has_long_runs, self%bends_back)
      end if
      call show_new(self%fit, self%reals(:0), self%nfev, self%trials, self%watch, .false., &
                    self%shown, info)
      if (info /= going_on) call self%fit%stop(info)
      if (self%is_robust .and. self%fit%settings%concludes .and. self%fit%has_solution()) then
         self%stage = an_end
         call self%ask_for_model(self%fit%x, exact_triangle)
      end if
   end subroutine end_fit

   subroutine hear_point(self, sums)
      !! Take the model at a new point if it is of use, or ask for something else.
      class(parts_type), intent(inout) :: self
      type(sums_type), intent(in) :: sums
      logical :: is_of_use

      is_of_use = self%what /= norm_alone .and. self%fit%needs == a_model
      if (is_of_use .and. .not. self%fit%robust%is_new()) then
         self%nfev = self%nfev + count(self%request%steps /= 0)
         self%njev = self%njev + 1
         call self%hear_model(sums)
      else
         call self%go_on()
      end if
   end subroutine hear_point

   subroutine hear_model(self, sums)
      !! Take the model and what the steps of its columns showed.
      class(parts_type), intent(inout) :: self
      type(sums_type), intent(in) :: sums

      self%norm = sums%norm
      if (self%settings%differenced) call self%columns%hear(self%request, sums)
      call self%choose_columns()
   end subroutine hear_model

   subroutine choose_columns(self)
      !! Ask for other steps if there are any to try, or for the model with better steps; else tell
      !! the fit its model.
      class(parts_type), intent(inout) :: self
      logical :: asks

      if (self%settings%differenced) then
         if (self%columns%differences%info /= going_on) then
            call self%fit%stop(self%columns%differences%info)
            call self%go_on()
            return
         end if
         call self%columns%search(self%request, asks)
         if (asks) then
            self%stage = other_steps
            self%what = comparison
            return
         end if
         if (self%columns%is_changed) then
            call self%ask_again()
            return
         end if
      end if
      call self%take_model()
   end subroutine choose_columns

   subroutine take_model(self)
      !! Tell the fit its model.
      class(parts_type), intent(inout) :: self
      logical :: taken
      integer :: info

      if (self%fit%robust%is_new()) call self%fit%take_norm(self%norm)
      if (self%settings%differenced) then
         call self%columns%drop(self%r, self%by_products)
         call self%columns%differences%note_changes()
         call self%fit%model%take_changes(self%columns%differences%memory%changes)
      end if
      if (self%by_products) then
         call self%fit%tell_products(self%r(:, :self%fit%n), taken)
         if (.not. taken) then
            self%by_products = .false.
            call self%ask_again()
            return
         end if
      else
         call self%fit%tell_model(self%r)
      end if
      call show_new(self%fit, self%reals(:0), self%nfev, self%trials, self%watch, .true., &
                    self%shown, info)
      if (info /= going_on) call self%fit%stop(info)
      call self%go_on()
   end subroutine take_model

end module minpack_parts
