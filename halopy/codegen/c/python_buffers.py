"""What modules for Python have in common: C that takes numbers and buffers from Python's objects."""

SCALARS = """\
/* The last message of a function that failed, in this thread. */
static __thread char message[512];

static void keep_message(void *user_context, const char *text) {
    (void)user_context;
    strncpy(message, text, sizeof message - 1);
    message[sizeof message - 1] = 0;
}

/* None, or an exception with the function's message as a note. */
static inline PyObject *outcome(int result) {
    PyObject *text, *error, *noted;
    if (!result) Py_RETURN_NONE;
    text = PyUnicode_FromFormat("Halide Runtime Error: %d", result);
    error = text ? PyObject_CallFunctionObjArgs(PyExc_RuntimeError, text, (PyObject *)0) : 0;
    Py_XDECREF(text);
    if (!error) return 0;
    noted = message[0] ? PyObject_CallMethod(error, "add_note", "s", message) : 0;
    Py_XDECREF(noted);
    PyErr_Clear(); /* Pythons before 3.11 have no notes */
    PyErr_SetObject(PyExc_RuntimeError, error);
    Py_DECREF(error);
    return 0;
}

static inline int out_of_range(const char *name) {
    if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_OverflowError, "Invalid argument %s: its type does not have this value", name);
    }
    return 0;
}

static inline int take_signed(PyObject *given, const char *name, long long least, long long most, long long *value) {
    PyObject *const whole = PyNumber_Index(given);
    if (!whole) return 0;
    *value = PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    return PyErr_Occurred() || *value < least || *value > most ? out_of_range(name) : 1;
}

static inline int take_unsigned(PyObject *given, const char *name, unsigned long long most, unsigned long long *value) {
    PyObject *const whole = PyNumber_Index(given);
    if (!whole) return 0;
    *value = PyLong_AsUnsignedLongLong(whole);
    Py_DECREF(whole);
    return PyErr_Occurred() || *value > most ? out_of_range(name) : 1;
}

static inline int take_float(PyObject *given, double *value) {
    *value = PyFloat_AsDouble(given);
    return !PyErr_Occurred();
}
"""

