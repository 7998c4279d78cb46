"""The printed form: what it looks like, that it is read back unchanged, and what the parser says about wrong text."""

from __future__ import annotations

import copy
from typing import Any

import numpy
import pytest
from hypothesis import given, settings

from dopegraph import ops
from dopegraph.ir import Builder, Graph, Node, TensorType, Value, format_graph, parse, verify
from dopegraph.ir.parser import _Parser
from dopegraph.ir.printer import format_attribute, same_attribute
from dopegraph.ir.types import SHORT_NAMES
from dopegraph.runtime.errors import GraphError
from dopegraph.runtime.location import Location
from tests.strategies import graphs

STEP = """\
graph step(%x: f32[2,3], %y: i32[2]; state %w: f32[3,4], %b: f32[4]) {
  %0: f32[2,4] = matmul(%x, %w)  # softmax.py:31
  %1: f32[2,4] = add(%0, %b)     # softmax.py:31
  %2: f32[2,4] = log_softmax(%1) {axis=-1}
  %3: f32[2,4] = one_hot(%y) {depth=4, dtype=f32}
  %4: f32[2,4] = mul(%2, %3)
  %5: f32[] = sum(%4) {axes=(0, 1)}
  return %5; %w <- %w, %b <- %b
}"""

inf, nan = float("inf"), float("nan")
ATTRIBUTES: list[tuple[Any, str]] = [
    (None, "none"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-7, "-7"),
    (2**70, "1180591620717411303424"),
    (0.0, "0.0"),
    (-0.0, "-0.0"),
    (1e-300, "1e-300"),
    (-1.5e22, "-1.5e+22"),
    (0.1, "0.1"),
    (inf, "inf"),
    (-inf, "-inf"),
    (nan, "nan"),
    (1j, "1j"),
    (1 + 2j, "(1+2j)"),
    (complex(-0.0, -1e-7), "(-0-1e-07j)"),
    (complex(inf, nan), "(inf+nanj)"),
    (complex(nan, -inf), "(nan-infj)"),
    (complex(0.0, inf), "infj"),
    ("", '""'),
    ("plain", '"plain"'),
    (
        'a "quoted" \\ %x {y=1} # no comment\n\tünï☃',
        '"a \\"quoted\\" \\\\ %x {y=1} # no comment\\n\\t\\u00fcn\\u00ef\\u2603"',
    ),
    ((), "()"),
    ((1,), "(1,)"),
    ((1, -2), "(1, -2)"),
    ((1j, 2j), "(1j, 2j)"),
    ((1 + 2j,), "((1+2j),)"),
    (((1, (2.0, None)), "a", True), '((1, (2.0, none)), "a", true)'),
    (numpy.dtype("float32"), "f32"),
    ((numpy.dtype("bool"), numpy.dtype("uint8")), "(bool, u8)"),
]
ARRAYS = [
    *[numpy.array([[0, 1], [1, 0]], dtype) for dtype in SHORT_NAMES.values()],
    *[numpy.array(1, dtype) for dtype in SHORT_NAMES.values()],
    *[numpy.empty((0, 2), dtype) for dtype in SHORT_NAMES.values()],
    numpy.array([inf, -inf, nan, -0.0, 5e-324, 1.7e308]),
    numpy.array([1 / 3, 65504], "f2"),
    numpy.array([1 / 3, 3.4e38], "f4"),
    numpy.array([complex(nan, inf), complex(-0.0, -1), 1j, 2]),
    numpy.array([-(2**63), 2**63 - 1]),
    numpy.array([2**64 - 1, 0], "u8"),
    numpy.arange(6.0).reshape(2, 3).T,
]  # fmt: skip


def read(text: str) -> Any:
    return _Parser(text).literal()


@pytest.mark.parametrize(("value", "text"), ATTRIBUTES, ids=[text for _, text in ATTRIBUTES])
def test_an_attribute_has_one_text_and_is_read_back_from_it(value: Any, text: str) -> None:
    assert format_attribute(value) == text
    found = read(text)
    assert type(found) is type(value) and repr(found) == repr(value)


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_an_array_is_read_back_bit_for_bit(array: Any) -> None:
    found = read(format_attribute(array))
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    numpy.testing.assert_array_equal(found, array)
    assert repr(found.tolist()) == repr(array.tolist())  # tells -0.0 from 0.0


@pytest.mark.parametrize(("value", "text"), [(numpy.float64(0.1), "0.1"), (numpy.complex128(1j), "1j")])
def test_numpy_scalars_that_are_python_numbers_print_as_such(value: Any, text: str) -> None:
    assert format_attribute(value) == text


