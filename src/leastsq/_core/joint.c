/* A user's vectorized function, as the core calls it for the points of a difference. It is called for some
 * points at once: either as residuals func(P, *args), where P has the shape (n, k) and the values have the
 * shape (m, k), or as a model f(x, *parameters), where each parameter has the shape (k, 1) and the values
 * have the shape (k, m). In the first call the starting point is among the points, so that its residuals
 * can be compared with those that are known. */
#include "calls.h"

typedef struct {
    Ready ready;
    PyObject *function;
    PyObject *args;       /* tuple; of a model it contains x alone */
    PyObject *coerce;     /* coerce(returned, shape) -> float64 array of this shape */
    PyObject *compare;    /* compare(values, residuals) raises an exception if they differ */
    PyArrayObject *start; /* x0; NULL when the comparison is done */
    PyArrayObject *residuals; /* the residuals there */
    PyArrayObject *y;       /* the data, for a model; otherwise NULL */
    PyArrayObject *weights; /* of the residuals of a model, m numbers or one; or NULL */
    PyObject **stack;     /* room for a vectorcall */
    int most;             /* points in a call */
    double due;           /* when the time for the fit is over, by seconds() */
} Joint;

static double *
numbers_of(PyArrayObject *array)
{
    return PyArray_DATA(array);
}

/* Coordinate j of the points, and of the starting point if there is room for it. */
static void
gather(Joint *self, int n, int j, int count, int all, const double *points, double *numbers)
{
    for (int k = 0; k < count; k++) {
        numbers[k] = points[(size_t)k * n + j];
    }
    if (all > count) {
        numbers[count] = numbers_of(self->start)[j];
    }
}

