"""Extern stages and the rest of the house: schedules chosen automatically, written down, shown and verified."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

from .extern_functions import load_functions

x, y, xo, yo, xi, yi = (hl.Var(n) for n in ("x", "y", "xo", "yo", "xi", "yi"))
INT = hl.Int(32)
GUARD = hl.TailStrategy.GuardWithIf


@pytest.fixture(scope="module", autouse=True)
def _functions(tmp_path_factory: pytest.TempPathFactory) -> None:
    load_functions(tmp_path_factory.mktemp("extern"))


class Made:
    """An image, what an extern stage reads, the stage, and a Func that reads it."""

    def __init__(self) -> None:
        self.image = hl.ImageParam(INT, 2, "image")
        self.f, self.g, self.h = hl.Func("f"), hl.Func("g"), hl.Func("h")
        self.f[x, y] = self.image[x, y] + self.image[x + 1, y]
        self.g.define_extern("halopy_test_translate", [self.f, 2, 3], INT, [x, y])
        self.h[x, y] = self.g[x, y] * 2 + self.g[x, y + 1]

    def fill(self) -> None:
        self.image.set(np.arange(4096, dtype=np.int32).reshape(64, 64) % 1009)


SCHEDULES: dict[str, Callable[[Made], object]] = {
    "none": lambda m: None,
    "in loops": lambda m: (m.h.parallel(y), m.g.compute_at(m.h, y), m.f.compute_at(m.h, y)),
    "own loops": lambda m: (
        m.g.compute_root().tile(x, y, xo, yo, xi, yi, 8, 4, GUARD).parallel(yo),
        m.f.compute_at(m.g, xo),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_pipeline_is_written_and_read(name: str):
    made = Made()
    made.fill()
    SCHEDULES[name](made)
    pipeline = hl.Pipeline(made.h)
    image = hl.Parameter(INT, True, 2, "image")
    image.set_buffer(made.image.get())
    read = hl.deserialize_pipeline(hl.serialize_pipeline(pipeline), {"image": image})
    assert hl.serialize_pipeline(read) == hl.serialize_pipeline(pipeline)
    expected = np.array(pipeline.reference([30, 20]))
    np.testing.assert_array_equal(np.array(pipeline.realize([30, 20])), expected)
    np.testing.assert_array_equal(np.array(read.realize([30, 20])), expected)


@pytest.mark.parametrize(
    ("node", "name", "message"),
    [
        (["Const", 3, "int32"], "a b", "'a b' is no name of a function"),
        (["Var", "x", "int32"], "fine", "no number before the pipeline runs"),
        (["FuncAccess", "g", "zeros", 0, "int32"], "fine", "whole Funcs and images, and never itself"),
        (["Call", "extern system", [], "int32"], "fine", "`extern system` is no intrinsic"),
    ],
)
def test_records_of_extern_stages_are_checked(node: list[object], name: str, message: str):
    document = json.loads(hl.serialize_pipeline(hl.Pipeline(Made().h)))
    at = next(at for at, row in enumerate(document["functions"]) if "extern" in row)
    zero = document["nodes"].index(["Const", 0, "int32"])
    places: dict[object, object] = {"g": at, "zeros": [zero, zero]}
    document["nodes"].append([places.get(str(part), part) for part in node])
    document["functions"][at]["extern"] |= {"function": name, "args": [len(document["nodes"]) - 1]}
    with pytest.raises(hl.SerializationError, match=re.escape(message)):
        hl.deserialize_pipeline(json.dumps(document).encode())


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_taken_and_given_to_another(name: str, capsys: pytest.CaptureFixture[str]):
    made, other = Made(), Made()
    other.fill()
    SCHEDULES[name](made)
    hl.Pipeline(other.h).apply_schedule(hl.Pipeline(made.h).schedule)
    shown = []
    for each in (made, other):
        each.h.print_loop_nest()
        shown.append(capsys.readouterr().err)
    assert shown[0] == shown[1]
    np.testing.assert_array_equal(np.array(other.h.realize([30, 20])), np.array(other.h.reference([30, 20])))


@pytest.mark.parametrize("size", [(900, 900), (13, 7), (1, 1)])
@pytest.mark.parametrize("is_output", [False, True])
def test_schedules_are_chosen_around_extern_stages(size: tuple[int, int], is_output: bool):
    made = Made()
    out = made.g if is_output else made.h
    made.image.set_estimates([(0, 1000), (0, 1000)])
    out.set_estimates([(0, 900), (0, 900)])
    pipeline = hl.Pipeline(out)
    source = pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams("halopy")).schedule_source
    assert "f.compute_root()" in source
    assert "f.vectorize(" in source
    assert is_output or "g.compute_root()" in source
    made.image.set(np.arange(1 << 20, dtype=np.int32).reshape(1024, 1024) % 1009)
    np.testing.assert_array_equal(np.array(pipeline.realize(list(size))), np.array(pipeline.reference(list(size))))


def test_what_the_user_wants_inlined_is_not_where_a_function_reads_it():
    made = Made()
    made.f.compute_inline()
    made.image.set_estimates([(0, 1000), (0, 1000)])
    made.h.set_estimates([(0, 900), (0, 900)])
    pipeline = hl.Pipeline(made.h)
    pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams("halopy"))
    made.fill()
    np.testing.assert_array_equal(np.array(pipeline.realize([9, 9])), np.array(pipeline.reference([9, 9])))


def test_loops_are_shown_and_what_the_function_does_is_not_proved(capsys: pytest.CaptureFixture[str]):
    made = Made()
    made.g.compute_at(made.h, y).tile(x, y, xo, yo, xi, yi, 8, 4)
    made.f.compute_at(made.g, xo)
    made.h.print_loop_nest()
    shown = capsys.readouterr().err.split("\n")
    assert [line.strip() for line in shown if line][:9] == [
        "produce h:", "for y:", "produce g:", "for y.yo:", "for x.xo:", "produce f:", "for y:", "for x:",
        "f(...) = ...",
    ]  # fmt: skip
    proof = made.h.verify()
    assert str(proof).startswith("not proved")
    assert "order of g: a function outside computes it" in str(proof)
