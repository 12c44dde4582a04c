"""Integers that are known to fit into fewer bits, put together from several registers by instructions that saturate.

    16 + 16 + 16 + 16 lanes of 32 bits  ->  64 bytes:  three packs, and a permutation that puts their lanes in order

Truncation takes two instructions for each register, and more to put the pieces together.
"""

from __future__ import annotations

from .avx512 import resized_name
from .types import bits_of, vector_type

_REGISTER = 512


def packs(old: str, new: str) -> int:
    """How many registers make one; 0 where that is not done here."""
    return {(32, 16): 2, (16, 8): 2, (32, 8): 4}.get((bits_of(old), bits_of(new)), 0)


def pack_text(old: str, new: str) -> tuple[str, str]:
    """The name of a function of `packs(old, new)` registers, and its definition."""
    count, lanes = packs(old, new), _REGISTER // bits_of(new)
    source, target = vector_type(old, lanes // count), vector_type(new, lanes)
    name = resized_name(old, new, lanes).replace("narrow", "pack", 1)
    arguments = ", ".join(f"{source} {letter}" for letter in "abcd"[:count])
    last = "us" if new[0] == "u" else "ss"
    head = f"INLINE {target} {name}({arguments}) {{"
    lines = [
        "#if defined(__AVX512BW__) && !defined(__clang__)",
        head,
        *(f"    typedef {c} {t} __attribute__((vector_size(64)));" for c, t in _TYPES if t in _used(old, new)),
    ]
    if count == 4:
        lines += [f"    const words {pair} = {_pack('ssdw', 'words', *pair)};" for pair in ("ab", "cd")]
        packed = _pack(f"{last}wb", "bytes", "ab", "cd")
        order = [half + 4 * block for half in range(4) for block in range(4)]
        moved = f"__builtin_ia32_permvarsi512_mask((dwords){packed}, (dwords){_listed(order)}, (dwords){{0}}, -1)"
    else:
        letters, kind = ("dw", "words") if bits_of(old) == 32 else ("wb", "bytes")
        packed = _pack(f"{last}{letters}", kind, "a", "b")
        order = [0, 2, 4, 6, 1, 3, 5, 7]
        moved = f"__builtin_ia32_permvardi512_mask((qwords){packed}, (qwords){_listed(order)}, (qwords){{0}}, -1)"
    lines += [f"    return ({target}){moved};", "}", "#else", head, f"    {target} packed;"]
    step = lanes // count
    for number, letter in enumerate("abcd"[:count]):
        lines.append(f"    for (int k = 0; k < {step}; k++) packed[k + {number * step}] = {letter}[k];")
    return name, "\n".join([*lines, "    return packed;", "}", "#endif"])


_TYPES = (("char", "bytes"), ("short", "words"), ("int", "dwords"), ("long long", "qwords"))


def _used(old: str, new: str) -> tuple[str, ...]:
    if bits_of(old) == 16:
        return "bytes", "words", "qwords"
    return ("words", "dwords", "qwords") if bits_of(new) == 16 else ("bytes", "words", "dwords")


def _pack(instruction: str, result: str, a: str, b: str) -> str:
    operand = "dwords" if instruction.endswith("dw") else "words"
    return f"__builtin_ia32_pack{instruction}512_mask(({operand}){a}, ({operand}){b}, ({result}){{0}}, -1)"


def _listed(order: list[int]) -> str:
    return "{" + ", ".join(map(str, order)) + "}"
