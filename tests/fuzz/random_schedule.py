"""Random schedules: any directive on any loop. Those that are refused at once are left out by who makes the calls."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from .case import Argument, Case, Definition, Directive, Name, Term
from .random_algorithm import names_read

_TAILS = ("GuardWithIf", "ShiftInwards", "RoundUp", "Predicate", "ShiftInwardsAndBlend", "RoundUpAndBlend", "Auto")
_FACTORS = (1, 2, 2, 3, 4, 4, 5, 8)


def random_schedule(rng: random.Random, case: Case) -> Case:
    schedule = _Schedule(rng, case)
    schedule.choose()
    return replace(case, directives=tuple(schedule.directives))


@dataclass
class _Loops:
    """The loops of a stage as far as the directives so far were accepted, innermost first."""

    func: str
    stage: int
    names: list[Name]
    short: set[Name] = field(default_factory=set)  # of so many iterations as a number says


class _Schedule:
    def __init__(self, rng: random.Random, case: Case) -> None:
        self.rng = rng
        self.case = case
        self.directives: list[Directive] = []
        self.loops: dict[tuple[str, int], _Loops] = {}
        self.readers: dict[str, list[str]] = {}
        for func in case.funcs:
            for name in names_read(func) - {func.name}:
                self.readers.setdefault(name, []).append(func.name)
        self.is_busy = rng.random() < 0.5  # few directives find other things than many
        self.count = 0

    def choose(self) -> None:
        """From the output to what it reads, so that there are loops to compute at."""
        for func in reversed(self.case.funcs):
            is_output = func is self.case.output
            if not is_output and not self._place(func):
                continue
            for stage in range(len(func.updates) + 1):
                self._stage(func, stage)
            if not is_output and self.rng.random() < 0.35:
                self._storage(func)
        for _ in range(self.rng.choice((0, 0, 1))):
            self._between(self.rng.choice(self.case.funcs))

    def _add(self, func: str, stage: int, method: str, *args: Argument, result: str = "") -> None:
        self.directives.append(Directive(func, stage, method, args, result=result))

    def _name(self, like: Name) -> Name:
        self.count += 1
        kind = "rvar" if like.kind in ("rvar", "domain") else "var"
        return Name(kind, f"v{self.count}")

    def _tail(self) -> Name:
        return Name("TailStrategy", self.rng.choice(_TAILS))

    def _place(self, func: Definition) -> bool:
        """Whether there are loops of its own to schedule."""
        rng = self.rng
        hosts = [f for f in self.readers.get(func.name, []) if (f, 0) in self.loops]
        where = rng.choice(("inline", "root", "root", "at", "at", "at", "slide", "slide", "hoist"))
        if func.updates and where == "inline":
            where = "root"
        if where == "inline":
            return False
        if where == "root" or not hosts:
            self._add(func.name, 0, "compute_root")
            return True
        host = rng.choice(hosts)
        if rng.random() < 0.3:  # further out, where whoever reads it is computed
            outer = [d.args[0].name for d in self.directives if d.func == host and d.method == "compute_at"]
            host = outer[-1] if outer else host
        loops = self.loops[host, rng.choice([s for f, s in self.loops if f == host])]
        if not loops.names:
            return True
        at = rng.randrange(len(loops.names))
        self._add(func.name, 0, "compute_at", Name("func", host), loops.names[at])
        if where in ("slide", "hoist"):
            level = rng.randrange(at, len(loops.names) + 1)
            verb = "store" if where == "slide" else "hoist_storage"
            if level == len(loops.names):
                self._add(func.name, 0, f"{verb}_root")
            else:
                self._add(
                    func.name, 0, f"{verb}_at" if verb == "store" else verb, Name("func", host), loops.names[level]
                )
        return True

    def _stage(self, func: Definition, stage: int) -> None:
        rng = self.rng
        loops = self.loops[func.name, stage] = _Loops(func.name, stage, _first_loops(func, stage))
        if stage and rng.random() < 0.15:
            self._factor(func, stage, loops)
        if stage and rng.random() < 0.2:
            self._add(func.name, stage, "atomic")
        for _ in range(rng.choice((1, 2, 3, 4, 6)) if self.is_busy else rng.choice((0, 0, 1, 2))):
            self._loop(loops)
        if rng.random() < 0.1:
            self._special(loops)

    def _loop(self, loops: _Loops) -> None:
        """One directive on some loop; inner ones become vectors more often, outer ones parallel."""
        rng, names, func, stage = self.rng, loops.names, loops.func, loops.stage
        if not names:
            return
        at = rng.randrange(len(names))
        if rng.random() < 0.4:
            at = 0
        loop = names[at]
        if self.case.target and rng.random() < 0.5:
            self._on_device(loops)
            return
        kind = rng.choice(
            ("split", "split", "split", "tile", "fuse", "reorder", "vectorize", "vectorize", "vectorize by", "unroll",
             "unroll by", "parallel", "parallel", "parallel by", "rename", "partition", "serial")
        )  # fmt: skip
        match kind:
            case "split":
                outer, inner = self._name(loop), self._name(loop)
                if rng.random() < 0.3:
                    outer = loop if loop.kind != "domain" else outer
                self._add(func, stage, "split", loop, outer, inner, rng.choice(_FACTORS), self._tail())
                names[at : at + 1] = [inner, outer]
                loops.short.add(inner)
            case "tile" if len(names) > 1:
                x, y = names[:2]
                inner, outer = (self._name(x), self._name(y)), (self._name(x), self._name(y))
                factors = rng.choice(_FACTORS), rng.choice(_FACTORS)
                self._add(func, stage, "tile", x, y, *outer, *inner, *factors, self._tail())
                names[:2] = [*inner, *outer]
                loops.short.update(inner)
            case "fuse" if len(names) > 1:
                at = rng.randrange(len(names) - 1)
                fused = self._name(names[at])
                self._add(func, stage, "fuse", names[at], names[at + 1], fused)
                names[at : at + 2] = [fused]
            case "reorder" if len(names) > 1:
                rng.shuffle(names)
                self._add(func, stage, "reorder", *names)
            case "vectorize" | "unroll" if loop in loops.short or loop.kind == "domain":
                self._add(func, stage, kind, loop)
            case "serial":
                self._add(func, stage, kind, loop)
            case "parallel":
                self._add(func, stage, kind, names[-1] if rng.random() < 0.7 else loop)
            case "vectorize" | "vectorize by" | "unroll" | "unroll by":
                self._add(func, stage, kind.removesuffix(" by"), loop, rng.choice(_FACTORS), self._tail())
            case "parallel by":
                self._add(func, stage, "parallel", loop, rng.choice(_FACTORS), self._tail())
            case "rename":
                renamed = self._name(loop)
                self._add(func, stage, "rename", loop, renamed)
                names[at] = renamed
            case "partition":
                policy = Name("Partition", rng.choice(("Auto", "Never", "Always")))
                self._add(func, stage, "partition", loop, policy)

    def _on_device(self, loops: _Loops) -> None:
        """Loops over blocks and threads."""
        rng, names, func, stage = self.rng, loops.names, loops.func, loops.stage
        kind = rng.choice(("gpu_tile", "gpu_tile", "gpu_blocks", "gpu_threads", "gpu_threads", "gpu_single_thread"))
        count = min(len(names), rng.choice((1, 1, 2)))
        if kind == "gpu_tile":
            old = names[:count]
            outer, inner = [self._name(n) for n in old], [self._name(n) for n in old]
            factors = [rng.choice(_FACTORS) for _ in old]
            self._add(func, stage, kind, *old, *outer, *inner, *factors, self._tail())
            names[:count] = [*inner, *outer]
        elif kind == "gpu_threads":
            self._add(func, stage, kind, *names[:count])
        elif kind == "gpu_blocks":
            self._add(func, stage, kind, *names[-count:])
        else:
            self._add(func, stage, kind)

    def _special(self, loops: _Loops) -> None:
        """A version of the stage for a condition, with directives of its own."""
        rng = self.rng
        param = Term("param", "i32", (), "p")
        bound = Term("const", "i32", (), rng.randrange(1, 6))
        condition = Term(rng.choice((">", "<=", "==")), "bool", (param, bound))
        before = len(self.directives)
        for _ in range(rng.choice((1, 2))):
            self._loop(_Loops(loops.func, loops.stage, list(loops.names), set(loops.short)))
        for k in range(before, len(self.directives)):
            self.directives[k] = replace(self.directives[k], under=condition)

    def _factor(self, func: Definition, stage: int, loops: _Loops) -> None:
        domains = [n for n in loops.names if n.kind == "domain"]
        if not domains:
            return
        kept, fresh = self.rng.choice(domains), Name("var", f"u{func.name}{stage}")
        result = f"{func.name}_{stage}_factored"
        self._add(func.name, stage, "rfactor", kept, fresh, result=result)
        loops.names = [n for n in loops.names if n.kind != "domain"]
        if self.rng.random() < 0.7:
            self._add(result, 0, "compute_root")
            self._loop(_Loops(result, 1, [n for n in _first_loops(func, stage) if n != kept] + [fresh]))

    def _storage(self, func: Definition) -> None:
        rng = self.rng
        var = Name("var", rng.choice(func.args))
        kind = rng.choice(
            ("fold_storage", "align_storage", "bound_storage", "store_in", "reorder_storage", "async_", "ring_buffer",
             "bound", "align_bounds", "memoize", "bound_extent", "align_extent")
        )  # fmt: skip
        match kind:
            case "fold_storage":
                self._add(func.name, 0, kind, var, rng.choice((1, 2, 3, 4, 6, 8, 16)), rng.random() < 0.7)
            case "align_storage" | "align_bounds" | "align_extent":
                self._add(func.name, 0, kind, var, rng.choice((2, 3, 4, 8)))
            case "bound_storage":
                self._add(func.name, 0, kind, var, rng.choice((4, 8, 40)))
            case "store_in":
                place = Name("MemoryType", rng.choice(("Auto", "Heap", "Stack", "Register")))
                self._add(func.name, 0, kind, place)
            case "reorder_storage":
                args = [Name("var", a) for a in func.args]
                rng.shuffle(args)
                self._add(func.name, 0, kind, *args)
            case "ring_buffer":
                self._add(func.name, 0, kind, rng.choice((1, 2, 3)))
            case "bound":
                self._add(func.name, 0, kind, var, rng.choice((-8, -4, 0)), rng.choice((16, 32)))
            case "bound_extent":
                self._add(func.name, 0, kind, var, rng.choice((8, 16, 32)))
            case _:
                self._add(func.name, 0, kind)

    def _between(self, func: Definition) -> None:
        """A directive on a Func and one that reads it, or that is computed beside it."""
        rng = self.rng
        readers = self.readers.get(func.name, [])
        kind = rng.choice(("in_", "clone_in", "compute_with", "prefetch", "compute_with"))
        if kind in ("in_", "clone_in") and readers:
            result = f"{func.name}_{kind}"
            self._add(func.name, 0, kind, Name("func", rng.choice(readers)), result=result)
            self._add(result, 0, "compute_root")
            self._loop(_Loops(result, 0, [Name("var", a) for a in func.args]))
        elif kind == "compute_with":
            others = [k for k in self.loops if k != (func.name, 0)]
            if others and (func.name, 0) in self.loops:
                other = rng.choice(others)
                shared = [n for n in self.loops[other].names if n in self.loops[func.name, 0].names]
                if shared:
                    self._add(func.name, 0, kind, Name("func", other[0]), rng.choice(shared))
        elif kind == "prefetch" and readers:
            host = rng.choice(readers)
            if (host, 0) in self.loops and self.loops[host, 0].names:
                loop = rng.choice(self.loops[host, 0].names)
                self._add(host, 0, kind, Name("func", func.name), loop, loop, rng.randrange(0, 4))


def _first_loops(func: Definition, stage: int) -> list[Name]:
    """Those of a stage without directives: the reduction's inside, then the free arguments."""
    if stage == 0:
        return [Name("var", a) for a in func.args]
    update = func.updates[stage - 1]
    inner = []
    if update.domain:
        inner = [Name("domain", update.domain.name, k) for k in range(len(update.domain.ranges))]
    free = [a for a, i in zip(func.args, update.index, strict=True) if i == Term("var", "i32", (), a)]
    return [*inner, *(Name("var", a) for a in free)]
