"""Files for the user, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import UserError
from ..source import caller


def write_file(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write a file so that a reader sees the old or the new one. Raises UserError where that cannot be."""
    place = checked_path(path)
    content = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    unfinished = place.with_name(f".{place.name[:64]}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        try:
            unfinished.write_bytes(content)
            os.replace(unfinished, place)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(place, error.strerror or str(error)) from None


def checked_path(path: str | os.PathLike[str]) -> Path:
    """The path, whose folder exists. Raises UserError where it does not."""
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise UserError(f"{path!r} names no file", location=caller(), accepted="a path such as 'out/blur.o'")
    place = Path(text)
    if not place.parent.is_dir():
        raise _refused(place, f"there is no folder `{place.parent}`")
    if place.is_dir():
        raise _refused(place, "it is a folder")
    return place


def _refused(place: Path, reason: str) -> UserError:
    return UserError(
        f"`{place}` cannot be written",
        location=caller(),
        reason=(reason,),
        accepted="a file in a folder that exists and may be written",
    )
