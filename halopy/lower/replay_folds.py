"""Run loops in numbers, without computing any value, until a read finds another element in a folded place.

    for y: f(x, y) = ...; g(x, y) = f(x, y - 1)        f folded to 1 in y: in y = 0, f(x, 0) lies where f(x, -1) is read

Parallel loops are run one iteration after the other, which is an order in which they may come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..ir.expr import Binary, Call, Cast, Const, Expr, Let, Not, Select, Var
from ..ir.fold import Number, fold_binary, fold_call, fold_cast
from ..ir.program import Program
from ..ir.stmt import Assert, Block, For, If, LetStmt, LoopKind, Prefetch, Provide, Realize, Stmt
from ..polyhedral.validation.events import reads_in
from ..schedule.initial import instance_variables
from ..witness import Cell, Instance, Witness

_MOST_STORES = 20_000
_Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A read (source) of a cell in whose place another write (sink) has put the cell `taken` by then."""

    witness: Witness
    taken: Cell

    def told(self) -> str:
        """A sentence."""
        at = self.witness
        return (
            f"iteration {at.sink} of {at.sink.stage} writes {self.taken} to the place of {at.cell}, before iteration "
            f"{at.source} of {at.source.stage} reads that"
        )


def replay_folds(
    stmt: Stmt, func: str, folds: Mapping[int, int], program: Program, shown: Mapping[str, str]
) -> Lost | None:
    """The first read of the Func that finds another element; None where there is none, or some number is not known.

    Sizes are numbers in `stmt`. `shown` names Funcs that are copies.
    """
    run = _Run(func, folds, program, shown)
    try:
        run(stmt)
    except _Found as found:
        return found.lost
    except (_Unknown, _Stopped):
        pass
    return None


class _Found(Exception):
    def __init__(self, lost: Lost) -> None:
        self.lost = lost


class _Unknown(Exception):
    """A number that only data, or the caller, could tell; or too many of them."""


class _Stopped(Exception):
    """The kernel refuses to run."""


class _Run:
    def __init__(self, func: str, folds: Mapping[int, int], program: Program, shown: Mapping[str, str]) -> None:
        self.func, self.folds, self.program, self.shown = func, folds, program, shown
        self.values: dict[str, Number] = {}
        self.kept: dict[_Cell, tuple[_Cell, Instance]] = {}  # by place: which cell, and who wrote it
        self.stores = self.vectors = 0

    def __call__(self, stmt: Stmt) -> None:
        if isinstance(stmt, For):
            self.loop(stmt)
        elif isinstance(stmt, LetStmt):
            self.bound(stmt)
        elif isinstance(stmt, If):
            branch = stmt.then if self.number(stmt.condition) else stmt.otherwise
            if branch is not None:
                self(branch)
        elif isinstance(stmt, Provide):
            self.provide(stmt)
        elif isinstance(stmt, Assert):
            self.check(stmt)
        elif not isinstance(stmt, Prefetch):
            if isinstance(stmt, Realize) and stmt.name == self.func:
                self.kept.clear()
            for part in stmt.stmts if isinstance(stmt, Block) else _statements(stmt):
                self(part)

    def loop(self, loop: For) -> None:
        low, extent = int(self.number(loop.min)), int(self.number(loop.extent))
        self.vectors += loop.kind is LoopKind.VECTORIZED
        for value in range(low, low + extent):
            self.values[loop.name] = value
            self(loop.body)
        self.vectors -= loop.kind is LoopKind.VECTORIZED

    def bound(self, let: LetStmt) -> None:
        try:
            self.values[let.name] = self.number(let.value)
        except _Unknown:
            self.values.pop(let.name, None)  # known not to be known, should it count
        self(let.body)

    def check(self, check: Assert) -> None:
        try:
            holds = self.number(check.condition)
        except _Unknown:
            return  # about what the caller gives, which may be right
        if not holds:
            raise _Stopped

    def provide(self, by: Provide) -> None:
        if self.vectors == 0 or by.name != self.func:  # lanes of one statement read before they store
            for index in self.reads(by):
                self.read(index, by)
        if by.name == self.func:
            self.stores += 1
            if self.stores > _MOST_STORES:
                raise _Unknown
            cell = self.cell(by.index)
            self.kept[self.place(cell)] = cell, self.instance(by)

    def reads(self, by: Provide) -> Iterator[Sequence[Expr]]:
        """The indices of reads whose values count."""
        for read, counts, _ in reads_in(by):
            if read.name == self.func and all(self.number(condition) for condition in counts):
                yield read.index

    def read(self, index: Sequence[Expr], by: Provide) -> None:
        cell = self.cell(index)
        found = self.kept.get(self.place(cell))
        if found is not None and found[0] != cell:
            name = self.shown.get(self.func, self.func)
            witness = Witness(self.instance(by), found[1], Cell(name, cell), source_writes=False, sink_writes=True)
            raise _Found(Lost(witness, Cell(name, found[0])))

    def cell(self, index: Sequence[Expr]) -> _Cell:
        return tuple(int(self.number(e)) for e in index)

    def place(self, cell: _Cell) -> _Cell:
        return tuple(c % self.folds[d] if d in self.folds else c for d, c in enumerate(cell))

    def instance(self, by: Provide) -> Instance:
        function, name = self.program.functions[by.name], self.shown.get(by.name, by.name)
        variables = [v.replace("$", ".") for v in instance_variables(function, by.stage)]
        stage = function.written_stage(by.stage)
        at = dict(zip(variables, map(int, map(self.number, by.at)), strict=True))
        return Instance(name if stage == 0 else f"{name}.update({stage - 1})", at)

    def number(self, e: Expr) -> Number:
        """The value of an expression. Raises _Unknown."""
        if isinstance(e, Const):
            return e.value
        if isinstance(e, Var) and e.name in self.values:
            return self.values[e.name]
        if isinstance(e, Binary):
            return fold_binary(type(e), self.number(e.a), self.number(e.b), e.a.dtype)
        if isinstance(e, Not):
            return 1 - self.number(e.a)
        if isinstance(e, Select):
            return self.number(e.a if self.number(e.condition) else e.b)
        if isinstance(e, Cast):
            return fold_cast(self.number(e.a), e.a.dtype, e.dtype)
        if isinstance(e, Let):
            self.values[e.name] = self.number(e.value)
            return self.number(e.body)
        if isinstance(e, Call):
            found = fold_call(e.name, [self.number(a) for a in e.args], [a.dtype for a in e.args], e.dtype)
            if found is not None:
                return found
        raise _Unknown


def _statements(stmt: Stmt) -> list[Stmt]:
    return [child for child in stmt.children() if isinstance(child, Stmt)]
