"""Let a thread of its own compute an async Func while its consumers run.

    realize g                                  realize g
      for y                                      fork g {
        produce g                                  for y { await g.used (…); produce g; publish g.made }
        use g                         ->         } and {
                                                   for y { publish g.used (…); await g.made; use g }
                                                 }

    produce g                                  fork g { produce g; publish g.made }
    produce h                         ->       and    { produce h; await g.made; use g and h }
    use g and h

The producer's half has the loops, conditions and lets around `produce g` and nothing else, the consumer's half all
but `produce g`. A half that uses what a third thread computes waits for that as the whole did, and has a counter of its
own to tell that thread what it no longer uses. All wait only for what one thread alone would have done earlier; so
whoever is furthest behind in that order can go on. Nothing forks where nothing could run meanwhile.

Needs names of Funcs (before storage is flattened), and loops as they were built (`run_ahead` names them).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..errors import IllegalSchedule
from ..ir.node import find
from ..ir.rewrite import ScopedRewriter
from ..ir.stmt import NOTHING, Await, Block, Evaluate, For, Fork, Produce, Provide, Publish, Stmt, block
from .halves import consumer_half, names_read, names_written, place_await, producer_half
from .run_ahead import Room, RunAhead


def fork_producers(stmt: Stmt, asynchronous: Mapping[str, RunAhead]) -> Stmt:
    """The statement with a Fork for each of these Funcs where that lets something run at the same time."""
    forked: Stmt = _ForkProducers(asynchronous)(stmt) if asynchronous else stmt
    return forked


def made(func: str) -> str:
    """The counter of how often the Func was computed."""
    return f"{func}.made"


def used(func: str, task: str = "") -> str:
    """The counter of what a task no longer needs of the Func; the consumer's unless it is named."""
    return f"{func}.used.{task}" if task else f"{func}.used"


class _ForkProducers(ScopedRewriter):
    """From the outside in, the Funcs that others read first; so what a half waits for is there when it is halved."""

    only = (Produce,)

    def __init__(self, asynchronous: Mapping[str, RunAhead]) -> None:
        super().__init__()
        self.asynchronous = frozenset(asynchronous)
        self.left = dict(asynchronous)
        self.tasks: dict[str, list[str]] = {}  # by Func, those that tell what they no longer need of it

    def rewrite_For(self, loop: For) -> Stmt:
        for ahead in list(self.left.values()):
            if loop.name in ahead.loops and _computes(loop, ahead.func):
                forked = self.fork(ahead, loop)
                if forked is not None:
                    return forked
        rebuilt: Stmt = self.rebuild(loop)
        return rebuilt

    def rewrite_Block(self, stmt: Block) -> Stmt:
        for at, part in enumerate(stmt.stmts):
            if isinstance(part, Produce) and part.name in self.left:  # no loop around it could part
                start = at
                while start > 0 and isinstance(stmt.stmts[start - 1], Await | Publish):
                    start -= 1
                forked = self.meanwhile(part.name, stmt.stmts[start:at], part, block(*stmt.stmts[at + 1 :]))
                if forked is not None:
                    return block(*map(self, stmt.stmts[:start]), forked)
        rebuilt: Stmt = self.rebuild(stmt)
        return rebuilt

    def meanwhile(self, func: str, waits: Collection[Stmt], produce: Produce, rest: Stmt) -> Stmt | None:
        """The Func at the same time as what follows, up to where it is read, if there is anything."""
        before, _ = place_await(Await(made(func)), rest, func)
        if not find(before, Provide, Evaluate):
            return None
        return self.fork(RunAhead(func, self.left[func].directive), block(*waits, produce, rest))

    def waits(self, ahead: RunAhead) -> Stmt:
        """What stands in the consumer's half where the Func was computed."""
        publish = NOTHING if ahead.room is None else Publish(used(ahead.func), ahead.room.used)
        return block(publish, Await(made(ahead.func)))

    def fork(self, ahead: RunAhead, whole: Stmt) -> Stmt | None:
        """Both halves of what computes and uses the Func; None where neither can be without what is in the other."""
        func = ahead.func
        halves = self.halved(ahead, whole)
        if halves is None:
            return None
        del self.left[func]
        producer = self.own_waits(func, halves[0])
        consumer = self(halves[1])  # first: it says which tasks use the Func
        tasks = self.tasks.get(func, [])
        producer = self(_Telling(func, ahead.room, tasks)(producer))
        counters = () if ahead.room is None else (used(func), *(used(func, task) for task in tasks))
        return Fork(func, (made(func), *counters), producer, consumer)

    def halved(self, ahead: RunAhead, whole: Stmt) -> tuple[Stmt, Stmt] | None:
        """The halves; what only the producer reads of what is computed on the way is taken along."""
        func = ahead.func
        taken = {func}
        while True:
            producer, consumer = producer_half(whole, taken), consumer_half(whole, func, self.waits(ahead), taken)
            if producer is None:
                return None
            behind = names_read(producer) & names_written(consumer)
            if not behind:
                break
            taken |= behind
        both = (names_written(producer) - {func}) & (names_read(consumer) | names_written(consumer))
        refused = (both & taken) - self.asynchronous
        if refused and isinstance(whole, For) and whole.name == ahead.loops[-1]:
            raise _left_behind(ahead, min(refused))
        return None if both else (producer, consumer)

    def own_waits(self, task: str, producer: Stmt) -> Stmt:
        """The half with waits for what it uses, under counters of its own."""
        waits = _OwnWaits(task, names_read(producer))
        own: Stmt = waits(producer)
        for func in waits.users:
            self.tasks.setdefault(func, []).append(task)
        return own


class _OwnWaits(ScopedRewriter):
    """Drops waits for what is not read, and gives what is told a name for this task."""

    only = (Await, Publish)

    def __init__(self, task: str, read: Collection[str]) -> None:
        super().__init__()
        self.task = task
        self.read = read
        self.users: dict[str, None] = {}

    def rewrite_Await(self, wait: Await) -> Stmt:
        return wait if any(wait.counter == made(func) for func in self.read) else NOTHING

    def rewrite_Publish(self, publish: Publish) -> Stmt:
        func = next((f for f in self.read if f"{publish.counter}.".startswith(f"{used(f)}.")), None)
        if func is None:
            return NOTHING
        self.users[func] = None
        return Publish(used(func, self.task), publish.value)


class _Telling(ScopedRewriter):
    """Puts in front of the Func's production the wait for room, and behind it that it is made."""

    only = (Produce,)

    def __init__(self, func: str, room: Room | None, tasks: Collection[str]) -> None:
        super().__init__()
        self.func = func
        counters = [] if room is None else [used(func), *(used(func, task) for task in tasks)]
        self.waits = [Await(counter, room.kept) for counter in counters if room is not None]

    def rewrite_Produce(self, produce: Produce) -> Stmt:
        if produce.name != self.func:
            rebuilt: Stmt = self.rebuild(produce)
            return rebuilt
        return block(*self.waits, produce, Publish(made(self.func)))


def _computes(stmt: Stmt, func: str) -> bool:
    return any(produce.name == func for produce in find(stmt, Produce))


def _left_behind(ahead: RunAhead, producer: str) -> IllegalSchedule:
    func, directive = ahead.func, ahead.directive
    return IllegalSchedule(
        directive.text,
        location=directive.location,
        reason=[
            f"{func} would be computed ahead of those who use it, by a thread of its own",
            f"but {producer}, which it reads and they read too, is computed anew in the same iterations",
        ],
        accepted=f"{producer}.async_() stored outside {func}, {producer} computed further out, or no {directive.text}",
    )
