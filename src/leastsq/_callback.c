/* A user's Python functions as C functions that the core can call by their address.
 *
 * A Python exception never crosses the core: the function here leaves it set and answers with a
 * negative number, the core returns, and f2py's wrapper finds the exception and raises it.
 * What makes this C is the cost of a call: through f2py's own callbacks each would run a closure in
 * Python besides the user's function. Whatever is not a plain array is handed to Python to be looked at.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <time.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>

enum { GO_ON = 0, STOP = -1 };

typedef struct {
    PyObject_HEAD
    PyObject *func;       /* func(x, *args) -> residuals */
    PyObject *Dfun;       /* Dfun(x, *args) -> aligned float64 or float32 array of shape (m, n), or None */
    PyObject *args;       /* tuple */
    PyObject *coerce;     /* coerce(returned, func, m) -> contiguous float64 array of size m */
    PyObject *point;      /* the x that was passed last */
    PyObject *residuals;  /* what func returned last: the core reads it until the next call */
    PyObject *jacobian;   /* the same of Dfun */
    PyObject **stack;     /* room for a vectorcall, x and the args behind it */
    PyThreadState *thread; /* the one, in its interpreter, that makes this and then calls the core */
} Callback;

/* The array x for the next call: the last one, if nobody kept it and it is as it was made. */
static PyObject *
point_at(Callback *self, int n, const double *x)
{
    PyArrayObject *last = (PyArrayObject *)self->point;
    if (last == NULL || Py_REFCNT(last) > 1 || PyArray_NDIM(last) != 1 || PyArray_DIM(last, 0) != n
        || PyArray_TYPE(last) != NPY_DOUBLE || !PyArray_ISCARRAY(last)) {
        npy_intp shape = n;
        Py_XSETREF(self->point, PyArray_SimpleNew(1, &shape, NPY_DOUBLE));
        if (self->point == NULL) {
            return NULL;
        }
    }
    memcpy(PyArray_DATA((PyArrayObject *)self->point), x, n * sizeof(double));
    return self->point;
}

