"""What a device cannot do is refused, with the directive, the reason, and what would be accepted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import halopy as hl

x, y, bx, by, tx, ty = (hl.Var(n) for n in ("x", "y", "bx", "by", "tx", "ty"))
T = hl.TailStrategy


def pair(distance: int = 1) -> tuple[hl.Func, hl.Func]:
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = x * y
    f[x, y] = g[x, y] + g[x + distance, y + distance]
    return f, g


def tiles(f: hl.Func, width: int = 8, height: int = 8) -> hl.Func:
    return f.gpu_tile(x, y, bx, by, tx, ty, width, height, T.GuardWithIf)


def too_many_threads() -> hl.Func:
    return tiles(pair()[0], 1024, 64)


def too_much_shared_memory() -> hl.Func:
    f, g = pair(2000)
    tiles(f)
    g.compute_at(f, bx).gpu_threads(x, y)
    return f


def too_much_memory_of_a_thread() -> hl.Func:
    f, g = pair(600)
    tiles(f)
    g.compute_at(f, tx)
    return f


def memory_of_some_threads() -> hl.Func:
    f, g = pair()
    tiles(f)
    g.compute_at(f, ty)
    return f


def blocks_in_blocks() -> hl.Func:
    f, g = pair()
    f.gpu_blocks(y)
    g.compute_at(f, y).gpu_blocks(x)
    return f


def something_printed() -> hl.Func:
    f = hl.Func("f")
    f[x, y] = hl.print(x)
    return tiles(f)


def half_precision() -> hl.Func:
    f = hl.Func("f")
    f[x, y] = hl.cast(hl.Float(16), x)
    return tiles(f)


REFUSED = {
    too_many_threads: "a block would have 1024 x 64 x 1 threads",
    too_much_shared_memory: "a block would share|is shared by a block's threads",
    too_much_memory_of_a_thread: "each thread would have [0-9]+ elements of `g` for itself",
    memory_of_some_threads: "is allocated inside one thread loop and outside another",
    blocks_in_blocks: "blocks stand inside blocks",
    something_printed: "a service of the host",
    half_precision: "float16",
}


@pytest.mark.parametrize("build", REFUSED, ids=lambda build: build.__name__)
def test_what_a_device_cannot_do_is_refused(build, opencl):
    with pytest.raises(hl.HalideError, match=REFUSED[build]):
        build().realize([64, 64], opencl)


def test_a_race_between_blocks_is_shown(opencl):
    f, r = hl.Func("f"), hl.RDom([(1, 31)])
    f[x] = x
    f[r] = f[r - 1] + 1
    with pytest.raises(hl.HalideError, match=r"iteration \(r\d*\.x=2\) reads f\(1\), written by iteration"):
        f.update().gpu_blocks(r.x)


def test_without_opencl_in_the_target_blocks_are_refused():
    with pytest.raises(hl.HalideError, match=r'hl.Target\("host-opencl"\)'):
        tiles(pair()[0]).realize([8, 8], hl.Target("host"))


def test_kernels_are_not_linked(tmp_path):
    with pytest.raises(hl.HalideError, match="opencl"):
        tiles(pair()[0]).compile_to_static_library(str(tmp_path / "f"), [], "f", hl.Target("host-opencl"))


def run(program: str, **environment: str) -> str:
    """What a program prints last, in a process of its own."""
    lines = ["import halopy as hl", "x, bx, tx = hl.Var('x'), hl.Var('bx'), hl.Var('tx')", "f = hl.Func('f')"]
    lines += ["f[x] = x * 2", "f.gpu_tile(x, bx, tx, 8, hl.TailStrategy.GuardWithIf)", "t = hl.Target('host-opencl')"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, program])],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip()


def test_a_device_that_is_not_there_is_named(opencl):
    said = run("f.realize([16], t)", HALOPY_OPENCL_DEVICE="no such device")
    assert "HALOPY_OPENCL_DEVICE=no such device names no OpenCL device" in said and "0:0" in said


def test_a_device_is_found_by_number_and_by_name(opencl):
    name = pytest.importorskip("halopy.runtime.opencl").current_device().name
    for wanted in ("0:0", name[:5]):
        assert run("print(sum(f.realize([16], t)[i] for i in range(16)))", HALOPY_OPENCL_DEVICE=wanted).endswith("240")


def test_after_a_fork_the_device_is_refused_in_words(opencl):
    program = """
f.realize([16], t)
import os
pid = os.fork()
if pid == 0:
    try:
        f.realize([17], t)
    except hl.HalideError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(pid, 0)"""
    assert "was used before this process was forked" in run(program)


def test_results_of_a_run_that_failed_are_intact(opencl):
    kept = tiles(pair()[0]).realize([16, 16], opencl)
    with pytest.raises(hl.HalideError):
        too_many_threads().realize([16, 16], opencl)
    expected = np.asarray(pair()[0].realize([16, 16]))
    np.testing.assert_array_equal(np.asarray(kept), expected)
