/* A user's Python function as a function that the core can call by its address.
 *
 * If the Python function raises an exception, the C function here leaves the exception set and returns
 * a negative number. The core returns, and f2py's wrapper raises the exception. C code is faster here
 * than f2py's callbacks, which would need a closure in Python. If the return value is not a plain
 * array, a Python function converts it. */
#include "calls.h"

typedef struct {
    Callee callee;
    PyObject *function;    /* function(x, *args) */
    PyObject *args;        /* tuple */
    PyObject *coerce;      /* coerce(returned, function, m) -> contiguous float64 array of size m; NULL for a
                              Jacobian, which is an aligned float64 or float32 array of shape (m, n) */
    PyObject *point;       /* the x that was passed last */
    PyObject *returned;    /* what the function returned last: the core reads it until the next call */
    PyObject **stack;      /* room for a vectorcall, x and the args behind it */
    double due;            /* when the time for the fit is over, by seconds() */
    PyThreadState *thread; /* the thread that released the GIL to call the core; NULL if it holds the GIL */
} PythonFunction;

static PyObject *
call_at(PythonFunction *self, int n, const double *x)
{
    Py_CLEAR(self->returned);
    PyObject *point = vector_of(n, x, self->point);
    if (point == NULL) {
        return NULL;
    }
    Py_XSETREF(self->point, point);
    self->stack[1] = point;
    size_t count = 1 + PyTuple_GET_SIZE(self->args);
    return PyObject_Vectorcall(
        self->function, self->stack + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* Keep what was returned, let Python handle its signals, and answer the core. */
static int
answer(PythonFunction *self, PyObject *returned)
{
    self->returned = returned;
    int answer = returned == NULL || PyErr_CheckSignals() < 0 ? STOP : GO_ON;
    leave_gil(self->thread);
    return answer;
}

static int
show_residual(void *data, int m, int n, const double *x, const double **fvec)
{
    PythonFunction *self = data;
    if (is_over(self->due)) {
        return MINPACK_NO_TIME;
    }
    take_gil(self->thread);
    PyObject *returned = call_at(self, n, x);
    if (returned != NULL && !(is_float64(returned) && PyArray_SIZE((PyArrayObject *)returned) == m)) {
        PyObject *coerced = PyObject_CallFunction(self->coerce, "OOi", returned, self->function, m);
        Py_SETREF(returned, coerced);
    }
    if (returned != NULL) {
        *fvec = PyArray_DATA((PyArrayObject *)returned);
    }
    return answer(self, returned);
}

static minpack_matrix
place_of(PyArrayObject *matrix)
{
    npy_intp size = PyArray_ITEMSIZE(matrix);
    npy_intp row_step = PyArray_STRIDE(matrix, 0) / size, column_step = PyArray_STRIDE(matrix, 1) / size;
    npy_intp ends[] = {(PyArray_DIM(matrix, 0) - 1) * row_step,
                       (PyArray_DIM(matrix, 1) - 1) * column_step};
    npy_intp before = 0, behind = 0;
    for (int i = 0; i < 2; i++) {
        before += ends[i] < 0 ? -ends[i] : 0;
        behind += ends[i] > 0 ? ends[i] : 0;
    }
    return (minpack_matrix){
        .numbers = PyArray_BYTES(matrix) - before * size,
        .count = before + 1 + behind,
        .start = before + 1,
        .row_step = row_step,
        .column_step = column_step,
        .single = PyArray_TYPE(matrix) == NPY_FLOAT,
    };
}

static int
show_jacobian(void *data, int m, int n, const double *x, minpack_matrix *fjac)
{
    (void)m;
    PythonFunction *self = data;
    if (is_over(self->due)) {
        return MINPACK_NO_TIME;
    }
    take_gil(self->thread);
    PyObject *returned = call_at(self, n, x);
    if (returned != NULL) {
        *fjac = place_of((PyArrayObject *)returned);
    } else if (PyErr_ExceptionMatches(time_is_up_error)) {
        PyErr_Clear();
        answer(self, NULL);
        return MINPACK_NO_TIME;
    }
    return answer(self, returned);
}

static int
traverse(PythonFunction *self, visitproc visit, void *arg)
{
    Py_VISIT(self->function);
    Py_VISIT(self->args);
    Py_VISIT(self->coerce);
    Py_VISIT(self->point);
    Py_VISIT(self->returned);
    return 0;
}

static int
clear(PythonFunction *self)
{
    Py_CLEAR(self->function);
    Py_CLEAR(self->args);
    Py_CLEAR(self->coerce);
    Py_CLEAR(self->point);
    Py_CLEAR(self->returned);
    return 0;
}

static void
dealloc(PythonFunction *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    PyMem_Free(self->stack);
    Py_TYPE(self)->tp_free(self);
}

PyTypeObject python_function_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.PythonFunction",
    .tp_doc = "A user's Python function, as the core calls it by its address.",
    .tp_basicsize = sizeof(PythonFunction),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_as_number = &callee_as_number,
    .tp_dealloc = (destructor)dealloc,
    .tp_traverse = (traverseproc)traverse,
    .tp_clear = (inquiry)clear,
};

PyObject *
python_function(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    int released = count == 5 && PyTuple_Check(given[1]) && PyFloat_Check(given[4])
                       ? PyObject_IsTrue(given[3])
                       : -1;
    if (released < 0) {
        PyErr_SetString(PyExc_TypeError, "python_function(function, args, coerce, released, time_left)");
        return NULL;
    }
    PythonFunction *self = (PythonFunction *)python_function_type.tp_alloc(&python_function_type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (given[2] == Py_None) {
        self->callee.address.jacobian = (minpack_jacobian){.show = show_jacobian, .data = self};
    } else {
        self->callee.address.residual = (minpack_residual){.show = show_residual, .data = self};
        self->coerce = Py_NewRef(given[2]);
    }
    self->function = Py_NewRef(given[0]);
    self->args = Py_NewRef(given[1]);
    self->due = seconds() + PyFloat_AS_DOUBLE(given[4]);
    self->thread = released ? PyThreadState_Get() : NULL;
    Py_ssize_t arguments = PyTuple_GET_SIZE(self->args);
    self->stack = PyMem_Calloc(arguments + 2, sizeof(PyObject *));
    if (self->stack == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < arguments; i++) {
        self->stack[i + 2] = PyTuple_GET_ITEM(self->args, i);
    }
    return (PyObject *)self;
}
