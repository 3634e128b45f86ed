/* What this processor can run. */
#include <Python.h>

static PyObject *
levels(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
#ifdef LEVELS
    if (__builtin_cpu_supports("x86-64-v4")) {
        return Py_BuildValue("(sss)", "v4", "v3", "baseline");
    }
    if (__builtin_cpu_supports("x86-64-v3")) {
        return Py_BuildValue("(ss)", "v3", "baseline");
    }
#endif
    return Py_BuildValue("(s)", "baseline");
}

static PyMethodDef methods[] = {
    {"levels", levels, METH_NOARGS,
     "The levels of x86-64 that this processor runs and the core is compiled for, fastest first."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_cpu",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__cpu(void)
{
    return PyModuleDef_Init(&module);
}
