"""Directives for devices: the loops they make, and what compiling says where there is no device."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

x, y, z, bx, by, bz, tx, ty, tz = hl.vars("x y z bx by bz tx ty tz")
CUDA = hl.DeviceAPI.CUDA
T = hl.TailStrategy


def grid() -> hl.Func:
    f = hl.Func("f")
    f[x, y, z] = x + y * 10 + z * 100
    return f


def loops(f: hl.Func) -> list[tuple[str, str, str]]:
    """Name, kind and device of the loops, innermost first."""
    return [(d.name, d.kind.name, d.device) for d in f._contents.nests[0].dims]


def nest(inner: str, outer: str, rest: str, device: str = "Default_GPU") -> list[tuple[str, str, str]]:
    made = [(v, "GPU_THREAD", device) for v in inner.split()] + [(v, "GPU_BLOCK", device) for v in outer.split()]
    return made + [(v, "SERIAL", "") for v in rest.split()]


TILES: dict[str, tuple[Callable[[hl.Func], hl.Func], list[tuple[str, str, str]]]] = {
    "one": (lambda f: f.gpu_tile(x, bx, tx, 8), nest("tx", "bx", "y z")),
    "one short": (lambda f: f.gpu_tile(x, tx, 8, T.GuardWithIf), nest("tx", "x", "y z")),
    "two": (lambda f: f.gpu_tile(x, y, bx, by, tx, ty, 8, 4, T.Auto, CUDA), nest("tx ty", "bx by", "z", "CUDA")),
    "two short": (lambda f: f.gpu_tile(x, y, tx, ty, 8, 4), nest("tx ty", "x y", "z")),
    "three": (lambda f: f.gpu_tile(x, y, z, bx, by, bz, tx, ty, tz, 8, 4, 2), nest("tx ty tz", "bx by bz", "")),
    "three short": (
        lambda f: f.gpu_tile(x, y, z, tx, ty, tz, 8, 4, 2, device_api=CUDA),
        nest("tx ty tz", "x y z", "", "CUDA"),
    ),
    "named": (lambda f: f.gpu_tile(x=x, tx=tx, x_size=8, tail=T.RoundUp), nest("tx", "x", "y z")),
}


@pytest.mark.parametrize("form", TILES)
def test_tiles_are_blocks_of_threads(form: str) -> None:
    make, expected = TILES[form]
    assert loops(make(grid())) == expected


def test_loops_become_blocks_threads_and_lanes() -> None:
    assert loops(grid().gpu_blocks(z).gpu_threads(x, y)) == [
        ("x", "GPU_THREAD", "Default_GPU"), ("y", "GPU_THREAD", "Default_GPU"), ("z", "GPU_BLOCK", "Default_GPU"),
    ]  # fmt: skip
    assert loops(grid().gpu(y, x, CUDA)) == [
        ("x", "GPU_THREAD", "CUDA"),
        ("y", "GPU_BLOCK", "CUDA"),
        ("z", "SERIAL", ""),
    ]
    assert loops(grid().gpu_lanes(x).gpu_blocks(y, z))[0] == ("x", "GPU_LANE", "Default_GPU")


DIRECTIVES: dict[str, Callable[[hl.Func], hl.Func]] = {
    "f.gpu_tile(x, y, tx, ty, 8, 4)": lambda f: f.gpu_tile(x, y, tx, ty, 8, 4),
    "f.gpu_blocks(x)": lambda f: f.gpu_blocks(x),
    "f.gpu_threads(x)": lambda f: f.gpu_threads(x),
    "f.gpu(y, x)": lambda f: f.gpu(y, x),
    "f.gpu_lanes(x)": lambda f: f.gpu_lanes(x),
    "f.gpu_single_thread()": lambda f: f.gpu_single_thread(),
    "f.hexagon()": lambda f: f.hexagon(),
    "f.hexagon(x)": lambda f: f.hexagon(x),
}


@pytest.mark.parametrize("text", DIRECTIVES)
def test_without_a_device_compiling_is_refused_and_the_func_still_runs_inlined(text: str) -> None:
    f, g = grid(), hl.Func("g")
    DIRECTIVES[text](f)
    g[x, y, z] = f[x, y, z] + 1
    with pytest.raises(hl.UnsupportedTarget) as refused:
        f.realize([4, 4, 4])
    assert f"{text}\n  f is to run or live on a device, " in str(refused.value)
    assert np.asarray(g.realize([2, 2, 1])).tolist() == [[[1, 2], [11, 12]]]


def test_the_last_word_about_a_loop_counts() -> None:
    f = grid().gpu_blocks(y).gpu_threads(x).serial(x).parallel(y)
    np.testing.assert_array_equal(np.asarray(f.realize([3, 2, 2])), np.asarray(f.reference([3, 2, 2])))


def test_updates_have_device_directives_too() -> None:
    f = grid()
    f[x, y, z] += 1
    f.update(0).gpu_tile(x, y, tx, ty, 8, 8, T.GuardWithIf)
    with pytest.raises(hl.UnsupportedTarget, match=r"f\.update\(0\)\.gpu_tile"):
        f.realize([4, 4, 4])


def test_threads_that_would_race_are_refused() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 10)], "r")
    f[x] = 0
    f[x] += r
    with pytest.raises(hl.IllegalSchedule, match="may run at the same time"):
        f.update(0).gpu_threads(r)
    f.update(0).gpu_threads(x)


@pytest.mark.parametrize("kind", ["gpu_blocks", "gpu_threads", "gpu_lanes"])
def test_reductions_on_a_device_are_decided_like_those_on_threads(kind: str) -> None:
    def sums() -> tuple[hl.Func, hl.RDom]:
        f, r = hl.Func("f"), hl.RDom([(1, 6), (0, 5)], "r")
        f[x, y] = x + y
        f[r.x, r.y] = f[r.x - 1, r.y] + f[r.x, r.y]
        return f, r

    f, r = sums()
    with pytest.raises(hl.IllegalSchedule) as refused:
        getattr(f.update(0), kind)(r.x)
    at = refused.value.witness
    assert at is not None
    assert (dict(at.source.variables), dict(at.sink.variables)) == ({"r.x": 1, "r.y": 0}, {"r.x": 2, "r.y": 0})
    assert at.cell.coordinates == (1, 0)
    f, r = sums()
    getattr(f.update(0), kind)(r.y)
    assert [o.status for o in f.verify().of_kind("concurrency")] == ["proved"]


def test_tiles_of_a_reduction_on_a_device_need_both_loops_free() -> None:
    rxo, ryo, rxi, ryi = (hl.RVar(n) for n in ("rxo", "ryo", "rxi", "ryi"))
    f, r = hl.Func("f"), hl.RDom([(1, 6), (0, 5)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x - 1, r.y] + f[r.x, r.y]
    with pytest.raises(hl.IllegalSchedule) as refused:
        f.update(0).gpu_tile(r.x, r.y, rxo, ryo, rxi, ryi, 4, 4)
    assert refused.value.witness is not None
    f, r = hl.Func("f"), hl.RDom([(0, 6), (0, 5)], "r")
    f[x, y] = x + y
    f[r.x, r.y] = f[r.x, r.y] * 3 + 1
    f.update(0).gpu_tile(r.x, r.y, rxo, ryo, rxi, ryi, 4, 4)
    assert [o.status for o in f.verify().of_kind("concurrency")] == ["proved"]


def test_arguments_that_fit_no_form_are_refused() -> None:
    with pytest.raises(hl.ScheduleError, match="fit no form"):
        grid().gpu_tile(x, 8)
    with pytest.raises(hl.ScheduleError, match="fit no form"):
        grid().gpu(x, y, z)
    with pytest.raises(hl.ScheduleError, match="no loop `tx`"):
        grid().gpu_blocks(tx)


def test_a_copy_to_the_host_is_a_copy() -> None:
    f, g = grid(), hl.Func("g")
    g[x, y, z] = f[x, y, z] * 2
    f.compute_root()
    f.in_(g).copy_to_host().compute_root()
    np.testing.assert_array_equal(np.asarray(g.realize([3, 2, 2])), np.asarray(g.reference([3, 2, 2])))
    f.in_(g).copy_to_device()
    with pytest.raises(hl.UnsupportedTarget, match=r"f_in_g\$0\.copy_to_device\(\)\n  .*on a device, Default_GPU"):
        g.realize([3, 2, 2])


def test_only_what_just_reads_is_a_copy() -> None:
    f = grid()
    for make in (f.copy_to_host, f.copy_to_device):
        with pytest.raises(hl.ScheduleError, match="it does more than read another Func at the same place"):
            make()
    g = hl.Func("g")
    g[x, y, z] = f[y, x, z]
    with pytest.raises(hl.ScheduleError, match="does more than read"):
        g.copy_to_device()
    f.in_().copy_to_device()


def test_loops_on_devices_are_printed_with_their_device(capfd: pytest.CaptureFixture[str]) -> None:
    f = hl.Func("f")
    f[x, y] = x
    f.gpu_tile(x, y, tx, ty, 8, 8).print_loop_nest()
    assert capfd.readouterr().err.splitlines() == [
        "produce f:",
        "  gpu_block y.y<Default_GPU>:",
        "    gpu_block x.x<Default_GPU>:",
        "      gpu_thread y.ty in [0, 7]<Default_GPU>:",
        "        gpu_thread x.tx in [0, 7]<Default_GPU>:",
        "          f(...) = ...",
    ]


def test_compiling_ahead_of_the_first_run_refuses_too() -> None:
    with pytest.raises(hl.UnsupportedTarget, match=r"f\.gpu_blocks\(x\)"):
        grid().gpu_blocks(x).compile_jit()
    grid().compile_jit()
