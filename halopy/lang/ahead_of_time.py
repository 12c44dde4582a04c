"""Compiling to files: what `Func` and `Pipeline` have in common. Only objects and what comes after need a compiler."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence

from ..compile import conceptual_pipeline, lowered_pipeline
from ..errors import DefinitionError
from ..ir.stmt import Stmt
from ..ir.stmt_html import page, section
from ..runtime.write_files import write_file
from ..source import caller
from ..target import Target as TargetValue
from ..target_features import TargetOS
from .argument import Argument, inferred_arguments, to_arguments
from .linked_function import linked_function, strided_buffers
from .module import Module, chosen_target
from .multitarget import multitarget_members, write_library, write_objects
from .output_files import LinkageType, OutputFileType, StmtOutputFormat
from .snapshot import Snapshot
from .targets.target import Target

Path = str | os.PathLike[str]
_OUTPUTS_OF_STATEMENTS = (OutputFileType.conceptual_stmt, OutputFileType.conceptual_stmt_html)
ABOUT_PIPELINES: dict[OutputFileType, Callable[[AheadOfTime, Path], None]] = {}
"""Kinds of files about a whole pipeline: those that know such a kind enter it here."""


class AheadOfTime:
    """The part of Func and Pipeline that writes files.

    `arguments` lists the inputs of the function in the order in which it takes them; outputs follow. The function is
    called `fn_name`, or as the first output.
    """

    __slots__ = ()

    @abstractmethod
    def _taken(self, target: TargetValue) -> Snapshot:
        """The program and the schedules now, for a target."""

    @abstractmethod
    def _default_name(self) -> str:
        """What the function is called where the user does not say."""

    def infer_arguments(self) -> list[Argument]:
        """Arguments for all that the pipeline reads: buffers, then scalars, each by name."""
        program = self._taken(chosen_target(None)).program
        images = [image.ref for image in program.images.values() if image.ref.constant is None]
        return inferred_arguments([*images, *(scalar.ref for scalar in program.scalars.values())])

    def compile_to(
        self,
        outputs: Mapping[OutputFileType, Path],
        arguments: Sequence[object],
        fn_name: str,
        target: Target | None = None,
    ) -> None:
        """Write files of the types that are keys of `outputs`."""
        apart = (*_OUTPUTS_OF_STATEMENTS, *ABOUT_PIPELINES)
        own = [kind for kind in outputs if kind in apart] if isinstance(outputs, Mapping) else []
        rest = {kind: path for kind, path in outputs.items() if kind not in own} if own else outputs
        if rest or not own:
            self._module(arguments, fn_name, target).compile(rest)
        for kind in own:
            if kind in ABOUT_PIPELINES:
                ABOUT_PIPELINES[kind](self, outputs[kind])
                continue
            is_page = kind is OutputFileType.conceptual_stmt_html
            form = StmtOutputFormat.HTML if is_page else StmtOutputFormat.Text
            self.compile_to_conceptual_stmt(outputs[kind], arguments, form, target)

    def compile_to_bitcode(
        self, filename: Path, arguments: Sequence[object], fn_name: str | Target = "", target: Target | None = None
    ) -> None:
        """Write LLVM's bitcode, by clang."""
        self._write(OutputFileType.bitcode, filename, arguments, fn_name, target)

    def compile_to_llvm_assembly(
        self, filename: Path, arguments: Sequence[object], fn_name: str | Target = "", target: Target | None = None
    ) -> None:
        """Write LLVM's assembly, by clang."""
        self._write(OutputFileType.llvm_assembly, filename, arguments, fn_name, target)

    def compile_to_object(
        self, filename: Path, arguments: Sequence[object], fn_name: str | Target = "", target: Target | None = None
    ) -> None:
        """Write an object for the linker."""
        self._write(OutputFileType.object, filename, arguments, fn_name, target)

    def compile_to_assembly(
        self, filename: Path, arguments: Sequence[object], fn_name: str | Target = "", target: Target | None = None
    ) -> None:
        """Write the processor's instructions as text."""
        self._write(OutputFileType.assembly, filename, arguments, fn_name, target)

    def compile_to_header(
        self, filename: Path, arguments: Sequence[object], fn_name: str = "", target: Target | None = None
    ) -> None:
        """Write the header that C and C++ programs include."""
        self._write(OutputFileType.c_header, filename, arguments, fn_name, target)

    def compile_to_c(
        self, filename: Path, arguments: Sequence[object] = (), fn_name: str = "", target: Target | None = None
    ) -> None:
        """Write the function as one C file that needs nothing else. No compiler is run."""
        self._write(OutputFileType.c_source, filename, arguments, fn_name, target)

    def compile_to_file(
        self, filename_prefix: Path, arguments: Sequence[object], fn_name: str = "", target: Target | None = None
    ) -> None:
        """Write a header and an object."""
        self._write_pair(OutputFileType.object, filename_prefix, arguments, fn_name, target)

    def compile_to_static_library(
        self, filename_prefix: Path, arguments: Sequence[object], fn_name: str = "", target: Target | None = None
    ) -> None:
        """Write a header and a static library."""
        self._write_pair(OutputFileType.static_library, filename_prefix, arguments, fn_name, target)

    def compile_to_multitarget_static_library(
        self, filename_prefix: Path, arguments: Sequence[object], targets: Sequence[Target]
    ) -> None:
        """Write a header, and a library with a function for each target: the program takes the first that fits."""
        name, given = self._default_name(), to_arguments(arguments)
        write_library(filename_prefix, *multitarget_members(self._taken, name, given, targets))

    def compile_to_multitarget_object_files(
        self,
        filename_prefix: Path,
        arguments: Sequence[object],
        targets: Sequence[Target],
        suffixes: Sequence[str],
    ) -> None:
        """The same as objects: `PREFIX-SUFFIX.o` for each target, `PREFIX_wrapper.o` and `PREFIX_runtime.o`."""
        name, given = self._default_name(), to_arguments(arguments)
        write_objects(filename_prefix, *multitarget_members(self._taken, name, given, targets, suffixes))

    def compile_to_lowered_stmt(
        self,
        filename: Path,
        arguments: Sequence[object],
        fmt: StmtOutputFormat = StmtOutputFormat.Text,
        target: Target | None = None,
    ) -> None:
        """Write the final statements, as a text or as a page for a browser."""
        is_page = _is_page(fmt)
        kind = OutputFileType.stmt_html if is_page else OutputFileType.stmt
        self._module(arguments, "", target).compile({kind: filename})

    def compile_to_conceptual_stmt(
        self,
        filename: Path,
        arguments: Sequence[object],
        fmt: StmtOutputFormat = StmtOutputFormat.Text,
        target: Target | None = None,
    ) -> None:
        """Write the loops as scheduled, before they are vectorized, unrolled and simplified."""
        to_arguments(arguments)
        value, is_page = chosen_target(target), _is_page(fmt)
        now = self._taken(value)
        stmt = conceptual_pipeline(now.program, now.schedules, value)
        name = self._default_name()
        write_file(filename, page(f"{name}, {value}", [section(name, stmt)]) if is_page else str(stmt))

    def lowered_stmt(self, target: Target | None = None) -> Stmt:
        """The final statements as a value: immutable nodes that print as text and list their `children()`."""
        value = chosen_target(target)
        now = self._taken(value)
        return lowered_pipeline(now.program, now.schedules, value, strided_buffers(now.program)).body

    def _module(
        self,
        arguments: Sequence[object],
        fn_name: str,
        target: Target | None,
        linkage: LinkageType = LinkageType.ExternalPlusMetadata,
    ) -> Module:
        value, name = chosen_target(target), fn_name or self._default_name()
        function = linked_function(self._taken(value), to_arguments(arguments), name, value, linkage)
        return Module._of(name, value, [function])

    def _write(
        self,
        kind: OutputFileType,
        filename: Path,
        arguments: Sequence[object],
        fn_name: str | Target,
        target: Target | None,
    ) -> None:
        name, machine = ("", fn_name) if isinstance(fn_name, Target) else (fn_name, target)
        self._module(arguments, name, machine).compile({kind: filename})

    def _write_pair(
        self,
        kind: OutputFileType,
        prefix: Path,
        arguments: Sequence[object],
        fn_name: str,
        target: Target | None,
    ) -> None:
        windows = chosen_target(target).os is TargetOS.Windows
        ending = {OutputFileType.object: (".o", ".obj"), OutputFileType.static_library: (".a", ".lib")}[kind][windows]
        paths = {OutputFileType.c_header: f"{os.fspath(prefix)}.h", kind: f"{os.fspath(prefix)}{ending}"}
        self._module(arguments, fn_name, target).compile(paths)


def _is_page(fmt: StmtOutputFormat) -> bool:
    if not isinstance(fmt, StmtOutputFormat):
        raise DefinitionError(f"{fmt!r} is no format", location=caller(), accepted="hl.StmtOutputFormat.Text or HTML")
    return fmt is StmtOutputFormat.HTML
