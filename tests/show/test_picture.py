"""Pictures: every node is there once, what repeats is folded, derivatives stand apart, colours mean what they say."""

from __future__ import annotations

import re
import shutil
from xml.etree import ElementTree

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.facts import facts_of
from dopegraph.ir import parse
from dopegraph.runtime.errors import DopegraphError
from dopegraph.show.difference import changed_nodes
from dopegraph.show.dot import digraph
from dopegraph.show.folding import find_repeats
from dopegraph.show.picture import BACKENDS, is_detail, picture_of, recolour
from dopegraph.show.visible import visible
from tests.show import graphs

SVG = "{http://www.w3.org/2000/svg}"
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def svg_of(path):
    """The groups of an SVG of Graphviz's by class, and its text."""
    root = ElementTree.parse(path).getroot()
    groups = {name: [g for g in root.iter(f"{SVG}g") if g.get("class") == name] for name in ("node", "edge", "cluster")}
    return groups, " ".join(element.text or "" for element in root.iter(f"{SVG}text"))


def fills(groups):
    """The colours of an SVG's boxes."""
    return [shape.get("fill") for g in groups["node"] for shape in g if shape.tag in (f"{SVG}path", f"{SVG}ellipse")]


@needs_dot
@pytest.mark.parametrize("optimize", [False, True])
def test_an_svg_has_every_node_and_every_operand(tmp_path, optimize):
    w = np.ones((4, 5))
    graph = dopegraph.trace(graphs.train, optimize)(w, np.ones((3, 4)), 0.1)
    drawn = [node for node in graph.nodes if not is_detail(node)]
    groups, words = svg_of(graph.visualize(tmp_path / "g.svg"))
    assert len(groups["node"]) == len(drawn) + len(graph.arguments) + len(graph.outputs)
    operands = sum(value.node is None or not is_detail(value.node) for node in drawn for value in node.inputs)
    assert len(groups["edge"]) == operands + len(graph.outputs) + len(graph.updates)
    assert "derivatives" in words and len(groups["cluster"]) == 1


@needs_dot
@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_formats(tmp_path, ending):
    path = dopegraph.visualize(graphs.loss, tmp_path / f"f.{ending}")(np.ones((2, 2)), np.ones((3, 2)))
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert path.read_bytes().startswith(start)


def test_an_unknown_ending_or_colour_is_an_error(tmp_path):
    graph = parse("graph f(%x: f32[3]) { %0: f32[3] = exp(%x) return %0 }")
    with pytest.raises(DopegraphError, match="svg, png, pdf, html or dot"):
        graph.visualize(tmp_path / "f.picture")
    with pytest.raises(ValueError, match="operation, backend, memory, time"):
        graph.visualize(tmp_path / "f.svg", colour="red")
    with pytest.raises(ValueError, match="operation, backend, memory, time"):
        dopegraph.visualize(graphs.loss, colour="red")
    with pytest.raises(DopegraphError, match="no times"):
        graph.visualize(tmp_path / "f.svg", colour="time")
    with pytest.raises(DopegraphError, match="before=True"):
        graph.visualize(tmp_path / "f.svg", before=True)


def test_derivatives_are_known_whatever_the_passes_do():
    graph = dopegraph.trace(graphs.train, True)(np.ones((4, 5)), np.ones((3, 4)), 0.1)
    kinds = {node.op.name: node.location.gradient for node in graph.nodes if node.op.name in ("sum", "tanh", "sub")}
    assert kinds == {"sum": False, "tanh": False, "sub": False}
    assert any(node.location.gradient for node in graph.nodes if node.op.name == "matmul")
    assert str(parse(re.sub(r" +#.*", "", str(graph))))  # the text is as before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("abcdef", []),
        ("aaaaa", []),  # too little
        ("aaaaaa", [(0, 1, 6)]),
        ("xababab", [(1, 2, 3)]),
        ("xababa", []),
        ("abcabcabcab", [(0, 3, 3)]),
        ("aabaabaab", [(0, 3, 3)]),
        ("abababxcdcdcdcd", [(0, 2, 3), (7, 2, 4)]),
    ],
)
def test_repeats(text, found):
    assert find_repeats(text) == found


