"""The plan of a function whose Python looks at values: segments with a branch for each outcome that was seen.

A replay runs a segment, looks at what it computed as Python would, and takes the branch of that outcome, until it comes
to a result. An outcome that was never seen is recorded, from the start; nothing was written yet.
"""

from __future__ import annotations

import itertools
import math
import re
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Union

from dopegraph.array import ndarray
from dopegraph.backends import Fallback, Program
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import TensorType
from dopegraph.numpy import random
from dopegraph.runtime.buffer import Buffer
from dopegraph.state.guards import is_view
from dopegraph.state.walk import Walk
from dopegraph.trace.active import suspended
from dopegraph.trace.look import Escape, Look
from dopegraph.trace.programs import boundary
from dopegraph.transform.placement import Placement, Unreplayable
from dopegraph.transform.plan import SHARED, AsPython, overlaps_another
from dopegraph.transform.results import Layout
from dopegraph.transform.straight import never
from dopegraph.transform.way import Segment, Way

# A look with more outcomes is not worth a branch for each: others than these run as Python.
MOST_OUTCOMES = 16


class Result:
    """The end of a way that can be replayed: how its results are computed and put where they belong.

    Attributes
    ----------
    segments : list of Segment
        All of the way; the last one computes the results.
    looks : list of Look
    used : int
        When it was, for the last time.
    """

    escapes: tuple[Escape, ...] = ()

    def __init__(
        self, layout: Layout, placement: Placement, plan: TreePlan, way: Way, segments: Sequence[Segment]
    ) -> None:
        self.segments = segments
        self.looks = list(way.looks)
        self.used = 0
        position = plan.position
        self._results = [way.numbers[value] for value in layout.results]
        self._outputs = len(layout.outputs)
        self._arrays = [position(variable) for variable in layout.variables]
        self._updated = [place for place, _ in layout.updates]
        self._views = [(position(view), position(root), steps) for view, root, steps in layout.views]
        self._targets = [position(variable) for variable in placement.targets]
        self._floats = [plan.function(expression, {}) for expression in layout.floats(placement)]
        self._finish = placement.function()
        # Nobody else may hold a result's memory: an input's, or that of the same result once more, is copied.
        seen: set[int] = set()
        self._copied = set()
        for place, number in enumerate(self._results):
            if number < 0 or number in seen:
                self._copied.add(place)
            seen.add(number)

    @property
    def programs(self) -> list[Program]:
        """What runs, in order."""
        return [segment.program for segment in self.segments if segment.program is not None]

    @property
    def fallbacks(self) -> list[Fallback]:
        return [fallback for program in dict.fromkeys(self.programs) for fallback in program.fallbacks]

    def constants(self) -> Iterator[tuple[int, Buffer]]:
        """Captured arrays."""
        for segment in self.segments:
            for number, source in segment.loads:
                if "CONSTANT" in source.constants:
                    yield number, source.constants["CONSTANT"]

    def fits(self, variables: list[Any]) -> bool:
        """Whether no array is there twice, and writing to one is not seen by another."""
        arrays = [variables[place] for place in self._arrays]
        if len({id(handle) for handle in arrays}) != len(arrays):
            return False
        if not all(is_view(variables[view], variables[root], steps) for view, root, steps in self._views):
            return False
        return not any(arrays[at]._shared and overlaps_another(arrays[at], arrays) for at in self._updated)

    def finish(self, slots: dict[int, Buffer], variables: list[Any]) -> Any:
        """What the function would have returned; the state is as it would have left it."""
        self.segments[-1].run(slots, variables)
        results = [
            slots[number].copy() if place in self._copied else slots[number]
            for place, number in enumerate(self._results)
        ]
        arrays = [variables[place] for place in self._arrays]
        floats = [number(variables) for number in self._floats]
        if suspended():
            for at in self._updated:
                arrays[at]._about_to_change()
        for at, new in zip(self._updated, results[self._outputs :]):
            write(arrays[at], new)
        return self._finish(results, arrays, [variables[place] for place in self._targets], floats)


def write(handle: ndarray, new: Buffer) -> None:
    """New contents: into the same memory when others see it."""
    old = handle._buffer
    assert old is not None
    if handle._shared and (old.device.is_host or handle._foreign):
        old.overwrite(new)
    else:
        handle._buffer = new


End = Union[Result, AsPython]


