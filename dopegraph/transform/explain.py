"""``explain``: what became of a call; how many graphs and symbols, what ran on NumPy, what ran as Python, and why."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dopegraph.backends import Fallback
from dopegraph.runtime.location import located
from dopegraph.trace.recording import Escape
from dopegraph.transform.compiled import Compiled, Recompile
from dopegraph.transform.plan import ReplayPlan

# What to do about each reason; the ids are stable.
HINTS = {
    "value-branch": "Python branches on a traced value; np.where keeps the choice in the graph",
    "value-escape": "Python reads a traced value; return the array and read it outside the compiled function",
    "side-effect": "move the call out of the compiled function",
    "host-call": "the result is computed by NumPy from traced values",
    "host-write": "write through slices, or choose with np.where",
    "device-copy": "copy outside the compiled function",
    "unguarded-state": "pass it as an argument, or keep it out of the function",
    "unguarded-function": "refer to the function by a name, a closure or an attribute",
    "state-too-large": "keep large Python containers out of the function",
    "shared-memory": "pass copies, or pass each array once",
    "error": "an operation refused the values",
    "unreplayable": "return the array, or write it into one that exists",
    "unsupported-argument": "convert the argument to numbers",
    "no-lowering": "MXNet has no such operator",
    "dtype": "MXNet has no operator for this dtype; float32 has all",
    "random-numbers": "drawn by NumPy by design: the same numbers on every backend",
    "no-operator": "NumPy computes it by design: MXNet has no operator for it, or one that differs",
    "empty-array": "MXNet takes a length of 0 for unknown",
}


@dataclass
class Explanation:
    """What became of a call of a compiled function.

    Attributes
    ----------
    result : Any
        What the function returned.
    replayed : bool
        Whether calls like this one run as compiled programs, without any Python.
    graphs, symbols, nodes : int
        Programs, MXNet symbols in them, and nodes of their optimized graphs.
    escapes : list of Escape
        Why calls like this one run as Python.
    fallbacks : list of Fallback
        Nodes that NumPy runs.
    recompiles : list of Recompile
        Why the function was recorded again, so far.
    """

    name: str
    result: Any
    replayed: bool
    graphs: int
    symbols: int
    nodes: int
    escapes: list[Escape] = field(default_factory=list)
    fallbacks: list[Fallback] = field(default_factory=list)
    recompiles: list[Recompile] = field(default_factory=list)

    def __str__(self) -> str:
        how = "replayed as compiled code" if self.replayed else "runs as Python"
        lines = [
            f"{self.name}: {how}; {self.graphs} graph(s), {self.symbols} MXNet symbol(s), {self.nodes} nodes, "
            f"{len(self.fallbacks)} fallback(s), {len(self.recompiles)} recompile(s)"
        ]
        for escape in self.escapes:
            lines.append(located(f"as Python, {escape.reason}: {escape.detail}", escape.location))
            lines.append(f"  hint: {HINTS.get(escape.reason, '')}")
        for fallback in self.fallbacks:
            lines.append(
                located(f"on NumPy, {fallback.reason}: {fallback.operation}, {fallback.detail}", fallback.location)
            )
            lines.append(f"  hint: {HINTS.get(fallback.reason, '')}")
        for recompile in self.recompiles:
            lines.append(located(f"recorded again: {recompile.reason}", recompile.location))
        return "\n".join(lines)

    __repr__ = __str__


def explain(function: Callable[..., Any]) -> Callable[..., Explanation]:
    """A function that calls `function` compiled and reports what became of the call.

    Parameters
    ----------
    function : callable
        One that `compile` made, or any; that is compiled for this call.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> with dopegraph.policy("only_numpy"):
    ...     print(dopegraph.explain(lambda x: np.tanh(x) * 2)(np.ones(3)))
    <lambda>: replayed as compiled code; 1 graph(s), 0 MXNet symbol(s), 3 nodes, 0 fallback(s), 0 recompile(s)
    """
    compiled = function if isinstance(function, Compiled) else Compiled(function)

    @functools.wraps(function)
    def explained(*args: Any, **kwargs: Any) -> Explanation:
        result, plan, escapes = compiled.call(args, kwargs)
        programs = plan.programs if plan is not None else ()
        return Explanation(
            name=compiled.name,
            result=result,
            replayed=isinstance(plan, ReplayPlan) and not escapes,
            graphs=len(programs),
            symbols=sum(program.symbols for program in programs),
            nodes=sum(len(program.graph.nodes) for program in programs),
            escapes=list(escapes),
            fallbacks=list(plan.fallbacks) if plan is not None else [],
            recompiles=list(compiled.recompiles),
        )

    return explained
