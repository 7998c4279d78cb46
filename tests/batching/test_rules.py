"""Every primitive with each of its operands mapped, and with all, equals a loop over the examples."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from dopegraph.batching import LOOPED, RULES, batch
from dopegraph.batching.loop import loop
from dopegraph.batching.rules import rule_of
from dopegraph.ir import Builder, Graph, verify
from dopegraph.ir.graph import extract
from dopegraph.ir.primitive import primitives
from dopegraph.ops import neg
from dopegraph.ops.random import is_draw
from tests.ops.cases import CASES, Case
from tests.reference import Array, evaluate, single

SIZE = 3
# Results that are only determined up to something are compared as they are: the kernels are the same.
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "complex64": 2e-5, "float64": 1e-11, "complex128": 1e-11}

Mapped = tuple[bool, ...]


def is_random(case: Case) -> bool:
    return is_draw(single(case.primitive, case.types, case.attrs).nodes[0])


def choices(case: Case) -> list[Mapped]:
    """Every set of operands but the empty one."""
    return [mapped for mapped in itertools.product((False, True), repeat=len(case.types)) if any(mapped)]


def batched(case: Case, mapped: Mapped, size: int) -> Graph:
    """The graph of a primitive for all examples; its arguments are the operands, with the examples in front."""
    builder, inputs, arguments, values = Builder(), [], [], {}
    for type, is_mapped in zip(case.types, mapped):
        inputs.append(builder.input(type))
        argument = builder.input(type.with_shape((size, *type.shape))) if is_mapped else inputs[-1]
        arguments.append(argument)
        if is_mapped:
            values[inputs[-1]] = argument
    node = builder.emit_node(case.primitive, inputs, case.attrs)
    batch(builder, 0, size, values)
    graph = extract("f", builder.nodes, arguments, (), [values[value] for value in node.outputs])
    verify(graph)
    return graph


def examples(case: Case, mapped: Mapped, size: int) -> tuple[list[Array], list[list[Array]]]:
    """Arguments of the graph, and those of each example."""
    drawn = [ready(case, seed) for seed in range(max(size, 1))]
    each = [[one[place] if is_mapped else drawn[0][place] for place, is_mapped in enumerate(mapped)] for one in drawn]
    whole = [
        numpy.stack([one[place] for one in each])[:size] if is_mapped else each[0][place]
        for place, is_mapped in enumerate(mapped)
    ]
    return whole, each[:size]


def ready(case: Case, seed: int) -> list[Array]:
    arrays = case.arrays(seed)
    if case.op == "searchsorted":  # elsewhere it has no defined result
        arrays[0] = numpy.sort(arrays[0])
    if case.op == "checked":
        arrays[1] = numpy.ones_like(arrays[1])
    return arrays


def assert_same(found: Array, expected: Array, tolerance: float | None) -> None:
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    if tolerance is None:
        numpy.testing.assert_array_equal(found, expected)
    else:
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_allclose(found, expected, tolerance, tolerance)


MAPPED = [
    pytest.param(case, mapped, id=f"{case}-{''.join('01'[one] for one in mapped)}")
    for case in CASES
    if case.types and not is_random(case)
    for mapped in choices(case)
]
EMPTY = [case for case in CASES if case.types]
DRAWN = [case for case in CASES if is_random(case)]


def test_every_primitive_has_a_rule_or_is_on_the_list_of_those_done_one_by_one() -> None:
    taking = {op.name for op in primitives.values() if op.arity or op.variadic}
    ruled = {op.name for op in primitives.values() if op.elementwise} | set(RULES)
    assert taking - ruled == LOOPED
    assert set(RULES) <= set(primitives)
    assert not LOOPED & set(RULES)
    assert {name for name in taking if rule_of(primitives[name]) is loop} == LOOPED


@pytest.mark.parametrize(("case", "mapped"), MAPPED)
def test_a_mapped_primitive_equals_a_loop(case: Case, mapped: Mapped) -> None:
    whole, each = examples(case, mapped, SIZE)
    found = evaluate(batched(case, mapped, SIZE), whole)
    expected = zip(*[evaluate(single(case.primitive, case.types, case.attrs), one) for one in each])
    for one, parts in zip(found, expected):
        assert_same(one, numpy.stack(parts), TOLERANCE.get(one.dtype.name))


@pytest.mark.parametrize("case", EMPTY, ids=str)
def test_no_examples_give_nothing_of_the_right_type(case: Case) -> None:
    mapped = (True,) * len(case.types)
    found = evaluate(batched(case, mapped, 0), examples(case, mapped, 0)[0])
    for one, type in zip(found, case.results):
        assert (one.dtype, one.shape) == (type.dtype, (0, *type.shape))


@pytest.mark.parametrize("case", DRAWN, ids=str)
def test_with_a_key_for_each_example_it_draws_what_they_would(case: Case) -> None:
    for mapped in dict.fromkeys([(True,) + (False,) * (len(case.types) - 1), (True,) * len(case.types)]):
        whole, each = examples(case, mapped, SIZE)
        (found,) = evaluate(batched(case, mapped, SIZE), whole)
        expected = [evaluate(single(case.primitive, case.types, case.attrs), one)[0] for one in each]
        assert_same(found, numpy.stack(expected), None)


@pytest.mark.parametrize("case", DRAWN, ids=str)
def test_with_one_key_every_example_draws_numbers_of_the_right_type(case: Case) -> None:
    others = len(case.types) - 1
    for rest in dict.fromkeys([(False,) * others, (True,) * others]):
        mapped = (False, *rest)
        whole, _ = examples(case, mapped, SIZE)
        (found,) = evaluate(batched(case, mapped, SIZE), whole)
        assert (found.dtype, found.shape) == (case.result.dtype, (SIZE, *case.result.shape))
        (again,) = evaluate(batched(case, mapped, SIZE), whole)
        assert_same(found, again, None)


# Draws of one example that can hardly be those of another by chance.
DIFFERENT: list[tuple[str, str, dict[str, Any]]] = [
    (case.op, case.operands, case.attrs)
    for case in (
        Case("random_uniform", "u64[2]", {"shape": (40,), "dtype": numpy.dtype("float64")}),
        Case("random_normal", "u64[2]", {"shape": (40,), "dtype": numpy.dtype("float32")}),
        Case("random_integers", "u64[2]", {"low": 0, "high": 100, "shape": (40,), "dtype": numpy.dtype("int64")}),
        Case("random_permutation", "u64[2]", {"size": 40}),
        Case("random_permuted", "u64[2]", {"shape": (4, 10), "axis": None}),
        Case("random_permuted", "u64[2]", {"shape": (4, 10), "axis": 1}),
        Case("random_poisson", "u64[2] f64[]", {"shape": (40,)}),
        Case("random_choice", "u64[2] f64[40]", {"shape": (40,), "replace": False}),
        Case("random_choice", "u64[2] f64[40]", {"shape": (40,), "replace": True}),
        Case("random_categorical", "u64[2] f64[40]", {"shape": (40,)}),
        Case("random_multinomial", "u64[2] i64[] f64[40]", {"shape": ()}),
        Case("random_multivariate_hypergeometric", "u64[2] i64[40]", {"nsample": 90, "shape": ()}),
    )
]


@pytest.mark.parametrize(("op", "operands", "attrs"), DIFFERENT)
@pytest.mark.parametrize("others", [False, True], ids=["shared", "mapped"])
def test_every_example_draws_numbers_of_its_own(op: str, operands: str, attrs: dict[str, Any], others: bool) -> None:
    case = Case(op, operands, attrs)
    arrays = [numpy.array([7, 1], numpy.uint64)]
    for type in case.types[1:]:
        value = 1 / 40 if type.dtype.kind == "f" and type.shape else 50
        arrays.append(numpy.full(type.shape, value, type.dtype))
    mapped = (False,) + (others,) * (len(arrays) - 1)
    whole = [numpy.stack([one] * SIZE) if is_mapped else one for one, is_mapped in zip(arrays, mapped)]
    (found,) = evaluate(batched(case, mapped, SIZE), whole)
    assert len({one.tobytes() for one in found}) == SIZE
    # Numbers that any single example could have drawn.
    if op in ("random_permutation", "random_permuted"):
        for one in found:
            assert sorted(one.ravel()) == list(range(40))
        if attrs.get("axis") == 1:
            assert (numpy.sort(found, axis=2) == numpy.arange(40).reshape(4, 10)).all()
    if op == "random_choice" and not attrs["replace"]:
        assert all(sorted(one) == list(range(40)) for one in found)


def test_chosen_positions_have_the_probabilities_of_their_example() -> None:
    p = numpy.array([[0.5, 0.5, 0, 0], [0, 0, 0.25, 0.75], [1, 0, 0, 0]])
    key = numpy.array([7, 1], numpy.uint64)
    graph = batched(Case("random_choice", "u64[2] f64[4]", {"shape": (2000,), "replace": True}), (False, True), 3)
    (found,) = evaluate(graph, [key, p])
    counts = numpy.array([numpy.bincount(one, minlength=4) for one in found]) / 2000
    numpy.testing.assert_allclose(counts, p, atol=0.04)
    graph = batched(Case("random_choice", "u64[2] f64[4]", {"shape": (2,), "replace": False}), (False, True), 3)
    with pytest.raises(ValueError, match="2 different ones"):
        evaluate(graph, [key, p])
    (found,) = evaluate(graph, [key, p[[0, 1, 0]]])
    assert numpy.sort(found, axis=1).tolist() == [[0, 1], [2, 3], [0, 1]]
    with pytest.raises(ValueError, match="sum to 1"):
        evaluate(graph, [key, p[[0, 1, 0]] * 2])


OUTSIDE: list[tuple[str, str, dict[str, Any], Mapped]] = [
    ("take", "f64[4] i64[2]", {"axis": 0}, (True, True)),
    ("take", "f64[4] i64[2]", {"axis": 0}, (False, True)),
    ("take_scatter", "f64[2] i64[2]", {"axis": 0, "shape": (4,)}, (True, True)),
    ("scatter", "f64[4] i64[2] f64[2]", {"axis": 0}, (True, True, True)),
    ("scatter_add", "f64[4] i64[2] f64[2]", {"axis": 0}, (False, True, False)),
    ("take_along_axis", "f64[4] i64[2]", {"axis": 0}, (True, True)),
]


@pytest.mark.parametrize(("op", "operands", "attrs", "mapped"), OUTSIDE)
@pytest.mark.parametrize("place", [4, -5, 100])
def test_an_index_outside_its_example_is_an_error(
    op: str, operands: str, attrs: dict[str, Any], mapped: Mapped, place: int
) -> None:
    case = Case(op, operands, attrs)
    whole, _ = examples(case, mapped, SIZE)
    graph = batched(case, mapped, SIZE)
    position = [type.dtype.kind for type in case.types].index("i")
    whole[position] = numpy.zeros_like(whole[position])
    evaluate(graph, whole)
    whole[position][0, 1] = place
    with pytest.raises(IndexError):
        evaluate(graph, whole)


@pytest.mark.parametrize("place", [-4, -1, 3])
def test_indices_that_count_from_the_end_stay_in_their_example(place: int) -> None:
    case = Case("take", "f64[4] i64[]", {"axis": 0})
    x = numpy.arange(12.0).reshape(3, 4)
    (found,) = evaluate(batched(case, (True, True), SIZE), [x, numpy.full(3, place)])
    numpy.testing.assert_array_equal(found, x[:, place])


def test_of_several_values_for_one_place_the_last_remains() -> None:
    case = Case("scatter", "f64[2] i64[4] f64[4]", {"axis": 0})
    places = numpy.array([[0, 1, 0, 1], [1, 1, 1, 0]])
    values = numpy.arange(8.0).reshape(2, 4)
    (found,) = evaluate(batched(case, (True, True, True), 2), [numpy.zeros((2, 2)), places, values])
    numpy.testing.assert_array_equal(found, [[2, 3], [7, 6]])


def test_what_does_not_depend_on_an_example_is_computed_once() -> None:
    builder = Builder()
    x, y = (builder.input(type) for type in Case("add", "f64[3] f64[3]").types)
    with builder:
        shared = y * y
        result = x * shared
    (before, _) = builder.nodes
    values = {x: builder.input(x.type.with_shape((5, 3)))}
    batch(builder, 0, 5, values)
    assert builder.nodes[0] is before
    assert [node.op.name for node in builder.nodes] == ["mul", "mul"]
    assert values[result].shape == (5, 3)


def test_rows_of_all_examples_meet_a_matrix_in_one_product() -> None:
    graph = batched(Case("matmul", "f64[1,3] f64[3,4]"), (True, False), 6)
    products = [node for node in graph.nodes if node.op.name == "matmul"]
    assert [node.output.shape for node in products] == [(6, 4)]


def test_marks_stay_between_the_same_nodes() -> None:
    builder = Builder()
    x, y = (builder.input(type) for type in Case("add", "f64[3] f64[2,3]").types)
    with builder:
        shared = y * 2.0  # two nodes
        builder.marks.append(SimpleNamespace(nodes=2, values=(shared,)))
        total = x + shared  # with the examples in front, x gets an axis more
        builder.marks.append(SimpleNamespace(nodes=3, values=()))
        neg(total)
    batch(builder, 1, 5, {x: builder.input(x.type.with_shape((5, 3)))})
    assert [node.op.name for node in builder.nodes] == ["full", "mul", "reshape", "add", "neg"]
    assert [mark.nodes for mark in builder.marks] == [2, 4]


def test_locations_and_line_order_are_kept() -> None:
    from dopegraph.runtime.location import Location

    builder = Builder()
    (type,) = Case("exp", "f64[3]").types
    x = builder.input(type)
    where = Location("model.py", 3, "f")
    with builder, builder.at(where):
        -(x * 2.0)
    values = {x: builder.input(type.with_shape((5, 3)))}
    batch(builder, 0, 5, values)
    assert {node.location for node in builder.nodes} == {where}
