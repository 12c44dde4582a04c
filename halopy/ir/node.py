"""Interned, immutable nodes: equal nodes are the same object.

A node class lists typed fields; calling it looks the fields up in a weak table and returns the
node that already has them. Compare with `is`. Every node has `kinds`, a bit mask of the classes
of all nodes below it and of itself, so that a pass can skip what it cannot touch.

Keys of the table name other nodes and references by `id`: a key lives as long as its node, which keeps
what it names alive, and a key that held them itself would keep cycles (a Func that reads itself) for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform
from weakref import WeakValueDictionary

_table: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_next_kind = iter(range(1 << 20))


def _ids(value: Any) -> Any:
    return tuple(map(_ids, value)) if type(value) is tuple else id(value)


def _key_part(annotation: str) -> Callable[[Any], Any] | None:
    """How a field enters the key: values as they are, what may be part of a cycle by identity."""
    if not any(name in annotation for name in ("Expr", "Stmt", "Ref")):
        return None
    return _ids if annotation.startswith("tuple") else id


@dataclass_transform(frozen_default=True)
class NodeMeta(type):
    """Turns annotations into slots, and construction into a table look-up."""

    _fields: tuple[str, ...]
    _defaults: dict[str, Any]
    _key_parts: tuple[Callable[[Any], Any] | None, ...]
    _by_id: bool  # all fields enter the key by identity
    bit: int

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> NodeMeta:
        own = [k for k, v in namespace.get("__annotations__", {}).items() if not str(v).startswith("ClassVar")]
        derived = namespace.get("_derived", ())
        inherited = {slot for base in bases for c in base.__mro__ for slot in getattr(c, "__slots__", ())}
        namespace["_defaults"] = {k: namespace.pop(k) for k in own if k in namespace}
        namespace["__slots__"] = tuple(k for k in (*derived, *own) if k not in inherited)
        namespace["_fields"] = (*(f for base in bases for f in getattr(base, "_fields", ())), *own)
        parts = tuple(_key_part(str(namespace["__annotations__"][field])) for field in own)
        parts = (*(p for base in bases for p in getattr(base, "_key_parts", ())), *parts)
        namespace["_key_parts"], namespace["_by_id"] = parts, all(p is id for p in parts)
        cls = super().__new__(mcs, name, bases, namespace)
        cls.bit = 1 << next(_next_kind)
        return cls

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        fields = cls._fields
        if kwargs or len(args) != len(fields):
            args = cls._complete(args, kwargs)
        key = (cls, *map(id, args)) if cls._by_id else (cls, *cls.intern_key(*args))  # type: ignore[attr-defined]
        found = _table.get(key)
        if found is not None:
            return found
        node: Any = object.__new__(cls)  # type: ignore[arg-type]
        write = object.__setattr__
        below: list[Node] = []
        for name, value in zip(fields, args, strict=True):
            write(node, name, value)
            if isinstance(value, Node):
                below.append(value)
            elif type(value) is tuple:
                below.extend(_nodes_in(value))
        kinds = cls.bit
        for child in below:
            kinds |= child.kinds
        write(node, "kinds", kinds)
        write(node, "_below", tuple(below))
        node._derive()
        _table[key] = node
        return node

    def _complete(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        values = dict(cls._defaults)
        values.update(zip(cls._fields, args, strict=False))
        values.update(kwargs)
        assert set(values) == set(cls._fields) and len(args) <= len(cls._fields), (
            f"{cls.__name__} takes {cls._fields}, got {args} {kwargs}"
        )
        return tuple(values[name] for name in cls._fields)


class Node(metaclass=NodeMeta):
    """Base of all nodes."""

    _derived: ClassVar[tuple[str, ...]] = ("kinds", "_below", "__weakref__")
    if TYPE_CHECKING:  # properties to the type checker, so that they are no constructor arguments

        @property
        def kinds(self) -> int:
            """The bits of all node classes here and below."""

        @property
        def _below(self) -> tuple[Node, ...]: ...

    @classmethod
    def intern_key(cls, *args: Any) -> tuple[Any, ...]:
        """What tells two nodes of this class apart; literals override it."""
        return tuple([a if part is None else part(a) for a, part in zip(args, cls._key_parts, strict=True)])

    def _derive(self) -> None:
        """Fill the derived slots."""

    def _write(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[type[Node], tuple[Any, ...]]:
        return type(self), self.fields()

    def fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in type(self)._fields)

    def with_(self, **changes: Any) -> Any:
        """The same node with some fields changed."""
        return type(self)(*(changes.get(name, getattr(self, name)) for name in type(self)._fields))

    def children(self) -> tuple[Node, ...]:
        """Nodes directly below, in field order."""
        return self._below

    def has(self, *classes: NodeMeta) -> bool:
        """Whether a node of one of the classes is here or below."""
        return bool(self.kinds & mask(*classes))


def _nodes_in(values: tuple[Any, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif type(value) is tuple:
            yield from _nodes_in(value)


def mask(*classes: NodeMeta) -> int:
    """The bits of node classes, for `Node.kinds`."""
    bits = 0
    for c in classes:
        bits |= c.bit
    return bits


def walk(root: Node) -> Iterator[Node]:
    """Every distinct node below and including root, each once, parents before children. No recursion."""
    seen = {root}
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        for child in node.children():
            if child not in seen:
                seen.add(child)
                stack.append(child)


_N = TypeVar("_N", bound=Node)


def find(root: Node, *classes: type[_N]) -> list[_N]:
    """Distinct nodes of the classes below and including root, each after those below it.

    Looks only where such nodes are. No recursion.
    """
    bits = mask(*classes)
    found: list[_N] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False)] if root.kinds & bits else []
    while stack:
        node, finished = stack.pop()
        if finished:
            found.append(node)  # type: ignore[arg-type]  # its class is one of them
        elif node not in seen:
            seen.add(node)
            if type(node).bit & bits:
                stack.append((node, True))
            for name in type(node)._fields:
                value = getattr(node, name)
                if isinstance(value, Node):
                    if value.kinds & bits:
                        stack.append((value, False))
                elif type(value) is tuple:
                    stack.extend((n, False) for n in _nodes_in(value) if n.kinds & bits)
    return found
