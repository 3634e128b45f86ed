/* Threads that share the pieces of a job. They are started by Python, but run without it. */
#include "calls.h"

#include <stdatomic.h>

enum { MOST = 64 };

typedef struct {
    minpack_task *task;
    void *job;
    int pieces;
    atomic_int taken;
} Work;

typedef struct {
    Work *work;
    PyThread_type_lock busy; /* locked while the thread runs */
} Helper;

static void
do_pieces(Work *work)
{
    for (;;) {
        int piece = atomic_fetch_add(&work->taken, 1) + 1;
        if (piece > work->pieces) {
            return;
        }
        work->task(work->job, piece);
    }
}

static void
help(void *helper)
{
    do_pieces(((Helper *)helper)->work);
    PyThread_release_lock(((Helper *)helper)->busy);
}

static int
start(Helper *helper, Work *work)
{
    helper->work = work;
    helper->busy = PyThread_allocate_lock();
    if (helper->busy == NULL) {
        return 0;
    }
    PyThread_acquire_lock(helper->busy, WAIT_LOCK);
    if (PyThread_start_new_thread(help, helper) != PYTHREAD_INVALID_THREAD_ID) {
        return 1;
    }
    PyThread_release_lock(helper->busy);
    PyThread_free_lock(helper->busy);
    return 0;
}

static void
wait_for(Helper *helper)
{
    PyThread_acquire_lock(helper->busy, WAIT_LOCK);
    PyThread_release_lock(helper->busy);
    PyThread_free_lock(helper->busy);
}

/* If fewer threads can be started, these do all of the work. */
void
run_in_threads(minpack_task *task, void *job, int pieces, int threads)
{
    Work work = {task, job, pieces, 0};
    Helper helpers[MOST];
    int started = 0;
    int wanted = Py_MIN(Py_MIN(threads, pieces), MOST) - 1;
    while (started < wanted && start(&helpers[started], &work)) {
        started++;
    }
    do_pieces(&work);
    while (started > 0) {
        started--;
        wait_for(&helpers[started]);
    }
}
