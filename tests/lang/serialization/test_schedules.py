"""A schedule is a value: taken from one pipeline, kept as text, and given to a fresh pipeline of the same algorithm."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.lang.serialization.directive_text import FORMS
from halopy.lang.serialization.directives import OF_FUNCS, OF_STAGES

from ...test_directives import ALONE, INNER, PLACES
from ...test_directives import pipeline as two_funcs
from ...test_specialize import VERSIONS
from .corruption import tampered
from .pipelines import FAMILY, text_of, x, y

EVERY = {
    **ALONE,
    **{f"{i} {p}": lambda f, g, i=i, p=p: (INNER[i](f, g), PLACES[p](f, g)) for i in INNER for p in PLACES},
}
NAMED = ("stencil", "versions", "inputs")  # all that they are made of has a name


def again(schedule: hl.Schedule) -> hl.Schedule:
    return hl.Schedule.from_json(schedule.to_json())


def run(text: str, **named: object) -> None:
    """Call the function that a schedule is as Python."""
    space: dict[str, Callable[..., None]] = {}
    exec(compile(text, "<schedule>", "exec"), space)
    function = space["schedule"]
    function(*(named[name] for name in inspect.signature(function).parameters))


@pytest.mark.parametrize("name", EVERY)
def test_a_fresh_pipeline_with_the_same_schedule_has_the_same_text(name: str) -> None:
    f, g = two_funcs()
    EVERY[name](f, g)
    schedule = hl.Pipeline(f).schedule
    fresh, g = two_funcs()
    other = hl.Pipeline(fresh)
    other.apply_schedule(again(schedule))
    assert other.schedule == schedule
    assert text_of(other) == text_of(hl.Pipeline(f))


@pytest.mark.parametrize("name", EVERY)
def test_the_python_text_gives_the_same_schedule(name: str) -> None:
    f, g = two_funcs()
    EVERY[name](f, g)
    schedule = hl.Pipeline(f).schedule
    fresh, g = two_funcs()
    run(schedule.to_python(), f=fresh, g=g)
    assert schedule.diff(hl.Pipeline(fresh).schedule) == ""
    assert schedule == hl.Pipeline(fresh).schedule


@pytest.mark.parametrize("name", FAMILY)
def test_a_schedule_replaces_the_one_that_there_was(name: str) -> None:
    pipeline = FAMILY[name]()
    schedule, text = pipeline.schedule, text_of(pipeline)
    pipeline.apply_schedule(hl.Schedule())
    assert pipeline.schedule == hl.Schedule()
    pipeline.apply_schedule(again(schedule))
    assert pipeline.schedule == schedule
    assert text_of(pipeline) == text


@pytest.mark.parametrize("name", NAMED)
def test_wrappers_versions_and_sizes_of_parameters_are_part_of_it(name: str) -> None:
    pipeline, fresh = FAMILY[name](), FAMILY[name]()
    fresh.apply_schedule(hl.Schedule())
    fresh.apply_schedule(again(pipeline.schedule))
    assert text_of(fresh) == text_of(pipeline)


@pytest.mark.parametrize("name", VERSIONS)
def test_versions_are_written_as_python(name: str) -> None:
    def algorithm() -> tuple[hl.Func, hl.Param]:
        f, n = hl.Func("f"), hl.Param(hl.Int(32), "n", 3)
        f[x, y] = x + y * n
        return f, n

    f, n = algorithm()
    VERSIONS[name](f.specialize((n % 4 == 2) & (n < f.output_buffer().dim(0).extent())))
    f.specialize_fail('"it\'s"\n')
    schedule = hl.Pipeline(f).schedule
    fresh, m = algorithm()
    run(schedule.to_python(), f=fresh, n=m)
    assert schedule == hl.Pipeline(fresh).schedule
    other, m = algorithm()
    hl.Pipeline(other).apply_schedule(again(schedule))
    assert text_of(hl.Pipeline(other)) == text_of(hl.Pipeline(f))


def test_what_nobody_named_is_found_by_its_place() -> None:
    def algorithm() -> tuple[hl.Func, hl.Func, hl.RDom]:
        f, g, r = hl.Func(), hl.Func(), hl.RDom([(0, 8), (0, 3)])
        g[x] = x
        f[x] = 0
        f[x] += g[x + r.x] * r.y
        return f, g, r

    f, g, r = algorithm()
    g.compute_root().vectorize(x, 4)
    f.update(0).reorder(r.y, x, r.x).unroll(r.y)
    fresh, _, _ = algorithm()
    pipeline = hl.Pipeline(fresh)
    pipeline.apply_schedule(again(hl.Pipeline(f).schedule))
    np.testing.assert_array_equal(np.asarray(pipeline.realize([9])), np.asarray(f.realize([9])))
    assert [len(row["stages"][-1]["directives"]) for row in json.loads(pipeline.schedule.to_json())["schedules"]] == [
        2,
        2,
    ]


def test_a_schedule_that_does_not_fit_says_why_and_changes_nothing() -> None:
    f, g = two_funcs()
    g.compute_root().split(x, hl.Var("xo"), hl.Var("xi"), 8)
    schedule = hl.Pipeline(f).schedule
    other, producer = hl.Func("f"), hl.Func("g")
    producer[y] = y
    other[y] = producer[y]
    producer.compute_root()
    pipeline = hl.Pipeline(other)
    before = pipeline.schedule
    with pytest.raises(hl.ScheduleError) as refused:
        pipeline.apply_schedule(schedule)
    assert "the schedule does not fit the pipeline, at schedules[1].stages[0].directives[0]" in str(refused.value)
    assert "g has no loop `x`" in str(refused.value)
    assert pipeline.schedule == before
    lonely = hl.Func("lonely")
    lonely[x] = x
    with pytest.raises(hl.ScheduleError, match="the pipeline has no Func `f`"):
        hl.Pipeline(lonely).apply_schedule(schedule)


def test_an_illegal_directive_is_refused_when_it_is_applied() -> None:
    def algorithm(is_sum: bool) -> hl.Pipeline:
        f, r = hl.Func("f"), hl.RDom([(0, 8)], "r")
        f[x] = 0
        f[r.x % 4] = f[r.x % 4] + r.x if is_sum else f[r.x % 4] * 2 + r.x
        return hl.Pipeline(f)

    first = algorithm(True)
    first.outputs()[0].update(0).allow_race_conditions().parallel(hl.RVar("r$x"))
    content = json.loads(first.schedule.to_json())
    del content["schedules"][0]["stages"][1]["directives"][0]  # the permission
    with pytest.raises(hl.ScheduleError, match="race"):
        algorithm(False).apply_schedule(hl.Schedule.from_json(json.dumps(content)))


def test_a_difference_lists_directives() -> None:
    f, g = two_funcs()
    g.compute_root()
    before = hl.Pipeline(f).schedule
    g.vectorize(x, 4)
    f.parallel(y)
    after = hl.Pipeline(f).schedule
    assert before.diff(after).splitlines() == ["+ f.parallel(y)", "+ g.split(x, x, x_v, 4)", "+ g.vectorize(x_v)"]
    assert after.diff(before).splitlines() == ["- f.parallel(y)", "- g.split(x, x, x_v, 4)", "- g.vectorize(x_v)"]
    assert before != after


@pytest.mark.parametrize("name", FAMILY)
def test_a_changed_text_is_refused_or_is_another_schedule(name: str) -> None:
    pipeline = FAMILY[name]()
    text = pipeline.schedule.to_json()
    for end in range(0, len(text) - 3, 97):
        with pytest.raises(hl.SerializationError):
            hl.Schedule.from_json(text[:end])
    for changed in tampered(text, every=11):
        try:
            schedule = hl.Schedule.from_json(changed)
            schedule.to_python()
            pipeline.apply_schedule(schedule)
        except hl.HalideError:
            pass


def test_nothing_in_a_document_becomes_code_in_the_python_text() -> None:
    evil = "x'); raise SystemError('"
    f = hl.Func("f")
    f[hl.Var(evil)] = 1
    f.unroll(hl.Var(evil), 2).add_trace_tag(evil).gpu_single_thread()
    pipeline = hl.Pipeline(f)
    text = pipeline.schedule.to_python()
    pipeline.apply_schedule(hl.Schedule())
    run(text, f=f)
    content = json.loads(pipeline.schedule.to_json().replace("Default_GPU", "CUDA + evil()"))
    with pytest.raises(hl.SerializationError, match="there is no device"):
        hl.Schedule.from_json(json.dumps(content)).to_python()


def test_every_directive_has_a_python_form() -> None:
    assert set(FORMS) == {*OF_STAGES, *OF_FUNCS}
