"""The user's names for those of a program."""

from __future__ import annotations

from ..ir.program import Program


def shown_names(program: Program) -> dict[str, str]:
    """The user's names for the program's."""
    shown = {name: printable(image.ref.name) for name, image in program.images.items()}
    shown |= {name: printable(scalar.ref.name) for name, scalar in program.scalars.items()}
    for ref, name in program.names.items():
        shown[name] = printable(ref.name)
        for element in range(len(program.functions[name].dtypes)):
            shown[f"{name}.{element}"] = f"{printable(ref.name)}.{element}"
    return shown


def printable(name: str) -> str:
    """The name on one line."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()
