"""The kernels of one pipeline as one text in OpenCL C.

    struct kernel_f_values { long f_start, in_start; long x; float gain; };

    __kernel void kernel_f(__global uint8_t *f_memory, ..., const struct kernel_f_values values) {
        __global uint8_t *const f = f_memory + values.f_start;
        ...

Numbers come in one struct, whose fields are 8 bytes apart: where in its memory each buffer's element 0 is, then the
scalars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...dtypes import DType
from ...errors import UnsupportedTarget
from ...ir.kernel import DeviceKernel
from ..c.context import is_index
from ..c.names import comment, identifier
from ..c.types import Text, c_type, memory_type
from ..device import DeviceEntry, DeviceProgram
from .prelude import OpenCLPrelude
from .statements import DevicePrinter


def print_opencl(kernels: Sequence[DeviceKernel], loop_notes: Mapping[str, tuple[str, ...]]) -> DeviceProgram:
    """Raises UnsupportedTarget for what OpenCL C has not."""
    prelude = OpenCLPrelude()
    texts = [_kernel_text(kernel, prelude, loop_notes) for kernel in kernels]
    body = "\n".join(texts)
    entries = tuple(
        DeviceEntry(
            kernel.name,
            tuple(b for b, _ in kernel.buffers),
            tuple(b in kernel.written for b, _ in kernel.buffers),
            tuple(s.dtype for s in kernel.scalars),
            kernel.directive,
        )
        for kernel in kernels
    )
    prelude.uses_double |= "double" in body
    return DeviceProgram(_plain_literals(prelude.text(body) + "\n" + body), entries)


def _kernel_text(kernel: DeviceKernel, prelude: OpenCLPrelude, loop_notes: Mapping[str, tuple[str, ...]]) -> str:
    printer = DevicePrinter(prelude, kernel.directive, loop_notes)
    printer.names.fresh(kernel.name)
    fields, arguments = [], []
    for name, dtype in kernel.buffers:
        kind = memory_type(_known(dtype, name))
        space = f"__global {'' if name in kernel.written else 'const '}{kind} *"
        own = printer.declared(name, space)
        arguments.append(f"{space}{own}_memory")
        fields.append(f"int64_t {own}_start;")
        printer.line(f"{space}const {own} = {own}_memory + values.{own}_start;")
        printer.pointers[name] = own
    for dim in range(3):
        for what, call in (("group", "get_group_id"), ("thread", "get_local_id"), ("threads", "get_local_size")):
            printer.bindings[f"device.{what}.{dim}"] = Text(f"(int64_t){call}({dim})", 18)
    for k, scalar in enumerate(kernel.scalars):
        kind = "int64_t" if is_index(scalar.dtype) else c_type(_known(scalar.dtype, scalar.name))
        own = printer.declared(identifier(scalar.name), kind)
        stored = "uint8_t" if scalar.dtype.is_bool else kind
        width = 8 if is_index(scalar.dtype) else scalar.dtype.bytes
        fields.append(f"{stored} {own};" + (f" uint8_t pad_{k}[{8 - width}];" if width < 8 else ""))
        printer.line(f"const {kind} {own} = values.{own};")
        printer.bindings[scalar.name] = Text(own)
    printer.print(kernel.body)
    struct = f"struct {kernel.name}_values"
    return "\n".join(
        [
            f"{struct} {{",
            *(f"    {field}" for field in fields or ["int64_t none;"]),
            "};",
            "",
            comment(kernel.directive),
            f"__kernel void {kernel.name}({', '.join([*arguments, f'const {struct} values'])}) {{",
            *(f"    {line}" for line in printer.shared),
            *printer.lines,
            "}",
            "",
        ]
    )


def _known(dtype: DType, name: str) -> DType:
    if dtype.is_float and dtype.bits == 16 and str(dtype) == "float16":
        raise UnsupportedTarget(f"`{name}` holds {dtype}, which kernels for OpenCL devices do not compute with yet")
    return dtype


def _plain_literals(text: str) -> str:
    """A long has 64 bits, and there is no long long."""
    return re.sub(r"\b(\d+)(u?)ll\b", r"\1\2l", text)
