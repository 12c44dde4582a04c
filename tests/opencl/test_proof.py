"""What blocks and threads of a device may run at once is proved, or refused with two iterations."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, xi, yi = hl.vars("x y xi yi")
T = hl.TailStrategy


def summed_area() -> tuple[hl.Func, hl.RDom]:
    f, r = hl.Func("sat"), hl.RDom([(1, 8), (1, 8)], "r")
    f[x, y] = x + y * 3
    f[r.x, r.y] += f[r.x - 1, r.y] + f[r.x, r.y - 1]
    return f, r


@pytest.mark.parametrize("kind", ["gpu_threads", "gpu_blocks"])
def test_a_wavefront_of_threads_or_blocks_is_proved_and_rows_are_refused(kind: str, opencl: hl.Target) -> None:
    f, r = summed_area()
    with pytest.raises(hl.IllegalSchedule, match="which may run at the same time") as refused:
        getattr(f.update(0), kind)(r.y)
    assert refused.value.witness is not None
    assert refused.value.repair == f"skew(r.x, r.y, 1).reorder(r.y, r.x).{kind}(r.y)"
    getattr(f.update(0).skew(r.x, r.y, 1).reorder(r.y, r.x), kind)(r.y)
    proof = f.verify(target=opencl)
    assert [o.status for o in (*proof.of_kind("order"), *proof.of_kind("concurrency"))] == ["proved"] * 3
    assert not proof.of_kind("schedule")
    np.testing.assert_array_equal(np.asarray(f.realize([9, 9], opencl)), np.asarray(f.reference([9, 9])))


def test_a_schedule_for_a_device_is_verified_for_its_target(opencl: hl.Target) -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x * 3 + y * y
    g[x, y] = f[x, y - 1] + f[x, y + 1]
    g.gpu_tile(x, y, xi, yi, 4, 4, T.GuardWithIf)
    f.compute_at(g, x).gpu_threads(x, y)
    (refused,) = g.verify(target=hl.Target("host")).of_kind("schedule")
    assert refused.status == "not proved" and "is to run or live on a device" in refused.reason
    assert {o.status for o in g.verify(target=opencl).of_kind("dataflow")} == {"proved"}
