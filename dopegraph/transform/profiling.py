"""``profile``: a function that is called once, compiled, and tells what the time went into."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.backends import Program, compile_graph
from dopegraph.backends.profiler import ProgramProfiler
from dopegraph.ir.graph import Graph
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy
from dopegraph.runtime.location import Location
from dopegraph.runtime.machine import limits
from dopegraph.runtime.profiling import profiling
from dopegraph.runtime.statistics import op_stats
from dopegraph.show.profile import Profile, Span
from dopegraph.transform.compiled import Compiled
from dopegraph.transform.plan import ReplayPlan
from dopegraph.transform.tree import Result


def profile(function: Callable[..., Any], repeats: int = 5) -> Callable[..., Profile]:
    """A function that calls `function` compiled and tells what the time of the call went into.

    The function is called once, and leaves everything as a call without a profile does. The compiled parts that it
    runs, which change nothing, are then run again to know the time of each kernel, product and operation in them.

    Parameters
    ----------
    function : callable
        One that `compile` made, a method that it compiled, or any; that is compiled for this call. Call it before with
        such arguments if recording and compiling are not to be in the profile.
    repeats : int
        How often compiled parts are run again; times are medians.

    Returns
    -------
    callable
        Takes the function's arguments, returns a `Profile`: printed as tables by step, by node and by line, with
        GFLOP/s and GB/s, and the share of what this machine can do that they are; ``to_dict()`` for the data,
        ``save("trace.json")`` for Perfetto, ``visualize("step.html")`` for a picture with colours by time.

    Notes
    -----
    The time of a stage of generated C is measured kernel by kernel, that of NumPy call by call. A kernel's time is
    divided among the lines it was fused from by what their operations cost; a symbol's time, which MXNet runs in bulk,
    by what each of its nodes takes alone (marked ``~``). Operations that run eagerly, outside of compiled parts, are
    time of Python.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> def f(x):
    ...     return np.tanh(x @ x).sum()
    >>> profile = dopegraph.profile(f)(np.ones((200, 200)))
    >>> profile.seconds > profile.computing > 0
    True
    >>> sorted({node.op.name for _, node, _ in profile.by_node()})
    ['matmul', 'sum', 'tanh']
    """
    given: tuple[Any, ...] = ()
    compiled: Any = function
    if isinstance(function, types.MethodType) and isinstance(function.__func__, Compiled):
        compiled, given = function.__func__, (function.__self__,)
    if not isinstance(compiled, Compiled):
        compiled = Compiled(function)

    @functools.wraps(function)
    def profiled(*args: Any, **kwargs: Any) -> Profile:
        machine = limits()
        profiler = ProgramProfiler(repeats)
        misses = compiled.cache_info().misses
        # Those who count what runs see every operation and every program; so does the profiler.
        with op_stats() as stats, profiling(profiler):
            start = profiler.now()
            result, outcome, _ = compiled.call((*given, *args), kwargs)
            span = Span(start, profiler.now())
        for program, lines in _lines(outcome).items():
            profiler.relocate(program, lines)
        recorded = compiled.cache_info().misses > misses
        return Profile(compiled.name, result, span, recorded, profiler.programs, dict(stats.host), machine)

    return profiled


def _lines(outcome: Any) -> dict[Program, list[Location | None]]:
    """Where the nodes of the programs that were replayed come from."""
    if isinstance(outcome, ReplayPlan):
        return {outcome.program: outcome.lines}
    segments = outcome.segments if isinstance(outcome, Result) else ()
    # Of a segment that is run for several parts of the function: the lines of the first.
    return {one.program: one.lines for one in reversed(segments) if one.program is not None}


def profile_graph(graph: Graph, arguments: Sequence[numpy.ndarray], repeats: int = 5) -> Profile:
    """The profile of a graph that is run once for given arguments: no state changes."""
    program, profiler = compile_graph(graph, current_policy()), ProgramProfiler(repeats)
    start = profiler.now()
    results = profiler.run(program, [Buffer(numpy.array(one, order="C")) for one in arguments], None)
    span = Span(start, profiler.now())
    given = [buffer.array for buffer in results]
    return Profile(graph.name, given, span, False, profiler.programs, {}, limits())
