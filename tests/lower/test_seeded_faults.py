"""Small faults of passes are found by validation: those of loops and storage, and those of later passes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import halopy as hl
from halopy.errors import InternalError
from halopy.lang.snapshot import snapshot
from halopy.lower import pipeline
from halopy.lower.check_printed import Texts, obligations_of
from halopy.lower.place_functions import Placement
from halopy.proof import REFUTED, Obligation

from .faults import Fault
from .faulty_pipelines import PIPELINES
from .interpreter import OutOfBounds, execute


def faults(module: str, *seeds: tuple[str, str, str, str]) -> list[Fault]:
    return [Fault(module, *seed) for seed in seeds]


_SLID = "simplify(maximum(lo, simplify(add(substitute(hi, previous), 1))))"
_FELL = "simplify(minimum(hi, simplify(sub(substitute(lo, previous), 1))))"
_FEWER = "simplify(sub(hi, fresh))"

WRONG_LOOPS: list[Fault] = [
    *faults(
        "slide_windows",
        ("_new_part", "previous = {loop: sub(Var(loop), 1)}", "previous = {loop: Var(loop)}", "sliding"),
        ("_new_part", "add(substitute(hi, previous), 1)", "add(substitute(hi, previous), 2)", "strips"),
        ("_new_part", "select(later, fresh, interval.lo)", "fresh", "folded"),
        ("_new_part", f"{_FEWER}, span", f"{_FEWER}, sub(span, 1)", "sliding"),
        ("_new_part", "trends == {Trend.RISING}", "trends == {Trend.FALLING}", "falling"),
        ("_new_part", _FELL, "simplify(sub(substitute(lo, previous), 2))", "falling"),
        ("_new_part", _SLID, "simplify(add(substitute(hi, previous), 2))", "folded"),
        ("_once", "gt(Var(name)", "gt(add(Var(name), 1)", "once"),
        ("_fold_factor", "add(sub(regions.expand(hi, v), regions.expand(lo, v)), 1)", "sub(hi, lo)", "sliding"),
        ("_fold_factor", "1 << (rows - 1).bit_length()", "1 << (rows.bit_length() - 1)", "strips"),
    ),
    *faults(
        "fold_storage",
        ("_FoldStorage.rewrite_Read", "self._folded(read.name, read.index)", "tuple(map(self, read.index))", "sliding"),
        ("_FoldStorage.rewrite_Provide", "self._folded(provide.name, provide.index)", "provide.index", "strips"),
        ("_FoldStorage.rewrite_Realize", "folds[d]) if d in folds", "mod(folds[d], 2)) if d in folds", "folded"),
    ),
    *faults(
        "stage_loops",
        ("_split", "sub(step.factor, 1)), step.factor)", "0), step.factor)", "root"),
        ("_split", "Range(as_expr(0), step.factor)", "Range(as_expr(0), sub(step.factor, 1))", "rounded"),
        ("_split", "Range(as_expr(0), step.factor)", "Range(as_expr(1), step.factor)", "tiles"),
        ("_fuse", "outer.range.extent)", "sub(outer.range.extent, 1))", "fused"),
        ("_skew", "sub(by.range.extent, 1)", "sub(by.range.extent, 2)", "skewed"),
        ("_SplitStep.start", "maximum(extent, self.step.factor)", "extent", "tiles"),
        ("_SplitStep.start", "minimum(steady(offset), room)", "maximum(steady(offset), room)", "root"),
        ("_SplitStep.start", "minimum(steady(offset), room)", "minimum(steady(offset), sub(room, 1))", "blended"),
        ("_SplitStep.start", "add(self.old.range.min, offset)", "offset", "aligned"),
        ("_SplitStep.guards", "if self.guard is not None:", "if True:", "summed"),
        ("_SplitStep.guards", "_likely(ge(known[self.old]", "_likely(le(known[self.old]", "blended"),
        ("StageLoops._hoist", "step.old.range.last)", "sub(step.old.range.last, 1))", "strips"),
        ("StageLoops._hoist", "step.old.range.last)", "add(step.old.range.last, 1))", "root"),
        ("_SplitStep._whole", "maximum(old.last, sub(add(old.min, self.step.factor), 1))", "old.last", "strips"),
        ("_SplitStep.bound", "minimum(reach.hi, self.old.range.last)", "sub(reach.hi, 1)", "tiles"),
        ("_SkewStep.guards", "_likely(ge(old, self.old.range.min))", "_likely(ge(old, 2))", "skewed"),
        ("_SkewStep.guards", "self.old.range.last))", "add(self.old.range.last, 1)))", "skewed"),
        ("_SkewStep._value", "sub(skewed", "add(skewed", "skewed"),
    ),
    *faults(
        "regions",
        ("_union_of", "for i in intervals[1:]", "for i in intervals[2:]", "halves"),
        ("Regions._output_box", "sub(add(lo, extent), 1)", "sub(add(lo, extent), 2)", "clamped"),
        ("Regions._ranges", "add(sub(i.hi, i.lo), 1)", "sub(i.hi, i.lo)", "unrolled"),
        ("Regions._symbols", "add(low, span)", "add(low, sub(span, 1))", "updates"),
        ("Regions._read", "for u in users]", "for u in users[1:]]", "consumers"),
        ("Regions._grown", "[*reads.by_name.get(func, ()), *reads.writes]", "[]", "updates"),
        ("Regions._with_reach", "union(i, reach[name])", "i", "rounded"),
    ),
    *faults("align_bounds", ("_trips", "add(extent, sub(factor, 1))", "extent", "aligned")),
    *faults(
        "build_loop_nests",
        ("LoopNests.realize", "add(sub(interval.hi, interval.lo), 1)", "sub(interval.hi, interval.lo)", "halves"),
        ("LoopNests.hoisted", "if h.last is not None:", "if False:", "root"),
        ("LoopNests.values", "for condition in conditions:", "for condition in conditions[1:]:", "clamped"),
        ("LoopNests.level", "block(*parts, core())", "block(core(), *parts)", "updates"),
    ),
    *faults("fused_loops", ("FusedLoops.range", "union(whole, self.shifted(own)) if at", "whole if at", "together")),
    *faults(
        "fuse_nests", ("nest", "condition = shared.takes_part(stage, place) if", "condition = None if", "together")
    ),
]

WRONG_STATEMENTS: list[Fault] = [
    *faults(
        "flatten_storage",
        ("_Layout.offset", "sub(e, low)", "e", "halves"),
        ("_dense_strides", "stride = mul(stride, extents[d])", "stride = mul(stride, sub(extents[d], 1))", "root"),
        ("_dense_strides", "for d in order:", "for d in range(len(order)):", "colours"),
        ("_size", "size = mul(size, extent)", "size = extent", "root"),
        ("_FlattenReads.rewrite_Read", "tuple(map(self, read.index))", "tuple(map(self, read.index[::-1]))", "tiles"),
    ),
    *faults(
        "partition_loops",
        ("_stop", "stop = minimum(e, stop)", "stop = minimum(add(e, 1), stop)", "tiles"),
        ("_split", "_greatest(bounds.at_least)", "sub(_greatest(bounds.at_least), 1)", "clamped"),
        ("_split", "if bounds.before or bounds.only_if else []\n    return", "if False else []\n    return", "tiles"),
        ("_run", "sub(stop, start)", "sub(sub(stop, start), 1)", "strips"),
    ),
    *faults(
        "unroll_loops",
        ("_copy", "add(loop.min, i)", "add(loop.min, max(i - 1, 0))", "unrolled"),
        ("_UnrollLoops.rewrite_For", "range(constant_extent(loop))", "range(1, constant_extent(loop))", "unrolled"),
        ("_UnrollLoops.rewrite_For", "range(constant_extent(loop))", "range(constant_extent(loop) - 1)", "colours"),
        ("_UnrollLoops.rewrite_For", "range(constant_extent(loop))", "range(constant_extent(loop))[::-1]", "scanned"),
    ),
    *faults(
        "trim_no_ops",
        ("_Trimmed._shorter", "end = minimum(e, end)", "end = sub(minimum(e, end), 1)", "skewed"),
    ),
    *faults(
        "vectorize_loops",
        ("_vectorize", "const(1, loop.min.dtype)", "const(2, loop.min.dtype)", "strips"),
        ("_Lanes._if_on_lanes", "lanes_active(self.mask, mask)", "self.mask", "chosen"),
    ),
    *faults(
        "lanes",
        ("_on_ramps", "binary(operator, a.stride, b.stride)", "a.stride", "clamped"),
    ),
    *faults(
        "hoist_invariants",
        ("_Rows._index", "LinearForm(rest, form.constant)", "LinearForm(rest, 0)", "tiles"),
    ),
    *faults(
        "interleave_stores",
        (
            "_interleaved",
            "for i in range(lanes) for v in range(count)",
            "for v in range(count) for i in range(lanes)",
            "colours",
        ),
        ("_interleaved", "base = group[0].ramp.base", "base = group[1].ramp.base", "colours"),
    ),
    *faults(
        "share_strided_loads",
        ("_row", "range(k, count, stride)", "range(0, count, stride)", "doubled"),
    ),
    *faults("share_between_stores", ("_with_the_first", "if stored[k] in read", "if stored[k] is None", "scanned")),
    *faults(
        "split_lanes",
        ("_interleaved", "starts[i % period] + i // period", "i", "halved"),
        ("_Part.rewrite_Ramp", "build.mul(node.stride, self.first)", "0", "halved"),
    ),
]


UNSEEN = {  # at the size that the oracle looks at
    "_dense_strides: for d in order: is for d in range(len(order)):",  # only slower
    "_Part.rewrite_Ramp: build.mul(node.stride, self.first) is 0",
}


def validated(output: hl.Func) -> None:
    """Lower it. Raises InternalError where validation refutes the loops."""
    taken = snapshot([output._contents])
    pipeline.lower(taken.program, taken.schedules)


@pytest.mark.parametrize("name", PIPELINES)
def test_without_a_fault_nothing_is_refuted_and_the_oracle_agrees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOPY_VERIFY", "full")
    validated(PIPELINES[name]())
    assert agrees(PIPELINES[name](), [19, 13])


@pytest.mark.parametrize("fault", WRONG_LOOPS, ids=lambda f: f.name)
def test_validation_refutes_wrong_loops(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOPY_VERIFY", "full")
    fault.seed(monkeypatch)
    with pytest.raises(InternalError, match="the loops made for"):
        validated(PIPELINES[fault.pipeline]())


@pytest.mark.parametrize("fault", WRONG_STATEMENTS, ids=lambda f: f.name)
def test_validation_refutes_wrong_statements(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOPY_VERIFY", "full")
    fault.seed(monkeypatch)
    found: list[Obligation] = []

    def judge(texts: Texts, placement: Placement, _strided: object) -> None:
        found.extend(obligations_of(texts, placement, ()))

    taken = snapshot([PIPELINES[fault.pipeline]()._contents])
    pipeline.lower(taken.program, taken.schedules, judge=judge)
    assert any(o.status == REFUTED for o in found)


@pytest.mark.parametrize("fault", WRONG_STATEMENTS, ids=lambda f: f.name)
def test_the_oracle_finds_most_wrong_statements(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALOPY_VERIFY", "off")
    fault.seed(monkeypatch)
    assert agrees(PIPELINES[fault.pipeline](), [19, 13]) == (fault.name in UNSEEN)


def test_so_many_faults_are_seeded() -> None:
    assert len(WRONG_LOOPS) >= 25
    assert len(WRONG_STATEMENTS) >= 20


def agrees(output: hl.Func, sizes: Sequence[int]) -> bool:
    """Whether the statements, interpreted, compute what the oracle does."""
    sizes = sizes[: output.dimensions()]
    taken = snapshot([output._contents])
    kernel = pipeline.lower(taken.program, taken.schedules)
    (buffer,) = kernel.buffers
    found = np.zeros(sizes[::-1], buffer.dtype.to_numpy())
    shape = {}
    for d, (extent, stride) in enumerate(zip(sizes, found.strides[::-1], strict=True)):
        shape |= {f"{buffer.name}.min.{d}": 0, f"{buffer.name}.extent.{d}": extent}
        shape |= {f"{buffer.name}.stride.{d}": stride // found.itemsize}
    try:
        execute(kernel.body, {buffer.name: found.reshape(-1)}, shape)
    except OutOfBounds:
        return False
    return bool(np.array_equal(found, output.reference(list(sizes))))
