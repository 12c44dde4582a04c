"""C functions for extern stages, in a library that all of the process may use."""

from __future__ import annotations

import ctypes
import subprocess
from functools import cache
from pathlib import Path

from halopy.runtime.cache import user_cache
from halopy.runtime.compilers import find_compiler

TEXT = """
#include <stdint.h>
typedef struct { int32_t min, extent, stride; uint32_t flags; } dim_t;
typedef struct { uint64_t device; const void *interface; uint8_t *host; uint64_t flags;
    struct { uint8_t code, bits; uint16_t lanes; } type; int32_t dimensions; dim_t *dim; void *padding; } buffer_t;

static int32_t *at(buffer_t *b, int x, int y) {
    return (int32_t *)b->host + (x - b->dim[0].min) * b->dim[0].stride + (y - b->dim[1].min) * b->dim[1].stride;
}

static int inside(buffer_t *b, int x, int y) {
    return x >= b->dim[0].min && x < b->dim[0].min + b->dim[0].extent
        && y >= b->dim[1].min && y < b->dim[1].min + b->dim[1].extent;
}

/* out(x, y) = in(x + dx, y + dy) */
int halopy_test_translate(buffer_t *in, int32_t dx, int32_t dy, buffer_t *out) {
    if (!in->host) {
        for (int d = 0; d < 2; d++) {
            in->dim[d].min = out->dim[d].min + (d ? dy : dx);
            in->dim[d].extent = out->dim[d].extent;
        }
        return 0;
    }
    for (int y = out->dim[1].min; y < out->dim[1].min + out->dim[1].extent; y++)
        for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++) {
            if (!inside(in, x + dx, y + dy)) return 17;
            *at(out, x, y) = *at(in, x + dx, y + dy);
        }
    return 0;
}

/* sum(x, y), difference(x, y) of a(x, y) and b(y, x) */
int halopy_test_combine(buffer_t *a, buffer_t *b, double factor, buffer_t *sum, buffer_t *difference) {
    if (!a->host || !b->host) {
        for (int d = 0; d < 2; d++) {
            a->dim[d].min = b->dim[1 - d].min = sum->dim[d].min;
            a->dim[d].extent = b->dim[1 - d].extent = sum->dim[d].extent;
        }
        return 0;
    }
    if (a->type.bits != 32 || sum->type.code != 0 || difference->type.lanes != 1) return 3;
    for (int y = sum->dim[1].min; y < sum->dim[1].min + sum->dim[1].extent; y++)
        for (int x = sum->dim[0].min; x < sum->dim[0].min + sum->dim[0].extent; x++) {
            *at(sum, x, y) = *at(a, x, y) + (int32_t)(factor * *at(b, y, x));
            *at(difference, x, y) = *at(a, x, y) - *at(b, y, x);
        }
    return 0;
}

/* A function without inputs that fails above 100. */
int halopy_test_ramp(int32_t start, buffer_t *out) {
    if (start > 100) return 5;
    for (int x = 0; x < out->dim[0].extent; x++)
        ((int32_t *)out->host)[x * out->dim[0].stride] = start + x + out->dim[0].min;
    return 0;
}
"""


@cache
def load_functions(folder: Path) -> ctypes.CDLL:
    source, library = folder / "functions.c", folder / "functions.so"
    source.write_text(TEXT)
    command = [*find_compiler(user_cache()).command, "-shared", "-fPIC", "-O1", str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
