"""Directives as Python: of one as the user would write it, of all as a function that repeats them."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..automatic import Choice, Large
from ..ir.stmt import LoopKind
from ..schedule.directives import (
    ComputeAt,
    Fuse,
    LoopDirective,
    Rename,
    Reorder,
    ReorderStorage,
    SetKind,
    SetPartition,
    Skew,
    Split,
    StoreAt,
)
from ..schedule.directives import LoopLevel as LoopLevelValue
from .enums import Partition, TailStrategy
from .snapshot import Snapshot

Action = LoopDirective | ComputeAt | StoreAt | ReorderStorage
_VERBS = {
    LoopKind.PARALLEL: "parallel",
    LoopKind.VECTORIZED: "vectorize",
    LoopKind.UNROLLED: "unroll",
    LoopKind.SERIAL: "serial",
}


def directive_text(action: Action) -> str:
    """As messages quote it: `split(x, x, x_v, 16, TailStrategy.GuardWithIf)`."""
    return _call(action, lambda name: name.replace("$", "."), _plain_level, "")


def schedule_source(choices: Sequence[Choice], seen: Snapshot) -> str:
    """A module of one function, `schedule(pipeline)`, which gives the same pipeline, unscheduled, these directives."""
    return _Source(seen).module(choices)


class _Source:
    def __init__(self, seen: Snapshot) -> None:
        self.seen = seen
        self.functions = seen.program.functions
        self.numbers = {name: n for n, name in enumerate(self.functions)}
        self.names = _identifiers(self.functions, {"hl", "pipeline", "schedule", "version"})
        self.func_of = seen.program.names

    def module(self, choices: Sequence[Choice]) -> str:
        used = dict.fromkeys(name for c in choices for name in (c.func, *self._consumers(c)))
        lines = [f"{self.names[f]} = pipeline.get_func({self.numbers[f]})" for f in self.functions if f in used]
        for key in dict.fromkeys((c.func, c.stage, c.when) for c in choices):
            lines += ["", *self._stage(*key, [c.action for c in choices if (c.func, c.stage, c.when) == key])]
        body = "".join(f"    {line}\n" if line else "\n" for line in lines or ["pass"])
        return f"import halopy as hl\n\n\ndef schedule(pipeline: hl.Pipeline) -> None:\n{body}"

    def _consumers(self, choice: Choice) -> list[str]:
        action = choice.action
        at = action.level.func if isinstance(action, ComputeAt | StoreAt) else None
        when = [] if choice.when is None else [choice.when.output]
        return when if at is None else [self.func_of[at], *when]

    def _stage(self, func: str, stage: int, when: Large | None, actions: Sequence[Action | None]) -> list[str]:
        handle = self.names[func] + (f".update({stage - 1})" if stage else "")
        if actions == [None]:
            return [f"{handle}.unscheduled()"]
        args = self.functions[func].args
        rdom = self.functions[func].definitions[stage].rdom
        rvars = [v.name for v in rdom.vars] if rdom else []
        mentioned = dict.fromkeys(name for a in actions if a is not None for name in _loops(a))
        known = _identifiers(
            dict.fromkeys([*args, *rvars, *mentioned]), {*self.names.values(), "hl", "pipeline", "version"}
        )
        lines = []
        if when is not None:
            lines.append(f"version = {handle}{self._version(when)}")
            handle = "version"
        if any(name in mentioned for name in args):
            lines.append(f"{_targets(args, known)} = {self.names[func]}.args()")
        if any(name in mentioned for name in rvars):
            lines.append(f"{_targets(rvars, known)} = {self.names[func]}.rvars({stage - 1})")
        reductions = _reductions(actions, rvars)
        new = [name for name in mentioned if name not in args and name not in rvars]
        lines += [f'{known[name]} = hl.{"RVar" if name in reductions else "Var"}("{name}")' for name in new]
        calls = [_call(a, known.__getitem__, self._level, "hl.") for a in actions if a is not None]
        return [*lines, *(f"{handle}.{call}" for call in calls)]

    def _version(self, when: Large) -> str:
        dim = f"{self.names[when.output]}.output_buffer().dim"
        parts = [f"({dim}({d}).extent() >= {least})" for d, least in enumerate(when.least) if least]
        return f".specialize({' & '.join(parts)})"

    def _level(self, level: LoopLevelValue) -> str:
        if level.func is None:
            return ""
        name = self.func_of[level.func]
        args = self.functions[name].args
        loop = (
            f"{self.names[name]}.args()[{args.index(level.loop)}]" if level.loop in args else f'hl.Var("{level.loop}")'
        )
        return f"{self.names[name]}, {loop}"


def _call(action: Action, loop: Callable[[str], str], level: Callable[[LoopLevelValue], str], prefix: str) -> str:
    if isinstance(action, ComputeAt | StoreAt):
        verb = "compute" if isinstance(action, ComputeAt) else "store"
        return f"{verb}_root()" if action.level.is_root else f"{verb}_at({level(action.level)})"
    if isinstance(action, SetKind):
        return f"{_VERBS[action.kind]}({loop(action.loop)})"
    if isinstance(action, SetPartition):
        return f"partition({loop(action.loop)}, {prefix}Partition.{Partition.of(action.policy).name})"
    names = ", ".join(map(loop, _loops(action)))
    if isinstance(action, Split):
        return f"split({names}, {action.factor}, {prefix}TailStrategy.{TailStrategy.of(action.tail).name})"
    if isinstance(action, ReorderStorage):
        return f"reorder_storage({names})"
    if isinstance(action, Skew):
        return f"skew({names}, {action.factor})"
    return f"{'reorder' if isinstance(action, Reorder) else 'fuse' if isinstance(action, Fuse) else 'rename'}({names})"


def _loops(action: Action) -> tuple[str, ...]:
    """The loops that a directive names, in its order."""
    match action:
        case Split(old, outer, inner):
            return old, outer, inner
        case Fuse(inner, outer, fused):
            return inner, outer, fused
        case Skew(skewed, by):
            return skewed, by
        case Rename(old, new):
            return old, new
        case Reorder(loops) | ReorderStorage(loops):
            return loops
        case SetKind(loop) | SetPartition(loop):
            return (loop,)
    return ()


def _reductions(actions: Iterable[Action | None], rvars: Iterable[str]) -> set[str]:
    """Loops over parts of reduction variables."""
    found = set(rvars)
    for action in actions:
        if isinstance(action, Split) and action.old in found:
            found |= {action.outer, action.inner}
    return found


def _plain_level(level: LoopLevelValue) -> str:
    return "" if level.func is None else f"{level.func.name}, {level.loop}"


def _targets(names: Sequence[str], known: Mapping[str, str]) -> str:
    return ", ".join(known[name] for name in names) + ("," if len(names) == 1 else "")


def _identifiers(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Python names close to these, all different."""
    taken, found = set(taken), {}
    for name in names:
        base = f"r_{name.rsplit('$', 1)[1]}" if "$" in name else name  # a domain's own name may differ each time
        base = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in base)
        base = f"_{base}" if base[:1].isdigit() else base
        while base in taken or keyword.iskeyword(base):
            base += "_"
        taken.add(base)
        found[name] = base
    return found
