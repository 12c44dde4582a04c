"""`serialize_pipeline` and `deserialize_pipeline`: a pipeline as data, in a file or in bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeAlias

from ..errors import TypeMismatch
from ..runtime.write_files import checked_path
from ..source import caller
from .ahead_of_time import ABOUT_PIPELINES, AheadOfTime
from .func import Func
from .output_files import OutputFileType
from .parameter import Parameter
from .pipeline import Pipeline
from .serialization.document import from_text, read_document, to_text, write_document
from .serialization.malformed import reading
from .serialization.pipelines import FORMAT, VERSION, read_pipeline, write_pipeline

Path: TypeAlias = "str | os.PathLike[str]"
Parameters: TypeAlias = "dict[str, Parameter]"
_NONE: Mapping[str, Parameter] = {}


def serialize_pipeline(
    pipeline: Pipeline, filename: Path | None = None, *, get_params: bool | None = None
) -> bytes | tuple[bytes, Parameters] | Parameters | None:
    """Write the pipeline, with its schedule, to a file; or without a filename, give it as bytes.

    With `get_params` also give the parameters that it leaves open, by name. Values of Params are kept; what is bound
    to ImageParams is not, and neither are handlers and compiled code. Buffers inside expressions are kept whole.
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeMismatch(f"{pipeline!r} is no Pipeline", location=caller(), accepted="hl.Pipeline(func)")
    content, params = write_pipeline(pipeline)
    text = to_text(FORMAT, VERSION, content)
    if filename is not None:
        write_document(filename, text)
        return params if get_params else None
    data = text.encode()
    return (data, params) if get_params else data


def deserialize_pipeline(
    data: bytes | Path | None = None,
    user_params: Mapping[str, Parameter] = _NONE,
    *,
    filename: Path | None = None,
) -> Pipeline:
    """Read a pipeline from bytes or a file. Inputs named in `user_params` are those Parameters, others are new.

    Raises SerializationError for anything that is no pipeline. What is read is checked as what a user writes is, and
    nothing of it is run before the pipeline is.
    """
    return _read(data, filename, user_params)[0]


def deserialize_parameters(data: bytes | Path | None = None, *, filename: Path | None = None) -> Parameters:
    """The inputs of a pipeline in bytes or a file, by name."""
    return _read(data, filename, _NONE)[1]


def _write_outputs(source: AheadOfTime, filename: Path) -> None:
    """`compile_to` of a Func or a Pipeline."""
    pipeline = Pipeline(source) if isinstance(source, Func) else source
    assert isinstance(pipeline, Pipeline), "what compiles is a Func or a Pipeline"
    serialize_pipeline(pipeline, checked_path(filename))


ABOUT_PIPELINES[OutputFileType.hlpipe] = _write_outputs


def _read(
    data: bytes | Path | None, filename: Path | None, params: Mapping[str, Parameter]
) -> tuple[Pipeline, Parameters]:
    given = filename if data is None else data
    if isinstance(given, bytes | bytearray | memoryview):
        source, content = "the data", bytes(given)
    elif isinstance(given, str | os.PathLike):
        source, content = f"`{os.fspath(given)}`", read_document(given)
    else:
        raise TypeMismatch(f"{given!r} holds no pipeline", location=caller(), accepted="bytes, or a file's name")
    with reading(source, "pipeline"):
        return read_pipeline(from_text(content, FORMAT, VERSION), params)
