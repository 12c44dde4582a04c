"""Modules for Python that the generators' command line writes: imported and called."""

from __future__ import annotations

import array
import gc
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import numpy as np
import pytest

import halopy as hl

from . import generators  # defines the generators
from .programs import needs_gcc, needs_gxx

HEADERS = Path(sysconfig.get_path("include"))
pytestmark = [
    needs_gcc,
    pytest.mark.skipif(not (HEADERS / "Python.h").is_file(), reason="no Python.h"),
]
assert generators.Shifted


def write(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["generators.py", *map(str, arguments)])
    hl.main()


def imported(folder, name):
    """The function of the module; one of Python's own may have its name, and keeps it."""
    (path,) = folder.glob(f"{name}*{sysconfig.get_config_var('EXT_SUFFIX')}")
    spec = importlib.util.spec_from_file_location(name, path)
    own = sys.modules.get(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop(name, None)
    if own is not None:
        sys.modules[name] = own
    return getattr(module, name)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    patch = pytest.MonkeyPatch()
    for name, params in {"shifted": ["image.type=uint8", "fast=true"], "numbers": [], "truths": []}.items():
        write(patch, "-g", name, "-o", folder, "-e", "python_module", *params)
    patch.undo()
    return {name: imported(folder, name) for name in ("shifted", "numbers", "truths")}


@pytest.fixture
def shifted(made):
    return made["shifted"]


PICTURE = np.arange(35, dtype=np.uint8).reshape(5, 7)


def test_arrays_are_taken_by_place_and_name(shifted):
    out = np.zeros(PICTURE.shape, np.int32)
    assert shifted(PICTURE, 3, out) is None
    assert np.array_equal(out, PICTURE.astype(np.int32) * 3 + 1)
    shifted(out=out, factor=np.int64(-2), image=PICTURE)
    assert np.array_equal(out, PICTURE.astype(np.int32) * -2 + 1)
    assert "image: input of type uint8, 2 dimensions" in shifted.__doc__


def test_the_order_of_an_array_tells_which_axis_is_first(shifted):
    """In Fortran's order, f[x, y] is array[x, y]; both orders in one call meet in the middle."""
    out = np.zeros(PICTURE.T.shape, np.int32, order="F")
    shifted(PICTURE, 2, out)
    assert np.array_equal(out.T, PICTURE.astype(np.int32) * 2 + 1)
    row, column = PICTURE[:1], np.zeros((1, 7), np.int32)
    shifted(row, 1, column)
    assert np.array_equal(column, row.astype(np.int32) + 1)


def test_rows_of_a_larger_picture_are_taken_as_they_lie(shifted):
    out = np.zeros((5, 9), np.int32)
    shifted(PICTURE[::2, 1:6], 1, out[1:4, 2:7])
    assert np.array_equal(out[1:4, 2:7], PICTURE[::2, 1:6].astype(np.int32) + 1)
    assert out[0].sum() == out[4].sum() == out[:, :2].sum() == out[:, 7:].sum() == 0
    shifted(PICTURE[::-1], 1, out[:, :7])
    assert np.array_equal(out[:, :7], PICTURE[::-1].astype(np.int32) + 1)


def test_buffers_keep_their_mins(shifted):
    image, out = hl.Buffer(PICTURE), hl.Buffer(hl.Int(32), [4, 3])
    out.set_min([2, 1])
    shifted(image, 1, out)
    assert np.array_equal(np.asarray(out), PICTURE[1:4, 2:6].astype(np.int32) + 1)


def test_scalars_of_all_types_and_tuples(made):
    total, wide = np.zeros(4), np.zeros(4, np.uint64)
    made["numbers"](True, -128, 65535, -(2**40), 2**64 - 3, 0.5, 0.25, total, out_1=wide)
    assert list(total) == [1 - 128 + 65535 - 2.0**40 + 0.75] * 4
    assert list(wide) == [2**64 - 3, 2**64 - 2, 2**64 - 1, 0]
    good = [False, 0, 0, 0, 0, 0.0, 0.0, total, wide]
    for place, wrong in [(1, 128), (1, -129), (2, -1), (2, 65536), (3, 2**63), (4, -1), (4, 2**64)]:
        with pytest.raises(OverflowError, match="its type does not have this value"):
            made["numbers"](*good[:place], wrong, *good[place + 1 :])
    for place, wrong in [(1, 0.5), (2, "1"), (5, "x"), (6, None)]:
        with pytest.raises(TypeError):
            made["numbers"](*good[:place], wrong, *good[place + 1 :])


def test_truths_and_half_floats(made):
    given, halves = np.array([True, False, True]), np.array([0.5, 1.5, 2048], np.float16)
    out, twice = np.zeros(3, bool), np.zeros(3, np.float16)
    made["truths"](given, halves, out, twice)
    assert list(out) == [False, True, False] and list(twice) == [1, 3, 4096]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"image": PICTURE[0]}, ValueError, "Invalid argument image: Expected 2 dimensions, got 1"),
        ({"image": 3}, ValueError, "Invalid argument image: Expected a buffer of 2 dimensions"),
        ({"out": PICTURE.tobytes()}, ValueError, "Invalid argument out: Expected a writable buffer"),
        ({"image": PICTURE.astype(">i2")}, ValueError, "Invalid data type for image: >h"),
        ({"image": PICTURE.astype(complex)}, ValueError, "Invalid data type for image: Zd"),
        ({"image": PICTURE.astype(np.int32)}, RuntimeError, "Halide Runtime Error: -3"),
        ({"image": PICTURE[:4]}, RuntimeError, "Halide Runtime Error: -4"),
        ({"image": PICTURE[:, ::2], "out": np.zeros((5, 4), np.int32)}, RuntimeError, "Halide Runtime Error: -8"),
        ({"factor": 0}, RuntimeError, "Halide Runtime Error: -27"),
        ({"color": 0}, TypeError, "shifted() takes at most 3"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, kind, message, shifted):
    with pytest.raises(kind) as refused:
        shifted(**{"image": PICTURE, "factor": 1, "out": np.zeros(PICTURE.shape, np.int32), **arguments})
    assert message in str(refused.value)
    if kind is RuntimeError and sys.version_info >= (3, 11):
        assert refused.value.__notes__


