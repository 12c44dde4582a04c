"""`Pipeline`: one or more output Funcs, compiled and run together."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DefinitionError
from ..source import caller
from .func import Func
from .pipeline_run import PipelineRun


class Pipeline(PipelineRun):
    """Output Funcs and all that they depend on."""

    __slots__ = ()

    def __init__(self, outputs: Func | Sequence[Func] = ()) -> None:
        funcs = [outputs] if isinstance(outputs, Func) else list(outputs)
        for func in funcs:
            if not isinstance(func, Func):
                raise DefinitionError(f"{func!r} is not a Func", location=caller(), accepted="a Func or a list of them")
        super().__init__([func._contents for func in funcs])

    def defined(self) -> bool:
        """Whether it has an output."""
        return bool(self._outputs)

    def outputs(self) -> list[Func]:
        return [Func._of(contents) for contents in self._outputs]

    def get_func(self, index: int) -> Func:
        """The nth Func of the pipeline, producers before consumers."""
        program = self.snapshot().program
        refs = {name: ref for ref, name in program.names.items()}
        names = list(program.functions)
        if not 0 <= index < len(names):
            raise DefinitionError(
                f"the pipeline has no Func number {index}", location=caller(), accepted=f"0 to {len(names) - 1}"
            )
        return next(Func._of(c) for c in program.names if c is refs[names[index]])  # type: ignore[arg-type]

    def __repr__(self) -> str:
        names = ",".join(f"'{contents.name}'" for contents in self._outputs)
        return f"<halopy.Pipeline [{names}]>" if names else "<halopy.Pipeline Pipeline()>"
