"""Automatic schedules: no answer changes, none is refused, and what is chosen can be read and repeated."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl

X, Y, C = hl.Var("x"), hl.Var("y"), hl.Var("c")
HOST = hl.get_host_target()
OURS = hl.AutoschedulerParams("halopy")
Made = tuple[hl.Pipeline, list[hl.ImageParam]]


def image(dtype: hl.Type, *sizes: int, name: str = "image") -> hl.ImageParam:
    made = hl.ImageParam(dtype, len(sizes), name)
    made.set_estimates([(0, size) for size in sizes])
    return made


def blur(width: int = 1536, height: int = 2560) -> Made:
    grey = image(hl.UInt(16), width, height, name="grey")
    clamped = hl.BoundaryConditions.repeat_edge(grey)
    blur_x, blur_y = hl.Func("blur_x"), hl.Func("blur_y")
    blur_x[X, Y] = (clamped[X - 1, Y] + clamped[X, Y] + clamped[X + 1, Y]) / 3
    blur_y[X, Y] = (blur_x[X, Y - 1] + blur_x[X, Y] + blur_x[X, Y + 1]) / 3
    blur_y.set_estimates([(0, width), (0, height)])
    return hl.Pipeline(blur_y), [grey]


def source_of(make: Callable[[], Made], params: hl.AutoschedulerParams = OURS) -> str:
    return make()[0].apply_autoscheduler(HOST, params).schedule_source


def fill(images: list[hl.ImageParam], sizes: tuple[int, ...]) -> None:
    random = np.random.default_rng(sum(sizes))
    for param in images:
        shape = tuple(reversed(sizes))[-param.dimensions() :]
        param.set(hl.Buffer(random.integers(0, 4096, shape).astype(np.uint16)))


@pytest.mark.parametrize("sizes", [(1, 1), (3, 50), (37, 5), (101, 77)])
def test_a_blur_is_the_same_for_sizes_other_than_the_estimates(sizes):
    pipeline, images = blur()
    pipeline.apply_autoscheduler(HOST, OURS)
    fill(images, sizes)
    assert np.array_equal(pipeline.realize(list(sizes)), pipeline.reference(list(sizes)))


def test_a_long_loop_is_spread_over_threads_and_the_dense_one_over_lanes():
    source = source_of(blur)
    assert "blur_y.parallel(y)" in source
    assert "blur_y.vectorize(x_v)" in source


def test_the_source_repeats_the_schedule(tmp_path, monkeypatch):
    scheduled, images = blur()
    (tmp_path / "found_schedule.py").write_text(scheduled.apply_autoscheduler(HOST, OURS).schedule_source)
    monkeypatch.syspath_prepend(tmp_path)
    repeated, _ = blur()
    __import__("found_schedule").schedule(repeated)
    texts = []
    for pipeline in (scheduled, repeated):
        pipeline.compile_to_c(str(tmp_path / "kernel.c"), [hl.Argument(images[0])], "kernel", HOST)
        texts.append(re.sub(r"\[[^]]*\.py:\d+]", "", (tmp_path / "kernel.c").read_text()))  # lines of directives
    assert texts[0] == texts[1]


def test_equal_pipelines_get_equal_schedules():
    assert source_of(blur) == source_of(blur)


@pytest.mark.parametrize("name", ["Mullapudi2016", "Adams2019", "Li2018"])
def test_the_names_of_halides_schedulers_mean_the_one_there_is(name):
    hl.load_plugin(f"autoschedule_{name.lower()}")
    assert source_of(blur, hl.AutoschedulerParams(name)) == source_of(blur)


def test_plugins_may_be_named_by_their_files():
    hl.load_plugin("some/where/libautoschedule_mullapudi2016.so")
    with pytest.raises(hl.UnsupportedTarget, match="the plugin `libzebra` cannot be loaded"):
        hl.load_plugin("libzebra")


def test_the_results_tell_what_was_asked():
    params = hl.AutoschedulerParams("Mullapudi2016", {"parallelism": 4})
    results = blur()[0].apply_autoscheduler(HOST, params)
    assert (results.target, results.autoscheduler_params, results.featurization) == (HOST, params, b"")
    assert params.extra == {"parallelism": "4"}


def test_the_scheduler_for_graphics_processors_is_refused():
    hl.load_plugin("autoschedule_anderson2021")
    with pytest.raises(hl.UnsupportedTarget, match="`Anderson2021` is for graphics processors"):
        source_of(blur, hl.AutoschedulerParams("Anderson2021"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (hl.AutoschedulerParams(), "no automatic scheduler is named"),
        (hl.AutoschedulerParams("Zebra2030"), "there is no automatic scheduler `Zebra2030`"),
        (hl.AutoschedulerParams("Li2018", {"beam_size": 4}), "the automatic scheduler has no setting `beam_size`"),
        (hl.AutoschedulerParams("Li2018", {"parallelism": "many"}), "the setting `parallelism` .* is `many`"),
        (hl.AutoschedulerParams("Li2018", {"parallelism": 0}), "the setting `parallelism` .* is `0`"),
    ],
)
def test_an_unknown_scheduler_or_setting_is_refused(params, message):
    with pytest.raises(hl.ScheduleError, match=message):
        source_of(blur, params)


def test_a_setting_changes_the_schedule():
    few, many = ({"parallelism": n} for n in (1, 64))
    assert source_of(blur, hl.AutoschedulerParams("halopy", few)) != source_of(
        blur, hl.AutoschedulerParams("halopy", many)
    )


def test_a_missing_estimate_of_an_output_is_named():
    f = hl.Func("f")
    f[X, Y] = X + Y
    f.set_estimate(X, 0, 100)
    with pytest.raises(hl.ScheduleError) as refused:
        hl.Pipeline(f).apply_autoscheduler(HOST, OURS)
    assert "an estimate of the min of output `f` in dimension 1, `y`" in str(refused.value)
    assert "f.set_estimate(y, min, extent)" in str(refused.value)


def test_a_missing_estimate_of_an_input_is_named_where_the_regions_depend_on_it():
    source, f = hl.ImageParam(hl.UInt(8), 1, "source"), hl.Func("f")
    f[X] = hl.BoundaryConditions.repeat_edge(source)[X]
    f.set_estimate(X, 0, 100)
    with pytest.raises(hl.ScheduleError) as refused:
        hl.Pipeline(f).apply_autoscheduler(HOST, OURS)
    assert "of input `source` in dimension 0" in str(refused.value)
    assert "source.dim(0).set_estimate(min, extent)" in str(refused.value)


def test_a_missing_estimate_of_a_param_is_named_where_the_regions_depend_on_it():
    radius = hl.Param(hl.Int(32), "radius")
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, radius)])
    f[X] = hl.sqrt(hl.f32(X))
    g[X] = hl.f32(0)
    g[X] += f[X + r]
    g.set_estimate(X, 0, 100)
    with pytest.raises(hl.ScheduleError, match="an estimate of the value of Param `radius`"):
        hl.Pipeline(g).apply_autoscheduler(HOST, OURS)
    radius.set_estimate(5)
    hl.Pipeline(g).apply_autoscheduler(HOST, OURS)
    radius.set(7)
    assert np.array_equal(g.realize([33]), g.reference([33]))


@pytest.mark.parametrize(
    "directive",
    [
        lambda f: f.parallel(Y),
        lambda f: f.reorder(Y, X),
        lambda f: f.compute_root(),
        lambda f: f.store_in(hl.MemoryType.Heap),
    ],
)
def test_a_pipeline_that_has_a_schedule_is_refused(directive):
    pipeline, _ = blur()
    directive(pipeline.get_func(3))
    with pytest.raises(hl.ScheduleError, match=r"cannot be scheduled automatically after blur_y\."):
        pipeline.apply_autoscheduler(HOST, OURS)


def test_a_pipeline_is_scheduled_once():
    pipeline, _ = blur()
    pipeline.apply_autoscheduler(HOST, OURS)
    with pytest.raises(hl.ScheduleError, match="cannot be scheduled automatically after"):
        pipeline.apply_autoscheduler(HOST, OURS)


def test_bounds_may_be_given_before():
    pipeline, images = blur()
    out = pipeline.get_func(3)
    out.bound(X, 0, 64)
    pipeline.apply_autoscheduler(HOST, OURS)
    fill(images, (64, 33))
    assert np.array_equal(pipeline.realize([64, 33]), pipeline.reference([64, 33]))


def test_what_the_user_wants_inlined_stays_inlined():
    pipeline, _ = blur()
    pipeline.get_func(2).compute_inline()
    assert "compute" not in pipeline.apply_autoscheduler(HOST, OURS).schedule_source
