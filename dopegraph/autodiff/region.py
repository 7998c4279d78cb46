"""Regions: nodes whose results have a gradient rule of their own, as those of ``custom_vjp`` and ``checkpoint`` do.

A region ends in `identity` nodes, one for each result, that `Builder.regions` knows. Reverse mode goes from there to
the region's rule, never through the nodes inside. Passes and backends see ordinary nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.ops import identity
from dopegraph.runtime.location import Location

# rule(builder, residuals, cotangents of the outputs) -> cotangents of the inputs; None stands for zeros
RegionRule = Callable[[Builder, Sequence[Value], Sequence[Optional[Value]]], Sequence[Optional[Value]]]
Regions = Mapping[Node, "Region"]


@dataclass(frozen=True)
class Region:
    """A gradient rule for several values at once.

    Attributes
    ----------
    inputs, outputs : tuple of Value
        Floating values; the rule takes cotangents of the outputs to cotangents of the inputs.
    residuals : tuple of Value
        What the rule computes with.
    rule : callable
    location : Location
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    residuals: tuple[Value, ...]
    rule: RegionRule
    location: Location | None

    def moved(self, values: Mapping[Value, Value]) -> Region:
        """The region of copies of its nodes."""
        inputs, outputs, residuals = (
            tuple([values.get(value, value) for value in part]) for part in (self.inputs, self.outputs, self.residuals)
        )
        return replace(self, inputs=inputs, outputs=outputs, residuals=residuals)


def close_region(
    builder: Builder, inputs: Sequence[Value], results: Sequence[Value], residuals: Sequence[Value], rule: RegionRule
) -> tuple[Value, ...]:
    """End a region: the values to use from here on in place of `results`."""
    with builder:
        outputs = tuple([identity(value) for value in results])
    builder.leave()  # rules of regions may do anything
    region = Region(tuple(inputs), outputs, tuple(residuals), rule, builder.locate())
    builder.regions.update((value.node, region) for value in outputs if value.node is not None)
    return outputs


def needed(nodes: Sequence[Node], values: Iterable[Value], regions: Regions) -> list[Node]:
    """The nodes, in their order, that values and their derivatives depend on."""
    wanted = set(values)
    kept = []
    for node in reversed(nodes):
        region = regions.get(node)
        if any(value in wanted for value in (node.outputs if region is None else region.outputs)):
            kept.append(node)
            wanted.update(node.inputs)
            if region is not None:
                wanted.update((*region.outputs, *region.inputs, *region.residuals))
    kept.reverse()
    return kept


def reads(nodes: Iterable[Node], results: Iterable[Value], regions: Regions) -> list[Value]:
    """The values that nodes, their regions or results use and no node makes, in order of first use."""
    made: set[Value] = set()
    used: dict[Value, None] = {}
    for node in nodes:
        region = regions.get(node)
        around = () if region is None else (*region.inputs, *region.residuals)
        used.update((value, None) for value in (*node.inputs, *around) if value not in made)
        made.update(node.outputs)
    used.update((value, None) for value in results if value not in made)
    return list(used)


def inline(builder: Builder, nodes: Sequence[Node], regions: Regions, values: dict[Value, Value]) -> None:
    """Append copies of nodes that read what `values` says; their results are added to it."""
    if regions:
        builder.leave()
    ends = []
    for node in nodes:
        operands = [values.get(value, value) for value in node.inputs]
        copy = builder.emit_node(node.op, operands, node.attrs, node.location)
        values.update(zip(node.outputs, copy.outputs))
        if node in regions:
            ends.append((copy, regions[node]))
    moved: dict[int, Region] = {}
    for copy, region in ends:
        if id(region) not in moved:
            moved[id(region)] = region.moved(values)
        builder.regions[copy] = moved[id(region)]
