"""Pictures: files to NumPy arrays and back. Channels come first, [channel, y, x], so that rows are dense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]

COFFEE = Path(__file__).parent / "photos" / "coffee.png"  # 600x400 RGB, CC0: see photos/LICENSE.md


def load(path: Path) -> Picture:
    """The picture of 8 or 16 bits as [channel, y, x]: one channel if grey, else three; an alpha channel is dropped."""
    try:
        picture = np.atleast_3d(np.asarray(imageio.imread(path, plugin="pillow")))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} cannot be read as a picture: {error}") from None
    if picture.dtype not in (np.uint8, np.uint16):
        raise SystemExit(f"{path} holds {picture.dtype}; a picture of 8 or 16 bits is needed")
    colours = picture[:, :, :3] if picture.shape[2] >= 3 else picture[:, :, :1]
    return np.ascontiguousarray(np.moveaxis(colours, 2, 0))


def save(path: Path, picture: Picture) -> None:
    """Write [y, x], or [channel, y, x] with one or three channels; the suffix of `path` says the format."""
    channels = picture[np.newaxis] if picture.ndim == 2 else picture
    try:
        imageio.imwrite(path, channels[0] if len(channels) == 1 else np.moveaxis(channels, 0, 2))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} cannot be written: {error}") from None


def describe(picture: Picture) -> str:
    channels, height, width = picture.shape
    return f"{width}x{height} {'grey' if channels == 1 else 'RGB'}, {_bits(picture)} bits"


def channels(picture: Picture, *, bits: int) -> Picture:
    """The same picture with so many significant bits."""
    kept = np.uint8 if bits <= 8 else np.uint16
    shift = bits - _bits(picture)
    wide = picture.astype(np.uint16)
    return (wide << shift if shift >= 0 else wide >> -shift).astype(kept)


def brightness(picture: Picture, *, bits: int) -> Picture:
    """The mean of its channels as [y, x], with so many significant bits."""
    return channels(picture.mean(axis=0).astype(picture.dtype)[np.newaxis], bits=bits)[0]


def tiled(picture: Picture, times: int) -> Picture:
    """The picture repeated so many times in each direction."""
    return np.tile(picture, (1, times, times))


def _bits(picture: Picture) -> int:
    return picture.dtype.itemsize * 8
