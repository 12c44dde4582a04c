"""Producers in shared loops: accepted at any shift, and refused with two iterations where one needs the other."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (2, 1), (0, 0), (0, -1), (-1, 1)])
@pytest.mark.parametrize("is_parent", [False, True])
def test_a_read_of_the_other_is_refused_and_shown_where_it_comes_too_early(
    shift: tuple[int, int], is_parent: bool
) -> None:
    f, g, h = hl.funcs("f g h")
    f[x, y] = x + y * 3
    g[x, y] = f[x + shift[0], y + shift[1]] + 1
    h[x, y] = f[x, y] + g[x, y]
    f.compute_root()
    g.compute_root()
    f.compute_with(g, y) if is_parent else g.compute_with(f, y)
    with pytest.raises(hl.IllegalSchedule) as refused:
        h.realize([5, 5])
    witness = refused.value.witness
    is_early = shift[1] > 0 or (is_parent and shift[1] == 0)  # rows are shared, so only they count
    assert (witness is not None) == is_early
    if witness is not None:
        assert (witness.source.stage, witness.sink.stage) == ("f", "g")
        read = tuple(witness.sink.variables[n] + by for n, by in zip("xy", shift, strict=True))
        assert read == witness.cell.coordinates == tuple(witness.source.variables.values())
        assert f"of g reads f{witness.cell.coordinates}" in str(refused.value)
        assert "which would come after it" in str(refused.value)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 3])
@pytest.mark.parametrize("align", [hl.LoopAlignStrategy.NoAlign, hl.LoopAlignStrategy.AlignStart])
def test_producers_that_are_read_at_a_shift_share_loops(shift: int, align: hl.LoopAlignStrategy) -> None:
    f, g, h = hl.funcs("f g h")
    f[x, y] = x + y * 3
    g[x, y] = x * 5 - y
    h[x, y] = f[x, y] + g[x, y + shift]
    f.compute_root()
    g.compute_root().compute_with(f, y, align)
    proof = h.verify()
    assert proof.status == "proved"
    assert proof.of_kind("shared loops")[0].stages == ("g", "f")
    np.testing.assert_array_equal(np.asarray(h.realize([7, 5])), np.asarray(h.reference([7, 5])))
