"""`Buffer`: a typed n-dimensional array with a min, extent and stride for each dimension."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..dtypes import DType, from_numpy
from ..errors import BufferError
from ..ir import expr as nodes
from ..source import caller
from .buffer_contents import Array, BufferContents, ShapeOnly, allocate
from .buffer_shapes import BufferShapes
from .expr import Expr, ExprLike, Number, to_node
from .image_access import image_index
from .types import Type, to_dtype

Place: TypeAlias = "int | ExprLike | Sequence[int | ExprLike]"


class Buffer(BufferShapes):
    """An image in memory. Handles made from one another share it.

    Buffer(array)                         the array's own memory; axes reversed, so b[x, y] is array[y, x]
    Buffer(Type, [width, height, ...])    new memory, dimension 0 innermost
    Buffer()                              undefined
    """

    __slots__ = ("_defined",)

    def __init__(
        self,
        source: Array | Buffer | Type | object | None = None,
        sizes: Sequence[int] | str | None = None,
        storage_order: Sequence[int] | str | None = None,
        name: str = "",
        reverse_axes: bool = True,
        *,
        buffer: Array | None = None,
        type: Type | None = None,
    ) -> None:
        source = next((s for s in (source, buffer, type) if s is not None), None)
        self._defined: BufferContents | None = None
        if isinstance(source, Buffer):
            self._defined = source._defined
        elif isinstance(source, Type | DType):
            order, name = (None, storage_order) if isinstance(storage_order, str) else (storage_order, name)
            self._defined = _allocated(to_dtype(source), _sizes(sizes), order, name)
        elif source is not None:
            # Buffer(array, name, reverse_axes)
            name, reverse = sizes if isinstance(sizes, str) else name, reverse_axes
            if isinstance(storage_order, bool):
                reverse = storage_order
            self._defined = _of_array(source, name, reverse)

    @classmethod
    def _of(cls, contents: BufferContents) -> Buffer:
        made = cls.__new__(cls)
        made._defined = contents
        return made

    @property
    def _contents(self) -> BufferContents:
        if self._defined is None:
            raise BufferError("an undefined Buffer is used", location=caller(), accepted="hl.Buffer(array)")
        return self._defined

    @staticmethod
    def make_scalar(type: Type, name: str = "") -> Buffer:
        """A buffer of no dimensions."""
        return Buffer(type, [], name=name)

    @staticmethod
    def make_interleaved(type: Type, width: int, height: int, channels: int, name: str = "") -> Buffer:
        """A picture whose channels lie beside each other; channels are still dimension 2."""
        return Buffer(type, [width, height, channels], [2, 0, 1], name=name)

    @staticmethod
    def make_bounds_query(type: Type, sizes: Sequence[int], name: str = "") -> Buffer:
        """A shape without memory: a run that is given it computes nothing, and makes it the shape that is needed."""
        return Buffer._of(ShapeOnly(to_dtype(type), _sizes(sizes), name))

    @staticmethod
    def make_with_shape_of(src: Buffer, name: str = "") -> Buffer:
        """New memory of the same shape, type and order of dimensions in memory."""
        contents = src._contents
        order = sorted(range(src.dimensions()), key=lambda d: abs(contents.raw.strides[d]))
        made = _allocated(contents.dtype, contents.raw.extents, order, name)
        made.mins = contents.mins
        return Buffer._of(made)

    def defined(self) -> bool:
        return self._defined is not None

    def same_as(self, other: Buffer) -> bool:
        """Whether both are handles of one buffer."""
        return self._defined is other._defined

    def name(self) -> str:
        return self._contents.name

    def set_name(self, name: str) -> None:
        self._contents.name = name

    def type(self) -> Type:
        return Type.of(self._contents.dtype)

    def _bound_to(self, name: str, dtype: DType, rank: int) -> Buffer | None:
        """Itself, None if undefined. Raises BufferError where the input called `name` is of another kind."""
        if self._defined is None:
            return None
        if self._defined.dtype is not dtype or self.dimensions() != rank:
            raise BufferError(
                f"ImageParam `{name}` cannot be bound to a buffer of type {self._defined.dtype} "
                f"with {self.dimensions()} dimensions",
                location=caller(),
                accepted=f"type {dtype}, {rank} dimensions",
            )
        return self

    def copy(self) -> Buffer:
        """The same elements in new memory."""
        made = Buffer.make_with_shape_of(self)
        made._contents.array[...] = self._memory()
        return made

    def copy_from(self, src: Buffer) -> None:
        """Copy elements where both regions overlap."""
        if self.type() != src.type() or self.dimensions() != src.dimensions():
            raise BufferError(
                f"{src!r} cannot be copied to {self!r}",
                location=caller(),
                accepted="one type, one number of dimensions",
            )
        low = [max(a, b) for a, b in zip(self._contents.mins, src._contents.mins, strict=True)]
        high = [min(self.dim(d).max(), src.dim(d).max()) for d in range(self.dimensions())]
        if all(a <= b for a, b in zip(low, high, strict=True)):
            box = [(a, b - a + 1) for a, b in zip(low, high, strict=True)]
            self.cropped(box)._contents.array[...] = src.cropped(box)._contents.array

    def fill(self, value: Number) -> None:
        """Every element gets the value."""
        self._writeable()[...] = value

    def all_equal(self, value: Number) -> bool:
        """Whether every element has the value."""
        return bool((self._memory() == value).all())

    def for_each_element(self, f: Callable[[list[int]], object]) -> None:
        """Call f with the coordinates of every element, dimension 0 fastest."""
        dims = [range(self.dim(d).min(), self.dim(d).max() + 1) for d in range(self.dimensions())]
        for place in itertools.product(*reversed(dims)):
            f(list(reversed(place)))

    def __getitem__(self, place: Place) -> int | float | bool | Expr:
        """A number at integer places; an expression where a Var or an expression is among them."""
        element: int | float | bool
        near = self._near(place)
        if near is not None:
            element = self._memory().item(*near)
            return element
        index = place if isinstance(place, tuple | list) else (place,)
        if any(isinstance(i, ExprLike) for i in index):
            contents = self._contents
            coordinates = image_index(f"Buffer `{contents.name}`", tuple(map(to_node, index)), self.dimensions())
            return Expr(nodes.ImageAccess(contents.image, coordinates))
        element = self._memory()[self._place(index)].item()
        return element

    def __setitem__(self, place: Place, value: Number) -> None:
        index = place if isinstance(place, tuple | list) else (place,)
        self._writeable()[self._place(index)] = value

    def _memory(self) -> Array:
        """Its elements. Raises BufferError where there are none yet."""
        contents = self._contents
        if type(contents) is ShapeOnly:
            raise BufferError(
                f"Buffer `{self.name()}` is a bounds query, which has no memory",
                location=caller(),
                accepted=f"hl.Buffer({contents.dtype}, [...]) with the shape that was found",
            )
        return contents.array

    def _writeable(self) -> Array:
        array = self._memory()
        if not array.flags.writeable:
            raise BufferError(
                f"Buffer `{self.name()}` lives in a read-only array",
                location=caller(),
                accepted="a writeable array, or buffer.copy()",
            )
        return array

    def _near(self, place: Place) -> list[int] | None:
        """The array's index of an element, in one loop; None where `_place` must look closer."""
        contents = self._contents
        shape, mins = contents.array.shape, contents.mins
        if type(place) is not tuple or len(place) != len(shape):
            return None
        axis, found = len(shape), [0] * len(shape)
        for at, low in zip(place, mins):  # noqa: B905 (lengths are equal; `strict` costs time)
            axis -= 1
            if type(at) is not int or not 0 <= at - low < shape[axis]:
                return None
            found[axis] = at - low
        return found

    def _place(self, index: Sequence[object]) -> tuple[int, ...]:
        contents = self._contents
        if len(index) != contents.array.ndim:
            raise ValueError("Incorrect number of dimensions.")
        places = [operator.index(i) for i in index]  # type: ignore[arg-type]
        for axis, (at, low, extent) in enumerate(zip(places, contents.mins, contents.array.shape[::-1], strict=True)):
            if not low <= at < low + extent:
                raise IndexError(f"index {at} is out of bounds for axis {axis} with min={low}, extent={extent}")
        return tuple(at - low for at, low in zip(reversed(places), reversed(contents.mins), strict=True))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The elements as an array, axes reversed: the same memory, unless another dtype or a copy is asked for."""
        array = self._memory()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def numpy_view(self, reverse_axes: bool = True) -> Array:
        """The elements as an array that shares the memory."""
        array = self._memory()
        return array if reverse_axes else array.transpose()

    def has_device_allocation(self) -> bool:
        """Whether a device has a copy: none does, as pipelines run on the CPU."""
        return False

    def host_dirty(self) -> bool:
        return False

    def device_dirty(self) -> bool:
        return False

    def set_host_dirty(self, dirty: bool = True) -> None:
        """Without effect, as no device has a copy."""

    def set_device_dirty(self, dirty: bool = True) -> None:
        """Without effect, as no device has a copy."""

    def copy_to_host(self) -> int:
        """The elements are on the host already. Gives Halide's 0 for success."""
        return 0

    def device_sync(self) -> int:
        return 0

    def __buffer__(self, flags: int) -> memoryview:
        return self._memory().data

    def __repr__(self) -> str:
        if self._defined is None:
            return "<undefined halopy.Buffer>"
        raw = self._defined.raw
        shape = ",".join(f"[{a},{b},{c}]" for a, b, c in zip(raw.mins, raw.extents, raw.strides, strict=True))
        return f"<halopy.Buffer of type {self._defined.dtype} shape:[{shape}]>"


