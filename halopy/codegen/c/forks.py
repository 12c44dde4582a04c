"""Tasks that run at the same time: one in a thread of its own, the other in the thread that comes to the fork.

    fork g {                              static int produce_g(void *, int, uint8_t *closure) { producer }
      producer                            ...
    } and {                   ->          halopy_start_task(&task);
      consumer                            { consumer; finished = 1; }
    }                                     leave: if (!finished) halopy_publish(g_used, INT64_MAX);
                                          halopy_join_task(&task);

A check that fails in either leaves to the end of its task, which leaves the counters that the task publishes to; who
waits for one of them leaves as well. So both tasks end, and then the code around the fork knows that one has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...ir.node import find
from ...ir.stmt import Await, ErrorSite, Fork, Publish, Stmt
from .loops import LoopPrinter
from .scopes import Mode, Scopes
from .tasks import Task, captured
from .threads_text import LINKED, OWN
from .types import Text

_COUNTER = "struct halopy_counter *"


class ForkPrinter(LoopPrinter):
    """Prints forks and what stands in them."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes, loop_notes)
        self.needs_threads = False
        self._counters: dict[str, str] = {}  # in scope: C pointer
        self._turns: dict[str, str] = {}  # of counters that are awaited one by one: the C variable that counts this

    def fork(self, stmt: Fork) -> None:
        self.needs_threads = self.needs_status = True
        self.prelude.macro("halopy_task", LINKED if self.linked else OWN)
        counters, turns = dict(self._counters), dict(self._turns)
        self.open("")
        for counter in stmt.counters:
            self._begin_counter(counter, "0" if counter == stmt.counters[0] else "INT64_MIN")
        turn = self._turns[stmt.counters[0]] = self.declared(f"{stmt.name}_turn", "int64_t")
        self.line(f"int64_t {turn} = 0;")

        finished, thread = self.names.fresh("finished"), self.names.fresh("thread")

        def consume(task: Task) -> None:
            self._start(task, thread)
            self.then(*self._task(stmt.consumer, finished), join)

        def join() -> None:
            self.line(f"halopy_join_task(&{thread});")
            for counter in stmt.counters:
                self.line(f"halopy_end_counter({self._counters[counter]});")
            self.open(f"if (!{finished} || __atomic_load_n(&status, __ATOMIC_RELAXED))")
            self.leave()
            self.close()
            self.close()
            self._counters, self._turns = counters, turns

        self._producer(stmt, consume)

    def _begin_counter(self, counter: str, first: str) -> None:
        name = self._counters[counter] = self.declared(counter, _COUNTER)
        self.line(f"struct halopy_counter {name}[1];")
        self.line(f"halopy_begin_counter({name}, {first});")

    def _producer(self, stmt: Fork, then: Callable[[Task], None]) -> None:
        """The producer as a function of its own; what it uses of the locals around it stays as it is now."""
        outside, depth, around, turns = self.lines, self.depth, dict(self.local_types), dict(self._turns)
        scopes = self.scopes
        self.lines, self.depth, self.scopes = [], 1, Scopes()
        for wait in find(stmt.producer, Await):
            if wait.value is None and wait.counter in turns:
                self._turns[wait.counter] = self.declared("turn", "int64_t")
                self.line(f"int64_t {self._turns[wait.counter]} = {turns[wait.counter]};")

        def done() -> None:
            body, self.lines, self.depth, self.scopes = self.lines, outside, depth, scopes
            self._turns = turns
            task = Task(self.names.fresh(f"produce_{stmt.name}"), tuple(body), captured(body, around), may_fail=True)
            self.tasks.append(task)
            then(task)

        self.then(*self._task(stmt.producer, self.names.fresh("finished")), done)

    def _task(self, body: Stmt, finished: str) -> Iterable[Stmt | Callable[[], None]]:
        """What prints one half, up to where it has left its counters if it did not come to its end."""
        self.line(f"int {finished} = 0;")
        self.begin_part("leave")
        self.open("")

        def end() -> None:
            self.line(f"{finished} = 1;")
            self.close()
            self.end_part()
            told = dict.fromkeys(publish.counter for publish in find(body, Publish))
            left = [self._counters[counter] for counter in told if counter in self._counters]
            if left:
                self.open(f"if (!{finished})")
                for counter in left:
                    self.line(f"halopy_publish({counter}, INT64_MAX);")
                self.close()

        return body, end

    def _start(self, task: Task, thread: str) -> None:
        data, context = self.names.fresh("data"), "user_context" if self.linked else "0"
        self.line(f"struct {task.name}_data {data} = {{{task.values()}}};")
        self.line(f"struct halopy_task {thread} = {{{task.name}, {context}, (uint8_t *)&{data}, 0, {{0}}}};")
        self.open(f"if (halopy_start_task(&{thread}))")
        self.report(ErrorSite.NO_THREAD, (), [])
        self.leave()
        self.close()

    def publish(self, stmt: Publish) -> None:
        counter = self._counters[stmt.counter]
        if stmt.value is None:
            value = Text(f"{counter}->value + 1")
        else:
            self.begin(stmt.value)
            value = self.scalar(stmt.value, Mode.INDEX)
        self.line(f"halopy_publish({counter}, {value.code});")

    def await_(self, stmt: Await) -> None:
        if stmt.value is None:
            value = Text(f"++{self._turns[stmt.counter]}")
        else:
            self.begin(stmt.value)
            value = self.scalar(stmt.value, Mode.INDEX)
        self.open(f"if (!halopy_await({self._counters[stmt.counter]}, {value.code}))")
        self.leave()
        self.close()
