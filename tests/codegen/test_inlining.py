"""Helpers are inlined unless a kernel calls long ones very often."""

from __future__ import annotations

from halopy.codegen.c.inlining import sized

HELPERS = {
    "div_i32": "INLINE int32_t div_i32(int32_t a, int32_t b) { return b ? a / b : 0; }",
    "div_i32x8": "INLINE i32x8 div_i32x8(i32x8 a, i32x8 b) {"
    " for (int k = 0; k < 8; k++) a[k] = div_i32(a[k], b[k]); return a; }",
    "load_i32x8": "INLINE i32x8 load_i32x8(const int32_t *p) { i32x8 v; __builtin_memcpy(&v, p, 32); return v; }",
}


def test_a_few_calls_are_inlined() -> None:
    assert sized(HELPERS, "x = div_i32x8(load_i32x8(p), b);\n" * 10) == HELPERS


def test_many_calls_of_a_long_helper_are_calls_and_loads_stay_inlined() -> None:
    written = sized(HELPERS, "x = div_i32x8(load_i32x8(p), b);\n" * 500)
    assert written["div_i32x8"].startswith("OUTLINE i32x8")
    assert written["load_i32x8"] == HELPERS["load_i32x8"]


def test_many_loads_are_inlined() -> None:
    assert sized(HELPERS, "x = load_i32x8(p);\n" * 5000) == HELPERS
