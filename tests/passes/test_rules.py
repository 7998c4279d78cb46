"""Every rule of the rewrite table with an example, applied alone; what rules leave alone; that they are sound."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy
import pytest

from dopegraph.ir import Graph, parse, verify
from dopegraph.ir.printer import value_names
from dopegraph.passes.dead_code import DeadCode
from dopegraph.passes.rules import RULES, Rule
from dopegraph.passes.simplify import OperatorPattern, Simplify
from tests.reference import Array, evaluate, lines


@dataclass(frozen=True)
class Example:
    """A rule, inputs and nodes it fits, and what computes the result afterwards. `rounds`: not bit for bit."""

    pattern: str
    result: str
    inputs: str
    nodes: str
    expected: str
    rounds: bool = False

    @staticmethod
    def read(block: str) -> Example:
        """From a block of the table below."""
        pattern, result, *nodes, expected = block.split("\n")
        inputs = nodes.pop(0).strip(" ()") if nodes[0].startswith("   (") else V
        text = "; ".join(node.strip() for node in nodes)
        return Example(pattern.strip(), result[3:], inputs, text, expected[3:], expected.startswith("~~"))

    @property
    def rule(self) -> Rule:
        (rule,) = [rule for rule in RULES if (rule.pattern, rule.result) == (self.pattern, self.result)]
        return rule

    @property
    def graph(self) -> Graph:
        return graph_of(self.inputs, self.nodes)


def graph_of(inputs: str, nodes: str) -> Graph:
    """Nodes written ``f32[2] exp %x; f32[] sum %0 {axes=(0,)}``, ``f32[] 1.0`` for a number; the last is returned."""
    text = []
    for number, node in enumerate(nodes.split("; ")):
        type, op, *operands = re.sub(r" \{.*", "", node).split()
        attrs = "{" + node.split(" {", 1)[1] if " {" in node else ""
        if op == "nan" or not op[0].isalpha():
            dtype, shape = type[:-1].split("[")
            lengths = "".join(f"{n}, " for n in shape.split(",") if n)
            op, attrs = "full", f"{{value={op}, shape=({lengths}), dtype={dtype}}}"
        text.append(f"%{number}: {type} = {op}({', '.join(operands)}) {attrs}")
    return parse(f"graph f({inputs}) {{ {' '.join(text)} return %{len(text) - 1} }}")


def simplified(graph: Graph, *rules: Rule) -> Graph:
    graph = graph.copy()
    Simplify(rules).run(graph)
    DeadCode().run(graph)
    verify(graph)
    return graph


def last(graph: Graph) -> str:
    """What computes the only result."""
    (result,) = graph.outputs
    if result.node is None:
        return value_names(graph)[result]
    return lines(str(graph))[graph.nodes.index(result.node)].split(" = ")[1]


V, N, M = "%x: f32[2], %y: f32[2]", "%x: i32[2], %y: i32[2]", "%x: f32[2,3]"
B = "%c: bool[2], %x: f32[2], %y: f32[2]"
AXIS = "{axes=(1,), keepdims=true}"
# Pattern, result, inputs if they are not V, nodes, and what computes the result afterwards, exactly (==) or not (~~).
TABLE = """
   x * 1
-> x
   f32[] 1.0
   f32[2] mul %x %0
== %x

   x / 1
-> x
   f32[] 1.0
   f32[2] div %x %0
== %x

   x - 0
-> x
   f32[] 0.0
   f32[2] sub %x %0
== %x

   x + 0
-> x
   (%x: i32[2], %y: i32[2])
   i32[] 0
   i32[2] add %x %0
== %x

   x * 0
-> x - x
   (%x: i32[2], %y: i32[2])
   i32[] 0
   i32[2] mul %x %0
== sub(%x, %x)

   neg(neg(x))
-> x
   f32[2] neg %x
   f32[2] neg %0
== %x

   x * -1
-> -x
   f32[] -1.0
   f32[2] mul %x %0
== neg(%x)

   x / -1
-> -x
   f32[] -1.0
   f32[2] div %x %0
== neg(%x)

   x + neg(y)
-> x - y
   f32[2] neg %y
   f32[2] add %x %0
== sub(%x, %y)

   x - neg(y)
-> x + y
   f32[2] neg %y
   f32[2] sub %x %0
== add(%x, %y)

   neg(x) * neg(y)
