"""Linear algebra beyond single calls: derivatives, errors, compiled code, what NumPy does not have."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.dispatch import apply
from dopegraph.numpy.matmul import conjugate
from dopegraph.transform.plan import ReplayPlan

HERE = re.escape(__file__)
RANDOM = numpy.random.default_rng(3)
SQUARE = RANDOM.normal(size=(3, 3)) + 3 * numpy.eye(3)
STACK = RANDOM.normal(size=(2, 3, 3)) + 3 * numpy.eye(3)
TALL, WIDE = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(2, 4))
COMPLEX = SQUARE + 1j * RANDOM.normal(size=(3, 3))
WEIGHTS = np.asarray(RANDOM.normal(size=100))


def real(x: Any) -> Any:
    return apply(ops.real, x)


def functional(result: Any) -> Any:
    """A number made of all elements of arrays, the imaginary parts too."""
    if isinstance(result, tuple):
        return sum(functional(one) for one in result)
    flat = np.reshape(result, -1)
    weights = WEIGHTS[: flat.size]
    if flat.dtype.kind == "c":
        return (real(flat) * weights).sum() + (apply(ops.imag, flat) * weights[::-1]).sum()
    return (flat * weights).sum()


def assert_derivatives(function: Any, *arrays: Any, second: bool = True) -> None:
    """First and second derivatives by the first array, against central differences."""

    def loss(x: Any) -> Any:
        return functional(function(x, *map(np.asarray, arrays[1:])))

    x = numpy.asarray(arrays[0])
    gradient = dopegraph.grad(loss)(np.asarray(x)).asnumpy()
    numpy.testing.assert_allclose(gradient, differences(loss, x), rtol=2e-5, atol=2e-6)
    if second:

        def slope(x: Any) -> Any:
            return functional(dopegraph.grad(loss)(x))

        curvature = dopegraph.grad(slope)(np.asarray(x)).asnumpy()
        numpy.testing.assert_allclose(curvature, differences(slope, x), rtol=2e-4, atol=2e-5)


def differences(loss: Any, x: Any, step: float = 1e-6) -> Any:
    result = numpy.zeros_like(x)
    for index in numpy.ndindex(*x.shape):
        for direction in (1, 1j) if x.dtype.kind == "c" else (1,):
            moved = numpy.zeros_like(x)
            moved[index] = step * direction
            change = float(loss(np.asarray(x + moved))) - float(loss(np.asarray(x - moved)))
            result[index] += change / (2 * step) / direction
    return result


DIFFERENTIABLE = {
    "inv": (np.linalg.inv, SQUARE),
    "det": (np.linalg.det, STACK),
    "slogdet": (lambda x: np.linalg.slogdet(x).logabsdet, -SQUARE),
    "solve": (np.linalg.solve, STACK, TALL[:3, :2]),
    "solve of a vector": (np.linalg.solve, SQUARE, TALL[:3, 0]),
    "solve by its right side": (lambda b, a: np.linalg.solve(a, b), TALL[:3, 0], SQUARE),
    "solve_triangular": (lambda a, b: np.linalg.solve_triangular(a, b, lower=True), SQUARE, TALL[:3]),
    "solve_triangular transposed": (lambda a, b: np.linalg.solve_triangular(a, b, "T"), SQUARE, TALL[:3, 0]),
    "solve_triangular of ones": (lambda a, b: np.linalg.solve_triangular(a, b, 1, True, True), SQUARE, TALL[:3]),
    "cholesky": (lambda x: np.linalg.cholesky(x @ x.T), SQUARE),
    "cholesky upper": (lambda x: np.linalg.cholesky(x @ x.T, upper=True), SQUARE),
    "qr": (np.linalg.qr, TALL),
    "qr wide": (np.linalg.qr, WIDE),
    "qr complete": (lambda x: np.linalg.qr(x, "complete"), WIDE),
    "qr r": (lambda x: np.linalg.qr(x, "r"), TALL),
    "svd": (lambda x: np.linalg.svd(x, full_matrices=False), TALL),
    "svd wide": (lambda x: np.linalg.svd(x, full_matrices=False), WIDE),
    "svd square": (np.linalg.svd, SQUARE),
    "svdvals": (np.linalg.svdvals, TALL),
    "eigh": (lambda x: np.linalg.eigh(x + x.T), SQUARE),
    "eigh upper": (lambda x: np.linalg.eigh(x + x.T, "U"), SQUARE),
    "eigvalsh": (lambda x: np.linalg.eigvalsh(x + x.T), SQUARE),
    "eigvals": (np.linalg.eigvals, SQUARE),
    "pinv": (np.linalg.pinv, TALL),
    "pinv wide": (np.linalg.pinv, WIDE),
    "pinv hermitian": (lambda x: np.linalg.pinv(x + x.T, hermitian=True), SQUARE),
    "lstsq": (lambda x, b: np.linalg.lstsq(x, b)[:2], TALL, TALL[:, 0] ** 2),
    "lstsq wide": (lambda x, b: np.linalg.lstsq(x, b)[0], WIDE, WIDE[:, 0]),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, 5), SQUARE / 4),
    "matrix_power inverse": (lambda x: np.linalg.matrix_power(x, -2), SQUARE),
    "multi_dot": (lambda x, y: np.linalg.multi_dot([x, y.T, y, x.T]), TALL, TALL),
    "tensorsolve": (lambda a, b: np.linalg.tensorsolve(np.reshape(a, (3, 3)), b), SQUARE, TALL[:3, 0]),
    "tensorinv": (lambda x: np.linalg.tensorinv(np.reshape(x, (3, 1, 3))), SQUARE),
    "expm": (np.linalg.expm, SQUARE),
    "expm of a stack": (np.linalg.expm, STACK * numpy.array([0.01, 1.0])[:, None, None]),
    "norm": (np.linalg.norm, TALL),
    "norm nuc": (lambda x: np.linalg.norm(x, "nuc"), TALL),
    "norm 2": (lambda x: np.linalg.norm(x, 2), TALL),
    "norm -2": (lambda x: np.linalg.norm(x, -2), TALL),
    "norm 1": (lambda x: np.linalg.norm(x, 1), TALL),
    "norm inf": (lambda x: np.linalg.norm(x, numpy.inf, axis=1), TALL),
    "norm 3": (lambda x: np.linalg.norm(x, 3, axis=0), TALL),
    "cond": (np.linalg.cond, TALL),
    "cond 1": (lambda x: np.linalg.cond(x, 1), SQUARE),
    "vecdot": (lambda x, y: np.vecdot(x, y, axis=0), TALL, TALL),
    "matvec": (np.matvec, STACK, TALL[0]),
    "vecmat": (np.vecmat, TALL[0], STACK),
    "cross": (np.cross, TALL, TALL[::-1]),
    "kron": (np.kron, TALL, WIDE),
    "diagonal": (lambda x: np.linalg.diagonal(x, offset=1), STACK),
    "trace": (lambda x: np.trace(x @ x), SQUARE),
    "einsum": (lambda x, y: np.einsum("ij,jk,ik->j", x, y, x), SQUARE, STACK[0]),
    "einsum of a diagonal": (lambda x: np.einsum("bii->i", x), STACK),
    "complex solve": (np.linalg.solve, COMPLEX, COMPLEX.T),
    "complex inv": (np.linalg.inv, COMPLEX),
    "complex det": (np.linalg.det, COMPLEX),
    "complex slogdet": (np.linalg.slogdet, COMPLEX),
    "complex cholesky": (lambda x: np.linalg.cholesky(x @ np.linalg.matrix_transpose(conjugate(x))), COMPLEX),
    "complex qr": (np.linalg.qr, COMPLEX),
    "complex svdvals": (np.linalg.svdvals, COMPLEX),
    "complex pinv": (np.linalg.pinv, COMPLEX[:2]),
    "complex eigvals": (np.linalg.eigvals, COMPLEX),
    "complex vecdot": (np.vecdot, COMPLEX, COMPLEX.T),
    "complex norm": (np.linalg.norm, COMPLEX),
    "complex expm": (np.linalg.expm, COMPLEX / 4),
}


@pytest.fixture
def double():
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_and_second_derivatives_are_those_of_differences(name: str) -> None:
    function, *arrays = DIFFERENTIABLE[name]
    assert_derivatives(function, *arrays)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", ["inv", "svd", "qr", "eigh", "cholesky", "expm", "pinv", "slogdet", "lstsq wide"])
def test_compiled_gradients_are_those_of_the_first_call(name: str) -> None:
    function, *arrays = DIFFERENTIABLE[name]
    arrays = [np.asarray(one) for one in arrays]

    def loss(*args: Any) -> Any:
        results = function(*args)
        results = results if isinstance(results, tuple) else (results,)
        return sum(np.sum(np.sin(one)) for one in results)

    gradient = dopegraph.grad(loss)
    compiled = dopegraph.compile(lambda *args: gradient(*args))
    expected = gradient(*arrays).asnumpy()
    for _ in range(2):
        numpy.testing.assert_allclose(compiled(*arrays).asnumpy(), expected, rtol=1e-12, atol=1e-12)
    assert isinstance(compiled.plans[0], ReplayPlan)


def test_the_determinant_of_a_singular_matrix_has_a_derivative() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert dopegraph.grad(np.linalg.det)(singular).asnumpy() == pytest.approx(numpy.array([[4, -2], [-2, 1]]), abs=1e-5)
    nothing = dopegraph.grad(np.linalg.det)(np.zeros((3, 3)))
    assert nothing.tolist() == numpy.zeros((3, 3)).tolist()


def test_equal_singular_values_and_eigenvalues_give_finite_derivatives() -> None:
    eye = np.eye(3)
    assert dopegraph.grad(lambda x: np.linalg.svdvals(x).sum())(eye).asnumpy() == pytest.approx(numpy.eye(3), abs=1e-6)
    by_vectors = dopegraph.grad(lambda x: np.linalg.svd(x)[1].sum() + 0 * np.linalg.svd(x)[0].sum())(eye)
    assert by_vectors.asnumpy() == pytest.approx(numpy.eye(3), abs=1e-6)
    assert numpy.isfinite(dopegraph.grad(lambda x: np.linalg.eigh(x)[1].sum())(eye).asnumpy()).all()
    rank_one = np.ones((3, 3))
    assert numpy.isfinite(dopegraph.grad(lambda x: np.linalg.svd(x)[0].sum())(rank_one).asnumpy()).all()


def test_the_norm_of_zeros_has_the_derivative_0() -> None:
    assert dopegraph.grad(np.linalg.norm)(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.linalg.inv(x), "Singular matrix"),
        (lambda x: np.linalg.solve(x, x), "Singular matrix"),
        (lambda x: np.linalg.solve_triangular(x, x), "Singular matrix"),
        (lambda x: np.linalg.cholesky(x - np.eye(2)), "not positive definite"),
        (lambda x: np.linalg.svd(x + np.nan), "did not converge"),
        (lambda x: np.linalg.inv(x[:1]), "must be square"),
    ],
)
def test_refused_matrices_are_an_error_at_the_users_line(function: Any, message: str) -> None:
    singular = np.zeros((2, 2))
    for run in (function, dopegraph.compile(function)):
        with pytest.raises(np.linalg.LinAlgError, match=rf"(?s){message}.*{HERE}"):
            run(singular)
    assert np.linalg.LinAlgError is numpy.linalg.LinAlgError


def test_an_error_of_a_replayed_program_names_the_line_and_can_be_caught() -> None:
    def safe(x: Any) -> Any:
        try:
            return np.linalg.inv(x)
        except np.linalg.LinAlgError:
            return x - 1

    for function in (safe, dopegraph.compile(safe)):
        assert function(np.eye(2)).tolist() == [[1, 0], [0, 1]]
        assert function(np.zeros((2, 2))).tolist() == [[-1, -1], [-1, -1]]
        assert function(2 * np.eye(2)).tolist() == [[0.5, 0], [0, 0.5]]
    plain = dopegraph.compile(lambda x: np.linalg.inv(x) + 1)
    plain(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match=rf"(?s)Singular matrix.*{HERE}"):
        plain(np.zeros((2, 2)))


@pytest.mark.parametrize("name", ["svd", "qr", "eigh", "slogdet"])
def test_named_tuples_leave_compiled_code(name: str) -> None:
    function = getattr(np.linalg, name)
    compiled = dopegraph.compile(lambda x: function(x + x.T))
    x = np.asarray(SQUARE)
    expected = getattr(numpy.linalg, name)(SQUARE + SQUARE.T)
    for _ in range(2):
        found = compiled(x)
        assert type(found) is type(function(x))
        for one, other in zip(found, expected):
            numpy.testing.assert_allclose(one.asnumpy(), other, atol=1e-12)
    assert isinstance(compiled.plans[0], ReplayPlan)
    assert list(found._fields) == list(getattr(expected, "_fields", found._fields))
    argument = dopegraph.compile(lambda result: result[0] * 2)
    assert argument(found).tolist() == (found[0] * 2).tolist() == argument(found).tolist()


def test_the_dtype_of_eigenvalues_of_real_matrices_is_numpys_and_complex_in_derivatives() -> None:
    for x in (numpy.array([[2.0, 0.0], [0.0, 1.0]], "float32"), numpy.array([[0.0, 1.0], [-1.0, 0.0]], "float32")):
        assert np.linalg.eig(np.asarray(x)).eigenvalues.dtype == numpy.linalg.eig(x)[0].dtype
        assert np.linalg.eigvals(np.asarray(x)).dtype == numpy.linalg.eigvals(x).dtype
    dtypes = []

    def trace(x: Any) -> Any:
        w = np.linalg.eigvals(x)
        dtypes.append(w.dtype)
        return real(w).sum()

    assert dopegraph.grad(trace)(np.array([[1.0, 2.0], [3.0, 4.0]])).asnumpy() == pytest.approx(numpy.eye(2), abs=1e-6)
    assert dtypes == ["complex64"]


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: np.linalg.svd(x)[0].sum(), "full_matrices=False"),
    (lambda x: np.linalg.qr(x, "complete")[0].sum(), "mode 'reduced'"),
])  # fmt: skip
def test_vectors_without_derivatives_are_an_error(function: Any, message: str) -> None:
    with pytest.raises(dopegraph.errors.GradientError, match=message):
        dopegraph.grad(function)(np.asarray(TALL))


def test_full_singular_vectors_that_nobody_differentiates_do_no_harm() -> None:
    gradient = dopegraph.grad(lambda x: np.linalg.svd(x).S.sum())(np.asarray(TALL))
    assert gradient.asnumpy() == pytest.approx(
        dopegraph.grad(lambda x: np.linalg.svdvals(x).sum())(np.asarray(TALL)).asnumpy()
    )


def test_the_exponential_of_a_matrix() -> None:
    x = STACK * numpy.array([0.01, 30.0])[:, None, None]
    expected = []
    for one in x:
        w, v = numpy.linalg.eig(one)
        expected.append((v * numpy.exp(w)) @ numpy.linalg.inv(v))
    found = np.linalg.expm(np.asarray(x)).asnumpy()
    numpy.testing.assert_allclose(found, numpy.real(expected), rtol=1e-10)
    numpy.testing.assert_allclose(dopegraph.compile(np.linalg.expm)(np.asarray(x)).asnumpy(), found, rtol=1e-12)
    assert np.linalg.expm(np.zeros((2, 2))).tolist() == [[1, 0], [0, 1]]
    assert np.linalg.expm(np.zeros((0, 0))).shape == (0, 0)
    assert np.linalg.expm([[1, 0], [0, 2]]).asnumpy() == pytest.approx(numpy.diag(numpy.exp([1, 2])), rel=1e-6)
    assert numpy.isnan(np.linalg.expm(np.array([[1e9]])).asnumpy()).all()
    rotation = np.linalg.expm(np.array([[0.0, -numpy.pi], [numpy.pi, 0.0]], "float64"))
    assert rotation.asnumpy() == pytest.approx(-numpy.eye(2), abs=1e-14)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems(trans: Any, lower: bool, unit: bool) -> None:
    triangle = numpy.tril(COMPLEX) if lower else numpy.triu(COMPLEX)
    if unit:
        numpy.fill_diagonal(triangle, 1)
    matrix = {0: triangle, "N": triangle, 1: triangle.T, "T": triangle.T}.get(trans, triangle.conj().T)
    b = COMPLEX[:, :2]
    found = np.linalg.solve_triangular(np.asarray(COMPLEX), np.asarray(b), trans, lower, unit).asnumpy()
    numpy.testing.assert_allclose(found, numpy.linalg.solve(matrix, b), rtol=1e-12, atol=1e-14)
    vector = np.linalg.solve_triangular(np.asarray(COMPLEX), np.asarray(b[:, 0]), trans, lower, unit).asnumpy()
    numpy.testing.assert_allclose(vector, found[:, 0], rtol=1e-12)


def test_wrong_triangular_systems() -> None:
    with pytest.raises(ValueError, match=rf"(?s)trans.*{HERE}"):
        np.linalg.solve_triangular(np.eye(2), np.ones(2), trans="X")
    with pytest.raises(ValueError, match=rf"(?s)has 2 rows.*{HERE}"):
        np.linalg.solve_triangular(np.eye(2), np.ones(3))


def test_large_triangular_systems_are_solved_in_blocks() -> None:
    n = 150
    lower = numpy.tril(RANDOM.normal(size=(n, n)) / n) + numpy.eye(n)
    b = RANDOM.normal(size=(n, 2))
    found = np.linalg.solve_triangular(np.asarray(lower), np.asarray(b), lower=True).asnumpy()
    numpy.testing.assert_allclose(lower @ found, b, atol=1e-12)


def test_multi_dot_chooses_the_cheapest_order() -> None:
    shapes = [(2, 50), (50, 50), (50, 3), (3, 4)]

    def product(*arrays: Any) -> Any:
        return np.linalg.multi_dot(arrays)

    graph = dopegraph.trace(product)(*(np.ones(shape) for shape in shapes))
    sizes = [node.outputs[0].shape for node in graph.nodes if node.op.name == "matmul"]
    assert sizes == [(2, 50), (2, 3), (2, 4)]


RECENT = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 4)
COMPARED = [name for name in np.linalg.__all__ if callable(getattr(numpy.linalg, name, None)) and name[0].islower()]


def kinds(function: Any) -> list[Any]:
    return [(one.name, one.kind, one.default is one.empty) for one in inspect.signature(function).parameters.values()]


@pytest.mark.skipif(not RECENT, reason="older signatures")
@pytest.mark.parametrize("name", COMPARED)
def test_signatures_are_numpys(name: str) -> None:
    assert kinds(getattr(np.linalg, name)) == kinds(getattr(numpy.linalg, name))


@pytest.mark.skipif(not RECENT, reason="older signatures")
@pytest.mark.parametrize(
    "name",
    ["cross", "dot", "einsum_path", "inner", "kron", "matmul", "matrix_transpose", "matvec", "outer", "tensordot",
     "trace", "vdot", "vecdot", "vecmat"],
)  # fmt: skip
def test_signatures_of_products_are_numpys(name: str) -> None:
    assert kinds(getattr(np, name)) == kinds(getattr(numpy, name))


def test_the_whole_namespace_is_there() -> None:
    public = set(getattr(numpy.linalg, "__all__", ()))
    assert public <= set(np.linalg.__all__)
    assert all(inspect.getdoc(getattr(np.linalg, name)) for name in np.linalg.__all__)
