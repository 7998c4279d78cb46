"""Damaged symbols: each mistake has its own message."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from dopegraph.symbols import SymbolError
from dopegraph.symbols.reader import LONGEST_ATTRIBUTE, read

GOOD: dict[str, Any] = {
    "nodes": [
        {"op": "null", "name": "x", "inputs": []},
        {"op": "null", "name": "w", "inputs": [], "attrs": {"__shape__": "(2, 3)"}},
        {"op": "FullyConnected", "name": "fc", "inputs": [[0, 0, 0], [1, 0, 0]],
         "attrs": {"num_hidden": "2", "no_bias": "True"}},
        {"op": "tanh", "name": "t", "inputs": [[2, 0, 0]]},
    ],
    "arg_nodes": [0, 1],
    "heads": [[3, 0, 0]],
    "attrs": {"mxnet_version": ["int", 10901]},
}  # fmt: skip


def changed(change: str) -> str:
    """The good symbol after a statement about `s`."""
    s = copy.deepcopy(GOOD)
    exec(change, {"s": s, "nodes": s["nodes"]})
    return json.dumps(s)


WRONG = {
    "del s['nodes']": "no list of nodes",
    "s['nodes'] = {}": "no list of nodes",
    "s['nodes'] = []": "has 0 nodes",
    "del s['heads']": "no heads",
    "s['heads'] = []": "no heads",
    "s['heads'] = [[9, 0, 0]]": "head 0: there is no node 9, only 0 to 3",
    "s['heads'] = [[-1, 0, 0]]": "head 0: there is no node -1",
    "s['heads'] = [[3, 1, 0]]": "a head reads output 1 of 't' .tanh., which has 1",
    "s['heads'] = [3]": "head 0: 3 does not name",
    "s['heads'] = [[True, 0, 0]]": "does not name",
    "nodes[2] = 7": "node 2 is a int",
    "del nodes[2]['op']": "the operator of node 2 is a NoneType",
    "nodes[2]['op'] = ''": "has no operator",
    "nodes[2]['op'] = 'FullyConnectd'": "FullyConnectd: MXNet 1.9.1 has no such operator",
    "nodes[2]['op'] = '_cvimread'": "it reads files",
    "nodes[2]['op'] = '_backward_FullyConnected'": "it belongs to another operator",
    "nodes[2]['op'] = 'Custom'": "it runs Python code",
    "nodes[2]['op'] = '_NDArray'": "an address in memory",
    "nodes[0]['inputs'] = [[1, 0, 0]]": "a variable has no inputs",
    "nodes[2]['inputs'] = 3": "its inputs are no list",
    "nodes[2]['inputs'].pop()": "has 1 operands; it takes 2 to 3",
    "nodes[2]['inputs'] *= 5": "has 10 operands; it takes 2 to 3",
    "nodes[3]['inputs'] = []": "node 't' .tanh. has 0 operands; it takes 1",
    "nodes[3]['op'] = 'LRN'; nodes[3]['attrs'] = {'nsize': '3'}; nodes[3]['inputs'] *= 2": "has 2 operands; it takes 1",
    "nodes[2]['inputs'][0] = [3, 0, 0]": "depends on itself",
    "nodes[2]['inputs'][0] = [2, 0, 0]": "depends on itself",
    "nodes[2]['inputs'][0] = [4, 0, 0]": "there is no node 4",
    "nodes[2]['inputs'][0] = [0, -1, 0]": "has no output -1",
    "nodes[2]['inputs'][0] = [0, 10**30, 0]": "has no output",
    "nodes[2]['inputs'][0] = [0.5, 0, 0]": "does not name",
    "nodes[1]['name'] = 'x'": "two variables are called 'x'",
    "nodes[1]['name'] = 3": "the name of node 1 is a int",
    "nodes[2]['attrs'] = []": "attributes are a list",
    "nodes[2]['attrs']['num_hidden'] = 2": "'num_hidden' is a int, not a string",
    "nodes[2]['attrs']['num_hidden'] = 'two'": "num_hidden='two': no integer",
    "nodes[2]['attrs']['num_hidden'] = '9' * 40": "no integer",
    "nodes[2]['attrs']['no_bias'] = 'perhaps'": "neither True nor False",
    "del nodes[2]['attrs']['num_hidden']": "the attribute num_hidden is missing",
    "nodes[2]['attrs']['hidden'] = '2'": "Cannot find argument 'hidden'",
    "nodes[2]['attrs']['name'] = 'a' * (2**20 + 1)": "letters, more than",
    "nodes[2]['subgraphs'] = [{}]": "graphs of their own",
    "nodes[1]['name'] = 'a\\0b'": "letters that are no text",
    "nodes[1]['name'] = '\\ud800'": "letters that are no text",
}


@pytest.mark.skipif(not library.available(), reason="operators without rules are known to MXNet only")
@pytest.mark.parametrize("change", WRONG)
def test_what_is_wrong_is_said(change: str) -> None:
    with pytest.raises(SymbolError, match=WRONG[change]):
        f = dopegraph.from_symbol(changed(change))
        f([[1.0, 2.0, 3.0]], [[1.0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON.*line 1"),
        ("[1, 2", "no JSON"),
        ("[]", "no list of nodes"),
        ('{"nodes": NaN}', "NaN is no number"),
        ("[" * 100_000, "nested too deeply|no JSON"),
        (json.dumps(GOOD)[:-30], "no JSON"),
    ],
)
def test_what_is_no_json(text: str, message: str) -> None:
    with pytest.raises(SymbolError, match=message):
        dopegraph.from_symbol(text)


def test_nodes_in_any_order() -> None:
    backwards = changed(
        "nodes.reverse()\n"
        "for node in nodes: node['inputs'] = [[3 - i, o, v] for i, o, v in node['inputs']]\n"
        "s['heads'] = [[0, 0, 0]]"
    )
    assert [node.name for node in read(backwards).nodes] == ["x", "w", "fc", "t"]
    assert read(backwards) == read(json.dumps(GOOD))


def test_nodes_that_nobody_needs_are_left_out() -> None:
    text = changed("nodes.append({'op': 'nonsense', 'name': 'n', 'inputs': []})")
    assert [node.name for node in read(text).nodes] == ["x", "w", "fc", "t"]


def test_symbols_of_old() -> None:
    """Attributes were called "attr" in 0.12 and "param" in 0.9, where those of training stood beside."""
    text = changed(
        "nodes[2]['param'] = nodes[2].pop('attrs'); nodes[1]['attr'] = {'lr_mult': '2'}; nodes[3]['attr'] = {}"
    )
    f = dopegraph.from_symbol(text)
    assert f([[0.0, 0, 0]], [[1.0, 0, 0], [0, 1, 0]]).tolist() == [[0, 0]]
    python2 = changed("nodes[3] = {'op': 'Reshape', 'name': 't', 'inputs': [[2, 0]], 'attrs': {'shape': '(2L, -1L)'}}")
    assert dopegraph.from_symbol(python2)([[0.0, 0, 0]], [[1.0, 0, 0], [0, 1, 0]]).shape == (2, 1)


def test_a_long_chain_is_no_recursion() -> None:
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    nodes += [{"op": "relu", "name": f"r{n}", "inputs": [[n, 0, 0]]} for n in range(20_000)]
    assert len(read(json.dumps({"nodes": nodes, "heads": [[20_000, 0, 0]]})).nodes) == 20_001


def test_limits() -> None:
    node = {"op": "relu", "name": "r", "inputs": [[0, 0]], "attrs": {"x": "1" * (LONGEST_ATTRIBUTE + 1)}}
    with pytest.raises(SymbolError, match="letters, more than"):
        read(json.dumps({"nodes": [node], "heads": [[0, 0]]}))
