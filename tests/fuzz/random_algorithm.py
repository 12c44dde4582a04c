"""Random pipelines: stencils, resampling, transposes, gathers, reductions, scans, scatters, tuples, predicates."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .case import Case, Definition, Domain, Image, Term, Update
from .random_terms import TYPES, Terms, Value, call, cast, const, small

_BOUNDARIES = ("repeat_edge", "constant_exterior", "repeat_image", "mirror_image", "mirror_interior")
_MOST_SCALE = 6
_COORDINATE = 400  # none is larger than that, in any pipeline


@dataclass(frozen=True)
class _Producer:
    """What may be read: types and bounds of its elements, and how much larger than the output it may have to be."""

    name: str
    rank: int
    types: tuple[str, ...]
    bounds: tuple[int, ...]
    scale: int


def random_algorithm(rng: random.Random) -> Case:
    return _Algorithm(rng).case()


class _Algorithm:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.params = (("p", rng.randrange(1, 6)),)
        self.images: list[Image] = []
        self.producers: list[_Producer] = []
        self.funcs: list[Definition] = []
        self.scale = 1
        self.is_exact = True

    def case(self) -> Case:
        rng = self.rng
        for k in range(rng.choice((0, 1, 1, 2))):
            self._image(f"in{k}")
        count = rng.choice((1, 2, 2, 2, 3, 3, 3, 4, 5))
        for k in range(count):
            self._func(f"f{k}", k == count - 1)
        used, rank = self._used(), len(self.funcs[-1].args)
        return Case(
            images=tuple(i for i in self.images if any(i.name in names_read(f) for f in used)),
            params=self.params,
            funcs=tuple(used),
            directives=(),
            sizes=tuple(rng.choice((0, 1, 2, 3, 5, 7, 8, 8, 12, 13, 16, 16, 17, 24)) for _ in range(rank)),
            mins=tuple(rng.choice((0, 0, 0, -3, 2, 5)) for _ in range(rank)),
            is_exact=self.is_exact,
        )

    def _used(self) -> list[Definition]:
        wanted, kept = {self.funcs[-1].name}, []
        for func in reversed(self.funcs):
            if func.name in wanted:
                kept.append(func)
                wanted |= names_read(func)
        return kept[::-1]

    def _image(self, name: str) -> None:
        rng = self.rng
        kind, rank = rng.choice(TYPES), rng.choice((1, 2, 2))
        sizes = tuple(rng.randrange(3, 20) for _ in range(rank))
        boundary = "" if rng.random() < 0.3 else rng.choice(_BOUNDARIES)
        self.images.append(Image(name, kind, sizes, boundary, rng.randrange(1000)))
        self.producers.append(_Producer(name, rank, (kind,), (2000,), 1))

    def _func(self, name: str, is_output: bool) -> None:
        rng = self.rng
        args = ("x", "y", "z")[: rng.choice((1, 2, 2, 2, 2, 3))]
        kinds = tuple(rng.choice(TYPES) for _ in range(rng.choice((1, 1, 1, 1, 2))))
        self.scale = 1
        here = [Value(Term("var", "i32", (), a), _COORDINATE) for a in args]
        updates = rng.choice((0, 0, 0, 1, 1, 2))
        if is_output and updates == 0 and kinds[0] in ("f32", "f64") and rng.random() < 0.5:
            self.is_exact = False
            values = [Terms(rng, [lambda: self._read(here)]).transcendental(k) for k in kinds]
        else:
            values = [self._value(k, here, [lambda: self._read(here)]) for k in kinds]
            if updates:  # sums of floats may be regrouped: they have to be exact
                values = [
                    cast(k, cast("i8", v)) if k.startswith("f") else v for k, v in zip(kinds, values, strict=True)
                ]
        bounds = [v.bound for v in values]
        definition = Definition(name, args, tuple(v.term for v in values))
        for k in range(updates if self.is_exact else 0):
            definition, bounds = self._update(definition, kinds, bounds, here, f"r{name[1:]}{k}")
        self.funcs.append(definition)
        self.producers.append(_Producer(name, len(args), kinds, tuple(bounds), self.scale))

    def _value(self, kind: str, here: list[Value], sources: list) -> Value:
        """A term that reads what came before, if anything did."""
        rng = self.rng
        everything = [*sources, lambda: rng.choice(here), lambda: rng.choice((*here, self._param()))]
        value = Terms(rng, everything).draw(kind, rng.choice((0, 1, 1, 1, 2, 2, 3)))
        if kind != "bool" and self.producers and rng.random() < 0.7:
            other = cast(kind, self._read(here))
            value = call(rng.choice("+-"), kind, value, other, bound=value.bound + other.bound)
        return small(value)

    def _param(self) -> Value:
        return Value(Term("param", "i32", (), "p"), 8)

    def _read(self, here: list[Value]) -> Value:
        if not self.producers:
            return self.rng.choice(here)
        producer = self.rng.choice(self.producers[-3:] if self.rng.random() < 0.8 else self.producers)
        index = [self._coordinate(here, k, producer) for k in range(producer.rank)]
        element = self.rng.randrange(len(producer.types))
        place = None if len(producer.types) == 1 else element
        term = Term("read", producer.types[element], tuple(i.term for i in index), (producer.name, place))
        return Value(term, producer.bounds[element])

    def _coordinate(self, here: list[Value], dim: int, producer: _Producer) -> Value:
        """A shift mostly; else scaled, divided, reflected, clamped, a remainder, or read from somewhere."""
        rng = self.rng
        v = here[dim] if dim < len(here) and rng.random() < 0.85 else rng.choice(here)
        if len(here) > 2 and rng.random() < 0.3:
            v = call("+", "i32", v, rng.choice(here), bound=_COORDINATE)
        n = const("i32", rng.randrange(-3, 4))
        kind = rng.choice(("same", "shift", "shift", "shift", "up", "down", "reflect", "clamp", "mod", "fixed", "data"))
        scale = 1
        match kind:
            case "shift":
                v = call("+", "i32", v, n, bound=_COORDINATE)
            case "up" if 3 * producer.scale <= _MOST_SCALE:
                scale = rng.choice((2, 3))
                v = call("+", "i32", call("*", "i32", v, const("i32", scale)), n, bound=_COORDINATE)
            case "down":
                v = call("/", "i32", call("+", "i32", v, n), const("i32", rng.choice((2, 3))), bound=_COORDINATE)
            case "reflect":
                v = call("-", "i32", const("i32", rng.randrange(0, 12)), v, bound=_COORDINATE)
            case "clamp":
                low = rng.randrange(-2, 3)
                return call("clamp", "i32", v, const("i32", low), const("i32", low + rng.randrange(0, 12)))
            case "mod":
                return call("%", "i32", v, const("i32", rng.randrange(1, 9)))
            case "fixed":
                return n
            case "data" if self.producers:
                source = cast("i32", self._read_plainly(here))
                return call("clamp", "i32", source, const("i32", -1), const("i32", rng.randrange(0, 9)))
        self.scale = max(self.scale, scale * producer.scale)
        return v

    def _read_plainly(self, here: list[Value]) -> Value:
        producer = self.rng.choice(self.producers)
        index = [here[min(k, len(here) - 1)] for k in range(producer.rank)]
        self.scale = max(self.scale, producer.scale)
        place = None if len(producer.types) == 1 else 0
        term = Term("read", producer.types[0], tuple(i.term for i in index), (producer.name, place))
        return Value(term, producer.bounds[0])

    def _update(
        self, definition: Definition, kinds: tuple[str, ...], bounds: list[int], here: list[Value], domain_name: str
    ) -> tuple[Definition, list[int]]:
        rng = self.rng
        kind = rng.choice(("pure", "reduce", "reduce", "scan", "scatter", "rows"))
        ranges = tuple((rng.randrange(-2, 3), rng.randrange(1, 6)) for _ in range(rng.choice((1, 1, 2))))
        around = [Value(Term("rvar", "i32", (), (domain_name, k)), 8) for k in range(len(ranges))]
        count = 1
        for _, extent in ranges:
            count *= extent
        index, before = list(here), list(here)
        if kind == "scan":
            dim = rng.randrange(len(here))
            index[dim] = around[0]
            before[dim] = call("-", "i32", around[0], const("i32", rng.choice((1, 1, 2))), bound=8)
        elif kind == "rows":
            dim = rng.randrange(len(here))
            index[dim], before[dim] = const("i32", rng.randrange(0, 4)), const("i32", rng.randrange(0, 4))
        elif kind == "scatter":
            dim = rng.randrange(len(here))
            index[dim] = before[dim] = self._target([*here[:dim], *here[dim + 1 :], *around])
        if kind == "pure":
            around = []
        free = [v for v, i in zip(here, index, strict=True) if i is v]
        points = [*free, *around] or [const("i32", 1)]
        values, grown = [], []
        for element, (k, bound) in enumerate(zip(kinds, bounds, strict=True)):
            value, new = self._combined(definition.name, len(kinds), element, k, bound, before, points, count, kind)
            values.append(value.term)
            grown.append(new)
        domain = None
        if any(domain_name in domains_read(t) for t in (*values, *(i.term for i in index))):
            where = Terms(rng, [lambda: rng.choice(points)]).condition(1).term if rng.random() < 0.25 else None
            domain = Domain(domain_name, ranges, where)
        update = Update(tuple(i.term for i in index), tuple(values), domain)
        return replace(definition, updates=(*definition.updates, update)), grown

    def _target(self, points: list[Value]) -> Value:
        """Where to scatter to: few places, so that some are met twice."""
        rng = self.rng
        source = self._read_plainly(points) if self.producers and rng.random() < 0.7 else rng.choice(points)
        return call("clamp", "i32", cast("i32", source), const("i32", 0), const("i32", rng.randrange(1, 9)))

    def _combined(
        self, name: str, elements: int, element: int, kind: str, bound: int, before: list[Value], points: list[Value],
        count: int, shape: str,
    ) -> tuple[Value, int]:  # fmt: skip
        """The element's old value with something new, and the bound of what that gives."""
        rng = self.rng
        place = None if elements == 1 else element
        old = Value(Term("read", kind, tuple(b.term for b in before), (name, place)), bound)
        new = self._value(kind, points, [lambda: self._read(points)])
        if kind == "bool":
            return call(rng.choice("&|^"), kind, old, new), 0
        if kind.startswith("f"):
            if rng.random() < 0.4:
                return call(rng.choice(("min", "max")), kind, old, cast(kind, cast("i8", new))), 0
            return call("+", kind, old, cast(kind, cast("i8", new))), 0
        operators = ("+", "+", "+", "min", "max", "*", "set", "|", "^", "&", "mad")
        operator = rng.choice(operators)
        match operator:
            case "min" | "max":
                return call(operator, kind, old, new), max(bound, new.bound)
            case "set":
                return new, max(bound, new.bound)
            case "mad":
                value = call("+", kind, call("*", kind, old, const(kind, 3)), new, bound=1 << 40)
                return small(value), max(bound, 1009)
            case "*" | "|" | "^" | "&" if kind not in ("i32", "i64"):
                return call(operator, kind, old, new), 0
        if kind in ("i32", "i64") and new.bound * count * 30 > 1 << 28:
            new = call("%", kind, new, const(kind, 101), bound=100)
        return call("+", kind, old, new), bound + 30 * count * new.bound


def names_read(definition: Definition) -> set[str]:
    """The Funcs and images that any stage reads."""
    terms = [*definition.values]
    for update in definition.updates:
        terms += [*update.index, *update.values]
        if update.domain and update.domain.where:
            terms.append(update.domain.where)
    return {t.value[0] for term in terms for t in below(term) if t.op == "read"}


def domains_read(term: Term) -> set[str]:
    return {t.value[0] for t in below(term) if t.op == "rvar"}


def below(term: Term) -> list[Term]:
    """The term and all that it is made of."""
    found = [term]
    for t in found:
        found += t.args
    return found
