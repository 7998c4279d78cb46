"""Completes the steps at the ends of a loop, which lack what is zero or what nobody needs.

The first step of a derivative has nothing to add to yet, and its last step derives nothing for the step before. With
the sums of zeros and the unread nodes filled in, such a step is one like all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.passes.periods import BEFORE, OUTSIDE, SAME, VARYING, Period


def complete(nodes: list[Node], periods: Sequence[Period], sources: list[Node]) -> tuple[list[Node], list[Period]]:
    """The nodes with what was lacking, and the periods that are longer now; `sources` gets the zeros."""
    found: list[Period] = []
    for number in range(len(periods) - 1, -1, -1):
        period = periods[number]
        low = periods[number - 1].stop if number else 0
        high = found[-1].start if found else len(nodes)
        after = _last_step(nodes, period, high)
        if after is not None:
            nodes, grown = _inserted(nodes, period.stop, *after)
            found = [one.moved(grown) for one in found]
            period = period.longer()
        before = _first_step(nodes, period, low, sources)
        if before is not None:
            stop, step = before
            nodes, grown = _inserted(nodes, stop, period.start - stop, step)
            found = [one.moved(grown) for one in found]
            period = period.longer(stop)
        found.append(period)
    return nodes, found[::-1]


def _inserted(nodes: list[Node], place: int, count: int, step: list[Node]) -> tuple[list[Node], int]:
    """`step` in place of some nodes; by how many nodes there are more now."""
    return [*nodes[:place], *step, *nodes[place + count :]], len(step) - count


def _alike(one: Node, other: Node) -> bool:
    return (
        one.op is other.op
        and [value.type for value in one.inputs] == [value.type for value in other.inputs]
        and [value.type for value in one.outputs] == [value.type for value in other.outputs]
        and (one.op.name in VARYING or one.attrs == other.attrs)
    )


def _last_step(nodes: Sequence[Node], period: Period, high: int) -> tuple[int, list[Node]] | None:
    """How many nodes behind the loop are the last step, and all of it, with what nobody reads."""
    model = nodes[period.stop - period.length : period.stop]
    earlier = nodes[period.stop - 2 * period.length : period.stop - period.length]
    place = period.stop
    given: dict[int, Node] = {}
    for number in range(period.length):
        one = nodes[place] if place < high else None
        if one is not None and _alike(model[number], one) and _hangs_alike(number, one, period, given, model):
            given[number] = one
            place += 1
    if 2 * len(given) < period.length:
        return None
    # Values from outside by those that stand in their places in the two steps before.
    outside = {
        (before.inputs[operand], last.inputs[operand]): given[number].inputs[operand]
        for number, (before, last) in enumerate(zip(earlier, model))
        if number in given
        for operand, origin in enumerate(period.origins[number])
        if origin.kind == OUTSIDE
    }
    builder = Builder()
    step: list[Node] = []
    for number, origins in enumerate(period.origins):
        if number not in given:
            one = model[number]
            inputs = []
            for operand, origin in enumerate(origins):
                value: Value | None
                if origin.kind == OUTSIDE:
                    pair = earlier[number].inputs[operand], one.inputs[operand]
                    value = pair[0] if pair[0] is pair[1] else outside.get(pair)
                else:
                    value = (step if origin.kind == SAME else model)[origin.node].outputs[origin.output]
                if value is None:
                    return None
                inputs.append(value)
            if one.op.name in VARYING:
                return None
            given[number] = builder.emit_node(one.op, inputs, one.attrs, one.location)
        step.append(given[number])
    return place - period.stop, step


def _hangs_alike(number: int, node: Node, period: Period, given: dict[int, Node], model: Sequence[Node]) -> bool:
    """Whether a node of the last step has its operands from where the model's node has them."""
    for value, origin in zip(node.inputs, period.origins[number]):
        if origin.kind == BEFORE and value is not model[origin.node].outputs[origin.output]:
            return False
        if origin.kind == SAME:
            maker = given.get(origin.node)
            if maker is None or value is not maker.outputs[origin.output]:
                return False
    return True


def _first_step(nodes: Sequence[Node], period: Period, low: int, sources: list[Node]) -> tuple[int, list[Node]] | None:
    """Where the first step begins before the loop, and all of it, with sums that begin at zero."""
    model = nodes[period.start : period.start + period.length]
    place = period.start
    given: dict[int, Node] = {}
    for number in range(period.length - 1, -1, -1):
        if place > low and _alike(model[number], nodes[place - 1]) and _fits(number, nodes[place - 1], period):
            place -= 1
            given[number] = nodes[place]
    if 2 * len(given) < period.length:
        return None
    # What stands for each result of the step now: for a sum that lacks its first term, the other one.
    stands: dict[tuple[int, int], Value] = {}
    lacking: dict[int, int] = {}
    for number, origins in enumerate(period.origins):
        if number in given:
            for operand, origin in enumerate(origins):
                value = given[number].inputs[operand]
                if origin.kind == SAME and stands[origin.node, origin.output] is not value:
                    return None
            stands.update(((number, place), value) for place, value in enumerate(given[number].outputs))
            continue
        kinds = [origin.kind for origin in origins]
        if model[number].op.name != "add" or sorted(kinds) != [BEFORE, SAME]:
            return None
        other = kinds.index(SAME)
        value = stands[origins[other].node, origins[other].output]
        if value.type != model[number].outputs[0].type:
            return None
        lacking[number] = other
        stands[number, 0] = value
    for number, origins in enumerate(period.origins):
        for operand, origin in enumerate(origins):
            if origin.kind == BEFORE and stands[origin.node, origin.output] is not model[number].inputs[operand]:
                return None
    return place, _with_zeros(model, period, given, lacking, sources)


def _fits(number: int, node: Node, period: Period) -> bool:
    """Whether a node has nothing from a step before, if sums are what has that."""
    return node.op.name != "add" or all(origin.kind != BEFORE for origin in period.origins[number])


def _with_zeros(
    model: Sequence[Node], period: Period, given: dict[int, Node], lacking: dict[int, int], sources: list[Node]
) -> list[Node]:
    builder, zeros = Builder(), Builder()
    step: list[Node] = []
    for number, origins in enumerate(period.origins):
        one = given.get(number)
        if one is not None:
            one.inputs = tuple(
                [
                    step[origin.node].outputs[origin.output] if origin.kind == SAME else value
                    for origin, value in zip(origins, one.inputs)
                ]
            )
        else:
            origin, type = origins[lacking[number]], model[number].outputs[0].type
            with zeros:
                zero = primitives["full"](value=type.dtype.type(0).item(), shape=type.shape, dtype=type.dtype)
            operands = [step[origin.node].outputs[origin.output], zero]
            one = builder.emit_node(
                model[number].op, operands if lacking[number] == 0 else operands[::-1], {}, model[number].location
            )
        step.append(one)
    sources += zeros.nodes
    for node, origins in zip(model, period.origins):
        node.inputs = tuple(
            [
                step[origin.node].outputs[origin.output] if origin.kind == BEFORE else value
                for origin, value in zip(origins, node.inputs)
            ]
        )
    return step
