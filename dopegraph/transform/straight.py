"""The shortest way of a replay: guards, one NumPy or C function and the results as one piece of generated Python.

Most calls of small functions are of this kind, and cost more than their arithmetic if they go through `ReplayPlan.run`.
Whatever is out of the ordinary is left to it. `direct_call.py` writes what a C function needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dopegraph.backends import Program
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.statistics import recorders
from dopegraph.state.guards import Guards
from dopegraph.transform.direct_call import DirectCall, Inputs

MISS = object()
"""What a replay gives that has to be done, or refused, by the plan."""

Replay = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def never(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The replay of a plan that has no short way."""
    return MISS


def straight(
    guards: Guards,
    program: Program,
    inputs: Inputs,
    lists: Mapping[str, Sequence[str]],
    lines: Sequence[str],
    constants: Mapping[str, Any],
    lock: threading.Lock,
    spare: list[Buffer | None],
    kept: list[list[Buffer]],
) -> Replay:
    """The function ``replay(args, kwargs)``; `never` where a program is more than one function.

    Parameters
    ----------
    guards : Guards
        That were compiled.
    program : Program
    inputs : Inputs
    lists : mapping of str to sequence of str
        What `lines` know as lists: for each the expressions in it.
    lines : sequence of str
        Make the function's result of ``results``.
    constants : mapping of str to Any
        What `lines` name.
    lock, spare, kept
        The plan's: who holds the lock may take spare buffers, and change places with those of state; in what is kept
        the plan finds memory of results that may be used again.
    """
    text = "\n".join(lines)
    found = [f"{name} = [{', '.join(part)}]" for name, part in lists.items() if f"{name}[" in text]
    if program.kernels is not None:
        call = DirectCall(program, inputs, lock, spare)
        kept.extend(call.kept)
        here = {**constants, **call.constants, "MISS": MISS, "recorders": recorders}
        return guards.replay([*call.found, *found], [*call.body, *lines], here)
    executable = program.alone
    if executable is None or inputs.updated:
        return never
    captured = {f"C{index}": buffer.array for index, buffer in enumerate(inputs.captured)}
    dtypes = {f"D{index}": dtype for index, (_, dtype) in enumerate(inputs.scalars)}
    arguments = [
        *(f"{buffer}._array" for buffer in inputs.arrays),
        *(f"asarray({expression}, D{index})" for index, (expression, _) in enumerate(inputs.scalars)),
        *captured,
        *(f"{buffer}._array" for buffer in inputs.state),
    ]
    given = dict(zip(program.graph.arguments, arguments))
    operands = [given[value] for value in program.stages[0].inputs]
    found += [f"operands = [{', '.join(operands)}]", "if recorders: return MISS"]
    results = [f"Buffer(computed[{position}])" for position in range(len(program.graph.results))]
    body = ["with lock: computed = quietly(function, *operands)", f"results = [{', '.join(results)}]", *lines]
    here = {
        **captured,
        **dtypes,
        "MISS": MISS,
        "Buffer": Buffer,
        "lock": executable.lock,
        "quietly": executable.quietly,
        "function": executable.function,
        "recorders": recorders,
    }
    return guards.replay(found, body, {**constants, **here})
