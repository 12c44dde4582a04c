"""What the host does about a device: kernels are launched, and memory is there and here, by functions of the caller.

    launch kernel_f[groups (w, h), threads (32, 8)](f, in, x, gain)   ->   const int64_t shape[6] = {w, h, 1, 32, 8, 1};
                                                                           const int64_t memory[2] = {1, 0};
                                                                           uint64_t values[2] = {0};
                                                                           PUT(values[0], int64_t, x);
                                                                           PUT(values[1], float, gain);
                                                                           if (device->launch(…)) return …;

Buffers of the caller are known by their positions among the arguments, mirrors by the numbers that they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...ir.expr import Expr
from ...ir.stmt import ErrorSite, Launch, Mirror, ToHost
from .context import is_index
from .forks import ForkPrinter
from .scopes import Mode
from .services_text import TABLE
from .types import TIMES, Text, memory_type

_PUT = """\
#define PUT(place, type, number) \\
    do { const type put = (number); __builtin_memcpy(&(place), &put, sizeof put); } while (0)"""
_DIMENSIONS = 3


class LaunchPrinter(ForkPrinter):
    """Prints what concerns a device. `kernel_numbers` and `argument_places` are by name."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes, loop_notes)
        self.kernel_numbers: Mapping[str, int] = {}
        self.argument_places: Mapping[str, int] = {}
        self._mirrors: dict[str, str] = {}  # buffers in scope that live on the device: the C variable with its number

    def _device(self) -> str:
        self.needs_services = True
        self.prelude.macro("halopy_services", TABLE)
        return "services->device"

    def _memory(self, buffer: str) -> str:
        return self._mirrors.get(buffer) or str(self.argument_places[buffer])

    def launch(self, stmt: Launch) -> None:
        device = self._device()
        self.prelude.macro("PUT", _PUT)
        self.begin(*stmt.groups, *stmt.threads, *stmt.scalars)
        self.open("")
        shape = self._constants("shape", "int64_t", [*self._filled(stmt.groups), *self._filled(stmt.threads)])
        memory = self._constants("memory", "int64_t", [self._memory(b) for b in stmt.buffers])
        values = self._constants("values", "uint64_t", ["0"] * len(stmt.scalars), constant=False)
        for k, scalar in enumerate(stmt.scalars):
            mode, kind = (Mode.INDEX, "int64_t") if is_index(scalar.dtype) else (Mode.VALUE, memory_type(scalar.dtype))
            self.line(f"PUT({values}[{k}], {kind}, {self.scalar(scalar, mode).code});")
        number = self.kernel_numbers[stmt.kernel]
        self._or_leave(f"{device}->launch(services->user_context, {number}, {shape}, {memory}, {values})", stmt.kernel)
        self.close()
        self.scopes.forget_loads()

    def _filled(self, extents: Sequence[Expr]) -> list[str]:
        """An extent for each dimension that devices number."""
        texts = [self.scalar(e, Mode.INDEX).code for e in extents]
        return texts + ["1"] * (_DIMENSIONS - len(texts))

    def _constants(self, wanted: str, kind: str, items: Sequence[str], *, constant: bool = True) -> str:
        name = self.names.fresh(wanted)
        self.line(f"{'const ' * constant}{kind} {name}[{max(1, len(items))}] = {{{', '.join(items) or '0'}}};")
        return name

    def mirror(self, stmt: Mirror) -> None:
        device = self._device()
        self.begin(stmt.size)
        size = self.scalar(stmt.size, Mode.INDEX)
        self.open("")
        name = self.declared(f"{stmt.buffer}_mirror", "int64_t")
        host = f"(void *){self.pointer(stmt.buffer)}" if stmt.on_host else "0"
        bytes_of = Text(f"{size.at(TIMES)} * {stmt.dtype.bytes}", TIMES)
        self.line(f"const int64_t {name} = {device}->mirror(services->user_context, {bytes_of.code}, {host});")
        self._or_leave(f"{name} < 0", stmt.buffer)
        self._mirrors[stmt.buffer] = name

        def leave() -> None:
            del self._mirrors[stmt.buffer]
            self.line(f"{device}->release(services->user_context, {name});")
            self.close()

        self.then(stmt.body, leave)

    def to_host(self, stmt: ToHost) -> None:
        device = self._device()
        for buffer in stmt.buffers:
            writes = int(buffer in stmt.written)
            self._or_leave(f"{device}->to_host(services->user_context, {self._memory(buffer)}, {writes})", buffer)
        self.scopes.forget_loads()

    def _or_leave(self, failed: str, name: str) -> None:
        self.open(f"if ({failed})")
        self.report(ErrorSite.DEVICE_FAILED, (name,), [])
        self.leave()
        self.close()
