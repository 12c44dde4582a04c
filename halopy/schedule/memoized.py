"""What the values of a memoized Func depend on.

    f[x] = im[x] * p + memoize_tag(g[x], key)      f depends on the contents of im, on p, and on key

The values themselves are a function of these, of the algorithm, and of the region that is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..errors import IllegalSchedule, UnsupportedTarget
from ..ir.expr import Call, Expr, Let, Read, Var
from ..ir.fingerprint import fingerprint
from ..ir.function import Function
from ..ir.map_definitions import map_expressions
from ..ir.node import Node, find, walk
from ..ir.program import Program, buffer_property, expressions
from ..ir.rewrite import Rewriter, free_vars
from ..ir.stmt import LoopKind
from .directives import BoundStorage, Directive, Memoize
from .nest import FuncSchedule
from .placement import Placements

TAG = "memoize_tag"


def find_memo_keys(program: Program, schedules: Mapping[str, FuncSchedule]) -> Mapping[str, FuncSchedule]:
    """The schedules with what each memoized Func depends on. Raises IllegalSchedule where there is nothing to keep."""
    memoized = [name for name in program.functions if schedules[name].last(Memoize)]
    placements = Placements(program, schedules) if memoized else None
    found = dict(schedules)
    for name in memoized:
        assert placements is not None, "made where there are memoized Funcs"
        directive = schedules[name].last(Memoize)
        assert directive is not None, "the Func is memoized"
        _check(name, directive, placements)
        found[name] = _with_key(program, schedules[name], directive, name)
    return found


def refuse_memoized(schedules: Mapping[str, FuncSchedule]) -> None:
    """Raises UnsupportedTarget where a kernel without halopy's runtime is to memoize."""
    for schedule in schedules.values():
        directive = schedule.last(Memoize)
        if directive is not None:
            raise UnsupportedTarget(
                directive.text,
                location=directive.location,
                reason=["results are kept by halopy's own runtime, which a compiled file runs without"],
                accepted="realize() and Callables",
            )


def without_tags(program: Program) -> Program:
    """The program with the values of tags only."""
    untagged = _WithoutTags()
    functions = {
        name: map_expressions(f, untagged) if any(e.has(Call) for e in expressions(f)) else f
        for name, f in program.functions.items()
    }
    return replace(program, functions=functions)


class _WithoutTags(Rewriter):
    only = (Call,)

    def rewrite_Call(self, call: Call) -> Node:
        rebuilt: Node = self(call.args[0]) if call.name == TAG else self.rebuild(call)
        return rebuilt


def _check(name: str, directive: Directive, placements: Placements) -> None:
    schedule = placements.schedules[name]
    if name in placements.program.outputs:
        raise _illegal(directive, f"{name} is an output of the pipeline: its memory is the caller's", "other Funcs")
    if schedule.compute_level.is_inlined:
        raise _illegal(
            directive, f"{name} is inlined, so there is nothing to keep", f"compute_root() or compute_at() of {name}"
        )
    if any(name in group and len(group) > 1 for group in placements.fused.groups(placements.program.functions)):
        raise _illegal(directive, f"{name} shares its loops with another Func", f"{name} without compute_with")
    if schedule.last(BoundStorage):
        raise _illegal(
            directive,
            f"{name} has memory of a fixed size, which says nothing of its region",
            f"{name} without bound_storage",
        )
    if schedule.store_level != schedule.compute_level or schedule.hoist_level != schedule.store_level:
        raise _illegal(
            directive, f"{name} is computed and stored at different loops", f"{name} stored where it is computed"
        )
    for place in placements.places(name):
        for loop in place:
            dim = placements.schedules[loop.func].nests[loop.stage].dim(loop.loop)
            if dim is not None and dim.kind is LoopKind.VECTORIZED:
                reason = f"{name} is computed inside the vectorized loop {loop.func}.{loop.loop}, for all lanes at once"
                raise _illegal(directive, reason, f"{name} computed outside that loop")


def _illegal(directive: Directive, reason: str, accepted: str) -> IllegalSchedule:
    return IllegalSchedule(directive.text, location=directive.location, reason=[reason], accepted=accepted)


def _with_key(program: Program, schedule: FuncSchedule, directive: Directive, name: str) -> FuncSchedule:
    dependencies = _Dependencies(program)
    dependencies.add_function(name)
    action = directive.action
    assert isinstance(action, Memoize), "looked for as such"
    images = [at for at, image in enumerate(program.images) if image in dependencies.images]
    for key in dependencies.keys:
        if key.has(Read) or free_vars(key) - _symbols(program):
            reason = f"the key `{key}` of a memoize_tag depends on more than parameters and the shapes of inputs"
            raise _illegal(directive, reason, "keys of Params, ImageParam.width(), ...")
    read = _read_by(program, name)
    functions = [f for n, f in program.functions.items() if n in read]
    keyed = replace(
        action,
        algorithm=fingerprint(functions) + "".join(f".{image}" for image in program.images),
        keys=tuple(dependencies.keys),
        images=tuple(images),
    )
    others = tuple(d for d in schedule.directives if not isinstance(d.action, Memoize))
    return replace(schedule, directives=(*others, replace(directive, action=keyed)))


def _symbols(program: Program) -> set[str]:
    """The names that have a value in the whole kernel."""
    shapes = {
        buffer_property(image.name, what, dim).name
        for image in program.images.values()
        for dim in range(image.rank)
        for what in ("min", "extent", "stride")
    }
    return shapes | set(program.scalars)


def _read_by(program: Program, name: str) -> set[str]:
    """The Func and all that it reads, in tags too."""
    found, todo = {name}, [name]
    while todo:
        for root in expressions(program.functions[todo.pop()]):
            for read in find(root, Read):
                if read.name in program.functions and read.name not in found:
                    found.add(read.name)
                    todo.append(read.name)
    return found


class _Dependencies:
    """Gathers what values depend on: scalars and shapes as expressions, images by name."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions: set[str] = set()
        self.images: set[str] = set()
        self.keys: dict[Expr, None] = {}

    def add_function(self, name: str) -> None:
        todo = [name]
        while todo:
            function = self.program.functions[todo.pop()]
            if function.name not in self.functions:
                self.functions.add(function.name)
                todo.extend(self._add(function))

    def _add(self, function: Function) -> Iterable[str]:
        """Add what a function depends on directly; gives the functions that it reads."""
        bound = set(function.args) | {v.name for d in function.definitions if d.rdom for v in d.rdom.vars}
        for root in expressions(function):
            bound |= {let.name for let in find(root, Let)}
            for node in _outside_tags(root, self.keys):
                if isinstance(node, Var) and node.name not in bound:
                    self.keys.setdefault(node)
                elif isinstance(node, Read) and node.name in self.program.images:
                    self.images.add(node.name)
                elif isinstance(node, Read):
                    yield node.name


def _outside_tags(root: Expr, keys: dict[Expr, None]) -> Iterable[Node]:
    """All nodes but those that a tag stands for; the keys of tags are added."""
    if not root.has(Call):
        yield from walk(root)
        return
    seen: set[Node] = set()
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Call) and node.name == TAG:
            keys.update(dict.fromkeys(node.args[1:] or node.args[:1]))
        else:
            yield node
            stack.extend(node.children())
