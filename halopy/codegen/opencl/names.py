"""Names that OpenCL C has beside C's."""

from __future__ import annotations

import re

from ..c.names import Names

_WORDS = frozenset({
    "kernel", "global", "local", "constant", "private", "half", "bool", "uchar", "ushort", "uint", "ulong", "size_t",
    "read_only", "write_only", "read_write", "event_t", "sampler_t", "complex", "imaginary", "barrier", "mem_fence",
    "select", "bitselect", "shuffle", "shuffle2", "dot", "cross", "length", "normalize", "distance", "clamp", "mix",
    "step", "smoothstep", "sign", "degrees", "radians", "mad", "mad24", "mul24", "mad_hi", "mul_hi", "mad_sat",
    "add_sat", "sub_sat", "abs_diff", "hadd", "rhadd", "rotate", "upsample", "popcount", "clz", "any", "all", "min",
    "max", "maxmag", "minmag", "fract", "ilogb", "logb", "nextafter", "rootn", "rsqrt", "sincos", "vec_step", "pown",
    "powr", "exp10", "log1p", "fdim", "isnan", "isinf", "isfinite", "isequal", "prefetch", "convert", "scalars",
})  # fmt: skip
_FAMILIES = re.compile(
    r"^(?:__\w+|get_\w+|as_\w+|convert_\w+|vload\w*|vstore\w*|atom\w*_\w+|async_work\w*|native_\w+|half_\w+|read_image\w+"
    r"|write_image\w+|work_group\w*|sub_group\w*|cl_\w+|CL\w+|M_\w+|image\w+_t|pipe\w*|(?:u?char|u?short|u?int|u?long"
    r"|float|double|half|bool)(?:2|3|4|8|16))$"
)


class OpenCLNames(Names):
    """Hands out identifiers that neither C nor OpenCL C has a meaning for."""

    def fresh(self, wanted: str) -> str:
        name = super().fresh(wanted)
        return super().fresh(f"v_{name}") if name in _WORDS or _FAMILIES.match(name) else name
