"""The header of functions compiled for other programs, for C and C++, with Halide's own headers or without them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..interface import Interface
from .linked_runtime import DECLARATIONS
from .linked_text import signature
from .metadata import STRUCTURES

DECLARED = f"""\
/* What Halide's HalideRuntime.h declares, for programs that do not have it. */
#ifndef HALIDE_HALIDERUNTIME_H
#ifdef __has_include
#if __has_include("HalideRuntime.h")
#include "HalideRuntime.h"
#endif
#endif
#endif
#if !defined(HALIDE_HALIDERUNTIME_H) && !defined(HALOPY_RUNTIME)
#define HALOPY_RUNTIME
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {{
#endif

enum {{
    halide_type_int = 0, halide_type_uint = 1, halide_type_float = 2, halide_type_handle = 3, halide_type_bfloat = 4
}};

struct halide_type_t {{
    uint8_t code, bits;
    uint16_t lanes;
}};

struct halide_device_interface_t;

typedef struct halide_dimension_t {{
    int32_t min, extent, stride;
    uint32_t flags;
}} halide_dimension_t;

/* In elements, (x, y) lies (x - dim[0].min) * dim[0].stride + (y - dim[1].min) * dim[1].stride after host. */
typedef struct halide_buffer_t {{
    uint64_t device;
    const struct halide_device_interface_t *device_interface;
    uint8_t *host;
    uint64_t flags;
    struct halide_type_t type;
    int32_t dimensions;
    halide_dimension_t *dim;
    void *padding;
}} halide_buffer_t;

{STRUCTURES}
/* Called by the functions here; each may be replaced by a definition in the program. */
{DECLARATIONS}
#ifdef __cplusplus
}}
#endif
#endif
"""


def header_text(interfaces: Sequence[Interface], guard: str) -> str:
    """The header. `guard` tells it from other headers."""
    macro = guard_macro(guard)
    parts = [f"#ifndef {macro}", f"#define {macro}", "", "#include <stdint.h>", "", DECLARED]
    parts += [_ATTRIBUTES, *map(_declarations, interfaces), "#endif", ""]
    return "\n".join(parts)


def guard_macro(name: str) -> str:
    """The macro by which a header with this name knows that it was included."""
    return "HALOPY_" + re.sub(r"[^A-Za-z0-9]", "_", name)


_ATTRIBUTES = """\
#ifndef HALIDE_FUNCTION_ATTRS
#define HALIDE_FUNCTION_ATTRS
#endif
"""


def _declarations(interface: Interface) -> str:
    nothing = "" if interface.mangled else "void"
    lines = ["HALIDE_FUNCTION_ATTRS", f"int {interface.name}({signature(interface)});"]
    if interface.has_argv:
        lines += ["", "HALIDE_FUNCTION_ATTRS", f"int {interface.name}_argv(void **args);"]
    if interface.has_metadata:
        lines += ["", "HALIDE_FUNCTION_ATTRS"]
        lines += [f"const struct halide_filter_metadata_t *{interface.name}_metadata({nothing});"]
    if interface.mangled:
        opening = [f"namespace {space} {{" for space in interface.namespaces]
        return "\n".join(["#ifdef __cplusplus", *opening, "", *lines, "", *("}" for _ in opening), "#endif", ""])
    return "\n".join(
        ["#ifdef __cplusplus", 'extern "C" {', "#endif", "", *lines, "", "#ifdef __cplusplus", "}", "#endif", ""]
    )
