"""A C++ header that tells programs about the arguments of functions while they are compiled."""

from __future__ import annotations

from collections.abc import Sequence

from ...dtypes import Code
from ..interface import Interface, Parameter, Role
from .header_text import DECLARED
from .strings import c_string

_HEAD = (
    """\
/* constexpr auto arguments = NAME_argument_info(); a std::array that constant expressions may look at. */
#include <array>
#include <stdint.h>
#include <string_view>

"""
    + DECLARED
    + """
#if !defined(HALIDE_HALIDERUNTIME_H) && !defined(HALOPY_FUNCTION_INFO)
#define HALOPY_FUNCTION_INFO
namespace HalideFunctionInfo {
enum ArgumentKind { InputScalar = 0, InputBuffer = 1, OutputBuffer = 2 };
struct ArgumentInfo {
    std::string_view name;
    ArgumentKind kind;
    int32_t dimensions;
    halide_type_t type;
};
}
#endif
"""
)
_KINDS = {Role.INPUT_SCALAR: "InputScalar", Role.INPUT_BUFFER: "InputBuffer", Role.OUTPUT_BUFFER: "OutputBuffer"}
_CODES = {Code.INT: "int", Code.UINT: "uint", Code.FLOAT: "float", Code.HANDLE: "handle", Code.BFLOAT: "bfloat"}


def function_info_text(interfaces: Sequence[Interface], guard: str) -> str:
    """The header, which needs C++17. `guard` tells it from other headers."""
    return "\n".join([f"#ifndef {guard}", f"#define {guard}", _HEAD, *map(_function, interfaces), "#endif", ""])


def _function(interface: Interface) -> str:
    info = "::HalideFunctionInfo::ArgumentInfo"
    opening = "".join(f"namespace {space} {{ " for space in interface.namespaces)
    rows = "".join(f"        {_row(p)},\n" for p in interface.parameters)
    count = len(interface.parameters)
    return f"""\
{opening}
inline constexpr std::array<{info}, {count}> {interface.name}_argument_info() {{
    return {{{{
{rows}    }}}};
}}
{"}" * len(interface.namespaces)}"""


def _row(p: Parameter) -> str:
    kind = f"halide_type_t{{halide_type_{_CODES[p.dtype.code]}, {p.dtype.bits}, {p.dtype.lanes}}}"
    return f"{{{c_string(p.name)}, ::HalideFunctionInfo::{_KINDS[p.role]}, {p.rank}, {kind}}}"
