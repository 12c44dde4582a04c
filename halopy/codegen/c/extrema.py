"""The lesser and the greater of floats, lane by lane, as the one instruction for it.

gcc finds it in a loop over the lanes that stands alone. In a long block it takes the lanes apart instead, and each goes
through three scalar instructions.
"""

from __future__ import annotations

from .types import bits_of, vector_type

_EACH_WIDTH = {128: "__SSE2__", 256: "__AVX__", 512: "__AVX512F__"}


def extremum_variant(name: str, operation: str, element: str, lanes: int, generic: str) -> str:
    """The helper's text, with an x86 form before the generic one where there is one."""
    width = lanes * bits_of(element)
    if operation not in ("min", "max") or element not in ("f32", "f64") or width not in _EACH_WIDTH:
        return generic
    vector = vector_type(element, lanes)
    builtin = f"__builtin_ia32_{operation}p{'s' if element == 'f32' else 'd'}{'' if width == 128 else width}"
    call = f"{builtin}(a, b)" if width < 512 else f"{builtin}_mask(a, b, a, -1, 4)"
    special = f"INLINE {vector} {name}({vector} a, {vector} b) {{ return {call}; }}"
    return f"#if defined({_EACH_WIDTH[width]}) && !defined(__clang__)\n{special}\n#else\n{generic}\n#endif"
