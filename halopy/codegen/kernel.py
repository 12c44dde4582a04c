"""What code generation hands to the runtime: text, entry point and the meaning of its arguments."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.kernel import BufferArg, ScalarArg
from ..ir.stmt import ErrorSite
from .device import DeviceProgram


@dataclass(frozen=True, slots=True)
class AssertSite:
    """What the kernel reports by returning 1 + this site's position: `names`, and `arg_count` numbers."""

    site: ErrorSite
    names: tuple[str, ...]
    arg_count: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """One compiled unit as text.

    The entry point is `int32_t NAME(struct halide_buffer_t *const *buffers, const void *const *scalars,
    int64_t *error_args)`, with `const halopy_services *services` (`c.services_text`) after that if `needs_services`.
    It returns 0, or 1 + a position in `asserts` after writing that site's numbers.
    """

    name: str
    text: str
    buffers: tuple[BufferArg, ...]
    scalars: tuple[ScalarArg, ...]
    asserts: tuple[AssertSite, ...]
    needs_openmp: bool
    needs_math: bool
    needs_services: bool = False
    needs_threads: bool = False
    device: DeviceProgram | None = None


MOST_ERROR_ARGS = 16
