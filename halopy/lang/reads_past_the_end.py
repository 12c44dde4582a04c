"""Which read of the user's program an input is too small for, as lines of a message.

`g` reads image(x + 5), blur.py:12
for example g(9) reads image(14)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from ..codegen.kernel import Kernel
from ..errors import HalideError
from ..ir.expr import Expr
from ..ir.printer import expr_text
from ..ir.stmt import ErrorSite
from ..lower.blame_reads import Blame, blame_reads
from .shown_names import shown_names
from .snapshot import Snapshot

_LONGEST = 100  # characters of a read that is shown


def reads_past_the_end(
    snapshot: Snapshot, kernel: Kernel, code: int, numbers: Sequence[int], known: Mapping[str, Expr]
) -> Sequence[str]:
    """The read that a failed check is about; nothing for other checks, and where none is found."""
    check = kernel.asserts[code - 1] if 0 < code <= len(kernel.asserts) else None
    program = snapshot.program
    if check is None or check.site is not ErrorSite.REGION_TOO_SMALL or check.names[0] not in program.images:
        return ()
    image, dim = check.names[0], int(check.names[1])
    held = range(numbers[2], numbers[3] + 1)
    try:
        blame = blame_reads(program, snapshot.schedules, known, image, dim, held)
    except HalideError:  # an extern stage, say; the check stands as it is
        return ()
    return () if blame is None else _lines(blame, image, shown_names(program))


def _lines(blame: Blame, image: str, shown: Mapping[str, str]) -> list[str]:
    func, name = shown.get(blame.func, blame.func), shown.get(image, image)
    reader = f"{func}.update({blame.stage - 1})" if blame.stage else func
    read = f"{name}({', '.join(map(_bare, blame.index))})"
    place = f", {blame.definition.location}" if blame.definition.location else ""
    lines = [f"`{reader}` reads {read if len(read) <= _LONGEST else name}{place}"]
    if blame.point is not None and blame.place is not None:
        at = ", ".join(f"{variable.replace('$', '.')} = {value}" for variable, value in blame.point.items())
        where = (
            f"{reader}({', '.join(str(blame.point[a]) for a in blame.args)})"
            if not blame.stage
            else f"{reader} at {at}"
        )
        lines.append(f"for example {where} reads {name}({', '.join(map(str, blame.place))})")
    return lines


def _bare(e: Expr) -> str:
    """The text without brackets around all of it."""
    text = expr_text(e).replace("$", ".")
    depths = list(accumulate({"(": 1, ")": -1}.get(c, 0) for c in text))
    is_bracketed = text.startswith("(") and depths.index(0) == len(text) - 1
    return text[1:-1] if is_bracketed else text