static PyObject *
call_at(Callback *self, PyObject *function, PyObject **last, int n, const double *x)
{
    Py_CLEAR(*last);
    self->stack[1] = point_at(self, n, x);
    if (self->stack[1] == NULL) {
        return NULL;
    }
    size_t count = 1 + PyTuple_GET_SIZE(self->args);
    return PyObject_Vectorcall(
        function, self->stack + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

static int
is_plain(PyObject *returned, npy_intp size)
{
    if (!PyArray_CheckExact(returned)) {
        return 0;
    }
    PyArrayObject *array = (PyArrayObject *)returned;
    return PyArray_TYPE(array) == NPY_DOUBLE && PyArray_ISCARRAY_RO(array)
           && PyArray_SIZE(array) == size;
}

static int
show_residual(void *data, int m, int n, const double *x, const void **address)
{
    Callback *self = data;
    PyObject *returned = call_at(self, self->func, &self->residuals, n, x);
    if (returned != NULL && !is_plain(returned, m)) {
        PyObject *coerced = PyObject_CallFunction(self->coerce, "OOi", returned, self->func, m);
        Py_SETREF(returned, coerced);
    }
    if (returned == NULL) {
        return STOP;
    }
    self->residuals = returned;
    *address = PyArray_DATA((PyArrayObject *)returned);
    return PyErr_CheckSignals() < 0 ? STOP : GO_ON;
}

/* Where a matrix lies: shown_type in rows/strided_matrix.f90 says what is what. */
typedef struct {
    const char *numbers;
    intptr_t count, start, row_step, column_step;
    int single;
} Shown;

static Shown
show(PyArrayObject *matrix)
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
    return (Shown){
        .numbers = PyArray_BYTES(matrix) - before * size,
        .count = before + 1 + behind,
        .start = before + 1,
        .row_step = row_step,
        .column_step = column_step,
        .single = PyArray_TYPE(matrix) == NPY_FLOAT,
    };
}

static int
show_jacobian(void *data, int m, int n, const double *x, Shown *shown)
{
    (void)m;
    Callback *self = data;
    PyObject *returned = call_at(self, self->Dfun, &self->jacobian, n, x);
    if (returned == NULL) {
        return STOP;
    }
    self->jacobian = returned;
    *shown = show((PyArrayObject *)returned);
    return PyErr_CheckSignals() < 0 ? STOP : GO_ON;
}

static int
show_residual_with_gil(void *data, int m, int n, const double *x, const void **address)
{
    PyEval_RestoreThread(((Callback *)data)->thread);
    int answer = show_residual(data, m, n, x, address);
    PyEval_SaveThread();
    return answer;
}

static int
show_jacobian_with_gil(void *data, int m, int n, const double *x, Shown *shown)
{
    PyEval_RestoreThread(((Callback *)data)->thread);
    int answer = show_jacobian(data, m, n, x, shown);
    PyEval_SaveThread();
    return answer;
}

static int
callback_traverse(Callback *self, visitproc visit, void *arg)
{
    Py_VISIT(self->func);
    Py_VISIT(self->Dfun);
    Py_VISIT(self->args);
    Py_VISIT(self->coerce);
    Py_VISIT(self->point);
    Py_VISIT(self->residuals);
    Py_VISIT(self->jacobian);
    return 0;
}

static int
callback_clear(Callback *self)
{
    Py_CLEAR(self->func);
    Py_CLEAR(self->Dfun);
    Py_CLEAR(self->args);
    Py_CLEAR(self->coerce);
    Py_CLEAR(self->point);
    Py_CLEAR(self->residuals);
    Py_CLEAR(self->jacobian);
    return 0;
}

static void
callback_dealloc(Callback *self)
{
    PyObject_GC_UnTrack(self);
    callback_clear(self);
    PyMem_Free(self->stack);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject callback_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._callback.Callback",
    .tp_doc = "A user's functions, as the core calls them by their address.",
    .tp_basicsize = sizeof(Callback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)callback_dealloc,
    .tp_traverse = (traverseproc)callback_traverse,
    .tp_clear = (inquiry)callback_clear,
};

static Callback *
callback_for(PyObject *func, PyObject *Dfun, PyObject *args, PyObject *coerce)
{
    Callback *self = (Callback *)callback_type.tp_alloc(&callback_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->func = Py_NewRef(func);
    self->Dfun = Py_NewRef(Dfun);
    self->args = Py_NewRef(args);
    self->coerce = Py_NewRef(coerce);
    self->thread = PyThreadState_Get();
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    self->stack = PyMem_Calloc(count + 2, sizeof(PyObject *));
    if (self->stack == NULL) {
        Py_DECREF(self);
        return (Callback *)PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        self->stack[i + 2] = PyTuple_GET_ITEM(args, i);
    }
    return self;
}

/* Native functions, after whose calls Python may handle the signals that came meanwhile: its own handlers
 * run in the main thread alone, with the GIL. */
typedef int Residual(void *data, int m, int n, const double *x, double *fvec, int iflag);
typedef int Jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                     int iflag);

enum { PATIENCE = 50 /* milliseconds */ };

typedef struct {
    PyObject_HEAD
    Residual *residual;
    Jacobian *jacobian;
    void *residual_data, *jacobian_data;
    PyThreadState *thread; /* that has released the GIL, or NULL if it holds it */
    long long due;         /* when to take the GIL again */
} Watch;

static long long
milliseconds(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return 1000LL * now.tv_sec + now.tv_nsec / 1000000;
}

static int
is_interrupted(Watch *self)
{
    if (self->thread == NULL) {
        return PyErr_CheckSignals() < 0;
    }
    if (milliseconds() < self->due) {
        return 0;
    }
    PyEval_RestoreThread(self->thread);
    int interrupted = PyErr_CheckSignals() < 0;
    PyEval_SaveThread();
    self->due = milliseconds() + PATIENCE;
    return interrupted;
}

static int
watched_residual(void *data, int m, int n, const double *x, double *fvec, int iflag)
{
    Watch *self = data;
    int answer = self->residual(self->residual_data, m, n, x, fvec, iflag);
    return answer >= 0 && is_interrupted(self) ? STOP : answer;
}

static int
watched_jacobian(void *data, int m, int n, const double *x, double *fvec, double *fjac, int ldfjac,
                 int iflag)
{
    Watch *self = data;
    int answer = self->jacobian(self->jacobian_data, m, n, x, fvec, fjac, ldfjac, iflag);
    return answer >= 0 && is_interrupted(self) ? STOP : answer;
}

static PyTypeObject watch_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._callback.Watch",
    .tp_doc = "Native functions, with a look for signals after each call.",
    .tp_basicsize = sizeof(Watch),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

static PyObject *
watch(PyObject *Py_UNUSED(self), PyObject *const *given, Py_ssize_t count)
{
    void *pointers[4];
    for (int i = 0; count == 5 && i < 4; i++) {
        pointers[i] = PyLong_AsVoidPtr(given[i]);
    }
    if (count != 5 || PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError,
                        "watch(residual, residual_data, jacobian, jacobian_data, released)");
        return NULL;
    }
    Watch *self = PyObject_New(Watch, &watch_type);
    if (self == NULL) {
        return NULL;
    }
    self->residual = (Residual *)pointers[0];
    self->residual_data = pointers[1];
    self->jacobian = (Jacobian *)pointers[2];
    self->jacobian_data = pointers[3];
    self->thread = PyObject_IsTrue(given[4]) ? PyThreadState_Get() : NULL;
    self->due = 0;
    return Py_BuildValue("(NLLL)", self, (long long)(intptr_t)&watched_residual,
                         (long long)(intptr_t)&watched_jacobian, (long long)(intptr_t)self);
}

/* What compiled code owns, for as long as this lives. */
typedef struct {
    PyObject_HEAD
    void (*release)(void *data);
    void *data;
    PyObject *needed; /* by the two */
} Held;

static void
held_dealloc(PyObject *self)
{
    Held *held = (Held *)self;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    held->release(held->data);
    Py_DECREF(held->needed);
    PyErr_Restore(type, value, traceback);
    PyObject_Free(self);
}

