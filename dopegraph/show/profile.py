"""What a call's time went into: by kernel, by node, by line of the source, against what the machine can do.

As a table, as data, and as a trace that Chrome's tracing and Perfetto open.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dopegraph.ir.graph import Graph, Node
from dopegraph.ir.printer import value_names
from dopegraph.runtime.location import Location
from dopegraph.runtime.machine import Limits
from dopegraph.show.picture import Facts
from dopegraph.show.profile_text import as_tables, as_text
from dopegraph.show.trace_events import Span, chrome_trace


@dataclass
class StepTime:
    """A kernel, a product, a call of NumPy's, or a node of a symbol.

    Attributes
    ----------
    name, backend : str
    seconds : float
        Of one run, the median of several.
    nodes : dict of Node to float
        The nodes of the program's graph that it computes, with their shares.
    flops, bytes : int
        Of one run, as ``graph.summary()`` counts them; a kernel reads and writes each array once.
    code : str
        The kernel's C text.
    estimated : bool
        Whether the time is a share of what was measured together, by what each takes alone.
    """

    name: str
    backend: str
    seconds: float
    nodes: dict[Node, float]
    flops: int = 0
    bytes: int = 0
    code: str = ""
    estimated: bool = False

    @property
    def lines(self) -> list[str]:
        """Where its nodes come from."""
        return list(dict.fromkeys(str(node.location) for node in self.nodes if node.location is not None))

    @property
    def gflops(self) -> float:
        """Thousands of millions of operations a second."""
        return self.flops / self.seconds / 1e9 if self.seconds else 0.0

    @property
    def bandwidth(self) -> float:
        """Thousands of millions of bytes a second."""
        return self.bytes / self.seconds / 1e9 if self.seconds else 0.0

    def share_of_limit(self, machine: Limits) -> float:
        """How near it is to the limit that it comes nearest to: arithmetic as in products, or memory bandwidth."""
        if not self.seconds:
            return 0.0
        double = any(value.type.dtype.itemsize >= 8 for node in self.nodes for value in node.outputs)
        peak = machine.flops["float64" if double else "float32"]
        return max(self.flops / peak, self.bytes / machine.bandwidth) / self.seconds


@dataclass
class StageTime:
    """A part of a program that one backend runs at a stretch: each run in the call, and the median of more."""

    backend: str
    runs: list[Span] = field(default_factory=list)
    seconds: float = 0.0
    steps: list[StepTime] = field(default_factory=list)


@dataclass
class ProgramTime:
    """A compiled graph: how often it ran in the call, and seconds for transfers between devices in all runs."""

    graph: Graph
    stages: list[StageTime] = field(default_factory=list)
    runs: list[Span] = field(default_factory=list)
    transfer: float = 0.0

    @property
    def facts(self) -> dict[Node, Facts]:
        """What a picture shows of each node."""
        found: dict[Node, Facts] = {}
        for step in (step for stage in self.stages for step in stage.steps):
            for node, share in step.nodes.items():
                together = step.estimated or len(step.nodes) > 1
                before = found[node].seconds or 0.0 if node in found else 0.0
                found[node] = Facts(step.backend, step.name, step.code, before + share * step.seconds, together)
        return found


@dataclass
class Profile:
    """What became of a call's time.

    Attributes
    ----------
    name : str
    result : Any
        What the function returned.
    call : Span
        The call, on a clock that stands still while something is run once more to be measured.
    recorded : bool
        Whether the call recorded and compiled something: then `host` is mostly that.
    programs : list of ProgramTime
    host_calls : dict of str to int
        NumPy's functions that ran between programs.
    machine : Limits
    """

    name: str
    result: Any
    call: Span
    recorded: bool
    programs: list[ProgramTime]
    host_calls: dict[str, int]
    machine: Limits

    @property
    def seconds(self) -> float:
        """Of the call."""
        return self.call.seconds

    @property
    def transfer(self) -> float:
        """Seconds for moving arrays between devices."""
        return sum(program.transfer for program in self.programs)

    @property
    def computing(self) -> float:
        """Seconds in kernels, symbols and NumPy's functions, as they ran in the call."""
        return sum(run.seconds for program in self.programs for stage in program.stages for run in stage.runs)

    @property
    def measured(self) -> float:
        """Seconds in kernels, symbols and NumPy's functions by the medians of their repetitions."""
        return sum(len(stage.runs) * stage.seconds for program in self.programs for stage in program.stages)

    @property
    def host(self) -> float:
        """Seconds in Python: guards, plans, what is not compiled; and recording, if the call did that."""
        return max(self.seconds - self.computing - self.transfer, 0.0)

    @property
    def steps(self) -> list[tuple[StepTime, int]]:
        """Everything that was timed, with how often it ran; what took longest first."""
        found = [
            (step, len(stage.runs)) for program in self.programs for stage in program.stages for step in stage.steps
        ]
        return sorted(found, key=lambda item: -item[0].seconds * item[1])

    def by_node(self) -> list[tuple[str, Node, float]]:
        """Name in the graph, node and seconds in all runs; what took longest first."""
        found = []
        for program in self.programs:
            names = value_names(program.graph)
            for node, facts in program.facts.items():
                found.append((names[node.outputs[0]], node, (facts.seconds or 0.0) * len(program.runs)))
        return sorted(found, key=lambda item: -item[2])

    def by_line(self) -> list[tuple[Location | None, float]]:
        """Lines of the source with their seconds; what took longest first."""
        found: dict[Location | None, float] = {}
        for step, times in self.steps:
            for node, share in step.nodes.items():
                found[node.location] = found.get(node.location, 0.0) + share * step.seconds * times
        return sorted(found.items(), key=lambda item: -item[1])

    # Forms -------------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All of it but the result in dicts, lists, strings and numbers, as JSON has them; times in seconds."""
        return {
            "name": self.name,
            "seconds": self.seconds,
            "computing": self.computing,
            "measured": self.measured,
            "transfer": self.transfer,
            "host": self.host,
            "recorded": self.recorded,
            "host_calls": dict(self.host_calls),
            "machine": {"bandwidth": self.machine.bandwidth, "flops": dict(self.machine.flops)},
            "programs": [
                {
                    "graph": program.graph.name,
                    "nodes": len(program.graph.nodes),
                    "runs": len(program.runs),
                    "stages": [
                        {
                            "backend": stage.backend,
                            "seconds": stage.seconds,
                            "runs": [run.seconds for run in stage.runs],
                        }
                        for stage in program.stages
                    ],
                }
                for program in self.programs
            ],
            "steps": [
                {
                    "name": step.name,
                    "backend": step.backend,
                    "times": times,
                    "seconds": step.seconds,
                    "estimated": step.estimated,
                    "flops": step.flops,
                    "bytes": step.bytes,
                    "share_of_limit": step.share_of_limit(self.machine),
                    "operations": [node.op.name for node in step.nodes],
                    "lines": step.lines,
                }
                for step, times in self.steps
            ],
            "nodes": [
                {
                    "value": name,
                    "operation": node.op.name,
                    "line": str(node.location) if node.location is not None else None,
                    "seconds": seconds,
                }
                for name, node, seconds in self.by_node()
            ],
            "lines": [
                {
                    "file": where.file if where else None,
                    "line": where.line if where else None,
                    "source": where.source() if where else "",
                    "seconds": seconds,
                }
                for where, seconds in self.by_line()
            ],
        }

    def chrome_trace(self) -> dict[str, Any]:
        """The call as a trace in the form that ``chrome://tracing`` and https://ui.perfetto.dev open."""
        return chrome_trace(self)

    def save(self, path: str | Path) -> Path:
        """Write the trace for Perfetto into a file, as JSON."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(self.chrome_trace()), encoding="utf-8")
        return target

    def visualize(self, path: str | Path | None = None, **options: Any) -> Any:
        """Draw the programs with colours by time; the options are those of `dopegraph.visualize`."""
        from dopegraph.show.dot import render
        from dopegraph.show.picture import picture_of, recolour

        colour, fold = options.get("colour", "time"), options.get("fold")
        pictures = []
        for number, program in enumerate(self.programs):
            title = f"{program.graph.name} {number}" if len(self.programs) > 1 else program.graph.name
            pictures.append(picture_of(program.graph, title, program.facts, fold=fold))
            recolour(pictures[-1], colour)
        if not pictures:
            raise ValueError(f"visualize: {self.name} ran no compiled graph")
        return render(pictures, path if path is not None else f"{self.name}.svg", colour, title=self.name)

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        return f"<Profile {self.name}: {1e6 * self.seconds:,.1f} µs>"

    def __rich__(self) -> Any:
        """The tables for `rich` to print."""
        return as_tables(self)

    def print(self) -> None:
        """Print it, as tables if `rich` is installed."""
        try:
            importlib.import_module("rich").print(self)
        except ImportError:
            print(self)
