"""Decides which backend runs each node of a graph: by what they support, and by what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from dopegraph.backends.codegen import support
from dopegraph.backends.partition import BACKENDS, Stage, assign, stages_of
from dopegraph.ir.graph import Graph, Node
from dopegraph.runtime.errors import FallbackError
from dopegraph.runtime.location import Location, located
from dopegraph.runtime.reasons import hint_of

_CODEGEN = BACKENDS.index("codegen")

# A symbol costs 30 us and 2 us for each of its nodes, a call of NumPy's 0.3 us. With so many elements in all the NumPy
# backend takes less than half the time for elementwise functions and for small networks with their gradients alike
# (benchmarks/small_calls.py); both compute at the same speed. So it is with twice as many additions. 0 is never.
SMALL = int(os.environ.get("DOPEGRAPH_SMALL", 16_384))
# With fewer elements a node NumPy's calls are cheaper than MXNet's, however many there are.
CRUMB = 64
# Loops over windows, which MXNet has tuned operators for.
_SLOW_ON_NUMPY = frozenset(
    ["conv", "conv_grad_data", "conv_grad_weight", "max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad"]
)


@dataclass(frozen=True)
class Fallback:
    """A node that NumPy runs although MXNet was preferred: a stable reason id, what it means, and the user's line."""

    operation: str
    reason: str
    detail: str
    location: Location | None

    @property
    def hint(self) -> str:
        """What to change."""
        return hint_of(self.reason)

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.operation}{where}: {self.reason} ({self.detail})"


@dataclass
class Placement:
    """The stages of a graph, the nodes that fall back to NumPy, and what the user has to be told once.

    `is_small`: NumPy runs all of it, although MXNet was preferred, because it computes little.
    """

    stages: list[Stage]
    fallbacks: list[Fallback] = field(default_factory=list)
    warning: str = ""
    is_small: bool = False


def place(graph: Graph, policy: str, codegen: str, on_host: bool = True) -> Placement:
    """Stages of a graph under a policy; `codegen` says whether C is generated: auto, always or never."""
    codegen = codegen if policy == "prefer_mxnet" else "never"
    small = codegen != "always" and policy == "prefer_mxnet" and on_host and is_small(graph)
    if policy == "only_numpy" or small:
        return Placement(stages_of(graph, assign(graph, lambda node: "numpy")), is_small=small)
    operators = _Operators(policy)
    if codegen == "never":
        members = assign(graph, operators.backend_of)
    else:
        members = _with_kernels(graph, operators.backend_of, codegen == "always")
    engines = {BACKENDS[number % len(BACKENDS)] for number in members}
    if policy == "prefer_mxnet" and on_host and "mxnet" in engines and "codegen" not in engines and is_crumbs(graph):
        return Placement(stages_of(graph, assign(graph, lambda node: "numpy")), is_small=True)
    found = []
    for number, nodes in members.items():
        if BACKENDS[number % len(BACKENDS)] == "numpy":
            found += [operators.fallbacks[node] for node in nodes if node in operators.fallbacks]
    # The kernels of MXNet's own operators call MXNet, in whatever stage they stand.
    elsewhere = [one for one in found if one.reason != "opaque-operator"]
    if elsewhere and policy == "only_mxnet":
        first = elsewhere[0]
        raise FallbackError(
            located(f"only_mxnet: {first.operation} has to run on NumPy: {first.detail}", first.location)
        )
    return Placement(stages_of(graph, members), found, operators.warning)


def is_small(graph: Graph) -> bool:
    """Whether a graph computes so few elements that a symbol costs more to call than NumPy takes for all of it."""
    return _has_few_elements(graph) and library_is_there()


def weighs_calls() -> bool:
    """Whether what calls cost decides who runs a graph; tests of MXNet's operators choose that it does not."""
    return SMALL > 0


def _has_few_elements(graph: Graph) -> bool:
    if any([node.op.name in _SLOW_ON_NUMPY for node in graph.nodes]):
        return False
    if sum([value.type.size for node in graph.nodes for value in node.outputs]) < SMALL:
        return True
    # Views and numbers have elements, too, and are no work: a recommender's step took NumPy 61 us, a symbol 180.
    return support.work(graph.nodes) < 2 * SMALL


def is_crumbs(graph: Graph) -> bool:
    """Whether a graph, however long, computes so little in each of its nodes that calling is what costs."""
    if not SMALL or any([node.op.name in _SLOW_ON_NUMPY for node in graph.nodes]):
        return False
    sizes = [value.type.size for node in graph.nodes if node.inputs for value in node.outputs]
    return sum(sizes) < CRUMB * len(sizes)


def library_is_there() -> bool:
    """Whether there is a choice."""
    from dopegraph.backends.mxnet import library

    return library.available()


class _Operators:
    """Which backend has an operator for a node; MXNet is loaded when the first node asks.

    Attributes
    ----------
    fallbacks : dict of Node to Fallback
        Why nodes that NumPy has do not run on MXNet.
    warning : str
        What the user has to be told once.
    """

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.fallbacks: dict[Node, Fallback] = {}
        self.warning = ""
        if policy == "only_mxnet":
            self._there()

    def backend_of(self, node: Node) -> str:
        """The backend that runs a node operator by operator."""
        if node in self.fallbacks or not self._there():
            return "numpy"
        from dopegraph.backends.mxnet.lowering import lacking

        found = lacking(node)
        if found is None:
            return "mxnet"
        self.fallbacks[node] = Fallback(node.op.name, found.reason, found.detail, node.location)
        return "numpy"

    def _there(self) -> bool:
        from dopegraph.backends.mxnet import library

        if library.available():
            return True
        if self.policy == "only_mxnet":
            raise FallbackError(f"the policy only_mxnet needs MXNet: {library.why_missing()}")
        self.warning = f"graphs run without MXNet, which is slower: {library.why_missing()}"
        return False


def _with_kernels(graph: Graph, otherwise: Callable[[Node], str], always: bool) -> dict[int, list[Node]]:
    """Generated code for all that it can run, if that is enough work; not for small parts between other stages."""
    generated = {node for node in graph.nodes if node.inputs and support.runs(node)}
    if not always:
        generated = _without_mixed_windows(graph, generated)
    if not always and support.work(generated) < support.WORTH:
        generated.clear()
    while True:
        members = assign(graph, lambda node: "codegen" if node in generated else otherwise(node))
        if always or len(members) == 1:
            return members
        small = [
            node
            for number, nodes in members.items()
            if number % len(BACKENDS) == _CODEGEN and support.work(nodes) < support.ISLAND
            for node in nodes
        ]
        if not small:
            return members
        generated.difference_update(small)


def _without_mixed_windows(graph: Graph, generated: set[Node]) -> set[Node]:
    """One engine for all convolutions and pooling of a graph: where C lacks one, MXNet has all of them."""
    windows = {node for node in graph.nodes if node.op.name in _SLOW_ON_NUMPY}
    return generated if windows <= generated else generated - windows