BUFFERS = """\
struct wanted {
    const char *name;
    int rank, is_output;
};

struct taken {
    halide_buffer_t *buffer; /* what the function gets: `made`, or that of a halopy or Halide Buffer */
    halide_buffer_t made;
    halide_dimension_t dim[MOST_DIMENSIONS];
    Py_buffer view;
    int has_view;
};

/* The buffer of an object that has one of Halide's kind; else none. */
static inline halide_buffer_t *own_buffer(PyObject *given) {
    PyObject *place;
    void *address = 0;
    if (!PyObject_HasAttrString(given, "_get_raw_halide_buffer_t")) return 0;
    place = PyObject_CallMethod(given, "_get_raw_halide_buffer_t", (const char *)0);
    if (place) address = PyLong_AsVoidPtr(place);
    Py_XDECREF(place);
    PyErr_Clear();
    return (halide_buffer_t *)address;
}

/* The type of a format of Python's `struct`; 0 where there is none. */
static inline int take_type(const char *format, Py_ssize_t bytes, struct halide_type_t *type) {
    const int one = 1, is_little = *(const char *)&one;
    const char order = format && strchr("@=<>!", *format) ? *format : '@';
    const char *const kind = format ? format + (*format == order) : "B";
    int code = halide_type_int;
    if (((order == '<' && !is_little) || ((order == '>' || order == '!') && is_little)) && bytes > 1) return 0;
    if (!*kind || kind[1]) return 0;
    if (strchr("efd", *kind)) code = halide_type_float;
    else if (strchr("BHILQN?", *kind)) code = halide_type_uint;
    else if (!strchr("bhilqn", *kind)) return 0;
    type->code = (__typeof__(type->code))code;
    type->bits = (uint8_t)(*kind == '?' ? 1 : bytes * 8);
    type->lanes = 1;
    return 1;
}

/* Dimension 0 is the last axis, or with `is_forward` the first. */
static inline int take_shape(struct taken *taken, const struct wanted *wanted, int is_forward) {
    const Py_buffer *const view = &taken->view;
    for (int d = 0; d < view->ndim; d++) {
        const int axis = is_forward ? d : view->ndim - 1 - d;
        const Py_ssize_t stride = view->itemsize ? view->strides[axis] / view->itemsize : 0;
        if (view->shape[axis] > INT32_MAX || stride > INT32_MAX || stride < INT32_MIN ||
            stride * view->itemsize != view->strides[axis]) {
            PyErr_Format(PyExc_ValueError, "Invalid argument %s: axis %d is too large, or between elements",
                         wanted->name, axis);
            return 0;
        }
        taken->dim[d].min = 0;
        taken->dim[d].extent = (int32_t)view->shape[axis];
        taken->dim[d].stride = (int32_t)stride;
        taken->dim[d].flags = 0;
    }
    return 1;
}

/* What the object exports, but for its shape. */
static inline int take_view(PyObject *given, const struct wanted *wanted, struct taken *taken) {
    const int writable = wanted->is_output ? PyBUF_WRITABLE : 0;
    if (PyObject_GetBuffer(given, &taken->view, PyBUF_FORMAT | PyBUF_STRIDED_RO | writable) < 0) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "Invalid argument %s: Expected a%s buffer of %d dimensions, such as an array",
                     wanted->name, wanted->is_output ? " writable" : "", wanted->rank);
        return 0;
    }
    taken->has_view = 1;
    if (taken->view.ndim != wanted->rank) {
        PyErr_Format(PyExc_ValueError, "Invalid argument %s: Expected %d dimensions, got %d", wanted->name,
                     wanted->rank, taken->view.ndim);
        return 0;
    }
    memset(&taken->made, 0, sizeof taken->made);
    if (!take_type(taken->view.format, taken->view.itemsize, &taken->made.type)) {
        PyErr_Format(PyExc_ValueError, "Invalid data type for %s: %s", wanted->name, taken->view.format);
        return 0;
    }
    taken->made.dimensions = wanted->rank;
    taken->made.host = (uint8_t *)taken->view.buf;
    taken->made.dim = taken->dim;
    taken->buffer = &taken->made;
    return 1;
}

/* All buffers. An array in Fortran's order has its first axis as dimension 0, any other its last one; what could be
   either is read as the rest are, and as Fortran's where all could be either. */
static inline int take_buffers(PyObject *const *given, const struct wanted *wanted, struct taken *taken, int count) {
    int is_c = 0, is_fortran = 0;
    for (int k = 0; k < count; k++) {
        taken[k].has_view = 0;
        taken[k].buffer = 0;
    }
    for (int k = 0; k < count; k++) {
        taken[k].buffer = own_buffer(given[k]);
        if (taken[k].buffer) continue;
        if (!take_view(given[k], &wanted[k], &taken[k])) return 0;
        if (wanted[k].rank < 2) continue;
        if (!PyBuffer_IsContiguous(&taken[k].view, 'F')) is_c = 1;
        else if (!PyBuffer_IsContiguous(&taken[k].view, 'C')) is_fortran = 1;
    }
    for (int k = 0; k < count; k++) {
        const int could_be_fortran = taken[k].has_view && PyBuffer_IsContiguous(&taken[k].view, 'F');
        const int could_be_c = taken[k].has_view && PyBuffer_IsContiguous(&taken[k].view, 'C');
        const int is_forward = could_be_fortran && (!could_be_c || is_fortran || !is_c);
        if (taken[k].has_view && !take_shape(&taken[k], &wanted[k], is_forward)) return 0;
    }
    return 1;
}

static inline void give_back(struct taken *taken, int count) {
    for (int k = 0; k < count; k++)
        if (taken[k].has_view) PyBuffer_Release(&taken[k].view);
}
"""
