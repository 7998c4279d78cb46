"""Graphs in numbers, compared with each other, in notebooks, and through networkx and back."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import networkx
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.ir import parse, verify
from dopegraph.runtime.errors import GraphError

w1, b1, w2 = np.ones((6, 5)), np.zeros(5), np.ones((5, 3))


def net(x):
    y = nn.relu(x @ w1 + b1)
    return nn.log_softmax(y @ w2)


def graph_of(f, *args):
    return dopegraph.trace(f)(*args)


def test_a_summary_counts_by_line():
    found = graph_of(net, np.ones((4, 6))).summary()
    assert found.inputs == {"x": "f32[4,6]"}
    assert found.parameters == {"w1": "f32[6,5]", "b1": "f32[5]", "w2": "f32[5,3]"}
    assert (found.elements, found.parameter_bytes) == (50, 200)
    assert found.total.counts == {"matmul": 2, "add": 1, "relu": 1, "log_softmax": 1}
    assert found.total.uncounted == {"log_softmax": 1}
    first, second = found.lines
    assert first.source == "y = nn.relu(x @ w1 + b1)"
    assert first.operations.flops == 2 * 4 * 5 * 6 + 20 + 20
    assert second.operations.flops == 2 * 4 * 3 * 5
    assert found.total.flops == sum(line.operations.flops for line in found.lines)
    text = str(found)
    for part in ("net", "test_summary.py", "matmul, add, relu", "280", "3 arrays, 50 elements, 200 bytes"):
        assert part in text, text


def test_rich_draws_a_table(capsys):
    console = pytest.importorskip("rich.console")
    found = graph_of(net, np.ones((4, 6))).summary()
    wide = console.Console(width=160, record=True)
    wide.print(found)
    text = wide.export_text()
    assert "matmul, add, relu" in text
    assert "FLOPs" in text
    assert "nn.log_softmax(y @ w2)" in text
    found.print()
    assert "parameters: 3 arrays" in capsys.readouterr().out


def test_a_summary_of_nothing():
    found = parse("graph f() { return }").summary()
    assert (found.total.flops, found.lines) == (0, ())
    assert "inputs: none" in str(found)


def test_equal_graphs_do_not_differ():
    one, other = graph_of(net, np.ones((4, 6))), graph_of(net, np.ones((4, 6)))
    found = dopegraph.diff(one, other)
    assert not found
    assert all(line.startswith("  ") for line in str(found).splitlines())


def test_a_difference_names_what_came_went_and_was_rewired():
    one = parse("""graph f(%x: f32[3]) {
      %0: f32[3] = exp(%x)
      %1: f32[3] = tanh(%0)
      %2: f32[3] = neg(%1)
      return %2
    }""")
    other = parse("""graph f(%x: f32[3]) {
      %0: f32[3] = exp(%x)
      %1: f32[3] = sin(%0)
      %2: f32[3] = add(%1, %0)
      %3: f32[3] = neg(%2)
      return %3
    }""")
    found = dopegraph.diff(one, other)
    assert found
    assert found.removed == ["%1: f32[3] = tanh(%0)"]
    assert found.added == ["%1: f32[3] = sin(%0)", "%2: f32[3] = add(%1, %0)"]
    assert found.rewired == ["%3: f32[3] = neg(%2)"]
    assert found.signature is None
    assert [line[0] for line in str(found).splitlines()] == [" ", " ", "-", "+", "+", "~", " ", " "]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("%x: f32[3], %y: f32[3]", "%y: f32[3], %x: f32[3]"),
        ("return %1", "return %0"),
        ("return %1", "return %1, %1"),
        ("return %1", "return %1; %x <- %1"),
        ("sub(%0, %y)", "sub(%y, %0)"),
        ("sub(%0, %y)", "add(%0, %y)"),
    ],
)
def test_every_change_is_a_difference(old, new):
    text = "graph f(%x: f32[3], %y: f32[3]) { %0: f32[3] = exp(%x) %1: f32[3] = sub(%0, %y) return %1 }"
    assert old in text
    assert dopegraph.diff(parse(text), parse(text.replace(old, new)))


def step(x, lr):
    def loss(w):
        return (np.tanh(x @ w) ** 2).sum()

    value, g = dopegraph.value_and_grad(loss)(w1)
    w1[:] -= lr * g
    return value, x[0], np.linalg.svd(x).S


def test_networkx_and_back():
    for optimize in (False, True):
        graph = dopegraph.trace(step, optimize=optimize)(np.ones((4, 6)), 0.1)
        back = dopegraph.from_networkx(graph.to_networkx())
        verify(back)
        assert str(back) == str(graph)  # with the lines of the source
        assert [value.name for value in back.arguments] == [value.name for value in graph.arguments]
        assert not dopegraph.diff(graph, back)
        parts = [[node.location.gradient for node in one.nodes] for one in (graph, back)]
        assert parts[0] == parts[1] and True in parts[0] and False in parts[0]


def test_networkx_of_all_kinds_of_attributes_and_results():
    graph = parse("""graph f(%x: f32[3,3]; state %s: f32[3]) {
      %0: f32[3,3], %1: f32[3], %2: f32[3,3] = svd(%x) {full_matrices=true}
      %3: f32[2] = constant() {value=dense(f32[2], 1.0, nan)}
      %4: f32[] = full() {value=-inf, shape=(), dtype=f32}
      %5: f32[3] = mul(%1, %4)
      return %2, %0, %3, %x; %s <- %5
    }""")
    assert str(dopegraph.from_networkx(graph.to_networkx())) == str(graph)


def test_a_changed_network_is_checked():
    graph = parse("graph f(%x: f32[3]) { %0: f32[3] = exp(%x) return %0 }")
    network = graph.to_networkx()
    network.nodes["%0"]["op"] = "tanh"
    assert "tanh(%x)" in str(dopegraph.from_networkx(network))
    changes = {
        "not a primitive": lambda n: n.nodes["%0"].update(op="tan_h"),
        "depends on itself": lambda n: n.add_edge("%0", "%0", output=0, position=1),
        "lacks 'kind'": lambda n: n.add_node("more"),
        "not numbered from 0": lambda n: n.edges["%x", "%0", 0].update(position=3),
        "unknown kind": lambda n: n.nodes["%0"].update(kind="knot"),
        "does not take|takes 1 operands": lambda n: n.remove_edge("%x", "%0"),
    }
    for message, change in changes.items():
        network = graph.to_networkx()
        change(network)
        with pytest.raises(GraphError, match=message):
            dopegraph.from_networkx(network)
    assert networkx.is_directed_acyclic_graph(graph.to_networkx())


def test_notebooks_show_graphs(monkeypatch, tmp_path):
    graph = graph_of(net, np.ones((4, 6)))
    shown = graph._repr_mimebundle_()
    assert shown["text/plain"] == str(graph)
    if shutil.which("dot") is not None:
        words = " ".join(ElementTree.fromstring(shown["image/svg+xml"].encode()).itertext())
        assert "matmul" in words
        assert graph._repr_mimebundle_(include=["text/plain"]).keys() == {"text/plain"}
        assert graph._repr_mimebundle_(exclude=["text/plain"]).keys() == {"image/svg+xml"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert graph._repr_svg_() is None
    shown = graph._repr_mimebundle_()
    assert shown.keys() == {"text/plain", "text/html"}
    frame = HTMLParser()
    found = []
    frame.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    frame.feed(shown["text/html"])
    ((tag, attributes),) = found  # the page is an attribute
    assert tag == "iframe" and attributes["srcdoc"].startswith("<!DOCTYPE html>")
    assert "matmul" in attributes["srcdoc"]
