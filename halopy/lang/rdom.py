"""`RDom` and `RVar`: the iteration box of a reduction, and its dimensions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ..dtypes import INT32
from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..ir.function import ReductionDomain, ReductionVar
from ..ir.groups import groups_in
from ..ir.refs import DomainRef
from ..source import caller
from .expressions.conversion import lossless_cast, show, typed
from .expressions.expr import Expr, ExprLike, ToExpr, to_node
from .expressions.leaves import leaves, replace_leaves
from .groups import outside_definitions
from .region import Range, Shaped, ToRange, region_of, to_region

__all__ = ["RDom", "RVar"]

_numbers = itertools.count()


class RVar(ExprLike):
    """One dimension of an RDom; or, made from a name, a loop name for splits of such dimensions."""

    __slots__ = ("_name", "_position", "_ref")
    _name: str

    def __init__(self, name: str | RDom | None = None) -> None:
        self._ref: DomainRef | None = None
        self._position = 0
        if isinstance(name, RDom):
            only = name.only_variable()
            self._ref, self._name = only._ref, only._name
        else:
            self._name = f"r{next(_numbers)}" if name is None else name

    @classmethod
    def _of(cls, ref: DomainRef, position: int) -> RVar:
        rvar = cls(ref.var_name(position))
        if position < len(ref.mins):
            rvar._ref, rvar._position = ref, position
        return rvar

    def name(self) -> str:
        """What the loop over it is called."""
        return self._name

    def min(self) -> Expr:
        """Where it starts; undefined for a mere loop name."""
        return Expr() if self._ref is None else Expr(self._ref.mins[self._position])

    def extent(self) -> Expr:
        """How many values it takes; undefined for a mere loop name."""
        return Expr() if self._ref is None else Expr(self._ref.extents[self._position])

    def _as_expr(self) -> Expr:
        if self._ref is None:
            raise DefinitionError(
                f"the RVar {self._name} has no range and cannot be part of an expression",
                location=caller(),
                accepted="the dimensions of an RDom",
            )
        return Expr(nodes.RVarAccess(self._ref, self._position))

    def __repr__(self) -> str:
        return f"<halopy.RVar {self}>"

    def __str__(self) -> str:
        if self._ref is None:
            return self._name
        return f"{self._name}({show(self.min().node)}, {show(self.extent().node)})"


class RDom(ExprLike):
    """A box to iterate over, first dimension fastest. With one dimension it is an expression itself.

    Made from a list of (min, extent) pairs, or from a Buffer or ImageParam, whose region it takes.
    """

    __slots__ = ("_ref",)

    def __init__(
        self,
        region: Sequence[ToRange] | Shaped | None = None,
        name: str = "",
        *,
        buffer: Shaped | None = None,
        image_param: Shaped | None = None,
    ) -> None:
        source = next((s for s in (region, buffer, image_param) if s is not None), None)
        self._ref: DomainRef | None = None
        if source is not None:
            ranges = region_of(source) if isinstance(source, Shaped) else to_region(source)
            self._ref = _domain(name or f"r{next(_numbers)}", ranges)

    def defined(self) -> bool:
        """Whether it is a domain at all."""
        return self._ref is not None

    def dimensions(self) -> int:
        """How many dimensions it has."""
        return len(self._ref.mins) if self._ref else 0

    def same_as(self, other: RDom) -> bool:
        """Whether both are one domain."""
        return self._ref is other._ref

    def domain(self) -> DomainRef:
        """Its identity."""
        if self._ref is None:
            raise DefinitionError("an undefined RDom, hl.RDom(), is used", location=caller())
        return self._ref

    @property
    def x(self) -> RVar:
        """Dimension 0, the fastest."""
        return self._at(0)

    @property
    def y(self) -> RVar:
        """Dimension 1."""
        return self._at(1)

    @property
    def z(self) -> RVar:
        """Dimension 2."""
        return self._at(2)

    @property
    def w(self) -> RVar:
        """Dimension 3."""
        return self._at(3)

    def _at(self, position: int) -> RVar:
        return RVar._of(self._ref, position) if self._ref else RVar()

    def __getitem__(self, position: int) -> RVar:
        if not 0 <= position < self.dimensions():
            raise KeyError(f"{self!r} has {self.dimensions()} dimensions, not one numbered {position}")
        return self._at(position)

    def __len__(self) -> int:
        return self.dimensions()

    def __iter__(self) -> Iterator[RVar]:
        return map(self._at, range(self.dimensions()))

    def where(self, predicate: ToExpr) -> None:
        """Leave out the places where the predicate is false. Several calls must all hold."""
        ref, condition = self.domain(), to_node(predicate)
        if ref.frozen:
            raise DefinitionError(
                f"{self} cannot be narrowed any more",
                location=caller(),
                reason=["an update definition uses it already; call where() before"],
            )
        if not condition.dtype.is_bool:
            raise TypeMismatch(f"{ref.name}.where of {typed(condition)}", location=caller(), accepted="a boolean")
        ref.predicate = condition if ref.predicate is None else nodes.And(ref.predicate, condition)

    def only_variable(self) -> RVar:
        """The dimension of a one-dimensional domain. Raises DefinitionError for others."""
        if self.dimensions() != 1:
            raise DefinitionError(
                f"{self} has {self.dimensions()} dimensions and cannot stand for one variable",
                location=caller(),
                accepted="one of its dimensions: r.x, r.y, r[2], ...",
            )
        return self._at(0)

    def _as_expr(self) -> Expr:
        return self.only_variable()._as_expr()

    def __repr__(self) -> str:
        return f"<halopy.RDom {self._shown()}>"

    def _shown(self) -> str:
        if self._ref is None:
            return "RDom()"
        where = f", where {show(self._ref.predicate)}" if self._ref.predicate is not None else ""
        return f"RDom({', '.join(map(str, self))}{where})"


def _domain(name: str, ranges: Sequence[Range]) -> DomainRef:
    mins = tuple(_bound(name, i, "min", r.min) for i, r in enumerate(ranges))
    extents = tuple(_bound(name, i, "extent", r.extent) for i, r in enumerate(ranges))
    return DomainRef(name, mins, extents)


def _bound(name: str, dimension: int, what: str, value: Expr) -> nodes.Expr:
    where = f"the {what} of dimension {dimension} of RDom {name}"
    if not value.defined():
        raise DefinitionError(f"{where} is undefined", location=caller())
    for node in leaves(value.node, nodes.FuncAccess, nodes.Var, nodes.RVarAccess, nodes.Random):
        raise DefinitionError(
            f"{where} is {value!r}, which depends on `{show(node)}`",
            location=caller(),
            accepted="numbers, Params, and the shapes of Buffers and ImageParams",
        )
    if groups_in((value.node,)):
        raise outside_definitions()
    bound = lossless_cast(INT32, value.node)
    if bound is None:
        raise TypeMismatch(f"{where} is {typed(value.node)}", location=caller(), accepted="what always fits int32")
    return bound


def only_domain(exprs: Sequence[nodes.Expr]) -> DomainRef | None:
    """The domain whose variables the expressions read. Raises DefinitionError if there are several."""
    found: DomainRef | None = None
    for e in exprs:
        for access in leaves(e, nodes.RVarAccess):
            if found is not None and access.ref is not found:
                raise DefinitionError(
                    f"reduction variables of two domains in one definition:"
                    f" {found.name} and {access.ref.var_name(access.position)}",
                    location=caller(),
                    accepted="one RDom with all dimensions, for example hl.RDom([(0, 3), (0, 5)])",
                )
            found = access.ref
    return found


def is_reduction_access(e: nodes.Expr) -> bool:
    """Whether the expression is a reduction variable alone."""
    return isinstance(e, nodes.RVarAccess)


def bind_reduction(exprs: Sequence[nodes.Expr]) -> tuple[list[nodes.Expr], ReductionDomain | None]:
    """Turn reduction variables into loop variables `r$x`, and give the domain they run over, if any.

    The domain can no longer be narrowed by `where`.
    """
    ref = only_domain(exprs)
    if ref is None:
        return list(exprs), None
    ref.frozen = True
    names = map(ref.var_name, range(len(ref.mins)))
    variables = tuple(itertools.starmap(ReductionVar, zip(names, ref.mins, ref.extents, strict=True)))
    predicate = None if ref.predicate is None else _named(ref.predicate)
    return [_named(e) for e in exprs], ReductionDomain(variables, predicate)


def _named(e: nodes.Expr) -> nodes.Expr:
    return replace_leaves(e, nodes.RVarAccess, lambda access: nodes.Var(access.ref.var_name(access.position)))
