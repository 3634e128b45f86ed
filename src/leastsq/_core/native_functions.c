/* A native function of the user's. After each call, Python can handle pending signals, or a flag can
 * stop the fit. Python handles signals in the main thread only, and with the GIL; the flag is for fits
 * in other threads. */
#include "calls.h"

#include <time.h>

enum { PATIENCE = 50 /* milliseconds */ };

typedef struct {
    Callee callee;
    Address native;        /* the user's function, if it is watched or can be stopped */
    PyArrayObject *flag;   /* an int that is not zero if the fit is to stop, or NULL */
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
    long long due;         /* when to take the GIL again */
} NativeFunction;

static long long
milliseconds(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return 1000LL * now.tv_sec + now.tv_nsec / 1000000;
}

static int
is_interrupted(NativeFunction *self)
{
    if (self->thread == NULL) {
        return PyErr_CheckSignals() < 0;
    }
    if (milliseconds() < self->due) {
        return 0;
    }
    PyEval_RestoreThread(self->thread);
    int interrupted = PyErr_CheckSignals() < 0;
    PyEval_SaveThread();
    self->due = milliseconds() + PATIENCE;
    return interrupted;
}

static int
is_to_stop(NativeFunction *self)
{
    return self->flag != NULL ? *(volatile int *)PyArray_DATA(self->flag) : is_interrupted(self);
}

static int
watched_residual(void *data, int m, int n, const double *x, double *fvec, int iflag)
{
    NativeFunction *self = data;
    int answer = self->native.residual.fill(self->native.residual.data, m, n, x, fvec, iflag);
    return answer >= 0 && is_to_stop(self) ? STOP : answer;
}

static int
watched_jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                 int iflag)
{
    NativeFunction *self = data;
    int answer = self->native.jacobian.fill(self->native.jacobian.data, m, n, x, fvec, fjac, ldfjac, iflag);
    return answer >= 0 && is_to_stop(self) ? STOP : answer;
}

static void
dealloc(PyObject *self)
{
    Py_XDECREF(((NativeFunction *)self)->flag);
    PyObject_Free(self);
}

PyTypeObject native_function_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.NativeFunction",
    .tp_doc = "A native function, as the core calls it by its address.",
    .tp_basicsize = sizeof(NativeFunction),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_as_number = &callee_as_number,
    .tp_dealloc = dealloc,
};

PyObject *
native_function(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int has_flag = count == 6 && given[5] != Py_None;
    if (count != 6
        || (has_flag && !(PyArray_CheckExact(given[5])
                          && PyArray_TYPE((PyArrayObject *)given[5]) == NPY_INT))) {
        PyErr_SetString(PyExc_TypeError,
                        "native_function(function, data, is_jacobian, watched, released, flag)");
        return NULL;
    }
    void *function = PyLong_AsVoidPtr(given[0]);
    void *data = PyLong_AsVoidPtr(given[1]);
    int is_jacobian = PyObject_IsTrue(given[2]), watched = PyObject_IsTrue(given[3]);
    int released = PyObject_IsTrue(given[4]);
    NativeFunction *self = PyErr_Occurred() ? NULL : PyObject_New(NativeFunction, &native_function_type);
    if (self == NULL) {
        return NULL;
    }
    if (is_jacobian) {
        self->native.jacobian = (minpack_jacobian){(minpack_fill_jacobian *)function, NULL, data};
    } else {
        self->native.residual = (minpack_residual){(minpack_fill_residual *)function, NULL, data};
    }
    self->flag = has_flag ? (PyArrayObject *)Py_NewRef(given[5]) : NULL;
    if (!watched && !has_flag) {
        self->callee.address = self->native;
    } else if (is_jacobian) {
        self->callee.address.jacobian = (minpack_jacobian){watched_jacobian, NULL, self};
    } else {
        self->callee.address.residual = (minpack_residual){watched_residual, NULL, self};
    }
    self->thread = released ? PyThreadState_Get() : NULL;
    self->due = 0;
    return (PyObject *)self;
}
