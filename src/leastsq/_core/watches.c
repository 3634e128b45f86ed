/* A callback that sees each step of a fit and can stop it. An exception stays set, and the answer to the core
 * is negative. */
#include "calls.h"
#include <numpy/arrayscalars.h>
#include <structmember.h>

typedef struct {
    Ready ready;
    PyObject *callback;
    PyObject *kind;     /* None to call it with x; otherwise the class of the intermediate results, a
                           subclass of dict */
    PyObject *shown;    /* what it was called with last */
    int counts_trials;  /* whether nfev is without the calls for differences */
    int sees_start;     /* whether it sees the starting point, too */
    double began;
    int earlier_nit, earlier_nfev; /* of earlier fits, from other starts */
    char has_stopped;   /* whether it has stopped a fit */
    char has_raised;    /* whether it has raised an exception */
    double *best;       /* the best point that it has seen, of `parameters` numbers; NULL before the first */
    int parameters;
    double least;       /* the square root of what is minimized, there */
} Watch;

enum { ITEMS = 10 };
static PyObject *names[ITEMS], *keyword;

int
prepare_names(void)
{
    const char *const texts[ITEMS] = {"x", "fun", "cost", "nit", "nfev", "step_norm",
                                      "trust_radius", "ratio", "elapsed", "optimality"};
    for (int i = 0; i < ITEMS; i++) {
        names[i] = PyUnicode_InternFromString(texts[i]);
        if (names[i] == NULL) {
            return -1;
        }
    }
    keyword = Py_BuildValue("(s)", "intermediate_result");
    return keyword == NULL ? -1 : 0;
}

/* The dict for the next call: the last one again, if only the watch refers to it. */
static PyObject *
next_dict(Watch *self)
{
    PyObject *last = self->shown;
    if (last != NULL && Py_REFCNT(last) == 1 && PyDict_GET_SIZE(last) == ITEMS) {
        return Py_NewRef(last);
    }
    return PyObject_CallNoArgs(self->kind);
}