@pytest.mark.parametrize("value", [[1], {}, numpy.int64(1), object()], ids=lambda value: type(value).__name__)
def test_other_attributes_cannot_be_printed(value: Any) -> None:
    with pytest.raises(TypeError, match=f"cannot be a {type(value).__name__}"):
        format_attribute(value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1, True), (1, 1.0, False), (1, True, False), (0.0, -0.0, False), (nan, nan, True), ((0,), (0.0,), False)],
)
def test_attributes_are_the_same_if_they_print_alike(one: Any, other: Any, same: bool) -> None:
    assert same_attribute(one, copy.copy(other)) is same


def test_a_graph_is_read_back() -> None:
    graph = parse(STEP)
    verify(graph)
    assert [value.name for value in graph.arguments] == ["x", "y", "w", "b"]
    assert len(graph.inputs) == len(graph.state) == len(graph.updates) == 2
    assert (
        str(graph)
        == format_graph(graph, locations=False)
        == "\n".join(line.split("  #")[0].rstrip() for line in STEP.split("\n"))
    )


@given(graphs())
@settings(deadline=None)
def test_a_random_graph_is_read_back(graph: Graph) -> None:
    verify(graph)
    again = parse(str(graph))
    verify(again)
    assert str(again) == str(graph)


def test_locations_are_aligned_comments() -> None:
    graph = parse(STEP)
    for node in graph.nodes[:2]:
        node.location = Location("/home/me/softmax.py", 31, "net")
    graph.nodes[0].location = Location("softmax.py", 30, "net")
    assert [line.partition("#")[2] for line in str(graph).split("\n")[1:4]] == [" softmax.py:30", " softmax.py:31", ""]
    assert len({line.index("#") for line in str(graph).split("\n")[1:3]}) == 1


def test_attributes_equal_to_their_default_are_left_out() -> None:
    graph = parse("graph f(%x: f32[2]) { %0: f32[] = sum(%x) {keepdims=false, axes=(0,)} return %0 }")
    assert "sum(%x) {axes=(0,)}" in str(graph)
    assert graph.nodes[0].attrs["keepdims"] is False


@pytest.mark.parametrize(
    "text",
    [
        "graph f() {\n  return\n}",
        "graph f(%x: f32[]) {\n  return %x\n}",
        "graph f(%x: f32[]) {\n  return %x, %x\n}",
        "graph f(; state %w: f32[2,0]) {\n  return; %w <- %w\n}",
        "graph inf(%nan: f32[]) {\n  return %nan\n}",
        "graph graph(%return: f32[], %state: f32[]) {\n  return %state\n}",
    ],
)
def test_small_graphs_print_as_they_were_written(text: str) -> None:
    assert str(parse(text)) == text


def test_comments_and_line_breaks_may_stand_anywhere() -> None:
    text = "# a\ngraph # b }\nf(%x:\n f32[ 2 , ] ) { # c\n%a : f32[2]=exp( %x ,)return %a} # d"
    assert str(parse(text)) == "graph f(%x: f32[2]) {\n  %0: f32[2] = exp(%x)\n  return %0\n}"


def test_results_are_numbered_whatever_they_were_called() -> None:
    graph = parse("graph f(%x: f32[]) { %out: f32[] = exp(%x) %7: f32[] = exp(%out) return %7 }")
    assert [line.split(":")[0].strip() for line in str(graph).split("\n")[1:-2]] == ["%0", "%1"]


def printed_names(*names: str | None) -> list[str]:
    graph = Graph("f")
    graph.inputs = [Value(TensorType("f32", ()), None, 0, name) for name in names]
    assert str(parse(str(graph))) == str(graph)
    return [f"{value.name}" for value in parse(str(graph)).inputs]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x", "x", "x"], ["x", "x_2", "x_3"]),
        (["x", "x_2", "x"], ["x", "x_2", "x_3"]),
        (["x", "x", "x_2"], ["x", "x_2", "x_2_2"]),
        ([None, "", "in0"], ["in0", "in1", "in0_2"]),
        (["params[0].weight", "self.w", "2x", "1"], ["params_0_weight", "self_w", "v2x", "v1"]),
        (["größe", "☃", "__init__"], ["gr_e", "in1", "init"]),
    ],
)
def test_input_names_are_cleaned_and_made_unique(names: list[str | None], expected: list[str]) -> None:
    assert printed_names(*names) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("<lambda>", "lambda"), ("a.b<locals>", "a_b_locals"), ("☃", "graph"), ("2", "v2")]
)
def test_graph_names_are_cleaned(name: str, expected: str) -> None:
    text = str(Graph(name))
    assert text.startswith(f"graph {expected}(") and str(parse(text)) == text


