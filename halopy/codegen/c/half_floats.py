"""Half-precision floats of a whole register converted by the instruction for it, which gcc 12 uses lane by lane."""

from __future__ import annotations

from .types import vector_type

_MACROS = {8: "__F16C__", 16: "__AVX512F__"}


def half_variant(old: str, new: str, lanes: int, generic: str) -> str:
    """The body of a function that converts `a`, with an x86 form before the generic one where there is one."""
    if lanes not in _MACROS or (old, new) not in (("f32", "f16"), ("f16", "f32")):
        return generic
    halves = f"typedef short halves __attribute__((vector_size({2 * lanes})));"
    if new == "f16":
        call = "256(a, 0)" if lanes == 8 else "512_mask(a, 0, (halves){0}, -1)"
        special = f"return ({vector_type(new, lanes)})__builtin_ia32_vcvtps2ph{call};"
    else:
        call = "256((halves)a)" if lanes == 8 else f"512_mask((halves)a, ({vector_type(new, lanes)}){{0}}, -1, 4)"
        special = f"return __builtin_ia32_vcvtph2ps{call};"
    typed = special if lanes == 8 and new == "f16" else f"{halves}\n    {special}"
    return f"#if defined({_MACROS[lanes]}) && !defined(__clang__)\n    {typed}\n#else\n{generic}\n#endif"
