"""Compute once what stores that follow each other have in common.

    out[x] = f(in[x])                       let shared = in[x]
    out[x + w] = g(in[x])         ->        out[x] = f(shared)
                                            out[x + w] = g(shared)

A C compiler cannot know that `out` does not lie in the memory of `in`, so it reads and computes again after each store.
Where it does lie there, no output is written over what is still to be read (`validation/in_place`), so reading early is
reading the same. What a store between writes is read again. Only the greatest common parts, and what several of them
are made of, get names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..ir.expr import Call, Effect, Expr, Let, Load, Var
from ..ir.node import Node, find, mask, walk
from ..ir.rewrite import Rewriter, free_vars
from ..ir.stmt import Block, LetStmt, Stmt, Store, block, let_all

_LOADS = mask(Load)


def share_between_stores(stmt: Stmt) -> Stmt:
    shared: Stmt = _ShareBetweenStores()(stmt)
    return shared


class _ShareBetweenStores(Rewriter):
    only = (Block,)

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def rewrite_Block(self, stmt: Block) -> Stmt:
        rewritten, group = [], _Group()
        for part in stmt.stmts:
            member = _member(part)
            if member is None:
                rewritten += [*self._shared(group), self(part)]
                group = _Group()
            else:
                group.add(member)
        rewritten += self._shared(group)
        same = len(rewritten) == len(stmt.stmts) and all(a is b for a, b in zip(rewritten, stmt.stmts, strict=True))
        return stmt if same else block(*rewritten)

    def _shared(self, group: _Group) -> list[Stmt]:
        """The statements, with lets in front of the first that needs them around all that follow."""
        needed = group.needed()
        if not needed:
            return [member.stmt for member in group.members]
        names = {}
        for value in needed:
            names[value] = Var(f"shared.{self.made}", value.dtype)
            self.made += 1
        rest: Stmt | None = None
        for place in reversed(range(len(group.members))):
            replace = _Replace({value: name for value, name in names.items() if place in group.uses[value]})
            stmt = replace(group.members[place].stmt)
            rest = stmt if rest is None else block(stmt, rest)
            mine = [(names[value].name, replace.below(value)) for value in needed if min(group.uses[value]) == place]
            rest = let_all(mine, rest)
        assert rest is not None, "a group that shares has members"
        return [rest]


@dataclass(frozen=True)
class _Member:
    """A store, with lets around it: what it computes in any case, in the order of the text."""

    stmt: Stmt
    store: Store
    parts: Sequence[Expr]
    bound: frozenset[str]


def _member(stmt: Stmt) -> _Member | None:
    parts: list[Expr] = []
    bound: set[str] = set()
    inner = stmt
    while isinstance(inner, LetStmt):
        parts.append(inner.value)
        bound.add(inner.name)
        inner = inner.body
    if not isinstance(inner, Store) or stmt.has(Effect):
        return None
    parts += [inner.index, inner.value, *([] if inner.predicate is None else [inner.predicate])]
    bound |= {let.name for part in parts for let in find(part, Let)}
    return _Member(stmt, inner, parts, frozenset(bound))


@dataclass
class _Group:
    """Stores that follow each other. `uses`: by what several of them compute of the same memory, their places."""

    members: list[_Member] = field(default_factory=list)
    uses: dict[Expr, set[int]] = field(default_factory=dict)

    def add(self, member: _Member) -> None:
        self.members.append(member)

    def needed(self) -> list[Expr]:
        """What is shared, operands first, but for operands of one greater part that is shared in the same places."""
        if len(self.members) < 2:
            return []
        self.uses = self._find_uses()
        return sorted(
            (e for e, users in self._users().items() if len(users) != 1 or self._is_alone(e, *users)), key=_size
        )

    def _is_alone(self, e: Expr, user: Expr | None) -> bool:
        return user is None or not self.uses[e] <= self.uses.get(user, set())

    def _users(self) -> dict[Expr, set[Expr | None]]:
        """By what is shared, the expressions of which it is an operand; None where it is no operand."""
        users: dict[Expr, set[Expr | None]] = {e: set() for e in self.uses}
        todo: list[tuple[Expr, Expr | None]] = [(part, None) for member in self.members for part in member.parts]
        seen: set[Expr] = set()
        while todo:
            e, user = todo.pop()
            if e in users:
                users[e].add(user)
            if e not in seen:
                seen.add(e)
                todo += [(operand, e) for operand in _operands(e)]
        return users

    def _find_uses(self) -> dict[Expr, set[int]]:
        places: dict[Expr, list[int]] = {}
        for place, member in enumerate(self.members):
            for e in _computed(member):
                places.setdefault(e, []).append(place)
        stored = [member.store.buffer for member in self.members]
        return {e: kept for e, found in places.items() if len(kept := _with_the_first(e, found, stored)) > 1}


def _computed(member: _Member) -> Iterator[Expr]:
    """What reads memory, in any case, and could be computed before the statement."""
    seen: set[Expr] = set()
    todo = list(member.parts)
    while todo:
        e = todo.pop()
        if e in seen or not e.kinds & _LOADS:
            continue
        seen.add(e)
        todo += _operands(e)
        if not isinstance(e, Let) and (not member.bound or member.bound.isdisjoint(free_vars(e))):
            yield e


def _size(e: Expr) -> int:
    """More than that of any operand."""
    return sum(1 for _ in walk(e))


def _operands(e: Expr) -> list[Expr]:
    """What is computed wherever the expression is."""
    if isinstance(e, Call) and e.name == "if_then_else":
        return [e.args[0]]
    return [child for child in e.children() if isinstance(child, Expr) and child.kinds & _LOADS]


def _with_the_first(e: Expr, places: list[int], stored: list[str]) -> set[int]:
    """Those places where the value is the same as at the first, as no store between changed what is read."""
    read = {load.buffer for load in find(e, Load)}
    end = next((k for k in range(places[0], len(stored)) if stored[k] in read), len(stored))
    return {place for place in places if place <= end}


class _Replace(Rewriter):
    """Values by their names, the greatest first."""

    only = (Load,)

    def __init__(self, names: Mapping[Expr, Var]) -> None:
        super().__init__()
        self.names = names

    def _visit(self, node: Node) -> Node:
        name = self.names.get(node) if isinstance(node, Expr) else None
        visited: Node = super()._visit(node) if name is None else name
        return visited

    def below(self, value: Expr) -> Expr:
        """The value itself, made of the others."""
        rebuilt: Expr = self.rebuild(value)
        return rebuilt