-> x * y
   f32[2] neg %x
   f32[2] neg %y
   f32[2] mul %0 %1
== mul(%x, %y)

   neg(x) / neg(y)
-> x / y
   f32[2] neg %x
   f32[2] neg %y
   f32[2] div %0 %1
== div(%x, %y)

   neg(x - y)
-> y - x
   (%x: i32[2], %y: i32[2])
   i32[2] sub %x %y
   i32[2] neg %0
== sub(%y, %x)

   integer_pow(x, exponent=1)
-> x
   f32[2] integer_pow %x {exponent=1}
== %x

   integer_pow(x, exponent=2)
-> square(x)
   f32[2] integer_pow %x {exponent=2}
== square(%x)

   integer_pow(x, exponent=-1)
-> reciprocal(x)
   f32[2] integer_pow %x {exponent=-1}
~~ reciprocal(%x)

   pow(x, 2)
-> square(x)
   f32[] 2.0
   f32[2] pow %x %0
~~ square(%x)

   pow(x, 1)
-> x
   f32[] 1.0
   f32[2] pow %x %0
== %x

   x * x
-> square(x)
   f32[2] mul %x %x
== square(%x)

   select(c, x, x)
-> x
   (%c: bool[2], %x: f32[2], %y: f32[2])
   f32[2] select %c %x %x
== %x

   select(logical_not(c), x, y)
-> select(c, y, x)
   (%c: bool[2], %x: f32[2], %y: f32[2])
   bool[2] logical_not %c
   f32[2] select %0 %x %y
== select(%c, %y, %x)

   logical_not(logical_not(x))
-> x
   (%c: bool[2], %x: f32[2], %y: f32[2])
   bool[2] logical_not %c
   bool[2] logical_not %0
== %c

   maximum(x, x)
-> x
   f32[2] maximum %x %x
== %x

   minimum(x, x)
-> x
   f32[2] minimum %x %x
== %x

   maximum(x, 0)
-> relu(x)
   f32[] 0.0
   f32[2] maximum %x %0
== relu(%x)

   cast(x, dtype=d)
-> x
   f32[2] cast %x {dtype=f32}
== %x

   cast(cast(x, dtype=d), dtype=e)
-> cast(x, dtype=e)
   f64[2] cast %x {dtype=f64}
   f16[2] cast %0 {dtype=f16}
== cast(%x) {dtype=f16}

   reshape(x, shape=s)
-> x
   (%x: f32[2,3])
   f32[2,3] reshape %x {shape=(2, 3)}
== %x

   reshape(reshape(x), shape=s)
-> reshape(x, shape=s)
   (%x: f32[2,3])
   f32[6] reshape %x {shape=(6,)}
   f32[3,2] reshape %0 {shape=(3, 2)}
== reshape(%x) {shape=(3, 2)}

   transpose(x, axes=p)
-> x
   (%x: f32[2,3])
   f32[2,3] transpose %x {axes=(0, 1)}
== %x

   transpose(x, axes=p)
-> reshape(x, shape=permuted(x.shape, p))
   (%x: f32[2,1,3])
   f32[1,2,3] transpose %x {axes=(1, 0, 2)}
== reshape(%x) {shape=(1, 2, 3)}

   transpose(transpose(x, axes=p), axes=q)
-> transpose(x, axes=permuted(p, q))
   (%x: f32[2,3,4])
   f32[3,4,2] transpose %x {axes=(1, 2, 0)}
   f32[2,3,4] transpose %0 {axes=(2, 0, 1)}
== transpose(%x) {axes=(0, 1, 2)}

   flip(flip(x, axes=a), axes=a)
-> x
   (%x: f32[2,3])
   f32[2,3] flip %x {axes=(1,)}
   f32[2,3] flip %0 {axes=(1,)}
== %x

   broadcast_to(x, shape=s)
-> x
   f32[2] broadcast_to %x {shape=(2,)}
== %x

   broadcast_to(broadcast_to(x), shape=s)
-> broadcast_to(x, shape=s)
   f32[1,2] broadcast_to %x {shape=(1, 2)}
   f32[3,2] broadcast_to %0 {shape=(3, 2)}
== broadcast_to(%x) {shape=(3, 2)}

   strided_slice(x, starts=a, stops=b, steps=c)
