"""Calls of services, each in front of the statement whose value needs it.

    out[x] = print(a, "is a\\n")     ->     {
                                              char line[...];
                                              char *end = line;
                                              end = line_i64(end, a);
                                              end = line_i8(end, " is a\\n");
                                              services->print(services->user_context, line);
                                           }
                                           out[x] = a;

A printed vector is a line per lane; a traced one is one event, unless only some of its lanes are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ...dtypes import DType
from ...ir.expr import Effect, Expr, const
from ...ir.services import AskedEnd, AskExtern, CallExtern, Dump, Keep, Print, Recall, Trace, TraceKind
from ...ir.stmt import ErrorSite
from .checks import CheckPrinter
from .dump_text import FILES, dump_lines
from .expressions import extern_modes
from .extern_text import LEAVES_OUTER, NEEDS_MORE, ExternText, keep_growth
from .lanes import lane
from .memo_text import BITS, memo_lines
from .services_text import LINES, LONGEST_NUMBER, TABLE
from .strings import c_string
from .types import Text, Value, Vec, element_name, memory_type

_Texts = Sequence[str]
_OWN_LINES = {"bool": "line_bool_u8", "f32": "line_f32", "f64": "line_f64"}


class Answers(NamedTuple):
    """The C array that holds what an extern function asked for, and where in it (argument, dim, end) is."""

    name: str
    places: Mapping[tuple[int, int, int], int]


class EffectPrinter(CheckPrinter):
    """Prints effects."""

    def __init__(self, vector_bytes: int, loop_notes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(vector_bytes, loop_notes)
        self.needs_services = False
        self.answer_at: dict[str, Answers] = {}  # by the name of the question
        self.memory_of: dict[str, str] = {}  # buffers that are allocated here: "Heap" or "Stack"

    def effect(self, node: Effect) -> Value:
        self.needs_services = True
        self.prelude.macro("halopy_services", TABLE)
        service = node.service
        if isinstance(service, Trace):
            return self._trace(node, service)
        if isinstance(service, Recall | Keep):
            return self._memo(node, service)
        if isinstance(service, Dump):
            return self._dump(node, service)
        if isinstance(service, AskedEnd):
            at = self.answer_at[service.question]
            return Text(f"{at.name}[{at.places[service.argument, service.dim, service.end]}]")
        self.prelude.macro("line", LINES)
        if isinstance(service, CallExtern):
            return self._extern(node, service)
        if isinstance(service, AskExtern):
            return self._ask(node, service)

        def call(texts: _Texts) -> None:
            line = self._line(service.texts, node.args, texts)
            if isinstance(service, Print):
                self.line(f"services->print(services->user_context, {line});")
            else:
                self.line(f"services->error(services->user_context, {line});")
                self.report(ErrorSite.REQUIREMENT, (service.condition,), [])
                self.leave()

        self._in_each_lane(node, node.args, call)
        return self.value(node.value)  # of Fail: evaluated only now that what was required holds

    def _in_each_lane(self, node: Effect, operands: Sequence[Expr], write: Callable[[_Texts], None]) -> None:
        """A block for each lane in which the call is made; `write` gets the lane's operands."""
        wanted = [*operands, *([] if node.where is None else [node.where])]
        lanes = [self._lanes(e) for e in wanted]
        self.open("")
        texts = [of_lanes[0] for of_lanes in lanes]
        if node.dtype.lanes > 1:
            arrays = [self._array(e.dtype, of_lanes) for e, of_lanes in zip(wanted, lanes, strict=True)]
            at = self.names.fresh("lane")
            self.open(f"for (int {at} = 0; {at} < {node.dtype.lanes}; {at}++)")
            texts = [f"{array}[{at}]" for array in arrays]
        if node.where is not None:
            self.open(f"if ({texts.pop()})")
        write(texts)
        for _ in range(1 + (node.dtype.lanes > 1) + (node.where is not None)):
            self.close()

    def _lanes(self, e: Expr) -> list[str]:
        """The value in each lane."""
        found = self.value(e)
        if isinstance(found, Vec):
            found = self.name_vector(found)
            return [lane(self, found, k, e.dtype.element).code for k in range(e.dtype.lanes)]
        return [found.code] * e.dtype.lanes

    def _array(self, dtype: DType, texts: _Texts, hint: str = "lanes") -> str:
        name = self.names.fresh(hint)
        self.line(f"const {memory_type(dtype.element)} {name}[{len(texts)}] = {{{', '.join(texts)}}};")
        return name

    def _line(self, between: tuple[str, ...], args: Sequence[Expr], texts: _Texts) -> str:
        """A C string made of texts and numbers in turn."""
        line, end = self.names.fresh("line"), self.names.fresh("end")
        size = 1 + sum(len(text.encode()) for text in between) + LONGEST_NUMBER * len(args)
        self.line(f"char {line}[{size}];")
        self.line(f"char *{end} = line_i8({line}, {c_string(between[0])});")
        for arg, text, after in zip(args, texts, between[1:], strict=True):
            self.line(f"{end} = {_line_of(arg.dtype)}({end}, {text});")
            if after:
                self.line(f"{end} = line_i8({end}, {c_string(after)});")
        return line

    def _trace(self, node: Effect, service: Trace) -> Value:
        value = self.value(node.value)
        made = "" if service.has_value else self.declared("event", "int32_t")
        if made:
            self.line(f"int32_t {made} = 0;")
        operands = (*node.args, node.value) if service.has_value else node.args
        if node.where is None:
            self.open("")
            self._event(service, node.value.dtype, [self._lanes(e) for e in operands], made)
            self.close()
        else:
            dtype = node.value.dtype.element
            self._in_each_lane(node, operands, lambda texts: self._event(service, dtype, [[t] for t in texts], made))
        return Text(made) if made else value

    def _extern(self, node: Effect, service: CallExtern) -> Value:
        self.open("")
        text, code = ExternText(service, self.pointer, self.names.fresh), self.names.fresh("code")
        self.line(f"int32_t {code};")
        text.compute(code, self._extern_operands(node))
        for line in text.lines:
            self.line(line)
        self._fail_if(code, service, (f"{service.function} returned ", ""), code)
        self.close()
        return Text("0", is_literal=True)

    def _ask(self, node: Effect, service: AskExtern) -> Value:
        """A call, and another one about the larger region that the function wants to compute."""
        call = service.call
        ranks = [*(argument.rank for argument in call.arguments), service.rank]
        places = [(at, dim, end) for at, rank in enumerate(ranks) for dim in range(rank) for end in (0, 1)]
        asked, code, wrong = (self.names.fresh(name) for name in ("asked", "code", "wrong"))
        self.line(f"int32_t {asked}[{max(1, len(places))}];")
        self.answer_at[service.name] = Answers(asked, {place: k for k, place in enumerate(places)})
        own = [f"{asked}[{k}]" for k in range(len(places) - 2 * service.rank, len(places))]
        operands = self._extern_operands(node)
        numbers = sum(not argument.name for argument in call.arguments)
        self.open("")
        self.line(f"int32_t {code} = 0, {wrong} = 0;")
        for name, needed in zip(own, operands[numbers:], strict=False):
            self.line(f"{name} = (int32_t)({needed});")
        turn = self.names.fresh("turn")
        self.open(f"for (int32_t {turn} = 0; {turn} < {2 if service.grows else 1}; {turn}++)")
        text = ExternText(call, self.pointer, self.names.fresh)
        answers = text.ask(code, operands[:numbers], own)
        for line in text.lines:
            self.line(line)
        self.line(f"if ({code}) break;")
        for k, answer in enumerate(answers[: len(places) - len(own)]):
            self.line(f"{asked}[{k}] = {answer};")
        if service.grows and own:
            self.line(f"if ({turn}) break;")
            outer = operands[numbers + len(own) :]
            for line in keep_growth(own, answers[-len(own) :], outer, wrong, stays=service.stays):
                self.line(line)
        self.close()
        self._fail_if(code, call, (f"{call.function}, asked which regions it needs, returned ", ""), code)
        self._fail_if(f"{wrong} & {NEEDS_MORE}", call, (f"{call.function} would compute less than is needed",))
        if service.stays:
            message = f"{call.function} would compute more for a part of the region than for the whole"
            self._fail_if(f"{wrong} & {LEAVES_OUTER}", call, (message,))
        self.close()
        return Text("0", is_literal=True)

    def _extern_operands(self, node: Effect) -> list[str]:
        return [self.scalar(e, mode).code for e, mode in extern_modes(node)]

    def _fail_if(self, condition: str, call: CallExtern, texts: tuple[str, ...], *numbers: str) -> None:
        self.open(f"if ({condition})")
        texts = (f"extern stage `{call.shown}`: {texts[0]}", *texts[1:-1], *(f"{texts[-1]}\n" for _ in numbers))
        line = self._line(texts if numbers else (f"{texts[0]}\n",), [const(0) for _ in numbers], numbers)
        self.line(f"services->error(services->user_context, {line});")
        self.report(ErrorSite.REQUIREMENT, (f"{call.function}() == 0",), [])
        self.leave()
        self.close()

    def _dump(self, node: Effect, service: Dump) -> Value:
        self.prelude.macro("line", LINES)
        self.prelude.macro("write_values", FILES)
        self.open("")
        done = self.names.fresh("dumped")
        ends = [self._lanes(e)[0] for e in node.args]
        for line in dump_lines(service, done, self.pointer(service.func), ends):
            self.line(line)
        self.open(f"if (!{done})")
        text = f"debug_to_file: the values of `{service.func}` could not be written to {service.filename}\n"
        self.line(f"services->error(services->user_context, {c_string(text)});")
        self.report(ErrorSite.REQUIREMENT, (f"{service.filename} is written",), [])
        self.leave()
        self.close()
        self.close()
        return Text("0", is_literal=True)

    def _memo(self, node: Effect, service: Recall | Keep) -> Value:
        self.prelude.macro("bits_of", BITS)
        recall = service if isinstance(service, Recall) else service.recall
        found = self.names.fresh("found")
        self.line(f"int32_t {found};")
        self.open("")
        operands = [(self._lanes(e)[0], e.dtype) for e in node.args]
        memo = self.names.fresh("memo")
        for line in memo_lines(service, memo, list(map(self.pointer, recall.buffers)), operands):
            self.line(line)
        verb = "recall" if isinstance(service, Recall) else "keep"
        self.line(f"{found} = services->{verb}(services->user_context, &{memo});")
        self.close()
        return Text(found)

    def _event(self, service: Trace, dtype: DType, operands: list[list[str]], made: str) -> None:
        value = f"{self._array(dtype, operands.pop(), 'value')}" if service.has_value else "0"
        parent, places = operands[0][0], [f"(int32_t)({text})" for lanes in operands[1:] for text in lanes]
        coordinates = self.names.fresh("coordinates") if places else "0"
        if places:
            self.line(f"const int32_t {coordinates}[{len(places)}] = {{{', '.join(places)}}};")
        tag = self.memory_of.get(service.tag, "") if service.kind is TraceKind.ALLOCATE else service.tag
        kind = (dtype.code.value, dtype.bits, dtype.lanes) if service.has_value else (0, 0, 1)
        fields = [
            c_string(service.func), value, coordinates, c_string(tag), f"{{{kind[0]}, {kind[1]}, {kind[2]}}}",
            str(service.kind.value), parent, str(service.element), str(len(places)),
        ]  # fmt: skip
        event = self.names.fresh("traced")
        self.line(f"const halide_trace_event_t {event} = {{{', '.join(fields)}}};")
        self.line(f"{f'{made} = ' if made else ''}services->trace(services->user_context, &{event});")


def _line_of(dtype: DType) -> str:
    """The function that writes a number at the end of a line."""
    name = element_name(dtype.element)
    return _OWN_LINES.get(name, "line_i64" if dtype.is_int else "line_u64")
