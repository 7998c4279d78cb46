"""The shortest way of a replay: guards, one NumPy function and the results as one piece of generated Python.

Most calls of small functions are of this kind, and cost more than their arithmetic if they go through `ReplayPlan.run`.
Whatever is out of the ordinary is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dopegraph.backends import Program
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.statistics import recorders
from dopegraph.state.guards import Guards

MISS = object()
"""What a replay gives that has to be done, or refused, by the plan."""

Replay = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def never(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The replay of a plan that has no short way."""
    return MISS


def straight(
    guards: Guards,
    program: Program,
    arguments: Sequence[str],
    lists: Mapping[str, Sequence[str]],
    lines: Sequence[str],
    constants: Mapping[str, Any],
) -> Replay:
    """The function ``replay(args, kwargs)``; `never` where a program is more than one NumPy function.

    Parameters
    ----------
    guards : Guards
        That were compiled.
    program : Program
    arguments : sequence of str
        Expressions for the memory of the program's arguments.
    lists : mapping of str to sequence of str
        What `lines` know as lists: for each the expressions in it.
    lines : sequence of str
        Make the function's result of ``results``.
    constants : mapping of str to Any
        What `lines` and `arguments` name.
    """
    executable = program.alone
    if executable is None:
        return never
    text = "\n".join(lines)
    given = dict(zip(program.graph.arguments, arguments))
    found = [f"{name} = [{', '.join(part)}]" for name, part in lists.items() if f"{name}[" in text]
    operands = [given[value] for value in program.stages[0].inputs]
    found.append(f"operands = [{', '.join(operands)}]")
    found.append("if recorders: return MISS")
    results = [f"Buffer(computed[{position}])" for position in range(len(program.graph.results))]
    body = ["with lock: computed = quietly(function, *operands)", f"results = [{', '.join(results)}]", *lines]
    here = {
        "MISS": MISS,
        "Buffer": Buffer,
        "lock": executable.lock,
        "quietly": executable.quietly,
        "function": executable.function,
        "recorders": recorders,
    }
    return guards.replay(found, body, {**constants, **here})