-> x
   (%x: f32[2,3])
   f32[2,3] strided_slice %x {starts=(0, 0), stops=(2, 3), steps=(1, 1)}
== %x

   unslice(x, shape=s, starts=a, stops=b, steps=c)
-> x
   (%x: f32[2,3])
   f32[2,3] unslice %x {shape=(2, 3), starts=(0, 0), stops=(2, 3), steps=(1, 1)}
== %x

   sum(x, axes=(), keepdims=k)
-> x
   f32[2] sum %x {axes=()}
~~ %x

   sum(sum(x, axes=a, keepdims=True), axes=b, keepdims=True)
-> sum(x, axes=union(a, b), keepdims=True)
   (%x: f32[2,3])
   f32[2,1] sum %x {axes=(1,), keepdims=true}
   f32[1,1] sum %0 {axes=(0,), keepdims=true}
~~ sum(%x) {axes=(0, 1), keepdims=true}

   reshape(sum(x, axes=a, keepdims=True), shape=s)
-> sum(x, axes=a)
   (%x: f32[2,3])
   f32[2,1] sum %x {axes=(1,), keepdims=true}
   f32[2] reshape %0 {shape=(2,)}
== sum(%x) {axes=(1,)}

   matmul(transpose(x, axes=p), y, transpose_x=t, transpose_y=u)
-> matmul(x, y, transpose_x=not t, transpose_y=u)
   (%x: f32[2,3], %y: f32[4,2])
   f32[3,2] transpose %x {axes=(1, 0)}
   f32[3,4] matmul %0 %y {transpose_y=true}
== matmul(%x, %y) {transpose_x=true, transpose_y=true}

   (z := matmul(x, y, transpose_x=t, transpose_y=u)) * s
-> matmul(x, y * s, transpose_x=t, transpose_y=u)
   (%x: f32[4,8], %y: f32[4,3], %s: f32[])
   f32[8,3] matmul %x %y {transpose_x=true}
   f32[8,3] mul %s %0
~~ matmul(%x, %0) {transpose_x=true}

   (z := matmul(x, y, transpose_x=t, transpose_y=u)) * s
-> matmul(x * s, y, transpose_x=t, transpose_y=u)
   (%x: f32[2,5], %y: f32[5,20], %s: f32[])
   f32[2,20] matmul %x %y
   f32[2,20] mul %s %0
~~ matmul(%0, %y)

   matmul(x, transpose(y, axes=p), transpose_x=t, transpose_y=u)
-> matmul(x, y, transpose_x=t, transpose_y=not u)
   (%x: f32[5,2,3], %y: f32[5,3,4])
   f32[5,4,3] transpose %y {axes=(0, 2, 1)}
   f32[5,2,4] matmul %x %0 {transpose_y=true}
== matmul(%x, %y)

   sum((z := matmul(x, y, transpose_x=True, transpose_y=False)), axes=a)
-> matmul(reshape(x, shape=rows(x)), reshape(y, shape=rows(y)), transpose_x=True)
   (%x: f64[2,5,4,3], %y: f64[2,5,4,2])
   f64[2,5,3,2] matmul %x %y {transpose_x=true}
   f64[3,2] sum %0 {axes=(0, 1)}
~~ matmul(%0, %1) {transpose_x=true}

   exp(x - max(x, axes=a, keepdims=True)) / sum(exp(x - max(x, axes=a, keepdims=True)), axes=a, keepdims=True)
-> softmax(x, axis=a[0])
   (%x: f32[2,3])
   f32[2,1] max %x {axes=(1,), keepdims=true}
   f32[2,3] sub %x %0
   f32[2,3] exp %1
   f32[2,1] sum %2 {axes=(1,), keepdims=true}
   f32[2,3] div %2 %3
~~ softmax(%x) {axis=1}

   exp(x) / sum(exp(x), axes=a, keepdims=True)
-> softmax(x, axis=a[0])
   (%x: f32[2,3])
   f32[2,3] exp %x
   f32[2,1] sum %0 {axes=(1,), keepdims=true}
   f32[2,3] div %0 %1
~~ softmax(%x) {axis=1}

   reciprocal(exp(neg(x)) + 1)
-> sigmoid(x)
   f32[2] neg %x
   f32[2] exp %0
   f32[] 1.0
   f32[2] add %1 %2
   f32[2] reciprocal %3
~~ sigmoid(%x)

   1 / (exp(neg(x)) + 1)
