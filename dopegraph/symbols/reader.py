"""Reads MXNet's symbol JSON without MXNet, and without trust: whatever the text holds, the answer is a sound graph or
a `SymbolError` that says what is wrong.

The format is that of NNVM's ``SaveJSON`` (``src/pass/saveload_json.cc``); symbols of MXNet before 1.0 keep attributes
under other names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dopegraph.symbols.errors import SymbolError

# Far more than any network has; a text within these limits is read in seconds.
LONGEST_TEXT = 2**28
MOST_NODES = 200_000
MOST_OPERANDS = 2_000_000
LONGEST_NAME = 4096
LONGEST_ATTRIBUTE = 2**20

Reference = tuple[int, int]


@dataclass(frozen=True)
class SymbolNode:
    """A variable (``operator == "null"``) or an operator of a symbol.

    Attributes
    ----------
    operator, name : str
    inputs : tuple of (int, int)
        For each operand the position of the node that makes it, and which of its outputs it is.
    attributes : dict of str to str
        Those of the operator.
    hidden : dict of str to str
        Those that MXNet keeps beside, with underscores around: ``__shape__``, ``__lr_mult__``.
    """

    operator: str
    name: str
    inputs: tuple[Reference, ...]
    attributes: Mapping[str, str]
    hidden: Mapping[str, str]

    @property
    def is_variable(self) -> bool:
        return self.operator == "null"


@dataclass(frozen=True)
class SymbolGraph:
    """A symbol: nodes in an order in which operands come first, and the outputs.

    Attributes
    ----------
    nodes : tuple of SymbolNode
    heads : tuple of (int, int)
    """

    nodes: tuple[SymbolNode, ...]
    heads: tuple[Reference, ...]

    @property
    def variables(self) -> list[str]:
        """Names of the variables, in MXNet's order."""
        return [node.name for node in self.nodes if node.is_variable]


