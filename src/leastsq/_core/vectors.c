/* Vectors of numbers: those that users pass, and those that they get. */
#include "calls.h"
#include <math.h>

#ifndef Py_BEGIN_CRITICAL_SECTION /* before Python 3.13, the GIL does this */
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

PyObject *
vector_of(int size, const double *numbers, PyObject *last)
{
    PyArrayObject *array = (PyArrayObject *)last;
    if (last != NULL && Py_REFCNT(last) == 1 && PyArray_CheckExact(last) && PyArray_NDIM(array) == 1
        && PyArray_DIM(array, 0) == size && PyArray_TYPE(array) == NPY_DOUBLE && PyArray_ISCARRAY(array)) {
        Py_INCREF(last);
    } else {
        npy_intp shape = size;
        last = PyArray_SimpleNew(1, &shape, NPY_DOUBLE);
    }
    if (last != NULL) {
        memcpy(PyArray_DATA((PyArrayObject *)last), numbers, size * sizeof(double));
    }
    return last;
}

/* A number of Python's own types; -1 and an exception for any other object. */
static double
number_of(PyObject *object)
{
    if (PyFloat_Check(object)) {
        return PyFloat_AS_DOUBLE(object);
    }
    if (PyLong_CheckExact(object)) {
        return PyLong_AsDouble(object);
    }
    PyErr_SetNone(PyExc_TypeError);
    return -1;
}

static PyObject *
from_numbers(PyObject *const *objects, npy_intp size)
{
    PyObject *vector = PyArray_SimpleNew(1, &size, NPY_DOUBLE);
    for (npy_intp i = 0; vector != NULL && i < size; i++) {
        double number = number_of(objects[i]);
        if (number == -1 && PyErr_Occurred()) {
            Py_CLEAR(vector);
            break;
        }
        ((double *)PyArray_DATA((PyArrayObject *)vector))[i] = number;
    }
    return vector;
}

static PyObject *
from_array(PyArrayObject *array)
{
    int type = PyArray_TYPE(array);
    if (!PyTypeNum_ISBOOL(type) && !PyTypeNum_ISINTEGER(type)
        && !(PyTypeNum_ISFLOAT(type) && type != NPY_LONGDOUBLE)) {
        PyErr_SetNone(PyExc_TypeError);
        return NULL;
    }
    PyObject *numbers = PyArray_CastToType(array, PyArray_DescrFromType(NPY_DOUBLE), 0);
    if (numbers == NULL || PyArray_NDIM(array) == 1) {
        return numbers;
    }
    PyObject *vector = PyArray_Ravel((PyArrayObject *)numbers, NPY_CORDER);
    Py_DECREF(numbers);
    return vector;
}

PyObject *
plain_vector(PyObject *Py_UNUSED(module), PyObject *value)
{
    PyObject *vector;
    if (PyArray_CheckExact(value)) {
        vector = from_array((PyArrayObject *)value);
    } else if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
        Py_BEGIN_CRITICAL_SECTION(value); /* no other thread changes a list meanwhile */
        vector = from_numbers(PySequence_Fast_ITEMS(value), PySequence_Fast_GET_SIZE(value));
        Py_END_CRITICAL_SECTION();
    } else {
        vector = from_numbers(&value, 1);
    }
    if (vector == NULL && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return vector;
}

static int
are_finite(PyArrayObject *array)
{
    const double *numbers = PyArray_DATA(array);
    npy_intp size = PyArray_SIZE(array);
    int are = 1;
    for (npy_intp i = 0; i < size; i++) {
        are &= isfinite(numbers[i]) != 0;
    }
    return are;
}

PyObject *
are_plain(PyObject *Py_UNUSED(module), PyObject *const *objects, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!is_float64(objects[i]) || !are_finite((PyArrayObject *)objects[i])) {
            Py_RETURN_FALSE;
        }
    }
    Py_RETURN_TRUE;
}

