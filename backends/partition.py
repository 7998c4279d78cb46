"""Splits a graph into stages, each for one backend, so that there are few of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dopegraph.ir.graph import Graph, Node, Value, extract

BACKENDS = ("numpy", "codegen", "mxnet")
"""In the order in which stages follow each other."""


@dataclass(frozen=True)
class Stage:
    """A part of a graph for one backend: values of the whole graph come in and go out."""

    backend: str
    graph: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


def assign(graph: Graph, backend_of: Callable[[Node], str]) -> dict[int, list[Node]]:
    """The nodes of each stage by its number, which tells the backend, too (`BACKENDS`, again and again).

    A node goes to the earliest stage that its operands allow, so that random numbers, for instance, are all drawn
    before the one symbol that uses them. Constants and the like wait for their first reader and are left out.
    """
    stage_of: dict[Value, int] = {value: -1 for value in graph.arguments}
    members: dict[int, list[Node]] = {}
    for node in graph.nodes:
        if not node.inputs:
            stage_of.update((value, -1) for value in node.outputs)
            continue
        number = max(0, *(stage_of[value] for value in node.inputs))
        number += (BACKENDS.index(backend_of(node)) - number) % len(BACKENDS)
        stage_of.update((value, number) for value in node.outputs)
        members.setdefault(number, []).append(node)
    return members


def stages_of(graph: Graph, members: dict[int, list[Node]]) -> list[Stage]:
    """The stages in the order they run."""
    stage_of = {value: number for number, nodes in members.items() for node in nodes for value in node.outputs}
    sources = [node for node in graph.nodes if not node.inputs]
    free = {value for node in sources for value in node.outputs}
    # What leaves its stage: results, and what a later stage reads.
    leaving = set(graph.results)
    for number, nodes in members.items():
        leaving.update(value for node in nodes for value in node.inputs if stage_of.get(value) != number)
    stages = []
    for number in sorted(members):
        nodes = members[number]
        made = {value for node in nodes for value in node.outputs}
        inputs = dict.fromkeys(v for node in nodes for v in node.inputs if v not in made and v not in free)
        outputs = tuple([v for node in nodes for v in node.outputs if v in leaving])
        if set(outputs) == set(graph.results):  # in the order in which they are wanted
            outputs = tuple(dict.fromkeys(graph.results))
        part = extract(graph.name, sources + nodes, inputs, (), outputs)
        stages.append(Stage(BACKENDS[number % len(BACKENDS)], part, tuple(inputs), outputs))
    return stages


def partition(graph: Graph, lacking: Callable[[Node], object]) -> list[Stage]:
    """Stages for NumPy and MXNet: a node for which `lacking` is true goes to NumPy, every other one to MXNet."""
    return stages_of(graph, assign(graph, lambda node: "numpy" if lacking(node) else "mxnet"))
