"""``explain``: what became of a call; how many graphs and symbols, what ran on NumPy, what ran as Python, and why."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dopegraph.backends import Fallback, Program
from dopegraph.runtime.location import Location, located
from dopegraph.runtime.reasons import GUARD, NUMPY, PYTHON, REASONS, RECOMPILE, UNFUSED
from dopegraph.trace.look import Escape
from dopegraph.transform.cache import Recompile
from dopegraph.transform.compiled import Compiled
from dopegraph.transform.plan import ReplayPlan
from dopegraph.transform.tree import Result

# So many primitives of a segment are named.
_SHOWN = 8
# So many steps of generated code are.
_STEPS = 24


@dataclass(frozen=True)
class Finding:
    """Something that kept a call from being one compiled program.

    Attributes
    ----------
    id : str
        The stable id of the reason, of `dopegraph.runtime.reasons` and docs/reasons.md.
    kind : {"guarded", "as Python", "on NumPy", "operator by operator", "recorded again"}
    detail : str
        What happened.
    location : Location or None
        The user's line.
    hint : str
        What to change.
    times : int
        How often.
    """

    id: str
    kind: str
    detail: str
    location: Location | None
    hint: str
    times: int = 1

    def __str__(self) -> str:
        times = f", {self.times} times" if self.times > 1 else ""
        return located(f"{self.kind}, {self.id}: {self.detail}{times}", self.location) + f"\n  hint: {self.hint}"


@dataclass(frozen=True)
class Segment:
    """A part of a program that one backend runs at a stretch: how many nodes it has, by primitive, and how often.

    `steps` are those of generated code: kernels with their loops, what they compute, bytes and operations; products.
    """

    graph: str
    backend: str
    nodes: int
    operations: dict[str, int]
    times: int = 1
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        counted = [name if count == 1 else f"{count} {name}" for name, count in self.operations.items()]
        shown = ", ".join(counted[:_SHOWN]) + (", ..." if len(counted) > _SHOWN else "")
        times = f", {self.times} times" if self.times > 1 else ""
        first = f"segment of {self.nodes} nodes on {self.backend}{times}: {shown or 'constants'}"
        more = [f"  and {len(self.steps) - _STEPS} more"] if len(self.steps) > _STEPS else []
        return "\n".join([first, *(f"  {step}" for step in self.steps[:_STEPS]), *more])


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
        Different programs, MXNet symbols in them, and nodes of their optimized graphs.
    guards : list of Escape
        What Python looks at between segments; another outcome leads to another plan.
    escapes : list of Escape
        Why calls like this one run as Python.
    fallbacks : list of Fallback
        Nodes that NumPy runs.
    recompiles : list of Recompile
        Why the function was recorded again, so far.
    segments : list of Segment
        What runs where, in order.
    unfused : list of Fallback
        Why programs run without generated kernels where they would pay.
    small : list of (str, int)
        Graphs that NumPy runs because they compute little, with their numbers of nodes.
    """

    name: str
    result: Any
    replayed: bool
    graphs: int
    symbols: int
    nodes: int
    guards: list[Escape] = field(default_factory=list)
    escapes: list[Escape] = field(default_factory=list)
    fallbacks: list[Fallback] = field(default_factory=list)
    recompiles: list[Recompile] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    unfused: list[Fallback] = field(default_factory=list)
    small: list[tuple[str, int]] = field(default_factory=list)

    @property
    def reasons(self) -> list[Finding]:
        """Everything that `explain` has to say, in one form."""
        found = [(one.reason, GUARD, one.detail, one.location) for one in self.guards]
        found += [(one.reason, PYTHON, one.detail, one.location) for one in self.escapes]
        found += [(one.reason, NUMPY, f"{one.operation}, {one.detail}", one.location) for one in self.fallbacks]
        found += [(one.reason, UNFUSED, one.detail, one.location) for one in self.unfused]
        found += [("small-graph", NUMPY, f"all of {name}, {nodes} nodes", None) for name, nodes in self.small]
        found += [(one.reason, RECOMPILE, one.detail, one.location) for one in self.recompiles]
        return [
            Finding(reason, kind, detail, location, REASONS[reason].hint, times)
            for (reason, kind, detail, location), times in Counter(found).items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it but the result in dicts, lists, strings and numbers, as JSON has them."""
        return {
            **{name: getattr(self, name) for name in ("name", "replayed", "graphs", "symbols", "nodes")},
            "reasons": [dataclasses.asdict(one) for one in self.reasons],
            "segments": [dataclasses.asdict(one) for one in self.segments],
        }

    def __str__(self) -> str:
        how = "replayed as compiled code" if self.replayed else "runs as Python"
        first = (
            f"{self.name}: {how}; {self.graphs} graph(s), {self.symbols} MXNet symbol(s), {self.nodes} nodes, "
            f"{len(self.guards)} guard(s), {len(self.fallbacks)} fallback(s), {len(self.recompiles)} recompile(s)"
        )
        return "\n".join([first, *map(str, self.segments), *map(str, self.reasons)])

    __repr__ = __str__


def _segments(programs: Sequence[Program]) -> list[Segment]:
    """The stages of programs; a program that runs several times is told once."""
    segments = []
    for program, times in Counter(programs).items():
        for stage, executable in zip(program.stages, program.executables):
            counts = Counter(node.op.name for node in stage.graph.nodes if node.inputs)
            found = dict(counts.most_common())
            steps = tuple(str(executable.source.fusion).splitlines()) if stage.backend == "codegen" else ()
            nodes = len(stage.graph.nodes)
            segments.append(Segment(program.graph.name, stage.backend, nodes, found, times, steps))
    return segments


def explain(function: Callable[..., Any]) -> Callable[..., Explanation]:
    """A function that calls `function` compiled and reports what became of the call.

    Parameters
    ----------
    function : callable
        One that `compile` made, a method that it compiled, or any; that is compiled for this call. Under
        ``fullgraph=True`` a break is reported, too, not raised.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> with dopegraph.policy("only_numpy"):
    ...     print(dopegraph.explain(lambda x: np.tanh(x) * 2)(np.ones(3)))  # doctest: +ELLIPSIS
    <lambda>: replayed as compiled code; 1 graph(s), 0 MXNet symbol(s), 3 nodes, 0 guard(s), ...
    segment of 3 nodes on numpy: tanh, mul
    >>> explanation = dopegraph.explain(lambda x: x * float(x.sum()))(np.ones(3))
    >>> [(reason.id, reason.kind) for reason in explanation.reasons]
    [('value-escape', 'as Python')]
    """
    given: tuple[Any, ...] = ()
    compiled: Any = function
    if isinstance(function, types.MethodType) and isinstance(function.__func__, Compiled):
        compiled, given = function.__func__, (function.__self__,)
    if not isinstance(compiled, Compiled):
        compiled = Compiled(function)

    @functools.wraps(function)
    def explained(*args: Any, **kwargs: Any) -> Explanation:
        result, plan, escapes = compiled.call((*given, *args), kwargs)
        every = plan.programs if plan is not None else ()
        programs = list(dict.fromkeys(every))
        return Explanation(
            name=compiled.name,
            result=result,
            replayed=isinstance(plan, (ReplayPlan, Result)) and not escapes,
            graphs=len(programs),
            symbols=sum(program.symbols for program in programs),
            nodes=sum(len(program.graph.nodes) for program in programs),
            guards=[look.escape for look in plan.looks] if isinstance(plan, Result) else [],
            escapes=list(escapes),
            fallbacks=list(plan.fallbacks) if plan is not None else [],
            recompiles=list(compiled.recompiles),
            segments=_segments(every),
            unfused=[program.unfused for program in programs if program.unfused is not None],
            small=[(program.graph.name, len(program.graph.nodes)) for program in every if program.is_small],
        )

    return explained
