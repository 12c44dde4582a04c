"""What stands above the kernels of a program: C's names of number types, and the functions that kernels use."""

from __future__ import annotations

from ..c.prelude import Prelude
from ..c.types import C_TYPES, bits_of

_OPENCL_TYPES = {
    "uint8_t": "uchar", "uint16_t": "ushort", "uint32_t": "uint", "uint64_t": "ulong",
    "int8_t": "char", "int16_t": "short", "int32_t": "int", "int64_t": "long",
}  # fmt: skip
_HEADER = "\n".join(
    [
        "#pragma OPENCL FP_CONTRACT OFF",
        "#define INLINE static inline",
        *(f"typedef {kind} {name};" for name, kind in _OPENCL_TYPES.items()),
    ]
)
_FP64 = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable"


class OpenCLPrelude(Prelude):
    """What must stand above kernels in OpenCL C."""

    def __init__(self) -> None:
        super().__init__()
        self.uses_double = False

    def vector(self, element: str, lanes: int) -> str:
        """The name of a vector type, declared."""
        if element == "bf16":
            element = "u16"
        name = f"{element}x{lanes}"
        self._types.setdefault(name, f"typedef {opencl_type(element)}{lanes} {name};")
        return name

    def text(self, body: str) -> str:  # noqa: ARG002  # helpers are as small as they can be
        groups = [
            *([_FP64] if self.uses_double else []),
            _HEADER,
            *self._macros.values(),
            "\n".join(self._types.values()),
            "\n".join(self._helpers.values()),
        ]
        return "\n".join(group.rstrip("\n") + "\n" for group in groups if group)

    def named(self, name: str, text: str) -> str:
        """A helper whose text the caller has; those that look at a number's bits are OpenCL's own."""
        if name.endswith("_bits") and "_from_" in name:
            return f"as_{opencl_type(name.partition('_from_')[0])}"
        return super().named(name, text)

    def _define(self, name: str, operation: str, element: str, lanes: int) -> None:
        if lanes > 1:
            self.vector(element, lanes)
            self.vector(f"i{bits_of(element)}", lanes)
        text = _scalar_text(name, operation, element) if lanes == 1 else _vector_text(name, operation, element, lanes)
        if text is None:
            super()._define(name, operation, element, lanes)
        else:
            self._helpers[name] = text


def opencl_type(element: str) -> str:
    """OpenCL's own name of an element type."""
    named = C_TYPES[element]
    return _OPENCL_TYPES.get(named, {"_Float16": "half", "_Bool": "bool"}.get(named, named))


def _scalar_text(name: str, operation: str, element: str) -> str | None:
    kind = C_TYPES[element]
    if operation in ("popcount", "clz"):
        return f"INLINE {kind} {name}({kind} a) {{ return {operation}(a); }}"
    if operation == "multiply_add":
        return f"INLINE {kind} {name}({kind} a, {kind} b, {kind} c) {{ return fma(a, b, c); }}"
    if operation == "ctz":
        bits = bits_of(element)
        return f"INLINE {kind} {name}({kind} a) {{ return a ? popcount(({kind})(~a & (a - 1))) : {bits}; }}"
    return None


def _vector_text(name: str, operation: str, element: str, lanes: int) -> str:
    """A function of integer vectors. Lanes with divisor 0 give 0; the least number divided by -1 wraps."""
    vector, mask = f"{element}x{lanes}", f"i{bits_of(element)}x{lanes}"
    unsigned = opencl_type(f"u{bits_of(element)}") + str(lanes)
    if operation in ("popcount", "clz"):
        return f"INLINE {vector} {name}({vector} a) {{ return {operation}(a); }}"
    if operation == "ctz":
        low = f"~a & (a - ({vector})(1))"
        return f"INLINE {vector} {name}({vector} a) {{ return popcount(({vector})({low})); }}"
    kind, _, how = operation.partition("_")
    signed = element[0] == "i"
    lines = [
        f"INLINE {vector} {name}({vector} a, {vector} b) {{",
        f"    const {mask} none = b == ({vector})(0);",
        *([f"    const {mask} minus = b == ({vector})(-1);"] if signed else []),
        f"    b = {'none | minus' if signed else 'none'} ? ({vector})(1) : b;",
    ]
    if kind == "div":
        lines.append(f"    {vector} q = a / b;")
        if how == "euclid":
            lines += [
                f"    const {vector} r = a % b, zero = 0;",
                f"    q += (r < zero) & ((b > zero) | ({vector})(1));",
            ]
        if signed:
            lines.append(f"    q = minus ? as_{opencl_type(element)}{lanes}(({unsigned})(0) - as_{unsigned}(a)) : q;")
    else:
        lines.append(f"    {vector} q = a % b;")
        if how == "euclid":
            lines.append(f"    q = q < ({vector})(0) ? (b > ({vector})(0) ? q + b : q - b) : q;")
        if signed:
            lines.append(f"    q = minus ? ({vector})(0) : q;")
    return "\n".join([*lines, f"    return none ? ({vector})(0) : q;", "}"])
