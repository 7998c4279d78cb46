"""Replaces nodes that do something for one example by nodes that do it for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dopegraph.autodiff.region import Region, RegionRule
from dopegraph.batching.call import Call, spread
from dopegraph.batching.rules import rule_of
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.ops import full, identity, sum
from dopegraph.ops.random import is_draw


def batch(builder: Builder, start: int, size: int, values: dict[Value, Value], own_numbers: bool = True) -> None:
    """Replace the nodes from `start` on that depend on values of one example.

    Parameters
    ----------
    builder : Builder
        The other nodes stay in it as they are.
    start : int
    size : int
        How many examples there are.
    values : dict of Value to Value
        For each value of one example the one of all, which stand along axis 0; what is made here is added.
    own_numbers : bool
        Whether every example draws random numbers of its own; otherwise all have the same.
    """
    builder.leave()
    nodes = builder.nodes[start:]
    del builder.nodes[start:]
    ends: dict[int, Region] = {}
    counts = [start]
    for node in nodes:
        region: Region | None = builder.regions.pop(node, None)
        if region is not None and _is_mapped(region, values):
            ends[id(region)] = region
            with builder, builder.at(node.location):
                values[node.outputs[0]] = identity(_each(node.inputs[0], size, values))
        elif any(value in values for value in node.inputs) or (own_numbers and is_draw(node)):
            _replace(builder, node, size, values)
        else:
            builder.nodes.append(node)
            if region is not None:
                builder.regions[node] = region
        counts.append(len(builder.nodes))
    builder.renumber(start, counts)
    for region in ends.values():
        _close(builder, region, size, values, own_numbers)


def depending(nodes: Iterable[Node], sources: Iterable[Value], own_numbers: bool = True) -> set[Value]:
    """The values that nodes make of those of one example, and these."""
    found = set(sources)
    for node in nodes:
        if any(value in found for value in node.inputs) or (own_numbers and is_draw(node)):
            found.update(node.outputs)
    return found


def _replace(builder: Builder, node: Node, size: int, values: dict[Value, Value]) -> None:
    start = len(builder.nodes)
    with builder, builder.at(node.location):
        if size:
            operands = tuple([values.get(value, value) for value in node.inputs])
            mapped = tuple([value in values for value in node.inputs])
            found = rule_of(node.op)(Call(node, size, operands, mapped))
            results = found if isinstance(found, tuple) else (found,)
        else:  # whatever it is, there is none of it
            results = tuple([_nothing(value) for value in node.outputs])
    values.update(zip(node.outputs, results))
    if node in builder.again:
        builder.again.update(builder.nodes[start:])


def _nothing(value: Value) -> Value:
    zero = False if value.type.dtype.kind == "b" else 0
    result: Value = full(value=zero, shape=(0, *value.shape), dtype=value.type.dtype)
    return result


def _each(value: Value, size: int, values: dict[Value, Value]) -> Value:
    return values[value] if value in values else spread(value, size)


# Regions ------------------------------------------------------------------------------------------------------------


def _is_mapped(region: Region, values: dict[Value, Value]) -> bool:
    """Whether something around the region is mapped; then all its results are."""
    ends = [value.node.inputs[0] for value in region.outputs if value.node is not None]
    return any(value in values for value in (*region.inputs, *region.residuals, *ends, *region.outputs))


def _close(builder: Builder, region: Region, size: int, values: dict[Value, Value], own_numbers: bool) -> None:
    """The region of the new nodes; its rule is that of one example, for all of them."""
    rule = _rule(region, size, frozenset(values), own_numbers)
    new = Region(
        tuple([values.get(value, value) for value in region.inputs]),
        tuple([values[value] for value in region.outputs]),
        tuple([values.get(value, value) for value in region.residuals]),
        rule,
        region.location,
    )
    builder.regions.update((value.node, new) for value in new.outputs if value.node is not None)


def _rule(region: Region, size: int, mapped: frozenset[Value], own_numbers: bool) -> RegionRule:
    residual_types = [value.type if value in mapped else None for value in region.residuals]
    by_input = [value in mapped for value in region.inputs]
    output_types = [value.type for value in region.outputs]
    of_example = region.rule

    def rule(
        builder: Builder, residuals: Sequence[Value], cotangents: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        start = len(builder.nodes)
        values: dict[Value, Value] = {}
        given = []
        for value, type in zip(residuals, residual_types):
            one = value if type is None else builder.input(type)
            if type is not None:
                values[one] = value
            given.append(one)
        heads: list[Value | None] = []
        for g, type in zip(cotangents, output_types):
            head = None if g is None else builder.input(type)
            if head is not None and g is not None:
                values[head] = g
            heads.append(head)
        found = of_example(builder, given, heads)
        batch(builder, start, size, values, own_numbers)
        with builder:
            return [
                None if g is None else _cotangent(g, is_mapped, size, values) for g, is_mapped in zip(found, by_input)
            ]

    return rule


def _cotangent(g: Value, is_mapped: bool, size: int, values: dict[Value, Value]) -> Value:
    """For each example, where each has an operand of its own; otherwise the sum of those of all."""
    if is_mapped:
        return _each(g, size, values)
    if g in values:
        result: Value = sum(values[g], axes=(0,))
        return result
    return g * float(size)
