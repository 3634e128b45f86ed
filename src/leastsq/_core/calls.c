/* The extension module _calls: the user's functions and options, in the form in which the core takes
 * them. minpack.h describes that form. */
#define LEASTSQ_CALLS_MODULE
#include "calls.h"

static PyObject *
address_of(PyObject *self)
{
    return PyLong_FromVoidPtr(&((Callee *)self)->address);
}

PyNumberMethods callee_as_number = {.nb_int = address_of};

PyObject *
make_ready(PyObject *object, PyObject *released)
{
    int is_released = PyObject_IsTrue(released);
    if (is_released < 0) {
        return NULL;
    }
    ((Ready *)object)->thread = is_released ? PyThreadState_Get() : NULL;
    return Py_NewRef(object);
}

/* Call func at the starting point, convert the result with coerce if necessary, and return a copy as a
 * 1-D array. */
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

static PyMethodDef functions[] = {
    {"are_plain", (PyCFunction)(void (*)(void))are_plain, METH_FASTCALL,
     "are_plain(*objects) -> bool\n\n"
     "Whether all objects are arrays of finite float64 in C order, which need no conversion."},
    {"data_norm", (PyCFunction)(void (*)(void))data_norm, METH_FASTCALL,
     "data_norm(y, weights) -> norm\n\nThe same as data_norms, for one fit."},
    {"data_norms", (PyCFunction)(void (*)(void))data_norms, METH_FASTCALL,
     "data_norms(y, weights, fits) -> norms\n\n"
     "Estimates of the norms of the data of some fits, one after another in y, from below: a few huge\n"
     "numbers do not change them. Each number is multiplied by its weight; there is one for each number or\n"
     "for each fit, or weights is None. A norm is 0 if all numbers are zero, and -1 if it is not known."},
    {"first_residuals", (PyCFunction)(void (*)(void))first_residuals, METH_FASTCALL,
     "first_residuals(func, x, args, coerce) -> residuals\n\n"
     "The residuals at x, a 1-D array of their own; coerce makes an array of other return values."},
    {"hold", (PyCFunction)(void (*)(void))hold, METH_FASTCALL,
     "hold(release, data, needed) -> held\n\n"
     "An object that calls release(data), both given as addresses, when it is deleted, and keeps the\n"
     "object needed alive until then."},
    {"joint_function", (PyCFunction)(void (*)(void))joint_function, METH_FASTCALL,
     "joint_function(function, args, coerce, compare, start, residuals, most, time_left, y, weights)\n"
     "    -> joint\n\n"
     "A vectorized function for the option together: residuals, or a model of the data y. start is the\n"
     "starting point, and residuals are those there. A call is for at most `most` points, and one more."},
    {"model_residuals", (PyCFunction)(void (*)(void))model_residuals, METH_FASTCALL,
     "model_residuals(model, finish, scales) -> residuals\n\n"
     "The function residuals(p, x, y[, weights]) of a model f(x, *p). finish(values, y[, weights]) computes\n"
     "them unless the model returned a usual array; scales tells whether weights are their factors."},
    {"model_values", (PyCFunction)(void (*)(void))model_values, METH_FASTCALL,
     "model_values(model, x, p) -> values\n\nWhat model(x, *p) returns."},
    {"native_function", (PyCFunction)(void (*)(void))native_function, METH_FASTCALL,
     "native_function(function, data, is_jacobian, watched, released, flag, time_left) -> callee\n\n"
     "A C function with its data, both as addresses. After each call of a watched function Python\n"
     "handles signals. released tells that the GIL will be released. flag is an int32 array that stops\n"
     "the fit when its element is not zero, or None. time_left is in seconds, and may be infinite."},
    {"native_residuals", (PyCFunction)(void (*)(void))native_residuals, METH_FASTCALL,
     "native_residuals(function, data, x, m, released) -> residuals\n\n"
     "The m residuals of a C function at x, a new array; None if the function stopped without an\n"
     "exception. released tells whether to release the GIL."},
    {"observer", observer, METH_O,
     "observer(function) -> observer\n\nA function for the options rho or together."},
    {"options", (PyCFunction)(void (*)(void))options, METH_VARARGS | METH_KEYWORDS,
     "options(*, ftol, xtol, gtol, factor, epsfcn, maxfev, diag, diff_step, limits_trials, concludes,\n"
     "        tests, loss, f_scale, threads, attempt) -> options\n\n"
     "diag and diff_step are arrays of n numbers, or None; f_scale is an array of one or m numbers, or\n"
     "None."},
    {"options_of_fit", (PyCFunction)(void (*)(void))options_of_fit, METH_FASTCALL,
     "options_of_fit(options, epsfcn, lower, upper, rho, watch, together) -> options\n\n"
     "A copy of the options with those of one fit. The bounds are arrays of n numbers, or None; rho, watch\n"
     "and together are objects that are ready, or None."},
    {"own_result", (PyCFunction)(void (*)(void))own_result, METH_FASTCALL,
     "own_result(function, *args) -> object\n\n"
     "What function(*args) returns; a copy if it is an array that the function may still change."},
    {"plain_vector", plain_vector, METH_O,
     "plain_vector(value) -> vector\n\n"
     "A new 1-D float64 array of a number, a list, a tuple or an array of usual numbers; None for any other\n"
     "object."},
    {"python_function", (PyCFunction)(void (*)(void))python_function, METH_FASTCALL,
     "python_function(function, args, coerce, released, time_left) -> callee\n\n"
     "A residual function; a Jacobian function if coerce is None. released tells that the GIL will be\n"
     "released. time_left is in seconds, and may be infinite."},
    {"watch", (PyCFunction)(void (*)(void))watch, METH_FASTCALL,
     "watch(callback, kind, counts_trials, sees_start) -> watch\n\n"
     "A callback for the option watch. It is called with x if kind is None, otherwise with a dict of that\n"
     "class. counts_trials tells that its nfev is without the calls for differences. sees_start tells that\n"
     "it sees the starting point, too."},
    {NULL, NULL, 0, NULL},
};

