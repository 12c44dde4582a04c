"""Updates of elements that other threads update too.

    atomic { h[i] = h[i] + 1 }             __atomic_fetch_add(&h[i], 1, __ATOMIC_RELAXED);

    atomic { m[i] = max(m[i], v) }         float *const at = &m[i];
                                           float old, new;
                                           __atomic_load(at, &old, __ATOMIC_RELAXED);
                                           do
                                               new = max_f32(old, v);
                                           while (!__atomic_compare_exchange(at, &old, &new, 1, ...));

    atomic { several stores }              under a lock that elements with the same number modulo 64 share

Threads see each other's other stores when the parallel loop ends, so no order is asked of memory here.
"""

from __future__ import annotations

from ...ir.expr import Add, Call, Const, Effect, Expr, Load, Sub, Var
from ...ir.node import find
from ...ir.rewrite import Rewriter
from ...ir.stmt import Store
from .context import Context
from .scopes import Mode
from .types import Text, memory_type

_LOCKS = """\
extern int sched_yield(void);

/* Elements with the same number modulo 64 share a lock. */
static struct { char held; char apart[63]; } locks[64];

INLINE char *lock(int64_t element) {
    char *const mine = &locks[(uint64_t)element % 64].held;
    while (__atomic_test_and_set(mine, __ATOMIC_ACQUIRE)) sched_yield();
    return mine;
}

/* Runs where the variable goes out of scope, by whatever way. */
INLINE void unlock(char *const *mine) { __atomic_clear(*mine, __ATOMIC_RELEASE); }
#define LOCKED __attribute__((cleanup(unlock)))"""

_FETCH = {"bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor"}
OLD = "<old>"


def is_one_step(store: Store) -> bool:
    """Whether the machine can do the whole update at once, or try until it could."""
    dtype = store.value.dtype
    is_plain = (
        dtype.lanes == 1 and store.predicate is None and not dtype.is_bool and (dtype.is_integer or dtype.bits > 16)
    )
    index_reads = [load for load in find(store.index, Load) if load.buffer == store.buffer]
    others = [load for load in find(store.value, Load) if load.buffer == store.buffer and load is not there(store)]
    return is_plain and not store.value.has(Effect) and not index_reads and not others


def print_one_step(context: Context, store: Store) -> None:
    """Write the lines of an update of one element."""
    context.open("")
    index = context.scalar(store.index, Mode.INDEX)
    place = f"&{context.pointer(store.buffer)}[{index.code}]"
    fetch = fetched(store)
    if fetch is not None:
        operator, operand = fetch
        context.line(f"__atomic_fetch_{operator}({place}, {context.scalar(operand).code}, __ATOMIC_RELAXED);")
    elif find(store.value, Load) and any(load is there(store) for load in find(store.value, Load)):
        _exchange(context, store, place)
    else:
        value = context.scalar(store.value)
        new = context.local(memory_type(store.value.dtype), value, "new")
        context.line(f"__atomic_store({place}, &{new.code}, __ATOMIC_RELAXED);")
    context.close()


def open_locked(context: Context, element: Expr) -> None:
    """Begin a block that only one thread runs at a time, of all that update this element."""
    context.prelude.macro("LOCKED", _LOCKS)
    context.open("")
    index = context.scalar(element, Mode.INDEX)
    context.line(f"char *const {context.names.fresh('mine')} LOCKED = lock({index.code});")


def there(store: Store) -> Load:
    """The element before."""
    return Load(store.buffer, store.index, store.value.dtype)


def fetched(store: Store) -> tuple[str, Expr] | None:
    """The operation that the machine has for integers, and its operand."""
    value, before = store.value, there(store)
    if value.dtype.is_float:
        return None
    if isinstance(value, Add | Sub):
        name, operands = "add" if isinstance(value, Add) else "sub", (value.a, value.b)
    elif isinstance(value, Call) and value.name in _FETCH:
        name, operands = _FETCH[value.name], (value.args[0], value.args[1])
    else:
        return None
    if operands[0] is not before and (isinstance(value, Sub) or operands[1] is not before):
        return None
    other = operands[1] if operands[0] is before else operands[0]
    return None if any(load is before for load in find(other, Load)) else (name, other)


def _exchange(context: Context, store: Store, place: str) -> None:
    """Try until no other thread came between."""
    kind = memory_type(store.value.dtype)
    at, old, new = (context.names.fresh(name) for name in ("at", "old", "new"))
    symbol = Var(OLD, store.value.dtype)
    value: Expr = Before(there(store), symbol)(store.value)
    for part in fixed(value):
        context.keep(part)
    context.line(f"{kind} *const {at} = {place};")
    context.line(f"{kind} {old}, {new};")
    context.line(f"__atomic_load({at}, &{old}, __ATOMIC_RELAXED);")
    context.open("do")
    context.bindings[OLD] = Text(old)
    context.line(f"{new} = {context.scalar(value).code};")
    del context.bindings[OLD]
    context.close(
        f"}} while (!__atomic_compare_exchange({at}, &{old}, &{new}, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));"
    )


def fixed(value: Expr) -> list[Expr]:
    """The greatest parts that are the same in each try."""
    if not value.has(Var) or not any(var.name == OLD for var in find(value, Var)):
        return [] if isinstance(value, Const | Var) else [value]
    return [part for child in value.children() if isinstance(child, Expr) for part in fixed(child)]


class Before(Rewriter):
    """One load becomes a symbol."""

    only = (Load,)

    def __init__(self, load: Load, symbol: Var) -> None:
        super().__init__()
        self.load, self.symbol = load, symbol

    def rewrite_Load(self, load: Load) -> Expr:
        if load is self.load:
            return self.symbol
        rebuilt: Expr = self.rebuild(load)
        return rebuilt
