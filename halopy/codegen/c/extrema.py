"""The lesser and the greater, lane by lane, as the one instruction for it.

gcc finds it in a loop over the lanes that stands alone. In a long block it takes the lanes apart instead, and each goes
through three scalar instructions; in very long functions, which are compiled without a search for vectors, all do.
"""

from __future__ import annotations

from .types import bits_of, vector_type
from .x86 import call_of, macro_of


def extremum_variant(name: str, operation: str, element: str, lanes: int, generic: str) -> str:
    """The helper's text, with an x86 form before the generic one where there is one."""
    if operation not in ("min", "max"):
        return generic
    vector = vector_type(element, lanes)
    if element in ("f32", "f64"):
        macro, call = _of_floats(operation, element, lanes)
    else:
        macro, call = macro_of(operation, element, lanes), call_of(operation, element, lanes)
    if macro is None:
        return generic
    special = f"INLINE {vector} {name}({vector} a, {vector} b) {{\n    {call}\n}}"
    return f"#if defined({macro}) && !defined(__clang__)\n{special}\n#else\n{generic}\n#endif"


_EACH_WIDTH = {128: "__SSE2__", 256: "__AVX__", 512: "__AVX512F__"}


def _of_floats(operation: str, element: str, lanes: int) -> tuple[str | None, str]:
    width = lanes * bits_of(element)
    builtin = f"__builtin_ia32_{operation}p{'s' if element == 'f32' else 'd'}{'' if width == 128 else width}"
    call = f"{builtin}(a, b)" if width < 512 else f"{builtin}_mask(a, b, a, -1, 4)"
    return _EACH_WIDTH.get(width), f"return {call};"
