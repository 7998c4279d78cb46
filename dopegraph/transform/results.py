"""The end of a recording: what the function returned and rebound becomes results of the graph and the Python that places them."""

from __future__ import annotations

import gc
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.ir.graph import Value, needed_nodes
from dopegraph.numpy import random
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import current_device
from dopegraph.trace.programs import programs
from dopegraph.trace.recording import Escape, Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.state import MISSING, Container, Walk, unchanged_since
from dopegraph.trace.tree import children_of, flatten
from dopegraph.transform.plan import PythonPlan, ReplayPlan, compile_guards

_CONSTANT = (int, float, complex, str, bytes, bool, type(None), numpy.dtype, type, type(...), numpy.generic)


class Unreplayable(Exception):
    """A result or side effect that no program can produce."""


def make_plan(
    walk: Walk, recording: Recording, result: Any, escapes: list[Escape]
) -> tuple[PythonPlan | ReplayPlan, Any]:
    """The plan of a recording, and the function's result with everything evaluated."""
    writer = None
    if not escapes:
        writer = _Writer(walk, recording)
        writer.result(result)
    program = writer.compile() if writer is not None else None
    used = [program] if program is not None else []
    if writer is not None and program is not None:
        recording.known.update(writer.evaluate(program))
    for container in walk.containers:
        _settle_floats(container)
    recording.finish()
    result = _plain_floats(result)
    if writer is None or program is None:
        return PythonPlan(walk, escapes, used), result
    return writer.plan(program), result


