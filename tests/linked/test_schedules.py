"""Linked functions compute what the oracle computes, whatever the schedule."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from tests.test_random_schedules import FAMILY

from .programs import needs_gcc

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")
Schedule = Callable[[list[hl.Func]], object]


def rows_in_threads(funcs: list[hl.Func]) -> None:
    """Producers per row of the output, in memory of their own for each row."""
    *producers, out = funcs
    out.parallel(y).vectorize(x, 8, hl.TailStrategy.GuardWithIf)
    for f in producers:
        f.compute_at(out, y)


def columns_with_threads_inside(funcs: list[hl.Func]) -> None:
    """Threads inside a serial loop, for producers that start before the output."""
    *producers, out = funcs
    out.reorder(y, x)
    for f in producers:
        f.compute_at(out, x)
        if len(f.args()) == 2:
            f.parallel(y)


def tiles_in_threads(funcs: list[hl.Func]) -> None:
    """Two parallel loops that are one, over tiles that pass the end."""
    *producers, out = funcs
    out.tile(x, y, xo, yo, xi, yi, 16, 5, hl.TailStrategy.GuardWithIf).parallel(yo).parallel(xo).vectorize(xi)
    for f in producers:
        f.compute_at(out, xo)


def whole_and_sliding(funcs: list[hl.Func]) -> None:
    """The first whole, in threads; the others slide."""
    first, *others, out = funcs
    first.compute_root().parallel(first.args()[-1]).vectorize(x, 4, hl.TailStrategy.GuardWithIf)
    for f in others:
        f.store_root().compute_at(out, y)


SCHEDULES: dict[str, Schedule] = {
    s.__name__: s for s in (rows_in_threads, columns_with_threads_inside, tiles_in_threads, whole_and_sliding)
}


@needs_gcc
@pytest.mark.parametrize("name", FAMILY)
def test_every_schedule_gives_the_same_values(tmp_path, name):
    made = {}
    for schedule in SCHEDULES:
        funcs = FAMILY[name]()
        SCHEDULES[schedule](funcs)
        if (name, schedule) == ("updated", "tiles_in_threads"):
            continue  # the update has no tiles
        funcs[-1].compile_to_c(tmp_path / f"{schedule}.c", [], schedule)
        made[schedule] = funcs[-1]
    flags = "-std=gnu11 -O1 -fwrapv -ffp-contract=off -Wall -Wextra -Werror -shared -fPIC"
    sources = [str(tmp_path / f"{schedule}.c") for schedule in made]
    command = ["gcc", *flags.split(), "-march=native", *sources, "-o", str(tmp_path / "all.so"), "-lm", "-lpthread"]
    built = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    library = ctypes.CDLL(str(tmp_path / "all.so"))
    for schedule, func in made.items():
        out = hl.Buffer(func.type(), [77, 61])
        out.set_min([-3, 2])
        assert library[schedule](ctypes.c_void_p(out._contents.raw.address)) == 0
        np.testing.assert_array_equal(np.asarray(out), np.asarray(func.reference(out)), schedule)


@needs_gcc
def test_updates_in_threads_take_turns(tmp_path):
    """Also where several stores are one update, which takes a lock."""
    picture = hl.ImageParam(hl.UInt(8), 2, "picture")
    f, r = hl.Func("f"), hl.RDom([(0, 301), (0, 203)], "r")
    e = hl.cast(hl.Int(32), picture[r.x, r.y]) % 5
    f[x] = (0, 0.0)
    f[e] = (f[e][0] + e + 1, f[e][1] + 1)
    g = hl.Func("g")
    g[x] = f[x][0] * 1000 + hl.cast(hl.Int(32), f[x][1])
    g[picture[r.y, r.x % 203] % 5] += r.x
    f.compute_root().update().atomic().parallel(r.y)
    g.update().atomic().parallel(r.y)
    g.compile_to_c(tmp_path / "g.c", [picture], "counted")
    flags = "-std=gnu11 -O2 -fwrapv -Wall -Wextra -Werror -shared -fPIC"
    command = ["gcc", *flags.split(), str(tmp_path / "g.c"), "-o", str(tmp_path / "g.so"), "-lm", "-lpthread"]
    built = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    library = ctypes.CDLL(str(tmp_path / "g.so"))
    image = hl.Buffer(np.random.default_rng(8).integers(0, 256, (301, 301)).astype(np.uint8))
    picture.set(image)
    expected = np.asarray(g.reference([5]))
    for _ in range(5):
        out = hl.Buffer(hl.Int(32), [5])
        arguments = (ctypes.c_void_p(b._contents.raw.address) for b in (image, out))
        assert library.counted(*arguments) == 0
        np.testing.assert_array_equal(np.asarray(out), expected)
