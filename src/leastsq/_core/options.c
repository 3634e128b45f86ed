/* The options of a fit, as the core takes them. */
#include "calls.h"

enum { DIAG, DIFF_STEP, LOWER, UPPER, F_SCALE, RHO, WATCH, TOGETHER, OBJECTS };

typedef struct {
    PyObject_HEAD
    minpack_options options;
    PyObject *objects[OBJECTS]; /* what the options point to, or None */
} Options;

static void
dealloc(PyObject *object)
{
    Options *self = (Options *)object;
    for (int i = 0; i < OBJECTS; i++) {
        Py_DECREF(self->objects[i]);
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
    if (count != 20) {
        PyErr_SetString(PyExc_TypeError, "options: 20 arguments");
        return NULL;
    }
    PyObject *objects[] = {given[6], given[7], given[8], given[9], given[14], given[15], given[16],
                           given[17]};
    minpack_options read = {
        .ftol = PyFloat_AsDouble(given[0]),
        .xtol = PyFloat_AsDouble(given[1]),
        .gtol = PyFloat_AsDouble(given[2]),
        .factor = PyFloat_AsDouble(given[3]),
        .epsfcn = PyFloat_AsDouble(given[4]),
        .maxfev = (int)PyLong_AsLong(given[5]),
        .diag = numbers_of(objects[DIAG]),
        .diff_step = numbers_of(objects[DIFF_STEP]),
        .lower = numbers_of(objects[LOWER]),
        .upper = numbers_of(objects[UPPER]),
        .limits_trials = PyObject_IsTrue(given[10]),
        .concludes = PyObject_IsTrue(given[11]),
        .tests = (int)PyLong_AsLong(given[12]),
        .loss = (int)PyLong_AsLong(given[13]),
        .f_scale = numbers_of(objects[F_SCALE]),
        .threads = (int)PyLong_AsLong(given[18]),
        .attempt = (int)PyLong_AsLong(given[19]),
    };
    if (read.f_scale != NULL) {
        read.scale_count = (int)PyArray_SIZE((PyArrayObject *)objects[F_SCALE]);
    }
    if (read.threads > 1) {
        read.run = run_in_threads;
    }
    take_loss(objects[RHO], &read);
    take_watch(objects[WATCH], &read);
    take_together(objects[TOGETHER], &read);
    Options *self = PyErr_Occurred() ? NULL : PyObject_New(Options, &options_type);
    if (self == NULL) {
        return NULL;
    }
    self->options = read;
    for (int i = 0; i < OBJECTS; i++) {
        self->objects[i] = Py_NewRef(objects[i]);
    }
    return (PyObject *)self;
}
