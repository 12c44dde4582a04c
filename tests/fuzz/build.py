"""Make the calls that a case describes: on halopy, on Halide, or on a module that writes them down."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .case import DTYPES, FACTORIES, Argument, Case, Definition, Directive, Domain, Image, Name, Term

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


LIMITS = {"i32": (-2000, 2000), "i64": (-2000, 2000)}  # index arithmetic does not wrap


def contents(image: Image, shape: tuple[int, ...] = ()) -> np.ndarray:
    """What the input holds: the first dimension is the last axis."""
    rng = np.random.default_rng(image.seed)
    shape = shape or image.sizes[::-1]
    if image.type == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if image.type.startswith("f"):
        return (rng.integers(-400, 400, shape) / 16).astype(DTYPES[image.type])
    return rng.integers(*LIMITS.get(image.type, (0, 1 << 62)), shape, np.int64).astype(DTYPES[image.type])


class Build:
    """The objects of a case, by name. `refused` are the places of the directives that raised one of `refusals`."""

    def __init__(self, module: Any, array: Callable[[Image], Any], refusals: tuple[type[Exception], ...] = ()) -> None:
        self.module = module
        self.array = array
        self.refusals = refusals
        self.refused: list[int] = []
        self.reasons: list[str] = []
        self.names: dict[str, Any] = {}

    def let(self, name: str, value: Any) -> Any:
        """Keep what a call gave."""
        self.names[name] = value
        return value

    def do(self, value: Any) -> None:
        """A call was made."""

    def algorithm(self, case: Case) -> None:
        hl = self.module
        for name in ("x", "y", "z"):
            self.let(name, hl.Var(name))
        for name, value in case.params:
            self.let(name, hl.Param(hl.Int(32), name, value))
        for image in case.images:
            self.image(image)
        for definition in case.funcs:
            self.define(definition)

    def schedule(self, case: Case) -> None:
        for place, directive in enumerate(case.directives):
            try:
                self.direct(directive)
            except (*self.refusals, _Nameless) as error:
                self.refused.append(place)
                self.reasons.append(str(error))

    def image(self, image: Image) -> None:
        hl = self.module
        if image.boundary:
            self.let(image.name, getattr(hl.BoundaryConditions, image.boundary)(*self._bounded(image)))
        else:
            self.let(image.name, hl.ImageParam(self.type(image.type), len(image.sizes), image.name))

    def type(self, kind: str) -> Any:
        factory, *bits = FACTORIES[kind]
        return getattr(self.module, factory)(*bits)

    def _bounded(self, image: Image) -> tuple[Any, ...]:
        buffer = self.let(f"{image.name}_in", self.module.Buffer(self.array(image)))
        if image.boundary == "constant_exterior":
            return buffer, self.cast(image.type, 1)
        return (buffer,)

    def cast(self, kind: str, value: Any) -> Any:
        if kind == "bool":
            return self.module.cast(self.type(kind), value)
        return getattr(self.module, kind)(value)

    def define(self, definition: Definition) -> None:
        func = self.let(definition.name, self.module.Func(definition.name))
        func[tuple(self.names[a] for a in definition.args)] = self._together(definition.values)
        for update in definition.updates:
            if update.domain:
                self.domain(update.domain)
            func[tuple(map(self.term, update.index))] = self._together(update.values)

    def domain(self, domain: Domain) -> None:
        made = self.let(domain.name, self.module.RDom(list(domain.ranges), domain.name))
        if domain.where:
            self.do(made.where(self.term(domain.where)))

    def _together(self, values: tuple[Term, ...]) -> Any:
        made = [self.term(v) for v in values]
        return made[0] if len(made) == 1 else tuple(made)

    def term(self, term: Term) -> Any:
        args = [self.term(a) for a in term.args]
        match term.op:
            case "const":
                return self.cast(term.type, term.value)
            case "var" | "param":
                return self.names[term.value]
            case "rvar":
                return self.names[term.value[0]][term.value[1]]
            case "read":
                value = self.names[term.value[0]][tuple(args)]
                return value if term.value[1] is None else value[term.value[1]]
            case "cast":
                return self.cast(term.type, *args)
        return OPERATORS[term.op](*args) if term.op in OPERATORS else getattr(self.module, term.op)(*args)

    def direct(self, directive: Directive) -> None:
        stage = self._known(directive.func)
        if directive.stage:
            stage = stage.update(directive.stage - 1)
        if directive.under:
            stage = stage.specialize(self.term(directive.under))
        made = getattr(stage, directive.method)(*map(self.argument, directive.args))
        if directive.result:
            self.let(directive.result, made)
        else:
            self.do(made)

    def argument(self, argument: Argument) -> Any:
        if isinstance(argument, Term):
            return self.term(argument)
        if not isinstance(argument, Name):
            return argument
        match argument.kind:
            case "var":
                return self.module.Var(argument.name)
            case "rvar":
                return self.module.RVar(argument.name)
            case "func":
                return self._known(argument.name)
            case "domain":
                return self.names[argument.name][argument.position]
        return getattr(getattr(self.module, argument.kind), argument.name)

    def _known(self, name: str) -> Any:
        if name not in self.names:
            raise _Nameless(f"{name} was not made")
        return self.names[name]


class _Nameless(Exception):
    """A directive is on what a refused directive would have given."""
