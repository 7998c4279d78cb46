"""One recorded way through a function, between what Python looked at: its segments, numbered so that two recordings
of the same way can be compared and share what is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, NamedTuple

import numpy

from dopegraph.array import ndarray
from dopegraph.backends import Program
from dopegraph.ir.graph import Node, Value, needed_nodes
from dopegraph.ir.types import attribute_key
from dopegraph.numpy import random
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import current_device
from dopegraph.runtime.location import Location
from dopegraph.state.walk import Walk
from dopegraph.trace.look import Look
from dopegraph.trace.programs import boundary, programs
from dopegraph.trace.recording import Recording
from dopegraph.transform.placement import Unreplayable
from dopegraph.transform.results import with_names


class Source(NamedTuple):
    """Where a replay finds an input: what it is, in a form that is equal for equal inputs, and the Python for it.

    `expression` gives a buffer; it may name the guards' variables, and `constants`.
    """

    identity: Any
    expression: str
    constants: dict[str, Any]


class Way:
    """A recorded way.

    Attributes
    ----------
    looks : list of Look
        As far as the way can be replayed.
    numbers : dict of Value to int
        Results of nodes from 0 on, in order; inputs from -1 downwards.
    """

    def __init__(self, walk: Walk, recording: Recording, looks: Sequence[Look]) -> None:
        self.walk = walk
        self.recording = recording
        self.looks = looks
        self.numbers = {value: ~index for index, value in enumerate(recording.inputs)}
        for node in recording.builder.nodes:
            for value in node.outputs:
                self.numbers[value] = len(self.numbers) - len(recording.inputs)
        self.values = {number: value for value, number in self.numbers.items()}
        self._names = {f"a{index}": variable for index, variable in enumerate(walk.floats)}
        self._sources = self._find_sources()
        self._hosted = {value for look in looks for value in look.results}

    # Inputs ------------------------------------------------------------------------------------------------------

    def _find_sources(self) -> dict[Value, Source]:
        recording = self.recording
        found: dict[Value, Source] = {}
        for handle, value in recording.lifted.values():
            variable = self._variable(handle)
            if variable is not None and value.node is None:
                found[value] = Source(("array", variable), f"{variable}._settled()", {"STATE": random.STATE})
        for (expression, dtype), value in recording.scalars.items():
            number = f"Buffer(asarray({with_names(expression, self._names)}, {dtype.name!r}))"
            found[value] = Source(("number", number), number, {"Buffer": Buffer, "asarray": numpy.asarray})
        for value in recording.captured:
            contents = recording.known[value]
            found[value] = Source(("constant", contents.array.tobytes()), "CONSTANT", {"CONSTANT": contents})
        return found

    def _variable(self, handle: ndarray) -> str | None:
        """What the generated code calls an array that was there before the call."""
        if handle is random.STATE:
            return "STATE"
        return self.walk.arrays[id(handle)][0] if id(handle) in self.walk.arrays else None

    def source(self, value: Value) -> Source | None:
        """How a replay finds an input; None for what a host call gives it."""
        if value in self._sources:
            return self._sources[value]
        if value in self._hosted:
            return None
        raise Unreplayable("aliased-write", f"an array {value.type} is reached in a way that cannot be followed")

    def number_of(self, look: Look) -> str:
        """The Python for the number of a float argument that was looked at."""
        assert look.expression is not None
        return with_names(look.expression, self._names)

    # Segments ----------------------------------------------------------------------------------------------------

    def structure(self, index: int) -> Any:
        """What makes segments and looks of two recordings equal: all that was recorded between a look and the last."""
        look = self.looks[index]
        nodes, inputs = (self.looks[index - 1].nodes, self.looks[index - 1].inputs) if index else (0, 0)
        numbers = self.numbers
        return (
            tuple(
                [
                    (node.op.name, tuple([numbers[value] for value in node.inputs]), _attributes(node))
                    for node in self.recording.builder.nodes[nodes : look.nodes]
                ]
            ),
            tuple(
                [
                    (value.type, source.identity if source is not None else None)
                    for value in self.recording.inputs[inputs : look.inputs - len(look.results)]
                    for source in [self.source(value)]
                ]
            ),
            (look.kind, tuple([numbers[value] for value in look.values]), look.expression),
        )

    def needed(self, values: Iterable[Value], computed: Container[Value], before: int | None = None) -> list[Node]:
        """The nodes that a segment runs, given what earlier ones computed."""
        nodes = self.recording.builder.nodes
        return needed_nodes(nodes if before is None else nodes[:before], values, computed)

    def compute(self, segments: Sequence[Segment]) -> None:
        """Compute the results for the recorded call."""
        known = self.recording.known
        if self.recording.host_calls:
            return  # functions of the user's own have run once; that is enough
        for segment in segments:
            outputs = [self.values[number] for number in segment.outputs]
            if segment.program is not None and not all(value in known for value in outputs):
                computed = segment.program.run([known[self.values[number]] for number in segment.inputs])
                known.update(zip(outputs, computed))

    def segment(self, nodes: Sequence[Node], outputs: Sequence[Value]) -> Segment:
        """The compiled segment that computes `outputs`."""
        inputs = boundary(nodes, outputs)
        loads = []
        for value in inputs:
            source = self.source(value) if value.node is None else None
            if source is not None:
                loads.append((self.numbers[value], source))
        wanted = [value for value in outputs if value not in inputs]
        program = None
        if wanted:
            recording = self.recording
            device = recording.device or current_device()
            program = programs.get(
                recording.name, nodes, inputs, wanted, (), device, named=False, lasting=recording.lasting
            )[1]
        segment = Segment(program, loads, [self.numbers[one] for one in inputs], [self.numbers[one] for one in wanted])
        segment.lines = [node.location for node in nodes]
        return segment


def _attributes(node: Node) -> Any:
    return tuple([(name, attribute_key(node.attrs[name])) for name in node.attrs])


class Segment:
    """A compiled graph between looks, and where its inputs and outputs are kept during a call.

    Attributes
    ----------
    program : Program or None
        None if there is nothing to compute.
    lines : list of Location or None
        Where each node of what was recorded comes from: the program may have been made for an equal graph of another
        function.
    """

    def __init__(
        self,
        program: Program | None,
        loads: Sequence[tuple[int, Source]],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> None:
        self.program = program
        self.loads = loads
        self.inputs = inputs
        self.outputs = outputs
        self.sources: list[tuple[int, Callable[[list[Any]], Buffer]]] = []
        self.lines: list[Location | None] = []

    def link(self, compiled: Callable[[str, dict[str, Any]], Callable[[list[Any]], Any]]) -> Segment:
        """Make functions of the variables of the Python that finds inputs."""
        self.sources = [(number, compiled(source.expression, source.constants)) for number, source in self.loads]
        return self

    def run(self, slots: dict[int, Buffer], variables: list[Any]) -> None:
        """Compute the outputs."""
        for number, find in self.sources:
            if number not in slots:
                slots[number] = find(variables)
        if self.program is not None:
            results = self.program.run([slots[number] for number in self.inputs])
            slots.update(zip(self.outputs, results))
