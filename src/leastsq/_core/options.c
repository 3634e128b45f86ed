/* The options of a fit, as the core takes them. */
#include "calls.h"

/* What the options point to. Those from LOWER on belong to one fit. */
enum { DIAG, DIFF_STEP, F_SCALE, LOWER, UPPER, RHO, WATCH, TOGETHER, OBJECTS };

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
    if (!is_float64(array)) {
        PyErr_SetString(PyExc_TypeError, "options: an array must be of float64, and contiguous");
        return NULL;
    }
    return PyArray_DATA((PyArrayObject *)array);
}

static PyObject *
made_of(const minpack_options *read, PyObject *const *objects)
{
    Options *self = PyErr_Occurred() ? NULL : PyObject_New(Options, &options_type);
    if (self == NULL) {
        return NULL;
    }
    self->options = *read;
    for (int i = 0; i < OBJECTS; i++) {
        self->objects[i] = Py_NewRef(objects[i]);
    }
    return (PyObject *)self;
}

PyObject *
options(PyObject *Py_UNUSED(module), PyObject *args, PyObject *named)
{
    static char *names[] = {"ftol", "xtol", "gtol", "factor", "epsfcn", "maxfev", "diag", "diff_step",
                            "limits_trials", "concludes", "tests", "loss", "f_scale", "threads", "attempt",
                            NULL};
    PyObject *objects[OBJECTS] = {Py_None, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None, Py_None};
    minpack_options read = {0};
    if (!PyArg_ParseTupleAndKeywords(args, named, "$dddddiOOppiiOii", names, &read.ftol, &read.xtol,
                                     &read.gtol, &read.factor, &read.epsfcn, &read.maxfev, &objects[DIAG],
                                     &objects[DIFF_STEP], &read.limits_trials, &read.concludes, &read.tests,
                                     &read.loss, &objects[F_SCALE], &read.threads, &read.attempt)) {
        return NULL;
    }
    read.diag = numbers_of(objects[DIAG]);
    read.diff_step = numbers_of(objects[DIFF_STEP]);
    read.f_scale = numbers_of(objects[F_SCALE]);
    if (read.f_scale != NULL) {
        read.scale_count = (int)PyArray_SIZE((PyArrayObject *)objects[F_SCALE]);
    }
    if (read.threads > 1) {
        read.run = run_in_threads;
    }
    return made_of(&read, objects);
}

PyObject *
options_of_fit(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 7 || !Py_IS_TYPE(given[0], &options_type)) {
        PyErr_SetString(PyExc_TypeError, "options_of_fit: options, and 6 arguments");
        return NULL;
    }
    Options *common = (Options *)given[0];
    PyObject *objects[OBJECTS];
    memcpy(objects, common->objects, sizeof objects);
    memcpy(objects + LOWER, given + 2, (OBJECTS - LOWER) * sizeof *objects);
    minpack_options read = common->options;
    read.epsfcn = PyFloat_AsDouble(given[1]);
    read.lower = numbers_of(objects[LOWER]);
    read.upper = numbers_of(objects[UPPER]);
    take_loss(objects[RHO], &read);
    take_watch(objects[WATCH], &read);
    take_together(objects[TOGETHER], &read);
    return made_of(&read, objects);
}
