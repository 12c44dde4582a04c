"""Compiling a pipeline to a file that Python imports."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..runtime.python_modules import compile_python_module
from ..runtime.write_files import checked_path, write_file
from .ahead_of_time import AheadOfTime
from .module import chosen_target
from .targets.target import Target


def compile_to_python_module(
    pipeline: AheadOfTime, filename: str | os.PathLike[str], arguments: Sequence[object], name: str, target: Target
) -> None:
    """Write a module called `name` with a function of that name, which takes inputs and then outputs."""
    place = checked_path(filename)
    module = pipeline._module(arguments, name, target)
    write_file(
        place,
        compile_python_module(module._python_extension(os.fspath(place)), module._object(), chosen_target(target)),
    )