def test_a_failed_run_says_why_in_a_note(shifted):
    with pytest.raises(RuntimeError) as refused:
        shifted(PICTURE, 0, np.zeros(PICTURE.shape, np.int32))
    assert str(refused.value) == "Halide Runtime Error: -27"
    assert sys.version_info < (3, 11) or "the factor is zero" in refused.value.__notes__[0]


def test_buffers_are_given_back(shifted):
    data = array.array("i", [0] * 35)
    for factor in (1, 0):
        out = memoryview(data).cast("B").cast("i", (5, 7))
        try:
            shifted(PICTURE, factor, out)
        except RuntimeError:
            assert factor == 0
        out.release()
    count = sys.getrefcount(PICTURE)
    for _ in range(50):
        shifted(PICTURE, 1, np.zeros(PICTURE.shape, np.int32))
        with pytest.raises(ValueError, match="Expected 2 dimensions"):
            shifted(PICTURE, 1, np.zeros(3, np.int32))
    gc.collect()
    assert sys.getrefcount(PICTURE) == count
    data.append(1)  # raises BufferError while anyone has a view


def test_several_threads_call_at_once_and_have_messages_of_their_own(shifted):
    wrong = []

    def work(factor):
        out = np.zeros(PICTURE.shape, np.int32)
        for _ in range(50):
            try:
                shifted(PICTURE, factor, out)
                good = factor != 0 and np.array_equal(out, PICTURE.astype(np.int32) * factor + 1)
            except RuntimeError:
                good = factor == 0
            if not good:
                wrong.append(factor)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("compiler", ["gcc", pytest.param("g++", marks=needs_gxx)])
@pytest.mark.parametrize("features", ["", "-user_context", "-c_plus_plus_name_mangling"])
def test_the_text_is_c_and_cpp_without_warnings(compiler, features, tmp_path, monkeypatch):
    target = f"target=host{features}"
    kinds = "python_extension,object"
    write(monkeypatch, "-g", "shifted", "-o", tmp_path, "-f", "own", "-e", kinds, target, "image.type=uint8")
    text = tmp_path / ("own.py.cpp" if compiler == "g++" else "own.c")
    if not text.exists():
        shutil.copy(tmp_path / "own.py.cpp", text)
    module = tmp_path / f"own{sysconfig.get_config_var('EXT_SUFFIX')}"
    command = [compiler, "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{HEADERS}", str(text)]
    command += [str(tmp_path / "own.o"), "-o", str(module), "-lm", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stderr
    out = np.zeros(PICTURE.shape, np.int32)
    context = [b"anything"] if "context" in features else []
    imported(tmp_path, "own")(*context, PICTURE, 4, out)
    assert np.array_equal(out, PICTURE.astype(np.int32) * 4 + 1)


def test_the_module_may_be_called_otherwise(tmp_path, monkeypatch):
    write(monkeypatch, "-g", "numbers", "-o", tmp_path, "-e", "python_extension")
    command = ["gcc", "-x", "c", "-E", "-DHALIDE_PYTHON_EXTENSION_MODULE_NAME=other", f"-I{HEADERS}"]
    ran = subprocess.run(
        [*command, str(tmp_path / "numbers.py.cpp")], capture_output=True, text=True, timeout=60, check=True
    )
    assert "PyInit_other(" in ran.stdout and '"other"' in ran.stdout


def test_without_headers_the_module_is_refused_and_the_text_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    write(monkeypatch, "-g", "numbers", "-o", tmp_path, "-e", "python_extension")
    with pytest.raises(SystemExit):
        write(monkeypatch, "-g", "numbers", "-o", tmp_path, "-e", "python_module")
    assert f"there is no Python.h in {tmp_path}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.py.cpp"]
