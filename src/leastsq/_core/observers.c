/* Python functions that are called during a fit, beside the residuals and the Jacobian: a loss, the
 * residuals at many points, and a callback that sees each step and can stop the fit. As with residuals, an exception stays set, and the
 * answer to the core is negative. */
#include "calls.h"
#include <numpy/arrayscalars.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *function;
    PyObject *kind;        /* of a callback: None to call it with x; otherwise the class of the intermediate
                              results, a subclass of dict */
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
    int counts_trials;     /* whether nfev is without the calls for differences */
    int sees_start;        /* whether the callback sees the starting point, too */
    double began;
    int earlier_nit, earlier_nfev; /* of earlier fits, from other starts */
    int at_once; /* points that are evaluated in little more time than one */
    char has_stopped;      /* whether the callback has stopped a fit */
    double *best;          /* the best point that it has seen, of `parameters` numbers; NULL before the first */
    int parameters;
    double least;          /* the square root of what is minimized, there */
} Observer;

static void
take_gil(Observer *self)
{
    if (self->thread != NULL) {
        PyEval_RestoreThread(self->thread);
    }
}

static void
leave_gil(Observer *self)
{
    if (self->thread != NULL) {
        PyEval_SaveThread();
    }
}

static PyObject *
copy_of(int size, const double *numbers)
{
    npy_intp shape = size;
    PyObject *array = PyArray_SimpleNew(1, &shape, NPY_DOUBLE);
    if (array != NULL) {
        memcpy(PyArray_DATA((PyArrayObject *)array), numbers, size * sizeof(double));
    }
    return array;
}

/* function(z) returns a C-contiguous float64 array of shape (3, m). */
static int
evaluate_loss(void *data, int m, const double *z, double *rho)
{
    Observer *self = data;
    take_gil(self);
    PyObject *point = copy_of(m, z);
    PyObject *returned = point == NULL ? NULL : PyObject_CallOneArg(self->function, point);
    Py_XDECREF(point);
    if (returned != NULL) {
        memcpy(rho, PyArray_DATA((PyArrayObject *)returned), 3 * m * sizeof(double));
        Py_DECREF(returned);
    }
    leave_gil(self);
    return returned == NULL ? STOP : GO_ON;
}

/* function(points) returns a C-contiguous float64 array of shape (count, m), or None if there is no time. */
static int
evaluate_together(void *data, int m, int n, int count, const double *points, double *values)
{
    Observer *self = data;
    take_gil(self);
    npy_intp shape[] = {count, n};
    PyObject *returned = NULL, *given = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    if (given != NULL) {
        memcpy(PyArray_DATA((PyArrayObject *)given), points, (size_t)count * n * sizeof(double));
        returned = PyObject_CallOneArg(self->function, given);
        Py_DECREF(given);
    }
    int answer = returned == NULL || PyErr_CheckSignals() < 0 ? STOP : GO_ON;
    if (answer == GO_ON && returned == Py_None) {
        answer = MINPACK_NO_TIME;
    } else if (answer == GO_ON) {
        memcpy(values, PyArray_DATA((PyArrayObject *)returned), (size_t)count * m * sizeof(double));
    }
    Py_XDECREF(returned);
    leave_gil(self);
    return answer;
}

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

/* The intermediate result. Without a model at the point, the optimality is not known. */
static PyObject *
result_at(Observer *self, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    PyObject *result = PyObject_CallNoArgs(self->kind);
    if (result == NULL) {
        return NULL;
    }
    PyObject *values[ITEMS] = {
        copy_of(n, x),
        m == 0 ? Py_NewRef(Py_None) : copy_of(m, fvec), /* a fit in parts has none */
        PyFloat_FromDouble(report->fnorm * report->fnorm / 2),
        PyLong_FromLong(self->earlier_nit + report->iteration),
        PyLong_FromLong(self->earlier_nfev + (self->counts_trials ? report->trials : report->nfev)),
        PyFloat_FromDouble(report->step),
        PyFloat_FromDouble(report->radius),
        PyFloat_FromDouble(report->ratio),
        PyFloat_FromDouble(exact_seconds() - self->began),
        PyFloat_FromDouble(report->gradient < 0 ? Py_NAN : report->gradient),
    };
    for (int i = 0; i < ITEMS; i++) {
        if (result != NULL && (values[i] == NULL || PyDict_SetItem(result, names[i], values[i]) < 0)) {
            Py_CLEAR(result);
        }
        Py_XDECREF(values[i]);
    }
    return result;
}