static PyObject *
call_residuals(Joint *self, int n, int count, int all, const double *points)
{
    npy_intp shape[] = {n, all};
    PyObject *given = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    if (given == NULL) {
        return NULL;
    }
    for (int j = 0; j < n; j++) {
        gather(self, n, j, count, all, points, numbers_of((PyArrayObject *)given) + (size_t)j * all);
    }
    self->stack[1] = given;
    size_t arguments = 1 + PyTuple_GET_SIZE(self->args);
    PyObject *returned = PyObject_Vectorcall(
        self->function, self->stack + 1, arguments | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(given);
    return returned;
}

static PyObject *
call_model(Joint *self, int n, int count, int all, const double *points)
{
    npy_intp shape[] = {all, 1};
    int made = 0;
    for (; made < n; made++) {
        PyObject *parameter = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
        if (parameter == NULL) {
            break;
        }
        gather(self, n, made, count, all, points, numbers_of((PyArrayObject *)parameter));
        self->stack[2 + made] = parameter;
    }
    PyObject *returned = NULL;
    if (made == n) {
        self->stack[1] = PyTuple_GET_ITEM(self->args, 0);
        returned = PyObject_Vectorcall(
            self->function, self->stack + 1, (size_t)(1 + n) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    while (made > 0) {
        made--; /* not in the macro, which may evaluate its argument twice */
        Py_CLEAR(self->stack[2 + made]);
    }
    return returned;
}

/* The values that the function returned, as a float64 array of a shape; takes over the reference. */
static PyArrayObject *
values_of(Joint *self, PyObject *returned, int rows, int columns)
{
    if (returned == NULL) {
        return NULL;
    }
    if (PyArray_CheckExact(returned)) {
        PyArrayObject *array = (PyArrayObject *)returned;
        if (PyArray_TYPE(array) == NPY_DOUBLE && PyArray_ISBEHAVED_RO(array) && PyArray_NDIM(array) == 2
            && PyArray_DIM(array, 0) == rows && PyArray_DIM(array, 1) == columns) {
            return array;
        }
    }
    PyObject *coerced = PyObject_CallFunction(self->coerce, "O(ii)", returned, rows, columns);
    Py_DECREF(returned);
    return (PyArrayObject *)coerced;
}

/* Residuals of point k. */
static void
take(Joint *self, PyArrayObject *returned, int m, int k, double *values)
{
    const char *place = PyArray_BYTES(returned);
    if (self->y == NULL) {
        npy_intp step = PyArray_STRIDE(returned, 0);
        place += k * PyArray_STRIDE(returned, 1);
        for (int i = 0; i < m; i++) {
            values[i] = *(const double *)(place + i * step);
        }
        return;
    }
    npy_intp step = PyArray_STRIDE(returned, 1);
    place += k * PyArray_STRIDE(returned, 0);
    take_residuals(place, step, self->y, self->weights, m, values);
}

static int
evaluate_part(Joint *self, int m, int n, int count, const double *points, double *values)
{
    int all = count + (self->start != NULL);
    PyArrayObject *returned;
    if (self->y == NULL) {
        returned = values_of(self, call_residuals(self, n, count, all, points), m, all);
    } else {
        returned = values_of(self, call_model(self, n, count, all, points), all, m);
    }
    if (returned == NULL) {
        return STOP;
    }
    for (int k = 0; k < count; k++) {
        take(self, returned, m, k, values + (size_t)k * m);
    }
    int answer = GO_ON;
    if (self->start != NULL) {
        npy_intp shape = m;
        PyObject *there = PyArray_SimpleNew(1, &shape, NPY_DOUBLE), *same = NULL;
        if (there != NULL) {
            take(self, returned, m, count, numbers_of((PyArrayObject *)there));
            same = PyObject_CallFunctionObjArgs(self->compare, there, self->residuals, NULL);
            Py_DECREF(there);
        }
        answer = same == NULL ? STOP : GO_ON;
        Py_XDECREF(same);
        Py_CLEAR(self->start);
    }
    Py_DECREF(returned);
    return answer;
}

static int
evaluate(void *data, int m, int n, int count, const double *points, double *values)
{
    Joint *self = data;
    if (is_over(self->due)) {
        return MINPACK_NO_TIME;
    }
    take_gil(self->ready.thread);
    int answer = GO_ON;
    for (int first = 0; first < count && answer == GO_ON; first += self->most) {
        int part = count - first < self->most ? count - first : self->most;
        answer = evaluate_part(
            self, m, n, part, points + (size_t)first * n, values + (size_t)first * m);
    }
    if (answer == GO_ON && PyErr_CheckSignals() < 0) {
        answer = STOP;
    }
    leave_gil(self->ready.thread);
    return answer;
}

int
is_joint(PyObject *object)
{
    return Py_IS_TYPE(object, &joint_type);
}

void
take_joint(PyObject *joint, minpack_options *options)
{
    options->together = evaluate;
    options->together_data = joint;
    options->together_count = ((Joint *)joint)->most;
}

static int
traverse(Joint *self, visitproc visit, void *arg)
{
    Py_VISIT(self->function);
    Py_VISIT(self->args);
    Py_VISIT(self->coerce);
    Py_VISIT(self->compare);
    return 0;
}

static int
clear(Joint *self)
{
    Py_CLEAR(self->function);
    Py_CLEAR(self->args);
    Py_CLEAR(self->coerce);
    Py_CLEAR(self->compare);
    return 0;
}

static void
dealloc(Joint *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_XDECREF(self->start);
    Py_XDECREF(self->residuals);
    Py_XDECREF(self->y);
    Py_XDECREF(self->weights);
    PyMem_Free(self->stack);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef methods[] = {READY_METHOD, {NULL, NULL, 0, NULL}};

PyTypeObject joint_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Joint",
    .tp_doc = "A user's vectorized function, as the core calls it for many points.",
    .tp_basicsize = sizeof(Joint),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
    .tp_methods = methods,
};

/* A float64 array that lies in one piece, or NULL for None. */
static PyArrayObject *
array_of(PyObject *object)
{
    return object == Py_None ? NULL : (PyArrayObject *)PyArray_FROM_OTF(object, NPY_DOUBLE,
                                                                        NPY_ARRAY_CARRAY_RO);
}

PyObject *
joint_function(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    if (count != 10 || !PyTuple_Check(given[1]) || !PyLong_Check(given[6]) || !PyFloat_Check(given[7])) {
        PyErr_SetString(PyExc_TypeError, "joint_function(function, args, coerce, compare, start, residuals, "
                                         "most, time_left, y, weights)");
        return NULL;
    }
    Joint *self = (Joint *)joint_type.tp_alloc(&joint_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->function = Py_NewRef(given[0]);
    self->args = Py_NewRef(given[1]);
    self->coerce = Py_NewRef(given[2]);
    self->compare = Py_NewRef(given[3]);
    self->start = array_of(given[4]);
    self->residuals = array_of(given[5]);
    self->most = (int)PyLong_AsLong(given[6]);
    self->due = seconds() + PyFloat_AS_DOUBLE(given[7]);
    self->y = array_of(given[8]);
    self->weights = array_of(given[9]);
    if (PyErr_Occurred()) {
        Py_DECREF(self);
        return NULL;
    }
    Py_ssize_t arguments = PyTuple_GET_SIZE(self->args);
    self->stack = PyMem_Calloc(2 + arguments + PyArray_SIZE(self->start), sizeof(PyObject *));
    if (self->stack == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < arguments && self->y == NULL; i++) {
        self->stack[2 + i] = PyTuple_GET_ITEM(self->args, i);
    }
    return (PyObject *)self;
}