-> sigmoid(x)
   f32[2] neg %x
   f32[2] exp %0
   f32[] 1.0
   f32[2] add %1 %2
   f32[2] div %2 %3
~~ sigmoid(%x)

   log(softmax(x, axis=a))
-> log_softmax(x, axis=a)
   (%x: f32[2,3])
   f32[2,3] softmax %x {axis=1}
   f32[2,3] log %0
~~ log_softmax(%x) {axis=1}

   softmax(x, axis=k) * (g / softmax(x, axis=k))
-> g
   (%x: f32[2,3], %y: f32[2,3])
   f32[2,3] softmax %x {axis=1}
   f32[2,3] div %y %0
   f32[2,3] mul %0 %1
~~ %y

   softmax(x, axis=k) * (g / softmax(x, axis=k) - c)
-> g - softmax(x, axis=k) * c
   (%x: f32[2,3], %y: f32[2,3], %c: f32[2,1])
   f32[2,3] softmax %x {axis=1}
   f32[2,3] div %y %0
   f32[2,3] sub %1 %c
   f32[2,3] mul %0 %2
~~ sub(%y, %1)

   sigmoid(x) * (g / sigmoid(x))
-> g
   f32[2] sigmoid %x
   f32[2] div %y %0
   f32[2] mul %1 %0
~~ %y

   neg(g * sigmoid(x)) / (exp(neg(x)) + 1) * exp(neg(x))
-> neg(g * (sigmoid(x) * (1 - sigmoid(x))))
   f32[2] sigmoid %x
   f32[2] mul %y %0
   f32[2] neg %1
   f32[2] neg %x
   f32[2] exp %3
   f32[] 1.0
   f32[2] add %4 %5
   f32[2] div %2 %6
   f32[2] mul %7 %4
~~ neg(%5)

   log(sigmoid(x))
-> minimum(x, 0.0) - log1p(exp(-abs(x)))
   f32[2] sigmoid %x
   f32[2] log %0
~~ sub(%1, %5)

   log(exp(x) / y)
-> x - log(y)
   f32[2] abs %y
   f32[2] exp %x
   f32[2] div %1 %0
   f32[2] log %2
~~ sub(%x, %1)

   log(x + 1)
-> log1p(x)
   f32[2] abs %x
   f32[] 1.0
   f32[2] add %0 %1
   f32[2] log %2
~~ log1p(%0)

   exp(x) - 1
-> expm1(x)
   f32[2] exp %x
   f32[] 1.0
   f32[2] sub %0 %1
