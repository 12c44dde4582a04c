"""A module for Python whose functions are those compiled for other programs: C that is C++ too.

A function takes inputs and then outputs, by place or name: buffers as objects that have Python's buffer protocol, such
as NumPy arrays, scalars as numbers. The file is compiled with Python's headers and linked with the functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...dtypes import Code, DType
from ..interface import Interface, Parameter, Role
from .header_text import DECLARED
from .linked_text import parameter_type, signature
from .python_buffers import BUFFERS, SCALARS
from .strings import c_string


def python_extension_text(functions: Sequence[tuple[Interface, str]], module: str) -> str:
    """The C file of a module. Each function comes with its symbol."""
    most = max([p.rank for interface, _ in functions for p in interface.parameters] + [1])
    parts = [
        "#define PY_SSIZE_T_CLEAN",
        "#include <Python.h>",
        "#include <stdbool.h>",
        "#include <stdint.h>",
        "#include <string.h>",
        "",
        DECLARED,
        _declarations(functions),
        f"#define MOST_DIMENSIONS {most}",
        SCALARS,
        BUFFERS,
        *(_function(interface) for interface, _ in functions),
        _module([interface for interface, _ in functions], module),
    ]
    return "\n".join(parts)


def _declarations(functions: Sequence[tuple[Interface, str]]) -> str:
    """The functions under names of their own, whatever their symbols are."""
    lines = [
        "#define SYMBOL_TEXT(text) #text",
        "#define SYMBOL_PREFIX(text) SYMBOL_TEXT(text)",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
    ]
    for interface, symbol in functions:
        label = f'__asm__(SYMBOL_PREFIX(__USER_LABEL_PREFIX__) "{symbol}")'
        lines.append(f"int compiled_{_full(interface)}({signature(interface)}) {label};")
    return "\n".join([*lines, "#ifdef __cplusplus", "}", "#endif", ""])


def _function(interface: Interface) -> str:
    context = [Parameter("__user_context", Role.INPUT_SCALAR, DType(Code.HANDLE, 64))] if interface.user_context else []
    parameters = [*context, *interface.parameters]
    name = _full(interface)
    head = [f"static PyObject *call_{name}(PyObject *self, PyObject *args, PyObject *keywords) {{", "    (void)self;"]
    unknown = next((p for p in parameters if not _is_taken(p)), None)
    if unknown is not None:
        text = c_string(f"Can't convert argument {unknown.name} from Python")
        refusal = f"    PyErr_SetString(PyExc_NotImplementedError, {text});"
        return "\n".join([*head, "    (void)args;", "    (void)keywords;", refusal, "    return 0;", "}", ""])
    names = [_python_name(p.name) for p in parameters]
    buffers = [k for k, p in enumerate(parameters) if p.role is not Role.INPUT_SCALAR]
    place = {k: at for at, k in enumerate(buffers)}
    rows = [f"{{{c_string(names[k])}, {parameters[k].rank}, {_is_output(parameters[k])}}}," for k in buffers]
    objects = [f"&given[{k}]" for k in range(len(parameters))]
    passed = [f"taken[{place[k]}].buffer" if k in place else f"value_{k}" for k in range(len(parameters))]
    return "\n".join([
        *head,
        f"    static const char *const names[] = {{{''.join(f'{c_string(n)}, ' for n in names)}0}};",
        f"    static const struct wanted wanted[] = {{{' '.join(rows) or '{0, 0, 0}'}}};",
        f"    PyObject *given[{max(1, len(parameters))}];",
        f"    PyObject *buffers[{max(1, len(buffers))}] = {{0}};",
        f"    struct taken taken[{max(1, len(buffers))}];",
        "    PyObject *answer = 0;",
        *(f"    {_c_type(p)}value_{k} = 0;" for k, p in enumerate(parameters) if k not in place),
        f'    if (!PyArg_ParseTupleAndKeywords(args, keywords, "{"O" * len(parameters)}:{interface.name}",',
        f"                                     (char **)names{''.join(f', {o}' for o in objects)})) return 0;",
        *(line for k, p in enumerate(parameters) if k not in place for line in _conversion(p, k)),
        *(f"    buffers[{at}] = given[{k}];" for k, at in place.items()),
        f"    if (take_buffers(buffers, wanted, taken, {len(buffers)})) {{",
        "        int result;",
        "        message[0] = 0;",
        "        Py_BEGIN_ALLOW_THREADS",
        f"        result = compiled_{name}({', '.join(passed)});",
        "        Py_END_ALLOW_THREADS",
        "        answer = outcome(result);",
        "    }",
        f"    give_back(taken, {len(buffers)});",
        "    return answer;",
        "}",
        "",
    ])  # fmt: skip


def _conversion(p: Parameter, place: int) -> list[str]:
    """Lines that read a scalar, or return with an error."""
    value, name = f"value_{place}", f"names[{place}]"
    dtype = p.dtype
    if dtype.code is Code.HANDLE:
        return [f"    {value} = given[{place}];"]
    if dtype.is_float:
        lines = [f"    if (!take_float(given[{place}], &floating)) return 0;", f"    {value} = floating;"]
        kind = "double"
        lines[1] = f"    {value} = ({_c_type(p).strip()})floating;"
        return ["    {", f"    {kind} floating = 0;", *lines, "    }"]
    if dtype.is_bool:
        return [
            "    {", f"    const int truth = PyObject_IsTrue(given[{place}]);", "    if (truth < 0) return 0;",
            f"    {value} = truth != 0;", "    }",
        ]  # fmt: skip
    if dtype.is_uint:
        most = f"UINT{dtype.bits}_MAX"
        take = f"take_unsigned(given[{place}], {name}, {most}, &whole)"
        kind = "unsigned long long"
    else:
        take = f"take_signed(given[{place}], {name}, INT{dtype.bits}_MIN, INT{dtype.bits}_MAX, &whole)"
        kind = "long long"
    return [
        "    {", f"    {kind} whole = 0;", f"    if (!{take}) return 0;",
        f"    {value} = ({_c_type(p).strip()})whole;", "    }",
    ]  # fmt: skip


def _module(interfaces: Sequence[Interface], module: str) -> str:
    rows = [
        f'    {{"{i.name}", (PyCFunction)(void (*)(void))call_{_full(i)}, METH_VARARGS | METH_KEYWORDS, '
        f"{c_string(_about(i))}}},"
        for i in interfaces
    ]
    return "\n".join([
        "static PyMethodDef functions[] = {",
        *rows,
        "    {0, 0, 0, 0},",
        "};",
        "",
        "#ifndef HALIDE_PYTHON_EXTENSION_MODULE_NAME",
        f"#define HALIDE_PYTHON_EXTENSION_MODULE_NAME {module}",
        "#endif",
        "#define JOINED(a, b) a##b",
        "#define JOIN(a, b) JOINED(a, b)",
        "",
        "static struct PyModuleDef definition = {",
        "    PyModuleDef_HEAD_INIT, SYMBOL_PREFIX(HALIDE_PYTHON_EXTENSION_MODULE_NAME), 0, -1, functions, 0, 0, 0, 0,",
        "};",
        "",
        "PyMODINIT_FUNC JOIN(PyInit_, HALIDE_PYTHON_EXTENSION_MODULE_NAME)(void) {",
        "    halide_set_error_handler(keep_message);",
        "    return PyModule_Create(&definition);",
        "}",
        "",
    ])  # fmt: skip


def _about(interface: Interface) -> str:
    """The documentation that Python shows."""
    rows = []
    for p in interface.parameters:
        kind = {Role.INPUT_SCALAR: "number", Role.INPUT_BUFFER: "input", Role.OUTPUT_BUFFER: "output"}[p.role]
        rank = f", {p.rank} dimensions" if p.role is not Role.INPUT_SCALAR else ""
        rows.append(f"{_python_name(p.name)}: {kind} of type {p.dtype}{rank}")
    return "\n".join(rows)


def _is_taken(p: Parameter) -> bool:
    """Whether Python has a value for it."""
    if p.role is not Role.INPUT_SCALAR:
        return True
    if p.dtype.code is Code.HANDLE:
        return p.name == "__user_context"
    return p.dtype.is_integer or (p.dtype.code is Code.FLOAT and p.dtype.bits in (32, 64))


def _c_type(p: Parameter) -> str:
    return parameter_type(p)


def _is_output(p: Parameter) -> int:
    return int(p.role is Role.OUTPUT_BUFFER)


def _full(interface: Interface) -> str:
    return "_".join([*interface.namespaces, interface.name])


def _python_name(name: str) -> str:
    """The name as Python can have it: `f.0` is f_0, and what is no letter is its number."""
    return re.sub(r"[^A-Za-z0-9_]", lambda found: "_" if found[0] == "." else f"_{ord(found[0])}", name)
