"""What lowering hands to code generation: statements without schedule, and the arguments they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..dtypes import DType
from .stmt import Stmt


@dataclass(frozen=True, slots=True)
class BufferArg:
    """A buffer passed by the caller. Its shape reads as Vars `name.min.d`, `name.extent.d`, `name.stride.d`."""

    name: str
    dtype: DType
    rank: int
    is_output: bool


@dataclass(frozen=True, slots=True)
class ScalarArg:
    """A scalar passed by the caller; reads as a Var of this name."""

    name: str
    dtype: DType


@dataclass(frozen=True, slots=True)
class DeviceKernel:
    """What one `Launch` runs in each thread. `written` are those of `buffers` that it stores to.

    The Vars `GROUP.d` and `THREAD.d` of `device_names` number blocks, and threads in a block, in each dimension; a
    block has `threads` of them, and all dimensions together at most `directive` asked for. `notes` are of its loops.
    """

    name: str
    body: Stmt
    buffers: tuple[tuple[str, DType], ...]
    written: tuple[str, ...]
    scalars: tuple[ScalarArg, ...]
    threads: tuple[int | None, ...]
    directive: str = ""


@dataclass(frozen=True, slots=True)
class LoweredKernel:
    """One compiled unit. `loop_notes` quotes, per loop name, the directives that made it; `device_kernels` are what
    its Launches run."""

    name: str
    body: Stmt
    buffers: tuple[BufferArg, ...]
    scalars: tuple[ScalarArg, ...]
    loop_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    device_kernels: tuple[DeviceKernel, ...] = ()
