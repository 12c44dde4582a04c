"""`GeneratorContext`: a with-block that says what the generators made in it are for."""

from __future__ import annotations

from contextvars import ContextVar

from ...errors import DefinitionError, TypeMismatch
from ...source import caller
from ..autoscheduler_params import AutoschedulerParams
from ..targets.choice import get_jit_target_from_environment
from ..targets.target import Target

_open: ContextVar[tuple[GeneratorContext, ...]] = ContextVar("halopy_generator_contexts", default=())


class GeneratorContext:
    """GeneratorContext(target), GeneratorContext(target, autoscheduler_params)

    with hl.GeneratorContext(target):
        made = MyGenerator()        # for that target
    """

    def __init__(self, target: Target, autoscheduler_params: AutoschedulerParams | None = None) -> None:
        params = AutoschedulerParams() if autoscheduler_params is None else autoscheduler_params
        if not isinstance(target, Target) or not isinstance(params, AutoschedulerParams):
            raise TypeMismatch(
                f"GeneratorContext({target!r}, {params!r}) is for no target",
                location=caller(),
                accepted="an hl.Target, and hl.AutoschedulerParams",
            )
        self._target, self._params = target, params

    def target(self) -> Target:
        """What the code is for: a Target of its own, so that changing it changes no other."""
        return Target._of(self._target.value)

    def autoscheduler_params(self) -> AutoschedulerParams:
        """The autoscheduler's name and settings, as a copy."""
        made = AutoschedulerParams(self._params.name)
        made.extra = dict(self._params.extra)
        return made

    def __enter__(self) -> GeneratorContext:
        _open.set((*_open.get(), self))
        return self

    def __exit__(self, *error: object) -> None:
        _open.set(_open.get()[:-1])

    def __repr__(self) -> str:
        return f"<halopy.GeneratorContext {self._target}>"


def active_generator_context() -> GeneratorContext:
    """The innermost context whose with-block is running here. Raises DefinitionError outside of all."""
    contexts = _open.get()
    if not contexts:
        raise DefinitionError(
            "There is no active GeneratorContext", location=caller(), accepted="with hl.GeneratorContext(target): ..."
        )
    return contexts[-1]


def context_of_new_generators() -> GeneratorContext:
    """The active context; outside of all, one for this machine or the target in HL_JIT_TARGET."""
    contexts = _open.get()
    return contexts[-1] if contexts else GeneratorContext(get_jit_target_from_environment())