def _sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, int | np.integer):
        sizes = [sizes]
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise BufferError("a Buffer of a type needs sizes", location=caller(), accepted="hl.Buffer(type, [w, h])")
    for size in sizes:
        if not isinstance(size, int | np.integer) or not 0 <= size < 1 << 31:
            raise BufferError(f"{size!r} is no size of a Buffer", location=caller(), accepted="0 to 2**31 - 1")
    return tuple(map(int, sizes))


def _allocated(dtype: DType, sizes: Sequence[int], order: Sequence[int] | str | None, name: str) -> BufferContents:
    """New memory; `order` lists the dimensions, the densest first."""
    if order is None:
        return BufferContents(allocate(dtype, sizes), dtype, name=name)
    if sorted(order) != list(range(len(sizes))):
        raise BufferError(
            f"the storage order {list(order)} does not list the {len(sizes)} dimensions",
            location=caller(),
            accepted="each dimension once, the densest first",
        )
    places = [int(d) for d in order]
    dense = allocate(dtype, [sizes[d] for d in places])
    axes = [len(sizes) - 1 - places.index(d) for d in reversed(range(len(sizes)))]
    return BufferContents(dense.transpose(axes), dtype, name=name)


def _of_array(source: object, name: str, reverse_axes: bool) -> BufferContents:
    array = source if isinstance(source, np.ndarray) else _viewed(source)
    dtype = from_numpy(array.dtype)
    return BufferContents(array if reverse_axes else array.transpose(), dtype, name=name)


def _viewed(source: object) -> Array:
    """What offers its memory, as an array; lists and numbers do not."""
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__") or hasattr(source, "__dlpack__"):
        return np.asarray(source)
    try:
        return np.asarray(memoryview(source))  # type: ignore[arg-type]
    except TypeError:
        raise BufferError(
            f"a {type(source).__name__} is no memory that a Buffer could use",
            location=caller(),
            accepted="a NumPy array, or anything with the buffer protocol",
        ) from None
