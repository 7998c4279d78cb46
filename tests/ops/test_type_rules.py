from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.ir import primitives
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import GraphError
from tests.ops.cases import CASES, FOREIGN, REJECTED, Case
from tests.reference import types


def run(case: Case, arrays: list[Any]) -> tuple[Any, ...]:
    with numpy.errstate(all="ignore"):
        found = case.primitive.kernel(*arrays, **case.attrs)
    return found if isinstance(found, tuple) else (found,)


def test_every_primitive_has_cases() -> None:
    assert {case.op for case in CASES} == set(primitives) - FOREIGN


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_type_rule_gives_the_type_of_the_kernels_result(case: Case) -> None:
    found = [numpy.asarray(one) for one in run(case, case.arrays())]
    assert [(one.dtype, one.shape) for one in found] == [(one.dtype, one.shape) for one in case.results]


@pytest.mark.parametrize("case", [case for case in CASES if any(t.shape == () for t in case.types)], ids=str)
def test_kernels_take_numpy_scalars_for_arrays_without_axes(case: Case) -> None:
    arrays = case.arrays()
    for found, expected in zip(run(case, [array[()] for array in arrays]), run(case, arrays)):
        numpy.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("case", [case for case in CASES if not case.primitive.view], ids=str)
def test_a_result_shares_memory_with_operands_only_if_the_primitive_says_so(case: Case) -> None:
    arrays = case.arrays()
    found = run(case, arrays)
    arrays += found
    assert not any(numpy.shares_memory(one, other) for one in found for other in arrays if one is not other)


@pytest.mark.parametrize("case", [case for case in CASES if case.primitive.out], ids=str)
def test_a_kernel_with_out_writes_there(case: Case) -> None:
    arrays = case.arrays()
    out = numpy.empty(case.result.shape, case.result.dtype)
    with numpy.errstate(all="ignore"):
        assert case.primitive.kernel(*arrays, **case.attrs, out=out) is out
    numpy.testing.assert_array_equal(out, run(case, arrays)[0])


@pytest.mark.parametrize("case", [c for c in CASES if c.primitive.elementwise and c.types], ids=str)
def test_elementwise_results_have_the_broadcast_shape(case: Case) -> None:
    assert case.result.shape == broadcast_shapes(*(type.shape for type in case.types))


@pytest.mark.parametrize("case", [case for case in CASES if case.primitive.commutative], ids=str)
def test_commutative_primitives_do_not_mind_the_order(case: Case) -> None:
    arrays = case.arrays()
    numpy.testing.assert_array_equal(run(case, arrays)[0], run(case, arrays[::-1])[0])


@pytest.mark.parametrize(("op", "operands", "attrs", "error", "message"), REJECTED)
def test_a_type_rule_rejects(
    op: str, operands: str, attrs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        primitives[op].result_types(types(operands), {**primitives[op].defaults, **attrs})


@pytest.mark.parametrize(
    ("op", "operands", "attrs"),
    [("exp", "f32[] f32[]", {}), ("exp", "f32[]", {"axis": 0}), ("sum", "f32[]", {}), ("sum", "f32[]", {"axes": None})],
)
def test_what_a_type_rule_does_not_foresee_is_a_graph_error(op: str, operands: str, attrs: dict[str, Any]) -> None:
    with pytest.raises(GraphError, match=f"{op} does not take"):
        primitives[op].result_types(types(operands), attrs)
