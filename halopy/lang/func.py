"""`Func`: a named grid of values, defined by assigning to `f[x, y]`, with a schedule that says how it is computed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Self

from ..dtypes import DType
from ..errors import DefinitionError
from ..ir import expr as nodes
from ..ir.extern import called_function, extern_call
from ..ir.function import Definition, Function
from ..source import caller
from ..target_features import DeviceAPI
from .buffers.buffer import Buffer
from .display import func_text, notebook_html
from .expressions.expr import Expr, ExprLike, to_node
from .expressions.types import Type, to_dtype
from .expressions.var import Var, _
from .extern import Given, define_extern
from .func_contents import FuncContents
from .func_outputs import FuncOutputs
from .func_ref import FuncRef
from .func_running import FuncRunning
from .func_storage import FuncStorage
from .func_tracing import FuncTracing
from .image_param import InputImage
from .output_files import NameMangling
from .rdom import RVar
from .stage import Stage

_numbers = itertools.count()


class Func(FuncTracing, FuncStorage, FuncRunning, FuncOutputs):
    """A stage of a pipeline.

    Func(), Func("name")                        undefined
    Func(Type or list of Types, rank, "name")   undefined, with types and number of dimensions fixed
    Func(expression), Func(buffer or input)     defined over implicit Vars
    """

    __slots__ = ("_contents",)
    _stage = 0
    _version = ()

    def __init__(
        self,
        required: str | Type | Sequence[Type] | ExprLike | Buffer | InputImage | None = None,
        required_dimensions: int | None = None,
        name: str | None = None,
        **aliases: object,
    ) -> None:
        required = aliases.pop("required_type", aliases.pop("required_types", required))  # type: ignore[assignment]
        if aliases:
            raise TypeError(f"Func() got an unexpected argument {next(iter(aliases))!r}")
        if isinstance(required, str):
            required, name = None, required
        contents = FuncContents(f"f{next(_numbers)}" if name is None else name)
        self._contents = contents
        if name == "":
            raise DefinitionError("a Func may not have an empty name", location=caller())
        if isinstance(required, Type | list | tuple):
            types = required if isinstance(required, list | tuple) else [required]
            if not types:
                raise DefinitionError("a Func has at least one type", location=caller(), accepted="[hl.Int(32)]")
            contents.required_dtypes = tuple(map(to_dtype, types))
            contents.required_rank = required_dimensions
        elif isinstance(required, Buffer | InputImage):
            self[_] = required[_]
        elif required is not None:
            self[_] = required

    @classmethod
    def _of(cls, contents: FuncContents) -> Self:
        func = cls.__new__(cls)
        func._contents = contents
        return func

    def __getitem__(self, index: object) -> FuncRef:
        return FuncRef(self._contents, _nodes(index))

    __iter__ = None  # so that Python does not go on asking for f[0], f[1], ...

    def __setitem__(self, index: object, value: object) -> None:
        self[index].assign(value)

    def name(self) -> str:
        """What messages and generated code call it."""
        return self._contents.name

    def defined(self) -> bool:
        """Whether it has a definition."""
        return self._contents.function is not None

    def args(self) -> list[Var]:
        """The Vars of the pure definition; none while undefined."""
        function = self._contents.function
        return [Var(name) for name in function.args] if function else []

    def value(self) -> Expr:
        """The right-hand side of the pure definition."""
        return _single(self._contents, self._function("value").pure)

    def values(self) -> tuple[Expr, ...]:
        """The right-hand sides of the pure definition."""
        return tuple(map(Expr, self._function("values").pure.values))

    def dimensions(self) -> int:
        """Number of dimensions, as defined or as required."""
        if self._contents.function is not None:
            return self._contents.function.rank
        if self._contents.required_rank is None:
            raise self._undefined("dimensions")
        return self._contents.required_rank

    def outputs(self) -> int:
        """Number of values at each point."""
        return len(self._dtypes("outputs"))

    def type(self) -> Type:
        """The type of its value, where it has one value at each point."""
        dtypes = self._dtypes("type")
        if len(dtypes) != 1:
            raise DefinitionError(
                f"Func `{self.name()}` has no single type: it returns a Tuple of {len(dtypes)} values",
                location=caller(),
                accepted=f"{self.name()}.types()",
            )
        return Type.of(dtypes[0])

    def types(self) -> list[Type]:
        """The type of each value that it has at a point."""
        return [Type.of(dtype) for dtype in self._dtypes("types")]

    def _dtypes(self, asked: str) -> tuple[DType, ...]:
        function = self._contents.function
        dtypes = function.dtypes if function else self._contents.required_dtypes
        if not dtypes:
            raise self._undefined(asked)
        return dtypes

    def has_update_definition(self) -> bool:
        """Whether it has an update."""
        return self.num_update_definitions() > 0

    def num_update_definitions(self) -> int:
        """How many updates it has."""
        return len(self._contents.function.updates) if self._contents.function else 0

    def update(self, idx: int = 0) -> Stage:
        """The schedule of an update, counted from 0."""
        self._update(idx)
        return Stage(contents=self._contents, stage=idx + 1)

    def update_args(self, idx: int = 0) -> list[Expr]:
        """The left-hand side of an update."""
        return list(map(Expr, self._update(idx).index))

    def update_value(self, idx: int = 0) -> Expr:
        """The right-hand side of an update."""
        return _single(self._contents, self._update(idx))

    def update_values(self, idx: int = 0) -> tuple[Expr, ...]:
        """The right-hand sides of an update of several values."""
        return tuple(map(Expr, self._update(idx).values))

    def rvars(self, idx: int = 0) -> list[RVar]:
        """The reduction variables of an update, innermost first, as names of loops."""
        domain = self._update(idx).rdom
        return [RVar(v.name) for v in domain.vars] if domain else []

    def _update(self, number: int) -> Definition:
        function = self._function("update")
        if not 0 <= number < len(function.updates):
            count = len(function.updates)
            raise DefinitionError(
                f"Func `{self.name()}` has no update {number}",
                location=caller(),
                accepted=f"0 to {count - 1}" if count else "nothing: it has no updates",
            )
        return function.updates[number]

    def _function(self, asked: str) -> Function:
        if self._contents.function is None:
            raise self._undefined(asked)
        return self._contents.function

    def _undefined(self, asked: str) -> DefinitionError:
        return DefinitionError(
            f"Func `{self.name()}` has no {asked}: it is undefined",
            location=caller(),
            accepted=f"define it first, for example: {self.name()}[x] = x",
        )

    def define_extern(
        self,
        function_name: str,
        params: Sequence[Given],
        types: Type | Sequence[Type] | None = None,
        arguments: int | Sequence[Var] | None = None,
        mangling: NameMangling = NameMangling.Default,
        device_api: DeviceAPI = DeviceAPI.Host,
        **aliases: object,
    ) -> None:
        """Have a C function compute it: `int NAME(buffers and numbers of params..., halide_buffer_t *result...)`.

        The function is one of this process, of a library opened with `ctypes.CDLL(path, ctypes.RTLD_GLOBAL)`; of a
        compiled file, the linker finds it. Called with inputs whose host is NULL, it writes into their shapes which
        regions it needs for the shape of the result. What is not 0 ends the run with an error.
        `arguments` are the Vars of its dimensions, or how many there are. With NameMangling.CPlusPlus the function is
        one of C++, and its name may have namespaces.
        """
        types = aliases.pop("type", types)  # type: ignore[assignment]
        arguments = aliases.pop("dimensionality", arguments)  # type: ignore[assignment]
        if aliases or types is None or arguments is None:
            raise TypeError("define_extern() takes function_name, params, types, and arguments or dimensionality")
        define_extern(self._contents, function_name, params, types, arguments, mangling, device_api)

    def is_extern(self) -> bool:
        """Whether its values come from a function outside the pipeline."""
        return self._contents.function is not None and extern_call(self._contents.function) is not None

    def extern_function_name(self) -> str:
        """The C function that computes an extern stage; "" for other Funcs."""
        call = None if self._contents.function is None else extern_call(self._contents.function)
        return "" if call is None else called_function(call)

    def __repr__(self) -> str:
        return f"<halopy.Func {func_text(self._contents)}>"

    def __str__(self) -> str:
        return f"<halopy.Func '{self.name()}'>"

    def _repr_html_(self) -> str:
        """Definitions and loop nest, for notebooks."""
        return notebook_html(str(self), [self._contents])


Stage._func_type = Func


def _nodes(index: object) -> tuple[nodes.Expr, ...]:
    """The indices in `f[...]`: one thing, or a tuple or list of them."""
    return tuple(map(to_node, index)) if isinstance(index, tuple | list) else (to_node(index),)


def _single(contents: FuncContents, definition: Definition) -> Expr:
    if len(definition.values) != 1:
        raise DefinitionError(
            f"Func `{contents.name}` has {len(definition.values)} values at each point",
            location=caller(),
            accepted="values() or update_values()",
        )
    return Expr(definition.values[0])


def funcs(names: str) -> tuple[Func, ...]:
    """`f, g = hl.funcs("f g")`."""
    return tuple(Func(name) for name in names.split())


def lambda_func(*args: object) -> Func:
    """An unnamed Func from Vars and a value."""
    func = Func()
    func[tuple(args[:-1])] = args[-1]
    return func