def test_what_a_loop_repeats_is_folded():
    graph = dopegraph.trace(graphs.unrolled, True)(np.ones((30, 3, 4)))
    picture = picture_of(graph)
    shown = visible(picture)
    assert len(graph.nodes) > 150
    assert len(shown.vertices) + len(shown.folded) < 25
    (folded,) = shown.folded.values()
    assert "30 times: " in folded.label and "2 matmul" in folded.label
    # Nothing is lost, and every edge has its ends.
    inside = sum(len(one.members) for one in shown.folded.values())
    assert inside + len(shown.vertices) == len(picture.vertices)
    ends = {vertex.id for vertex in shown.vertices} | set(shown.folded)
    assert {end for edge in shown.edges for end in (edge.source, edge.target)} <= ends


@pytest.mark.parametrize("fold", [False, True, None])
def test_unfolded_everything_is_drawn(fold):
    graph = dopegraph.trace(graphs.unrolled, True)(np.ones((30, 3, 4)))
    picture = picture_of(graph, fold=fold)
    for group in picture.groups.values():
        group.folded = False
    shown = visible(picture)
    assert not shown.folded
    assert len(shown.vertices) == len(picture.vertices)
    assert len(shown.edges) == len(picture.edges)


def test_a_unfolded_repeat_shows_its_first_part():
    graph = dopegraph.trace(graphs.unrolled, True)(np.ones((30, 3, 4)))
    picture = picture_of(graph)
    repeat = next(group for group in picture.groups.values() if group.kind == "repeat")
    repeat.folded = False
    shown = visible(picture)
    assert [one.group.title for one in shown.folded.values()] == [f"{number} of 30" for number in range(2, 31)]
    assert "1 of 30" in [group.title for group in shown.open.values()]


def long_graph(nodes, functions):
    """A chain of nodes that do not repeat, from several functions of a file."""
    lines = ["graph long(%x: f32[3]) {"]
    names = ("exp", "tanh", "sin", "cos", "sqrt", "neg", "abs")
    for number in range(nodes):
        operand = f"%{number - 1}" if number else "%x"
        # The operations are the digits of the number's square: without a period.
        lines.append(f"  %{number}: f32[3] = {names[number * number // 7 % 7]}({operand})")
    graph = parse("\n".join([*lines, f"  return %{nodes - 1}", "}"]))
    from dopegraph.runtime.location import Location

    for number, node in enumerate(graph.nodes):
        which = number * functions // nodes
        node.location = Location("model.py", 10 + number % 997, f"layer{which}")
    return graph


@pytest.mark.parametrize(("nodes", "functions"), [(10_000, 20), (1_000, 1), (400, 2)])
def test_large_graphs_collapse_by_function(nodes, functions):
    picture = picture_of(long_graph(nodes, functions))
    shown = visible(picture)
    titles = [one.group.title for one in shown.folded.values()]
    assert titles == [f"layer{number} (model.py)" for number in range(functions)]
    assert sum(len(one.members) for one in shown.folded.values()) == nodes
    if nodes // functions > 300:  # then by line
        assert {group.kind for group in picture.groups.values()} == {"function", "line"}
    source = digraph([picture]).source
    assert source.count("->") == functions + 1


def test_colours_by_memory_are_bytes_that_are_alive():
    graph = parse("""graph f(%x: f64[10]) {
      %0: f64[10] = exp(%x)
      %1: f64[10] = tanh(%0)
      %2: f64[10] = add(%0, %1)
      return %2
    }""")
    picture = picture_of(graph)
    recolour(picture, "memory")
    nodes = [vertex for vertex in picture.vertices if vertex.kind == "node"]
    assert [vertex.live for vertex in nodes] == [160, 240, 320]
    assert nodes[2].colour == "#ff4040"
    assert [vertex.colour for vertex in nodes] == ["#ff9f9f", "#ff7070", "#ff4040"]


