"""Very long runs of lines are cut into functions: the time of C compilers grows with more than a block's length.

                                      struct parts { const int32_t *in; int64_t at; i32x8 t_80; ... };
const i32x8 t_1 = ...;                OUTLINE void part(struct parts *shared) {
...                                       const int32_t *const in = shared->in;
const i32x8 t_9000 = ...;                 ...
                               ->         shared->t_80 = t_80;
                                      }
                                      ...
                                      struct parts shared;
                                      shared.in = in; ...
                                      part(&shared); part_1(&shared); ...
                                      const i32x8 t_9000 = shared.t_9000;
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from .tasks import captured, constant, names_in, spaced

LONGEST_RUN = 60_000  # characters that gcc still optimizes in about a second
_PART = 4_000

_CONSTANT = re.compile(r" *const (\w+) (\w+) = .*;$")
_STORE = re.compile(r" *(?:(?:store|scatter)_\w+\(|(\w+)\[.*\] = ).*;$")
_COMMENT = re.compile(r" */\*.*\*/$")


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of a function, and what they have to do with the locals of the whole of it."""

    lines: Sequence[str]
    used: Mapping[str, str]  # C types of the locals that they use
    made: Sequence[str]  # the constants among them

    @staticmethod
    def of(lines: Sequence[str], types: Mapping[str, str]) -> _Lines:
        made = [found[2] for found in map(_CONSTANT.match, lines) if found]
        return _Lines([line.lstrip() for line in lines], captured(lines, types), made)

    def taken(self) -> dict[str, str]:
        """What comes from outside, with its type."""
        own = set(self.made)
        return {name: kind for name, kind in self.used.items() if name not in own}


def in_parts(
    lines: Sequence[str], types: Mapping[str, str], fresh: Callable[[str], str]
) -> tuple[list[str], list[str]]:
    """The lines of one function, with calls where long runs stood, and the texts that stand above it.
    `types` are the C types of locals."""
    runs = list(_long_runs(lines, types))
    last_use = {name: k for k, line in enumerate(lines) for name in names_in(line)} if runs else {}
    written: list[str] = []
    above: list[str] = []
    done = 0
    for run in runs:
        indent = lines[run.start][: -len(lines[run.start].lstrip())]
        parts = [_Lines.of(lines[part.start : part.stop], types) for part in _cut(lines, run)]
        leaving = [name for part in parts for name in part.made if last_use[name] >= run.stop]
        calls, functions = _shared(parts, leaving, types, fresh)
        written += [*lines[done : run.start], *(indent + call for call in calls)]
        above += functions
        done = run.stop
    return [*written, *lines[done:]], above


def _long_runs(lines: Sequence[str], types: Mapping[str, str]) -> Iterator[range]:
    """Where functions can take over."""
    for can_move, group in groupby(range(len(lines)), lambda k: _can_move(lines[k], types)):
        numbers = list(group)
        if can_move and sum(len(lines[k].lstrip()) for k in numbers) > LONGEST_RUN:
            yield range(numbers[0], numbers[-1] + 1)


def _can_move(line: str, types: Mapping[str, str]) -> bool:
    made = _CONSTANT.match(line)
    if made:
        return types.get(made[2]) == made[1]
    store = _STORE.match(line)
    return types.get(store[1] or "", "*").endswith("*") if store else bool(_COMMENT.match(line))


def _cut(lines: Sequence[str], run: range) -> Iterator[range]:
    start, length = run.start, 0
    for k in run:
        length += len(lines[k].lstrip())
        if length >= _PART or k == run.stop - 1:
            yield range(start, k + 1)
            start, length = k + 1, 0


def _shared(
    parts: Sequence[_Lines], leaving: Iterable[str], types: Mapping[str, str], fresh: Callable[[str], str]
) -> tuple[list[str], list[str]]:
    """The lines of the calls, and the texts of what they call. Parts share their values by a struct."""
    taken = {name: kind for part in parts for name, kind in part.taken().items()}
    made = {name for part in parts for name in part.made}
    fields = {**taken, **{name: types[name] for name in leaving}}
    struct, shared = fresh("parts"), fresh("shared")
    functions = [(fresh("part"), part) for part in parts]
    calls = [
        f"struct {struct} {shared};",
        *(f"{shared}.{name} = {name};" for name in taken if name not in made),
        *(f"{function}(&{shared});" for function, _ in functions),
        *(f"{constant(types[name])} {name} = {shared}.{name};" for name in leaving),
    ]
    texts = [
        "\n".join([f"struct {struct} {{", *(f"    {spaced(kind)}{name};" for name, kind in fields.items()), "};", ""])
    ]
    for function, part in functions:
        reads = [f"{constant(kind)} {name} = {shared}->{name};" for name, kind in part.taken().items()]
        writes = [f"{shared}->{name} = {name};" for name in part.made if name in fields]
        body = [f"    {line}" for line in (*reads, *part.lines, *writes)]
        texts.append("\n".join([f"OUTLINE void {function}(struct {struct} *{shared}) {{", *body, "}", ""]))
    return calls, texts
