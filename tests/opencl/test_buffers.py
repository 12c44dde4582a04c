"""Memory on the host and on the device: who has the newest elements, and when they are copied."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import halopy as hl

x, y, bx, by, tx, ty = (hl.Var(n) for n in ("x", "y", "bx", "by", "tx", "ty"))
WIDTH, HEIGHT = 40, 24


def plus(image: hl.ImageParam | hl.Buffer, number: int) -> hl.Func:
    f = hl.Func("f")
    f[x, y] = image[x, y] + number
    f.gpu_tile(x, y, bx, by, tx, ty, 8, 8, hl.TailStrategy.GuardWithIf)
    return f


def picture() -> np.ndarray:
    return np.arange(WIDTH * HEIGHT, dtype=np.int32).reshape(HEIGHT, WIDTH)


def test_an_array_that_others_hold_is_up_to_date_on_both_sides(opencl):
    array, result = picture(), np.zeros((HEIGHT, WIDTH), np.int32)
    image = hl.ImageParam(hl.Int(32), 2)
    image.set(hl.Buffer(array))
    f, out = plus(image, 1), hl.Buffer(result)
    f.realize(out, opencl)
    np.testing.assert_array_equal(result, array + 1)
    array += 5  # nobody is told
    f.realize(out, opencl)
    np.testing.assert_array_equal(result, array + 1)


def test_a_chain_of_runs_stays_on_the_device(opencl, monkeypatch):
    source = hl.Buffer(hl.Int(32), [WIDTH, HEIGHT])
    source.fill(3)
    copies = watch_copies(monkeypatch)
    image = hl.ImageParam(hl.Int(32), 2)
    f, buffers = plus(image, 2), [source, *(hl.Buffer(hl.Int(32), [WIDTH, HEIGHT]) for _ in range(4))]
    for before, after in itertools.pairwise(buffers):
        image.set(before)
        f.realize(after, opencl)
    assert copies == ["to device"]
    assert buffers[-1].has_device_allocation() and buffers[-1].device_dirty() and not buffers[-1].host_dirty()
    assert buffers[-1].all_equal(11)
    assert copies == ["to device", "to host"] and not buffers[-1].device_dirty()


def test_what_the_host_writes_reaches_the_device(opencl):
    image, made = hl.ImageParam(hl.Int(32), 2), hl.Buffer(hl.Int(32), [WIDTH, HEIGHT])
    f, out = plus(image, 1), hl.Buffer(hl.Int(32), [WIDTH, HEIGHT])
    image.set(made)
    for value in (1, 2):
        made.fill(value)
        f.realize(out, opencl)
        assert out.all_equal(value + 1)
    made[3, 4] = 50
    f.realize(out, opencl)
    assert out[3, 4] == 51 and out[4, 3] == 3
    made.copy_from(hl.Buffer(picture()))
    f.realize(out, opencl)
    np.testing.assert_array_equal(np.asarray(out), picture() + 1)


def test_a_result_is_copied_when_it_is_looked_at(opencl):
    result = plus(hl.Buffer(picture()), 7).realize([WIDTH, HEIGHT], opencl)
    assert result.device_dirty()
    assert result[2, 1] == picture()[1, 2] + 7
    np.testing.assert_array_equal(np.asarray(result), picture() + 7)


def test_halides_rules_hold_after_copy_to_device(opencl):
    array = picture()
    image, made, out = hl.ImageParam(hl.Int(32), 2), hl.Buffer(array), hl.Buffer(np.zeros_like(array))
    assert not made.has_device_allocation()
    assert made.copy_to_device(opencl) == out.device_malloc(opencl) == 0
    assert made.has_device_allocation() and not made.host_dirty()
    image.set(made)
    f = plus(image, 1)
    f.realize(out, opencl)
    assert out.device_dirty() and out.copy_to_host() == 0 and not out.device_dirty()
    array += 1
    made.set_host_dirty()
    assert made.host_dirty()
    f.realize(out, opencl)
    assert made.device_sync() == 0
    np.testing.assert_array_equal(np.asarray(out), array + 1)
    made.device_free()
    assert not made.has_device_allocation()


def test_views_and_shifted_rows_are_read_where_they_are(opencl):
    array = picture()
    part = hl.Buffer(array[::-1, 3:])  # rows from the last one up
    f = plus(part, 1)
    np.testing.assert_array_equal(np.asarray(f.realize([WIDTH - 3, HEIGHT], opencl)), array[::-1, 3:] + 1)
    out = np.zeros_like(array)
    target = hl.Buffer(out[::-1])
    plus(hl.Buffer(array), 2).realize(target, opencl)
    np.testing.assert_array_equal(out[::-1], array + 2)


def test_arrays_of_pyopencl_are_used_without_copies(opencl, monkeypatch):
    cl_array = pytest.importorskip("pyopencl.array")
    opened = pytest.importorskip("halopy.runtime.opencl").current_device()
    there = cl_array.to_device(opened.queue, picture())
    made = cl_array.zeros(opened.queue, (HEIGHT, WIDTH), np.int32)
    copies = watch_copies(monkeypatch)
    plus(hl.Buffer(there), 4).realize(hl.Buffer(made), opencl)
    assert copies == []
    np.testing.assert_array_equal(made.get(), picture() + 4)


def test_buffers_of_two_contexts_are_refused(opencl):
    cl = pytest.importorskip("pyopencl")
    cl_array = pytest.importorskip("pyopencl.array")
    device = pytest.importorskip("halopy.runtime.opencl").current_device().device
    queues = [cl.CommandQueue(cl.Context([device])) for _ in range(2)]
    there = [cl_array.to_device(queue, picture()) for queue in queues]
    with pytest.raises(hl.HalideError, match="two OpenCL contexts"):
        plus(hl.Buffer(there[0]), 1).realize(hl.Buffer(there[1]), opencl)


def watch_copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that gets an entry for each time that memory moves, or would where the device has memory of its own."""
    memory = pytest.importorskip("halopy.runtime.opencl.memory").Memory
    copies: list[str] = []
    for name, flag in (("to_device", "host_newer"), ("to_host", "device_newer")):
        monkeypatch.setattr(memory, name, watched(getattr(memory, name), flag, copies))
    return copies


def watched(move, flag: str, copies: list[str]):
    def watch(self):
        if getattr(self, flag):
            copies.append(move.__name__.replace("_", " "))
        move(self)

    return watch