def test_facts_say_who_runs_a_node_and_how():
    x = np.ones((300, 300))
    graph = dopegraph.trace(graphs.loss, True)(x, x)
    with dopegraph.policy("only_numpy"):
        facts = facts_of(graph)
    assert {one.backend for one in facts.values()} == {"numpy"}
    if shutil.which("cc") is None:
        return
    with dopegraph.codegen("always"):
        facts = facts_of(graph)
        picture = picture_of(graph, facts=facts)
        recolour(picture, "backend")
    by_name = {node.op.name: one for node, one in facts.items()}
    assert by_name["tanh"].backend == "codegen"
    assert "KERNEL void k" in by_name["tanh"].code and "tanh" in by_name["tanh"].code
    assert by_name["matmul"].part.startswith("matmul")
    nodes = [vertex for vertex in picture.vertices if vertex.facts.backend]
    assert {vertex.colour for vertex in nodes} == {BACKENDS["codegen"]}


def test_without_a_compiler_there_is_no_kernel(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    x = np.ones((300, 300))
    graph = dopegraph.trace(graphs.loss, True)(x, x)
    assert "codegen" not in {one.backend for one in facts_of(graph).values()}


def test_changed_nodes():
    one = parse("graph f(%x: f32[3]) { %0: f32[3] = exp(%x) %1: f32[3] = tanh(%0) return %1 }")
    other = parse("graph f(%x: f32[3]) { %0: f32[3] = exp(%x) %1: f32[3] = sin(%0) %2: f32[3] = tanh(%1) return %2 }")
    assert [node.op.name for node in changed_nodes(one, other)] == ["sin", "tanh"]
    assert changed_nodes(one, one.copy()) == []


@needs_dot
def test_before_and_after_stand_side_by_side(tmp_path):
    call = np.ones((4, 5)), np.ones((3, 4)), 0.1
    groups, words = svg_of(dopegraph.visualize(graphs.train, tmp_path / "f.svg", before=True)(*call))
    assert "train: before" in words and "train: after" in words
    recorded, optimized = (dopegraph.trace(graphs.train, optimize)(*call) for optimize in (False, True))
    count = sum(
        sum(not is_detail(node) for node in graph.nodes) + len(graph.arguments) + len(graph.outputs)
        for graph in (recorded, optimized)
    )
    assert len(groups["node"]) == count
    both, _ = svg_of(recorded.visualize(tmp_path / "g.svg", after=optimized))
    assert len(both["node"]) == count
    assert len(svg_of(recorded.visualize(tmp_path / "h.svg", after=True))[0]["node"]) == count


@needs_dot
def test_after_each_pass(tmp_path):
    path = dopegraph.visualize(graphs.train, tmp_path / "f.svg", steps=True)(np.ones((4, 5)), np.ones((3, 4)), 0.1)
    _, words = svg_of(path)
    for part in ("recorded", "1: canonicalize", "dce"):
        assert part in words
    graph = parse("graph f(%x: f32[3]) { %0: f32[3] = neg(%x) %1: f32[3] = neg(%0) return %1 }")
    _, words = svg_of(graph.visualize(tmp_path / "g.svg", steps=True))
    assert "recorded" in words and "dce" in words


@needs_dot
def test_times_are_drawn_and_nothing_changes(tmp_path):
    w, x = np.ones((40, 50)), np.ones((30, 40))
    path = dopegraph.visualize(graphs.train, tmp_path / "f.svg", colour="time")(w, x, 0.1)
    groups, _ = svg_of(path)
    assert any(re.fullmatch("#ff4040", fill or "") for fill in fills(groups))
    assert (w.asnumpy() == 1).all()


@needs_dot
def test_labels_are_text_whatever_they_hold(tmp_path):
    graph = parse("graph f(%x: f32[3]) { %0: f32[3] = exp(%x) return %0 }")
    from dopegraph.runtime.location import Location

    graph.nodes[0].location = Location(r"/a/\N&amp;<b>.py", 3, "f")
    _, words = svg_of(graph.visualize(tmp_path / "f.svg"))
    assert r"\N&amp;<b>.py:3" in words
    graph.name = "<b>"
    assert graph.visualize(tmp_path / "g.svg").exists()
