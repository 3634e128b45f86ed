/* What the files of the extension module _calls share. */
#ifndef LEASTSQ_CALLS_H
#define LEASTSQ_CALLS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL leastsq_calls_numpy
#ifndef LEASTSQ_CALLS_MODULE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include "minpack.h"

enum { GO_ON = 0, STOP = -1 }; /* what a function answers to the core */

/* A function of the user's as the core takes it. */
typedef union {
    minpack_residual residual;
    minpack_jacobian jacobian;
} Address;

/* The common beginning of all function objects. f2py passes int(object) to the core, which is the
 * address of `address`. */
typedef struct {
    PyObject_HEAD
    Address address;
} Callee;

/* The common beginning of objects that are called during a fit, beside the residuals and the Jacobian. */
typedef struct {
    PyObject_HEAD
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
} Ready;

extern PyNumberMethods callee_as_number;
extern PyTypeObject python_function_type, native_function_type, observer_type, watch_type, joint_type,
    held_type, options_type, model_residuals_type;

PyObject *python_function(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *native_function(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *joint_function(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *observer(PyObject *self, PyObject *function);
PyObject *watch(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *hold(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *options(PyObject *self, PyObject *args, PyObject *named);
PyObject *options_of_fit(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *model_residuals(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *model_values(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *native_residuals(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *plain_vector(PyObject *self, PyObject *value);
PyObject *own_result(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *data_norm(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *data_norms(PyObject *self, PyObject *const *given, Py_ssize_t count);
PyObject *are_plain(PyObject *self, PyObject *const *objects, Py_ssize_t count);

/* Residuals of m values, step bytes apart, from the data y; weights, m numbers or one, may be NULL. */
void take_residuals(const char *values, npy_intp step, PyArrayObject *y, PyArrayObject *weights, int m,
                    double *residuals);

int is_joint(PyObject *object);
void take_joint(PyObject *joint, minpack_options *options);

/* A 1-D float64 array of these numbers: `last` again if it is such an array and has no other owner. */
PyObject *vector_of(int size, const double *numbers, PyObject *last);

/* Put an object, or nothing if it is None, into the options; together may be an Observer or a Joint. */
void take_loss(PyObject *observer, minpack_options *options);
void take_watch(PyObject *watch, minpack_options *options);
void take_together(PyObject *observer, minpack_options *options);

/* Raised by a Jacobian function that had no time for all of its calls. */
extern PyObject *time_is_up_error;

extern minpack_run run_in_threads;

/* The method of Ready objects that prepares them for a fit in this thread. */
PyObject *make_ready(PyObject *object, PyObject *released);
#define READY_METHOD                                                                                     \
    {"ready", make_ready, METH_O,                                                                        \
     "ready(released) -> self\n\nPrepare for a fit in this thread, which will release the GIL or not."}

/* Take the GIL to call Python from the core, and leave it, if the thread had released it. */
static inline void
take_gil(PyThreadState *thread)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
}

static inline void
leave_gil(PyThreadState *thread)
{
    if (thread != NULL) {
        PyEval_SaveThread();
    }
}

/* Whether an object is an array of float64 in C order. */
static inline int
is_float64(PyObject *object)
{
    return PyArray_CheckExact(object) && PyArray_TYPE((PyArrayObject *)object) == NPY_DOUBLE
           && PyArray_ISCARRAY_RO((PyArrayObject *)object);
}

int prepare_names(void);
double seconds(void);
int is_over(double due);
double exact_seconds(void);

#endif
