/* A Python object that owns resources of compiled code, and releases them when it is deleted. */
#include "calls.h"

typedef struct {
    PyObject_HEAD
    void (*release)(void *data);
    void *data;
    PyObject *needed; /* kept alive until release has run */
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

PyTypeObject held_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "leastsq._core._calls.Held",
    .tp_doc = "Resources of compiled code, released when this object is deleted.",
    .tp_basicsize = sizeof(Held),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = held_dealloc,
};

PyObject *
hold(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
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