#define CODE(name) {#name, MINPACK_##name}
static const struct {
    const char *name;
    int value;
} codes[] = {
    CODE(ACTS_TOGETHER), CODE(ARCTAN), CODE(AS_IT_IS), CODE(CAUCHY), CODE(CONDITIONAL), CODE(DOGBOX),
    CODE(FAULT_OF_DIAG), CODE(FAULT_OF_EPSFCN), CODE(FAULT_OF_FACTOR), CODE(FAULT_OF_FTOL),
    CODE(FAULT_OF_GTOL), CODE(FAULT_OF_SPREAD), CODE(FAULT_OF_XTOL), CODE(FIRST_ATTEMPT),
    CODE(GTOL_REACHED), CODE(HARDLY_DETERMINED), CODE(CONFINED_END), CODE(HUBER), CODE(IMPROPER_INPUT),
    CODE(JACOBIAN_NOT_FINITE), CODE(LINEAR), CODE(LM), CODE(MAXFEV_REACHED), CODE(MISFIT), CODE(NORM_ALONE),
    CODE(NOTHING_MORE), CODE(NO_FAULT), CODE(NO_TIME), CODE(ON_OTHER_SIDE), CODE(OPEN_END),
    CODE(OUT_OF_MEMORY), CODE(POOR_END), CODE(PROMISE_BROKEN), CODE(RESIDUALS_NOT_FINITE), CODE(SOFT_L1),
    CODE(STOPPED), CODE(SURE_MISFIT), CODE(TIME_IS_UP), CODE(TRF), CODE(WITHOUT_EFFECT),
};

static int
add_codes(PyObject *module)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (PyModule_AddIntConstant(module, codes[i].name, codes[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
prepare_types(void)
{
    if (PyArray_ImportNumPyAPI() < 0 || prepare_names() < 0) {
        return -1;
    }
    PyTypeObject *types[] = {&python_function_type, &native_function_type, &observer_type, &watch_type,
                             &joint_type, &held_type, &options_type, &model_residuals_type};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (PyType_Ready(types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_calls",
    .m_size = -1,
    .m_methods = functions,
};

PyObject *time_is_up_error;

static int
add_classes(PyObject *self)
{
    if (PyModule_AddObjectRef(self, "ModelResiduals", (PyObject *)&model_residuals_type) < 0) {
        return -1;
    }
    time_is_up_error = PyErr_NewExceptionWithDoc("leastsq._core._calls.TimeIsUpError",
                                                 "The time for the fit is over.", NULL, NULL);
    return PyModule_AddObjectRef(self, "TimeIsUpError", time_is_up_error);
}

PyMODINIT_FUNC
PyInit__calls(void)
{
    PyObject *self = prepare_types() < 0 ? NULL : PyModule_Create(&module);
#ifdef Py_GIL_DISABLED
    if (self != NULL) {
        PyUnstable_Module_SetGIL(self, Py_MOD_GIL_NOT_USED);
    }
#endif
    if (self != NULL && (add_codes(self) < 0 || add_classes(self) < 0)) {
        Py_CLEAR(self);
    }
    return self;
}
