"""Writes MXNet symbols as JSON text, node by node: faster than building them in MXNet's Python, and deterministic.

Used by the lowering; knows nothing of our graphs. The result is loaded with ``mx.sym.load_json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy

Shape = tuple[int, ...]

# MXNet's version in its own encoding: 1.9.1.
_VERSION = ["int", 10901]

# MXNet's numbers for dtypes. It has a bool too, but hardly an operator for it: booleans are bytes.
DTYPE_NUMBERS = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 3}

# Operators whose gradient MXNet can always build. A CachedOp builds the gradient of its symbol; before these it may do
# so, and a result that one of them makes need not be copied through a BlockGrad: its operands are blocked, in place.
_HAVE_GRADIENTS = frozenset([
    "elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "broadcast_add", "broadcast_sub", "broadcast_mul",
    "broadcast_div", "_plus_scalar", "_minus_scalar", "_rminus_scalar", "_mul_scalar", "_div_scalar", "_rdiv_scalar",
    "exp", "log", "sqrt", "square", "negative", "relu", "sigmoid", "dot", "batch_dot", "FullyConnected", "Cast",
    "Reshape", "transpose", "sum", "where",
])  # fmt: skip

# Operators for which MXNet has no gradient: a CachedOp needs the block right behind them.
_WITHOUT_GRADIENTS = frozenset(["_slice_assign"])


def has_gradient(op: str) -> bool:
    """Whether MXNet can build a gradient through an operator."""
    return op not in _WITHOUT_GRADIENTS and not op.startswith("_backward_")


class SymbolNode:
    """An operator with its operands, or an argument (``op == "null"``)."""

    __slots__ = ("attrs", "deps", "inputs", "name", "op", "sealed")

    def __init__(
        self, op: str, name: str, inputs: Sequence[Entry], attrs: dict[str, str], deps: Sequence[SymbolNode]
    ) -> None:
        self.op = op
        self.name = name
        self.inputs = list(inputs)
        self.attrs = attrs
        self.deps = tuple(deps)
        self.sealed = False

    @property
    def is_argument(self) -> bool:
        return self.op == "null"


class Entry:
    """One output of a node, with the shape and dtype it has on MXNet's side."""

    __slots__ = ("dtype", "index", "node", "shape")

    def __init__(self, node: SymbolNode, index: int, shape: Shape, dtype: numpy.dtype[Any]) -> None:
        self.node = node
        self.index = index
        self.shape = shape
        self.dtype = dtype

    @property
    def key(self) -> tuple[int, int]:
        return id(self.node), self.index

    def __repr__(self) -> str:
        return f"<{self.node.op} {self.node.name}: {self.dtype}{list(self.shape)}>"


def attribute(value: Any) -> str:
    """A node's attribute as MXNet reads it."""
    if isinstance(value, tuple):
        return "(" + ",".join(attribute(item) for item in value) + (",)" if len(value) == 1 else ")")
    return repr(value) if isinstance(value, float) else str(value)


class SymbolWriter:
    """Collects nodes and heads. Equal nodes (operator, operands, attributes) are written once."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._counters: dict[str, int] = {}
        self._known: dict[Any, SymbolNode] = {}
        self._blocked: dict[tuple[int, int], Entry] = {}
        self._heads: list[Entry] = []
        self.operators: set[str] = set()

    def argument(self, name: str, shape: Shape, dtype: numpy.dtype[Any], known: Sequence[str] = ()) -> Entry:
        """An array the caller supplies; a name that is taken gets a number.

        `known` says what the symbol tells its loader of it: "shape", "dtype".
        """
        facts = {"shape": attribute(shape), "dtype": str(DTYPE_NUMBERS.get(dtype.name, -1))}
        attrs = {f"__{fact}__": facts[fact] for fact in known}
        return Entry(SymbolNode("null", self._unique(name), (), attrs, ()), 0, shape, dtype)

    def node(
        self,
        op: str,
        name: str,
        inputs: Sequence[Entry],
        attrs: Mapping[str, Any],
        deps: Sequence[SymbolNode] = (),
    ) -> SymbolNode:
        """An operator; `deps` are nodes that it takes its shapes from (``control_deps``)."""
        written = {key: attribute(value) for key, value in attrs.items()}
        key = (op, tuple(entry.key for entry in inputs), tuple(sorted(written.items())), tuple(map(id, deps)))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = SymbolNode(op, self._numbered(name), inputs, written, deps)
            self.operators.add(op)
        return known

    def head(self, entry: Entry, blocked: bool) -> None:
        """Make an entry an output; no gradient leads through it when `blocked`."""
        if not blocked:
            self._heads.append(entry)
        elif entry.node.op in _HAVE_GRADIENTS:
            entry.node.sealed = True
            self._heads.append(entry)
        else:
            # Also an argument that is a result: a CachedOp does not write those.
            self._heads.append(self.block(entry))

    def text(self) -> str:
        """The symbol as JSON."""
        # Only now is it known which nodes are sealed; what those give is safe to read without another block.
        for node in [entry.node for entry in self._heads]:
            if node.sealed:
                node.inputs = [self._sealed(entry) for entry in node.inputs]
        order = _topological(entry.node for entry in self._heads)
        number = {node: position for position, node in enumerate(order)}

        def reference(entry: Entry) -> list[int]:
            return [number[entry.node], entry.index, 0]

        nodes = []
        for node in order:
            written: dict[str, Any] = {"op": node.op, "name": node.name}
            if node.attrs:
                written["attrs"] = dict(sorted(node.attrs.items()))
            written["inputs"] = [reference(entry) for entry in node.inputs]
            if node.deps:
                written["control_deps"] = [number[dep] for dep in node.deps]
            nodes.append(written)
        symbol = {
            "nodes": nodes,
            "arg_nodes": [position for position, node in enumerate(order) if node.is_argument],
            "node_row_ptr": list(range(len(order) + 1)),
            "heads": [reference(entry) for entry in self._heads],
            "attrs": {"mxnet_version": _VERSION},
        }
        return json.dumps(symbol, separators=(",", ":"))

    def _sealed(self, entry: Entry) -> Entry:
        """An operand of a sealed node: the gradient may end at arguments and at other sealed nodes."""
        return entry if entry.node.is_argument or entry.node.sealed else self.block(entry)

    def block(self, entry: Entry) -> Entry:
        """An entry that no gradient leads through."""
        if entry.node.op == "BlockGrad":
            return entry
        found = self._blocked.get(entry.key)
        if found is None:
            node = SymbolNode(
                "BlockGrad", self._unique(f"{entry.node.name}_result{entry.index or ''}"), [entry], {}, ()
            )
            found = self._blocked[entry.key] = Entry(node, 0, entry.shape, entry.dtype)
        return found

    def _unique(self, name: str) -> str:
        unique, suffix = name, 1
        while unique in self._names:
            suffix += 1
            unique = f"{name}_{suffix}"
        self._names.add(unique)
        return unique

    def _numbered(self, name: str) -> str:
        number = self._counters.get(name, 0)
        self._counters[name] = number + 1
        return self._unique(f"{name}{number}")


def _topological(roots: Iterable[SymbolNode]) -> list[SymbolNode]:
    """Every node that the roots need, operands first. Without recursion: unrolled loops are deep."""
    order: list[SymbolNode] = []
    state: dict[SymbolNode, bool | None] = {}
    for root in roots:
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                if not state[node]:
                    state[node] = True
                    order.append(node)
            elif node not in state:
                state[node] = False
                stack.append((node, True))
                before = [entry.node for entry in node.inputs] + list(node.deps)
                stack.extend((one, False) for one in reversed(before))
    return order