class _Writer:
    """Decides for every traced array that is left how a replay makes it, and writes the Python for it."""

    def __init__(self, walk: Walk, recording: Recording) -> None:
        self.walk = walk
        self.recording = recording
        self.inputs: list[Value] = []
        self.input_of: dict[int, int] = {}
        self.variables: list[str] = []
        self.outputs: list[Value] = []
        self.output_of: dict[int, int] = {}
        self.lines: list[str] = []
        self.targets: list[str] = []
        self.constants: dict[str, Any] = {}
        self.placed: list[ndarray] = []
        for handle, value in recording.lifted.values():
            self._input(handle, value)
        self.updates = self._updates()

    def _input(self, handle: ndarray, value: Value) -> None:
        """An array that was there before must be found again at every call."""
        place = self.walk.arrays.get(id(handle))
        if place is not None:
            variable = place[0]
        elif handle is random.STATE:
            variable = self.walk.constant(handle)
        else:
            raise Unreplayable(f"an array {handle._type} is reached in a way that cannot be followed")
        value.name = value.name or _label(variable, self.walk)
        self.input_of[id(handle)] = len(self.inputs)
        self.inputs.append(value)
        self.variables.append(variable)

    def _updates(self) -> list[tuple[int, Value]]:
        found = []
        for handle in self.recording.mutated.values():
            if handle._base is not None:
                raise Unreplayable("a view that the function was given is written to")
            found.append((self.input_of[id(handle)], handle._value))
        return found

    # Results -----------------------------------------------------------------------------------------------------

    def result(self, result: Any) -> None:
        """Describe the returned value and everything that was stored somewhere."""
        stores = [store for container in self.walk.containers for store in self._stores(container)]
        returned = self.expression(result)
        for target, source in stores:
            self.lines.append(f"{target} = {source}")
        self.lines.append(f"return {returned}")
        self._check_leaks()
        self._check_numpy()

    def _stores(self, container: Container) -> list[tuple[str, str]]:
        now = container.now()
        if container.kind in ("list", "dict") and list(now)[: len(container.before)] != list(container.before):
            raise Unreplayable(f"{container.path} has other entries than before")
        found = []
        for key, value in now.items():
            old = container.before.get(key, MISSING)
            if value is old:
                continue
            if container.kind == "list" and old is MISSING:
                raise Unreplayable(f"{container.path} grows with every call")
            if value is MISSING or not _holds_arrays(value):
                raise Unreplayable(f"{container.path} is changed by every call ({key!r})")
            target = container.store(self._target(container.variable), key)
            found.append((target, self.expression(value)))
        return found

    def _target(self, variable: str) -> str:
        if variable not in self.targets:
            self.targets.append(variable)
        return f"targets[{self.targets.index(variable)}]"

    def expression(self, value: Any) -> str:
        """Python that makes a value of the results."""
        if isinstance(value, ndarray):
            return self._array(value)
        if isinstance(value, DynamicFloat):
            return f"floats[{self._float(value)}]"
        for container in self.walk.containers:
            if container.holder is value or (container.original is not None and container.original is value):
                return self._target(container.variable)
        found = children_of(value)
        if found is not None:
            parts, _, _ = found
            _, structure = flatten(value)
            leaves = [leaf for _, leaf in flatten(value)[0]]
            if any(id(part) in {id(one.holder) for one in self.walk.containers} for part in parts):
                raise Unreplayable("the result contains a container that the function was given")
            return f"{self._constant(structure)}.build([{', '.join(self.expression(leaf) for leaf in leaves)}])"
        if isinstance(value, _CONSTANT):
            return self._constant(value)
        if id(value) in self.walk.seen:
            return self._target(self.walk.seen[id(value)])
        raise Unreplayable(f"the result contains a {type(value).__name__}")

    def _constant(self, value: Any) -> str:
        name = f"R{len(self.constants)}"
        self.constants[name] = value
        return name

    def _float(self, value: DynamicFloat) -> int:
        self.float_expressions = getattr(self, "float_expressions", [])
        self.float_expressions.append(value.expression)
        return len(self.float_expressions) - 1

    def _array(self, handle: ndarray) -> str:
        self.placed.append(handle)
        if id(handle) in self.input_of:
            return f"arrays[{self.input_of[id(handle)]}]"
        place = self.walk.arrays.get(id(handle))
        if place is not None:  # given, returned, and never computed with
            return self._target(place[0])
        if handle._recording is None and handle._base is None:
            raise Unreplayable("an array was computed outside the recording")
        if handle._base is not None and handle._buffer is None:
            return self._view(handle)
        return self._output(handle)

    def _view(self, handle: ndarray) -> str:
        """A view of an array that is there after the call must stay a view of it."""
        root = handle._root()
        steps = []
        one = handle
        while one._base is not None:
            steps.insert(0, one._steps)
            one = one._base
        source = self._array(root)
        return f"{self._constant(_view_of)}({source}, {self._constant(tuple(steps))})"

    def _output(self, handle: ndarray) -> str:
        if id(handle) not in self.output_of:
            self.output_of[id(handle)] = len(self.outputs)
            value = handle._value
            assert value is not None
            self.lines.insert(0, f"h{len(self.outputs)} = ndarray(results[{len(self.outputs)}])")
            self.outputs.append(value)
        return f"h{self.output_of[id(handle)]}"

    def _check_leaks(self) -> None:
        """Every traced array that is alive must be one that a replay makes."""
        known = {id(handle) for handle in self.placed} | set(self.input_of)
        for attempt in range(2):
            leaked = [handle for handle in self.recording.live_handles() if id(handle) not in known]
            if not leaked:
                return
            if attempt == 0:
                del leaked
                gc.collect()
        raise Unreplayable("an array was stored where no replay can put it")

    def _check_numpy(self) -> None:
        changed = unchanged_since(self.walk)
        if changed is not None:
            raise Unreplayable(f"the contents of the NumPy array {changed} are changed")

    # The program --------------------------------------------------------------------------------------------------

    def compile(self) -> Any:
        """The program: arrays, then scalars, then captured constants come in; outputs, then updates go out."""
        recording = self.recording
        results = [*self.outputs, *(new for _, new in self.updates)]
        needed = needed_nodes(recording.builder.nodes, results)
        read = {value for node in needed for value in node.inputs} | set(results)
        read |= {self.inputs[position] for position, _ in self.updates}
        arguments = {id(handle) for handle in _argument_arrays(self.walk)}
        handles = {position: key for key, position in self.input_of.items()}
        # Arrays that are only passed through are no inputs of the program.
        kept = [position for position, value in enumerate(self.inputs) if value in read]
        order = sorted(kept, key=lambda position: handles[position] not in arguments)
        self.program_inputs = order
        self.scalars = [(key, value) for key, value in recording.scalars.items() if value in read]
        self.captured = [value for value in recording.known if value in recording.captured and value in read]
        split = sum(handles[position] in arguments for position in order)
        values = [self.inputs[position] for position in order]
        front = [value for _, value in self.scalars] + self.captured
        inputs = values[:split] + front + values[split:]
        self.argument_count = split
        return programs.get(
            recording.name,
            needed,
            inputs,
            self.outputs,
            [(self.inputs[position], new) for position, new in self.updates],
            recording.device or current_device(),
            state=len(values) - split,
        )

    def evaluate(self, program: Any) -> dict[Value, Buffer]:
        """Run the program for the recorded call itself."""
        known = self.recording.known
        values = [self.inputs[position] for position in self.program_inputs]
        front = [value for _, value in self.scalars] + self.captured
        inputs = values[: self.argument_count] + front + values[self.argument_count :]
        results = [*self.outputs, *(new for _, new in self.updates)]
        if all(value in known for value in results):
            return {}
        return dict(zip(results, program.run([known[value] for value in inputs])))

    def plan(self, program: Any) -> ReplayPlan:
        """Everything compiled."""
        walk = self.walk
        floats = getattr(self, "float_expressions", [])
        names = {f"a{index}": variable for index, variable in enumerate(walk.floats)}
        scalars = ", ".join(
            f"asarray({_with_names(expression, names)}, {walk.constant(dtype)})"
            for (expression, dtype), _ in self.scalars
        )
        arrays = ", ".join(self.variables)
        returned = ", ".join(_with_names(expression, names) for expression in floats)
        targets = ", ".join(self.targets)
        walk.guards.constants["asarray"] = numpy.asarray
        result = f"([{arrays}], [{scalars}], ([{targets}], [{returned}]))"
        match = compile_guards(walk, [*walk.signature, *walk.state], result)
        namespace = {**self.constants, "ndarray": ndarray}
        body = ["targets, floats = placed", *self.lines]
        text = "def finish(results, arrays, placed):\n" + "\n".join(f"    {line}" for line in body)
        exec(compile(text, "<dopegraph results>", "exec"), namespace)
        keys = [key for key, _ in sorted(self.input_of.items(), key=lambda item: item[1])]
        return ReplayPlan(
            walk,
            program,
            match,
            namespace["finish"],
            constants=[self.recording.known[value] for value in self.captured],
            order=self.program_inputs,
            split=self.argument_count,
            updated=[position for position, _ in self.updates],
            pattern=tuple(keys.index(key) for key in keys),
            outputs=len(self.outputs),
        )


