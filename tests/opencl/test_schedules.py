"""Schedules on a device: blocks, threads, memory of each, on sizes that divide and that do not, from shifted mins."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, c, bx, by, tx, ty, xo, xi, yi, t = (
    hl.Var(n) for n in ("x", "y", "c", "bx", "by", "tx", "ty", "xo", "xi", "yi", "t")
)
T = hl.TailStrategy
Schedule = Callable[[hl.Func, hl.Func], object]  # of the output f and its producer g

SIZES = [(32, 16), (37, 19), (9, 5)]


def pipeline() -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * 5 - y * y
    f[x, y] = g[x - 1, y] + 2 * g[x + 1, y + 1]
    return f, g


SCHEDULES: dict[str, Schedule] = {
    "tiles": lambda f, g: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4),
    "guarded tiles": lambda f, g: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
    "tiles under old names": lambda f, g: f.gpu_tile(x, y, tx, ty, 8, 4, T.GuardWithIf),
    "one dimension": lambda f, g: f.gpu_tile(x, bx, tx, 16, T.GuardWithIf),
    "blocks are rows": lambda f, g: f.split(x, xo, xi, 8, T.GuardWithIf).gpu_blocks(y).gpu_threads(xi),
    "blocks without threads": lambda f, g: f.gpu_blocks(x, y),
    "threads of a whole row": lambda f, g: f.split(x, xo, xi, 8, T.GuardWithIf).gpu_threads(xi),
    "gpu": lambda f, g: f.split(x, xo, xi, 8, T.GuardWithIf).gpu(y, xi),
    "producer at blocks": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, bx).gpu_threads(x, y),
    ],
    "producer at blocks in one row of threads": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, bx).gpu_threads(x),
    ],
    "producer at blocks by the first thread": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, bx),
    ],
    "producer at threads": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, tx),
    ],
    "producer at the root, a kernel of its own": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_root().gpu_tile(x, y, bx, by, tx, ty, 4, 4, T.GuardWithIf),
    ],
    "producer on the host": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_root().vectorize(x, 4),
    ],
    "consumer on the host": lambda f, g: [
        f.vectorize(x, 4, T.GuardWithIf),
        g.compute_root().gpu_tile(x, y, bx, by, tx, ty, 4, 4, T.GuardWithIf),
    ],
    "launches from a loop of the host": lambda f, g: [
        f.split(x, xo, xi, 8, T.GuardWithIf).reorder(xi, xo, y).gpu_blocks(xo).gpu_threads(xi),
        g.compute_at(f, y).gpu_tile(x, bx, tx, 4, T.GuardWithIf),
    ],
    "vectors in threads": lambda f, g: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4).split(tx, tx, xi, 4).vectorize(xi),
    "odd vectors": lambda f, g: f.split(x, x, xi, 3, T.GuardWithIf).vectorize(xi).gpu_blocks(y).gpu_threads(x),
    "unrolled rows in threads": lambda f, g: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4).split(ty, ty, yi, 2).unroll(yi),
    "a serial loop in threads": lambda f, g: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4).split(ty, ty, yi, 2).reorder(
        yi, tx, ty, bx, by
    ),
    "a serial loop of shared rows": lambda f, g: [
        f.split(x, xo, xi, 8, T.GuardWithIf).split(y, by, yi, 4, T.GuardWithIf).reorder(xi, yi, xo, by)
        .gpu_blocks(xo, by).gpu_threads(xi),
        g.compute_at(f, yi).gpu_threads(x),
    ],
    "gpu lanes": lambda f, g: f.split(x, xo, xi, 8, T.GuardWithIf).gpu_blocks(y).gpu_lanes(xi),
    "registers": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, tx).store_in(hl.MemoryType.Register),
    ],
    "shared": lambda f, g: [
        f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.GuardWithIf),
        g.compute_at(f, bx).store_in(hl.MemoryType.GPUShared).gpu_threads(x, y),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_on_a_device_keeps_the_answer(name, opencl):
    f, g = pipeline()
    SCHEDULES[name](f, g)
    for (width, height), low in itertools.product(SIZES, [(0, 0), (-7, 3)]):
        if ("guard" not in name and name in NEEDS_WHOLE) and (width, height) == SIZES[-1]:
            continue
        out = hl.Buffer(hl.Int(32), [width, height])
        out.set_min(list(low))
        f.realize(out, opencl)
        columns, rows = np.meshgrid(np.arange(width) + low[0], np.arange(height) + low[1])
        expected = ((columns - 1) * 5 - rows**2) + 2 * ((columns + 1) * 5 - (rows + 1) ** 2)
        np.testing.assert_array_equal(np.asarray(out), expected)


NEEDS_WHOLE = ("tiles", "vectors in threads", "unrolled rows in threads", "a serial loop in threads")

TYPES = [hl.UInt(8), hl.Int(8), hl.UInt(16), hl.Int(16), hl.UInt(32), hl.Int(32), hl.UInt(64), hl.Int(64),
         hl.Float(32), hl.Float(64)]  # fmt: skip


def operators(a: hl.Expr, b: hl.Expr) -> dict[str, hl.Expr]:
    """Expressions of two numbers of one type."""
    found = {
        "sum": a + b, "difference": a - b, "product": a * b, "quotient": a / b, "min": hl.min(a, b),
        "max": hl.max(a, b),
        "choice": hl.select(a < b, a * 3, b - a), "to u8": hl.cast(hl.UInt(8), hl.cast(hl.Int(32), a % 100)),
        "absd": hl.absd(a, b), "clamp": hl.clamp(a, b, b + 1), "to f32": hl.cast(hl.Float(32), a) * 0.5,
        "logic": hl.cast(hl.UInt(8), (a < b) & (a != 3) | (b == 5)),
    }  # fmt: skip
    if not a.type().is_float():
        found |= {
            "rest": a % b, "and": a & b, "or": a | b, "xor": a ^ b, "not": ~a, "left": a << 3, "right": a >> 2,
            "shift": a >> hl.cast(a.type(), hl.cast(hl.UInt(8), b) % 5), "popcount": hl.popcount(a),
            "leading": hl.count_leading_zeros(a), "trailing": hl.count_trailing_zeros(a),
            "seventh": a / 7, "rest of seven": a % 7, "saturating": hl.saturating_cast(hl.Int(8), a),
        }  # fmt: skip
    else:
        found |= {"root": hl.sqrt(hl.abs(a)), "floor": hl.floor(a), "round": hl.round(b), "rest": a % b}
    return found


@pytest.mark.parametrize("lanes", [1, 5])
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_operators_give_the_same_bits_as_on_the_host(kind, lanes, opencl):
    size = 160
    rng = np.random.default_rng(1)
    dtype = np.asarray(hl.Buffer(kind, [1])).dtype
    if dtype.kind == "f":
        arrays = [(rng.normal(size=size) * 100).astype(dtype) for _ in "ab"]
    else:
        info = np.iinfo(dtype)
        arrays = [rng.integers(info.min, info.max, size, dtype, endpoint=True) for _ in "ab"]
        arrays[1][:40] = rng.integers(max(-3, info.min), 4, 40)
        arrays[0][:4], arrays[1][:4] = info.min, dtype.type(-1 if info.min else 1)
    a, b = (hl.Buffer(array) for array in arrays)
    results = []
    for target in (hl.Target("host"), opencl):
        f = hl.Func("f")
        f[x] = tuple(operators(a[x], b[x]).values())
        if target is opencl:
            f.split(x, xo, xi, lanes).split(xo, bx, tx, 8, T.GuardWithIf).gpu_blocks(bx).gpu_threads(tx)
            if lanes > 1:
                f.vectorize(xi)
        results.append([np.asarray(of_one) for of_one in f.realize([size], target)])
    for name, there, here in zip(operators(a[x], b[x]), *reversed(results), strict=True):
        np.testing.assert_array_equal(there, here, err_msg=name)


@pytest.mark.parametrize("lanes", [1, 4])
def test_a_product_is_rounded_with_its_sum(lanes, opencl):
    """As on the host, so that the device gives the same bits."""
    values = hl.Buffer(np.random.default_rng(0).standard_normal(64).astype(np.float32))
    f = hl.Func("f")
    f[x] = values[x] * values[x] - values[63 - x] * 3
    expected = np.array(hl.Pipeline(f).reference([64]))
    f.split(x, xo, xi, lanes).vectorize(xi).gpu_blocks(xo)
    found = np.array(f.realize([64], opencl))
    np.testing.assert_array_equal(found, expected)
