"""Templates of the small functions that kernels call.

In a template T is the type of the operands (scalar or vector), S that of one lane, N the lanes, M the
mask type, E the short name of the element type, U the unsigned scalar type, F the suffix of libm names.
"""

from __future__ import annotations

from typing import NamedTuple

from .operators import LIBRARY_CALLS, ROUNDINGS


class Template(NamedTuple):
    """`needs`: "mask" and "i32", vector types beside T; "lane", the same operation on one lane."""

    text: str
    needs: tuple[str, ...] = ()


# C loops over lanes: gcc and clang turn each into the one instruction where there is one.
_LANEWISE = "INLINE {{T}} {{name}}({{T}} a) {{{{ for (int k = 0; k < {{N}}; k++) a[k] = {0}; return a; }}}}"
_LANEWISE_2 = "INLINE {{T}} {{name}}({{T}} a, {{T}} b) {{{{ for (int k = 0; k < {{N}}; k++) a[k] = {0}; return a; }}}}"
_LANEWISE_3 = (
    "INLINE {{T}} {{name}}({{T}} a, {{T}} b, {{T}} c) {{{{ for (int k = 0; k < {{N}}; k++) a[k] = {0}; return a; }}}}"
)

# gcc finds the instruction in a loop, clang in a choice of lanes.
_EXTREMUM = """\
INLINE {{T}} {{name}}({{T}} a, {{T}} b) {{{{
#ifdef __clang__
    const {{M}} c = a {0} b;
    return ({{T}})((c & ({{M}})a) | (~c & ({{M}})b));
#else
    for (int k = 0; k < {{N}}; k++) a[k] = a[k] {0} b[k] ? a[k] : b[k];
    return a;
#endif
}}}}"""

# Lanes with divisor 0 divide by 1 and give 0. (Of `b ? a / b : 0` with a equal to b gcc 12 -O3 makes 255 for 1.)
_DIVISION = """\
INLINE {{T}} {{name}}({{T}} a, {{T}} b) {{{{
    const {{M}} defined = b != 0;
    b -= ({{T}})(b == 0);
    for (int k = 0; k < {{N}}; k++) a[k] = {0}_{{E}}(a[k], b[k]);
    return a & ({{T}})defined;
}}}}"""

_SCALAR: dict[str, Template] = {
    "min": Template("INLINE {T} {name}({T} a, {T} b) {{ return a < b ? a : b; }}"),
    "max": Template("INLINE {T} {name}({T} a, {T} b) {{ return a > b ? a : b; }}"),
    # Euclidean; what is not defined in C is 0, and INT_MIN / -1 wraps.
    "div_euclid": Template(
        "INLINE {T} {name}({T} a, {T} b) {{\n"
        "    if (b == 0) return 0;\n"
        "    if (b == -1) return ({T})(0 - ({U})a);\n"
        "    {T} q = a / b, r = a % b;\n"
        "    return r < 0 ? (b > 0 ? q - 1 : q + 1) : q;\n"
        "}}"
    ),
    "mod_euclid": Template(
        "INLINE {T} {name}({T} a, {T} b) {{\n"
        "    if (b == 0 || b == -1) return 0;\n"
        "    {T} r = a % b;\n"
        "    return r < 0 ? (b > 0 ? r + b : r - b) : r;\n"
        "}}"
    ),
    "div_or_zero": Template("INLINE {T} {name}({T} a, {T} b) {{ return b ? a / b : 0; }}"),
    "mod_or_zero": Template("INLINE {T} {name}({T} a, {T} b) {{ return b ? a % b : 0; }}"),
    "div_trunc": Template(
        "INLINE {T} {name}({T} a, {T} b) {{ return b == 0 ? 0 : b == -1 ? ({T})(0 - ({U})a) : a / b; }}"
    ),
    "mod_trunc": Template("INLINE {T} {name}({T} a, {T} b) {{ return b == 0 || b == -1 ? 0 : a % b; }}"),
    "popcount": Template("INLINE {T} {name}({T} a) {{ return ({T})__builtin_popcountll(({U})a); }}"),
    "clz": Template(
        "INLINE {T} {name}({T} a) {{ return ({T})(a ? __builtin_clzll(({U})a) - (64 - {BITS}) : {BITS}); }}"
    ),
    "ctz": Template("INLINE {T} {name}({T} a) {{ return ({T})(a ? __builtin_ctzll(({U})a) : {BITS}); }}"),
}

