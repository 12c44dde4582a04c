"""The buffers that a Func fills, as what can be promised about them."""

from __future__ import annotations

from ..errors import DefinitionError
from ..ir.program import output_buffers
from ..source import caller
from .func_contents import FuncContents
from .image_param import OutputImageParam
from .image_ref import ImageParamRef


class FuncOutputs:
    """The part of Func that is about its output buffers."""

    __slots__ = ()
    _contents: FuncContents

    def output_buffer(self) -> OutputImageParam:
        """The buffer that a run fills: its shape as symbols, and promises about it, which each run keeps or refuses."""
        refs = output_refs(self._contents)
        if len(refs) != 1:
            raise DefinitionError(
                f"Func `{self._contents.name}` has {len(refs)} values, so it has no single output buffer",
                location=caller(),
                accepted=f"{self._contents.name}.output_buffers()",
            )
        return OutputImageParam(refs[0])

    def output_buffers(self) -> list[OutputImageParam]:
        """One for each value of a Func of several."""
        return list(map(OutputImageParam, output_refs(self._contents)))


def output_refs(contents: FuncContents) -> tuple[ImageParamRef, ...]:
    """The output buffers' identities; the same ones each time."""
    if not contents.output_refs:
        function = contents.function
        if function is None:
            raise DefinitionError(
                f"Func `{contents.name}` is not defined, so it has no output buffer",
                location=caller(),
                accepted=f"define it first, for example: {contents.name}[x] = x",
            )
        names = output_buffers(contents.name, len(function.dtypes))
        contents.output_refs = tuple(
            ImageParamRef(name, dtype, function.rank, output=(contents, element))
            for element, (name, dtype) in enumerate(zip(names, function.dtypes, strict=True))
        )
    return contents.output_refs
