"""The graph of a function for given arguments, as text, picture or object; nothing is compiled and no state changes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from dopegraph.array import ndarray
from dopegraph.ir.graph import Graph, Value, extract
from dopegraph.numpy import random
from dopegraph.passes import optimize as run_passes
from dopegraph.runtime.errors import StructureError
from dopegraph.runtime.location import here
from dopegraph.state.effects import Watch
from dopegraph.state.names import parameter_names, readable
from dopegraph.state.places import Place
from dopegraph.state.static import Static
from dopegraph.state.values import unwrap
from dopegraph.state.walk import Walk, walk
from dopegraph.trace.active import outside_recordings
from dopegraph.trace.look import Escape
from dopegraph.trace.recording import Recording
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import flatten
from dopegraph.transform.placement import Unreplayable
from dopegraph.transform.results import lay_out, unknown_code


def trace(function: Callable[..., Any], optimize: bool = False) -> Callable[..., Graph]:
    """A function that returns the graph that `function` records for its arguments.

    Parameters
    ----------
    function : callable
    optimize : bool
        Run the passes as well: the graph that would be executed.

    Returns
    -------
    callable
        Takes the function's arguments, returns a `dopegraph.ir.Graph`. What the function assigns is undone.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> def f(x):
    ...     return np.log(np.exp(x).sum())
    >>> print(dopegraph.trace(f)(np.ones(3)))  # doctest: +ELLIPSIS
    graph f(%x: f32[3]) {
      %0: f32[3] = exp(%x)...
      %1: f32[] = sum(%0) {axes=(0,)}...
      %2: f32[] = log(%1)...
      return %2
    }
    """

    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Graph:
        graph = record_graph(function, args, kwargs).graph
        return run_passes(graph) if optimize else graph

    return traced


class Recorded(NamedTuple):
    """The graph that a function records, what its inputs and its state hold, and why such a call cannot be replayed."""

    graph: Graph
    state: list[numpy.ndarray]
    breaks: list[Escape]
    inputs: list[numpy.ndarray]


def record_graph(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static: Static = Static(),  # noqa: B008 - immutable
) -> Recorded:
    """The graph that a function records; what the function assigned, wrote or stored on the way is undone."""
    recorded, drawn = _record(function, args, kwargs, static)
    # Layers that have drawn their parameters just now can be asked for them, and for their names, the next time.
    return _record(function, args, kwargs, static)[0] if drawn else recorded


def _record(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], static: Static
) -> tuple[Recorded, bool]:
    found = walk(function, args, kwargs, static)
    name = _name_of(function)
    # Not along the path of what was recorded before, whose nodes have the lines of another function.
    recording = Recording(name if name.isidentifier() else "graph", repeated=False)
    recording.originals = {}
    recording.caller = sys._getframe().f_code
    watch = Watch(found.home)
    found.stand_ins.install()
    try:
        with outside_recordings(), recording:
            with watch:
                result = function(*found.args, **found.kwargs)
            recording.returned()
            breaks = _breaks(found, recording, watch, result)
            returned = [_array(leaf) for _, leaf in flatten(result)[0]]
            outputs = [recording.value_of(leaf) for leaf in returned if leaf is not None]
            updates = [(recording.lifted[key][1], handle._value) for key, handle in recording.mutated.items()]
    finally:
        drawn = _undo(found, recording)
    leaves = [leaf for _, leaf in flatten([list(found.args), list(found.kwargs.values())])[0]]
    arguments = {id(leaf): place for place, leaf in enumerate(leaves)}
    floats = {leaf.expression: place for place, leaf in enumerate(leaves) if isinstance(leaf, DynamicFloat)}
    given = [*zip(parameter_names(unwrap(function), len(found.args)), found.args), *found.kwargs.items()]
    labels = {one.expression: label for label, one in given if isinstance(one, DynamicFloat)}
    # Inputs stand in the order of the arguments, whichever the function uses first.
    places: dict[Value, int] = {}
    state = []
    for handle, value in recording.lifted.values():
        place = found.arrays.get(id(handle))
        label = found.paths.get(place[0]) if place is not None else "rng" if handle is random.STATE else None
        value.name = readable(value.name or label)
        if id(handle) in arguments:
            places[value] = arguments[id(handle)]
        else:
            state.append(value)
    for (expression, _), value in recording.scalars.items():
        value.name = labels.get(expression, value.name)
        places[value] = floats.get(expression, len(leaves))
    inputs = sorted(places, key=lambda value: places[value])
    state += [value for value in recording.known if value in recording.captured]
    graph = extract(recording.name, recording.builder.nodes, inputs, state, outputs, updates)
    held = [[numpy.array(recording.known[value].array) for value in part] for part in (state, inputs)]
    return Recorded(graph, held[0], breaks, held[1]), drawn


def _name_of(function: Callable[..., Any]) -> str:
    """A function's name; of an object to call its own, or that of its class."""
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__name__", None)
    if name is None or (name == "__call__" and owner is not None):
        called = function if owner is None else owner
        name = getattr(called, "__dict__", {}).get("name")
        return name if isinstance(name, str) else type(called).__name__
    return str(name)


def _breaks(found: Walk, recording: Recording, watch: Watch, result: Any) -> list[Escape]:
    looks = [look.escape for look in recording.looks]
    breaks = [*found.problems, *looks, *recording.escapes, *watch.effects, *unknown_code(found, watch)]
    if not breaks:
        try:
            layout, _ = lay_out(found, recording, result)
            layout.arrange()
        except Unreplayable as cause:
            breaks.append(Escape(cause.reason, str(cause), here()))
    return breaks


def _array(leaf: Any) -> ndarray | None:
    if isinstance(leaf, ndarray):
        return leaf
    if leaf is None or isinstance(leaf, (bool, int, float, str, DynamicFloat)):
        return None  # not an array: no part of the graph
    raise StructureError(f"trace: the function returned a {type(leaf).__name__}")


def _undo(found: Walk, recording: Recording) -> bool:
    """Arrays and containers get back what they held; whether parameters were drawn, which stay."""
    drawn = [place for place in found.places if _is_drawn(place)]
    for handle in recording.live_handles():
        if id(handle) in recording.mutated:
            handle._value = handle._recording = None
    parameters = {id(place.now()["_data"]) for place in drawn}
    for root, contents in (recording.originals or {}).values():
        if id(root) in parameters:
            continue
        if root._shared:
            root._buffer.overwrite(contents)
        else:
            root._buffer = contents
    for _, array, copy in found.contents:
        if isinstance(array, numpy.ndarray) and array.tobytes() != copy.tobytes():
            numpy.copyto(array, copy)
    for place in found.places:
        if place not in drawn:
            place.restore()
    found.stand_ins.remove()
    return bool(drawn)


def _is_drawn(place: Place) -> bool:
    """Whether a parameter of a layer got its array just now, as it would have in a call: its numbers are drawn once."""
    if "_data" not in place.before or place.before["_data"] is not None or "_waiting" not in place.holder:
        return False
    array = place.now().get("_data")
    return isinstance(array, ndarray) and array._recording is None
