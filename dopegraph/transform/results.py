"""The end of a recording: it becomes a program, with the Python that feeds it and places its results."""

from __future__ import annotations

import gc
import re
import types
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.backends import Program
from dopegraph.ir.graph import Value, needed_nodes
from dopegraph.numpy import random
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import current_device
from dopegraph.runtime.location import Location
from dopegraph.state.effects import Watch
from dopegraph.state.standins import without_floats
from dopegraph.state.walk import Walk, unchanged_since
from dopegraph.trace.look import Escape
from dopegraph.trace.programs import boundary, programs
from dopegraph.trace.recording import Recording
from dopegraph.transform.checks import all_checked
from dopegraph.transform.direct_call import Inputs
from dopegraph.transform.placement import Placement, Unreplayable
from dopegraph.transform.plan import ReplayPlan
from dopegraph.transform.straight import Replay, straight


def make_plan(walk: Walk, recording: Recording, result: Any) -> ReplayPlan:
    """The plan that replays a recording; the program is run for the recorded call as well."""
    layout, placement = lay_out(walk, recording, result)
    layout.arrange()
    program = layout.compile(len(placement.outputs))
    if not recording.host_calls:  # functions of the user's own have run once; that is enough
        recording.known.update(zip(layout.results, program.run([recording.known[value] for value in layout.inputs])))
    return layout.plan(program, placement)


def lay_out(walk: Walk, recording: Recording, result: Any) -> tuple[Layout, Placement]:
    """What goes into the program of a recording and where its results go; nothing is compiled or run."""
    layout = Layout(walk, recording)
    placement = Placement(walk, layout.position, recording.readings)
    placement.place(result)
    _check_leaks(recording, placement)
    changed = unchanged_since(walk)
    if changed is not None:
        raise Unreplayable("python-state", f"the contents of the NumPy array {changed} are changed")
    # Errors are results, too, even when the value is not used.
    nodes = recording.builder.nodes
    unused = [node.outputs[0] for node in nodes if node.op.raises and node not in recording.again]
    layout.outputs = [*placement.outputs, *unused]
    layout.results = [*layout.outputs, *(new for _, new in layout.updates)]
    return layout, placement


# Bytes of a NumPy array whose comparison takes no longer than what is done with it.
COMPARED = 1 << 20


def settle(walk: Walk, recording: Recording, result: Any) -> Any:
    """Evaluate what is left and remove all stand-ins; the function's result as Python would have returned it."""
    try:
        recording.finish()
    except BaseException:
        recording.abandon()
        raise
    finally:
        walk.stand_ins.remove()
        if walk.floats:
            for place in walk.places:
                for key, _, value in list(place.changes()):
                    plain = without_floats(value)
                    if plain is not value:
                        place.put(key, plain)
            result = without_floats(result)
    return result


def unknown_code(found: Walk, watch: Watch, looks: int = 0) -> list[Escape]:
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
            looks,
        )
        for code in unknown
    ]


def capture(walk: Walk, recording: Recording) -> None:
    """NumPy's own arrays that the function only reads are constants: guards compare what they hold at every call."""
    for handle, value in list(recording.lifted.values()):
        if value.node is not None or id(handle) in walk.arrays or id(handle) in recording.mutated:
            continue
        if handle._foreign and _is_compared(walk, handle):
            recording.captured.add(value)
            del recording.lifted[id(handle)]


def _is_compared(walk: Walk, handle: ndarray) -> bool:
    """Whether an array is NumPy's memory, or part of it, that is compared with what it held; large ones are refused."""
    low, high = _bounds(handle._settled().array)
    for path, array, copy in walk.contents:
        first, last = _bounds(array)
        # All that lies between the first and the last element is compared where there are no gaps.
        if first <= low < high <= last and last - first == copy.nbytes:
            if copy.nbytes > COMPARED:
                message = f"the NumPy array {path} has {copy.nbytes} bytes, too many to compare in every call"
                raise Unreplayable("unguarded-state", f"{message}: make it an array, np.array({path})")
            return True
    return False


