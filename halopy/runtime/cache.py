"""A folder of compiled kernels, named by content: private, bounded, atomic, verified before use.

An entry is one file: the object, then a trailer with its length and the hash of its name and bytes (ELF loaders
ignore what follows the object). It appears by `os.replace`, so a reader sees all of it or nothing; whatever does not
verify is a miss. Files that start with a dot are unfinished and never read; those of killed processes are swept
after an hour.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import stat
import struct
import tempfile
import time
from contextlib import suppress
from functools import cache as once
from pathlib import Path

from .. import instrument

_MAGIC = b"halopy01"
_TRAILER = struct.Struct("<Q32s8s")  # length of the object, hash, magic
_UNFINISHED = ".unfinished-"
_SWEEP_AFTER = 3600.0  # seconds
_TOUCH_AFTER = 600.0  # seconds; an entry's time of last use is only this exact
_DEFAULT_LIMIT = 1 << 30  # bytes


class Cache:
    """Entries in one folder, which must belong to the user and be writable by nobody else."""

    def __init__(self, folder: Path, limit: int = _DEFAULT_LIMIT) -> None:
        self.folder = folder
        self.limit = limit

    def find(self, name: str) -> Path | None:
        """Where the entry lies, after verifying it; None when it is missing or damaged."""
        path = self.folder / name
        return None if _verified(path) is None else path

    def read(self, name: str) -> bytes | None:
        """The entry's bytes; None when it is missing or damaged."""
        return _verified(self.folder / name)

    def store(self, name: str, data: bytes) -> Path:
        """Add or replace an entry. Raises OSError when the folder cannot take it."""
        path = self.folder / name
        unfinished = self.folder / f"{_UNFINISHED}{os.getpid()}-{os.urandom(8).hex()}"
        try:
            _write(unfinished, data + _TRAILER.pack(len(data), _digest(name, data), _MAGIC))
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        self._shrink()
        return path

    def build_folder(self) -> Path:
        """A new folder for the compiler to write to; the caller removes it."""
        return Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))

    def _shrink(self) -> None:
        """Drop what was used least recently until nine tenths of the limit are left, and sweep unfinished files."""
        finished, now = [], time.time()
        for entry in _entries(self.folder):
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if not entry.name.startswith("."):
                finished.append((status.st_mtime, status.st_size, entry.path))
            elif entry.name.startswith(_UNFINISHED) and now - status.st_mtime > _SWEEP_AFTER:
                _remove(entry.path)
        total = sum(size for _, size, _ in finished)
        if total <= self.limit:
            return
        for _, size, path in sorted(finished):
            if total <= self.limit * 9 // 10:
                break
            _remove(path)
            total -= size


@once
def _cache_in(folder: str | None, limit: int) -> Cache:
    """The cache in `folder` when that can be made and trusted; a private temporary one otherwise."""
    if folder is not None:
        path = Path(folder)
        with suppress(OSError):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(os.stat(path)):  # it may be read-only: what it has can be used
                return Cache(path.absolute(), limit)
    return private_cache()


def user_cache() -> Cache:
    """The cache this user's processes share, as the environment says; a temporary one when that cannot be used."""
    limit = instrument.number("HALOPY_CACHE_BYTES", least=0, default=_DEFAULT_LIMIT)
    assert limit is not None, "a default was given"
    return _cache_in(_wanted_folder(), limit)


@once
def private_cache() -> Cache:
    """A cache in a temporary folder that is removed when this process ends."""
    folder = tempfile.mkdtemp(prefix="halopy-")  # mode 0700, unpredictable name
    atexit.register(_remove_own, folder, os.getpid())
    return Cache(Path(folder))


def _wanted_folder() -> str | None:
    """`HALOPY_CACHE_DIR`, or `halopy` in the user's cache folder; None when there is no home."""
    named = instrument.setting("HALOPY_CACHE_DIR")
    if named is not None:
        return named
    shared = instrument.setting("XDG_CACHE_HOME")
    if shared is None or not os.path.isabs(shared):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        shared = os.path.join(home, ".cache")
    return os.path.join(shared, "halopy")


def _is_private(status: os.stat_result) -> bool:
    """Whether the file or folder is the user's own and nobody else may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _verified(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            whole = file.read() if stat.S_ISREG(status.st_mode) and _is_private(status) else b""
    except OSError:
        return None
    if len(whole) < _TRAILER.size:
        return None
    length, digest, magic = _TRAILER.unpack_from(whole, len(whole) - _TRAILER.size)
    data = whole[: -_TRAILER.size]
    if magic != _MAGIC or length != len(data) or digest != _digest(path.name, data):
        return None
    if time.time() - status.st_mtime > _TOUCH_AFTER:
        _touch(path)
    return data


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + data).digest()


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _touch(path: Path) -> None:
    with suppress(OSError):  # read-only or gone: the time of last use is only a hint
        os.utime(path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove(path: str) -> None:
    """Remove a file or folder; another process may have been faster."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        os.unlink(path)


def _remove_own(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # a forked child leaves it to its parent
        _remove(folder)
