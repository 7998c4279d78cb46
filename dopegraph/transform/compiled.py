"""What ``compile`` makes: recorded once for each situation, a function is replayed as a program, or runs as Python."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
import threading
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy

from dopegraph.runtime.collection import fewer_collections
from dopegraph.runtime.config import memory_limit
from dopegraph.runtime.errors import GraphBreakError, ReplayWarning
from dopegraph.runtime.location import here, located, raised_at
from dopegraph.state.effects import Watch
from dopegraph.state.guards import configuration
from dopegraph.state.static import Static
from dopegraph.state.walk import Walk, walk
from dopegraph.trace.active import active, active_recording, tape_is_open
from dopegraph.trace.look import Escape, Look
from dopegraph.trace.recording import Recording
from dopegraph.transform.cache import CacheInfo, History, cache_info, new_outcome, recompile_of
from dopegraph.transform.lowered import Lowered, lower
from dopegraph.transform.placement import NUMBERS, Placement, Unreplayable
from dopegraph.transform.plan import INSIDE, LEFT, PASSING, SHARED, AsPython, PythonPlan, ReplayPlan, sharing_memory
from dopegraph.transform.record import leave_open, outlives_its_call
from dopegraph.transform.results import Layout, capture, lay_out, make_plan, settle, unknown_code
from dopegraph.transform.segmented import run
from dopegraph.transform.straight import MISS, never
from dopegraph.transform.tree import Result, TreePlan
from dopegraph.transform.way import Way

Plan = Union[PythonPlan, ReplayPlan, TreePlan]
# What became of a call: what was replayed, or why nothing was.
Outcome = Union[AsPython, ReplayPlan, Result]

# A function that is recorded more often than that gets another shape in every other call: what is compiled for one of
# them runs a few times only.
PATIENCE = 8

_NO_LIMIT: Any = contextlib.nullcontext()

# What operations raise for some values of their operands.
_VALUE_ERRORS = (IndexError, ValueError, ArithmeticError, numpy.linalg.LinAlgError)


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
    static : Static
    fullgraph : bool
    cache_size : int
    memory : int or None
    """

    def __init__(
        self,
        function: Callable[..., Any],
        static: Static = Static(),  # noqa: B008 - immutable
        fullgraph: bool = False,
        cache_size: int = 64,
        memory: int | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.__dopegraph_function__ = function
        name = getattr(function, "__name__", None)
        self.name = name if isinstance(name, str) else type(function).__name__
        self._graph_name = self.name if self.name.isidentifier() else "graph"
        self._anchor = getattr(function, "__code__", type(function))
        self.static = static
        self.fullgraph = fullgraph
        self.cache_size = cache_size
        self.memory = memory
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        self.plans: list[Plan] = []
        # Where numbers are that calls change, by the id of what holds them, which is kept, and the key.
        self._moving: dict[tuple[int, Any], Any] = {}
        self._gave_up = False
        self.calls = 0
        self._history = History()
        self.recompiles = self._history.recompiles

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        failed = None
        if active.recording is None:
            for plan in self.plans:
                if plan.replay is never or (plan.taped and active.tape is not None):
                    break  # it may be what fits first
                try:
                    result = plan.replay(args, kwargs)
                except Exception as error:
                    failed = error
                    break  # which the plan meets again, and explains
                if result is not MISS:
                    if plan is not self.plans[0]:
                        self._move_to_front(plan)
                    self.calls += 1
                    plan.calls += 1
                    return result
        with memory_limit(self.memory) if self.memory is not None else _NO_LIMIT:
            result = self.call(args, kwargs, self.fullgraph)[0]
        if failed is not None:
            self._check_mistake(failed)
        return result

    def call(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool = False
    ) -> tuple[Any, Outcome | None, Sequence[Escape]]:
        """The result of a call, what became of it, and why it ran as Python if it did, which `strict` forbids."""
        if active_recording() is not None:
            return self.__dopegraph_function__(*args, **kwargs), None, ()
        self.calls += 1
        plan, matched = self._find(args, kwargs)
        if plan is None:
            with self._lock:
                plan, matched = self._find(args, kwargs)  # another thread may have recorded it
                if plan is None:
                    with fewer_collections:
                        return self._record(args, kwargs, strict)
        if plan.taped and tape_is_open():
            return self._as_python(AsPython([INSIDE]), plan.walk, args, kwargs, strict)
        if isinstance(plan, ReplayPlan):
            if not plan.fits(matched[0]):
                return self._as_python(AsPython([SHARED]), plan.walk, args, kwargs, strict)
            try:
                return plan.run(matched), plan, ()
            except Exception as error:  # of a function of the user's own it may be any
                return self._refused(error, plan, args, kwargs, strict)
        if isinstance(plan, TreePlan):
            return self._through(plan, matched, args, kwargs, strict)
        if strict:
            raise self._broken(plan.escapes)
        return self._as_python(plan, plan.walk, args, kwargs)

    def _through(
        self, plan: TreePlan, matched: Any, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool
    ) -> tuple[Any, Outcome, Sequence[Escape]]:
        """A call that goes as far through a tree as it was recorded."""
        try:
            end, result = plan.run(args, kwargs, matched)
        except Exception as error:
            return self._refused(error, plan, args, kwargs, strict)
        if isinstance(end, Result):
            return result, end, ()
        if end is None or not end.final:
            with self._lock, fewer_collections:
                return self._record(args, kwargs, strict, plan, result)
        return self._as_python(end, plan.walk, args, kwargs, strict)

    def _refused(
        self, error: Exception, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool
    ) -> tuple[Any, Outcome, Sequence[Escape]]:
        """An operation refused the values. Nothing was written; Python raises it where the function can catch it."""
        outcome = self._as_python(AsPython([_error(error)]), plan.walk, args, kwargs, strict)
        self._check_mistake(error)
        return outcome

    def _check_mistake(self, error: Exception) -> None:
        """Say that a replay failed although Python did not, unless it was for values or in a function of the user's."""
        if not isinstance(error, _VALUE_ERRORS) and raised_at(error) is None:
            message = f"a replay of {self.name} failed with {type(error).__name__}: {error}"
            message += "; it ran as Python, which is slower; please report this"
            warnings.warn(located(message, here()), ReplayWarning, stacklevel=2)

    def _find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Plan | None, Any]:
        """The first plan that fits a call."""
        for plan in self.plans:
            matched = plan.match(args, kwargs)
            if type(matched) is not int and (not isinstance(plan, PythonPlan) or plan.final):
                if plan is not self.plans[0]:
                    self._move_to_front(plan)
                return plan, matched
        return None, None

    def _move_to_front(self, plan: Plan) -> None:
        with self._lock:
            # A new list: other threads may be looking through the old one.
            self.plans = [plan, *(other for other in self.plans if other is not plan)]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self.name}>"

    # What it holds -----------------------------------------------------------------------------------------------

    def cache_info(self) -> CacheInfo:
        """What became of the calls so far, and what the cache holds.

        Examples
        --------
        >>> import dopegraph, dopegraph.numpy as np
        >>> f = dopegraph.compile(lambda x: x * 2)
        >>> for length in (3, 3, 4):
        ...     x = f(np.ones(length))
        >>> info = f.cache_info()
        >>> info.hits, info.misses, info.replays, info.plans
        (1, 2, 1, 2)
        >>> print(info.recompiles[0].detail)
        argument x: f32[3] before, f32[4] now
        """
        with self._lock:
            return cache_info(self.plans, self._history, self.calls, self.cache_size)

    def clear_cache(self) -> None:
        """Forget all plans, statistics and warnings; compiled programs, which functions share, stay in their cache."""
        with self._lock:
            self._forget()

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The graph of a call with these arguments, what would run, and what it costs; nothing is run or changed.

        Of a method, write ``Class.method.lower(instance, ...)``.

        Returns
        -------
        Lowered

        Raises
        ------
        GraphBreakError
            With ``fullgraph=True``, when such a call cannot be replayed.

        Examples
        --------
        >>> import dopegraph, dopegraph.numpy as np
        >>> lowered = dopegraph.compile(lambda x, w: x @ w).lower(np.ones((2, 3)), np.ones((3, 4)))
        >>> lowered.operations().flops
        48
        """
        found = lower(self.__dopegraph_function__, args, kwargs, self.static, self.memory)
        if found.breaks and self.fullgraph:
            raise self._broken(found.breaks)
        return found

    # Recording ---------------------------------------------------------------------------------------------------

    def _broken(self, escapes: Sequence[Escape]) -> GraphBreakError:
        """The error of a call that cannot be replayed although ``fullgraph`` was asked for."""
        first = escapes[0]
        more = f" (and {len(escapes) - 1} more)" if len(escapes) > 1 else ""
        message = f"{self.name} is no full graph: {first.reason}: {first.detail}{more}; {first.hint}"
        return GraphBreakError(located(message, first.location or here()), escapes)

    def _as_python(
        self, end: AsPython, walked: Walk, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool = False
    ) -> tuple[Any, AsPython, Sequence[Escape]]:
        """Run the function itself; NumPy arrays are wrapped as they are for a recording."""
        function, name = self.__dopegraph_function__, self._graph_name
        if not walked.stand_ins:
            result = run(lambda: function(*args, **kwargs), name, end, self._anchor)
        else:
            found = Walk(_nothing, args, kwargs, floats=False, static=self.static)
            found.stand_ins.install()
            try:
                result = run(lambda: function(*found.args, **found.kwargs), name, end, self._anchor)
            finally:
                found.stand_ins.remove()
        if strict:
            raise self._broken(end.escapes)
        return result, end, end.escapes

    def _record(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        strict: bool,
        tree: TreePlan | None = None,
        look: Look | None = None,
    ) -> tuple[Any, Outcome, Sequence[Escape]]:
        """Run the function as it is recorded; `tree` is what the call went through until `look` saw something new."""
        found = walk(self.__dopegraph_function__, args, kwargs, self.static, self._moving)
        if self._gave_up and tape_is_open():
            return self._as_python(AsPython([INSIDE]), found, args, kwargs, strict)
        self._history.missed()
        if self.plans:
            why = new_outcome(look) if look is not None else recompile_of(self.plans, args, kwargs)
            self._history.recompiled(why, self.calls, self.name)
        if found.problems:
            plan = PythonPlan(found, found.problems, final=True)
            self._remember(plan)
            if strict:
                raise self._broken(found.problems)
            return self._as_python(plan, plan.walk, args, kwargs)
        recording = Recording(self._graph_name, checks=True, repeated=False)
        recording.of_call = True
        recording.caller = sys._getframe().f_code
        recording.lasting = self._history.misses <= PATIENCE
        for handle in sharing_memory([handle for _, handle in found.arrays.values()]):
            recording.expose(handle)
        watch = Watch(found.home)
        before = configuration()
        found.stand_ins.install()
        try:
            with recording, watch:
                result = self.__dopegraph_function__(*found.args, **found.kwargs)
        except BaseException as error:
            # What Python did so far stays done, as it would without us.
            if isinstance(error, Exception) and not any(
                isinstance(p, ReplayPlan) and p.is_of(found) for p in self.plans
            ):
                raised = Escape("raised", f"{type(error).__name__} was raised", raised_at(error), len(recording.looks))
                self._keep(found, recording, None, [*recording.escapes, *watch.effects, raised], tree)
            settle(found, recording, None)
            if outlives_its_call(recording):
                leave_open(recording)
            raise
        recording.returned()
        escapes = [*recording.escapes, *watch.effects, *unknown_code(found, watch, len(recording.looks))]
        if configuration() != before:
            detail = "policy, default dtype, device or training mode is changed"
            escapes.append(Escape("side-effect", detail, None, len(recording.looks)))
        stays_open = outlives_its_call(recording)
        if stays_open:
            escapes.append(dataclasses.replace(LEFT, location=recording.tape.where, looks=len(recording.looks)))
        if self.fullgraph:
            escapes = [*(look.escape for look in recording.looks), *escapes]
        if recording.gave_up:
            self._gave_up = True
            end: Outcome = AsPython(escapes)
        else:
            end = self._keep(found, recording, result, escapes, tree)
        result = settle(found, recording, result)
        if stays_open:
            leave_open(recording)
        if strict and end.escapes:
            raise self._broken(end.escapes)
        return result, end, end.escapes

    def _keep(
        self, found: Walk, recording: Recording, result: Any, escapes: list[Escape], tree: TreePlan | None
    ) -> Outcome:
        """Make a plan of a recording, or a way of a tree, and remember it."""
        final = True
        if not escapes:
            try:
                capture(found, recording)
                if not recording.looks and tree is None:
                    plan = make_plan(found, recording, result)
                    plan.taped = recording.tape.used
                    self._remember(plan)
                    return plan
                return self._grow(found, recording, lay_out(found, recording, result), tree)
            except Unreplayable as cause:
                final = not self._follows(cause, found) and any(
                    isinstance(one, PythonPlan) and not one.final for one in self.plans
                )
                escapes = [Escape(cause.reason, str(cause), here(), len(recording.looks))]
            except _VALUE_ERRORS as cause:
                escapes = [_error(cause, len(recording.looks))]
        looks = min(escape.looks for escape in escapes)
        # A tree hangs on all of the state, which such a call may change every time; without a way that can be replayed
        # it is of no use.
        if tree is not None or (looks and all(escape.reason in PASSING for escape in escapes)):
            try:
                capture(found, recording)
                return self._grow(found, recording, AsPython(escapes, final), tree, looks)
            except Unreplayable as cause:
                # What a first call only set up (parameters that learn their shapes) may be replayed the next time.
                final = any(isinstance(one, PythonPlan) and not one.final for one in self.plans)
                escapes = [Escape(cause.reason, str(cause), here())]
                self.plans = [plan for plan in self.plans if plan is not tree]
        as_python = PythonPlan(found, escapes, final, tuple([look.outcome for look in recording.looks[:looks]]))
        for plan in self.plans:
            if isinstance(plan, PythonPlan) and not plan.final:
                as_python.retried = plan.retried
        self._remember(as_python)
        return as_python

    def _follows(self, cause: Unreplayable, found: Walk) -> bool:
        """Whether numbers that a call changed, counters, will have stand-ins in the next recording."""
        if not cause.counts:
            return False
        changed = [(place, key, old, new) for place in found.places for key, old, new in place.changes()]
        count = len(self._moving)
        for place, key, old, new in changed:
            if type(old) in NUMBERS and type(new) in NUMBERS:
                self._moving[id(place.holder), key] = place.holder
        return len(self._moving) > count

    def _grow(
        self,
        found: Walk,
        recording: Recording,
        end: tuple[Layout, Placement] | AsPython,
        tree: TreePlan | None,
        looks: int | None = None,
    ) -> Outcome:
        """Add a way to the tree of its situation."""
        if tree is None or not tree.is_of(found):
            tree = TreePlan(found, self.cache_size)
        tree.taped |= recording.tape.used
        added = tree.add(Way(found, recording, recording.looks[:looks]), end)
        self._remember(tree)
        return added

    def _remember(self, plan: Plan) -> None:
        plans = [one for one in self.plans if one is not plan and (not isinstance(one, PythonPlan) or one.final)]
        kept = [plan, *plans][: self.cache_size]
        self._history.forgotten += sum(
            one.calls for one in self.plans if not isinstance(one, PythonPlan) and one not in kept
        )
        self.plans = kept
        if len(plans) >= self.cache_size:
            self._history.overflowed(self.name, self.cache_size)


def _error(cause: Exception, looks: int = 0) -> Escape:
    return Escape("error", str(cause).partition("\n")[0], here() if looks else None, looks)


def _nothing() -> None:
    pass
