"""Small matrices in C: systems, inverses, determinants and factors are those of LAPACK, and so is what they refuse."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.codegen import support
from dopegraph.backends.codegen.systems import LARGEST
from dopegraph.ir.primitive import primitives
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

NAN = numpy.nan


def spread(*shape: int, dtype: str, seed: int = 0) -> Any:
    """Matrices that are far from singular."""
    random = numpy.random.RandomState(seed)
    return (random.uniform(-1, 1, shape) + 2 * numpy.eye(shape[-2], shape[-1])).astype(dtype)


def definite(*shape: int, dtype: str) -> Any:
    a = spread(*shape, dtype="float64")
    return (a @ numpy.swapaxes(a, -1, -2)).astype(dtype)


def close(found: Any, wanted: Any, label: str, atol: float = 0.0) -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), label
    rtol = 1e-4 if found.dtype.itemsize == 4 else 1e-12
    scale = float(numpy.max(numpy.abs(wanted[numpy.isfinite(wanted)]), initial=0))
    numpy.testing.assert_allclose(found, wanted, rtol, max(atol, rtol * scale), err_msg=label)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_lapack(dtype: str) -> None:
    sheet = Sheet()
    for rows in range(1, 9):
        for batch in ((), (3,), (2, 2)):
            a = spread(*batch, rows, rows, dtype=dtype)
            for name in ("inv", "det", *(("cofactor",) if rows <= LARGEST["cofactor"] else ())):
                sheet.add(name, a)
            sheet.add("cholesky", definite(*batch, rows, rows, dtype=dtype))
            for columns in (1, 4):
                sheet.add("solve", a, spread(*batch, rows, columns, dtype=dtype, seed=1))
        x = spread(2, 1, rows, rows, dtype=dtype)
        sheet.add("solve", x, spread(3, rows, 2, dtype=dtype))
        sheet.add("solve", x[0, 0], spread(3, rows, 2, dtype=dtype))
        for lower in (False, True):
            for transpose in (False, True):
                for unit in (False, True):
                    attrs = {"lower": lower, "transpose_a": transpose, "unit_diagonal": unit}
                    sheet.add("triangular_solve", x, spread(3, rows, 2, dtype=dtype), **attrs)
    exchanged = numpy.array([[0, 2, 1], [3, 0, 1], [1, 1, 0]], dtype)
    for name in ("inv", "det", "cofactor"):
        sheet.add(name, exchanged)
    assert all(support.runs(node) for node in sheet.graph.nodes)
    for label, found, wanted in sheet.run():
        close(found, wanted, label)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_singular_and_not_finite(dtype: str) -> None:
    sheet = Sheet()
    singular = numpy.array([[1, 2], [2, 4]], dtype)
    rank_one = numpy.outer([1, 2, 4], [1, 0.5, 2]).astype(dtype)
    for one in (singular, rank_one, numpy.zeros((2, 2), dtype), numpy.zeros((1, 1), dtype)):
        sheet.add("det", one)
        sheet.add("cofactor", one)
        sheet.add("inv", one, singular_as_nan=True)
    for value in (numpy.nan, numpy.inf):
        for rows in (1, 2, 3):
            bad = spread(rows, rows, dtype=dtype)
            bad[0, -1] = value
            sheet.add("cofactor", bad)
    bad = numpy.array([[NAN, 1], [1, 2]], dtype)
    sheet.add("det", bad)
    sheet.add("solve", bad, numpy.ones((2, 1), dtype))
    *results, (_, found, _) = sheet.run()
    assert numpy.isnan(found).any()  # where else there are NaN hangs on how LAPACK was built
    for label, found, wanted in results:
        close(found, wanted, label, atol=1e-5)  # NumPy's cofactors come of singular values, and are not exact


def test_scales_at_the_ends_of_the_range() -> None:
    sheet = Sheet()
    for scale in (1e-38, 1e-42, 1e30):
        a = numpy.array([[2, 1], [1, 3]]) * scale
        sheet.add("solve", a.astype("float32"), (numpy.ones((2, 1)) * scale).astype("float32"))
    for label, found, wanted in sheet.run():
        numpy.testing.assert_allclose(found, wanted, 1e-2, err_msg=label)


@pytest.mark.parametrize(
    ("function", "bad"),
    [
        (lambda a: np.linalg.solve(a, a + 1), [[1, 2], [2, 4]]),
        (lambda a: np.linalg.inv(a) * 2, [[0, 0], [0, 0]]),
        (lambda a: np.linalg.cholesky(a) * 2, [[1, 2], [2, 1]]),
    ],
)
def test_what_lapack_refuses_is_refused_with_the_line(function: Any, bad: Any) -> None:
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        f = dopegraph.compile(function)
        good = np.array([[2.0, 1.0], [1.0, 3.0]])
        wanted = function(good).asnumpy()
        for _ in range(3):
            numpy.testing.assert_allclose(f(good).asnumpy(), wanted, rtol=1e-5)
            with pytest.raises(numpy.linalg.LinAlgError, match="test_systems"):
                f(np.array(bad, dtype="float32"))


def test_what_only_our_algorithm_refuses_is_lapacks() -> None:
    """The last pivot is 0 or nearly so, as rounding has it."""
    a = numpy.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]) / numpy.array([3.0, 7, 11])
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        f = dopegraph.compile(lambda x: np.linalg.inv(x) * 1)
        f(np.eye(3, dtype="float64"))
        try:
            numpy.linalg.inv(a)
        except numpy.linalg.LinAlgError:
            return
        assert f(np.array(a)).shape == (3, 3)


def test_larger_ones_stay_with_lapack() -> None:
    sheet = Sheet()
    sheet.add("solve", spread(9, 9, dtype="float32"), spread(9, 1, dtype="float32"))
    sheet.add("cofactor", spread(4, 4, dtype="float32"))
    sheet.add("inv", numpy.zeros((0, 2, 2), "float32"))
    sheet.add("inv", numpy.zeros((2, 2), "complex64"))
    assert not any(support.runs(node) for node in sheet.graph.nodes)
    assert primitives["solve"].raises


def test_a_filter_with_its_gradient_is_one_loop() -> None:
    """Steps that may refuse their matrices are a loop all the same: what is needed anyway need not be handed out."""

    def likelihood(a: Any, v: Any, f: Any, F: Any) -> Any:
        total = 0.0
        for t in range(8):
            f, F = a @ f, a @ F @ a.T + np.eye(2)
            S = F[:1, :1] + 1
            K = np.linalg.solve(S, F[:1]).T
            delta = v[t] - f[:1]
            total = total + delta @ np.linalg.solve(S, delta) + np.log(np.linalg.det(S))
            f, F = f + K @ delta, F - K @ S @ K.T
        return total

    operands = [np.array(spread(2, 2, dtype="float64") / 3), np.array(spread(8, 1, dtype="float64"))]
    operands += [np.zeros(2, dtype="float64"), np.eye(2, dtype="float64")]
    function = dopegraph.value_and_grad(likelihood)
    value, slope = function(*operands)
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        compiled = dopegraph.compile(lambda *given: dopegraph.value_and_grad(likelihood)(*given))
        for _ in range(3):
            found = compiled(*operands)
        program = compiled.plans[0].program
    numpy.testing.assert_allclose(float(found[0]), float(value), rtol=1e-12)
    numpy.testing.assert_allclose(found[1].asnumpy(), slope.asnumpy(), rtol=1e-10)
    assert [stage.backend for stage in program.stages] == ["codegen"]
    assert len(program.graph.results) <= 4
