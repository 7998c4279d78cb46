"""Runs what a recording needs values of, as compiled graphs, which are found again by structure or by path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy

from dopegraph.backends import Program
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value, needed_nodes
from dopegraph.ir.path import PathBuilder
from dopegraph.ops.random import is_draw
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy, engines
from dopegraph.runtime.device import Device, current_device
from dopegraph.runtime.errors import BatchingError, GradientError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import Evaluating
from dopegraph.trace.programs import Key, boundary, programs


class Evaluation:
    """The part of a `Recording` that computes values."""

    name: str
    builder: Builder
    path: PathBuilder | None
    known: dict[Value, Buffer]
    programs: list[Program]
    device: Device | None
    examples: list[tuple[int, set[Value]]]
    lasting: bool

    @property
    def differentiating(self) -> bool:
        """Whether derivatives are waiting for the nodes that are recorded now."""
        raise NotImplementedError

    def live_handles(self) -> list[Any]:
        """The traced handles that something still refers to, in the order they were made."""
        raise NotImplementedError

    def seen(self, values: Iterable[Value]) -> list[Buffer]:
        """Buffers of values that Python looks at. What else was computed for them and may be used again is kept."""
        return self._evaluated(values, keep=True)

    def evaluate(self, values: Iterable[Value]) -> list[Buffer]:
        """Buffers of values; what was evaluated before is not computed again."""
        return self._evaluated(values)

    def tried(self, values: Sequence[Value]) -> None:
        """Run what may refuse its operands; node by node where it is recorded once, and programs would be of no use."""
        nodes = needed_nodes(self.builder.nodes, values, self.known)
        read = boundary(nodes, values)
        self._refuse_unknown(nodes, read)
        numpys = current_policy() != "only_mxnet" and all([self.known[value].device.is_host for value in read])
        if self.path is not None or not numpys:
            self._evaluated(values, keep=self.differentiating)
            return
        with Evaluating(), numpy.errstate(all="ignore"):
            for node in nodes:
                operands = [self.known[value].array for value in node.inputs]
                computed = node.op.kernel(*operands, **node.attrs)
                for value, one in zip(node.outputs, computed if isinstance(computed, tuple) else (computed,)):
                    array = numpy.asarray(one, order="C")
                    shared = array.base is not None or any(array is operand for operand in operands)
                    self.known[value] = Buffer(array.copy() if shared else array)

    def _evaluated(self, values: Iterable[Value], keep: bool = False) -> list[Buffer]:
        wanted = list(values)
        missing = [value for value in dict.fromkeys(wanted) if value not in self.known]
        if missing:
            if keep:
                missing += self._used_later(missing)
            _, program, inputs = self.program_of(missing)
            self.run(program, inputs, missing)
            if self.path is not None:
                self.path.note("known", missing)
        return [self.known[value] for value in wanted]

    def _used_later(self, wanted: Sequence[Value]) -> list[Value]:
        """What is computed on the way to what is wanted, and what arrays, or a derivative to come, refer to."""
        held = [handle._value for handle in self.live_handles() if handle._value not in self.known]
        everything = self.differentiating
        question = (
            self.path.question([*wanted, *held], "later", len(held), everything) if self.path is not None else None
        )
        if self.path is not None and question is not None and question.answer is not None:
            return self.path.values_of(question.answer)
        nodes = needed_nodes(self.builder.nodes, wanted, self.known)
        chosen = None if everything else set(held)
        later = [
            value
            for node in nodes
            if node.inputs
            for value in node.outputs
            if (chosen is None or value in chosen) and value not in wanted
        ]
        if self.path is not None and question is not None:
            question.answer = self.path.numbers(later)
        return later

    def run(self, program: Program, inputs: Iterable[Value], values: Iterable[Value]) -> list[Buffer]:
        """Run a program on what is known, and know its results."""
        with Evaluating():
            self.programs.append(program)
            results = program.run([self.known[value] for value in inputs])
        self.known.update(zip(values, results))
        return results

    def program_of(self, values: Sequence[Value]) -> tuple[Key, Program, Sequence[Value]]:
        """The program that computes values, its key, and what it computes them from."""
        device = self.device or current_device()
        question = self.path.question(values, "program", *engines(), device) if self.path is not None else None
        if self.path is not None and question is not None:
            found = question.answer
            program = programs.find(found[0]) if found is not None else None
            if program is not None:
                return found[0], program, self.path.values_of(found[1])
        nodes = needed_nodes(self.builder.nodes, values, self.known)
        read = boundary(nodes, values)
        self._refuse_unknown(nodes, read)
        with Evaluating():
            key, program = programs.get(self.name, nodes, read, values, (), device, named=False, lasting=self.lasting)
        if self.path is not None and question is not None:
            numbers = self.path.numbers(read)
            if numbers is not None:
                question.answer = key, numbers
        return key, program, read

    def _refuse_unknown(self, nodes: Sequence[Node], inputs: Sequence[Value]) -> None:
        """Raise for what has no values while it is recorded."""
        for start, stand_ins in self.examples:
            inside = set(self.builder.nodes[start:])
            if any(value in stand_ins for value in inputs) or any(is_draw(node) and node in inside for node in nodes):
                message = (
                    "Python asks for the value of an array that differs between the examples of vmap, which have none "
                    "yet: in place of `if` and `while` use np.where or np.select; what float(), int(), item(), "
                    "printing and functions that run in NumPy need must not be mapped (in_axes=None)"
                )
                raise BatchingError(located(f"vmap: {message}", here()))
        if not all(value in self.known for value in inputs):
            raise GradientError(located("a cotangent has no values yet while its rule is recorded", here()))
