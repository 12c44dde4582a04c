"""The description of a function for callers that find out at run time what it takes: `halide_filter_metadata_t`."""

from __future__ import annotations

from ...dtypes import Code, DType
from ..interface import Interface, Number, Parameter, Role
from .strings import c_string
from .types import element_name, literal

STRUCTURES = """\
struct halide_scalar_value_t {
    union {
        bool b;
        int8_t i8; int16_t i16; int32_t i32; int64_t i64;
        uint8_t u8; uint16_t u16; uint32_t u32; uint64_t u64;
        float f32;
        double f64;
        void *handle;
    } u;
};

struct halide_filter_argument_t {
    const char *name;
    int32_t kind;       /* 0: scalar, 1: input buffer, 2: output buffer */
    int32_t dimensions;
    struct halide_type_t type;
    const struct halide_scalar_value_t *scalar_def, *scalar_min, *scalar_max, *scalar_estimate;
    int64_t const *const *buffer_estimates;  /* null, or min and extent of each dimension, each of which may be null */
};

struct halide_filter_metadata_t {
    int32_t version;
    int32_t num_arguments;
    const struct halide_filter_argument_t *arguments;
    const char *target;
    const char *name;
};
"""
_TYPE = "struct halide_type_t {\n    uint8_t code, bits;\n    uint16_t lanes;\n};\n"
_OF_C = _TYPE + STRUCTURES.replace("bool b", "_Bool b")
_CONTEXT = Parameter("__user_context", Role.INPUT_SCALAR, DType(Code.HANDLE, 64))


def metadata_text(interface: Interface, target: str) -> str:
    """Definitions that end in a static `metadata`."""
    parameters = [*([_CONTEXT] if interface.user_context else []), *interface.parameters]
    values: list[str] = []
    rows = [_row(k, p, values) for k, p in enumerate(parameters)]
    full = "::".join([*interface.namespaces, interface.name])
    return "\n".join([
        _OF_C,
        *values,
        "static const struct halide_filter_argument_t described[] = {",
        *rows,
        "};",
        "static const struct halide_filter_metadata_t metadata = {",
        f"    1, {len(parameters)}, described, {c_string(target)}, {c_string(full)},",
        "};",
        "",
    ])  # fmt: skip


def _row(number: int, p: Parameter, values: list[str]) -> str:
    numbers = (("default", p.default), ("least", p.least), ("greatest", p.greatest), ("estimate", p.estimate))
    scalars = [_scalar(f"{what}_{number}", p.dtype, value, values) for what, value in numbers]
    region = _region(number, p, values)
    kind = f"{{{int(p.dtype.code)}, {p.dtype.bits}, 1}}"
    fields = [c_string(p.name), str(int(p.role)), str(p.rank), kind, *scalars, region]
    return f"    {{{', '.join(fields)}}},"


def _scalar(name: str, dtype: DType, value: Number, values: list[str]) -> str:
    member = {"bool": "b"}.get(element_name(dtype), element_name(dtype))
    if value is None or member in ("f16", "bf16") or dtype.code is Code.HANDLE:
        return "0"
    values.append(f"static const struct halide_scalar_value_t {name} = {{.u.{member} = {literal(value, dtype).code}}};")
    return f"&{name}"


def _region(number: int, p: Parameter, values: list[str]) -> str:
    ends = [end for dim in p.region_estimate for end in dim]
    if all(end is None for end in ends):
        return "0"
    places = []
    for k, end in enumerate(ends):
        if end is not None:
            values.append(f"static const int64_t region_{number}_{k} = {end};")
        places.append("0" if end is None else f"&region_{number}_{k}")
    values.append(f"static const int64_t *const region_{number}[] = {{{', '.join(places)}}};")
    return f"region_{number}"
