"""Stores of large outputs go past the cache where a loop fills lines one after the other, and only there."""

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c import kernel_text

TYPES = [hl.UInt(8), hl.UInt(16), hl.Float(32), hl.Float(64)]


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(kernel_text, "LARGE", 0)


def text_of(func, tmp_path, inputs=()):
    func.compile_to_c(str(tmp_path / "text.c"), list(inputs), "text")
    return (tmp_path / "text.c").read_text()


def doubled(dtype, vector):
    image, x, y = hl.ImageParam(dtype, 2, "image"), hl.Var("x"), hl.Var("y")
    f = hl.Func("f")
    f[x, y] = hl.cast(dtype, image[x, y] + image[x, y])
    f.vectorize(x, vector, hl.TailStrategy.GuardWithIf)
    return image, f


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("vector", [4, 16, 64])
def test_what_is_stored_is_there_wherever_it_begins(dtype, vector, everything_is_large):
    image, f = doubled(dtype, vector)
    f.parallel(f.args()[1])
    for width, offset in ((64, 0), (67, 0), (200, 1), (192, 4), (128, 16)):
        source = np.arange(5 * width, dtype=hl_numpy(dtype)).reshape(5, width)
        memory = np.zeros(5 * width + offset, source.dtype)
        found = memory[offset:].reshape(5, width)
        image.set(hl.Buffer(source))
        f.realize(hl.Buffer(found))
        np.testing.assert_array_equal(found, source + source)


def hl_numpy(dtype):
    return {"u": f"uint{dtype.bits()}", "f": f"float{dtype.bits()}"}["u" if dtype.is_uint() else "f"]


def test_only_large_outputs_go_past_the_cache_and_tasks_wait_for_it(tmp_path):
    image, f = doubled(hl.Float(32), 16)
    f.parallel(f.args()[1])
    text = text_of(f, tmp_path, [image])
    assert f"* 4 >= {kernel_text.LARGE}" in text
    assert "store_past_f32x16(f + " in text
    task = text[text.index("static int each") :]
    assert task.index("store_past_f32x16(f + ") < task.index("PAST_DONE();") < task.index("\n}")


def test_an_output_that_is_read_again_stays_in_the_cache(tmp_path):
    image, f = doubled(hl.Float(32), 16)
    x, y = f.args()
    f[x, y] += 1.0
    f.update(0).vectorize(x, 16, hl.TailStrategy.GuardWithIf)
    assert "store_past" not in text_of(f, tmp_path, [image])


def test_what_another_func_reads_stays_in_the_cache(tmp_path):
    image, f = doubled(hl.Float(32), 16)
    g, x, y = hl.Func("g"), hl.Var("x"), hl.Var("y")
    g[x, y] = f[x, y] + f[x, y + 1]
    f.compute_root()
    g.vectorize(x, 16)
    text = text_of(g, tmp_path, [image])
    assert "store_past_f32x16(g + " in text
    assert "store_past_f32x16(f + " not in text


@pytest.mark.parametrize(("rows", "past"), [(1, True), (8, True), (16, False)])
def test_as_many_lines_are_filled_beside_each_other_as_a_processor_can_hold(rows, past, tmp_path):
    image, f = doubled(hl.Float(32), 16)
    x, y = f.args()
    yi = hl.Var("yi")
    f.split(y, y, yi, rows).reorder(yi, x, y).unroll(yi)
    assert ("store_past" in text_of(f, tmp_path, [image])) is past


def test_lines_that_are_filled_bit_by_bit_stay_in_the_cache(tmp_path):
    image, f = doubled(hl.Float(32), 16)
    x, y = f.args()
    f.reorder(y, x)
    assert "store_past" not in text_of(f, tmp_path, [image])


def test_channels_side_by_side_go_past_the_cache(everything_is_large, tmp_path):
    image, x, y, c = hl.ImageParam(hl.Float(32), 3, "image"), hl.Var("x"), hl.Var("y"), hl.Var("c")
    f, g = hl.Func("f"), hl.Func("g")
    g[x, y] = image[x, y, 0] + image[x, y, 1]
    f[x, y, c] = g[x, y] * image[x, y, c]
    xi = hl.Var("xi")
    f.bound(c, 0, 3).split(x, x, xi, 16).vectorize(xi).reorder(xi, c, x, y).unroll(c)
    g.compute_at(f, x).vectorize(g.args()[0], 16)
    assert text_of(f, tmp_path, [image]).count("store_past_f32x16(f + ") >= 3
    source = np.random.default_rng(0).random((3, 9, 48), np.float32)
    image.set(hl.Buffer(source))
    found = np.zeros_like(source)
    f.realize(hl.Buffer(found))
    np.testing.assert_allclose(found, (source[0] + source[1]) * source, rtol=1e-6)


@pytest.mark.parametrize("features", [[], ["avx2"], ["avx512"]])
def test_a_machine_without_wide_registers_stores_in_parts(features, tmp_path):
    image, f = doubled(hl.Float(32), 16)
    target = hl.Target("-".join(["x86-64-linux", *features]))
    f.compile_to_object(str(tmp_path / "f.o"), [image], "f", target)
    assert (tmp_path / "f.o").stat().st_size > 0
