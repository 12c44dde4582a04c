"""`ImageParam`: an input buffer, and the Funcs that copy it for its consumers."""

from __future__ import annotations

from collections.abc import Sequence

from .func import Func
from .func_scheduling import consumers_of, wrapper_text
from .image_param import InputImage
from .wrappers import wrapped


class ImageParam(InputImage):
    """An input image of fixed type and number of dimensions."""

    __slots__ = ()

    def in_(self, f: Func | Sequence[Func] | None = None) -> Func:
        """A Func that reads the input, and is read in its place by `f`: one Func, several, or all."""
        text = wrapper_text(self.name(), "in_", f)
        return Func._of(wrapped(self._ref, consumers_of(text, f), text))
