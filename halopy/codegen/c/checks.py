"""Failing checks: what they report and how they leave the kernel, also from inside parallel loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...ir.stmt import Assert, ErrorSite, Stmt
from ..kernel import AssertSite
from .expressions import ExpressionPrinter
from .names import comment
from .scopes import Mode
from .types import Text

Work = Stmt | Callable[[], None]


class CheckPrinter(ExpressionPrinter):
    """Prints checks; collects what each code that the kernel returns means."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes)
        self.loop_notes = loop_notes
        self.asserts: list[AssertSite] = []
        self.needs_status = False
        self.linked = False  # calls the runtime that other programs bring, rather than ours
        self.todo: list[Work] = []
        self._exits: list[str] = []  # of what is open and runs beside something else: the label at its end
        self._parallel_loops = 0
        self._used_exits: set[str] = set()

    def then(self, *work: Work) -> None:
        """What is to be printed next, in this order."""
        self.todo.extend(reversed(work))

    @property
    def in_parallel(self) -> bool:
        """Whether this is the body of a parallel loop."""
        return self._parallel_loops > 0

    def check(self, stmt: Assert) -> None:
        self.begin(stmt.condition, *stmt.args)
        condition = self.scalar(stmt.condition, Mode.INDEX)
        self.open(f"if (!({condition.code}))")
        args = [self.scalar(arg, Mode.INDEX) for arg in stmt.args]
        self.report(stmt.site, stmt.names, args)
        self.leave()
        self.close()

    def report(self, site: ErrorSite, names: tuple[str, ...], args: list[Text], *, shared: bool = False) -> None:
        """Lines that record a failed check; `shared` where several threads may do so at once."""
        self.line(comment(f"{site.value}: {', '.join(names)}"))
        self.asserts.append(AssertSite(site, names, len(args)))
        self.needs_status = True
        number = len(self.asserts)
        if not (shared or self._exits):
            self.line(f"status = {number};")
            self._write(args)
            return
        # Threads race to report; the first one wins.
        self.line("int32_t none = 0;")
        self.open(f"if (__atomic_compare_exchange_n(&status, &none, {number}, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))")
        self._write(args)
        self.close()

    def leave(self) -> None:
        """Out of the kernel, or to the end of the innermost parallel iteration or task."""
        label = self.exit_of_part()
        self.line(f"goto {label};" if label else "return status;")

    def exit_of_part(self) -> str | None:
        """The label at the end of what runs beside something else, if this does, for a line that goes there."""
        if not self._exits:
            return None
        self._used_exits.add(self._exits[-1])
        return self._exits[-1]

    def leave_if_failed(self) -> None:
        self.open("if (__atomic_load_n(&status, __ATOMIC_RELAXED))" if self._exits else "if (status)")
        self.leave()
        self.close()

    def begin_iteration(self) -> None:
        """The body of a parallel loop begins: checks in it leave to its end."""
        self._parallel_loops += 1
        self.begin_part("next")

    def begin_part(self, label: str) -> None:
        """What runs beside something else begins: checks in it leave to its end."""
        self._exits.append(self.names.fresh(label))

    def end_iteration(self) -> bool:
        """The body ends; whether a check in it may have failed."""
        self._parallel_loops -= 1
        may_fail = self.end_part()
        self.wait_for_stores()
        return may_fail

    def wait_for_stores(self) -> None:
        """Have what was stored past the cache be in memory before others are told that it is."""
        if self.stored_past:
            self.line("PAST_DONE();")
            self.stored_past = False

    def end_part(self) -> bool:
        label = self._exits.pop()
        if label in self._used_exits:
            self.lines.append(f"{label}:;")
        return label in self._used_exits

    def _write(self, args: list[Text]) -> None:
        for k, arg in enumerate(args):
            self.line(f"error_args[{k}] = {arg.code};")
