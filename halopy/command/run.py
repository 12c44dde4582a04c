"""The `halopy` command: what the user types, to one of COMMANDS, to a status.

    halopy verify TARGET ...      0: proved      1: not      2: what is typed cannot be done, said in one line

A command is a file with `NAME`, `PURPOSE`, `add_arguments(parser)` and `run(options) -> status`, in the list below.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import HalideError
from . import verify
from .unusable import Unusable

UNUSABLE = 2


@dataclass(frozen=True, slots=True)
class Command:
    """What stands behind `halopy NAME`."""

    name: str
    purpose: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = (Command("verify", verify.PURPOSE, verify.add_arguments, verify.run),)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the arguments say, and end the program with the status of that."""
    raise SystemExit(status(arguments))


def status(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say. Mistakes in them are one line on the standard error stream."""
    if sys.path[:1] not in ([""], [os.getcwd()]):
        sys.path.insert(0, os.getcwd())  # so that the user's modules are found as by `python -m`
    options = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="halopy", description="Tools for pipelines written with halopy.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        parser = commands.add_parser(command.name, help=command.purpose, description=command.purpose)
        command.add_arguments(parser)
        parser.set_defaults(run=command.run)
    return made