_VECTOR: dict[str, Template] = {
    "load": Template("INLINE {T} {name}(const {S} *p) {{ {T} v; __builtin_memcpy(&v, p, sizeof v); return v; }}"),
    "load_first": Template(
        "OUTLINE {T} {name}(const {S} *p, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    __builtin_memcpy(&v, p, sizeof({S}) * (unsigned)n);\n"
        "    return v;\n"
        "}}"
    ),
    "store": Template("INLINE void {name}({S} *p, {T} v) {{ __builtin_memcpy(p, &v, sizeof v); }}"),
    "store_first": Template(
        "OUTLINE void {name}({S} *p, {T} v, int n) {{ __builtin_memcpy(p, &v, sizeof({S}) * (unsigned)n); }}"
    ),
    "load_where": Template(
        "OUTLINE {T} {name}(const {S} *p, {M} where, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    for (int k = 0; k < n; k++) if (where[k]) v[k] = p[k];\n"
        "    return v;\n"
        "}}",
        ("mask",),
    ),
    "store_where": Template(
        "OUTLINE void {name}({S} *p, {T} v, {M} where, int n) {{\n"
        "    for (int k = 0; k < n; k++) if (where[k]) p[k] = v[k];\n"
        "}}",
        ("mask",),
    ),
    "load_stride": Template(
        "OUTLINE {T} {name}(const {S} *p, int64_t stride, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    for (int k = 0; k < n; k++) v[k] = p[k * stride];\n"
        "    return v;\n"
        "}}"
    ),
    "load_stride_where": Template(
        "OUTLINE {T} {name}(const {S} *p, int64_t stride, {M} where, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    for (int k = 0; k < n; k++) if (where[k]) v[k] = p[k * stride];\n"
        "    return v;\n"
        "}}",
        ("mask",),
    ),
    "gather": Template(
        "OUTLINE {T} {name}(const {S} *p, i32x{N} at, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    for (int k = 0; k < n; k++) v[k] = p[at[k]];\n"
        "    return v;\n"
        "}}",
        ("i32",),
    ),
    "gather_where": Template(
        "OUTLINE {T} {name}(const {S} *p, i32x{N} at, {M} where, int n) {{\n"
        "    {T} v = {{0}};\n"
        "    for (int k = 0; k < n; k++) if (where[k]) v[k] = p[at[k]];\n"
        "    return v;\n"
        "}}",
        ("i32", "mask"),
    ),
    "store_stride": Template(
        "OUTLINE void {name}({S} *p, int64_t stride, {T} v, int n) {{\n"
        "    for (int k = 0; k < n; k++) p[k * stride] = v[k];\n"
        "}}"
    ),
    "store_stride_where": Template(
        "OUTLINE void {name}({S} *p, int64_t stride, {T} v, {M} where, int n) {{\n"
        "    for (int k = 0; k < n; k++) if (where[k]) p[k * stride] = v[k];\n"
        "}}",
        ("mask",),
    ),
    "scatter": Template(
        "OUTLINE void {name}({S} *p, i32x{N} at, {T} v, int n) {{\n"
        "    for (int k = 0; k < n; k++) p[at[k]] = v[k];\n"
        "}}",
        ("i32",),
    ),
    "scatter_where": Template(
        "OUTLINE void {name}({S} *p, i32x{N} at, {T} v, {M} where, int n) {{\n"
        "    for (int k = 0; k < n; k++) if (where[k]) p[at[k]] = v[k];\n"
        "}}",
        ("i32", "mask"),
    ),
    "select": Template(
        "INLINE {T} {name}({M} c, {T} a, {T} b) {{ return ({T})((c & ({M})a) | (~c & ({M})b)); }}",
        ("mask",),
    ),
    "min": Template(_EXTREMUM.format("<"), ("mask",)),
    "max": Template(_EXTREMUM.format(">"), ("mask",)),
    "fma": Template(_LANEWISE_3.format("__builtin_fma{F}(a[k], b[k], c[k])")),
    **{name: Template(_LANEWISE.format(f"__builtin_{c}{{F}}(a[k])")) for name, c in ROUNDINGS.items()},
    **{
        name: Template(
            (_LANEWISE_2 if arguments == 2 else _LANEWISE).format(
                f"__builtin_{name}{{F}}(a[k]{', b[k]' if arguments == 2 else ''})"
            )
        )
        for name, arguments in LIBRARY_CALLS.items()
    },
    **{
        name: Template(_DIVISION.format(name), ("lane", "mask"))
        for name in ("div_euclid", "mod_euclid", "div_or_zero", "mod_or_zero", "div_trunc", "mod_trunc")
    },
    **{name: Template(_LANEWISE.format(f"{name}_{{E}}(a[k])"), ("lane",)) for name in ("popcount", "clz", "ctz")},
}


def template(operation: str, is_vector: bool) -> Template:
    """The template of an operation on scalars or on vectors."""
    return (_VECTOR if is_vector else _SCALAR)[operation]
