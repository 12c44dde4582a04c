"""A choice lane by lane as the one instruction for it, where gcc writes two that wait for each other.

gcc turns (c & a) | (~c & b) into b ^ (c & (a ^ b)) before it knows that c is a comparison. In a chain of choices, as of
an argmax, that is twice the time. Bytes and words come out well.
"""

from __future__ import annotations

from .types import bits_of, vector_type


def blend_variant(name: str, operation: str, element: str, lanes: int, generic: str) -> str:
    """The helper's text, with an AVX form before the generic one where there is one."""
    bits = bits_of(element)
    if operation != "select" or bits < 32 or lanes * bits not in (128, 256):
        return generic
    vector, mask = vector_type(element, lanes), f"i{bits}x{lanes}"
    letter, wide = ("s" if bits == 32 else "d"), ("256" if lanes * bits == 256 else "")
    kind = f"    typedef {'float' if bits == 32 else 'double'} lanes __attribute__((vector_size({lanes * bits // 8})));"
    call = f"__builtin_ia32_blendvp{letter}{wide}((lanes)b, (lanes)a, (lanes)c)"
    head = f"INLINE {vector} {name}({mask} c, {vector} a, {vector} b) {{"
    special = f"{head}\n{kind}\n    return ({vector}){call};\n}}"
    return f"#if defined(__AVX__) && !defined(__clang__)\n{special}\n#else\n{generic}\n#endif"
