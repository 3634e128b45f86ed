/* A native function of the user's. After each call, Python can handle pending signals, or a flag can
 * stop the fit. Python handles signals in the main thread only, and with the GIL; the flag is for fits
 * in other threads. */
#include "calls.h"

static const double patience = 0.05; /* seconds */

typedef struct {
    Callee callee;
    Address native;        /* the user's function */
    int watched;           /* whether Python handles signals after each call */
    PyArrayObject *flag;   /* an int that is not zero if the fit is to stop, or NULL */
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
    double gil_due;        /* when to take the GIL again */
    double due;            /* when the time for the fit is over, by seconds() */
} NativeFunction;

static int
is_interrupted(NativeFunction *self)
{
    if (self->thread == NULL) {
        return PyErr_CheckSignals() < 0;
    }
    if (seconds() < self->gil_due) {
        return 0;
    }
    PyEval_RestoreThread(self->thread);
    int interrupted = PyErr_CheckSignals() < 0;
    PyEval_SaveThread();
    self->gil_due = seconds() + patience;
    return interrupted;
}

static int
is_to_stop(NativeFunction *self)
{
    if (self->flag != NULL) {
        return *(volatile int *)PyArray_DATA(self->flag);
    }
    return self->watched && is_interrupted(self);
}

static int
watched_residual(void *data, int m, int n, const double *x, double *fvec, int iflag)
{
    NativeFunction *self = data;
    if (is_over(self->due)) {
        return MINPACK_NO_TIME;
    }
    int answer = self->native.residual.fill(self->native.residual.data, m, n, x, fvec, iflag);
    return answer >= 0 && is_to_stop(self) ? STOP : answer;
}

static int
watched_jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                 int iflag)
{
    NativeFunction *self = data;
    if (is_over(self->due)) {
        return MINPACK_NO_TIME;
    }
    int answer = self->native.jacobian.fill(self->native.jacobian.data, m, n, x, fvec, fjac, ldfjac, iflag);
    return answer >= 0 && is_to_stop(self) ? STOP : answer;
}

PyObject *
native_residuals(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 5 || !is_float64(given[2])) {
        PyErr_SetString(PyExc_TypeError, "native_residuals(function, data, x, m, released)");
        return NULL;
    }
    PyArrayObject *x = (PyArrayObject *)given[2];
    minpack_fill_residual *fill = (minpack_fill_residual *)PyLong_AsVoidPtr(given[0]);
    void *data = PyLong_AsVoidPtr(given[1]);
    npy_intp m = PyLong_AsSsize_t(given[3]);
    int released = PyObject_IsTrue(given[4]);
    PyObject *fvec = PyErr_Occurred() ? NULL : PyArray_SimpleNew(1, &m, NPY_DOUBLE);
    if (fvec == NULL) {
        return NULL;
    }
    double *residuals = PyArray_DATA((PyArrayObject *)fvec);
    PyThreadState *thread = released ? PyEval_SaveThread() : NULL;
    int answer = fill(data, (int)m, (int)PyArray_SIZE(x), PyArray_DATA(x), residuals, 1);
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
    if (PyErr_Occurred() || PyErr_CheckSignals() < 0) {
        Py_CLEAR(fvec);
    } else if (answer < 0) {
        Py_SETREF(fvec, Py_NewRef(Py_None));
    }
    return fvec;
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
    int has_flag = count == 7 && given[5] != Py_None;
    if (count != 7 || !PyFloat_Check(given[6])
        || (has_flag && !(PyArray_CheckExact(given[5])
                          && PyArray_TYPE((PyArrayObject *)given[5]) == NPY_INT))) {
        PyErr_SetString(PyExc_TypeError,
                        "native_function(function, data, is_jacobian, watched, released, flag, time_left)");
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
    self->watched = watched;
    self->due = seconds() + PyFloat_AS_DOUBLE(given[6]);
    self->gil_due = 0;
    if (!watched && !has_flag && self->due == Py_HUGE_VAL) {
        self->callee.address = self->native;
    } else if (is_jacobian) {
        self->callee.address.jacobian = (minpack_jacobian){watched_jacobian, NULL, self};
    } else {
        self->callee.address.residual = (minpack_residual){watched_residual, NULL, self};
    }
    self->thread = released ? PyThreadState_Get() : NULL;
    return (PyObject *)self;
}
