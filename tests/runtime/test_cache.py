"""The folder of compiled kernels: what it promises when files, folders and processes misbehave."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from halopy.runtime import RawBuffer, cache, load, loader
from halopy.runtime.cache import Cache, private_cache, user_cache

from .kernels import fill

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "entries"
    made.mkdir(0o700)
    return made


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As a process that has not looked for its cache yet."""
    monkeypatch.delenv("HALOPY_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    cache._cache_in.cache_clear()
    return monkeypatch


def runs(value: int) -> bool:
    """Whether the kernel that writes `value` can be loaded and does so."""
    out = np.zeros(3, np.int32)
    load(fill(value)).call([RawBuffer(out)])
    return out.tolist() == [value] * 3


def libraries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.so"))


def as_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_loaded", {})


def forbid_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError("compiled again")

    monkeypatch.setattr(loader, "compile_library", refuse)


def test_what_was_stored_is_read_back(folder):
    entries = Cache(folder)
    assert entries.read("a.so") is None
    path = entries.store("a.so", b"contents")
    assert (path, entries.find("a.so"), entries.read("a.so")) == (folder / "a.so", path, b"contents")
    entries.store("a.so", b"other")
    assert entries.read("a.so") == b"other"
    assert [file.name for file in folder.iterdir()] == ["a.so"]


def damage_first_byte(path: Path) -> None:
    path.write_bytes(b"X" + path.read_bytes()[1:])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty_file(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def let_others_write(path: Path) -> None:
    path.chmod(0o777)


def rename_another(path: Path) -> None:
    os.replace(Cache(path.parent).store("b.so", b"genuine, but of another name"), path)


DAMAGES = [damage_first_byte, truncate, lengthen, empty_file, replace_by_folder, let_others_write, rename_another]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_entry_is_a_miss(folder, damage):
    entries = Cache(folder)
    damage(entries.store("a.so", b"contents"))
    assert entries.find("a.so") is None
    assert entries.read("a.so") is None


@pytest.mark.parametrize("damage", [damage_first_byte, truncate, empty_file])
def test_a_damaged_library_is_compiled_again(cache_folder, monkeypatch, damage):
    assert runs(1)
    [library] = libraries(cache_folder)
    copy = cache_folder / "copy"  # the file in use must not change
    copy.write_bytes(library.read_bytes())
    copy.chmod(0o700)
    os.replace(copy, library)
    damage(library)
    as_a_new_process(monkeypatch)
    assert runs(1)
    assert Cache(cache_folder).find(library.name) == library


def test_a_second_process_does_not_compile(cache_folder, monkeypatch):
    assert runs(2)
    as_a_new_process(monkeypatch)
    forbid_compiling(monkeypatch)
    assert runs(2)


def test_a_vanished_library_is_a_miss(cache_folder, monkeypatch):
    assert runs(3)
    libraries(cache_folder)[0].unlink()
    as_a_new_process(monkeypatch)
    assert runs(3)
    assert len(libraries(cache_folder)) == 1


def test_a_folder_that_vanishes_under_way_is_no_obstacle(cache_folder):
    assert runs(13)
    shutil.rmtree(cache_folder)
    assert runs(14)


def test_another_text_is_another_entry(cache_folder):
    assert runs(4)
    assert runs(5)
    assert len(libraries(cache_folder)) == 2


def test_what_was_used_least_recently_goes_first(folder):
    entries = Cache(folder, limit=900)
    now = time.time()
    for age, name in enumerate(["old", "older", "oldest"]):
        os.utime(entries.store(name, bytes(200)), times=(now - 5000 * (age + 1),) * 2)
    assert entries.read("oldest") is not None  # used just now
    entries.store("new", bytes(200))
    assert sorted(file.name for file in folder.iterdir()) == ["new", "old", "oldest"]


def test_unfinished_files_are_swept_after_an_hour(folder):
    entries = Cache(folder)
    stale, fresh, foreign = folder / ".unfinished-1", folder / ".unfinished-2", folder / ".keep"
    stale_build = entries.build_folder()
    (stale_build / "kernel.c").touch()
    for file in (stale, fresh, foreign):
        file.touch()
    for file in (stale, foreign, stale_build):
        os.utime(file, times=(1, 1))
    entries.store("a.so", b"")
    assert sorted(file.name for file in folder.iterdir()) == [".keep", ".unfinished-2", "a.so"]


def test_the_folder_is_private(cache_folder):
    assert runs(6)
    assert cache_folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o077 for file in cache_folder.iterdir()} == {0}


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_may_write_is_not_used(cache_folder, mode):
    cache_folder.mkdir()
    cache_folder.chmod(mode)
    assert user_cache() is private_cache()
    assert runs(7)
    assert list(cache_folder.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_used(cache_folder, folder):
    cache_folder.mkdir(0o700)
    os.chown(cache_folder, 12345, 12345)
    assert user_cache() is private_cache()
    entries = Cache(folder)
    os.chown(entries.store("a.so", b"contents"), 12345, 12345)
    assert entries.read("a.so") is None


def test_a_file_in_place_of_the_folder_is_no_obstacle(cache_folder):
    cache_folder.touch()
    assert user_cache() is private_cache()
    assert runs(8)


def test_a_read_only_folder_still_serves(cache_folder, monkeypatch):
    """Root may write everywhere, so what a read-only folder does is played."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    assert runs(9)
    as_a_new_process(monkeypatch)
    monkeypatch.setattr(user_cache().__class__, "store", refuse_in(cache_folder, Cache.store))
    monkeypatch.setattr(user_cache().__class__, "build_folder", refuse_in(cache_folder, Cache.build_folder))
    before = sorted(cache_folder.iterdir())
    assert runs(10)
    assert sorted(cache_folder.iterdir()) == before
    forbid_compiling(monkeypatch)
    assert runs(9)


def refuse_in(folder: Path, original):
    def guarded(self: Cache, *args: object):
        if self.folder == folder:
            raise PermissionError("read-only")
        return original(self, *args)

    return guarded


def test_the_users_cache_folder_follows_the_conventions(forgetful, tmp_path):
    forgetful.setenv("HOME", str(tmp_path / "home"))
    assert user_cache().folder == tmp_path / "home" / ".cache" / "halopy"
    forgetful.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_cache().folder == tmp_path / "xdg" / "halopy"
    forgetful.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache().folder == tmp_path / "home" / ".cache" / "halopy"
    forgetful.setenv("HALOPY_CACHE_DIR", str(tmp_path / "own"))
    assert user_cache().folder == tmp_path / "own"


def test_without_a_home_the_cache_is_temporary_and_removed():
    program = "from halopy.runtime.cache import user_cache; print(user_cache().folder, user_cache().folder.is_dir())"
    environment = {"PATH": os.environ["PATH"], "HOME": "/proc/no/home"}
    output = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert output[1] == "True"
    assert not Path(output[0]).exists()


PROCESS = """
import sys, numpy as np
sys.path.insert(0, {root!r})
from halopy.runtime import RawBuffer, load
from tests.runtime.kernels import fill
out = np.zeros(3, np.int32)
load(fill({value})).call([RawBuffer(out)])
assert out.tolist() == [{value}] * 3
"""


def start(value: int, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS.format(root=str(ROOT), value=value)],
        env={**os.environ, "HALOPY_CACHE_DIR": str(folder), **environment},
        stderr=subprocess.DEVNULL if "HALOPY_CC" in environment else None,
        start_new_session=True,
    )


def test_eight_processes_compile_the_same_kernel(tmp_path):
    folder = tmp_path / "shared"
    processes = [start(11, folder) for _ in range(8)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 8
    assert len(libraries(folder)) == 1
    assert list(folder.glob(".*")) == []


def start_compiling_forever(folder: Path, scratch: Path) -> subprocess.Popen[bytes]:
    """A process whose compiler has started and will take long."""
    slow = scratch / "slow-cc"
    slow.write_text('#!/bin/sh\ncase "$1" in --version) echo slow; exit;; esac\necho $$ > "$0.pid"\nexec sleep 3\n')
    slow.chmod(0o755)
    process = start(12, folder, HALOPY_CC=str(slow))
    deadline = time.monotonic() + 30
    while not Path(f"{slow}.pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_a_process_killed_while_compiling_leaves_nothing_that_is_read(tmp_path):
    folder = tmp_path / "shared"
    process = start_compiling_forever(folder, tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert libraries(folder) == []
    assert start(12, folder).wait(timeout=60) == 0
    assert len(libraries(folder)) == 1


def test_an_interrupt_while_compiling_ends_the_compiler_and_leaves_nothing(tmp_path):
    folder = tmp_path / "shared"
    process = start_compiling_forever(folder, tmp_path)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert time.monotonic() - began < 10
    assert [file.suffix for file in folder.iterdir()] == [".txt"]


def test_a_kernel_that_does_not_pass_its_checks_is_not_kept(folder, forgetful):
    def refuse() -> None:
        raise ArithmeticError("wrong")

    forgetful.setenv("HALOPY_CACHE_DIR", str(folder))
    with pytest.raises(ArithmeticError):
        load(fill(71), [refuse])
    assert not libraries(folder)
    asked: list[int] = []
    load(fill(71), [lambda: asked.append(1)])
    assert len(libraries(folder)) == 1
    load(fill(71), [lambda: asked.append(2)])
    assert asked == [1, 2]  # what the cache has is checked all the same
    with pytest.raises(ArithmeticError):
        load(fill(71), [refuse])