class Step:
    """A look, the segment that computes what is looked at, and a branch for each outcome.

    Attributes
    ----------
    structure : Any
        What was recorded since the last look, and this one; equal for equal recordings.
    outputs : set of int
        What the segment hands on, beside what is looked at.
    """

    def __init__(self, way: Way, look: Look, structure: Any, number: Callable[[list[Any]], Any] | None) -> None:
        self.look = look
        self.structure = structure
        self.outputs: set[int] = set()
        self.segment: Segment | None = None
        self.branches: dict[Hashable, Step | End] = {}
        self._number = number
        self._looked = [way.numbers[value] for value in look.values]
        self._results = [way.numbers[value] for value in look.results]

    def outcome(self, slots: dict[int, Buffer], variables: list[Any]) -> Hashable:
        """What Python would see now."""
        if self._number is not None:
            return self.look.read(self._number(variables))
        arrays = [slots[number].array for number in self._looked]
        if not self.look.results:
            return self.look.read(*arrays)
        made = [Buffer(array) for array in self.look.read(*arrays)]
        slots.update(zip(self._results, made))
        return tuple([TensorType(buffer.dtype, buffer.shape) for buffer in made])


class TreePlan:
    """All ways through a function that were recorded in one situation.

    Attributes
    ----------
    match : callable
        From a call's arguments to the variables that ways use, or the number of the guard that failed.
    calls : int
        How often a way was replayed to its end.
    again : bool
        Whether a call that ran as Python may be replayed the next time, once it is recorded.
    taped : bool
        Whether the function has `record` or `backward` in it, which may go on with what was recorded outside.
    """

    def __init__(self, walk: Walk, size: int) -> None:
        self.walk = walk
        self.size = size
        self.calls = 0
        self.again = False
        self.taped = False
        self._variables: dict[str, int] = {}
        self._root: Step | End | None = None
        self._clock = itertools.count(1)
        self._lock = threading.RLock()
        self.replay = never
        self._compile()

    def _compile(self) -> None:
        names = f"[{', '.join(self._variables)}]"
        guards = self.walk.guards
        guards.constants["STATE"] = random.STATE
        self.match = guards.compile(guards.text, names, len(self.walk.args), tuple(self.walk.kwargs))

    def is_of(self, walk: Walk) -> bool:
        """Whether another walk came to the same guards, so that ways that were recorded with it belong here."""
        return walk.guards.text == self.walk.guards.text

    def position(self, variable: str) -> int:
        """Where a variable of the guards is among those that ``match`` gives."""
        return self._variables.setdefault(variable, len(self._variables))

    def function(self, expression: str, constants: dict[str, Any]) -> Callable[[list[Any]], Any]:
        """A function of those variables that evaluates an expression."""
        text = re.sub(r"\bv\d+\b", lambda found: f"variables[{self.position(found.group())}]", expression)
        made: Callable[[list[Any]], Any] = eval(f"lambda variables: {text}", dict(constants))
        return made

    # What it holds -----------------------------------------------------------------------------------------------

    def ends(self) -> list[End]:
        """Where its ways end."""
        return [end for _, _, end in self._branches() if not isinstance(end, Step)]

    @property
    def replays(self) -> bool:
        """Whether any way can be replayed."""
        return any(isinstance(end, Result) for end in self.ends())

    @property
    def programs(self) -> list[Program]:
        """What runs in all of its ways."""
        return list(dict.fromkeys(one for end in self.ends() for one in end.programs))

    @property
    def fallbacks(self) -> list[Fallback]:
        return [fallback for program in self.programs for fallback in program.fallbacks]

    @property
    def escapes(self) -> list[Escape]:
        """Why some of its ways run as Python."""
        return [escape for end in self.ends() for escape in end.escapes]

    @property
    def nbytes(self) -> int:
        """Bytes of captured constants."""
        held = {number: one for end in self.ends() if isinstance(end, Result) for number, one in end.constants()}
        return sum(math.prod(one.shape) * one.dtype.itemsize for one in held.values())

    def _branches(self) -> Iterator[tuple[Step | None, Hashable, Step | End]]:
        waiting: list[tuple[Step | None, Hashable, Step | End]] = []
        if self._root is not None:
            waiting.append((None, None, self._root))
        while waiting:
            branch = waiting.pop()
            yield branch
            step = branch[2]
            if isinstance(step, Step):
                waiting.extend((step, outcome, one) for outcome, one in reversed(step.branches.items()))

    # Replaying ---------------------------------------------------------------------------------------------------

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], variables: list[Any]) -> tuple[End | None, Any]:
        """The end that the call comes to, and what it returns there if that is a result.

        If its way is new: None, and the look that saw something for the first time.
        """
        with self._lock:
            if len(variables) != len(self._variables):  # another thread recorded a way meanwhile
                variables = self.match(args, kwargs)
                if type(variables) is int:
                    return None, None
            slots: dict[int, Buffer] = {}
            at = self._root
            while isinstance(at, Step):
                assert at.segment is not None
                at.segment.run(slots, variables)
                found = at.branches.get(at.outcome(slots, variables))
                if found is None:
                    return (_too_many(at.look), None) if len(at.branches) >= MOST_OUTCOMES else (None, at.look)
                at = found
            if not isinstance(at, Result):
                return at, None
            if not at.fits(variables):
                return AsPython([SHARED]), None
            result = at.finish(slots, variables)
            self.calls += 1
            at.used = next(self._clock)
            return at, result

    # Recording ---------------------------------------------------------------------------------------------------

    def add(self, way: Way, end: tuple[Layout, Placement] | AsPython) -> End:
        """Take in a way that was recorded, with its results or with why there are none.

        Raises
        ------
        Unreplayable
            When an input cannot be found again, or when the way is not like others up to the point where it saw
            something else: it hangs on what no guard sees.
        """
        with self._lock:
            size = len(self._variables)
            try:
                return self._add(way, end)
            finally:
                if len(self._variables) != size:
                    self._compile()

    def _add(self, way: Way, end: tuple[Layout, Placement] | AsPython) -> End:
        steps = self._steps(way)
        computed: dict[Value, Step] = {}
        outputs = {step: set(step.outputs) for step in steps}
        parts: list[list[Node]] = []
        for step, look in zip(steps, way.looks):
            nodes = way.needed(look.values, computed, look.nodes)
            _hand_on(way, nodes, look.values, computed, outputs)
            computed.update((value, step) for node in nodes if node.inputs for value in node.outputs)
            parts.append(nodes)
        last: list[Node] = []
        if not isinstance(end, AsPython):
            last = way.needed(end[0].results, computed)
            _hand_on(way, last, end[0].results, computed, outputs)
        segments = []
        for step, look, nodes in zip(steps, way.looks, parts):
            segment = step.segment
            if segment is None or outputs[step] != step.outputs:
                handed_on = [way.values[number] for number in sorted(outputs[step])]
                segment = way.segment(nodes, [*dict.fromkeys(look.values), *handed_on]).link(self.function)
            segments.append(segment)
        found: End = end if isinstance(end, AsPython) else self._result(way, *end, segments, last)
        found.used = next(self._clock)
        self._put(steps, segments, outputs, way, found)
        return found

    def _result(
        self, way: Way, layout: Layout, placement: Placement, segments: list[Segment], nodes: list[Node]
    ) -> Result:
        """The end of a way, computed for the recorded call."""
        segment = way.segment(nodes, list(dict.fromkeys(layout.results))).link(self.function)
        way.compute([*segments, segment])
        return Result(layout, placement, self, way, [*segments, segment])

    def _steps(self, way: Way) -> list[Step]:
        """The steps of a way: those that are there, then new ones."""
        steps = []
        at = self._root
        for index, look in enumerate(way.looks):
            structure = way.structure(index)
            if not isinstance(at, Step):
                if isinstance(at, Result):
                    raise _unstable(look.escape)
                number = None if look.expression is None else self.function(way.number_of(look), {})
                at = Step(way, look, structure, number)
            elif at.structure != structure:
                raise _unstable(look.escape)
            steps.append(at)
            at = at.branches.get(look.outcome)
        if isinstance(at, Step):
            raise _unstable(at.look.escape)
        return steps

    def _put(
        self, steps: list[Step], segments: list[Segment], outputs: dict[Step, set[int]], way: Way, end: End
    ) -> None:
        """Make a way that is complete part of the tree."""
        following: list[Step | End] = [*steps[1:], end]
        self._root = steps[0] if steps else end
        for step, segment, look, after in zip(steps, segments, way.looks, following):
            step.segment, step.outputs = segment, outputs[step]
            step.branches[look.outcome] = after
        while len(self.ends()) > self.size:
            self._forget()

    def _forget(self) -> None:
        """Forget the way that was not used for the longest time, and what only it needed."""
        parents = {id(below): (step, outcome) for step, outcome, below in self._branches() if step is not None}
        gone: Step | End = min(self.ends(), key=lambda end: end.used)
        while id(gone) in parents:
            step, outcome = parents[id(gone)]
            del step.branches[outcome]
            if step.branches:
                break
            gone = step


def _hand_on(
    way: Way, nodes: Sequence[Node], values: Sequence[Value], computed: dict[Value, Step], outputs: dict[Step, set[int]]
) -> None:
    """Note what a segment reads that earlier ones computed: they have to hand it on."""
    for value in boundary(nodes, values):
        step = computed.get(value)
        if step is not None and value not in step.look.values:
            outputs[step].add(way.numbers[value])


def _too_many(look: Look) -> AsPython:
    detail = f"{look.escape.detail} had more than {MOST_OUTCOMES} outcomes"
    return AsPython([Escape("many-outcomes", detail, look.escape.location)])


def _unstable(escape: Escape) -> Unreplayable:
    where = f" before {escape.location}" if escape.location is not None else ""
    return Unreplayable("unstable", f"the function did something else{where}, although nothing that is guarded changed")
