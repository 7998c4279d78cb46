"""Reverse mode: appends to a builder the nodes that pull cotangents of results back to values they depend on.

The appended nodes are ordinary nodes, so they can be differentiated again. The accumulation is that of
Griewank and Walther, Evaluating Derivatives (2008), chapter 3.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Union

from dopegraph.autodiff.region import Region, Regions
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.primitive import NotDifferentiable, primitives
from dopegraph.runtime.errors import GradientError
from dopegraph.runtime.location import located

Step = Union[Node, Region]


def pullback(
    builder: Builder,
    cotangents: Mapping[Value, Value],
    wrt: Sequence[Value],
    nodes: Sequence[Node] | None = None,
) -> list[Value | None]:
    """Cotangents of `wrt`, given those of results; None where no result depends on it smoothly.

    Parameters
    ----------
    builder : Builder
        Holds the nodes between `wrt` and the results; the new nodes are appended to it.
    cotangents : mapping of Value to Value
        For each result a value of its type.
    wrt : sequence of Value
        The values to differentiate with respect to.
    nodes : sequence of Node, optional
        The nodes to go through, in order; by default all of the builder's. Results of others are constants.
    """
    accumulated: dict[Value, Value] = dict(cotangents)
    targets = {value for value in wrt if value.type.is_float}
    steps = _steps(builder.nodes if nodes is None else nodes, builder.regions)
    path = _steps_between(steps, targets, set(cotangents))
    active = targets.union(*(node.outputs for node in path))
    with builder, _unwatched(builder):
        for step in reversed(path):
            arriving = [accumulated.get(value) for value in step.outputs]
            if all(g is None for g in arriving):
                continue
            place = step.location.in_gradient() if step.location is not None else None
            if isinstance(step, Region):  # its rule is the user's: its nodes have lines of their own
                found = step.rule(builder, step.residuals, arriving)
            else:
                with builder.at(place):
                    found = _apply_rules(step, arriving, active)
            with builder.at(place):
                for operand, g in zip(step.inputs, found):
                    if g is None or operand not in active:
                        continue
                    earlier = accumulated.get(operand)
                    accumulated[operand] = g if earlier is None else earlier + g
    return [accumulated.get(value) for value in wrt]


@contextmanager
def _unwatched(builder: Builder) -> Iterator[None]:
    """Nobody watches the rules of primitives: they are ours. Those of regions may be the user's."""
    watch = sys.getprofile()
    if builder.regions or not getattr(watch, "watches_users", False):
        yield
        return
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(watch)


def _steps(nodes: Sequence[Node], regions: Regions) -> Iterator[Step]:
    """The nodes, in order, with a region in place of those that end it."""
    done: set[int] = set()
    for node in nodes:
        region = regions.get(node)
        if region is None:
            yield node
        elif id(region) not in done:
            done.add(id(region))
            yield region


def _steps_between(steps: Iterable[Step], sources: set[Value], sinks: set[Value]) -> list[Step]:
    """The steps through which a source reaches a sink, in order."""
    forward = list(_steps_after(steps, set(sources)))
    wanted = set(sinks)
    path = []
    for step in reversed(forward):
        if any(value in wanted for value in step.outputs):
            wanted.update(step.inputs)
            path.append(step)
    path.reverse()
    return path


def _steps_after(steps: Iterable[Step], reached: set[Value]) -> Iterator[Step]:
    """The steps that depend smoothly on values, in order; what they compute is added to the values."""
    for step in steps:
        if isinstance(step, Node) and isinstance(step.op.gradient, NotDifferentiable):
            continue
        if not any(value in reached for value in step.inputs):
            continue
        floating = [value for value in step.outputs if value.type.is_float]
        if floating:
            reached.update(floating)
            yield step


def dependents(builder: Builder, nodes: Sequence[Node], sources: Iterable[Value]) -> set[Value]:
    """The sources, and the values that depend smoothly on them through some of the builder's nodes."""
    reached = set(sources)
    for _ in _steps_after(_steps(nodes, builder.regions), reached):
        pass
    return reached


def left_out(builder: Builder, nodes: Sequence[Node], sources: Iterable[Value], sink: Value) -> set[Value]:
    """Values that depend smoothly on sources by nodes alone which the derivative of a sink does not go through."""
    given = set(sources)
    steps = list(_steps(nodes, builder.regions))
    used = {id(step) for step in _steps_between(steps, given, {sink})}
    reached = set(given)
    for _ in _steps_after([step for step in steps if id(step) not in used], reached):
        pass
    return reached - given


def _apply_rules(node: Node, arriving: Sequence[Value | None], active: set[Value]) -> Sequence[Value | None]:
    """One cotangent for each operand, in the operand's shape."""
    gradient: Any = node.op.gradient
    g: Any = arriving[0]
    result: Any = node.outputs[0]
    if len(node.outputs) > 1:
        g, result = tuple(arriving), node.outputs
    if callable(gradient):
        found = gradient(g, result, *node.inputs, **node.attrs)
    else:
        found = [
            rule(g, result, *node.inputs, **node.attrs) if rule is not None and operand in active else None
            for rule, operand in zip(gradient, node.inputs)
        ]
    if len(found) != len(node.inputs):
        raise GradientError(located(f"{node.op.name} has gradient rules for {len(found)} operands", node.location))
    if not node.op.elementwise:
        return list(found)
    return [None if one is None else _unbroadcast(one, operand) for one, operand in zip(found, node.inputs)]


def _unbroadcast(g: Value, operand: Value) -> Value:
    """Elementwise operands broadcast: sum the cotangent over the axes along which this one did."""
    if g.shape == operand.shape:
        return g
    extra = g.ndim - operand.ndim
    if extra < 0 or any(n == 1 != m for n, m in zip(g.shape[extra:], operand.shape)):
        # A rule may give a scalar cotangent for a larger operand; make it explicit first.
        g = primitives["broadcast_to"](g, shape=operand.shape)
        return g
    axes = tuple(range(extra)) + tuple(
        axis for axis, n in enumerate(operand.shape, extra) if n == 1 and g.shape[axis] != 1
    )
    reduced = primitives["sum"](g, axes=axes, keepdims=True) if axes else g
    return reduced if reduced.shape == operand.shape else primitives["reshape"](reduced, shape=operand.shape)