/* The dict with the items; takes over the reference, and returns NULL if something fails. */
static PyObject *
filled(PyObject *result, PyObject *const *values)
{
    for (int i = 0; i < ITEMS && result != NULL; i++) {
        if (values[i] == NULL || PyDict_SetItem(result, names[i], values[i]) < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

/* An array for an item of a dict: the array that is there again, if only the dict refers to it. */
static PyObject *
array_in(PyObject *result, int item, int size, const double *numbers)
{
    return vector_of(size, numbers, PyDict_GetItemWithError(result, names[item]));
}

/* The intermediate result. Without a model at the point, the optimality is not known. */
static PyObject *
result_at(Watch *self, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    PyObject *result = next_dict(self);
    if (result == NULL) {
        return NULL;
    }
    PyObject *values[ITEMS] = {
        array_in(result, 0, n, x),
        m == 0 ? Py_NewRef(Py_None) : array_in(result, 1, m, fvec), /* a fit in parts has none */
        PyFloat_FromDouble(report->fnorm * report->fnorm / 2),
        PyLong_FromLong(self->earlier_nit + report->iteration),
        PyLong_FromLong(self->earlier_nfev + (self->counts_trials ? report->trials : report->nfev)),
        PyFloat_FromDouble(report->step),
        PyFloat_FromDouble(report->radius),
        PyFloat_FromDouble(report->ratio),
        PyFloat_FromDouble(exact_seconds() - self->began),
        PyFloat_FromDouble(report->gradient < 0 ? Py_NAN : report->gradient),
    };
    result = filled(result, values);
    if (result != NULL && PyDict_GET_SIZE(result) > ITEMS) { /* the callback had put others into it */
        Py_SETREF(result, filled(PyObject_CallNoArgs(self->kind), values));
    }
    for (int i = 0; i < ITEMS; i++) {
        Py_XDECREF(values[i]);
    }
    return result;
}

static PyObject *
call_back(Watch *self, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    int takes_x = self->kind == Py_None;
    PyObject *shown = takes_x ? vector_of(n, x, self->shown) : result_at(self, m, n, x, fvec, report);
    if (shown == NULL) {
        return NULL;
    }
    Py_XSETREF(self->shown, shown);
    PyObject *stack[] = {NULL, shown};
    return PyObject_Vectorcall(self->callback, stack + 1, takes_x | PY_VECTORCALL_ARGUMENTS_OFFSET,
                               takes_x ? NULL : keyword);
}

/* 1 if the fit is to stop: the callback returned True, or raised StopIteration. */
static int
answer_to(PyObject *returned)
{
    if (returned == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return STOP;
        }
        PyErr_Clear();
        return 1;
    }
    int stops = returned == Py_True
                || (PyArray_IsScalar(returned, Bool) && PyArrayScalar_VAL(returned, Bool));
    Py_DECREF(returned);
    return stops;
}

/* Remember the best point: with a robust loss, steps may lead to a worse one. */
static int
remember(Watch *self, int n, const double *x, double norm)
{
    if (self->best == NULL) {
        self->best = PyMem_Malloc(n * sizeof(double));
        if (self->best == NULL) {
            PyErr_NoMemory();
            return STOP;
        }
        self->parameters = n;
        self->least = Py_HUGE_VAL;
    }
    if (norm < self->least) {
        self->least = norm;
        memcpy(self->best, x, n * sizeof(double));
    }
    return GO_ON;
}

static int
watch_fit(void *data, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    Watch *self = data;
    if (self->has_stopped) {
        return 1; /* at the start, when the fit returns to the best point */
    }
    if (report->iteration == 0 && !self->sees_start) {
        return GO_ON;
    }
    take_gil(self->ready.thread);
    int answer = remember(self, n, x, report->fnorm);
    if (answer == GO_ON) {
        answer = answer_to(call_back(self, m, n, x, fvec, report));
    }
    self->has_stopped |= answer > 0;
    self->has_raised |= answer < 0;
    leave_gil(self->ready.thread);
    return answer;
}

void
take_watch(PyObject *watch, minpack_options *options)
{
    if (watch != Py_None) {
        options->watch = watch_fit;
        options->watch_data = watch;
    }
}

static int
traverse(Watch *self, visitproc visit, void *arg)
{
    Py_VISIT(self->callback);
    Py_VISIT(self->kind);
    Py_VISIT(self->shown);
    return 0;
}

static int
clear(Watch *self)
{
    Py_CLEAR(self->callback);
    Py_CLEAR(self->kind);
    Py_CLEAR(self->shown);
    return 0;
}

static void
dealloc(Watch *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    PyMem_Free(self->best);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
better_than(PyObject *object, PyObject *norm)
{
    Watch *self = (Watch *)object;
    double given = PyFloat_AsDouble(norm);
    if (given == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (self->best == NULL || !(self->least < given)) {
        Py_RETURN_NONE;
    }
    return vector_of(self->parameters, self->best, NULL);
}

static PyMemberDef members[] = {
    {"has_stopped", T_BOOL, offsetof(Watch, has_stopped), READONLY,
     "Whether the callback has stopped a fit."},
    {"has_raised", T_BOOL, offsetof(Watch, has_raised), READONLY,
     "Whether the callback has raised an exception."},
    {"earlier_nit", T_INT, offsetof(Watch, earlier_nit), 0, "Iterations of earlier fits."},
    {"earlier_nfev", T_INT, offsetof(Watch, earlier_nfev), 0, "Calls of earlier fits."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"better_than", better_than, METH_O,
     "better_than(norm) -> x\n\n"
     "The best point that the callback has seen; None if its norm is not less than the given one."},
    READY_METHOD,
    {NULL, NULL, 0, NULL},
};

PyTypeObject watch_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Watch",
    .tp_doc = "A callback that sees each step of a fit.",
    .tp_basicsize = sizeof(Watch),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_methods = methods,
    .tp_members = members,
};

PyObject *
watch(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int counts_trials = count == 4 ? PyObject_IsTrue(given[2]) : -1;
    int sees_start = counts_trials < 0 ? -1 : PyObject_IsTrue(given[3]);
    if (sees_start < 0) {
        PyErr_SetString(PyExc_TypeError, "watch(callback, kind, counts_trials, sees_start)");
        return NULL;
    }
    Watch *self = (Watch *)watch_type.tp_alloc(&watch_type, 0);
    if (self != NULL) {
        self->callback = Py_NewRef(given[0]);
        self->kind = Py_NewRef(given[1]);
        self->counts_trials = counts_trials;
        self->sees_start = sees_start;
        self->began = exact_seconds();
    }
    return (PyObject *)self;
}
