"""Files that are never there in part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file to write instead, beside it: it gets the name at the end of the block, unless that is left by an error."""
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Refuse a path at which no file can be made."""
    if path.is_dir():
        raise SystemExit(f"{path} cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise SystemExit(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise SystemExit(f"{path} cannot be written: its folder does not allow it")
