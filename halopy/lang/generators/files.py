"""The files that the command line of generators writes: their kinds, names, and who makes them."""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import DefinitionError, UnsupportedTarget
from ...runtime.archive import Member, archive
from ...runtime.write_files import checked_path, write_file
from ...target import Target as TargetValue
from ...target_features import TargetOS
from ..module import compile_standalone_runtime
from ..multitarget import multitarget_members
from ..output_files import OutputFileType
from ..python_module import compile_to_python_module
from ..snapshot import Snapshot
from ..targets.target import Target
from .context import GeneratorContext
from .generator import Generator
from .registry import create_generator

Out = OutputFileType
PYTHON_MODULE = "python_module"  # a kind of file that only this command line has
_ENDINGS = {
    Out.assembly: ".s", Out.bitcode: ".bc", Out.c_header: ".h", Out.c_source: ".c",
    Out.function_info_header: ".function_info.h", Out.llvm_assembly: ".ll",
    Out.hlpipe: ".hlpipe", Out.object: ".o", Out.python_extension: ".py.cpp", Out.registration: ".registration.cpp",
    Out.schedule: ".schedule.py", Out.static_library: ".a", Out.stmt: ".stmt",
    Out.conceptual_stmt: ".conceptual.stmt", Out.stmt_html: ".stmt.html",
    Out.conceptual_stmt_html: ".conceptual.stmt.html",
}  # fmt: skip
_ON_WINDOWS = {Out.object: ".obj", Out.static_library: ".lib"}
_OF_EACH_TARGET = (
    Out.assembly, Out.bitcode, Out.llvm_assembly, Out.stmt, Out.conceptual_stmt, Out.stmt_html,
    Out.conceptual_stmt_html,
)  # fmt: skip
_OF_INTERFACES = (Out.registration, Out.function_info_header)
_ABBREVIATIONS = {
    "c": Out.c_source, "cpp": Out.c_source, "h": Out.c_header, "html": Out.stmt_html, "o": Out.object,
    "py.c": Out.python_extension,
}  # fmt: skip
Kind = OutputFileType | str


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be written: of which generator, with which parameters, for which targets, under which names."""

    generator: str
    function: str
    prefix: str  # of the files, with their folder
    kinds: Sequence[Kind]
    targets: Sequence[Target]
    params: Mapping[str, object] = field(default_factory=dict)


def kinds_of_files(text: str) -> list[Kind]:
    """The kinds that a list with commas names, each once. Raises DefinitionError for others."""
    return list(dict.fromkeys(map(_kind, filter(None, text.split(",")))))


def _kind(name: str) -> Kind:
    if name == PYTHON_MODULE:
        return name
    kind = _ABBREVIATIONS.get(name) or Out.__members__.get(name)
    made = ", ".join([*sorted(k.name for k in _ENDINGS), PYTHON_MODULE])
    if kind is None:
        raise DefinitionError(f"Unrecognized emit option: {name}", accepted=made)
    if kind not in _ENDINGS:
        raise UnsupportedTarget(f"files of type {kind.name} are not made", accepted=made)
    return kind


def write_files(job: Job) -> list[str]:
    """Write all. Returns the paths."""
    if len(job.targets) > 1:
        return _write_for_several(job)
    target = job.targets[0]
    paths = {kind: _path(job.prefix, kind, target.value) for kind in job.kinds}
    made = _generator(job, target)
    own = {kind: path for kind, path in paths.items() if isinstance(kind, OutputFileType)}
    if own:
        made._write(own, job.function)
    if PYTHON_MODULE in paths:
        compile_to_python_module(made._scheduled(), paths[PYTHON_MODULE], made._arguments(), job.function, target)
    return list(paths.values())


def write_runtime(prefix: str, kinds: Sequence[Kind], target: Target) -> list[str]:
    """Write what functions without a runtime of their own need: those of the kinds that it can be."""
    paths = {k: _path(prefix, k, target.value) for k in kinds if isinstance(k, OutputFileType)}
    return list((compile_standalone_runtime(paths, target) or {}).values())


def _generator(job: Job, target: Target) -> Generator:
    return create_generator(job.generator, GeneratorContext(target), job.params)


def _path(prefix: str, kind: Kind, target: TargetValue) -> str:
    if not isinstance(kind, OutputFileType):
        return prefix + str(sysconfig.get_config_var("EXT_SUFFIX") or ".so")
    is_windows = target.os is TargetOS.Windows
    return prefix + (_ON_WINDOWS.get(kind, _ENDINGS[kind]) if is_windows else _ENDINGS[kind])


def _write_for_several(job: Job) -> list[str]:
    """One function that chooses by the processor when it runs; texts about each target."""
    _check_for_several(job.kinds)
    suffixes = [re.sub(r"[^A-Za-z0-9_]", "_", str(target)) for target in job.targets]
    base = _generator(job, job.targets[-1])
    base._build_pipeline()
    files = _files_for_several(job, base, suffixes)
    checked = {checked_path(path): data for path, data in files.items()}
    for place, data in checked.items():
        write_file(place, data)
    written = list(map(os.fspath, checked))
    of_interface = {k: _path(job.prefix, k, job.targets[-1].value) for k in _OF_INTERFACES if k in job.kinds}
    if of_interface:
        base._write(of_interface, job.function)
        written += of_interface.values()
    for suffix, target in zip(suffixes, job.targets, strict=True):
        own = {k: _path(f"{job.prefix}-{suffix}", k, target.value) for k in _OF_EACH_TARGET if k in job.kinds}
        if own:
            _generator(job, target)._write(own, f"{job.function}_{suffix}")
        written += own.values()
    return written


def _check_for_several(kinds: Sequence[Kind]) -> None:
    of_all = (Out.static_library, Out.object, Out.c_header, *_OF_INTERFACES, *_OF_EACH_TARGET)
    of_one = [str(getattr(k, "name", k)) for k in kinds if k not in of_all]
    if of_one or (Out.static_library in kinds) == (Out.object in kinds):
        what = f"files of type {', '.join(of_one)} are" if of_one else "neither both nor none of library and object is"
        raise DefinitionError(
            f"{what} written for several targets",
            accepted="static_library or object; c_header, function_info_header, registration; "
            "assembly, stmt and their like for each target",
        )


def _files_for_several(job: Job, base: Generator, suffixes: Sequence[str]) -> dict[str, str | bytes]:
    def taken(value: TargetValue) -> Snapshot:
        return _generator(job, Target._of(value))._scheduled()._taken(value)

    header, members = multitarget_members(taken, job.function, base._arguments(), job.targets, suffixes)
    files: dict[str, str | bytes] = {}
    for kind in job.kinds:
        path = _path(job.prefix, kind, job.targets[-1].value)
        if kind is Out.c_header:
            files[path] = header
        elif kind is Out.static_library:
            files[path] = archive([Member(f"f{m.name}.o", m.data, m.symbols) for m in members])
        elif kind is Out.object:
            files |= {path.removesuffix(_ENDINGS[kind]) + f"{m.name}.o": m.data for m in members}
    return files
