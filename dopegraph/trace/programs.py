"""The cache of compiled graphs, by structure: equal graphs share one program, wherever they were recorded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from dopegraph.backends import Program, compile_graph
from dopegraph.ir import path
from dopegraph.ir.graph import Node, Value, extract
from dopegraph.ir.types import attribute_key
from dopegraph.runtime.config import engines
from dopegraph.runtime.device import Device


class Key:
    """The structure of a graph, policy and device; its hash is computed once."""

    __slots__ = ("_hash", "parts")

    def __init__(self, *parts: Any) -> None:
        self.parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._hash == other._hash and self.parts == other.parts


class ProgramCache:
    """Compiled programs, least recently used out.

    Attributes
    ----------
    compiled, hits : int
        How often a graph had to be compiled, and how often it was there already.
    """

    def __init__(self, size: int = 512) -> None:
        self.size = size
        self.compiled = 0
        self.hits = 0
        self._programs: OrderedDict[Key, Program] = OrderedDict()
        # Equal keys are one object: what is the same object is found without comparing.
        self._keys: dict[Key, Key] = {}
        self._lock = threading.RLock()

    def get(
        self,
        name: str,
        nodes: Sequence[Node],
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        updates: Sequence[tuple[Value, Value]],
        device: Device,
        state: int = 0,
        named: bool = True,
        lasting: bool = False,
    ) -> tuple[Key, Program]:
        """The program that computes `outputs` and `updates` from `inputs`, the last `state` of which are state.

        With it comes the key by which `find` finds it again. Without `named`, the names of inputs are no part of it:
        more graphs are equal. A `lasting` one belongs to a function that somebody compiled, to run it often.
        """
        policy, _, _ = chosen = engines()
        results = [*outputs, *(new for _, new in updates)]
        place = {value: position for position, value in enumerate(inputs)}
        key = Key(
            *chosen,
            device,
            state,
            lasting,
            _structure(nodes, inputs, results, named),
            tuple([place[old] for old, _ in updates]),
        )
        with self._lock:
            key = self._keys.setdefault(key, key)
            program = self.find(key)
            if program is not None:
                return key, program
            split = len(inputs) - state
            graph = extract(name, nodes, inputs[:split], inputs[split:], outputs, updates)
            if not named:
                for value in graph.arguments:
                    value.name = None
            program = compile_graph(graph, policy, device, lasting)
            self.compiled += 1
            self._programs[key] = program
            if len(self._programs) > self.size:
                oldest, _ = self._programs.popitem(last=False)
                del self._keys[oldest]
            return key, program

    def find(self, key: Key) -> Program | None:
        """The program of a key, unless it was forgotten."""
        with self._lock:
            program = self._programs.get(key)
            if program is not None:
                self.hits += 1
                self._programs.move_to_end(key)
            return program

    def programs(self) -> list[Program]:
        """All programs, the last used last."""
        with self._lock:
            return list(self._programs.values())

    def clear(self) -> None:
        """Forget all programs and counts."""
        with self._lock:
            self._programs.clear()
            self._keys.clear()
            path.forget()
            self.compiled = self.hits = 0


def _structure(nodes: Sequence[Node], inputs: Sequence[Value], results: Sequence[Value], named: bool) -> Any:
    """What makes two graphs equal: operators, attributes, how values are wired, types of the inputs."""
    number: dict[Value, int] = {value: position for position, value in enumerate(inputs)}
    wired = []
    for node in nodes:
        attributes = tuple([(name, attribute_key(node.attrs[name])) for name in node.attrs])
        wired.append((node.op.name, tuple([number[value] for value in node.inputs]), attributes))
        for value in node.outputs:
            number[value] = len(number)
    return (
        tuple((value.type, value.name if named else None) for value in inputs),
        tuple(wired),
        tuple(number[value] for value in results),
    )


def boundary(nodes: Iterable[Node], outputs: Iterable[Value]) -> list[Value]:
    """The values that `nodes` or `outputs` use and no node makes, in order of first use."""
    made: set[Value] = set()
    used: dict[Value, None] = {}
    for node in nodes:
        for value in node.inputs:
            if value not in made:
                used[value] = None
        made.update(node.outputs)
    used.update((value, None) for value in outputs if value not in made)
    return list(used)


programs = ProgramCache()
"""The cache of this process."""
