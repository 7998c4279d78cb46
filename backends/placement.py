"""Decides which backend runs each node of a graph: by what they support, and by what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dopegraph.backends.codegen import support
from dopegraph.backends.partition import BACKENDS, Stage, assign, stages_of
from dopegraph.ir.graph import Graph, Node
from dopegraph.runtime.errors import FallbackError
from dopegraph.runtime.location import Location, located
from dopegraph.runtime.reasons import hint_of

_CODEGEN = BACKENDS.index("codegen")


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
    """The stages of a graph, the nodes that fall back to NumPy, and what the user has to be told once."""

    stages: list[Stage]
    fallbacks: list[Fallback] = field(default_factory=list)
    warning: str = ""


def place(graph: Graph, policy: str, codegen: str) -> Placement:
    """Stages of a graph under a policy; `codegen` says whether C is generated: auto, always or never."""
    if policy == "only_numpy":
        return Placement(stages_of(graph, assign(graph, lambda node: "numpy")))
    otherwise, fallbacks, warning = _operators(policy)
    members = assign(graph, otherwise) if codegen == "never" else _with_kernels(graph, otherwise, codegen == "always")
    found = []
    for number, nodes in members.items():
        if BACKENDS[number % len(BACKENDS)] == "numpy":
            found += [fallbacks[node] for node in nodes if node in fallbacks]
    if found and policy == "only_mxnet":
        first = found[0]
        raise FallbackError(
            located(f"only_mxnet: {first.operation} has to run on NumPy: {first.detail}", first.location)
        )
    return Placement(stages_of(graph, members), found, warning)


def _operators(policy: str) -> tuple[Callable[[Node], str], dict[Node, Fallback], str]:
    """Which backend has an operator for a node, why those that NumPy has do not run on MXNet, and a warning."""
    from dopegraph.backends.mxnet import library

    if not library.available():
        if policy == "only_mxnet":
            raise FallbackError(f"the policy only_mxnet needs MXNet: {library.why_missing()}")
        warning = f"graphs run without MXNet, which is slower: {library.why_missing()}"
        return lambda node: "numpy", {}, warning
    from dopegraph.backends.mxnet.lowering import lacking

    fallbacks: dict[Node, Fallback] = {}

    def backend_of(node: Node) -> str:
        found = lacking(node)
        if found is None:
            return "mxnet"
        fallbacks[node] = Fallback(node.op.name, found.reason, found.detail, node.location)
        return "numpy"

    return backend_of, fallbacks, ""


def _with_kernels(graph: Graph, otherwise: Callable[[Node], str], always: bool) -> dict[int, list[Node]]:
    """Generated code for all that it can run, if that is enough work; not for small parts between other stages."""
    generated = {node for node in graph.nodes if node.inputs and support.runs(node)}
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