def _with_names(expression: str, names: dict[str, str]) -> str:
    import re

    return re.sub(r"\ba\d+\b", lambda match: names[match.group()], expression)


def _view_of(root: ndarray, steps: tuple[Any, ...]) -> ndarray:
    from dopegraph.array import view

    for each in steps:
        root = view(root, each)
    return root


def _holds_arrays(value: Any) -> bool:
    leaves, _ = flatten(value)
    return bool(leaves) and all(isinstance(leaf, ndarray) for _, leaf in leaves)


def _argument_arrays(walk: Walk) -> list[ndarray]:
    return [leaf for _, leaf in flatten([list(walk.args), list(walk.kwargs.values())])[0] if isinstance(leaf, ndarray)]


def _label(variable: str, walk: Walk) -> str:
    return walk.paths.get(variable, variable)


def _plain_floats(result: Any) -> Any:
    """The result with float arguments that were passed through as the floats they are."""
    leaves, structure = flatten(result)
    if not any(isinstance(leaf, DynamicFloat) for _, leaf in leaves):
        return result
    return structure.build(leaf.number if isinstance(leaf, DynamicFloat) else leaf for _, leaf in leaves)


def _settle_floats(container: Container) -> None:
    """What was stored into a stand-in belongs into the original."""
    for key, value in container.now().items():
        if value is MISSING or (key in container.before and container.before[key] is value):
            continue
        plain = value.number if isinstance(value, DynamicFloat) else value
        if container.original is not None:
            container.original[key] = plain
        elif plain is not value:
            container.put(key, plain)
