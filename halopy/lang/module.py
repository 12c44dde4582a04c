"""`Module`: compiled functions that are written to files together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..codegen.c.function_info_text import function_info_text
from ..codegen.c.header_text import guard_macro, header_text
from ..codegen.c.linked_runtime import PARTS, SYMBOLS, needed_parts, runtime_text
from ..codegen.c.linked_text import print_linked, symbols
from ..codegen.c.python_extension_text import python_extension_text
from ..codegen.c.registration_text import registration_text
from ..errors import DefinitionError, TypeMismatch, UnsupportedTarget
from ..ir.stmt_html import page, section
from ..runtime.archive import Member, archive
from ..runtime.objects import Form, compile_text, join_objects
from ..runtime.write_files import checked_path, write_file
from ..source import caller
from ..target import Target as TargetValue
from ..target_features import TargetFeature, TargetOS
from .argument_names import also_called
from .buffers.buffer import Buffer
from .linked_function import LinkedFunction
from .output_files import OutputFileType
from .targets.choice import get_target_from_environment
from .targets.target import Target

if TYPE_CHECKING:
    from .autoscheduling import AutoSchedulerResults

_FORMS = {
    OutputFileType.assembly: Form.ASSEMBLY,
    OutputFileType.bitcode: Form.BITCODE,
    OutputFileType.llvm_assembly: Form.LLVM_ASSEMBLY,
}


class Module:
    """Functions, buffers and other modules under one name, for one target."""

    def __init__(self, name: str, target: Target) -> None:
        self._name = name
        self._target = chosen_target(target)
        self._functions: list[LinkedFunction] = []
        self._buffers: list[Buffer] = []
        self._submodules: list[Module] = []
        self._metadata_names: dict[str, str] = {}
        self._results: AutoSchedulerResults | None = None

    @classmethod
    def _of(cls, name: str, target: TargetValue, functions: Sequence[LinkedFunction]) -> Module:
        made = cls(name, Target._of(target))
        made._functions = list(functions)
        return made

    def name(self) -> str:
        """What it is called."""
        return self._name

    def get_auto_scheduler_results(self) -> AutoSchedulerResults | None:
        """What an automatic scheduler chose for it; None where none was set."""
        return self._results

    def set_auto_scheduler_results(self, results: AutoSchedulerResults) -> None:
        """Keep what an automatic scheduler chose for it."""
        self._results = results

    def target(self) -> Target:
        """The machine it is for."""
        return Target._of(self._target)

    def buffers(self) -> list[Buffer]:
        """The constant images in it."""
        return list(self._buffers)

    def submodules(self) -> list[Module]:
        """Modules that are part of it."""
        return list(self._submodules)

    def functions(self) -> list[str]:
        """The names of its functions, those of submodules left out."""
        return [f.interface.name for f in self._functions]

    @also_called(part=("buffer", "module"))
    def append(self, part: Buffer | Module) -> None:
        """Add a Buffer or another module."""
        if isinstance(part, Module):
            self._submodules.append(part)
        elif isinstance(part, Buffer):
            self._buffers.append(part)
        else:
            raise TypeMismatch(f"{part!r} is no part of a module", location=caller(), accepted="a Buffer or a Module")

    def remap_metadata_name(self, old: str, new: str) -> None:
        """Call an argument `new` where the functions describe themselves; their C names stay."""
        self._metadata_names[old] = new

    def get_metadata_name_map(self) -> dict[str, str]:
        """The names that `remap_metadata_name` gave."""
        return dict(self._metadata_names)

    def resolve_submodules(self) -> Module:
        """One module with the functions of all."""
        made = Module(self._name, Target._of(self._target))
        made._functions, made._buffers = self._all_functions(), list(self._buffers)
        made._metadata_names = dict(self._metadata_names)
        return made

    def compile(self, outputs: Mapping[OutputFileType, str | os.PathLike[str]]) -> None:
        """Write the files. Nothing is written where one of them cannot be."""
        checked = {kind: checked_path(path) for kind, path in _checked_outputs(outputs).items()}
        made = {kind: self._made(kind, os.fspath(path)) for kind, path in checked.items()}
        for kind, data in made.items():
            write_file(checked[kind], data)

    def compile_to_buffer(self) -> Buffer:
        """The bytes of the object."""
        return Buffer(np.frombuffer(self._object(), np.uint8).copy())

    def lowered(self) -> dict[str, object]:
        """The final statements of each function, as values that can be walked and printed."""
        return {f.interface.name: f.lowered.body for f in self._all_functions()}

    def __repr__(self) -> str:
        return f"<halopy.Module '{self._name}'>"

    def _all_functions(self) -> list[LinkedFunction]:
        own = [f.with_metadata_names(self._metadata_names) for f in self._functions]
        found = [*own, *(f for module in self._submodules for f in module._all_functions())]
        names = [f.interface for f in found]
        for k, interface in enumerate(names):
            if any((i.name, i.namespaces) == (interface.name, interface.namespaces) for i in names[:k]):
                raise DefinitionError(
                    f"module `{self._name}` has two functions called `{interface.name}`",
                    location=caller(),
                    accepted="names of their own",
                )
        return found

    def _made(self, kind: OutputFileType, path: str) -> str | bytes:
        if self._buffers and kind in _COMPILED:
            raise UnsupportedTarget(
                f"module `{self._name}` has buffers of its own, which files of type {kind.name} cannot hold",
                location=caller(),
                accepted="buffers that its functions read: they are compiled with the function",
            )
        if kind in _FORMS:
            return compile_text(self._source(), _FORMS[kind], self._target)
        make = _MAKERS.get(kind)
        if make is None:
            raise UnsupportedTarget(
                f"files of type {kind.name} are not made",
                location=caller(),
                accepted=", ".join(sorted(k.name for k in [*_FORMS, *_MAKERS])),
            )
        return make(self, path)

    def _header(self, path: str) -> str:
        return header_text([f.interface for f in self._all_functions()], os.path.basename(path))

    def _function_info(self, path: str) -> str:
        return function_info_text([f.interface for f in self._all_functions()], guard_macro(os.path.basename(path)))

    def _source(self, _path: str = "") -> str:
        functions = self._all_functions()
        if not functions:
            return _runtime_source(self._target)
        if len(functions) > 1:
            raise UnsupportedTarget(
                f"module `{self._name}` has {len(functions)} functions, but a source file holds one",
                location=caller(),
                accepted="an object or a static library; or a module for each",
            )
        return print_linked(functions[0].unit)

    def _objects(self) -> list[Member]:
        functions = self._all_functions()
        if not functions:
            return [runtime_member(self._target, "runtime.o")]
        made = []
        for function in functions:
            text = print_linked(function.unit)
            defined = tuple(symbols(function.interface, wide_long=function.unit.wide_long).values())
            runtime = _runtime_symbols(text) if function.unit.with_runtime else ()
            data = compile_text(text, Form.OBJECT, self._target)
            made.append(
                Member(
                    f"{'_'.join([*function.interface.namespaces, function.interface.name])}.o", data, defined + runtime
                )
            )
        return made

    def _object(self, _path: str = "") -> bytes:
        return join_objects([member.data for member in self._objects()], self._target)

    def _library(self, _path: str) -> bytes:
        if self._target.os in (TargetOS.OSX, TargetOS.IOS):
            raise UnsupportedTarget(
                "static libraries for Apple's systems are not made", location=caller(), accepted="an object"
            )
        return archive(self._objects())

    def _python_extension(self, _path: str) -> str:
        units = [f.unit for f in self._all_functions()]
        functions = [(u.interface, symbols(u.interface, wide_long=u.wide_long)[u.interface.name]) for u in units]
        return python_extension_text(functions, self._name.rpartition("::")[2])

    def _registration(self, _path: str) -> str:
        return registration_text([f.interface for f in self._all_functions()])

    def _statements(self, _path: str) -> str:
        parts = [f"module name={self._name}, target={self._target}\n"]
        for f in self._all_functions():
            names = ", ".join(p.name for p in f.interface.parameters)
            parts.append(f"func {f.interface.name}({names}) {{\n{f.lowered.body}}}\n")
        return "\n".join(parts)

    def _statement_page(self, _path: str) -> str:
        sections = [section(f.interface.name, f.lowered.body) for f in self._all_functions()]
        return page(f"{self._name}, {self._target}", sections)


_MAKERS: dict[OutputFileType, Callable[[Module, str], str | bytes]] = {
    OutputFileType.c_header: Module._header,
    OutputFileType.c_source: Module._source,
    OutputFileType.function_info_header: Module._function_info,
    OutputFileType.object: Module._object,
    OutputFileType.python_extension: Module._python_extension,
    OutputFileType.registration: Module._registration,
    OutputFileType.static_library: Module._library,
    OutputFileType.stmt: Module._statements,
    OutputFileType.stmt_html: Module._statement_page,
}
_COMPILED = (*_FORMS, OutputFileType.c_source, OutputFileType.object, OutputFileType.static_library)


def chosen_target(target: Target | None) -> TargetValue:
    """The target given, or that of HL_TARGET and the host."""
    if target is not None and not isinstance(target, Target):
        raise TypeMismatch(f"{target!r} is no Target", location=caller(), accepted='hl.Target("host") and the like')
    if target is None or target.value.has_unknowns:
        return get_target_from_environment().value
    return target.value


def link_modules(name: str, modules: Sequence[Module]) -> Module:
    """One module with the functions of several, which must be for one target."""
    if not modules:
        raise DefinitionError("no modules were given to link", location=caller(), accepted="at least one")
    targets = {str(module._target) for module in modules}
    if len(targets) > 1:
        raise DefinitionError(
            "modules for different targets cannot be linked",
            location=caller(),
            reason=sorted(targets),
            accepted="modules for one target",
        )
    made = Module(name, modules[0].target())
    for module in modules:
        made._functions += module._all_functions()
        made._buffers += module._buffers
    made._all_functions()
    return made


@also_called(outputs="filename")
def compile_standalone_runtime(
    outputs: str | os.PathLike[str] | Mapping[OutputFileType, str], target: Target | None = None
) -> dict[OutputFileType, str] | None:
    """Write the runtime alone, for functions compiled with `no_runtime`: an object, or the files of a mapping.

    Of the mapping, what a runtime cannot be is left out; the answer tells what was written.
    """
    value = chosen_target(target).without_features(TargetFeature.NoRuntime)
    runtime = Module("standalone_runtime", Target._of(value))
    if not isinstance(outputs, Mapping):
        runtime.compile({OutputFileType.object: outputs})
        return None
    kinds = (OutputFileType.object, OutputFileType.static_library)
    written = {kind: path for kind, path in _checked_outputs(outputs).items() if kind in kinds}
    runtime.compile(written)
    return {kind: os.fspath(path) for kind, path in written.items()}


def runtime_member(target: TargetValue, name: str) -> Member:
    """The runtime as an object."""
    text = _runtime_source(target)
    return Member(name, compile_text(text, Form.OBJECT, target), _runtime_symbols(text))


def _runtime_source(target: TargetValue) -> str:
    if target.has(TargetFeature.NoRuntime):
        raise DefinitionError("a module without functions and without runtime holds nothing", location=caller())
    return "#include <stdint.h>\n\n" + runtime_text(PARTS)


def _runtime_symbols(text: str) -> tuple[str, ...]:
    return tuple(symbol for part in needed_parts(text) for symbol in SYMBOLS[part])


def _checked_outputs(
    outputs: Mapping[OutputFileType, str | os.PathLike[str]],
) -> dict[OutputFileType, str | os.PathLike[str]]:
    if not isinstance(outputs, Mapping) or not all(isinstance(kind, OutputFileType) for kind in outputs):
        raise DefinitionError(
            f"{outputs!r} does not say which files to write",
            location=caller(),
            accepted="{hl.OutputFileType.object: 'f.o', ...}",
        )
    return dict(outputs)
