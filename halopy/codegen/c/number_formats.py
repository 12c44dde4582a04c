"""Ranges of integer types, and bfloat16 as bits."""

from __future__ import annotations

from functools import cache

from .types import bits_of

F32_OF_BF16 = """\
INLINE float f32_of_bf16(uint16_t a) {
    uint32_t bits = (uint32_t)a << 16;
    float r;
    __builtin_memcpy(&r, &bits, 4);
    return r;
}"""
BF16_OF_F32 = """\
INLINE uint16_t bf16_of_f32(float a) {
    uint32_t bits;
    __builtin_memcpy(&bits, &a, 4);
    if (a != a) return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}"""


@cache
def range_of(element: str) -> tuple[int, int]:
    bits = bits_of(element)
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if element[0] == "i" else (0, (1 << bits) - 1)
