"""Pictures: files to NumPy arrays and back. Channels come first, [channel, y, x], so that rows are dense."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.whole_files import check_place, written_whole

Picture = NDArray[Any]

COFFEE = Path(__file__).parent / "photos" / "coffee.png"  # 600x400 RGB, CC0: see photos/LICENSE.md
MOST_PIXELS = 500_000_000

Image.MAX_IMAGE_PIXELS = None  # `load` has a limit of its own, with its own message
_GREY = {"1": "L", "L": "L", "LA": "L", "La": "L", "I": "I", "I;16": "I", "I;16B": "I", "I;16L": "I"}


def load(path: Path, *, most_pixels: int = MOST_PIXELS, alpha: bool = False) -> Picture:
    """The picture of 8 or 16 bits as [channel, y, x], upright: one channel if grey, else three; with `alpha`, four."""
    with _naming(path, "read as a picture"), Image.open(path) as file:
        width, height = file.size
        if width * height > most_pixels:
            raise SystemExit(
                f"{path} is {width}x{height}: {width * height / 1e6:.0f} megapixels, but there is room for"
                f" {most_pixels / 1e6:.0f}"
            )
        if file.mode == "F":
            raise SystemExit(f"{path} holds floats; a picture of 8 or 16 bits is needed")
        return _planes(ImageOps.exif_transpose(file), alpha)


def _planes(file: Image.Image, alpha: bool) -> Picture:
    if alpha:
        return _channels_first(np.asarray(file.convert("RGBA")))
    if file.mode in _GREY:
        grey = np.asarray(file.convert(_GREY[file.mode]))
        return np.ascontiguousarray(np.clip(grey, 0, 65535).astype(np.uint16) if grey.itemsize > 1 else grey)[None]
    return _channels_first(np.asarray(file if file.mode in ("RGB", "RGBA") else file.convert("RGB"))[:, :, :3])


def _channels_first(picture: Picture) -> Picture:
    return np.ascontiguousarray(np.moveaxis(picture, 2, 0))


def save(path: Path, picture: Picture) -> None:
    """Write [y, x], or [channel, y, x] with one, three or four channels; the suffix of `path` says the format.

    The file is written beside and then renamed, so it is never there in part. Colours of 16 bits are written with 8.
    """
    planes = picture[np.newaxis] if picture.ndim == 2 else picture
    pixels = planes[0] if len(planes) == 1 else np.moveaxis(channels(planes, bits=8), 0, 2)
    with _naming(path, "written"), written_whole(path) as beside:
        Image.fromarray(np.ascontiguousarray(pixels)).save(beside)


def check_writable(path: Path) -> None:
    """Refuse, before anything is computed, what `save` will not be able to write."""
    known = Image.registered_extensions()
    if path.suffix.lower() not in known or known[path.suffix.lower()] not in Image.SAVE:
        raise SystemExit(
            f"{path} cannot be written: {path.suffix or 'a name without suffix'} says no format of pictures;"
            " .png, .jpg and .tiff are some that do"
        )
    check_place(path)


@contextmanager
def _naming(path: Path, done: str) -> Iterator[None]:
    """Ends the program with the file's name where it cannot be read or written."""
    try:
        yield
    except UnidentifiedImageError:
        raise SystemExit(f"{path} cannot be {done}: it holds none, or of an unknown kind") from None
    except OSError as error:
        raise SystemExit(f"{path} cannot be {done}: {error.strerror or error}") from None
    except (ValueError, SyntaxError, EOFError, KeyError, TypeError) as error:  # what decoders say of broken files
        raise SystemExit(f"{path} cannot be {done}: {error}") from None
    except MemoryError:
        raise SystemExit(f"{path} cannot be {done}: there is not enough memory") from None


def describe(picture: Picture) -> str:
    count, height, width = picture.shape
    return f"{width}x{height} {({1: 'grey', 3: 'RGB', 4: 'RGBA'})[count]}, {_bits(picture)} bits"


def channels(picture: Picture, *, bits: int) -> Picture:
    """The same picture with so many significant bits."""
    kept = np.uint8 if bits <= 8 else np.uint16
    shift = bits - _bits(picture)
    if shift == 0 and picture.dtype == kept:
        return picture
    wide = picture.astype(np.uint16)
    return (wide << shift if shift >= 0 else wide >> -shift).astype(kept)


def colours(picture: Picture) -> Picture:
    """Three channels; what is grey is repeated."""
    return picture if len(picture) == 3 else np.repeat(picture[:1], 3, axis=0)


def floats(picture: Picture) -> Picture:
    """The same picture in 32-bit floats from 0 to 1."""
    return picture * np.float32(1 / np.iinfo(picture.dtype).max)


def from_floats(picture: Picture, *, bits: int = 8) -> Picture:
    """A picture of floats with so many bits: 0 is black, and what is over 1 is as white as 1."""
    made = np.empty(picture.shape, np.uint8 if bits <= 8 else np.uint16)
    for row, floats_of_row in zip(made.reshape(-1, made.shape[-1]), picture.reshape(-1, made.shape[-1]), strict=True):
        row[...] = np.clip(np.nan_to_num(floats_of_row), 0, 1) * (2**bits - 1) + np.float32(0.5)
    return made


def brightness(picture: Picture, *, bits: int) -> Picture:
    """The mean of its channels as [y, x], with so many significant bits."""
    return channels(picture.mean(axis=0).astype(picture.dtype)[np.newaxis], bits=bits)[0]


def tiled(picture: Picture, times: int) -> Picture:
    """The picture repeated so many times in each direction."""
    return np.tile(picture, (1, times, times))


def _bits(picture: Picture) -> int:
    return picture.dtype.itemsize * 8
