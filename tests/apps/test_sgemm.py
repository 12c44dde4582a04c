"""The matrix product gives NumPy's answer under every schedule, transposed or not, at any size."""

import numpy as np
import pytest

from apps import arrays, sgemm
from apps.cases import Size
from apps.cases.sgemm import CASES, multiplied
from schedules import sgemm as schedules

(CASE,) = CASES
TILED = [(64, 64, 64), (6, 13, 65), (50, 3, 129), (260, 1, 64)]
SMALL = [(1, 1, 1), (7, 5, 17)]


def matrices(rows, depth, columns, transpose_a=False, transpose_b=False):
    random = np.random.default_rng(1)
    a = random.standard_normal((depth, rows) if transpose_a else (rows, depth), np.float32)
    b = random.standard_normal((columns, depth) if transpose_b else (depth, columns), np.float32)
    return a, b, random.standard_normal((rows, columns), np.float32)


@pytest.mark.parametrize(
    ("schedule", "shapes"),
    [
        (None, TILED + SMALL),
        (schedules.sgemm, TILED),
        (schedules.sgemm_app, TILED[:1]),
        (schedules.sgemm_small, TILED + SMALL),
    ],
)
@pytest.mark.parametrize(("transpose_a", "transpose_b"), [(False, False), (True, False), (False, True), (True, True)])
def test_products_are_numpys(schedule, shapes, transpose_a, transpose_b):
    algorithm = sgemm.sgemm(transpose_a=transpose_a, transpose_b=transpose_b)
    if schedule:
        schedule(**algorithm.stages)
    for shape in shapes:
        a, b, c = matrices(*shape, transpose_a, transpose_b)
        algorithm.give([a, b, c, 1.5, -0.5])
        found = np.array(algorithm.output.realize([shape[2], shape[0]]))
        expected = multiplied(a.T if transpose_a else a, b.T if transpose_b else b, c, 1.5, -0.5)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_the_case_is_about_the_size_it_is_given():
    size = Size(20, 30)
    assert CASE.output(size).shape == CASE.reference(*CASE.inputs(size)).shape == (30, 20)


def saved(folder, **matrices):
    paths = [folder / f"{name}.npy" for name in matrices]
    for path, matrix in zip(paths, matrices.values(), strict=True):
        np.save(path, matrix)
    return [str(path) for path in paths]


@pytest.mark.parametrize("schedule", ["hand", "auto", "none"])
def test_the_command_multiplies_files_and_says_how_fast(tmp_path, capsys, schedule):
    a, b, c = matrices(20, 9, 33, transpose_b=True)
    out = tmp_path / "product.npy"
    files = saved(tmp_path, a=a, b=b, c=c)
    numbers = ["--alpha", "2", "--beta", "0.25"]
    sgemm.main([*files, "--transpose-b", *numbers, "--out", str(out), "--schedule", schedule])
    np.testing.assert_allclose(np.load(out), multiplied(a, b.T, c, 2, 0.25), rtol=1e-5, atol=1e-5)
    assert "sgemm: 20x9 by 9x33" in (said := capsys.readouterr().out)
    assert "GFLOP/s" in said


def test_without_c_nothing_is_added(tmp_path):
    a, b, _ = matrices(5, 4, 3)
    sgemm.main([*saved(tmp_path, a=a.astype(np.float64), b=b), "--out", str(tmp_path / "product.npy")])
    np.testing.assert_allclose(np.load(tmp_path / "product.npy"), a @ b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ([(3, 4), (5, 6)], "A has 4 columns .3x4., but B has 5 rows .5x6.; they must be as many"),
        ([(3, 4), (4, 6), (6, 3)], "C is 6x3, but the product is 3x6"),
        ([(3, 4)], "two or three files are needed"),
        ([(3, 4), (4,)], "1.npy has 1 dimensions .4.; 2 are needed"),
        ([(3, 0), (0, 4)], "0.npy is empty .3x0."),
    ],
)
def test_matrices_that_do_not_fit_are_refused_in_words(tmp_path, shapes, why):
    files = saved(tmp_path, **{str(k): np.ones(shape, np.float32) for k, shape in enumerate(shapes)})
    with pytest.raises(SystemExit, match=why):
        sgemm.main(files)


def test_files_that_cannot_be_read_or_written_are_refused_in_words(tmp_path):
    (good,) = saved(tmp_path, good=np.ones((2, 2)))
    (tmp_path / "text.npy").write_text("no numbers")
    (words,) = saved(tmp_path, words=np.array([["a"]]))
    for bad, why in [("missing.npy", "No such file"), ("text.npy", "cannot be read"), (words, "holds <U1; numbers")]:
        with pytest.raises(SystemExit, match=why):
            sgemm.main([good, str(tmp_path / bad)])
    for out, why in [
        ("product.png", "named .*npy"),
        ("none/p.npy", "there is no folder"),
        ("good.npy/p.npy", "no folder"),
    ]:
        with pytest.raises(SystemExit, match=why):
            sgemm.main([good, good, "--out", str(tmp_path / out)])
    np.savez(tmp_path / "two.npz", np.ones(2), np.ones(2))
    with pytest.raises(SystemExit, match="several arrays"):
        arrays.load(tmp_path / "two.npz", rank=2)
