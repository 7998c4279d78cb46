"""``compile``: a function is recorded once for each situation and replayed as one program, or run as Python."""

from __future__ import annotations

import functools
import threading
import types
import warnings
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy

from dopegraph.runtime.location import Location, here
from dopegraph.state.effects import Watch
from dopegraph.state.guards import configuration
from dopegraph.state.walk import Walk, walk
from dopegraph.trace.recording import Escape, Recording, active_recording
from dopegraph.transform.placement import Unreplayable
from dopegraph.transform.plan import PythonPlan, ReplayPlan
from dopegraph.transform.results import make_plan, settle

Plan = Union[PythonPlan, ReplayPlan]

_SHARED = Escape("shared-memory", "arrays that the function writes to share memory with others it uses", None)
# What operations raise for some values of their operands.
_VALUE_ERRORS = (IndexError, ValueError, ArithmeticError, numpy.linalg.LinAlgError)


@dataclass(frozen=True)
class Recompile:
    """Why a function was recorded once more, and for which call."""

    reason: str
    location: Location | None


class Compiled:
    """A function that ``compile`` made.

    Attributes
    ----------
    name : str
    plans : list
        One for each situation the function was called in, the last used first.
    recompiles : deque of Recompile
        The last thousand.
    calls : int
    """

    def __init__(self, function: Callable[..., Any], max_plans: int = 64) -> None:
        functools.update_wrapper(self, function)
        self.__dopegraph_function__ = function
        name = getattr(function, "__name__", None)
        self.name = name if isinstance(name, str) else type(function).__name__
        self.max_plans = max_plans
        self.plans: list[Plan] = []
        self.recompiles: deque[Recompile] = deque(maxlen=1000)
        self.calls = 0
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(args, kwargs)[0]

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Plan | None, Sequence[Escape]]:
        """The result of a call, the plan that was used, and why it ran as Python if it did."""
        if active_recording() is not None:
            return self.__dopegraph_function__(*args, **kwargs), None, ()
        self.calls += 1
        plan, matched, failed = self._find(args, kwargs)
        if plan is None:
            with self._lock:
                plan, matched, failed = self._find(args, kwargs)  # another thread may have recorded it
                if plan is None:
                    return self._record(args, kwargs, failed)
        if isinstance(plan, ReplayPlan):
            if not plan.fits(matched[0]):
                return self._as_python(plan, args, kwargs), plan, [_SHARED]
            try:
                return plan.run(matched), plan, ()
            except _VALUE_ERRORS as error:
                # Nothing was written yet; Python raises it where the function can catch it.
                detail = str(error).partition("\n")[0]
                return self._as_python(plan, args, kwargs), plan, [Escape("error", detail, None)]
        return self._as_python(plan, args, kwargs), plan, plan.escapes

    def _find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Plan | None, Any, str | None]:
        """The first plan that fits a call, or why the plan used last does not."""
        failed = None
        for plan in self.plans:
            matched = plan.match(args, kwargs)
            if type(matched) is int:
                failed = failed or plan.walk.guards.reasons[matched]
            elif isinstance(plan, PythonPlan) and not plan.final:
                failed = failed or "the last call set something up"
            else:
                if plan is not self.plans[0]:
                    self._move_to_front(plan)
                return plan, matched, None
        return None, None, failed

    def _move_to_front(self, plan: Plan) -> None:
        with self._lock:
            # A new list: other threads may be looking through the old one.
            self.plans = [plan, *(other for other in self.plans if other is not plan)]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    def _as_python(self, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function itself; NumPy arrays are wrapped as they are for a recording."""
        if not plan.walk.stand_ins:
            return self.__dopegraph_function__(*args, **kwargs)
        found = Walk(_nothing, args, kwargs, floats=False)
        found.stand_ins.install()
        try:
            return self.__dopegraph_function__(*found.args, **found.kwargs)
        finally:
            found.stand_ins.remove()

    def _record(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], failed: str | None
    ) -> tuple[Any, Plan, Sequence[Escape]]:
        if failed is not None:
            self.recompiles.append(Recompile(failed, here()))
        found = walk(self.__dopegraph_function__, args, kwargs)
        if found.problems:
            plan: Plan = PythonPlan(found, found.problems, final=True)
            self._remember(plan)
            return self._as_python(plan, args, kwargs), plan, found.problems
        recording = Recording(self.name if self.name.isidentifier() else "graph", checks=True)
        watch = Watch(found.home)
        before = configuration()
        found.stand_ins.install()
        try:
            with recording, watch:
                result = self.__dopegraph_function__(*found.args, **found.kwargs)
        except BaseException:
            # What Python did so far stays done, as it would without us.
            settle(found, recording, None)
            raise
        escapes = [*recording.escapes, *watch.effects, *_unknown_code(found, watch)]
        if configuration() != before:
            escapes.append(Escape("side-effect", "policy, default dtype, device or training mode is changed", None))
        again = False
        try:
            if not escapes:
                plan = make_plan(found, recording, result)
        except Unreplayable as cause:
            again = not any(isinstance(plan, PythonPlan) and not plan.final for plan in self.plans)
            escapes = [Escape("unreplayable", str(cause), here())]
        except _VALUE_ERRORS as cause:
            escapes = [Escape("error", str(cause).partition("\n")[0], here())]
        result = settle(found, recording, result)
        if escapes:
            plan = PythonPlan(found, escapes, final=not again)
        self._remember(plan)
        return result, plan, escapes

    def _remember(self, plan: Plan) -> None:
        plans = [other for other in self.plans if isinstance(other, ReplayPlan) or other.final]
        self.plans = [plan, *plans][: self.max_plans]
        if len(plans) >= self.max_plans:
            (reason, times), *_ = Counter(one.reason for one in self.recompiles).most_common(1)
            warnings.warn(
                f"{self!r} was recorded for more than {self.max_plans} situations; {times} times because {reason}",
                RuntimeWarning,
                stacklevel=4,
            )


def _nothing() -> None:
    pass


def _unknown_code(found: Walk, watch: Watch) -> list[Escape]:
    """Functions that ran although no walk over the state leads to them: what they read is not guarded."""
    inner = {constant for code in found.codes for constant in code.co_consts if isinstance(constant, types.CodeType)}
    unknown = sorted(
        (code for code in watch.codes if code not in found.codes and code not in inner),
        key=lambda code: (code.co_filename, code.co_firstlineno),
    )
    return [
        Escape(
            "unguarded-function",
            f"{code.co_name} is reached in a way that cannot be followed",
            Location(code.co_filename, code.co_firstlineno, code.co_name),
        )
        for code in unknown
    ]


def compile(function: Callable[..., Any] | None = None, *, max_plans: int = 64) -> Any:
    """Compile a function written with `dopegraph.numpy`; also as a decorator.

    The first call with arguments of given shapes and dtypes records the function as a graph, which is optimized and
    compiled; later calls run the compiled program, and leave arrays that the function reads or writes, wherever it
    reaches them, as the function would have left them. Calls that cannot be replayed run as Python; `explain` says why.

    Parameters
    ----------
    function : callable
        Arguments may be arrays (NumPy's are wrapped without a copy), nested containers of them, Python floats, which
        may change freely, and anything else, for each value of which the function is recorded once.
    max_plans : int
        How many situations to keep; the least recently used is forgotten, with a warning.

    Returns
    -------
    Compiled

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> w = np.ones(3)
    >>> @dopegraph.compile
    ... def step(x, lr):
    ...     global w
    ...     w -= lr * x
    ...     return (w * x).sum()
    >>> step(np.ones(3), 0.5), step(np.ones(3), 0.25)
    (array(1.5, dtype=float32), array(0.75, dtype=float32))
    """
    if function is None:
        return functools.partial(compile, max_plans=max_plans)
    if not callable(function):
        raise TypeError(f"compile takes a function, not a {type(function).__name__}")
    return Compiled(function, max_plans)
