"""Memory accesses that AVX-512 does in one instruction and generic C does lane by lane.

Each helper keeps its generic text for other machines; the preprocessor chooses.
"""

from __future__ import annotations

from .types import bits_of, vector_type

# Operand widths in the names of gcc's and clang's builtins, and the C types that they are declared with.
_LETTER = {8: "b", 16: "w", 32: "d", 64: "q"}
_UNIT = {8: "qi", 16: "hi", 32: "si", 64: "di"}
_C = {8: "char", 16: "short", 32: "int", 64: "long long"}
_RESIZED = ((8, 16), (16, 32), (32, 64), (8, 32))
_MASKED = frozenset(("load_where", "load_first", "store_where", "store_first"))
_CONDITION = "#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)"


def avx512_variant(name: str, operation: str, element: str, lanes: int, generic: str) -> str:
    """The helper's text, with an AVX-512 form before the generic one where there is one."""
    bits = bits_of(element)
    if operation == "gather" and element in ("i32", "u32", "f32") and lanes == 16:
        return _either(_gather(name, element), generic)
    if operation in _MASKED and lanes * bits in (128, 256, 512):
        return _either(_masked(name, operation, element, lanes), generic)
    return generic


def _either(special: str, generic: str) -> str:
    return f"{_CONDITION}\n{special}\n#else\n{generic}\n#endif"


def _masked(name: str, operation: str, element: str, lanes: int) -> str:
    bits = bits_of(element)
    vector, builtin = vector_type(element, lanes), f"__attribute__((vector_size({lanes * bits // 8})))"
    scalar = {"i": "int", "u": "uint"}.get(element[0])
    c_type = f"{scalar}{bits}_t" if scalar else {"f16": "_Float16", "f32": "float", "f64": "double"}[element]
    first = "(~0ull >> (64 - n))"
    where, argument = first, ""
    if operation.endswith("where"):
        argument = f"i{bits}x{lanes} where, "
        where = f"({first} & (uint64_t)__builtin_ia32_cvt{_LETTER[bits]}2mask{lanes * bits}((lanes)where))"
    mask_type = f"uint{max(8, lanes)}_t"
    suffix = f"{_UNIT[bits]}{lanes * bits}_mask"
    head = f"    typedef {_C[bits]} lanes {builtin};\n    {mask_type} mask = ({mask_type}){where};\n"
    if operation.startswith("load"):
        # gcc 12 loads the whole register where it knows the mask and needs no lane outside it.
        hide = '    __asm__("" : "+r"(mask));\n'
        call = f"__builtin_ia32_loaddqu{suffix}((const void *)p, (lanes){{0}}, mask)"
        body = f"{head}{hide}    return ({vector}){call};"
        return f"INLINE {vector} {name}(const {c_type} *p, {argument}int n) {{\n{body}\n}}"
    call = f"__builtin_ia32_storedqu{suffix}((void *)p, (lanes)v, mask)"
    return f"INLINE void {name}({c_type} *p, {vector} v, {argument}int n) {{\n{head}    {call};\n}}"


def _gather(name: str, element: str) -> str:
    vector = vector_type(element, 16)
    kind, c_type = ("sf", "float") if element == "f32" else ("si", "int32_t" if element == "i32" else "uint32_t")
    passed = "f32x16" if element == "f32" else "i32x16"
    call = f"__builtin_ia32_gathersiv16{kind}(({passed}){{0}}, (const void *)p, at, (uint16_t)(~0ull >> (64 - n)), 4)"
    return f"INLINE {vector} {name}(const {c_type} *p, i32x16 at, int n) {{ return ({vector}){call}; }}"


def resized(old: str, new: str, lanes: int) -> str | None:
    """A helper between integer lanes in a full register, or half of one, and lanes of half or a quarter of the width,
    None where plain C does as well.

    gcc 12 takes `__builtin_convertvector` apart: five instructions instead of one to widen, a shuffle of two registers
    to narrow; lane by lane for quarters.
    """
    small, large = sorted((old, new), key=bits_of)
    bits, wide = bits_of(small), bits_of(large)
    if old[0] not in "iu" or new[0] not in "iu" or (bits, wide) not in _RESIZED:
        return None
    register = lanes * wide
    if register not in (256, 512) or lanes * bits < 128:
        return None
    source, target = vector_type(old, lanes), vector_type(new, lanes)
    types = [
        f"    typedef {_C[bits]} narrow __attribute__((vector_size({lanes * bits // 8})));",
        f"    typedef {_C[wide]} wide __attribute__((vector_size({register // 8})));",
    ]
    if small == old:
        builtin = f"pmov{'zx' if old[0] == 'u' else 'sx'}{_LETTER[bits]}{_LETTER[wide]}{register}_mask"
        call = f"__builtin_ia32_{builtin}((narrow)a, (wide){{0}}, -1)"
    else:
        call = f"__builtin_ia32_pmov{_LETTER[wide]}{_LETTER[bits]}{register}_mask((wide)a, (narrow){{0}}, -1)"
    head = f"INLINE {target} {resized_name(old, new, lanes)}({source} a) {{"
    special = "\n".join([head, *types, f"    return ({target}){call};", "}"])
    generic = f"{head} return __builtin_convertvector(a, {target}); }}"
    target_has_it = "defined(__AVX512BW__)" + (" && defined(__AVX512VL__)" if register == 256 else "")
    return f"#if {target_has_it} && !defined(__clang__)\n{special}\n#else\n{generic}\n#endif"


def resized_name(old: str, new: str, lanes: int) -> str:
    return f"{'widen' if bits_of(old) < bits_of(new) else 'narrow'}_{old}_to_{new}x{lanes}"


def joined(old: str, new: str, lanes: int) -> str | None:
    """A helper that narrows two full registers of integers into one: a permutation, which picks the low halves."""
    bits = bits_of(old)
    if (
        old[0] not in "iu"
        or new[0] not in "iu"
        or bits != 2 * bits_of(new)
        or bits not in (16, 32)
        or lanes * bits != 512
    ):
        return None
    source, result, half = vector_type(old, lanes), vector_type(new, 2 * lanes), vector_type(new, lanes)
    picked = ", ".join(map(str, range(0, 4 * lanes, 2)))
    every = ", ".join(map(str, range(2 * lanes)))
    converted = ", ".join(f"__builtin_convertvector({x}, {half})" for x in "ab")
    return "\n".join([
        f"INLINE {result} {joined_name(old, new, lanes)}({source} a, {source} b) {{",
        f"#if defined({'__AVX512VBMI__' if bits == 16 else '__AVX512BW__'}) && !defined(__clang__)",
        f"    return __builtin_shufflevector(({result})a, ({result})b, {picked});",
        "#else",
        f"    return __builtin_shufflevector({converted}, {every});",
        "#endif",
        "}",
    ])  # fmt: skip


def joined_name(old: str, new: str, lanes: int) -> str:
    return f"join_{old}_to_{new}x{2 * lanes}"