/* An array that nobody else refers to, and that has its own memory, is new. */
PyObject *
own_result(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    PyObject *returned = PyObject_Vectorcall(given[0], given + 1, (size_t)(count - 1), NULL);
    if (returned == NULL || !PyArray_Check(returned)
        || (Py_REFCNT(returned) == 1 && PyArray_BASE((PyArrayObject *)returned) == NULL)) {
        return returned;
    }
    PyObject *copy = PyArray_NewCopy((PyArrayObject *)returned, NPY_KEEPORDER);
    Py_DECREF(returned);
    return copy;
}

enum { SAMPLED = 16 };

/* An estimate of the norm of m numbers, times their weights, that a few huge ones do not change: the lower
 * quartile of some of their sizes, times the root of m. Zero if all are zero; -1 if it is not known. */
static double
norm_of(const double *numbers, const double *weights, int each, npy_intp m)
{
    double sizes[SAMPLED];
    npy_intp step = (m + SAMPLED - 1) / SAMPLED;
    int count = 0, are_zero = 1;
    for (npy_intp i = 0; i < m && are_zero; i++) {
        are_zero = numbers[i] == 0;
    }
    if (are_zero) {
        return 0;
    }
    for (npy_intp i = 0; i < m; i += step) {
        double size = fabs(weights == NULL ? numbers[i] : weights[each * i] * numbers[i]);
        if (!isfinite(size)) {
            return -1;
        }
        int place = count++;
        for (; place > 0 && sizes[place - 1] > size; place--) {
            sizes[place] = sizes[place - 1];
        }
        sizes[place] = size;
    }
    double quartile = sizes[(count - 1) / 4];
    return quartile == 0 ? -1 : quartile * sqrt((double)m);
}

/* Arrays of float64 in C order of y and weights, which may be None; false if there is an exception. */
static int
take_data(PyObject *const *given, PyObject **y, PyObject **weights)
{
    *y = PyArray_FROM_OTF(given[0], NPY_DOUBLE, NPY_ARRAY_CARRAY_RO);
    *weights = given[1] == Py_None ? NULL : PyArray_FROM_OTF(given[1], NPY_DOUBLE, NPY_ARRAY_CARRAY_RO);
    return *y != NULL && (*weights != NULL || given[1] == Py_None);
}

/* The norms of the data of some fits, which follow each other in y. */
static void
compute_norms(PyArrayObject *y, PyArrayObject *weights, npy_intp fits, double *norms)
{
    npy_intp m = PyArray_SIZE(y) / fits, factors = weights == NULL ? 0 : PyArray_SIZE(weights) / fits;
    const double *numbers = PyArray_DATA(y), *all = weights == NULL ? NULL : PyArray_DATA(weights);
    for (npy_intp k = 0; k < fits; k++) {
        norms[k] = norm_of(numbers + k * m, all == NULL ? NULL : all + k * factors, factors == m, m);
    }
}

PyObject *
data_norm(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    PyObject *y = NULL, *weights = NULL, *norm = NULL;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "data_norm(y, weights)");
    } else if (take_data(given, &y, &weights)) {
        double number;
        compute_norms((PyArrayObject *)y, (PyArrayObject *)weights, 1, &number);
        norm = PyFloat_FromDouble(number);
    }
    Py_XDECREF(y);
    Py_XDECREF(weights);
    return norm;
}

PyObject *
data_norms(PyObject *Py_UNUSED(module), PyObject *const *given, Py_ssize_t count)
{
    PyObject *y = NULL, *weights = NULL, *norms = NULL;
    npy_intp fits = count == 3 ? PyLong_AsSsize_t(given[2]) : 0;
    if (fits < 1) {
        PyErr_SetString(PyExc_TypeError, "data_norms(y, weights, fits)");
    } else if (take_data(given, &y, &weights)) {
        norms = PyArray_SimpleNew(1, &fits, NPY_DOUBLE);
    }
    if (norms != NULL) {
        double *numbers = PyArray_DATA((PyArrayObject *)norms);
        compute_norms((PyArrayObject *)y, (PyArrayObject *)weights, fits, numbers);
    }
    Py_XDECREF(y);
    Py_XDECREF(weights);
    return norms;
}
