"""What a generator's pipeline becomes: a function to call, or files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping

from ...errors import DefinitionError
from ...runtime.write_files import checked_path, write_file
from ...source import caller
from ..argument import Argument
from ..autoscheduler_params import AutoschedulerParams
from ..callable import Callable
from ..output_files import OutputFileType
from ..pipeline import Pipeline
from ..serialize import serialize_pipeline
from ..targets.target import Target

_OF_PIPELINES = (OutputFileType.schedule, OutputFileType.hlpipe)  # files about no function


class GeneratorProducts(ABC):
    """The part of Generator that compiles."""

    _target: Target
    _autoscheduler: AutoschedulerParams
    _schedule_text: str | None = None

    @abstractmethod
    def _build_pipeline(self) -> Pipeline:
        """The pipeline, made once."""

    @abstractmethod
    def _arguments(self) -> list[Argument]:
        """The inputs of the pipeline, once it is made."""

    def compile_to_callable(self) -> Callable:
        """A function of the inputs and then the outputs, by place or by name, compiled now."""
        return self._scheduled().compile_to_callable(self._arguments(), self._target)

    def _scheduled(self) -> Pipeline:
        """The pipeline, with the schedule that the autoscheduler gives it where one was chosen."""
        pipeline = self._build_pipeline()
        if self._autoscheduler.name and self._schedule_text is None:
            made = pipeline.apply_autoscheduler(self._target, self._autoscheduler)
            self._schedule_text = made.schedule_source
        return pipeline

    def _write(self, outputs: Mapping[OutputFileType, str], function_name: str) -> None:
        """Write files about the pipeline as a function of this name."""
        pipeline = self._scheduled()
        rest: dict[OutputFileType, str | os.PathLike[str]] = {
            kind: path for kind, path in outputs.items() if kind not in _OF_PIPELINES
        }
        if OutputFileType.schedule in outputs:
            self._write_schedule(outputs[OutputFileType.schedule])
        if OutputFileType.hlpipe in outputs:
            serialize_pipeline(pipeline, checked_path(outputs[OutputFileType.hlpipe]))
        if rest:
            pipeline.compile_to(rest, self._arguments(), function_name, self._target)

    def _write_schedule(self, path: str) -> None:
        if self._schedule_text is None:
            raise DefinitionError(
                f"`{os.path.basename(path)}` is about an automatic schedule, but none was asked for",
                location=caller(),
                accepted="autoscheduler=NAME",
            )
        write_file(checked_path(path), self._schedule_text)
