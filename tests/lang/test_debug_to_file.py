"""`debug_to_file` writes what a Func's memory holds, and changes nothing else."""

import os
import struct
import warnings

import numpy as np
import pytest

import halopy as hl
from tests.linked.programs import needs_gcc, run

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")

TYPES = {
    "uint8": (hl.UInt(8), 2), "int8": (hl.Int(8), 3), "uint16": (hl.UInt(16), 4), "int16": (hl.Int(16), 5),
    "uint32": (hl.UInt(32), 6), "int32": (hl.Int(32), 7), "uint64": (hl.UInt(64), 8), "int64": (hl.Int(64), 9),
    "float32": (hl.Float(32), 0), "float64": (hl.Float(64), 1), "bool": (hl.Bool(), 2),
}  # fmt: skip


def producer_and_consumer(type_=None):
    """f(x, y) = x + 10 y, and a g that reads two rows of it."""
    f, g = hl.funcs("f g")
    f[x, y] = hl.cast(type_ or hl.Int(32), x + 10 * y)
    g[x, y] = hl.i32(f[x, y]) + hl.i32(f[x, y + 1])
    return f, g


def rows(count, width=4):
    """The first rows of f."""
    return np.arange(width) + 10 * np.arange(count)[:, None]


def read_tmp(path):
    """The array that a `.tmp` file holds."""
    data = path.read_bytes()
    *extents, kind = struct.unpack("5i", data[:20])
    name = next(name for name, (_, number) in TYPES.items() if number == kind)
    return np.frombuffer(data[20:], name).reshape([e for e in reversed(extents) if e > 1])


@pytest.mark.parametrize("name", TYPES)
def test_files_hold_the_values(name, tmp_path):
    f, g = producer_and_consumer(TYPES[name][0])
    f.compute_root().debug_to_file(str(tmp_path / "f.npy"))
    g.debug_to_file(str(tmp_path / "g.tmp"))
    result = np.asarray(g.realize([4, 3]))
    held = np.load(tmp_path / "f.npy")
    assert held.dtype == np.dtype(name)
    assert np.array_equal(held, rows(4).astype(np.uint8) % 2 == 1 if name == "bool" else rows(4).astype(name))
    assert np.array_equal(read_tmp(tmp_path / "g.tmp"), result)
    assert sorted(os.listdir(tmp_path)) == ["f.npy", "g.tmp"]  # and nothing half written


def test_the_layout_is_that_of_halide(tmp_path):
    halide = pytest.importorskip("halide")
    found = []
    for module, path in ((halide, tmp_path / "theirs.tmp"), (hl, tmp_path / "ours.tmp")):
        f, u, v = module.Func("f"), module.Var("u"), module.Var("v")
        f[u, v] = module.cast(module.Int(16), u * v)
        f.debug_to_file(str(path))
        f.realize([5, 3])
        found.append(path.read_bytes())
    assert found[0] == found[1]


