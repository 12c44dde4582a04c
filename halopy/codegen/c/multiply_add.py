"""Products rounded together with a sum, by the instruction for that where the machine has one.

gcc and clang would find it in `a * b + c` only if they were free to do so everywhere.
"""

from __future__ import annotations

from .types import bits_of, vector_type

_HAS_INSTRUCTION = "#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)"
_SIZES = {128: ("__FMA__", ""), 256: ("__FMA__", "256"), 512: ("__AVX512F__", "512_mask")}


def multiply_add_text(name: str, element: str, lanes: int, c_type: str) -> str:
    """The definition of the helper."""
    head = f"INLINE {c_type} {name}({c_type} a, {c_type} b, {c_type} c) {{"
    suffix = "f" if element == "f32" else ""
    if lanes == 1:
        lines = [_HAS_INSTRUCTION, f"    return __builtin_fma{suffix}(a, b, c);"]
    else:
        loop = f"for (int k = 0; k < {lanes}; k++) a[k] = __builtin_fma{suffix}(a[k], b[k], c[k]);"
        lines = [*_by_builtin(element, lanes), f"#elif{_HAS_INSTRUCTION[3:]}", f"    {loop}", "    return a;"]
    return "\n".join([head, *lines, "#else", "    return a * b + c;", "#endif", "}"])


def _by_builtin(element: str, lanes: int) -> list[str]:
    lines = ["#if defined(__FMA__) && __has_builtin(__builtin_elementwise_fma)"]
    lines.append("    return __builtin_elementwise_fma(a, b, c);")
    known = _SIZES.get(lanes * bits_of(element))
    if known is None:
        return lines
    macro, suffix = known
    unit = "s" if element == "f32" else "d"
    rest = f", (uint{max(8, lanes)}_t)-1, 4" if suffix.endswith("mask") else ""
    call = f"({vector_type(element, lanes)})__builtin_ia32_vfmaddp{unit}{suffix}(a, b, c{rest})"
    return [*lines, f"#elif defined({macro}) && !defined(__clang__)", f"    return {call};"]
