/* The options of a fit, as the core takes them. */
#include "calls.h"

enum { DIAG, DIFF_STEP, LOWER, UPPER, ARRAYS };

typedef struct {
    PyObject_HEAD
    minpack_options options;
    PyObject *arrays[ARRAYS]; /* what the options point to, or NULL */
} Options;

static void
dealloc(PyObject *object)
{
    Options *self = (Options *)object;
    for (int i = 0; i < ARRAYS; i++) {
        Py_XDECREF(self->arrays[i]);
    }
    PyObject_Free(self);
}

static PyObject *
address(PyObject *self)
{
    return PyLong_FromVoidPtr(&((Options *)self)->options);
}

static PyNumberMethods as_number = {.nb_int = address};

PyTypeObject options_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Options",
    .tp_doc = "The options of a fit; int() tells where they lie.",
    .tp_basicsize = sizeof(Options),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_as_number = &as_number,
    .tp_dealloc = dealloc,
};

/* The numbers of a float64 array, or NULL for None. */
static const double *
numbers_of(PyObject *array)
{
    if (array == Py_None) {
        return NULL;
    }
    if (!PyArray_CheckExact(array) || PyArray_TYPE((PyArrayObject *)array) != NPY_DOUBLE
        || !PyArray_ISCARRAY_RO((PyArrayObject *)array)) {
        PyErr_SetString(PyExc_TypeError, "options: an array must be of float64, and contiguous");
        return NULL;
    }
    return PyArray_DATA((PyArrayObject *)array);
}

PyObject *
options(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 6 + ARRAYS) {
        PyErr_SetString(PyExc_TypeError, "options(ftol, xtol, gtol, factor, epsfcn, maxfev, diag, "
                                         "diff_step, lower, upper)");
        return NULL;
    }
    PyObject *const *arrays = given + 6;
    minpack_options read = {
        .ftol = PyFloat_AsDouble(given[0]),
        .xtol = PyFloat_AsDouble(given[1]),
        .gtol = PyFloat_AsDouble(given[2]),
        .factor = PyFloat_AsDouble(given[3]),
        .epsfcn = PyFloat_AsDouble(given[4]),
        .maxfev = (int)PyLong_AsLong(given[5]),
        .diag = numbers_of(arrays[DIAG]),
        .diff_step = numbers_of(arrays[DIFF_STEP]),
        .lower = numbers_of(arrays[LOWER]),
        .upper = numbers_of(arrays[UPPER]),
    };
    Options *self = PyErr_Occurred() ? NULL : PyObject_New(Options, &options_type);
    if (self == NULL) {
        return NULL;
    }
    self->options = read;
    for (int i = 0; i < ARRAYS; i++) {
        self->arrays[i] = arrays[i] == Py_None ? NULL : Py_NewRef(arrays[i]);
    }
    return (PyObject *)self;
}
