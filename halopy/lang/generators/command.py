"""`main`: the command line of the generators that a program defines."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import DefinitionError, HalideError, UnsupportedTarget
from ...instrument import setting
from ..installation import load_plugin
from ..targets.choice import get_target_from_environment
from ..targets.target import Target
from .files import Job, Kind, kinds_of_files, write_files, write_runtime
from .registry import generator_names

_FLAGS = "defgnoprvt"
_DEFAULT_KINDS = "c_header,registration,static_library"
_USAGE = """\
usage: -g GENERATOR -o FOLDER [-f FUNCTION] [-n FILES] [-e KINDS] [-p PLUGINS] [-r RUNTIME] [-t SECONDS] [-v 0|1]
       [target=TARGET[,TARGET...]] [PARAMETER=VALUE ...]

  -g  the generator
  -o  the folder of the files, which exists
  -f  the name of the function; the generator's if absent
  -n  the name of the files; the function's if absent
  -e  kinds of files, with commas between: assembly, bitcode, c_header, c_source, conceptual_stmt,
      conceptual_stmt_html, function_info_header, hlpipe, llvm_assembly, object, python_extension, python_module,
      registration, schedule, static_library, stmt, stmt_html; if absent: c_header, registration, static_library
  -p  plugins of automatic schedulers, with commas between
  -r  the name of a runtime to write, as object or static library
  -t  end with an error after so many seconds; 0 is never
  -v  1 prints the paths of the files
  target     what the code is for; this machine if absent. Of several, the function chooses when it runs
  PARAMETER  a GeneratorParam; `autoscheduler`, `autoscheduler.NAME`; `FIELD.type`, `FIELD.dim`
"""


@dataclass(slots=True)
class _Request:
    flags: dict[str, str] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)


def main() -> None:
    """Write files of a generator, as the program's arguments say. An error is printed, and ends it with status 1."""
    try:
        _run(_read(sys.argv[1:]))
    except HalideError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(1) from None


def _read(arguments: Sequence[str]) -> _Request:
    request = _Request()
    rest = iter(arguments)
    for argument in rest:
        if argument[:1] == "-":
            if argument[1:] not in _FLAGS or len(argument) != 2:
                raise _unusable(f"Unknown flag: {argument}")
            value = next(rest, None)
            if value is None:
                raise _unusable(f"{argument} stands without a value")
            request.flags[argument[1]] = value
            continue
        name, equals, value = argument.partition("=")
        if not (name and equals and value):
            raise _unusable(f"{argument!r} is neither a flag nor PARAMETER=VALUE")
        request.params[name] = value
    return request


def _run(request: _Request) -> None:
    flags, params = request.flags, request.params
    _check(flags, params)
    _limit(flags.get("t", "0"))
    for plugin in filter(None, flags.get("p", "").split(",")):
        load_plugin(plugin)
    texts = [text for text in str(params.pop("target", "")).split(",") if text]
    targets = [Target(text) for text in texts] or [get_target_from_environment()]
    kinds = _kinds(flags.get("e", ""))
    folder, written = flags["o"], []
    if "r" in flags:
        written += write_runtime(os.path.join(folder, flags["r"]), kinds, targets[-1])
    if "g" in flags:
        function = flags.get("f") or flags["g"]
        prefix = os.path.join(folder, flags.get("n") or function.rpartition("::")[2])
        written += write_files(Job(flags["g"], function, prefix, kinds, targets, params))
    if flags.get("v") == "1":
        sys.stdout.writelines(f"Generated file: {path}\n" for path in written)


def _kinds(text: str) -> list[Kind]:
    return kinds_of_files(",".join([text or _DEFAULT_KINDS, setting("HL_EXTRA_OUTPUTS") or ""]))


def _check(flags: dict[str, str], params: dict[str, object]) -> None:
    for name in "dv":
        if flags.get(name, "0") not in ("0", "1"):
            raise _unusable(f"-{name} must be 0 or 1")
    if flags.get("d") == "1":
        raise UnsupportedTarget("modules for gradient descent (-d 1) are not made")
    for old, new in (("auto_schedule", "autoscheduler=NAME"), ("machine_params", "autoscheduler.FIELD=VALUE")):
        if old in params:
            raise _unusable(f"{old} is no longer supported; specify {new} instead")
    names = "".join(f"\n    {name}" for name in generator_names()) or "\n    <none>"
    if "g" not in flags and "r" not in flags:
        raise _unusable(f"Either -g <name> or -r must be specified; available Generators are:{names}")
    if "g" in flags and flags["g"] not in generator_names():
        raise DefinitionError(f"Generator not found: {flags['g']}\nDid you mean:{names}")
    if "o" not in flags:
        raise _unusable("-o must name the folder of the files")
    for name in "fnr":
        if {*"/\\"} & {*flags.get(name, "")}:
            raise _unusable(f"-{name} is a name, not a path: {flags[name]!r}")


def _limit(text: str) -> None:
    """End the program after so many seconds, whatever it is doing then."""
    if not text.isdecimal():
        raise _unusable(f"-t must be a number of seconds, not {text!r}")
    if int(text):
        timer = threading.Timer(int(text), _give_up, (text,))
        timer.daemon = True
        timer.start()


def _give_up(seconds: str) -> None:
    sys.stderr.write(f"Error: the generator did not end within {seconds} seconds\n")
    sys.stderr.flush()
    os._exit(1)


def _unusable(text: str) -> DefinitionError:
    return DefinitionError(f"{text}\n{_USAGE}")
