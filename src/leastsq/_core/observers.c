/* Python functions of the user's that are called during a fit, beside the residuals and the Jacobian: a
 * loss, and a function that sees how the fit goes on. As with residuals, an exception stays set, and the
 * answer to the core is negative. */
#include "calls.h"

typedef struct {
    PyObject_HEAD
    PyObject *function;
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
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

static int
watch_fit(void *data, int m, int n, const double *x, const double *fvec, const minpack_report *report)
{
    Observer *self = data;
    take_gil(self);
    PyObject *point = copy_of(n, x), *residuals = copy_of(m, fvec), *returned = NULL;
    if (point != NULL && residuals != NULL) {
        returned = PyObject_CallFunction(
            self->function, "OOiiiddddd", point, residuals, report->iteration, report->nfev,
            report->trials, report->fnorm, report->step, report->radius, report->ratio, report->gradient);
    }
    Py_XDECREF(point);
    Py_XDECREF(residuals);
    int answer = returned == NULL ? STOP : PyObject_IsTrue(returned);
    Py_XDECREF(returned);
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

static int
traverse(Observer *self, visitproc visit, void *arg)
{
    Py_VISIT(self->function);
    return 0;
}

static int
clear(Observer *self)
{
    Py_CLEAR(self->function);
    return 0;
}

static void
dealloc(Observer *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_TYPE(self)->tp_free(self);
}

PyTypeObject observer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Observer",
    .tp_doc = "A Python function that is called during a fit.",
    .tp_basicsize = sizeof(Observer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
};

PyObject *
observer(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int released = count == 2 ? PyObject_IsTrue(given[1]) : -1;
    if (released < 0) {
        PyErr_SetString(PyExc_TypeError, "observer(function, released)");
        return NULL;
    }
    Observer *self = (Observer *)observer_type.tp_alloc(&observer_type, 0);
    if (self != NULL) {
        self->function = Py_NewRef(given[0]);
        self->thread = released ? PyThreadState_Get() : NULL;
    }
    return (PyObject *)self;
}