static PyObject *
call_back(Observer *self, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    int takes_x = self->kind == Py_None;
    PyObject *shown = takes_x ? copy_of(n, x) : result_at(self, m, n, x, fvec, report);
    if (shown == NULL) {
        return NULL;
    }
    PyObject *stack[] = {NULL, shown};
    PyObject *returned = PyObject_Vectorcall(self->function, stack + 1,
                                             takes_x | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                             takes_x ? NULL : keyword);
    Py_DECREF(shown);
    return returned;
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
remember(Observer *self, int n, const double *x, double norm)
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
    Observer *self = data;
    if (self->has_stopped) {
        return 1; /* at the start, when the fit returns to the best point */
    }
    if (report->iteration == 0 && !self->sees_start) {
        return GO_ON;
    }
    take_gil(self);
    int answer = remember(self, n, x, report->fnorm);
    if (answer == GO_ON) {
        answer = answer_to(call_back(self, m, n, x, fvec, report));
    }
    self->has_stopped |= answer > 0;
    leave_gil(self);
    return answer;
}

void
take_loss(PyObject *observer, minpack_options *options)
{
    if (observer != Py_None) {
        options->rho = evaluate_loss;
        options->rho_data = observer;
    }
}

void
take_watch(PyObject *observer, minpack_options *options)
{
    if (observer != Py_None) {
        options->watch = watch_fit;
        options->watch_data = observer;
    }
}

void
take_together(PyObject *observer, minpack_options *options)
{
    if (is_joint(observer)) {
        take_joint(observer, options);
    } else if (observer != Py_None) {
        options->together = evaluate_together;
        options->together_data = observer;
        options->together_count = ((Observer *)observer)->at_once;
    }
}

static int
traverse(Observer *self, visitproc visit, void *arg)
{
    Py_VISIT(self->function);
    Py_VISIT(self->kind);
    return 0;
}

static int
clear(Observer *self)
{
    Py_CLEAR(self->function);
    Py_CLEAR(self->kind);
    return 0;
}

static void
dealloc(Observer *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    PyMem_Free(self->best);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *
better_than(PyObject *object, PyObject *norm)
{
    Observer *self = (Observer *)object;
    double given = PyFloat_AsDouble(norm);
    if (given == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (self->best == NULL || !(self->least < given)) {
        Py_RETURN_NONE;
    }
    return copy_of(self->parameters, self->best);
}

static PyObject *
ready(PyObject *object, PyObject *released)
{
    int is_released = PyObject_IsTrue(released);
    if (is_released < 0) {
        return NULL;
    }
    ((Observer *)object)->thread = is_released ? PyThreadState_Get() : NULL;
    return Py_NewRef(object);
}

static PyMemberDef members[] = {
    {"has_stopped", T_BOOL, offsetof(Observer, has_stopped), READONLY,
     "Whether the callback has stopped a fit."},
    {"earlier_nit", T_INT, offsetof(Observer, earlier_nit), 0, "Iterations of earlier fits."},
    {"earlier_nfev", T_INT, offsetof(Observer, earlier_nfev), 0, "Calls of earlier fits."},
    {"at_once", T_INT, offsetof(Observer, at_once), 0,
     "The number of points that are evaluated in little more time than one."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"better_than", better_than, METH_O,
     "better_than(norm) -> x\n\n"
     "The best point that the callback has seen; None if its norm is not less than the given one."},
    {"ready", ready, METH_O,
     "ready(released) -> self\n\nPrepare for a fit in this thread, which will release the GIL or not."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject observer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Observer",
    .tp_doc = "A Python function that is called during a fit.",
    .tp_basicsize = sizeof(Observer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_methods = methods,
    .tp_members = members,
};

PyObject *
observer(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int counts_trials = count == 4 ? PyObject_IsTrue(given[2]) : -1;
    int sees_start = counts_trials < 0 ? -1 : PyObject_IsTrue(given[3]);
    if (sees_start < 0) {
        PyErr_SetString(PyExc_TypeError, "observer(function, kind, counts_trials, sees_start)");
        return NULL;
    }
    Observer *self = (Observer *)observer_type.tp_alloc(&observer_type, 0);
    if (self != NULL) {
        self->function = Py_NewRef(given[0]);
        self->kind = Py_NewRef(given[1]);
        self->counts_trials = counts_trials;
        self->sees_start = sees_start;
        self->began = exact_seconds();
    }
    return (PyObject *)self;
}
