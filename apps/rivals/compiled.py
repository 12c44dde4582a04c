"""halopy and Halide: the same file of the app, built and scheduled by either.

For Halide the name `halopy` is made to mean Halide before the app is imported: the source compatibility at work.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from apps.cases import Array, Case, Value, named
from apps.rivals import Prepared

if TYPE_CHECKING:  # at run time only after `load`
    from apps.algorithm import Algorithm


class Realizable(Protocol):
    def compile_jit(self, target: object = ...) -> object: ...

    def realize(self, filled: object, target: object = ...) -> object: ...


ENGINES = ("halopy", "halide")
AUTOSCHEDULERS = ("Mullapudi2016", "Li2018", "Adams2019")  # Halide's, as plug-ins in its wheel
AUTOMATIC = "auto"  # halopy's own


def load(engine: str, schedule: str) -> ModuleType:
    """Import the compiler; from now on `import halopy` is that compiler."""
    if is_for_device(schedule):
        import_module("apps.rivals.opencl").open_device()  # it imports halopy and pyopencl, which no other needs
    module = import_module(engine)
    sys.modules["halopy"] = module
    return module


def prepare(
    hl: ModuleType, schedule: str, case: Case, inputs: Sequence[Value], result: Array, threads: int
) -> Prepared:
    """Build and schedule; the first call of the result compiles."""
    algorithm: Algorithm = named(case.algorithm)()
    output: Realizable = algorithm.output
    if schedule == AUTOMATIC or schedule in AUTOSCHEDULERS:
        output = _automatic(hl, algorithm, schedule, inputs, result, threads)
    elif schedule == "tuned":
        named("schedules.tuned:tuned")(case.name)(**algorithm.stages)
    elif schedule != "none":
        named(case.schedules[schedule])(**algorithm.stages)
    algorithm.give(inputs)
    filled = hl.Buffer(result)
    if is_for_device(schedule):
        return _on_device(hl, output, filled, result)
    return Prepared(lambda: output.realize(filled), result, output.compile_jit)


def is_for_device(schedule: str) -> bool:
    return schedule.startswith("opencl")


def _on_device(hl: ModuleType, output: Realizable, filled: Any, result: Array) -> Prepared:
    """A call ends when the device has ended; Halide leaves the result there until it is asked for."""
    target = hl.Target("host-opencl")

    def call() -> None:
        output.realize(filled, target)
        filled.device_sync()

    return Prepared(call, result, lambda: output.compile_jit(target), filled.copy_to_host)


def _automatic(
    hl: ModuleType, algorithm: Algorithm, name: str, inputs: Sequence[Value], result: Array, threads: int
) -> Realizable:
    """The pipeline as the automatic scheduler of that name schedules it, told this size and number of threads."""
    if name == AUTOMATIC:
        name = "halopy"
    else:
        (plugin,) = Path(str(hl.__file__)).parent.rglob(f"libautoschedule_{name.lower()}.so")
        hl.load_plugin(str(plugin))
    algorithm.estimate(inputs, result)
    pipeline = hl.Pipeline(algorithm.output)
    pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams(name, {"parallelism": str(threads)}))
    scheduled: Realizable = pipeline
    return scheduled
