"""A kernel as one C file that other programs link: the function they call, around the kernel's own.

    int NAME(struct halide_buffer_t *in, uint8_t param, struct halide_buffer_t *out)
    int NAME_argv(void **args)
    const struct halide_filter_metadata_t *NAME_metadata(void)

as Halide's compilers name and lay them out. A buffer without memory asks for the region that is needed of it. What
fails is told to `halide_error`, and the function returns an error code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from ...dtypes import Code, DType
from ..interface import Interface, Parameter, Role
from ..kernel import MOST_ERROR_ARGS, Kernel
from . import failures
from .linked_runtime import needed_parts, runtime_text
from .mangling import ARGV, BUFFER, CONTEXT, mangled
from .metadata import metadata_text
from .strings import c_format, c_string
from .tasks import names_in
from .types import c_type, literal, memory_type

_GENERIC = """\
struct buffer_fact {
    const char *name;
    uint8_t code, bits;
    int32_t rank;
};

/* Tells what failed, and answers the code that the caller gets. */
__attribute__((format(printf, 3, 4), cold))
static int32_t refuse(void *user_context, int32_t code, const char *format, ...) {
    char message[1024];
    __builtin_va_list values;
    __builtin_va_start(values, format);
    if (__builtin_vsnprintf(message, sizeof message, format, values) < 0) message[0] = 0;
    __builtin_va_end(values);
    halide_error(user_context, message);
    return code;
}

static int asks_for_region(const halide_buffer_t *buffer) { return !buffer->host && !buffer->device; }

