"""`Argument`: an input of a compiled function, described without its value."""

from __future__ import annotations

from collections.abc import Sequence

from ..codegen.interface import Number, Parameter, Role
from ..dtypes import INT32
from ..errors import DefinitionError, TypeMismatch
from ..ir.expr import const_value
from ..ir.refs import ImageRef, ScalarRef
from ..source import caller
from .argument_estimates import ArgumentEstimates, estimates_of
from .argument_names import also_called
from .buffers.buffer import Buffer
from .expressions.expr import Expr
from .expressions.numbered import Translated
from .expressions.types import Type
from .image_param import OutputImageParam
from .param import Param
from .param_ref import ParamRef


class ArgumentKind(Translated):
    """What an argument is."""

    meaning: Role

    InputScalar = 0, Role.INPUT_SCALAR
    InputBuffer = 1, Role.INPUT_BUFFER
    OutputBuffer = 2, Role.OUTPUT_BUFFER


class Argument:
    """Argument(), Argument(ImageParam), Argument(Param), Argument(Buffer)"""

    @also_called(source=("im", "param", "buffer"))
    def __init__(self, source: OutputImageParam | Param | Buffer | None = None) -> None:
        self.name = ""
        self.kind = ArgumentKind.InputScalar
        self.dimensions = 0
        self.type = Type.of(INT32)
        self.argument_estimates = ArgumentEstimates()
        self._ref: ImageRef | ScalarRef | None = None
        if isinstance(source, Param):
            self._describe_scalar(source._ref)
        elif isinstance(source, OutputImageParam):
            self._describe_buffer(source._ref)
        elif isinstance(source, Buffer):
            self._describe_buffer(source._contents.image)
        elif source is not None:
            raise TypeMismatch(
                f"{source!r} is no argument", location=caller(), accepted="a Param, an ImageParam or a Buffer"
            )

    def _describe_scalar(self, ref: ParamRef) -> None:
        self.name, self.type, self._ref = ref.name, Type.of(ref.dtype), ref
        self.argument_estimates = estimates_of(ref)

    def _describe_buffer(self, ref: ImageRef) -> None:
        self.name, self.type, self._ref = ref.name, Type.of(ref.dtype), ref
        self.kind, self.dimensions = ArgumentKind.InputBuffer, ref.rank
        self.argument_estimates = estimates_of(ref)

    def is_buffer(self) -> bool:
        """Whether it is an input or output buffer."""
        return self.kind is not ArgumentKind.InputScalar

    def is_scalar(self) -> bool:
        """Whether it is a number."""
        return not self.is_buffer()

    def is_input(self) -> bool:
        """Whether the function reads it."""
        return self.kind is not ArgumentKind.OutputBuffer

    def is_output(self) -> bool:
        """Whether the function fills it."""
        return not self.is_input()

    def __repr__(self) -> str:
        return f"<halopy.Argument '{self.name}' {self.kind.name} {self.type}>"

    def _parameter(self) -> Parameter:
        """As code generation knows it."""
        e = self.argument_estimates
        return Parameter(
            self.name,
            self.kind.meaning,
            self.type.dtype,
            self.dimensions,
            least=_number(e.scalar_min),
            greatest=_number(e.scalar_max),
            default=_number(e.scalar_def),
            estimate=_number(e.scalar_estimate),
            region_estimate=tuple((_whole(r.min), _whole(r.extent)) for r in e.buffer_estimates),
        )


def to_arguments(given: Sequence[object]) -> list[Argument]:
    """Arguments from what the user lists. Raises TypeMismatch, and DefinitionError where two have one name."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeMismatch(
            f"{given!r} is no list of arguments", location=caller(), accepted="a list of Params and ImageParams"
        )
    made = [a if isinstance(a, Argument) else Argument(a) for a in given]  # type: ignore[arg-type]
    names = [argument.name for argument in made]
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(
                f"two arguments are called `{name}`",
                location=caller(),
                accepted="each argument once, names of their own",
            )
    return made


def inferred_arguments(refs: Sequence[ImageRef | ScalarRef]) -> list[Argument]:
    """Arguments for these inputs: buffers, then scalars, each by name."""
    made = []
    for ref in refs:
        argument = Argument()
        if isinstance(ref, ParamRef):
            argument._describe_scalar(ref)
        elif isinstance(ref, ImageRef):
            argument._describe_buffer(ref)
        made.append(argument)
    return sorted(made, key=lambda a: (a.is_scalar(), a.name))


def region_estimate(ref: ImageRef | None) -> tuple[tuple[int | None, int | None], ...]:
    """Min and extent to expect in each dimension, where they are numbers."""
    ranges = estimates_of(ref).buffer_estimates if ref is not None else []
    return tuple((_whole(r.min), _whole(r.extent)) for r in ranges)


def _number(e: Expr) -> Number:
    return const_value(e.node) if e.defined() else None


def _whole(e: Expr) -> int | None:
    value = _number(e)
    return None if value is None else int(value)
