"""Finding and driving the C compiler, with compilers that misbehave."""

from __future__ import annotations

import dataclasses
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from halopy.codegen.c.registers import SUMS
from halopy.errors import CompilerFailed, CompilerNotFound
from halopy.runtime import RawBuffer, compilers, load
from halopy.runtime.cache import user_cache
from halopy.runtime.compilers import Compiler, compile_library, compiler_flags, find_compiler, openmp_flags

from .kernels import fill, kernel

GCC = shutil.which("gcc")
ZIG = compilers._zig()


class Scripts:
    """A folder of fake compilers, and a search path that has only them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        for name in ("HALOPY_CC", "CC"):
            monkeypatch.delenv(name, raising=False)

    def add(self, name: str, compiling: str = "exit 1", version: str = "echo fake 1.0") -> Path:
        path = self.folder / name
        path.write_text(
            f'#!/bin/sh\nPATH=/usr/bin:/bin\ncase "$*" in *--version) {version}; exit;; esac\n{compiling}\n'
        )
        path.chmod(0o755)
        return path


@pytest.fixture
def scripts(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(tmp_path / "bin", monkeypatch)


def found() -> tuple[str, ...]:
    return find_compiler(user_cache()).command


def test_compilers_are_sought_in_a_fixed_order(scripts, monkeypatch):
    monkeypatch.setattr(compilers, "_zig", lambda: None)
    for name in ("cc", "clang", "gcc", "usual", "named"):
        scripts.add(name)
    scripts.monkeypatch.setenv("CC", "usual -m64")
    scripts.monkeypatch.setenv("HALOPY_CC", "named")
    assert found() == (str(scripts.folder / "named"),)
    scripts.monkeypatch.delenv("HALOPY_CC")
    assert found() == (str(scripts.folder / "usual"), "-m64")
    scripts.monkeypatch.setenv("CC", "missing")
    assert found() == (str(scripts.folder / "gcc"),)
    for name, path in (("clang", "second"), ("cc", "third")):
        scripts.monkeypatch.setenv("PATH", str(scripts.folder / path))
        (scripts.folder / path).mkdir()
        shutil.copy(scripts.folder / name, scripts.folder / path / name)
        assert found() == (str(scripts.folder / path / name),)


def test_without_a_compiler_the_error_says_the_command(scripts, monkeypatch, golden):
    monkeypatch.setattr(compilers, "_zig", lambda: None)
    with pytest.raises(CompilerNotFound) as refused:
        find_compiler(user_cache())
    assert str(refused.value) == golden


@pytest.mark.parametrize("value", ["no-such-compiler -O9", "'open quotation", "   "])
def test_a_wrong_halopy_cc_is_named(scripts, value):
    scripts.add("gcc")
    scripts.monkeypatch.setenv("HALOPY_CC", value)
    with pytest.raises(CompilerNotFound) as refused:
        find_compiler(user_cache())
    assert repr(value) in str(refused.value)


def test_the_version_is_asked_once_and_remembered(scripts):
    script = scripts.add("gcc", version='echo asked >> "$0.log"; echo fake 1.0')
    log = Path(f"{script}.log")
    for _ in range(2):
        compilers._remembered.cache_clear()  # as in a new process
        assert find_compiler(user_cache()).identity == "fake 1.0\n"
    assert log.read_text() == "asked\n"
    script.write_text(script.read_text().replace("fake 1.0", "fake 2.0.0"))
    compilers._remembered.cache_clear()
    assert find_compiler(user_cache()).identity == "fake 2.0.0\n"


def test_a_program_that_is_no_compiler_is_refused(scripts, golden):
    script = scripts.add("gcc", version="echo 'what version?'; echo 'error: not me' >&2; exit 3")
    with pytest.raises(CompilerFailed) as refused:
        find_compiler(user_cache())
    assert str(refused.value).replace(str(script), "GCC") == golden


def test_a_compilers_errors_are_shown_in_short_and_the_text_is_kept(scripts, golden):
    noise = "for i in 1 2 3 4 5 6 7 8 9; do echo note $i; echo kernel.c:$i: error: bad thing $i >&2; done; exit 1"
    script = scripts.add("gcc", compiling=noise)
    with pytest.raises(CompilerFailed) as failed:
        load(fill(1))
    *shown, kept = str(failed.value).splitlines()
    assert "\n".join(shown).replace(str(script), "GCC") == golden
    assert len(failed.value.log.splitlines()) == 18
    assert fill(1).text in Path(kept.removeprefix("  the C text was kept in ")).read_text(errors="replace")


@pytest.mark.skipif(GCC is None, reason="needs gcc")
def test_a_text_that_is_wrong_gives_the_compilers_own_words(cache_folder, monkeypatch):
    monkeypatch.setenv("HALOPY_CC", str(GCC))
    with pytest.raises(CompilerFailed, match=r"\n  kernel.c:\d+:\d+: error: 'nonsense' undeclared"):
        load(kernel("wrong", "return nonsense;"))
    assert not list(cache_folder.glob(".unfinished*"))


def test_a_compiler_that_hangs_is_killed_with_its_children(scripts, monkeypatch, tmp_path):
    pid = tmp_path / "pid"
    scripts.add("gcc", compiling=f"sleep 50 & echo $! > {pid}; wait")
    monkeypatch.setenv("HALOPY_CC_SECONDS", "1")
    began = time.monotonic()
    with pytest.raises(CompilerFailed, match="did not end within 1 seconds and was killed"):
        load(fill(1))
    assert time.monotonic() - began < 10
    state = Path(f"/proc/{pid.read_text().strip()}/stat")
    time.sleep(0.1)
    assert not state.exists() or state.read_text().split()[2] == "Z"


GARBAGE = {
    "nothing": ("exit 0", "ended well but left no library"),
    "binary noise": ("head -c 100000 /dev/urandom; exit 1", "failed"),
    "a text": ('while [ "$1" != -o ]; do shift; done; echo hello > "$2"', "cannot be loaded"),
    "no file": ('while [ "$1" != -o ]; do shift; done; : > "$2"', "cannot be loaded"),
    "a folder": ('while [ "$1" != -o ]; do shift; done; mkdir "$2"', "left no library"),
    "a signal": ("kill -SEGV $$", "failed"),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_from_a_compiler_is_its_failure(scripts, case):
    compiling, says = GARBAGE[case]
    scripts.add("gcc", compiling=compiling)
    with pytest.raises(CompilerFailed, match=says):
        load(fill(1))


def test_a_script_that_cannot_start_is_a_failure(scripts):
    path = scripts.add("gcc")
    path.write_bytes(b"\x7fELF but not really")
    with pytest.raises(CompilerFailed, match="cannot be started"):
        load(fill(1))


@pytest.mark.skipif(GCC is None, reason="needs gcc")
def test_a_full_disk_moves_to_the_private_folder(scripts, monkeypatch):
    """The compiler that cannot write to the cache's folder can still write to the temporary one."""
    full = f'case "$*" in *{scripts.folder.parent}*) echo No space left on device; exit 1;; esac'
    scripts.add("gcc", compiling=f'{full}; exec {GCC} "$@"')
    assert compile_library(find_compiler(user_cache()), fill(1).text, compilers.FLAGS, (), user_cache())


