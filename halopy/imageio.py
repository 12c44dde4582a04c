"""Pictures in files, as arrays. Colours are planes, (channel, row, column), so that a Buffer of them is b[x, y, c].

Most files keep the colours of a pixel together; `imread` and `imwrite` convert. The files themselves are read and
written by the library `imageio`, which is loaded when it is first needed.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_MOST_CHANNELS = 4


def is_interleaved(im: npt.ArrayLike) -> bool:
    """Whether a picture seems to be (row, column, channel): three axes, the last one dense and of 1 to 4 elements."""
    array = np.asarray(im)
    return array.ndim == 3 and 1 <= array.shape[2] <= _MOST_CHANNELS and array.strides[2] == array.itemsize


def copy_to_interleaved(im: npt.ArrayLike) -> Array:
    """A planar picture (channel, row, column) as a new array (row, column, channel); any other array as it is."""
    array = np.asarray(im)
    if array.ndim != 3 or is_interleaved(array):
        return array
    return np.moveaxis(array, 0, 2).copy(order="C")


def copy_to_planar(im: npt.ArrayLike) -> Array:
    """An interleaved picture (row, column, channel) as a new array (channel, row, column); any other array as it is."""
    array = np.asarray(im)
    return np.moveaxis(array, 2, 0).copy(order="C") if is_interleaved(array) else array


def imread(uri: Any, format: str | None = None, **kwargs: Any) -> Array:
    """The picture in a file (a path, an address, bytes, an open file), with colours as planes."""
    return copy_to_planar(_library().imread(uri, format, **kwargs))


def imwrite(uri: Any, im: npt.ArrayLike, format: str | None = None, **kwargs: Any) -> None:
    """Write a picture, grey or with colours as planes, to a file whose name says the format."""
    _library().imwrite(uri, copy_to_interleaved(im), format, **kwargs)


def _library() -> ModuleType:
    """The library imageio. Raises ImportError where it is not installed."""
    try:
        import imageio.v2 as library
    except ImportError as missing:
        raise ImportError(
            "halopy.imageio needs the library `imageio`, which is not installed: pip install 'halopy[apps]'",
            name=missing.name,
        ) from missing
    return library
