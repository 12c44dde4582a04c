"""Kernels written by hand, in the form code generation gives them."""

from __future__ import annotations

from halopy.codegen.kernel import AssertSite, Kernel
from halopy.dtypes import INT32, INT64, DType
from halopy.ir.kernel import BufferArg, ScalarArg
from halopy.ir.stmt import ErrorSite

DECLARATIONS = """
#include <stdint.h>
struct halide_dimension_t { int32_t min, extent, stride; uint32_t flags; };
struct halide_type_t { uint8_t code; uint8_t bits; uint16_t lanes; };
struct halide_buffer_t {
    uint64_t device; const void *device_interface; uint8_t *host; uint64_t flags;
    struct halide_type_t type; int32_t dimensions; struct halide_dimension_t *dim; void *padding;
};
"""
ENTRY = "int32_t {name}(struct halide_buffer_t *const *buffers, const void *const *scalars, int64_t *error_args)"


def kernel(
    name: str,
    body: str,
    *,
    buffers: tuple[BufferArg, ...] = (),
    scalars: tuple[ScalarArg, ...] = (),
    asserts: tuple[AssertSite, ...] = (),
    openmp: bool = False,
    math: bool = False,
) -> Kernel:
    entry = ENTRY.format(name=name)
    unused = "(void)buffers; (void)scalars; (void)error_args;"
    text = f"{DECLARATIONS}\n{entry};\n{entry} {{ {unused}\n{body}\nreturn 0; }}\n"
    return Kernel(name, text, buffers, scalars, asserts, openmp, math)


def describe(rank: int, dtype: DType) -> Kernel:
    """Writes all that a buffer says into an int64 output."""
    body = f"""
    const struct halide_buffer_t *b = buffers[0];
    int64_t *out = (int64_t *)buffers[1]->host;
    *out++ = (int64_t)(intptr_t)b->host; *out++ = (int64_t)b->flags; *out++ = (int64_t)b->device;
    *out++ = b->type.code; *out++ = b->type.bits; *out++ = b->type.lanes; *out++ = b->dimensions;
    for (int d = 0; d < {rank}; d++) {{
        *out++ = b->dim[d].min; *out++ = b->dim[d].extent; *out++ = b->dim[d].stride; *out++ = b->dim[d].flags;
    }}
    """
    return kernel("describe", body, buffers=(BufferArg("in", dtype, rank, False), BufferArg("out", INT64, 1, True)))


def fill(value: int, name: str = "fill") -> Kernel:
    """out(x) = value, over one dimension."""
    body = f"""
    int32_t *out = (int32_t *)buffers[0]->host;
    for (int64_t x = 0; x < buffers[0]->dim[0].extent; x++) out[x * buffers[0]->dim[0].stride] = {value};
    """
    return kernel(name, body, buffers=(BufferArg("out", INT32, 1, True),))


def team() -> Kernel:
    """out(thread) = 1 for every thread that takes part in a parallel loop."""
    body = """
    int32_t *out = (int32_t *)buffers[0]->host;
    #pragma omp parallel
    out[omp_get_thread_num()] = 1;
    """
    made = kernel("team", body, buffers=(BufferArg("out", INT32, 1, True),), openmp=True)
    return Kernel(made.name, "#include <omp.h>\n" + made.text, made.buffers, (), (), True, False)


def scaled(dtype: DType, c_type: str) -> Kernel:
    """out() = k, of any scalar type."""
    body = f"*({c_type} *)buffers[0]->host = *(const {c_type} *)scalars[0];"
    return kernel("scaled", body, buffers=(BufferArg("out", dtype, 0, True),), scalars=(ScalarArg("k", dtype),))


def failing(site: ErrorSite, names: tuple[str, ...], numbers: tuple[int, ...]) -> Kernel:
    """Its second check fails with these numbers."""
    writes = "".join(f"error_args[{i}] = {number}LL;" for i, number in enumerate(numbers))
    return kernel(
        "failing",
        f"{writes} return 2;",
        asserts=(AssertSite(ErrorSite.NULL_HOST, ("other",), 0), AssertSite(site, names, len(numbers))),
    )
