/* A model f(x, *parameters) as a function of its parameters, and the residuals of its data. Parameters are
 * numpy.float64, as those that Python unpacks from an array, but are made faster. */
#include "calls.h"
#include <math.h>
#include <numpy/arrayscalars.h>
#include <stddef.h>

enum { FEW = 16 }; /* parameters that need no memory of their own */

typedef struct {
    PyObject_HEAD
    PyObject *model;
    PyObject *finish; /* finish(values, y[, weights]) -> residuals, of values that are no usual array, and of
                         those that are not finite */
    int scales;       /* whether weights are factors of the residuals */
    PyObject *dict;
    vectorcallfunc call;
} ModelResiduals;

static PyObject *
call_unpacked(PyObject *model, PyObject *x, PyObject *p)
{
    PyObject *parameters = PySequence_Tuple(p), *first = PyTuple_Pack(1, x), *returned = NULL;
    if (parameters != NULL && first != NULL) {
        PyObject *arguments = PySequence_Concat(first, parameters);
        returned = arguments == NULL ? NULL : PyObject_Call(model, arguments, NULL);
        Py_XDECREF(arguments);
    }
    Py_XDECREF(parameters);
    Py_XDECREF(first);
    return returned;
}

/* model(x, *p) */
static PyObject *
values_at(PyObject *model, PyObject *x, PyObject *p)
{
    if (!is_float64(p) || PyArray_NDIM((PyArrayObject *)p) != 1) {
        return call_unpacked(model, x, p);
    }
    npy_intp n = PyArray_DIM((PyArrayObject *)p, 0), made = 0;
    PyObject *few[2 + FEW], **stack = n > FEW ? PyMem_Malloc((2 + n) * sizeof *stack) : few;
    if (stack == NULL) {
        return PyErr_NoMemory();
    }
    stack[1] = x;
    for (; made < n; made++) {
        PyObject *parameter = PyArrayScalar_New(Double);
        if (parameter == NULL) {
            break;
        }
        PyArrayScalar_ASSIGN(parameter, Double, ((double *)PyArray_DATA((PyArrayObject *)p))[made]);
        stack[2 + made] = parameter;
    }
    PyObject *returned = NULL;
    if (made == n) {
        returned = PyObject_Vectorcall(
            model, stack + 1, (size_t)(1 + n) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    for (npy_intp i = 0; i < made; i++) {
        Py_DECREF(stack[2 + i]);
    }
    if (stack != few) {
        PyMem_Free(stack);
    }
    return returned;
}

PyObject *
model_values(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "model_values(model, x, p)");
        return NULL;
    }
    return values_at(given[0], given[1], given[2]);
}

void
take_residuals(const char *values, npy_intp step, PyArrayObject *y, PyArrayObject *weights, int m,
               double *residuals)
{
    const double *data = PyArray_DATA(y);
    for (int i = 0; i < m; i++) {
        residuals[i] = *(const double *)(values + i * step) - data[i];
    }
    if (weights != NULL) {
        const double *factors = PyArray_DATA(weights);
        int each = PyArray_SIZE(weights) > 1;
        for (int i = 0; i < m; i++) {
            residuals[i] = factors[each * i] * residuals[i];
        }
    }
}

/* Whether C code can compute the residuals: of values and data with the same shape, and of usual weights. */
static int
are_usual(PyObject *values, PyObject *y, PyObject *weights)
{
    if (!is_float64(values) || !is_float64(y)
        || !PyArray_SAMESHAPE((PyArrayObject *)values, (PyArrayObject *)y)) {
        return 0;
    }
    npy_intp size = PyArray_SIZE((PyArrayObject *)y);
    if (size > INT_MAX || weights == NULL) {
        return size <= INT_MAX;
    }
    npy_intp factors = is_float64(weights) ? PyArray_SIZE((PyArrayObject *)weights) : 0;
    return factors == 1 || factors == size;
}

/* The residuals of usual values, as an array of the shape of y; NULL without an exception if one of them is
 * not finite, because then NumPy may have to warn. */
static PyObject *
usual_residuals(PyArrayObject *values, PyArrayObject *y, PyArrayObject *weights)
{
    PyObject *residuals = PyArray_SimpleNew(PyArray_NDIM(y), PyArray_DIMS(y), NPY_DOUBLE);
    if (residuals == NULL) {
        return NULL;
    }
    double *numbers = PyArray_DATA((PyArrayObject *)residuals);
    int m = (int)PyArray_SIZE(y), are_finite = 1;
    take_residuals(PyArray_DATA(values), sizeof(double), y, weights, m, numbers);
    for (int i = 0; i < m; i++) {
        are_finite &= isfinite(numbers[i]) != 0;
    }
    if (!are_finite) {
        Py_CLEAR(residuals);
    }
    return residuals;
}

/* The residuals at p. */
static PyObject *
call(PyObject *object, PyObject *const *given, size_t flags, PyObject *names)
{
    ModelResiduals *self = (ModelResiduals *)object;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (names != NULL || count < 3 || count > 4) {
        PyErr_SetString(PyExc_TypeError, "the residuals of a model take p, x, y, and perhaps weights");
        return NULL;
    }
    PyObject *values = values_at(self->model, given[1], given[0]);
    if (values == NULL) {
        return NULL;
    }
    PyObject *y = given[2], *weights = count == 4 ? given[3] : NULL, *residuals = NULL;
    if ((weights == NULL || self->scales) && are_usual(values, y, weights)) {
        residuals = usual_residuals((PyArrayObject *)values, (PyArrayObject *)y, (PyArrayObject *)weights);
    }
    if (residuals == NULL && !PyErr_Occurred()) {
        residuals = PyObject_CallFunctionObjArgs(self->finish, values, y, weights, NULL);
    }
    Py_DECREF(values);
    return residuals;
}

static int
traverse(ModelResiduals *self, visitproc visit, void *arg)
{
    Py_VISIT(self->model);
    Py_VISIT(self->finish);
    Py_VISIT(self->dict);
    return 0;
}

static int
clear(ModelResiduals *self)
{
    Py_CLEAR(self->model);
    Py_CLEAR(self->finish);
    Py_CLEAR(self->dict);
    return 0;
}

static void
dealloc(ModelResiduals *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_TYPE(self)->tp_free(self);
}

PyTypeObject model_residuals_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.ModelResiduals",
    .tp_doc = "The residuals of a model, as a function of p, x, y and perhaps weights.",
    .tp_basicsize = sizeof(ModelResiduals),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
                | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(ModelResiduals, call),
    .tp_dictoffset = offsetof(ModelResiduals, dict),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
};

PyObject *
model_residuals(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int scales = count == 3 ? PyObject_IsTrue(given[2]) : -1;
    if (scales < 0) {
        PyErr_SetString(PyExc_TypeError, "model_residuals(model, finish, scales)");
        return NULL;
    }
    ModelResiduals *self = (ModelResiduals *)model_residuals_type.tp_alloc(&model_residuals_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->model = Py_NewRef(given[0]);
    self->finish = Py_NewRef(given[1]);
    self->scales = scales;
    self->call = call;
    return (PyObject *)self;
}
