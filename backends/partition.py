"""Splits a graph into stages, each for one backend: nodes MXNet lacks run on NumPy, the rest stays in few symbols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dopegraph.ir.graph import Graph, Node, Value, extract


@dataclass(frozen=True)
class Stage:
    """A part of a graph for one backend: values of the whole graph come in and go out."""

    backend: str
    graph: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


def partition(graph: Graph, lacking: Callable[[Node], object]) -> list[Stage]:
    """Stages in the order they run. A node for which `lacking` is true goes to NumPy, every other one to MXNet.

    Stages alternate, NumPy at even numbers; a node goes to the earliest stage that its operands allow, so that random
    numbers, for instance, are all drawn before the one symbol that uses them.
    """
    stage_of: dict[Value, int] = {value: -1 for value in graph.arguments}
    members: dict[int, list[Node]] = {}
    for node in graph.nodes:
        earliest = max((stage_of[value] for value in node.inputs), default=-1)
        on_numpy = bool(lacking(node))
        number = max(earliest, 0)
        if (number % 2 == 0) != on_numpy:
            number += 1
        # Constants and the like wait for their first reader instead of making a stage of their own.
        stage_of.update((value, number if node.inputs else -1) for value in node.outputs)
        if node.inputs:
            members.setdefault(number, []).append(node)
    sources = [node for node in graph.nodes if not node.inputs]
    free = {value for node in sources for value in node.outputs}
    # What leaves its stage: results, and what a later stage reads.
    leaving = set(graph.results)
    for number, nodes in members.items():
        leaving.update(value for node in nodes for value in node.inputs if stage_of[value] != number)
    stages = []
    for number in sorted(members):
        nodes = members[number]
        made = {value for node in nodes for value in node.outputs}
        inputs = dict.fromkeys(v for node in nodes for v in node.inputs if v not in made and v not in free)
        outputs = tuple([v for node in nodes for v in node.outputs if v in leaving])
        if set(outputs) == set(graph.results):  # in the order in which they are wanted
            outputs = tuple(dict.fromkeys(graph.results))
        part = extract(graph.name, sources + nodes, inputs, (), outputs)
        stages.append(Stage("numpy" if number % 2 == 0 else "mxnet", part, tuple(inputs), outputs))
    return stages
