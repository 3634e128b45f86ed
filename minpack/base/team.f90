module minpack_team
   !! Threads that share some work. The core starts none: its caller gives a function that does.
   use, intrinsic :: iso_c_binding, only: c_int, c_ptr, c_funptr, c_funloc
   implicit none
   private
   public :: team_type, task_type

   abstract interface
      subroutine task_type(job, piece) bind(c)
         !! Do a piece of a job.
         import :: c_ptr, c_int
         type(c_ptr), value :: job
            !! The job.
         integer(c_int), value :: piece
            !! Which piece, from 1.
      end subroutine task_type

      subroutine run_type(task, job, pieces, threads) bind(c)
         !! Do all pieces, in any order, and return when they are done.
         import :: c_ptr, c_funptr, c_int
         type(c_funptr), value :: task
            !! Does a piece.
         type(c_ptr), value :: job
            !! The first argument of the task.
         integer(c_int), value :: pieces
            !! How many pieces.
         integer(c_int), value :: threads
            !! In how many threads, at most.
      end subroutine run_type
   end interface

   type :: team_type
      procedure(run_type), pointer, nopass :: run => null()
         !! The caller's function, or null: then this thread does all pieces.
      integer(c_int) :: threads = 1
   contains
      procedure :: share
   end type team_type

contains

   subroutine share(self, task, job, pieces)
      !! Do all pieces of a job.
      class(team_type), intent(in) :: self
      procedure(task_type) :: task
         !! Does a piece.
      type(c_ptr), intent(in) :: job
         !! The job.
      integer, intent(in) :: pieces
         !! How many pieces.
      integer :: piece

      if (associated(self%run) .and. pieces > 1) then
         call self%run(c_funloc(task), job, pieces, self%threads)
         return
      end if
      do piece = 1, pieces
         call task(job, piece)
      end do
   end subroutine share

end module minpack_team
