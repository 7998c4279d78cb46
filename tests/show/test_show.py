"""Pictures and networks of graphs: parsed back, not compared with a file."""

from __future__ import annotations

import shutil
from xml.etree import ElementTree

import networkx
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ir import parse

GRAPH = """graph step(%x: f32[4,3]; state %w: f32[3,2]) {
  %0: f32[4,2] = matmul(%x, %w)
  %1: f32[] = full() {value=0.5, shape=(), dtype=f32}
  %2: f32[4,2] = mul(%0, %1)
  %3: f32[] = sum(%2) {axes=(0, 1)}
  %4: f32[3,2] = mul(%w, %1)
  return %3; %w <- %4
}"""


def test_the_dot_text_names_operations_types_inputs_and_updates():
    text = parse(GRAPH).to_dot()
    for part in ("matmul", "f32[4,2]", "in_x", "in_w", "result 0", "style=dashed", "mul 0.5"):
        assert part in text


def test_dot_text_is_deterministic():
    assert parse(GRAPH).to_dot() == parse(GRAPH).to_dot()


def test_networkx_has_every_operand_as_an_edge():
    graph = parse(GRAPH).to_networkx()
    assert isinstance(graph, networkx.MultiDiGraph)
    assert graph.nodes["%0"]["op"] == "matmul"
    assert graph.nodes["%w"]["kind"] == "state"
    assert [graph.edges[edge]["position"] for edge in [("%x", "%0", 0), ("%w", "%0", 0)]] == [0, 1]
    assert networkx.is_directed_acyclic_graph(graph)


def test_networkx_keeps_both_edges_of_a_value_used_twice():
    graph = parse("graph f(%x: f32[2]) { %0: f32[2] = mul(%x, %x) return %0 }").to_networkx()
    assert graph.number_of_edges("%x", "%0") == 2


def test_visualize_draws_an_svg_with_every_node(tmp_path):
    w = np.ones((3, 2))

    def f(x):
        return np.tanh(x @ w).sum()

    path = dopegraph.visualize(f, tmp_path / "folder" / "f.svg", optimize=False)(np.ones((4, 3)))
    if shutil.which("dot") is None:
        assert path.suffix == ".dot" and "matmul" in path.read_text()
        return
    root = ElementTree.parse(path).getroot()
    words = " ".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    for part in ("matmul", "tanh", "sum", "test_show.py", "f32[4,3]"):
        assert part in words


def test_without_dot_a_page_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = dopegraph.visualize(lambda x: np.tanh(x), tmp_path / "f.svg")(np.ones(2))
    assert path == tmp_path / "f.html"
    assert "tanh" in path.read_text(encoding="utf-8")
    path = dopegraph.visualize(lambda x: np.tanh(x), tmp_path / "f.dot")(np.ones(2))
    assert path.read_text().startswith("digraph")


@pytest.mark.parametrize("optimize", [False, True])
def test_trace_prints_a_graph_that_parses_and_changes_nothing(optimize):
    w = np.ones(3)

    def f(x, lr):
        w[:] = w - lr * x
        return (w * x).sum()

    graph = dopegraph.trace(f, optimize=optimize)(np.ones(3), 0.1)
    assert str(parse(str(graph))) == "\n".join(line.split("  # ")[0].rstrip() for line in str(graph).splitlines())
    assert len(graph.updates) == 1
    assert w.tolist() == [1, 1, 1]


def test_equal_graphs_of_two_functions_have_lines_of_their_own():
    def one(x):
        return np.exp(np.tanh(x))

    def other(x):
        return np.exp(np.tanh(x))

    lines = [[node.location.line for node in dopegraph.trace(f)(np.ones(2)).nodes] for f in (one, other)]
    assert lines[0][0] + 3 == lines[1][0]