@pytest.mark.parametrize(
    "attribute", [value for value, _ in ATTRIBUTES if not isinstance(value, (tuple, str)) or value]
)
def test_an_attribute_survives_in_a_node(attribute: Any) -> None:
    graph = Graph("f")
    types = [TensorType("f64", ())]
    graph.nodes = [Node(ops.full, [], {"value": attribute, "shape": (), "dtype": numpy.dtype("f8")}, types)]
    assert f"full() {{value={format_attribute(attribute)}, shape=(), dtype=f64}}" in str(graph)


def broken(text: str) -> str:
    with pytest.raises(GraphError) as error:
        parse(text)
    return str(error.value)


X = "graph f(%x: f32[2]) {\n"
BROKEN = [
    ("", "line 1: expected 'graph', found 'the end'"),
    ("graph f(\n", "line 2: expected a value, found 'the end'"),
    ("graph f() {\n  return\n}\n\n?", "line 5: unexpected character '?'\n    ?"),
    ("graph f() { return } graph", "line 1: nothing may follow the graph, found 'graph'"),
    ("graph %f() { return }", "line 1: %f is not a name"),
    ("graph f(%x) { return }", "line 1: expected ':', found ')'"),
    ("graph f(x: f32[]) { return }", "line 1: expected a value, found 'x'"),
    ("graph f(%x: f33[]) { return }", "line 1: 'f33' is not a dtype; the dtypes are bool, i8"),
    ("graph f(%x: f32[-1]) { return }", "line 1: -1 is not the length of an axis"),
    ("graph f(%x: f32[1.5]) { return }", "line 1: 1.5 is not the length of an axis"),
    ("graph f(%x: f32[2 3]) { return }", "line 1: expected ',', found '3'"),
    ("graph f(%x: f32[],\n %x: f32[]) { return }", "line 2: %x is defined twice"),
    ("graph f(; %x: f32[]) { return }", "line 1: expected 'state', found '%x'"),
    (X + "  return %y\n}", "line 2: %y is used before it is defined\n    return %y"),
    (X + "  return %x; %x\n}", "line 3: expected '<-', found '}'"),
    (X + "  %0: f32[2] = exp(%0)\n  return\n}", "line 2: %0 is used before it is defined"),
    (X + "  %0: f32[2] = expp(%x)\n  return\n}", "line 2: 'expp' is not a primitive\n    %0: f32[2] = expp(%x)"),
    (X + "  %0: f32[3] = exp(%x)\n  return\n}", "line 2: exp gives f32[2], not f32[3]"),
    (X + "  %0: f32[2], %1: f32[2] = exp(%x)\n  return\n}", "line 2: exp gives f32[2], not f32[2], f32[2]"),
    (X + "\n  %0: f32[2] = add(%x)\n  return\n}", "line 3: add: add does not take (f32[2])"),
    (X + "  %0: f32[2] = exp(%x) {axis=1}\n  return\n}",
        "line 2: exp: exp does not take (f32[2]) with the attributes {'axis': 1}"),
    (X + "  %0: f32[] = sum(%x) {axes=(1,)}\n  return\n}", "line 2: sum: axis 1 is out of bounds"),
    (X + "  %0: f32[] = sum(%x) {axes=0}\n  return\n}", "line 2: sum: sum does not take (f32[2]) with the attributes"),
    (X + "  %0: f32[] = sum(%x) {axes=(0,), axes=(0,)}\n  return\n}", "line 2: the attribute axes is given twice"),
    (X + "  %0: f32[] = sum(%x) {axes=what}\n  return\n}", "line 2: 'what' is not a literal"),
    (X + "  %0: f32[] = sum(%x) {axes=%x}\n  return\n}", "line 2: '%x' is not a literal"),
    (X + "  %0: f32[] = sum(%x) {axes=(0", "line 2: expected ',', found 'the end'"),
    (X + "  %0: f32[2] = constant() {value=dense(f32[2], 1)}\n  return\n}", "line 2: f32[2] has 2 elements, not 1"),
    (X + "  %0: i8[1] = constant() {value=dense(i8[1], 1j)}\n  return\n}", "line 2: i8[1]: "),
    (X + "  %0: f32[2] = exp(%x)\n", "line 3: expected a value, found 'the end'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_the_parser_names_the_line_that_is_wrong(text: str, message: str) -> None:
    assert broken(text).startswith(message)


def test_builders_and_texts_give_the_same_graph() -> None:
    builder = Builder()
    x = builder.input(TensorType("f32", (3,)), "x")
    with builder:
        y = ops.tanh(x) * 2.0
    graph = Graph("f")
    graph.inputs, graph.nodes, graph.outputs = [x], builder.nodes, [y]
    assert str(parse(str(graph))) == str(graph)
