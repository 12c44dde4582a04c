"""Traced events: which there are, in which order, with which values, and who gets them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy import TraceKind as Kind


def traced(func: hl.Func, *sizes: int, target: hl.Target | None = None) -> list[hl.TraceEvent]:
    with hl.trace() as events:
        func.realize(list(sizes), target)
    return events


def lines(events: Sequence[hl.TraceEvent]) -> list[str]:
    return [str(event) for event in events]


def places(events: Sequence[hl.TraceEvent], kind: Kind, func: str) -> list[tuple[int, ...]]:
    """Where a Func was loaded or stored, lane by lane."""
    return [place for e in events if e.event is kind and e.func == func for place in e.coordinates]


def stencil() -> tuple[hl.Func, hl.Func, hl.Var, hl.Var]:
    """f reads three rows of g."""
    x, y, f, g = hl.Var("x"), hl.Var("y"), hl.Func("f"), hl.Func("g")
    g[x, y] = x * 10 + y
    f[x, y] = g[x, y] + g[x, y + 1] + g[x, y + 2]
    return f, g, x, y


# -- what Halide prints ------------------------------------------------------------------------------------------------


def _all_of(*funcs: Any) -> None:
    for func in funcs:
        func.trace_loads()
        func.trace_stores()
        func.trace_realizations()


def _rows(h: Any, f: Any, g: Any, x: Any, y: Any) -> None:
    _all_of(f, g)
    g.compute_at(f, y)


def _at_root(h: Any, f: Any, g: Any, x: Any, y: Any) -> None:
    _all_of(f, g)
    g.compute_root()


def _vectors(h: Any, f: Any, g: Any, x: Any, y: Any) -> None:
    _all_of(f, g)
    g.compute_at(f, y).vectorize(x, 4, h.TailStrategy.RoundUp)
    f.vectorize(x, 4)


def _unrolled(h: Any, f: Any, g: Any, x: Any, y: Any) -> None:
    _all_of(f, g)
    g.compute_root().unroll(x, 2)
    f.unroll(x, 2).unroll(y, 2, h.TailStrategy.GuardWithIf)


def _tags(h: Any, f: Any, g: Any, x: Any, y: Any) -> None:
    g.compute_root().add_trace_tag("of g").add_trace_tag("more\n")
    f.add_trace_tag("of f")
    f.trace_realizations()
    g.trace_realizations()


PRINTED = {"rows": _rows, "root": _at_root, "vectors": _vectors, "unrolled": _unrolled}
PRINTED["tags"] = _tags


@pytest.mark.parametrize("schedule", PRINTED)
def test_lines_are_those_of_halide(schedule: str) -> None:
    halide = pytest.importorskip("halide")

    def text(h: Any) -> str:
        x, y, f, g = h.Var("x"), h.Var("y"), h.Func(f"f_{schedule}"), h.Func(f"g_{schedule}")
        g[x, y] = x * 10 + y
        f[x, y] = g[x, y] + g[x, y + 1]
        PRINTED[schedule](h, f, g, x, y)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            f.realize([4, 3])
        return re.sub(r"Tag .*func_type_and_dim.*\n", "", out.getvalue())  # what Halide tells its viewer

    assert text(hl) == text(halide)


@pytest.mark.parametrize("code, bits", [(c, b) for c in ("Int", "UInt") for b in (8, 16, 32, 64)] + [
    ("Float", 16), ("Float", 32), ("Float", 64),
])  # fmt: skip
def test_values_of_all_types_are_printed_as_halide_does(code: str, bits: int) -> None:
    halide = pytest.importorskip("halide")

    def text(h: Any) -> str:
        x, f = h.Var("x"), h.Func(f"f_{code}_{bits}")
        f[x] = h.cast(getattr(h, code)(bits), x * 37 - 40)
        f.trace_stores().vectorize(x, 4)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            f.realize([8])
        return re.sub(r"(Tag|Warning:) .*\n", "", out.getvalue())

    assert text(hl) == text(halide)


def test_lanes_of_a_tail_are_reported_one_by_one() -> None:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = x > y
    f.trace_stores().vectorize(x, 3, hl.TailStrategy.GuardWithIf)
    assert lines(traced(f, 5, 1))[1:-1] == [
        "Store f.0(<0, 1, 2>, <0, 0, 0>) = <0, 1, 1>",
        "Store f.0(3, 0) = 1",
        "Store f.0(4, 0) = 1",
    ]


# -- what happens ------------------------------------------------------------------------------------------------------


def test_an_update_loads_and_stores_in_order() -> None:
    x, f, r = hl.Var("x"), hl.Func("f"), hl.RDom([(1, 2)], "r")
    f[x] = 10
    f[x] += r.x
    f.trace_loads().trace_stores()
    assert lines(traced(f, 1)) == [
        "Begin pipeline f.0()",
        "Store f.0(0) = 10",
        "Load f.0(0) = 10",
        "Store f.0(0) = 11",
        "Load f.0(0) = 11",
        "Store f.0(0) = 13",
        "End pipeline f.0()",
    ]


def test_events_tell_what_they_are_about() -> None:
    x, f, g = hl.Var("x"), hl.Func("f"), hl.Func("g")
    g[x] = (hl.u8(x + 250), hl.f32(x) / 4)
    f[x] = g[x][1] + hl.f32(g[x + 1][0])
    g.compute_root().trace_stores()
    f.trace_loads().trace_stores().vectorize(x, 2)
    stores = [e for e in traced(f, 2) if e.event is Kind.STORE]
    assert [(e.func, e.value_index, e.type, e.coordinates, e.values) for e in stores] == [
        ("g", 0, "uint8", ((0,),), (250,)),
        ("g", 1, "float32", ((0,),), (0.0,)),
        ("g", 0, "uint8", ((1,),), (251,)),
        ("g", 1, "float32", ((1,),), (0.25,)),
        ("g", 0, "uint8", ((2,),), (252,)),
        ("g", 1, "float32", ((2,),), (0.5,)),
        ("f", 0, "float32", ((0,), (1,)), (251.0, 252.25)),
    ]


def test_each_event_belongs_to_the_one_around_it() -> None:
    f, g, _, y = stencil()
    _all_of(f, g)
    g.compute_at(f, y)
    events = traced(f, 2, 2)
    by_id = {e.id: e for e in events}
    assert len(by_id) == len(events)
    begins = {
        Kind.END_REALIZATION: Kind.BEGIN_REALIZATION,
        Kind.END_PRODUCE: Kind.PRODUCE,
        Kind.END_CONSUME: Kind.CONSUME,
    }
    inside = {Kind.PRODUCE: Kind.BEGIN_REALIZATION, Kind.CONSUME: Kind.BEGIN_REALIZATION, **begins}
    for e in events:
        if e.event is Kind.BEGIN_PIPELINE:
            assert e.parent_id == 0
            continue
        around = by_id[e.parent_id]
        wanted = {Kind.STORE: Kind.PRODUCE, Kind.LOAD: Kind.CONSUME, **inside}.get(e.event, Kind.BEGIN_PIPELINE)
        assert around.event is wanted
        assert wanted is Kind.BEGIN_PIPELINE or around.func == e.func
        if e.event in begins:
            assert around.coordinates == e.coordinates


def _schedules() -> dict[str, Callable[[hl.Func, hl.Func, hl.Var, hl.Var], object]]:
    xi, yi = hl.Var("xi"), hl.Var("yi")
    guard = hl.TailStrategy.GuardWithIf
    return {
        "root": lambda f, g, x, y: g.compute_root(),
        "in rows": lambda f, g, x, y: g.compute_at(f, y),
        "sliding": lambda f, g, x, y: g.store_root().compute_at(f, y),
        "sliding vectors": lambda f, g, x, y: (g.store_root().compute_at(f, y).vectorize(x, 4), f.vectorize(x, 4)),
        "sliding in strips": lambda f, g, x, y: (
            f.split(y, y, yi, 4, guard).parallel(y), g.store_at(f, y).compute_at(f, yi).vectorize(x, 8)
        ),
        "tiles": lambda f, g, x, y: (f.tile(x, y, xi, yi, 4, 4, guard).parallel(y), g.compute_at(f, x).vectorize(x, 4)),
        "unrolled": lambda f, g, x, y: (g.compute_at(f, x).unroll(y), f.unroll(x, 3, guard)),
        "vectors of rows": lambda f, g, x, y: (g.compute_root(), f.vectorize(y, 4, guard)),
    }  # fmt: skip


@pytest.mark.parametrize("schedule", _schedules())
def test_what_is_stored_and_loaded_are_the_right_values(schedule: str) -> None:
    f, g, x, y = stencil()
    f.trace_stores()
    g.trace_loads().trace_stores()
    _schedules()[schedule](f, g, x, y)
    with hl.trace() as events:
        np.testing.assert_array_equal(f.realize([13, 11]), f.reference([13, 11]))
    for e in events:
        for (at_x, at_y), value in zip(e.coordinates, e.values, strict=True) if e.values else ():
            assert value == (at_x * 10 + at_y if e.func == "g" else at_x * 30 + at_y * 3 + 3)
    everywhere = {(at_x, at_y) for at_x in range(13) for at_y in range(11)}
    assert set(places(events, Kind.STORE, "f")) == everywhere
    loads = Counter(places(events, Kind.LOAD, "g"))
    assert set(loads) == {(at_x, at_y + dy) for at_x, at_y in everywhere for dy in range(3)}
    assert set(loads) <= set(places(events, Kind.STORE, "g"))


def test_a_sliding_window_computes_each_value_once() -> None:
    f, g, _, y = stencil()
    g.trace_stores()
    g.compute_at(f, y)
    assert len(places(traced(f, 6, 20), Kind.STORE, "g")) == 6 * 3 * 20
    g.store_root()
    stores = places(traced(f, 6, 20), Kind.STORE, "g")
    assert len(stores) == len(set(stores)) == 6 * 22
    g.compute_root()
    assert len(places(traced(f, 6, 20), Kind.STORE, "g")) == 6 * 22


def test_a_window_that_slides_in_a_strip_starts_again_in_each() -> None:
    f, g, _, y = stencil()
    yo = hl.Var("yo")
    f.split(y, yo, y, 5)
    g.store_at(f, yo).compute_at(f, y).trace_stores()
    assert len(places(traced(f, 6, 20), Kind.STORE, "g")) == 6 * 4 * (5 + 2)


def test_stores_of_a_parallel_loop_are_all_reported() -> None:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = x + y
    f.trace_stores().parallel(y).vectorize(x, 8)
    events = traced(f, 24, 200)
    assert Counter(places(events, Kind.STORE, "f")) == Counter((x, y) for x in range(24) for y in range(200))
    assert all(len(e.coordinates) == 8 for e in events if e.event is Kind.STORE)


def test_realizations_have_the_sizes_of_what_lives() -> None:
    f, g, _, y = stencil()
    g.trace_realizations().compute_at(f, y)
    events = traced(f, 5, 2)
    assert [e.coordinates for e in events if e.event is Kind.BEGIN_REALIZATION] == [((0, 5, 0, 3),), ((0, 5, 1, 3),)]
    g.store_root()
    sliding = traced(f, 5, 3)
    assert [e.coordinates for e in sliding if e.event is Kind.BEGIN_REALIZATION] == [((0, 5, 0, 5),)]
    assert [e.coordinates for e in sliding if e.event is Kind.PRODUCE] == [
        ((0, 5, 0, 3),), ((0, 5, 3, 1),), ((0, 5, 4, 1),),
    ]  # fmt: skip


def test_only_what_is_asked_for_is_reported() -> None:
    f, g, _, _ = stencil()
    g.compute_root()
    assert traced(f, 2, 2) == []
    g.trace_loads()
    assert {e.event for e in traced(f, 2, 2)} == {Kind.BEGIN_PIPELINE, Kind.LOAD, Kind.END_PIPELINE}


def test_an_input_reports_its_loads() -> None:
    image, x, f = hl.ImageParam(hl.UInt(8), 1, "image"), hl.Var("x"), hl.Func("f")
    f[x] = image[x + 1] + hl.Buffer(np.zeros(9, np.uint8))[x]
    image.set(hl.Buffer(np.arange(9, dtype=np.uint8)))
    assert traced(f, 2) == []
    image.trace_loads()
    assert lines(traced(f, 2))[1:-1] == ["Load image.0(1) = 1", "Load image.0(2) = 2"]


def test_a_target_traces_everything() -> None:
    f, g, _, _ = stencil()
    g.compute_root()
    host = hl.get_jit_target_from_environment()
    found = {
        feature: Counter(e.event for e in traced(f, 2, 2, target=host.with_feature(feature)))
        for feature in (
            hl.TargetFeature.TraceLoads, hl.TargetFeature.TraceStores, hl.TargetFeature.TraceRealizations,
            hl.TargetFeature.TracePipeline,
        )
    }  # fmt: skip
    loads, stores, realizations, pipeline = found.values()
    assert loads[Kind.LOAD] == 12 and loads[Kind.STORE] == 0 and loads[Kind.PRODUCE] == 2
    assert stores[Kind.STORE] == 12 and stores[Kind.LOAD] == 0
    assert realizations[Kind.BEGIN_REALIZATION] == realizations[Kind.END_REALIZATION] == 2
    assert pipeline == {Kind.BEGIN_PIPELINE: 1, Kind.END_PIPELINE: 1}


def test_what_is_inlined_cannot_be_traced_and_a_warning_says_so() -> None:
    f, g, _, _ = stencil()
    g.trace_stores()
    with pytest.warns(UserWarning, match=r"g\.trace_stores\(\) has no effect: g is inlined"):
        assert traced(f, 2, 2) == []


def test_a_func_that_is_computed_in_several_places_keeps_its_name() -> None:
    x, f, g = hl.Var("x"), hl.Func("f"), hl.Func("g")
    g[x] = x
    f[x] = 0
    f[x] += g[x]
    f[x] += g[x] * 2
    g.compute_at(f, x).trace_stores()
    assert places(traced(f, 2), Kind.STORE, "g") == [(0,), (1,), (0,), (1,)]


def test_funcs_that_share_loops_are_produced_and_consumed_together() -> None:
    x, f, g, h = hl.Var("x"), hl.Func("f"), hl.Func("g"), hl.Func("h")
    g[x], h[x] = x, x * x
    f[x] = g[x] + h[x]
    g.compute_root()
    h.compute_root().compute_with(g, x)
    for func in (f, g, h):
        func.trace_realizations().trace_stores()
    found = [(e.event, e.func) for e in traced(f, 2)]
    assert found[4:] == [
        (Kind.PRODUCE, "g"), (Kind.PRODUCE, "h"), (Kind.STORE, "g"), (Kind.STORE, "h"), (Kind.STORE, "g"),
        (Kind.STORE, "h"), (Kind.END_PRODUCE, "h"), (Kind.END_PRODUCE, "g"), (Kind.CONSUME, "g"), (Kind.CONSUME, "h"),
        (Kind.PRODUCE, "f"), (Kind.STORE, "f"), (Kind.STORE, "f"), (Kind.END_PRODUCE, "f"), (Kind.END_CONSUME, "h"),
        (Kind.END_CONSUME, "g"), (Kind.END_REALIZATION, found[3][1]), (Kind.END_REALIZATION, found[2][1]),
        (Kind.END_REALIZATION, "f"), (Kind.END_PIPELINE, "f"),
    ]  # fmt: skip


def test_versions_of_a_stage_are_traced_like_the_stage() -> None:
    p = hl.Param(hl.Int(32), "p")
    f, g, x, y = stencil()
    g.compute_at(f, y).trace_stores().trace_realizations()
    g.specialize(p == 1).vectorize(x, 4)
    f.trace_stores().specialize(p == 2).vectorize(x, 8)
    for value, lanes in ((0, {"f": 1, "g": 1}), (1, {"f": 1, "g": 4}), (2, {"f": 8, "g": 1})):
        p.set(value)
        events = traced(f, 8, 2)
        assert {(e.func, len(e.coordinates)) for e in events if e.event is Kind.STORE} == set(lanes.items())
        assert set(places(events, Kind.STORE, "f")) == {(x, y) for x in range(8) for y in range(2)}


def test_reductions_in_vectors_report_their_lanes() -> None:
    x, total, r = hl.Var("x"), hl.Func("total"), hl.RDom([(0, 8)], "r")
    g = hl.Func("g")
    g[x] = x * x
    total[()] = 0
    total[()] += g[r.x]
    g.compute_root().trace_loads()
    total.update().atomic().vectorize(r.x, 4) if hasattr(hl.Stage, "atomic") else None
    with hl.trace() as events:
        assert np.array(total.realize([]))[()] == 140
    assert sorted(places(events, Kind.LOAD, "g")) == [(x,) for x in range(8)]


# -- memory ------------------------------------------------------------------------------------------------------------


def allocations(func: hl.Func, *sizes: int) -> list[tuple[str, int, str]]:
    return [(e.func, int(e.values[0]), e.trace_tag) for e in traced(func, *sizes) if e.event is Kind.ALLOCATE]


def test_allocations_have_the_size_that_is_taken() -> None:
    f, g, x, y = stencil()
    g.trace_allocations().compute_root()
    assert allocations(f, 100, 50) == [("g", 100 * 52 * 4, "Heap")]
    g.compute_at(f, y)
    assert allocations(f, 100, 2) == [("g", 100 * 3 * 4, "Heap")] * 2
    g.compute_at(f, x)
    assert allocations(f, 2, 1) == [("g", 3 * 4, "Stack")] * 2


def test_a_folded_window_takes_few_rows() -> None:
    f, g, _, y = stencil()
    g.trace_allocations().store_root().compute_at(f, y)
    ((_, size, _),) = allocations(f, 100, 1000)
    assert size == 100 * 4 * 4  # the power of two above three rows


def test_every_allocation_is_freed_again() -> None:
    f, g, _, y = stencil()
    g.trace_allocations().compute_at(f, y)
    f.parallel(y)
    found = Counter(e.event for e in traced(f, 100, 7))
    assert found == {Kind.ALLOCATE: 7, Kind.FREE: 7}


# -- who gets them -----------------------------------------------------------------------------------------------------


def test_events_go_to_the_handler_or_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = x
    f.trace_stores()
    f.realize([1])
    assert capsys.readouterr().out == "Begin pipeline f.0()\nStore f.0(0) = 0\nEnd pipeline f.0()\n"
    printed: list[str] = []
    f.set_custom_print(printed.append)
    f.realize([1])
    assert printed[1] == "Store f.0(0) = 0\n"
    events: list[hl.TraceEvent] = []
    f.set_custom_trace(events.append)
    f.realize([1])
    assert lines(events)[1] == "Store f.0(0) = 0" and len(printed) == 3
    with hl.trace() as collected:
        f.realize([1])
    assert len(collected) == len(events) == 3
    assert capsys.readouterr().out == ""


def test_inner_collections_get_the_events_and_other_threads_do_not() -> None:
    x, f = hl.Var("x"), hl.Func("f")
    f[x] = x
    f.trace_stores()
    ignored: list[hl.TraceEvent] = []
    f.set_custom_trace(ignored.append)
    with hl.trace() as outer:
        f.realize([1])
        with hl.trace() as inner:
            f.realize([2])
        thread = threading.Thread(target=lambda: f.realize([3]))
        thread.start()
        thread.join()
    assert (len(outer), len(inner), len(ignored)) == (3, 4, 5)


def test_what_a_trace_handler_raises_comes_out_of_realize() -> None:
    x, y, f = hl.Var("x"), hl.Var("y"), hl.Func("f")
    f[x, y] = x
    f.trace_stores().parallel(y)

    def handler(event: hl.TraceEvent) -> None:
        if event.event is Kind.STORE and event.coordinates[0][1] == 3:
            raise KeyError("enough")

    f.set_custom_trace(handler)
    with pytest.raises(KeyError, match="enough"):
        f.realize([20, 20])
    f.set_custom_trace(None)
    assert len(traced(f, 2, 2)) == 6


def test_a_tag_is_a_text() -> None:
    f, _, _, _ = stencil()
    for wrong in ("a\0b", 3):
        with pytest.raises(hl.ScheduleError, match="add_trace_tag"):
            f.add_trace_tag(wrong)  # type: ignore[arg-type]
    f.trace_stores().add_trace_tag('"quoted" %s \\ ??/ é')
    assert traced(f, 1, 1)[1].trace_tag == '"quoted" %s \\ ??/ é'


def packets(path):
    """The packets of a trace file: (kind, func, coordinates, value's bytes, tag), by the layout of Halide's runtime."""
    data, found = path.read_bytes(), []
    while data:
        size, _, _, bits, lanes, kind, _, _, dimensions = struct.unpack("=IiBBHiiii", data[:28])
        body, data = data[28:size], data[size:]
        coordinates = struct.unpack(f"={dimensions}i", body[: 4 * dimensions])
        body = body[4 * dimensions :]
        count = lanes * ((bits + 7) // 8)
        func, tag, *_ = body[count:].split(b"\0")
        found.append((hl.TraceKind(kind).name, func.decode(), coordinates, body[:count], tag.decode()))
    return found


def test_events_go_to_a_file_that_halides_tools_read(tmp_path, monkeypatch, capfd):
    x = hl.Var("x")
    f = hl.Func("f")
    f[x] = hl.u8(x + 65)
    f.bound(x, 0, 4).vectorize(x, 4).trace_stores().add_trace_tag("a tag")
    f.trace_allocations()
    monkeypatch.setenv("HL_TRACE_FILE", str(tmp_path / "trace.bin"))
    f.realize([4])
    assert packets(tmp_path / "trace.bin") == [
        ("BEGIN_PIPELINE", "f", (), b"", ""),
        ("TAG", "f", (), b"", "a tag"),
        ("STORE", "f", (0, 1, 2, 3), b"ABCD", ""),
        ("END_PIPELINE", "f", (), b"", ""),
    ]
    assert capfd.readouterr().out == ""
    with hl.trace() as events:  # who takes events gets them
        f.realize([4])
    assert len(events) == 4 and len(packets(tmp_path / "trace.bin")) == 4
    f.realize([4])
    assert len(packets(tmp_path / "trace.bin")) == 8
    monkeypatch.setenv("HL_TRACE_FILE", str(tmp_path / "absent" / "trace.bin"))
    with pytest.raises(hl.HalideError, match="HL_TRACE_FILE"):
        f.realize([4])


def test_the_file_has_the_events_that_halide_writes(tmp_path):
    pytest.importorskip("halide")
    program = """
import {module} as hl
x = hl.Var("x")
f, g = hl.Func("f"), hl.Func("g")
f[x] = hl.cast(hl.Int(16), x * 3)
g[x] = f[x] + f[x + 1]
f.compute_root().trace_stores().trace_loads().trace_realizations()
g.trace_stores()
g.realize([3])
"""
    found = []
    for module in ("halide", "halopy"):
        environment = {**os.environ, "HL_TRACE_FILE": str(tmp_path / module)}
        subprocess.run([sys.executable, "-c", program.format(module=module)], env=environment, check=True, timeout=120)
        found.append([p for p in packets(tmp_path / module) if p[0] in ("LOAD", "STORE", "CONSUME", "PRODUCE")])
    assert found[0] == found[1]