SCHEDULES = {
    "vectorized": lambda f, g: f.compute_root().vectorize(x, 8, hl.TailStrategy.RoundUp),
    "parallel": lambda f, g: f.compute_root().parallel(y).split(x, xo, xi, 3, hl.TailStrategy.GuardWithIf),
    "reordered storage": lambda f, g: f.compute_root().reorder_storage(y, x),
    "padded storage": lambda f, g: f.compute_root().align_storage(x, 16),
    "sliding": lambda f, g: f.store_root().compute_at(g, y),
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_a_schedule_changes_nothing_of_the_region(schedule, tmp_path):
    f, g = producer_and_consumer()
    schedule(f, g)
    f.debug_to_file(str(tmp_path / "f.npy"))
    result = np.asarray(g.realize([4, 6]))
    assert np.array_equal(result, g.reference([4, 6]))
    held = np.load(tmp_path / "f.npy")  # rounding up computes more
    assert held.shape[0] == 7 and np.array_equal(held[:, :4], rows(7))


def test_of_a_func_in_a_loop_the_last_values_stay_whole(tmp_path):
    f, g = producer_and_consumer()
    f.compute_at(g, y).debug_to_file(str(tmp_path / "f.npy"))
    g.realize([4, 6])
    assert np.array_equal(np.load(tmp_path / "f.npy"), rows(7)[5:])
    g.parallel(y)
    for _ in range(5):
        g.realize([4, 60])
        held = np.load(tmp_path / "f.npy")
        assert np.array_equal(held, rows(61)[int(held[0, 0]) // 10 :][:2])


def test_updates_outputs_elsewhere_and_scalars_are_written(tmp_path):
    f = hl.Func("f")
    f[x] = x
    f[x] += 10
    f.debug_to_file(str(tmp_path / "f.npy"))
    out = hl.Buffer(hl.Int(32), [3])
    out.set_min([5])
    f.realize(out)
    assert np.load(tmp_path / "f.npy").tolist() == [15, 16, 17]
    s = hl.Func("s")
    s[()] = 7
    s.debug_to_file(str(tmp_path / "s.npy"))
    s.realize([])
    assert np.load(tmp_path / "s.npy").tolist() == 7
    strided = np.zeros((3, 8), np.int32)[:, ::2]
    g = producer_and_consumer()[0]
    g.debug_to_file(str(tmp_path / "g.npy"))
    g.realize(hl.Buffer(strided))
    assert np.array_equal(np.load(tmp_path / "g.npy"), rows(3))


def test_a_file_that_cannot_be_written_ends_the_run(tmp_path):
    f, _ = producer_and_consumer()
    f.debug_to_file(str(tmp_path / "absent" / "f.npy"))
    with pytest.raises(hl.HalideError, match=r"debug_to_file: the values of `f` could not be written to .*f\.npy"):
        f.realize([4, 3])


def test_what_no_file_can_hold_is_refused():
    f, _ = producer_and_consumer()
    for name, error in (("f.tiff", hl.ScheduleError), ("f.mat", hl.ScheduleError), (3, TypeError)):
        with pytest.raises(error, match=r"f\.debug_to_file"):
            f.debug_to_file(name)
    pair = hl.Func("pair")
    pair[x] = (x, x + 1)
    with pytest.raises(hl.ScheduleError, match="values of type int32, int32"):
        pair.debug_to_file("pair.npy")
    f.debug_to_file("f.npy")


def test_an_inlined_func_has_nothing_to_write(tmp_path):
    f, g = producer_and_consumer()
    f.debug_to_file(str(tmp_path / "f.npy"))
    with pytest.warns(UserWarning, match="debug_to_file.* has no effect: f is inlined"):
        g.realize([4, 3])
    assert os.listdir(tmp_path) == []
    f.compute_root()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g.realize([4, 3])


def test_data_does_not_say_which_files_are_written():
    f, _ = producer_and_consumer()
    f.debug_to_file("f.npy")
    with pytest.raises(hl.HalideError, match="debug_to_file"):
        hl.deserialize_pipeline(hl.serialize_pipeline(hl.Pipeline(f)))


@needs_gcc
def test_linked_functions_write_files_too(tmp_path):
    f, g = producer_and_consumer()
    f.compute_root().debug_to_file(str(tmp_path / "f.npy"))
    g.compile_to_file(str(tmp_path / "g"), [], "g")
    source = """
#include "g.h"
int main(void) {
    int32_t values[12];
    halide_dimension_t dim[2] = {{0, 4, 1, 0}, {0, 3, 4, 0}};
    halide_buffer_t out = {.host = (uint8_t *)values, .type = {0, 32, 1}, .dimensions = 2, .dim = dim};
    return g(&out);
}
"""
    run(tmp_path, source, ["g.o"])
    assert np.array_equal(np.load(tmp_path / "f.npy"), rows(4))
