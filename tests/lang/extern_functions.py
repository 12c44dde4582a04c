"""C functions for extern stages, in a library that all of the process may use."""

from __future__ import annotations

import ctypes
import subprocess
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
    if (!out->host) return 0;
    if (start > 100) return 5;
    for (int x = 0; x < out->dim[0].extent; x++)
        ((int32_t *)out->host)[x * out->dim[0].stride] = start + x + out->dim[0].min;
    return 0;
}

/* out(x) = in(x) * x, in multiples of `step` values */
int halopy_test_in_steps(buffer_t *in, int32_t step, buffer_t *out) {
    if (!in->host || !out->host) {
        if (!out->host) out->dim[0].extent = (out->dim[0].extent + step - 1) / step * step;
        if (!in->host) in->dim[0] = out->dim[0];
        return 0;
    }
    if (out->dim[0].extent % step) return 4;
    for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++) {
        if (x < in->dim[0].min || x >= in->dim[0].min + in->dim[0].extent) return 17;
        ((int32_t *)out->host)[(x - out->dim[0].min) * out->dim[0].stride] =
            ((int32_t *)in->host)[(x - in->dim[0].min) * in->dim[0].stride] * x;
    }
    return 0;
}

/* (x + y) % 61, over whole tens of x and at least `rows` rows */
int halopy_test_make(int32_t rows, buffer_t *out) {
    if (!out->host) {
        int end = out->dim[0].min + out->dim[0].extent + 9;
        out->dim[0].min -= ((out->dim[0].min % 10) + 10) % 10;
        end -= ((end % 10) + 10) % 10;
        out->dim[0].extent = end - out->dim[0].min;
        if (out->dim[1].extent < rows) out->dim[1].extent = rows;
        return 0;
    }
    if (out->dim[0].min % 10 || out->dim[0].extent % 10 || out->dim[1].extent < rows) return 4;
    for (int y = out->dim[1].min; y < out->dim[1].min + out->dim[1].extent; y++)
        for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++)
            *at(out, x, y) = (x + y) % 61;
    return 0;
}

/* How often functions of this file that count were called and asked, and the largest extents that they computed. */
int32_t halopy_test_counts[4];

/* out(x, y) = in(x, y) + x, counted */
int halopy_test_count(buffer_t *in, buffer_t *out) {
    if (!in->host) {
        __atomic_add_fetch(&halopy_test_counts[1], 1, __ATOMIC_RELAXED);
        for (int d = 0; d < 2; d++) in->dim[d] = out->dim[d];
        return 0;
    }
    __atomic_add_fetch(&halopy_test_counts[0], 1, __ATOMIC_RELAXED);
    for (int d = 0; d < 2; d++)
        if (halopy_test_counts[2 + d] < out->dim[d].extent) halopy_test_counts[2 + d] = out->dim[d].extent;
    for (int y = out->dim[1].min; y < out->dim[1].min + out->dim[1].extent; y++)
        for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++) {
            if (!inside(in, x, y)) return 17;
            *at(out, x, y) = *at(in, x, y) + x;
        }
    return 0;
}

/* Asks for other inputs of one row than of many: wider ones, or some far away. Says what it was given. */
int32_t halopy_test_given[4];
int halopy_test_misbehave(buffer_t *in, int32_t far, buffer_t *out) {
    if (!in->host) {
        for (int d = 0; d < 2; d++) in->dim[d] = out->dim[d];
        if (out->dim[1].extent == 1) {
            in->dim[0].min = far ? 10000 : in->dim[0].min + 50;
            in->dim[0].extent = far ? 5 : in->dim[0].extent + 100;
        }
        return 0;
    }
    for (int d = 0; d < 2; d++) {
        halopy_test_given[2 * d] = in->dim[d].min - out->dim[d].min;
        halopy_test_given[2 * d + 1] = in->dim[d].extent;
    }
    return 0;
}

/* Fails where it is told to: 1 when asked, 2 when it computes; with 3 it wants to compute less than is needed, with 4
   more of a part than of the whole. */
int halopy_test_fail(int32_t how, buffer_t *out) {
    if (!out->host) {
        if (how == 3) out->dim[0].extent -= 1;
        if (how == 4 && out->dim[0].extent < 8) out->dim[0].extent = 100;
        return how == 1 ? 7 : 0;
    }
    for (int x = 0; x < out->dim[0].extent; x++)
        ((int32_t *)out->host)[x * out->dim[0].stride] = x + out->dim[0].min;
    return how == 2 ? 8 : 0;
}

/* out(x) = bytes(-x) + ints(-x), as bytes */
int halopy_test_flip(buffer_t *bytes, buffer_t *ints, buffer_t *out) {
    int low = 1 - out->dim[0].min - out->dim[0].extent;
    if (!bytes->host || !ints->host) {
        if (!bytes->host) bytes->dim[0].min = low, bytes->dim[0].extent = out->dim[0].extent;
        if (!ints->host) ints->dim[0].min = low, ints->dim[0].extent = out->dim[0].extent;
        return 0;
    }
    if (bytes->type.bits != 8 || ints->type.bits != 32 || out->type.code != 1) return 3;
    for (int x = out->dim[0].min; x < out->dim[0].min + out->dim[0].extent; x++) {
        if (-x < ints->dim[0].min || -x >= ints->dim[0].min + ints->dim[0].extent) return 17;
        out->host[x - out->dim[0].min] = bytes->host[-x - bytes->dim[0].min]
            + ((int32_t *)ints->host)[-x - ints->dim[0].min];
    }
    return 0;
}

/* The first values of the input, whatever is wanted: answers a sum without dimensions. */
int halopy_test_sum(buffer_t *in, int32_t min, int32_t extent, buffer_t *out) {
    if (!in->host) { in->dim[0].min = min; in->dim[0].extent = extent; return 0; }
    int32_t sum = 0;
    for (int x = min; x < min + extent; x++) sum += ((int32_t *)in->host)[x - in->dim[0].min];
    *(int32_t *)out->host = sum;
    return 0;
}

/* Fails unless the second dimension is the dense one. */
int halopy_test_transposed(buffer_t *in, buffer_t *out) {
    if (!in->host) { in->dim[0] = out->dim[0]; in->dim[1] = out->dim[1]; return 0; }
    return out->dim[0].stride > out->dim[1].stride ? halopy_test_translate(in, 0, 0, out) : 6;
}
"""


_loaded: list[ctypes.CDLL] = []  # once in a process: of functions of one name kernels call the first


def load_functions(folder: Path) -> ctypes.CDLL:
    """The library, built in this folder unless it is there already."""
    if not _loaded:
        source, library = folder / "functions.c", folder / "functions.so"
        source.write_text(TEXT)
        command = [*find_compiler(user_cache()).command, "-shared", "-fPIC", "-O1", str(source), "-o", str(library)]
        subprocess.run(command, check=True)
        _loaded.append(ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL))
    return _loaded[0]
