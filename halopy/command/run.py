"""The `halopy` command: what the user types, to one of COMMANDS, to a status.

    halopy verify TARGET ...      0: proved      1: not      2: what is typed cannot be done, said in one line
    halopy explain TARGET ...     what the schedule costs
    halopy emit TARGET ...        the C, and the like

A command is a module with `PURPOSE`, `add_arguments(parser)` and `run(options) -> status`, in the list below. Those
that stand beside the house (`tune`) are named there, and imported when asked for: `halopy` needs none of them.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from ..errors import HalideError
from . import emit, explain, verify
from .unusable import Unusable

UNUSABLE = 2


class Command(Protocol):
    """What stands behind `halopy NAME`."""

    PURPOSE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace) -> int: ...


COMMANDS: Mapping[str, Command] = {"verify": verify, "explain": explain, "emit": emit}
BESIDE = {"tune": "autotuner.command"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the arguments say, and end the program with the status of that."""
    raise SystemExit(status(arguments))


def status(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say. Mistakes in them are one line on the standard error stream."""
    if sys.path[:1] not in ([""], [os.getcwd()]):
        sys.path.insert(0, os.getcwd())  # so that the user's modules are found as by `python -m`
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(_commands(given)).parse_args(given)
    try:
        return int(options.run(options))
    except Unusable as mistake:
        return _told(options.command, str(mistake))
    except HalideError as error:
        return _told(options.command, " ".join(str(error).split()))
    except OSError as error:
        return _told(options.command, str(error))


def _told(command: str, mistake: str) -> int:
    sys.stderr.write(f"halopy {command}: {' '.join(mistake.splitlines())}\n")
    return UNUSABLE


def _commands(arguments: Sequence[str]) -> Mapping[str, Command]:
    """Those of this house, and of those beside it the one that is asked for; all of them for `halopy --help`."""
    asked = {name: module for name, module in BESIDE.items() if arguments[:1] in ([name], ["--help"], ["-h"], [])}
    found: dict[str, Command] = dict(COMMANDS)
    for name, module in asked.items():
        if importlib.util.find_spec(module.partition(".")[0]) is not None:
            found[name] = cast(Command, importlib.import_module(module))
    return found


def _parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="halopy", description="Tools for pipelines written with halopy.")
    subparsers = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in commands.items():
        parser = subparsers.add_parser(name, help=command.PURPOSE, description=command.PURPOSE)
        command.add_arguments(parser)
        parser.set_defaults(run=command.run)
    return made