static PyTypeObject held_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._callback.Held",
    .tp_doc = "What compiled code owns, and lets go of when this goes.",
    .tp_basicsize = sizeof(Held),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = held_dealloc,
};

static PyObject *
hold(PyObject *Py_UNUSED(self), PyObject *const *given, Py_ssize_t count)
{
    void *release = count == 3 ? PyLong_AsVoidPtr(given[0]) : NULL;
    void *data = count == 3 ? PyLong_AsVoidPtr(given[1]) : NULL;
    if (release == NULL || data == NULL) {
        PyErr_SetString(PyExc_TypeError, "hold(release, data, needed)");
        return NULL;
    }
    Held *self = PyObject_New(Held, &held_type);
    if (self != NULL) {
        self->release = (void (*)(void *))release;
        self->data = data;
        self->needed = Py_NewRef(given[2]);
    }
    return (PyObject *)self;
}

/* The residuals at the starting point: what func returns there, or what coerce makes of it, as an array
 * of their own. */
static PyObject *
first_residuals(PyObject *Py_UNUSED(self), PyObject *const *given, Py_ssize_t count)
{
    if (count != 4 || !PyArray_CheckExact(given[1]) || !PyTuple_Check(given[2])) {
        PyErr_SetString(PyExc_TypeError, "first_residuals(func, x, args, coerce)");
        return NULL;
    }
    PyObject *x = PyArray_NewCopy((PyArrayObject *)given[1], NPY_CORDER);
    PyObject *arguments = x == NULL ? NULL : PyTuple_New(1 + PyTuple_GET_SIZE(given[2]));
    if (arguments == NULL) {
        Py_XDECREF(x);
        return NULL;
    }
    PyTuple_SET_ITEM(arguments, 0, x);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(given[2]); i++) {
        PyTuple_SET_ITEM(arguments, i + 1, Py_NewRef(PyTuple_GET_ITEM(given[2], i)));
    }
    PyObject *returned = PyObject_Call(given[0], arguments, NULL);
    Py_DECREF(arguments);
    if (returned != NULL && !(PyArray_CheckExact(returned)
                              && PyArray_TYPE((PyArrayObject *)returned) == NPY_DOUBLE
                              && PyArray_SIZE((PyArrayObject *)returned) <= INT_MAX)) {
        Py_SETREF(returned, PyObject_CallFunctionObjArgs(given[3], returned, given[0], NULL));
    }
    if (returned == NULL) {
        return NULL;
    }
    PyObject *residuals = PyArray_Flatten((PyArrayObject *)returned, NPY_CORDER);
    Py_DECREF(returned);
    return residuals;
}

static PyObject *
addresses(PyObject *Py_UNUSED(self), PyObject *const *given, Py_ssize_t count)
{
    if (count != 5 || !PyTuple_Check(given[2])) {
        PyErr_SetString(PyExc_TypeError, "addresses(func, Dfun, args, coerce, takes_gil)");
        return NULL;
    }
    int takes_gil = PyObject_IsTrue(given[4]);
    if (takes_gil < 0) {
        return NULL;
    }
    Callback *callback = callback_for(given[0], given[1], given[2], given[3]);
    if (callback == NULL) {
        return NULL;
    }
    intptr_t residual = (intptr_t)(takes_gil ? &show_residual_with_gil : &show_residual);
    intptr_t jacobian = (intptr_t)(takes_gil ? &show_jacobian_with_gil : &show_jacobian);
    return Py_BuildValue("(NLLL)", callback, (long long)residual, (long long)jacobian,
                         (long long)(intptr_t)callback);
}

static PyMethodDef functions[] = {
    {"addresses", (PyCFunction)(void (*)(void))addresses, METH_FASTCALL,
     "addresses(func, Dfun, args, coerce, takes_gil) -> (keep, residual, jacobian, data)\n\n"
     "The addresses of the residual, of the Jacobian (good if there is a Dfun) and of their data;\n"
     "good while keep lives."},
    {"first_residuals", (PyCFunction)(void (*)(void))first_residuals, METH_FASTCALL,
     "first_residuals(func, x, args, coerce) -> residuals\n\n"
     "The residuals at x, a 1-D array of their own; what is no float64 array was coerced first."},
    {"hold", (PyCFunction)(void (*)(void))hold, METH_FASTCALL,
     "hold(release, data, needed) -> keep\n\n"
     "Call the C function at the address release with the address data when keep goes; needed is what\n"
     "has to live until then."},
    {"watch", (PyCFunction)(void (*)(void))watch, METH_FASTCALL,
     "watch(residual, residual_data, jacobian, jacobian_data, released)\n"
     "    -> (keep, residual, jacobian, data)\n\n"
     "The addresses of functions that call native ones and then look for signals, and of their data;\n"
     "good while keep lives. released tells whether the caller releases the GIL before it calls them."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_callback",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__callback(void)
{
    import_array();
    if (PyType_Ready(&callback_type) < 0 || PyType_Ready(&watch_type) < 0
        || PyType_Ready(&held_type) < 0) {
        return NULL;
    }
    return PyModule_Create(&module);
}
