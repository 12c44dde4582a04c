"""Arrays in .npy files: read with every refusal in words, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.whole_files import check_place, written_whole

Array = NDArray[Any]


def load(path: Path, rank: int) -> Array:
    """The numbers of a file as 32-bit floats, dense, in so many dimensions."""
    with _naming(path, "read as an array"):
        array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise SystemExit(f"{path} holds several arrays; a .npy file with one is needed")
    if array.ndim != rank:
        raise SystemExit(f"{path} has {array.ndim} dimensions ({described(array)}); {rank} are needed")
    if array.dtype.kind not in "fiub":
        raise SystemExit(f"{path} holds {array.dtype}; numbers are needed, which are taken as 32-bit floats")
    if array.size == 0:
        raise SystemExit(f"{path} is empty ({described(array)})")
    return np.ascontiguousarray(array, np.float32)


def save(path: Path, array: Array) -> None:
    """The file is written beside and then renamed, so it is never there in part."""
    with _naming(path, "written"), written_whole(path) as beside:
        np.save(beside, array)


def check_writable(path: Path) -> None:
    """Refuse, before anything is computed, what `save` will not be able to write."""
    if path.suffix != ".npy":
        raise SystemExit(f"{path} cannot be written: arrays are written to files named *.npy")
    check_place(path)


def described(array: Array) -> str:
    """Its shape, as in 640x480: NumPy's order."""
    return "x".join(map(str, array.shape))


@contextmanager
def _naming(path: Path, done: str) -> Iterator[None]:
    """Ends the program with the file's name where it cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise SystemExit(f"{path} cannot be {done}: {error.strerror or error}") from None
    except (ValueError, EOFError, SyntaxError) as error:  # what NumPy says of other files
        raise SystemExit(f"{path} cannot be {done}: {error}") from None
    except MemoryError:
        raise SystemExit(f"{path} cannot be {done}: there is not enough memory") from None