/* Buffers are there, and those with memory are as the kernel takes for granted. */
static int32_t check_buffers(void *user_context, halide_buffer_t *const *buffers, const struct buffer_fact *facts,
                             int count, int is_query) {
    for (int k = 0; k < count; k++) {
        const halide_buffer_t *const b = buffers[k];
        const struct buffer_fact *const fact = &facts[k];
        if (!b || (fact->rank && !b->dim))
            return refuse(user_context, NULL_ARGUMENT, "%s is a null pointer, or has no shape", fact->name);
        if (asks_for_region(b) && is_query) continue;
        if (b->type.code != fact->code || b->type.bits != fact->bits || b->type.lanes != 1)
            return refuse(user_context, BAD_TYPE, "%s has elements of type (code %d, %d bits), not (code %d, %d bits)",
                          fact->name, b->type.code, b->type.bits, fact->code, fact->bits);
        if (b->dimensions != fact->rank)
            return refuse(user_context, BAD_DIMENSIONS, "%s has %d dimensions, not %d", fact->name,
                          (int)b->dimensions, (int)fact->rank);
        int64_t elements = 1;
        for (int d = 0; d < fact->rank; d++) {
            if (b->dim[d].extent < 0)
                return refuse(user_context, NEGATIVE_EXTENT, "%s has extent %d in dimension %d", fact->name,
                              (int)b->dim[d].extent, d);
            elements = elements && b->dim[d].extent;
        }
        if (b->flags & 2)
            return refuse(user_context, DEVICE_DIRTY, "%s has newer data on a device; copy it to the host", fact->name);
        if (!b->host && elements && !is_query)
            return refuse(user_context, NULL_HOST, "%s has no memory on the host", fact->name);
    }
    return 0;
}
"""

_QUERY = """\
/* Fills in the shapes of the buffers that have no memory, from the min, extent and stride of each dimension. */
static void fill_in(halide_buffer_t *const *buffers, const struct buffer_fact *facts, int count,
                    const int32_t *numbers) {
    for (int k = 0; k < count; k++) {
        halide_buffer_t *const b = buffers[k];
        const int asked = asks_for_region(b);
        for (int d = 0; d < facts[k].rank; d++, numbers += 3) {
            if (!asked) continue;
            b->dim[d].min = numbers[0];
            b->dim[d].extent = numbers[1];
            b->dim[d].stride = numbers[2];
            b->dim[d].flags = 0;
        }
        if (!asked) continue;
        b->type.code = facts[k].code;
        b->type.bits = facts[k].bits;
        b->type.lanes = 1;
        b->dimensions = facts[k].rank;
        b->flags = 0;
    }
}
"""

_CODES = {
    "NULL_ARGUMENT": failures.NULL_ARGUMENT, "BAD_TYPE": failures.BAD_TYPE, "BAD_DIMENSIONS": failures.BAD_DIMENSIONS,
    "NEGATIVE_EXTENT": failures.NEGATIVE_EXTENT, "NULL_HOST": failures.NULL_HOST, "DEVICE_DIRTY": -44,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constant:
    """A buffer that the function brings along: elements with the last axis as dimension 0, dense."""

    array: npt.NDArray[Any]
    mins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinkedUnit:
    """What `print_linked` puts together. `parameters` tells, by the kernel's names, what the caller passes for them.

    The last buffer of the kernel is the one that asks for regions.
    """

    kernel: Kernel
    interface: Interface
    parameters: Mapping[str, Parameter]
    constants: Mapping[str, Constant]
    target: str
    with_runtime: bool = True
    answers_queries: bool = True
    wide_long: bool = True
    metadata_names: Mapping[str, str] = field(default_factory=dict)


def print_linked(unit: LinkedUnit) -> str:
    """The C file."""
    parts = [unit.kernel.text, "extern void halide_error(void *user_context, const char *message);\n"]
    parts += [_GENERIC_CODES, _GENERIC, _QUERY if unit.answers_queries else "", _constants(unit), _facts(unit)]
    parts += [_reports(unit)]
    if unit.interface.has_metadata:
        parts.append(metadata_text(_described(unit), unit.target))
    runtime = runtime_text(needed_parts("".join(parts))) if unit.with_runtime else ""
    taken = set(names_in("".join([*parts, runtime])))
    parts.append(_functions(unit, taken))
    return "\n".join([part for part in [*parts, runtime] if part])


def _described(unit: LinkedUnit) -> Interface:
    """The interface with its arguments named as its description is to name them."""
    names = unit.metadata_names
    parameters = tuple(replace(p, name=names.get(p.name, p.name)) for p in unit.interface.parameters)
    return replace(unit.interface, parameters=parameters)


_GENERIC_CODES = "enum { " + ", ".join(f"{name} = {code}" for name, code in _CODES.items()) + " };\n"


def symbols(interface: Interface, *, wide_long: bool = True) -> dict[str, str]:
    """The symbol of each exported function, by its name."""
    found = {interface.name: _symbol(interface, interface.name, _types(interface), wide_long)}
    if interface.has_argv:
        name = f"{interface.name}_argv"
        found[name] = _symbol(interface, name, [ARGV], wide_long)
    if interface.has_metadata:
        name = f"{interface.name}_metadata"
        found[name] = _symbol(interface, name, [], wide_long)
    return found


def _symbol(interface: Interface, name: str, types: Sequence[DType | str], wide_long: bool) -> str:
    return mangled(interface.namespaces, name, types, wide_long=wide_long) if interface.mangled else name


def _types(interface: Interface) -> list[DType | str]:
    context: list[DType | str] = [CONTEXT] if interface.user_context else []
    return context + [p.dtype if p.role is Role.INPUT_SCALAR else BUFFER for p in interface.parameters]


def parameter_type(parameter: Parameter) -> str:
    """The C type of an argument, and the space or star after it."""
    if parameter.role is not Role.INPUT_SCALAR:
        return "struct halide_buffer_t *"
    if parameter.dtype.code is Code.HANDLE:
        return "void *"
    return ("bool" if parameter.dtype.is_bool else c_type(parameter.dtype)) + " "


def parameter_names(interface: Interface) -> list[str]:
    """The names of the arguments in C, each once."""
    names: list[str] = []
    for p in interface.parameters:
        base = "_" + re.sub(r"[^A-Za-z0-9_]", "_", p.name) + ("" if p.role is Role.INPUT_SCALAR else "_buffer")
        name, number = base, 1
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def signature(interface: Interface) -> str:
    """The arguments as C declares them."""
    context = ["void const *__user_context"] if interface.user_context else []
    named = zip(interface.parameters, parameter_names(interface), strict=True)
    return ", ".join([*context, *(f"{parameter_type(p)}{name}" for p, name in named)]) or "void"


def _c_signature(interface: Interface) -> str:
    return re.sub(r"\bbool ", "_Bool ", signature(interface))


def _constants(unit: LinkedUnit) -> str:
    return "\n".join(
        _constant(f"constant_{k}", unit.constants[b.name], b.dtype)
        for k, b in enumerate(unit.kernel.buffers)
        if b.name in unit.constants
    )


def _constant(name: str, constant: Constant, dtype: DType) -> str:
    extents = constant.array.shape[::-1]
    values = [literal(v, dtype).code if dtype.code != Code.BFLOAT else str(v) for v in constant.array.ravel().tolist()]
    lines = [", ".join(values[k : k + 16]) + "," for k in range(0, len(values), 16)]
    strides = [1]
    for extent in extents:
        strides.append(strides[-1] * extent)
    dims = ", ".join(f"{{{low}, {e}, {s}, 0}}" for low, e, s in zip(constant.mins, extents, strides, strict=False))
    header = f"{{{int(dtype.code)}, {dtype.bits}, 1}}, {len(extents)}, {name}_shape, 0"
    return "\n".join([
        f"static const {memory_type(dtype)} {name}_data[{max(1, len(values))}] __attribute__((aligned(64))) = {{",
        *(f"    {line}" for line in lines or ["0,"]),
        "};",
        f"static halide_dimension_t {name}_shape[{max(1, len(extents))}] = {{{dims or '{0, 0, 0, 0}'}}};",
        f"static halide_buffer_t {name} = {{",
        f"    0, 0, (uint8_t *)(__UINTPTR_TYPE__){name}_data, 0, {header},",
        "};",
        "",
    ])  # fmt: skip


def _facts(unit: LinkedUnit) -> str:
    rows = []
    for b in unit.kernel.buffers[:-1]:
        name = unit.parameters[b.name].name if b.name in unit.parameters else b.name
        role = "Output" if b.is_output else "Input"
        rows.append(f"    {{{c_string(f'{role} buffer {name}')}, {int(b.dtype.code)}, {b.dtype.bits}, {b.rank}}},")
    return "\n".join(["static const struct buffer_fact facts[] = {", *rows, "};", ""])


def _reports(unit: LinkedUnit) -> str:
    """The function that turns what the kernel returns into what the caller gets."""
    outputs = frozenset(b.name for b in unit.kernel.buffers if b.is_output)
    shown = {name: p.name for name, p in unit.parameters.items()}
    lines = []
    for k, check in enumerate(unit.kernel.asserts):
        found = failures.failure(check, outputs)
        first = check.names[0] if check.names else ""
        if first in shown and shown[first] != first:
            found = found._replace(template=found.template.replace(first, shown[first].replace("%", "%%"), 1))
        lines.append(failures.report_line(k + 1, found))
    return "\n".join([
        "static int32_t report(void *user_context, int32_t result, const int64_t *args) {",
        "    (void)args;",
        "    switch (result) {",
        *lines,
        f'    default: return refuse(user_context, result < 0 ? result : {failures.GENERIC}, "The function failed");',
        "    }",
        "}",
        "",
    ])  # fmt: skip


def _functions(unit: LinkedUnit, taken: Collection[str]) -> str:
    interface = unit.interface
    names = symbols(interface, wide_long=unit.wide_long)
    own = {name: name if symbol == name and name not in taken else f"linked_{name}" for name, symbol in names.items()}
    kinds = {f"{interface.name}_argv": ("int", "void **args")}
    kinds[f"{interface.name}_metadata"] = ("const struct halide_filter_metadata_t *", "void")
    lines = []
    for name, symbol in names.items():
        kind, arguments = kinds.get(name, ("int", _c_signature(interface)))
        label = "" if own[name] == symbol else f" __asm__({_LABEL}{c_string(symbol)})"
        star = "" if kind.endswith("*") else " "
        lines.append(f"{kind}{star}{own[name]}({arguments}){label};")
    if any("__asm__" in line for line in lines):
        lines.insert(0, _LABEL_MACROS)
    lines += ["", _main(unit, own[interface.name])]
    if interface.has_argv:
        lines.append(_argv(interface, own))
    if interface.has_metadata:
        describe = own[f"{interface.name}_metadata"]
        lines.append(f"const struct halide_filter_metadata_t *{describe}(void) {{ return &metadata; }}\n")
    return "\n".join(lines)


_LABEL = "LABEL_PREFIX(__USER_LABEL_PREFIX__) "
_LABEL_MACROS = "#define LABEL_TEXT(prefix) #prefix\n#define LABEL_PREFIX(prefix) LABEL_TEXT(prefix)"


def _main(unit: LinkedUnit, own: str) -> str:
    interface, kernel = unit.interface, unit.kernel
    named = dict(zip(interface.parameters, parameter_names(interface), strict=True))
    used = [unit.parameters[b.name] for b in kernel.buffers[:-1] if b.name in unit.parameters]
    used += [unit.parameters[s.name] for s in kernel.scalars]
    buffers = [
        named[unit.parameters[b.name]] if b.name in unit.parameters else f"&constant_{k}"
        for k, b in enumerate(kernel.buffers[:-1])
    ]
    numbers = 3 * sum(b.rank for b in kernel.buffers[:-1]) + 1
    scalars = [f"&{named[unit.parameters[s.name]]}" for s in kernel.scalars]
    count = len(buffers)
    context = "(void *)(__UINTPTR_TYPE__)__user_context" if interface.user_context else "0"
    is_query = " || ".join(f"asks_for_region(buffers[{k}])" for k in range(count)) if unit.answers_queries else "0"
    call = f"{kernel.name}(buffers, scalars, args, user_context)"
    body = [
        f"int {own}({_c_signature(interface)}) {{",
        f"    void *const user_context = {context};",
        *(f"    (void){name};" for p, name in named.items() if p not in used),
        f"    int32_t numbers[{numbers}];",
        "    halide_dimension_t shape = {0, 0, 1, 0};",
        "    halide_buffer_t query = {0, 0, (uint8_t *)numbers, 0, {0, 32, 1}, 1, &shape, 0};",
        f"    halide_buffer_t *const buffers[] = {{{', '.join([*buffers, '&query'])}}};",
        f"    const void *const scalars[] = {{{', '.join(scalars) or '0'}}};",
        f"    int64_t args[{MOST_ERROR_ARGS}];",
        *(f"    if (!{b}) return refuse(user_context, NULL_ARGUMENT, \"%s is a null pointer\", facts[{k}].name);"
          for k, b in enumerate(buffers) if not b.startswith("&")),
        f"    const int is_query = {is_query};",
        f"    int32_t result = check_buffers(user_context, buffers, facts, {count}, is_query);",
        "    if (result) return result;",
    ]  # fmt: skip
    if unit.answers_queries:
        body += [
            "    if (is_query) {",
            f"        shape.extent = {numbers};",
            f"        result = {call};",
            "        if (result) return report(user_context, result, args);",
            f"        fill_in(buffers, facts, {count}, numbers);",
            "        return 0;",
            "    }",
        ]
    body += [line for p in used for line in _range_checks(p, named[p])]
    body += [f"    result = {call};", "    return result ? report(user_context, result, args) : 0;", "}", ""]
    return "\n".join(body)


def _range_checks(parameter: Parameter, name: str) -> list[str]:
    checks = []
    for limit, sign, code, word in (
        (parameter.least, "<", failures.PARAM_LOW, "less"),
        (parameter.greatest, ">", failures.PARAM_HIGH, "greater"),
    ):
        if limit is None or parameter.role is not Role.INPUT_SCALAR:
            continue
        if limit == parameter.dtype.min and parameter.dtype.is_uint and sign == "<":
            continue
        text = c_format(f"Parameter {parameter.name} is {word} than {limit}")
        bound = literal(limit, parameter.dtype).code
        checks.append(f"    if ({name} {sign} {bound}) return refuse(user_context, {code}, {text});")
    return checks


def _argv(interface: Interface, own: Mapping[str, str]) -> str:
    values, place = [], 0
    if interface.user_context:
        values, place = ["*(void const *const *)args[0]"], 1
    for k, p in enumerate(interface.parameters):
        at = f"args[{place + k}]"
        kind = parameter_type(p).replace("bool", "_Bool")
        values.append(at if p.role is not Role.INPUT_SCALAR else f"*({kind}*){at}")
    unused = [] if values else ["    (void)args;"]
    return "\n".join([
        f"int {own[f'{interface.name}_argv']}(void **args) {{",
        *unused,
        f"    return {own[interface.name]}({', '.join(values)});",
        "}",
        "",
    ])  # fmt: skip
