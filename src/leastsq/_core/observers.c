/* Python functions that are called during a fit, beside the residuals and the Jacobian: a loss, and the
 * residuals at many points. As with residuals, an exception stays set, and the answer to the core is
 * negative. */
#include "calls.h"
#include <structmember.h>

typedef struct {
    Ready ready;
    PyObject *function;
    int at_once; /* points that are evaluated in little more time than one */
} Observer;

/* function(z) returns a C-contiguous float64 array of shape (3, m). */
static int
evaluate_loss(void *data, int m, const double *z, double *rho)
{
    Observer *self = data;
    take_gil(self->ready.thread);
    PyObject *point = vector_of(m, z, NULL);
    PyObject *returned = point == NULL ? NULL : PyObject_CallOneArg(self->function, point);
    Py_XDECREF(point);
    if (returned != NULL) {
        memcpy(rho, PyArray_DATA((PyArrayObject *)returned), 3 * (size_t)m * sizeof(double));
        Py_DECREF(returned);
    }
    leave_gil(self->ready.thread);
    return returned == NULL ? STOP : GO_ON;
}

/* function(points) returns a C-contiguous float64 array of shape (count, m), or None if there is no time. */
static int
evaluate_together(void *data, int m, int n, int count, const double *points, double *values)
{
    Observer *self = data;
    take_gil(self->ready.thread);
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
    leave_gil(self->ready.thread);
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

static PyMemberDef members[] = {
    {"at_once", T_INT, offsetof(Observer, at_once), 0,
     "The number of points that are evaluated in little more time than one."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {READY_METHOD, {NULL, NULL, 0, NULL}};

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
observer(PyObject *Py_UNUSED(module), PyObject *function)
{
    Observer *self = (Observer *)observer_type.tp_alloc(&observer_type, 0);
    if (self != NULL) {
        self->function = Py_NewRef(function);
    }
    return (PyObject *)self;
}
