"""OpenCL kernels as one writes them by hand, run by pyopencl on the device that halopy chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyopencl as cl

from apps.cases import Array
from apps.rivals import Prepared, opencl

Extents = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """A kernel, on arrays of the device by name and then on numbers, for so many threads in blocks of so many."""

    kernel: str
    arrays: Sequence[str]
    numbers: Sequence[int | float]
    threads: Extents
    block: Extents


def prepared(text: str, arrays: dict[str, Array], result: str, steps: Sequence[Step]) -> Prepared:
    """Everything is on the device before the first call, and stays there; `result` names the array to look at."""
    opencl.open_device()
    context = cl.create_some_context(interactive=False)
    queue, flags = cl.CommandQueue(context), cl.mem_flags
    program = cl.Program(context, text).build()
    memory = {
        name: cl.Buffer(context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=array)
        for name, array in arrays.items()
    }
    launches = []
    for step in steps:
        kernel = cl.Kernel(program, step.kernel)
        numbers = [np.int32(n) if isinstance(n, int) else np.float32(n) for n in step.numbers]
        kernel.set_args(*(memory[name] for name in step.arrays), *numbers)
        whole = tuple(-(-n // size) * size for n, size in zip(step.threads, step.block, strict=True))
        launches.append(partial(cl.enqueue_nd_range_kernel, queue, kernel, whole, step.block))

    def call() -> None:
        for launch in launches:
            launch()
        queue.finish()

    def fetch() -> None:
        cl.enqueue_copy(queue, arrays[result], memory[result])  # type: ignore[call-overload]

    return Prepared(call, arrays[result], fetch=fetch)