def _bounds(array: Any) -> tuple[int, int]:
    """The addresses of the first byte of an array, and of the first after it."""
    low = high = array.__array_interface__["data"][0]
    for length, stride in zip(array.shape, array.strides):
        low, high = low + min(0, (length - 1) * stride), high + max(0, (length - 1) * stride)
    return low, high + (array.itemsize if array.size else 0)


class Layout:
    """The order of a program's inputs: arrays among the arguments, scalars, captured constants, state.

    Attributes
    ----------
    variables : list of str
        What the guards call the arrays that were lifted.
    position : dict of int to int
        The place of an array among them, by id.
    updates : list of (int, Value)
        The arrays that are written, with their new values.
    outputs, results : list of Value
        What is to be computed, without and with the new values of arrays that are written.
    views : list of (str, str, steps)
        Arrays that must be the same parts of arrays that are written, by what the guards call them.
    """

    def __init__(self, walk: Walk, recording: Recording) -> None:
        self.walk = walk
        self.recording = recording
        self.variables: list[str] = []
        self.position: dict[int, int] = {}
        self._values: list[Value] = []
        for handle, value in recording.lifted.values():
            self._lifted(handle, value)
        self.updates: list[tuple[int, Value]] = []
        self.outputs: list[Value] = []
        self.results: list[Value] = []
        self.views: list[tuple[str, str, list[Any]]] = []
        for handle in recording.mutated.values():
            if handle._base is not None:
                raise Unreplayable("aliased-write", "a view that the function was given is written to")
            self.updates.append((self.position[id(handle)], handle._value))
        for variable, view in list(walk.arrays.values()):
            root = view._root()
            if view is not root and id(root) in recording.mutated:
                self.views.append((variable, self.variables[self.position[id(root)]], view._view()[1]))

    def _lifted(self, handle: ndarray, value: Value) -> None:
        """An array that was there before must be found again at every call."""
        if value.node is not None:
            raise Unreplayable("aliased-write", f"an array {handle._type} was written to and then looked at")
        if id(handle) in self.walk.arrays:
            variable, _ = self.walk.arrays[id(handle)]
        elif handle is random.STATE:
            variable = "STATE"
        elif any(view._root() is handle for _, view in self.walk.arrays.values()):
            raise Unreplayable("aliased-write", f"an array {handle._type} is written or read through a view of it")
        else:
            raise Unreplayable(
                "unguarded-state", f"an array {handle._type} is reached in a way that cannot be followed"
            )
        value.name = value.name or self.walk.paths.get(variable, "rng")
        self.position[id(handle)] = len(self._values)
        self._values.append(value)
        self.variables.append(variable)

    def arrange(self) -> None:
        """Keep the inputs that one program needs to compute outputs and updates, and put them in order."""
        recording = self.recording
        self._nodes = needed_nodes(recording.builder.nodes, self.results)
        read = {value for node in self._nodes for value in node.inputs} | set(self.results)
        read |= {self._values[position] for position, _ in self.updates}
        kept = [(key, position) for key, position in self.position.items() if self._values[position] in read]
        self.arguments = [position for key, position in kept if key in self.walk.arguments]
        self.state = [position for key, position in kept if key not in self.walk.arguments]
        self.scalars = [(key, value) for key, value in recording.scalars.items() if value in read]
        self.captured = [value for value in recording.known if value in recording.captured and value in read]
        self.inputs = [
            *(self._values[position] for position in self.arguments),
            *(value for _, value in self.scalars),
            *self.captured,
            *(self._values[position] for position in self.state),
        ]
        if not set(boundary(self._nodes, self.results)) <= set(self.inputs):
            raise Unreplayable("aliased-write", "the memory of an array was written to by others")

    def compile(self, returned: int) -> Program:
        """The program.

        Its first outputs, so many, are what the function returns; the others may raise errors. Those that are computed
        anyway are no results, unless a rewrite of the graph found a way without them.
        """
        rest = self.outputs[returned:]
        changed = [new for _, new in self.updates]
        computed = set(needed_nodes(self._nodes, [*self.outputs[:returned], *changed])) if rest else set()
        unread = [value for value in rest if value.node not in computed]
        if len(unread) < len(rest):
            outputs = [*self.outputs[:returned], *unread]
            program = self._program(outputs)
            if all_checked(self._nodes, program.graph):
                self.outputs, self.results = outputs, [*outputs, *changed]
                return program
        return self._program(self.outputs)

    def _program(self, outputs: list[Value]) -> Program:
        return programs.get(
            self.recording.name,
            self._nodes,
            self.inputs,
            outputs,
            [(self._values[position], new) for position, new in self.updates],
            self.recording.device or current_device(),
            state=len(self.state),
            lasting=self.recording.lasting,
        )[1]

    def floats(self, placement: Placement) -> list[str]:
        """The Python for floats that are returned, in the guards' variables."""
        names = {f"a{index}": variable for index, variable in enumerate(self.walk.floats)}
        return [with_names(expression, names) for expression in placement.floats]

    def plan(self, program: Program, placement: Placement) -> ReplayPlan:
        """The plan: ``match`` finds arrays, scalars and places, ``finish`` makes the result."""
        guards = self.walk.guards
        guards.constants.update(asarray=numpy.asarray, STATE=random.STATE)
        for variable, root, steps in self.views:
            guards.view_of(variable, root, steps, self.walk.paths[variable])
        guards.all_different()
        names = {f"a{index}": variable for index, variable in enumerate(self.walk.floats)}
        numbers = [(with_names(expression, names), dtype) for (expression, dtype), _ in self.scalars]
        scalars = [f"asarray({expression}, {guards.constant(dtype)})" for expression, dtype in numbers]
        floats = self.floats(placement)
        constants = [self.recording.known[value] for value in self.captured]
        parts = [f"[{', '.join(part)}]" for part in (self.variables, scalars, placement.targets, floats)]
        match = guards.compile(
            [*guards.signature, *guards.state],
            f"({', '.join(parts)})",
            len(self.walk.args),
            tuple(self.walk.kwargs),
        )
        plan = ReplayPlan(
            self.walk,
            program,
            match,
            placement.function(),
            constants=constants,
            arguments=self.arguments,
            state=self.state,
            updated=[position for position, _ in self.updates],
            outputs=len(self.outputs),
        )
        plan.replay = self._straight(plan, placement, numbers, floats, constants)
        plan.lines = [node.location for node in self._nodes]
        return plan

    def _straight(
        self,
        plan: ReplayPlan,
        placement: Placement,
        scalars: list[tuple[str, Any]],
        floats: list[str],
        constants: list[Buffer],
    ) -> Replay:
        guards = self.walk.guards
        buffers = [guards.buffers.get(variable, f"{variable}._settled()") for variable in self.variables]
        return straight(
            guards,
            plan.program,
            Inputs(
                [buffers[position] for position in self.arguments],
                scalars,
                constants,
                [buffers[position] for position in self.state],
                [(self.variables[position], buffers[position]) for position, _ in self.updates],
            ),
            {"arrays": self.variables, "targets": placement.targets, "floats": floats},
            placement.lines,
            placement.constants,
            plan.lock,
            plan.spare,
            plan.kept,
        )


def _check_leaks(recording: Recording, placement: Placement) -> None:
    """Every traced array that is alive must be one that a replay makes."""
    for attempt in range(2):
        leaked = [handle for handle in recording.live_handles() if id(handle) not in placement.placed]
        if not leaked:
            return
        if attempt == 0:
            del leaked
            gc.collect()
    raise Unreplayable("stored-array", "an array was stored where no replay can put it")


def with_names(expression: str, names: dict[str, str]) -> str:
    """An expression of float arguments with what the guards call them."""
    return re.sub(r"\ba\d+\b", lambda match: names[match.group()], expression)