def test_a_text_may_name_files_that_utf8_cannot_say(cache_folder):
    odd = fill(3)
    assert load(dataclasses.replace(odd, text=odd.text + "// \udcff.py:3 \u00e9\n"))


def test_no_shell_sees_the_command(scripts, tmp_path):
    scripts.add("gcc", compiling=f'printf "%s\\n" "$@" > {tmp_path}/arguments; exit 1')
    with pytest.raises(CompilerFailed):
        compile_library(Compiler((str(scripts.folder / "gcc"), "; touch $HOME `id`"), ""), "", (), (), user_cache())
    assert (tmp_path / "arguments").read_text().splitlines()[0] == "; touch $HOME `id`"


def test_a_compiler_without_openmp_compiles_serially_and_says_so_once(scripts):
    if GCC is None:
        pytest.skip("needs gcc")
    scripts.add("gcc", compiling=f'case "$*" in *-fopenmp*) echo error: no omp.h; exit 1;; esac; exec {GCC} "$@"')
    parallel = kernel(
        "p", "#pragma omp parallel\n*(int32_t *)buffers[0]->host = 5;", buffers=fill(0).buffers, openmp=True
    )
    out = np.zeros(1, np.int32)
    with pytest.warns(RuntimeWarning, match="has no OpenMP, so parallel loops run serially") as warned:
        load(parallel).call([RawBuffer(out)])
        load(parallel).call([RawBuffer(out)])
    assert len(warned) == 1
    assert out.tolist() == [5]


def test_the_flags_that_keep_integers_and_floats_exact_are_there():
    assert {"-fwrapv", "-ffp-contract=off"} <= set(compilers.FLAGS)
    assert not [flag for flag in compilers.FLAGS if "fast" in flag]


def test_a_very_long_function_is_optimized_less_and_as_exactly():
    gcc = Compiler(("gcc",), "Free Software Foundation")
    short, long = (set(compiler_flags(gcc, "x" * length + "\n}\n")) for length in (1000, 120_001))
    assert short - long == {"-O3"}
    assert "-O2" in long - short


def test_kernels_with_sums_in_variables_have_a_pointer_for_each_of_more_rows():
    gcc, clang = Compiler(("gcc",), "Free Software Foundation"), Compiler(("clang",), "clang")
    assert set(compiler_flags(gcc, SUMS)) ^ set(compiler_flags(gcc, "")) == {
        "--param=iv-max-considered-uses=12",
        "--param=iv-max-considered-uses=30",
    }
    assert compiler_flags(clang, SUMS) == compiler_flags(clang, "")


def test_many_functions_are_optimized_like_one():
    gcc = Compiler(("gcc",), "Free Software Foundation")
    assert compiler_flags(gcc, ("x" * 1000 + "\n}\n") * 2000) == compiler_flags(gcc, "x")


@pytest.mark.skipif(ZIG is None, reason="needs the ziglang wheel")
def test_the_zig_wheel_is_a_compiler(scripts, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "no home"))  # without one, zig cannot work or hangs
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert found() == ZIG
    out = np.zeros(4, np.int32)
    load(fill(41)).call([RawBuffer(out)])
    assert out.tolist() == [41] * 4


@pytest.mark.skipif(GCC is None, reason="needs gcc")
def test_gcc_has_openmp(cache_folder):
    assert openmp_flags(Compiler((str(GCC),), ""), user_cache()) == ("-fopenmp",)
