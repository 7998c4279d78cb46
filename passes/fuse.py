"""Finds what is computed together: a graph becomes a short list of kernels, and nodes that only libraries run.

Elementwise nodes are computed where they are read. Memory is for results, for operands of libraries, for reductions,
and for what would cost more to compute again than to load. Kernels grow greedily: a value joins one that has the same
loops and reads the same arrays, and that comes no earlier than what the value depends on, so no cycle can arise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ops.typing import normalize_axis
from dopegraph.passes.cells import (
    COSTS,
    REDUCTIONS,
    SAME,
    SOURCES,
    VIEWS,
    Request,
    domain_of,
    is_reduction,
    without_reshapes,
)
from dopegraph.passes.indices import spread_over, squeezed, through_reshape
from dopegraph.passes.kernels import Kernel

# Nodes that write their operands into parts of their result.
ASSEMBLED = ("concat", "slice_update")

# In additions and loads: computed twice at most for this much, and for each element of a broadcast.
CHEAP_TWICE, CHEAP_BROADCAST, LONGEST = 6, 3, 64

# How many kernels with the same loops are tried.
TRIED = 8


@dataclass(eq=False)
class Fusion:
    """What runs, in order: kernels, and nodes for libraries.

    Attributes
    ----------
    steps : list of Kernel or Node
    memory : dict of Value to Value
        For each result the value that is written into its memory; the two differ by their shape at most.
    """

    steps: list[Kernel | Node]
    memory: dict[Value, Value]

    @property
    def kernels(self) -> list[Kernel]:
        """The steps that are kernels."""
        return [step for step in self.steps if isinstance(step, Kernel)]

    def __str__(self) -> str:
        lines = []
        for step in self.steps:
            if isinstance(step, Kernel):
                lines.append(f"kernel {step}")
            else:
                lines.append(f"{step.op.name} {', '.join(str(value.type) for value in step.inputs)}")
        return "\n".join(lines)


def plan_fusion(graph: Graph, by_library: Callable[[Node], bool]) -> Fusion:
    """Group the nodes of a graph; those `by_library` stay what they are.

    Examples
    --------
    >>> from dopegraph.ir import parse
    >>> graph = parse('''graph f(%a: f32[10], %b: f32[10]) {
    ...   %0: f32[10] = mul(%a, %b)
    ...   %1: f32[10] = add(%0, %b)
    ...   return %1
    ... }''')
    >>> print(plan_fusion(graph, lambda node: False))
    kernel [10] mul add: 120 bytes, 50 operations
    """
    return _Planner(graph, by_library).plan()


class _Planner:
    def __init__(self, graph: Graph, by_library: Callable[[Node], bool]) -> None:
        self.graph = graph
        self.by_library = by_library
        self.given = {*graph.arguments, *(node.output for node in graph.nodes if is_array_constant(node))}
        self.memory: dict[Value, Value] = {}
        self.stored: set[Value] = set(self.given)
        self.steps: list[Kernel | Node] = []
        self.position: dict[Value, int] = {}
        self.by_domain: dict[tuple[int, ...], list[int]] = {}
        # Steps that compute something again: what else is behind a barrier may join them, but none that came before.
        self.again: set[int] = set()

    def plan(self) -> Fusion:
        self._results()
        self._choose_stored()
        for node in self.graph.nodes:
            if self.by_library(node):
                self.position.update(dict.fromkeys(node.outputs, len(self.steps)))
                self.steps.append(node)
            elif node.outputs[0] in self.stored and node.outputs[0] not in self.given:
                for request in requests_of(node):
                    self._place(request)
        fusion = Fusion(self.steps, self.memory)
        needed = set(self.memory.values())
        for step in self.steps:
            needed.update(step.loaded if isinstance(step, Kernel) else map(without_reshapes, step.inputs))
        for kernel in fusion.kernels:
            for root in kernel.roots:
                root.stored = root.request.target in needed
        return fusion

    # What has memory ---------------------------------------------------------------------------------------------

    def _results(self) -> None:
        # Those that are no reshapes come first: their memory is theirs.
        for result in sorted(self.graph.results, key=lambda result: without_reshapes(result) is not result):
            base = without_reshapes(result)
            if base in self.given or base in self.memory.values():
                base = result  # it needs memory of its own
            self.memory[result] = base
            self.stored.add(base)

    def _choose_stored(self) -> None:
        readers, joined = self._readers()
        self.stored |= joined
        cost: dict[Value, int] = dict.fromkeys(self.given, 1)
        for node in self.graph.nodes:
            value = node.outputs[0]
            if len(node.outputs) > 1:
                self.stored.update(node.outputs)
                cost.update(dict.fromkeys(node.outputs, 1))
            elif value in self.stored:
                cost[value] = 1
            elif self.by_library(node) or is_reduction(value) or node.op.name in ASSEMBLED:
                self.stored.add(value)
                cost[value] = 1
            elif is_view(node):
                cost[value] = cost[node.inputs[0]]
            elif node.op.name in SOURCES or node.op.name == "constant":
                cost[value] = 0
            else:
                found = COSTS.get(node.op.name, 1) + sum(cost[operand] for operand in node.inputs)
                sizes = readers.get(value, {}).values()
                again = len(sizes) > 1 and found > CHEAP_TWICE
                repeated = found > CHEAP_BROADCAST and value.type.size > 1 and max(sizes, default=0) > value.type.size
                if again or repeated or found > LONGEST:
                    self.stored.add(value)
                    found = 1
                cost[value] = found

    def _readers(self) -> tuple[dict[Value, dict[Node, int]], set[Value]]:
        """For each value the nodes that read it, views left out, with the size of their loops; and what needs memory
        because libraries read it, or a reshape that joins axes."""
        readers: dict[Value, dict[Node, int]] = {}
        needed: set[Value] = set()
        for node in self.graph.nodes:
            if is_view(node):
                continue
            reduces = is_reduction(node.outputs[0])
            size = (node.inputs[0] if reduces else node.outputs[0]).type.size if node.inputs else 0
            for operand in node.inputs:
                if self.by_library(node) or node.op.name == "take":
                    needed.add(without_reshapes(operand))
                self._follow(operand, node, size, readers, needed)
        for base in self.memory.values():
            if base.node is not None and is_view(base.node):
                self._follow(base, base.node, base.type.size, readers, needed)
        return readers, needed

    def _follow(
        self, value: Value, node: Node, size: int, readers: dict[Value, dict[Node, int]], needed: set[Value]
    ) -> None:
        while True:
            readers.setdefault(value, {})[node] = size
            if value.node is None or not is_view(value.node):
                return
            if value.node.op.name != "broadcast_to" and joins_axes(value.node):
                needed.add(without_reshapes(value))
            value = value.node.inputs[0]

    # Where it is computed ----------------------------------------------------------------------------------------

    def _place(self, request: Request) -> None:
        needed, is_again = self._dependencies(request)
        earliest = max((self.position.get(value, -1) for value in needed), default=-1)
        if request.target in self.position:
            earliest = max(earliest, self.position[request.target] + 1)
        for place in self._candidates(request, needed):
            kernel = self.steps[place]
            assert isinstance(kernel, Kernel)
            early = place < earliest or (is_again and place not in self.again)
            if not early and kernel.add(request, must_share=True):
                self.position[request.target] = place
                return
        kernel = Kernel(domain_of(request), self.stored.__contains__)
        added = kernel.add(request, must_share=False)
        assert added, f"no loops compute {request.source!r}"
        self.position[request.target] = len(self.steps)
        if is_again:
            self.again.add(len(self.steps))
        self.by_domain.setdefault(kernel.domain, []).append(len(self.steps))
        self.steps.append(kernel)

    def _candidates(self, request: Request, needed: set[Value]) -> list[int]:
        domain = domain_of(request)
        alike = self.by_domain.get(domain, [])[-TRIED:]
        # A number for each row may join the loops that reduce the rows.
        rows = [
            self.position[value]
            for value in needed
            if value in self.position and is_reduction(value) and squeezed(value.shape) == domain
        ]
        found = [place for place in {*alike, *rows} if isinstance(self.steps[place], Kernel)]
        return sorted(found, reverse=True)

    def _dependencies(self, request: Request) -> tuple[set[Value], bool]:
        """What is loaded to compute a request, and whether a barrier is on the way."""
        found: set[Value] = set()
        seen: set[Value] = set()
        barrier = False
        source = request.source
        rest = list(source.node.inputs) if request.starts is None and source.node is not None else [source]
        while rest:
            value = rest.pop()
            if value in seen:
                continue
            seen.add(value)
            if value in self.stored:
                found.add(value)
            elif value.node is not None:
                barrier = barrier or value.node.op.name == "barrier"
                rest.extend(value.node.inputs)
        return found, barrier


def requests_of(node: Node) -> Iterator[Request]:
    """What kernels have to write for a node that has memory."""
    value = node.outputs[0]
    if node.op.name == "concat":
        axis, start = normalize_axis(node.attrs["axis"], value.ndim), 0
        for part in node.inputs:
            if part.type.size:
                starts = tuple(start if one == axis else 0 for one in range(value.ndim))
                yield Request(part, value, starts, (1,) * value.ndim)
            start += part.shape[axis]
    elif node.op.name == "slice_update":
        whole, part = node.inputs
        yield Request(whole, value, (0,) * value.ndim, (1,) * value.ndim)
        if part.type.size:
            yield Request(part, value, node.attrs["starts"], node.attrs["steps"])
    else:
        yield Request(value, value)


def is_array_constant(node: Node) -> bool:
    """Whether a node is a constant that does not fit into the text of a program."""
    return node.op.name == "constant" and node.outputs[0].type.size != 1


def is_view(node: Node) -> bool:
    """Whether a node only says where the elements of its operand are."""
    name = node.op.name
    return (
        name in VIEWS or name in SAME or name == "reshape" or (name in REDUCTIONS and not is_reduction(node.outputs[0]))
    )


def joins_axes(node: Node) -> bool:
    """Whether a view is a reshape that only memory in C order can do."""
    if node.op.name != "reshape":
        return False
    old, new = node.inputs[0].shape, node.outputs[0].shape
    axes = len(new)
    index = spread_over(new, tuple(range(axes)), axes)
    return node.outputs[0].type.size > 0 and through_reshape(old, new, index, axes) is None
