"""``compile``: a function is recorded once for each situation and replayed as one program, or run as Python, never wrong."""

from __future__ import annotations

import functools
import threading
import types
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from dopegraph.runtime.location import Location, here
from dopegraph.trace.effects import Watch
from dopegraph.trace.recording import Escape, Recording, active_recording
from dopegraph.trace.state import Walk, walk
from dopegraph.transform.plan import PythonPlan, ReplayPlan
from dopegraph.transform.results import Unreplayable, make_plan

Plan = Union[PythonPlan, ReplayPlan]


@dataclass(frozen=True)
class Recompile:
    """Why a function was recorded once more, and for which call."""

    reason: str
    location: Location | None


class Compiled:
    """A function that ``compile`` made.

    Attributes
    ----------
    plans : list
        One for each situation the function was called in, the last used first.
    recompiles : list of Recompile
    calls : int
    """

    def __init__(self, function: Callable[..., Any], max_plans: int = 64) -> None:
        functools.update_wrapper(self, function)
        self.__dopegraph_function__ = function
        self.max_plans = max_plans
        self.plans: list[Plan] = []
        self.recompiles: list[Recompile] = []
        self.calls = 0
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if active_recording() is not None:
            return self.__dopegraph_function__(*args, **kwargs)
        self.calls += 1
        failed = None
        for position, plan in enumerate(self.plans):
            matched = plan.match(args, kwargs)
            if type(matched) is int:
                failed = failed or plan.walk.guards.reasons[matched]
                continue
            if position:
                with self._lock:
                    if plan in self.plans:
                        self.plans.remove(plan)
                        self.plans.insert(0, plan)
            if isinstance(plan, PythonPlan):
                return self._as_python(args, kwargs)
            if plan.fits(matched[0]):
                return plan.run(matched)
            failed = failed or "arrays share memory in another way than when recorded"
            if any(handle._shared for handle in matched[0]):
                return self._as_python(args, kwargs)
        return self._record(args, kwargs, failed)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self, '__qualname__', self.__dopegraph_function__)}>"

    def _as_python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function itself; NumPy arrays are wrapped as they are for a recording."""
        found = Walk(_nothing, args, kwargs, dynamic=False)
        return self.__dopegraph_function__(*found.args, **found.kwargs)

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any], failed: str | None) -> Any:
        with self._lock:
            if failed is not None:
                self.recompiles.append(Recompile(failed, here()))
            found = walk(self.__dopegraph_function__, args, kwargs)
            name = getattr(self, "__name__", "graph")
            recording = Recording(name if name.isidentifier() else "graph")
            result, error, watch = None, None, Watch(found.home)
            with recording:
                try:
                    with watch:
                        result = self.__dopegraph_function__(*found.args, **found.kwargs)
                except BaseException as raised:
                    error = raised
            if error is not None:
                # What Python did so far stays done, as it would without us.
                _restore(found)
                recording.finish()
                raise error.with_traceback(error.__traceback__)
            escapes = [*found.problems, *recording.escapes, *watch.effects, *_unknown_code(found, watch)]
            try:
                plan, result = make_plan(found, recording, result, escapes)
            except Unreplayable as cause:
                escapes.append(Escape("unreplayable", str(cause), here()))
                plan, result = make_plan(found, recording, result, escapes)
            self._remember(plan)
            return result

    def _remember(self, plan: Plan) -> None:
        self.plans.insert(0, plan)
        if len(self.plans) > self.max_plans:
            self.plans.pop()
            (reason, times), *_ = Counter(one.reason for one in self.recompiles).most_common(1)
            warnings.warn(
                f"{self!r} was recorded for more than {self.max_plans} situations; {times} times because {reason}",
                RuntimeWarning,
                stacklevel=4,
            )


def _nothing() -> None:
    pass


def _restore(found: Walk) -> None:
    """Containers that the function got stand-ins for receive what it stored in them."""
    for container in found.containers:
        if container.original is not None:
            for key, value in container.now().items():
                if key not in container.before or container.before[key] is not value:
                    container.original[key] = value


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
        Arguments may be arrays (NumPy's are wrapped without a copy), nested containers of them, Python floats, which may
        change freely, and anything else, for each value of which the function is recorded once.
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