~~ expm1(%x)
"""
EXAMPLES = [Example.read(block) for block in TABLE.strip("\n").split("\n\n")]


def test_every_rule_has_an_example() -> None:
    assert sorted((one.pattern, one.result) for one in EXAMPLES) == sorted(
        (rule.pattern, rule.result) for rule in RULES
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.pattern for one in EXAMPLES])
def test_a_rule_rewrites_its_example(example: Example) -> None:
    assert last(simplified(example.graph, example.rule)) == example.expected


SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e30, -1e-30, float("inf"), float("-inf"), float("nan")]


def arguments(graph: Graph, seed: int, special: bool) -> list[Array]:
    random = numpy.random.default_rng(seed)
    result = []
    for value in graph.arguments:
        if value.type.dtype.kind == "f":
            numbers = random.choice(SPECIAL, value.shape) if special else random.uniform(-3, 3, value.shape)
        else:
            numbers = random.integers(0, 2 if value.type.dtype.kind == "b" else 100, value.shape)
        result.append(numpy.asarray(numbers).astype(value.type.dtype))
    return result


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.pattern for one in EXAMPLES])
def test_a_rule_keeps_the_value_and_exactly_so_unless_it_is_about_rounding(example: Example) -> None:
    before, graph = example.graph, simplified(example.graph, example.rule)
    for seed in range(50):
        given = arguments(before, seed, special=not example.rounds)
        (expected,), (found,) = evaluate(before, given), evaluate(graph, given)
        if example.rounds:
            numpy.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        else:
            # 0.0 and -0.0 are told apart; the sign of NaN is not, the processor chooses it.
            numpy.testing.assert_array_equal(found, expected)
            if found.dtype.kind == "f":
                number = ~numpy.isnan(found)
                assert (numpy.signbit(found) == numpy.signbit(expected))[number].all()


UNCHANGED = {
    "x + 0.0, which is 0.0 at -0.0": (V, "f32[] 0.0; f32[2] add %x %0"),
    "x - -0.0": (V, "f32[] -0.0; f32[2] sub %x %0"),
    "x * 0.0, which is NaN at infinity": (V, "f32[] 0.0; f32[2] mul %x %0"),
    "-(x - y), which is -0.0 at x = y": (V, "f32[2] sub %x %y; f32[2] neg %0"),
    "maximum(x, -0.0)": (V, "f32[] -0.0; f32[2] maximum %x %0"),
    "1 / x": (V, "f32[] 1.0; f32[2] div %0 %x"),
    "0 - x": (N, "i32[] 0; i32[2] sub %0 %x"),
    "pow(x, 3)": (V, "f32[] 3.0; f32[2] pow %x %0"),
    "pow(2, x)": (V, "f32[] 2.0; f32[2] pow %0 %x"),
    "x * NaN": (V, "f32[] nan; f32[2] mul %x %0"),
    "select of different values": (B, "f32[2] select %c %x %y"),
    "a cast through a narrower dtype": (V, "f16[2] cast %x {dtype=f16}; f32[2] cast %0 {dtype=f32}"),
    "a cast through an integer": (V, "i32[2] cast %x {dtype=i32}; f32[2] cast %0 {dtype=f32}"),
    "a cast through a boolean": (V, "bool[2] cast %x {dtype=bool}; f32[2] cast %0 {dtype=f32}"),
    "64-bit integers through floats": ("%x: i64[2]", "f64[2] cast %x {dtype=f64}; i64[2] cast %0 {dtype=i64}"),
    "negative integers through floats": ("%x: i32[2]", "f64[2] cast %x {dtype=f64}; u8[2] cast %0 {dtype=u8}"),
    "a cast that loses the sign": ("%x: i32[2]", "u32[2] cast %x {dtype=u32}; i64[2] cast %0 {dtype=i64}"),
    "flips of different axes": (M, "f32[2,3] flip %x {axes=(1,)}; f32[2,3] flip %0 {axes=(0,)}"),
    "a slice of a part": (M, "f32[2,2] strided_slice %x {starts=(0, 0), stops=(2, 2), steps=(1, 1)}"),
    "a part written into zeros": (M, "f32[2,4] unslice %x {shape=(2, 4), starts=(0, 0), stops=(2, 3), steps=(1, 1)}"),
    "a transpose that moves elements": (M, "f32[3,2] transpose %x {axes=(1, 0)}"),
    "a sum over some of a batch": (
        "%x: f32[2,5,4,3], %y: f32[2,5,4,2]",
        "f32[2,5,3,2] matmul %x %y {transpose_x=true}; f32[5,3,2] sum %0 {axes=(0,)}",
    ),
    "a sum of products whose batches are broadcast": (
        "%x: f32[5,4,3], %y: f32[1,4,2]", "f32[5,3,2] matmul %x %y {transpose_x=true}; f32[3,2] sum %0 {axes=(0,)}",
    ),
    "a scaled product that is read elsewhere": (
        "%x: f32[4,8], %y: f32[4,3], %s: f32[]",
        "f32[8,3] matmul %x %y {transpose_x=true}; f32[8,3] mul %s %0; f32[8,3] add %0 %1",
    ),
    "a scaled product smaller than its operands": (
        "%x: f32[2,8], %y: f32[8,2], %s: f32[]", "f32[2,2] matmul %x %y; f32[2,2] mul %s %0",
    ),
    "a product scaled by rows": ("%x: f32[8,2], %y: f32[2,8], %s: f32[8]", "f32[8,8] matmul %x %y; f32[8,8] mul %s %0"),
    "a transpose of other axes before a product": (
        "%x: f32[2,5,3], %y: f32[5,3,4]", "f32[5,2,3] transpose %x {axes=(1, 0, 2)}; f32[5,2,4] matmul %0 %y",
    ),
    "sums without keepdims": (M, "f32[2] sum %x {axes=(1,)}; f32[] sum %0 {axes=(0,)}"),
    "a sum reshaped to another shape": (M, f"f32[2,1] sum %x {AXIS}; f32[1,2] reshape %0 {{shape=(1, 2)}}"),
    "exp(x) / sum(exp(y))": (
        "%x: f32[2,3], %y: f32[2,3]", f"f32[2,3] exp %x; f32[2,3] exp %y; f32[2,1] sum %1 {AXIS}; f32[2,3] div %0 %2",
    ),
    "a softmax over two axes": (
        M, "f32[2,3] exp %x; f32[1,1] sum %0 {axes=(0, 1), keepdims=true}; f32[2,3] div %0 %1",
    ),
    "exp(x) / sum(exp(x)) of complex numbers": (
        "%x: c64[2,3]", f"c64[2,3] exp %x; c64[2,1] sum %0 {AXIS}; c64[2,3] div %0 %1",
    ),
    "log(exp(x) / y) of complex numbers, which has branches": (
        "%x: c64[2], %y: c64[2]", "c64[2] exp %x; c64[2] div %0 %y; c64[2] log %1",
    ),
    "log(sigmoid(x)) of complex numbers": ("%x: c64[2]", "c64[2] sigmoid %x; c64[2] log %0"),
    "softmaxes of different axes that would cancel": (
        "%x: f32[2,3], %y: f32[2,3]",
        "f32[2,3] softmax %x {axis=1}; f32[2,3] softmax %x {axis=0}; f32[2,3] div %y %0; f32[2,3] mul %1 %2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("inputs", "nodes"), UNCHANGED.values(), ids=UNCHANGED)
def test_no_rule_touches(inputs: str, nodes: str) -> None:
    graph = graph_of(inputs, nodes)
    assert not Simplify().run(graph)
    assert str(graph) == str(graph_of(inputs, nodes))


COMMUTED = [
    (V, "f32[] 1.0; f32[2] mul %0 %x", "%x"),
    (V, "f32[2] neg %y; f32[2] add %0 %x", "sub(%x, %y)"),
    (V, "f32[] 0.0; f32[2] maximum %0 %x", "relu(%x)"),
    ("%x: f32[2,3], %y: f32[2,3]", "f32[2,3] softmax %x {axis=1}; f32[2,3] div %y %0; f32[2,3] mul %1 %0", "%y"),
    (V, "f32[2] exp %x; f32[] 1.0; f32[2] add %1 %0; f32[2] log %2", "log1p(%0)"),
]


@pytest.mark.parametrize(("inputs", "nodes", "expected"), COMMUTED)
def test_operands_of_commutative_operators_may_stand_either_way(inputs: str, nodes: str, expected: str) -> None:
    assert last(simplified(graph_of(inputs, nodes), *RULES)) == expected


def test_a_number_may_be_an_array_of_that_number() -> None:
    assert last(simplified(graph_of(V, "f32[2] 1.0; f32[2] mul %x %0"), *RULES)) == "%x"


def test_a_result_is_broadcast_to_the_shape_it_had() -> None:
    graph = simplified(graph_of("%x: f32[2]", "f32[3,2] 1.0; f32[3,2] mul %x %0"), *RULES)
    assert last(graph) == "broadcast_to(%x) {shape=(3, 2)}"


def test_one_run_simplifies_from_the_operands_up() -> None:
    graph = graph_of(V, "f32[] 1.0; f32[2] mul %x %0; f32[2] neg %1; f32[2] neg %2; f32[2] mul %3 %0")
    assert last(simplified(graph, *RULES)) == "%x"


def test_a_rewritten_node_has_the_location_of_the_old_one() -> None:
    from dopegraph.runtime.location import Location

    graph = graph_of(V, "f32[2] integer_pow %x {exponent=2}")
    graph.nodes[0].location = Location("net.py", 7, "f")
    assert simplified(graph, *RULES).nodes[0].location == Location("net.py", 7, "f")


def test_a_rule_must_start_with_an_operator() -> None:
    with pytest.raises(ValueError, match="the rule 'x' does not start with an operator"):
        Simplify([Rule("x", "x")])


def test_every_rule_names_operators_and_attributes_that_exist() -> None:
    from dopegraph.ir import primitives

    def check(pattern: OperatorPattern) -> None:
        op = primitives[pattern.op]
        assert op.variadic or len(pattern.operands) == op.arity
        assert set(pattern.attrs) <= set(op.attributes)
        for operand in pattern.operands:
            if isinstance(operand, OperatorPattern):
                check(operand)

    for rules in Simplify().by_operator.values():
        for compiled in rules:
            check(compiled.pattern)