def read(text: str) -> SymbolGraph:
    """The graph of a symbol's JSON.

    Raises
    ------
    SymbolError
        Naming the node and what is wrong with it.
    """
    if len(text) > LONGEST_TEXT:
        raise SymbolError(f"the symbol has {len(text)} letters, more than {LONGEST_TEXT}")
    try:
        whole = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as cause:
        raise SymbolError(f"the symbol is no JSON: {_brief(cause)}") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("nodes"), list):
        raise SymbolError("the symbol's JSON has no list of nodes")
    written = whole["nodes"]
    if not 0 < len(written) <= MOST_NODES:
        raise SymbolError(f"the symbol has {len(written)} nodes; from 1 to {MOST_NODES} are possible")
    nodes, operands = [], 0
    for position, one in enumerate(written):
        node = _node(one, position, len(written))
        operands += len(node.inputs)
        if operands > MOST_OPERANDS:
            raise SymbolError(f"the symbol has more than {MOST_OPERANDS} operands")
        nodes.append(node)
    heads = whole.get("heads", whole.get("outputs"))
    if not isinstance(heads, list) or not heads or len(heads) > MOST_NODES:
        raise SymbolError("the symbol has no heads, so it computes nothing")
    targets = [_reference(head, f"head {number}", len(nodes)) for number, head in enumerate(heads)]
    _check_names(nodes)
    order = _sorted(nodes, targets)
    place = {position: number for number, position in enumerate(order)}
    return SymbolGraph(
        tuple([_moved(nodes[position], place) for position in order]),
        tuple([(place[position], output) for position, output in targets]),
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _brief(cause: Exception) -> str:
    if isinstance(cause, json.JSONDecodeError):
        return f"{cause.msg} at line {cause.lineno}, column {cause.colno}"
    return "it is nested too deeply" if isinstance(cause, RecursionError) else str(cause)[:200]


def _node(written: Any, position: int, count: int) -> SymbolNode:
    if not isinstance(written, dict):
        raise SymbolError(f"node {position} is a {type(written).__name__}, not an object")
    operator = _text(written.get("op"), f"the operator of node {position}", LONGEST_NAME)
    name = _text(written.get("name"), f"the name of node {position}", LONGEST_NAME)
    where = f"node {position} ({operator} {name!r})"
    if not operator:
        raise SymbolError(f"{where} has no operator")
    inputs = written.get("inputs", [])
    if not isinstance(inputs, list):
        raise SymbolError(f"{where}: its inputs are no list")
    if operator == "null" and inputs:
        raise SymbolError(f"{where}: a variable has no inputs")
    if written.get("subgraphs"):
        raise SymbolError(f"{where}: operators that hold graphs of their own are not taken; unroll them")
    attributes: dict[str, str] = {}
    for key in ("attrs", "attr", "param"):  # of 1.9, of 0.12 and of 0.9
        attributes.update(_attributes(written.get(key), where))
    hidden = {key: value for key, value in attributes.items() if key.startswith("__") and key.endswith("__")}
    # In symbols of old the parameters of training stand among those of operators.
    own = {key: value for key, value in attributes.items() if key not in hidden and key not in _OLD_HIDDEN}
    return SymbolNode(operator, name, tuple([_reference(one, where, count) for one in inputs]), own, hidden)


_OLD_HIDDEN = frozenset(["lr_mult", "wd_mult", "force_mirroring", "ctx_group", "mirror_stage"])


def _attributes(written: Any, where: str) -> dict[str, str]:
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise SymbolError(f"{where}: its attributes are a {type(written).__name__}, not an object")
    result = {}
    for key, value in written.items():
        if not isinstance(value, str):
            raise SymbolError(f"{where}: the attribute {key[:100]!r} is a {type(value).__name__}, not a string")
        what = f"{where}: the attribute {key[:100]!r}"
        result[_text(key, what, LONGEST_NAME)] = _text(value, what, LONGEST_ATTRIBUTE)
    return result


def _text(written: Any, what: str, longest: int) -> str:
    if not isinstance(written, str):
        raise SymbolError(f"{what} is a {type(written).__name__}, not a string")
    if len(written) > longest:
        raise SymbolError(f"{what} has {len(written)} letters, more than {longest}")
    if "\0" in written or any("\ud800" <= letter <= "\udfff" for letter in written):
        raise SymbolError(f"{what} has letters that are no text")
    return written


def _reference(written: Any, where: str, count: int) -> Reference:
    """``[node, output]`` or ``[node, output, version]``."""
    if not isinstance(written, list) or len(written) not in (2, 3):
        raise SymbolError(f"{where}: {str(written)[:100]} does not name an output of a node")
    if any(not isinstance(number, int) or isinstance(number, bool) for number in written):
        raise SymbolError(f"{where}: {str(written)[:100]} does not name an output of a node")
    node, output = written[:2]
    if not 0 <= node < count:
        raise SymbolError(f"{where}: there is no node {node}, only 0 to {count - 1}")
    if not 0 <= output < LONGEST_NAME:
        raise SymbolError(f"{where}: node {node} has no output {output}")
    return node, output


def _check_names(nodes: Sequence[SymbolNode]) -> None:
    seen: set[str] = set()
    for node in nodes:
        if node.is_variable:
            if node.name in seen:
                raise SymbolError(f"two variables are called {node.name!r}")
            seen.add(node.name)


def _sorted(nodes: Sequence[SymbolNode], heads: Sequence[Reference]) -> list[int]:
    """Positions of the nodes that the heads need, operands first, in the order of a depth-first search, as MXNet's."""
    order: list[int] = []
    done: dict[int, bool] = {}
    for root, _ in heads:
        stack = [(root, False)]
        while stack:
            position, ready = stack.pop()
            if ready:
                done[position] = True
                order.append(position)
                continue
            if position in done:
                continue
            done[position] = False
            stack.append((position, True))
            for before, _ in reversed(nodes[position].inputs):
                if done.get(before) is False:  # being visited: on the way to it we came here
                    node = nodes[before]
                    raise SymbolError(f"node {before} ({node.operator} {node.name!r}) depends on itself")
                if before not in done:
                    stack.append((before, False))
    return order


def _moved(node: SymbolNode, place: Mapping[int, int]) -> SymbolNode:
    inputs = tuple([(place[position], output) for position, output in node.inputs])
    return SymbolNode(node.operator, node.name, inputs, node.attributes, node.hidden)
