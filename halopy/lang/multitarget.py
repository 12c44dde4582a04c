"""One function for several kinds of processors: each is compiled, and the program chooses when it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from ..codegen.c.dispatch_text import dispatch_text, unasked_features
from ..codegen.c.header_text import header_text
from ..codegen.c.linked_text import print_linked, symbols
from ..errors import DefinitionError, UnsupportedTarget
from ..runtime.archive import Member, archive
from ..runtime.objects import Form, compile_text
from ..runtime.write_files import checked_path, write_file
from ..source import caller
from ..target import Target as TargetValue
from ..target_features import TargetFeature
from .argument import Argument
from .linked_function import LinkedFunction, linked_function
from .module import runtime_member
from .snapshot import Snapshot
from .targets.target import Target

Take = Callable[[TargetValue], Snapshot]


def multitarget_members(
    take: Take, name: str, arguments: Sequence[Argument], targets: Sequence[Target], suffixes: Sequence[str] = ()
) -> tuple[str, list[Member]]:
    """The header's text of nothing but the function, and the objects: of each target, the choice, the runtime.

    Members are named by what follows the name of the files. Raises DefinitionError and UnsupportedTarget.
    """
    values = _checked(targets, suffixes)
    endings = list(suffixes) or [_as_name(str(value)) for value in values]
    functions = []
    for value, ending in zip(values, endings, strict=True):
        bare = value.with_features(TargetFeature.NoRuntime)
        functions.append(linked_function(take(bare), arguments, f"{name}_{_as_name(ending)}", bare))
    members = [_member(f, e, v) for f, e, v in zip(functions, endings, values, strict=True)]
    chooser = linked_function(take(values[-1]), arguments, name, values[-1]).interface
    text = dispatch_text(chooser, [f.interface.name for f in functions], values)
    members.append(Member("_wrapper", compile_text(text, Form.OBJECT, values[-1]), tuple(symbols(chooser).values())))
    if not values[-1].has(TargetFeature.NoRuntime):
        members.append(runtime_member(values[-1], "_runtime"))
    return header_text([chooser], f"{name}_h"), members


def write_objects(prefix: str | os.PathLike[str], header: str, members: Sequence[Member]) -> None:
    """A header, and a file for each object."""
    paths = [checked_path(f"{os.fspath(prefix)}{member.name}.o") for member in members]
    write_file(f"{os.fspath(prefix)}.h", header)
    for path, member in zip(paths, members, strict=True):
        write_file(path, member.data)


def write_library(prefix: str | os.PathLike[str], header: str, members: Sequence[Member]) -> None:
    """A header and a static library."""
    path = checked_path(f"{os.fspath(prefix)}.a")
    write_file(f"{os.fspath(prefix)}.h", header)
    write_file(path, archive([Member(f"f{m.name}.o", m.data, m.symbols) for m in members]))


def _member(function: LinkedFunction, ending: str, target: TargetValue) -> Member:
    data = compile_text(print_linked(function.unit), Form.OBJECT, target)
    return Member(f"-{ending}", data, tuple(symbols(function.interface).values()))


def _as_name(text: str) -> str:
    """The text as a part of a C name."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def _checked(targets: Sequence[Target], suffixes: Sequence[str]) -> list[TargetValue]:
    values = [target.value for target in targets]
    if not values or len({(v.arch, v.bits, v.os) for v in values}) > 1:
        raise DefinitionError(
            "functions for several targets are for one architecture and operating system",
            location=caller(),
            reason=list(map(str, values)),
            accepted="targets that differ in their features, the most general one last",
        )
    fits = len({*map(_as_name, suffixes)}) == len(values) and all(
        re.fullmatch(r"[\w-]+", s, re.ASCII) for s in suffixes
    )
    if suffixes and not fits:
        raise DefinitionError(
            f"{list(suffixes)} do not name the files of {len(values)} targets",
            location=caller(),
            accepted="a suffix of its own for each target, of letters, digits, _ and -",
        )
    for value in values[:-1]:
        if unasked_features(value):
            raise UnsupportedTarget(
                f"whether a processor has {', '.join(unasked_features(value))} cannot be asked when the program runs",
                location=caller(),
                accepted="features of x86 processors, in all targets but the last",
            )
    if values[-1].has(TargetFeature.CPlusPlusMangling):
        raise UnsupportedTarget(
            "functions for several targets have names of C", location=caller(), accepted="targets without name mangling"
        )
    return values
