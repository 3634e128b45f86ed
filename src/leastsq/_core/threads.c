/* Threads that share the pieces of a job. */
#include "calls.h"

#include <stdatomic.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#endif

enum { MOST = 64 };

typedef struct {
    minpack_task *task;
    void *job;
    int pieces;
    atomic_int taken;
} Work;

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

#ifdef _WIN32
typedef HANDLE Thread;

static DWORD WINAPI
begin(void *work)
{
    do_pieces(work);
    return 0;
}

static int
start(Thread *thread, Work *work)
{
    *thread = CreateThread(NULL, 0, begin, work, 0, NULL);
    return *thread != NULL;
}

static void
join(Thread thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}
#else
typedef pthread_t Thread;

static void *
begin(void *work)
{
    do_pieces(work);
    return NULL;
}

/* The thread takes no signals: they are for the threads of Python. */
static int
start(Thread *thread, Work *work)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, begin, work);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

static void
join(Thread thread)
{
    pthread_join(thread, NULL);
}
#endif

/* If fewer threads can be started, these do all of the work. */
void
run_in_threads(minpack_task *task, void *job, int pieces, int threads)
{
    Work work = {task, job, pieces, 0};
    Thread others[MOST];
    int started = 0;
    int wanted = Py_MIN(Py_MIN(threads, pieces), MOST) - 1;
    while (started < wanted && start(&others[started], &work)) {
        started++;
    }
    do_pieces(&work);
    while (started > 0) {
        started--;
        join(others[started]);
    }
}
