"""The types and helper functions that a kernel uses: collected while printing, written above it.

A helper is asked for by its name, which says all about it: `load_u16x32`, `min_f32`, `floor_f32x16`.
Only what was asked for is written, in the order of first use, after what it needs itself.
"""

from __future__ import annotations

from . import helpers
from .avx512 import avx512_variant
from .blends import blend_variant
from .extrema import extremum_variant
from .gathers import gather_variant
from .idioms import idiom_text
from .inlining import sized
from .multiply_add import multiply_add_text
from .operators import LIBRARY_CALLS
from .types import C_TYPES, bits_of

HEADER = """\
#include <stdint.h>

#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wtautological-compare"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wshift-overflow"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winteger-overflow"
#else
#pragma GCC diagnostic ignored "-Woverflow"
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#define OUTLINE static __attribute__((noinline, unused))

typedef struct halide_dimension_t {
    int32_t min, extent, stride;
    uint32_t flags;
} halide_dimension_t;

typedef struct halide_buffer_t {
    uint64_t device;
    const void *device_interface;
    uint8_t *host;
    uint64_t flags;
    struct { uint8_t code, bits; uint16_t lanes; } type;
    int32_t dimensions;
    halide_dimension_t *dim;
    void *padding;
} halide_buffer_t;
"""


class Prelude:
    """What must stand above the kernel."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._helpers: dict[str, str] = {}
        self._macros: dict[str, str] = {}
        self.needs_math = False

    def vector(self, element: str, lanes: int) -> str:
        """The name of a vector type, declared."""
        if element == "bf16":
            element = "u16"
        name = f"{element}x{lanes}"
        if name not in self._types:
            size = lanes * bits_of(element) // 8
            self._types[name] = f"typedef {C_TYPES[element]} {name} __attribute__((vector_size({size})));"
        return name

    def helper(self, operation: str, element: str, lanes: int = 1) -> str:
        """The name of the function for an operation on scalars, or on vectors of `lanes` lanes; defined."""
        name = f"{operation}_{element}" + (f"x{lanes}" if lanes > 1 else "")
        if name not in self._helpers:
            self._define(name, operation, element, lanes)
        return name

    def idiom(self, helper: str, element: str, lanes: int) -> str:
        """The name of a function of `idioms`, defined."""
        name = f"{helper}_{element}x{lanes}"
        self.vector(element, lanes)
        if helper in ("average", "mul_high"):
            self.vector(f"{element[0]}{2 * bits_of(element)}", lanes)
        return self.named(name, idiom_text(name, helper, element, lanes))

    def named(self, name: str, text: str) -> str:
        """A helper whose text the caller has."""
        self._helpers.setdefault(name, text)
        return name

    def macro(self, name: str, text: str) -> None:
        self._macros.setdefault(name, text)

    def text(self, body: str) -> str:
        """The whole of it as C, to stand above `body`."""
        written = sized(self._helpers, body).values()
        groups = [HEADER, *self._macros.values(), "\n".join(self._types.values()), "\n".join(written)]
        return "\n".join(group.rstrip("\n") + "\n" for group in groups if group)

    def _define(self, name: str, operation: str, element: str, lanes: int) -> None:
        if operation == "multiply_add":
            c_type = self.vector(element, lanes) if lanes > 1 else C_TYPES[element]
            self._helpers[name] = multiply_add_text(name, element, lanes, c_type)
            return
        template = helpers.template(operation, lanes > 1)
        self.needs_math = self.needs_math or operation in LIBRARY_CALLS
        bits = bits_of(element)
        for need in template.needs:
            if need == "lane":
                self.helper(operation, element)
            else:
                self.vector(f"i{bits}" if need == "mask" else need, lanes)
        if lanes > 1:
            self.vector(element, lanes)
        text = template.text.format(
            name=name, T=f"{element}x{lanes}" if lanes > 1 else C_TYPES[element], S=C_TYPES[element], N=lanes,
            M=f"i{bits}x{lanes}", E=element, BITS=bits, F="f" if element == "f32" else "", U=C_TYPES[f"u{bits}"],
        )  # fmt: skip
        text = blend_variant(name, operation, element, lanes, text)
        text = extremum_variant(name, operation, element, lanes, text)
        text = gather_variant(name, operation, element, lanes, text)
        self._helpers[name] = avx512_variant(name, operation, element, lanes, text)
