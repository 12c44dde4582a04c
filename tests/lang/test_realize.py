"""Running pipelines: into new or given buffers, again and again, after changes, from several threads."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

import halopy as hl

from .messages import without_place

x, y, xi = hl.vars("x y xi")


def test_sizes_give_a_new_buffer():
    f = hl.Func("f")
    f[x, y] = x + 10 * y
    b = f.realize([3, 2])
    assert isinstance(b, hl.Buffer) and np.array_equal(b, [[0, 1, 2], [10, 11, 12]])
    assert np.array_equal(f.realize(sizes=(3, 2)), b) and np.array_equal(f.realize([3, 2], hl.get_host_target()), b)


def test_a_given_buffer_is_filled_in_place():
    f, out = hl.Func("f"), np.zeros((2, 3), np.int32)
    f[x, y] = x + 10 * y
    assert f.realize(hl.Buffer(out)) is None and out[1, 2] == 12
    f.realize(dst=hl.Buffer(out[:, 1:]))
    assert out[1].tolist() == [10, 10, 11]


def test_empty_regions_do_nothing():
    f = hl.Func("f")
    f[x, y] = x
    assert np.asarray(f.realize([0, 5])).shape == (5, 0)


def test_several_values_make_a_tuple():
    f = hl.Func("f")
    f[x] = (x, hl.f32(x) * 0.5)
    a, b = f.realize([3])
    assert list(a) == [0, 1, 2] and list(b) == [0, 0.5, 1]
    outs = [hl.Buffer(hl.Int(32), [2]), hl.Buffer(hl.Float(32), [2])]
    f.realize(outs)
    f.realize(tuple(outs))
    assert list(outs[1]) == [0, 0.5]


def test_several_funcs_make_one_pipeline():
    f, g, h = hl.funcs("f g h")
    f[x] = x * x
    g[x] = f[x] + 1
    h[x] = (f[x + 1], g[x])
    f.compute_root()
    p = hl.Pipeline([g, h])
    a, b, c = p.realize([3])
    assert (list(a), list(b), list(c)) == ([1, 2, 5], [1, 4, 9], [1, 2, 5])
    assert [o.name() for o in p.outputs()] == ["g", "h"] and p.get_func(0).name() == "f"
    assert repr(p) == "<halopy.Pipeline ['g','h']>" and p.defined() and not hl.Pipeline().defined()
    for ours, theirs in zip(p.reference([3]), (a, b, c), strict=True):
        assert np.array_equal(ours, theirs)


def test_an_output_may_feed_another_output():
    f, g = hl.funcs("f g")
    f[x] = x * 2
    g[x] = f[x] + 1
    a, b = hl.Pipeline([f, g]).realize([3])
    assert list(a) == [0, 2, 4] and list(b) == [1, 3, 5]


def test_a_changed_schedule_is_compiled_anew():
    f, g = hl.funcs("f g")
    f[x] = x * 2
    g[x] = f[x] + f[x + 1]
    plain = g.pipeline().compiled()
    before = g.realize([20])
    assert g.pipeline().compiled() is plain
    f.compute_root()
    g.vectorize(x, 4)
    scheduled = g.pipeline().compiled()
    assert scheduled is not plain and np.array_equal(g.realize([20]), before)


def test_changes_elsewhere_do_not_compile_again():
    f, other = hl.funcs("f other")
    f[x] = x
    compiled = f.pipeline().compiled()
    other[x] = x + 1
    other.vectorize(x, 4)
    assert f.pipeline().compiled() is compiled


def test_the_cache_can_be_emptied():
    f = hl.Func("f")
    f[x] = x
    compiled = f.pipeline().compiled()
    f.pipeline().invalidate_cache()
    assert f.pipeline().compiled() is not compiled and list(f.realize([2])) == [0, 1]


def test_a_buffer_that_changed_its_shape_is_looked_at_again():
    f, out = hl.Func("f"), hl.Buffer(hl.Int(32), [4])
    f[x] = x
    f.realize(out)
    f.realize(out)
    out.set_min([10])
    f.realize(out)
    assert list(np.asarray(out)) == [10, 11, 12, 13]
    out.crop(0, 12, 2)
    out.fill(0)
    f.realize(out)
    assert list(np.asarray(out)) == [12, 13]


def test_one_output_buffer_may_serve_several_pipelines():
    f, g, out = hl.Func("f"), hl.Func("g"), hl.Buffer(hl.Int(32), [2])
    f[x] = 1
    g[x] = 2
    for func, value in ((f, 1), (g, 2), (f, 1)):
        func.realize(out)
        assert out.all_equal(value)


def test_pipelines_run_from_several_threads_at_once():
    f = hl.Func("f")
    f[x, y] = x * 3 + y
    f.parallel(y).vectorize(x, 4)
    expected = np.asarray(f.reference([64, 32]))
    wrong: list[int] = []

    def run() -> None:
        out = hl.Buffer(hl.Int(32), [64, 32])
        for _ in range(20):
            out.fill(0)
            f.realize(out)
            wrong.append(int((np.asarray(out) != expected).sum()))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == [0] * 80


def test_the_reference_follows_given_regions():
    f, out = hl.Func("f"), hl.Buffer(hl.Int(32), [3])
    f[x] = x * x
    out.set_min([-2])
    reference = f.reference(out)
    assert list(np.asarray(reference)) == [4, 1, 0] and reference.left() == -2
    assert f.reference([3])[2] == 4


def test_c_text_can_be_written(tmp_path):
    f = hl.Func("f")
    f[x] = x
    f.compile_to_c(tmp_path / "f.c", [], "my_kernel")
    assert "my_kernel(" in (tmp_path / "f.c").read_text()
    f.compile_jit()


def test_single_expressions_have_a_value_now():
    assert hl.evaluate(hl.Expr(3) + 4) == 7
    assert hl.evaluate((hl.u8(250) + hl.u8(10), hl.f32(0.5))) == (4, 0.5)


REFUSED = {
    "sizes-of-other-rank": lambda f: f.realize([3]),
    "sizes-negative": lambda f: f.realize([3, -1]),
    "sizes-of-text": lambda f: f.realize("3"),
    "buffer-of-other-type": lambda f: f.realize(hl.Buffer(hl.UInt(8), [3, 3])),
    "buffer-of-other-rank": lambda f: f.realize(hl.Buffer(hl.Int(32), [3])),
    "too-many-buffers": lambda f: f.realize([hl.Buffer(hl.Int(32), [3, 3])] * 2),
    "unknown-target": lambda f: f.realize([3, 3], hl.Target("toaster")),
}  # fmt: skip


@pytest.mark.parametrize("run", REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_would_be_accepted(run, golden):
    f = hl.Func("f")
    f[x, y] = x + y
    with pytest.raises(hl.HalideError) as refused:
        run(f)
    assert without_place(refused.value) == golden


def test_an_output_that_is_too_small_for_the_tail_is_refused(golden):
    f = hl.Func("f")
    f[x] = x
    f.vectorize(x, 8, hl.TailStrategy.RoundUp)
    f.realize(hl.Buffer(hl.Int(32), [8]))
    with pytest.raises(hl.HalideError) as refused:
        f.realize(hl.Buffer(hl.Int(32), [9]))
    assert str(refused.value) == golden


def test_names_in_messages_are_those_of_the_user(golden):
    image, f = hl.ImageParam(hl.UInt(8), 1, "my picture"), hl.Func("f")
    f[x] = image[x + 5]
    image.set(np.zeros(4, np.uint8))
    with pytest.raises(hl.BufferError) as refused:
        f.realize([1])
    assert re.sub(r", \S+:\d+", ", FILE:LINE", str(refused.value)) == golden


def test_another_target_in_the_environment_is_noticed(monkeypatch):
    f, x = hl.Func("f"), hl.Var("x")
    f[x] = hl.select(hl.target_has_feature(hl.TargetFeature.AVX2), 1, 0)
    monkeypatch.setenv("HL_JIT_TARGET", "host")
    f.realize([1])
    base = "-".join(str(hl.get_host_target()).split("-")[:3])
    monkeypatch.setenv("HL_JIT_TARGET", base)
    assert list(f.realize([1])) == [0]
    monkeypatch.setenv("HL_JIT_TARGET", f"{base}-avx2")
    assert list(f.realize([1])) == [1]
    monkeypatch.setenv("HL_JIT_TARGET", "hexagon-32-noos")
    with pytest.raises(hl.UnsupportedTarget, match="HL_JIT_TARGET"):
        f.realize([1])
    monkeypatch.setenv("HL_JIT_TARGET", base)
    assert list(f.realize([1])) == [0]


def test_one_buffer_is_not_enough_for_a_tuple():
    f, buffers = hl.Func("f"), [hl.Buffer(hl.Int(32), [3]) for _ in range(2)]
    f[x] = (x, x * 2)
    with pytest.raises(hl.BufferError, match="the pipeline has 2 output buffers, but 1 were given"):
        f.realize(buffers[0])
    f.realize(buffers)
    assert list(buffers[1]) == [0, 2, 4]


def test_an_update_without_bounds_is_named():
    f, where, r = hl.Func("f"), hl.ImageParam(hl.Int(32), 1, "where"), hl.RDom([(0, 4)])
    f[x] = 0
    f[where[r]] += 1
    with pytest.raises(hl.DefinitionError, match="an update of it has an index that may have any value"):
        f.compile_jit()


def test_the_values_of_a_tuple_have_one_region():
    f = hl.Func("f")
    f[x] = (x, x * 2)
    first, second = (hl.Buffer(hl.Int(32), [n]) for n in (4, 6))
    for wrong in ([first, second], [second, first]):
        with pytest.raises(hl.BufferError, match=r"output `f\.1` breaks a constraint: its extent of dimension 0 is"):
            f.realize(wrong)
    second.crop(0, 0, 4)
    f.realize([first, second])
    assert list(second) == [0, 2, 4, 6]


def test_an_output_is_given_once():
    f, g = hl.funcs("f g")
    f[x] = x
    g[x] = x + 1
    with pytest.raises(hl.DefinitionError, match="Func `f` is given twice as an output"):
        hl.Pipeline([f, g, f])
    assert list(hl.Pipeline([f, g]).realize([2])[1]) == [1, 2]
