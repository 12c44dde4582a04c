"""Steps in time without time tiles: a pipeline of one step, from one array to another and back, as often as needed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import numpy as np

from apps.cases import Array, named
from apps.rivals import Prepared, compiled


def prepare_halopy(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    return _prepare("halopy", inputs, output)


def prepare_halide(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    return _prepare("halide", inputs, output)


def _prepare(engine: str, inputs: Sequence[Array], output: Array) -> Prepared:
    """An even number of steps ends in `output`. The start is copied there first, as no system may overwrite it."""
    hl = compiled.load(engine)
    app = import_module("apps.jacobi")  # after loading: it builds with that compiler
    steps, algorithm = app.STEPS, app.one_step()
    named("schedules.jacobi:one_step")(**algorithm.stages)
    step = algorithm.output.compile_to_callable(list(algorithm.inputs))
    (start,) = inputs
    ends = hl.Buffer(np.ones_like(output)), hl.Buffer(output)
    first = hl.Buffer(start)

    def call() -> None:
        step(first, ends[0])
        for n in range(1, steps):
            step(ends[(n + 1) % 2], ends[n % 2])

    return Prepared(call, output)
