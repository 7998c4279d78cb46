"""Errors name the user's line, the operation, shapes and dtypes, and the way out; compiled as uncompiled."""

import re
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import grad, record
from dopegraph.runtime.errors import AxisError, GradientError, RecompileWarning, ShapeError
from dopegraph.trace.programs import programs

HERE = re.escape(__file__)


@pytest.fixture(params=[dopegraph.compile, lambda function: function], ids=["compiled", "plain"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return request.param


def test_a_shape_mismatch_names_operation_shapes_and_line(run: Callable[..., Any]) -> None:
    with pytest.raises(ShapeError, match=rf"(?s)matmul.*\(2, 3\).*\(2, 3\).*{HERE}:\d+.*a @ a"):
        run(lambda a: a @ a)(np.ones((2, 3)))


def test_an_unknown_axis_names_the_axis_and_the_line(run: Callable[..., Any]) -> None:
    with pytest.raises(AxisError, match=rf"(?s)3.*{HERE}:\d+"):
        run(lambda a: a.sum(axis=3))(np.ones((2, 3)))


def test_adding_floats_into_integers_names_both_dtypes(run: Callable[..., Any]) -> None:
    def add(x: np.ndarray) -> None:
        x += 1.5

    with pytest.raises(TypeError, match=rf"(?s)float.*int64.*astype.*{HERE}:\d+.*x \+= 1.5"):
        run(add)(np.ones(2, dtype="int64"))


def test_a_loss_that_is_no_scalar_names_its_shape_and_sum(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match=rf"(?s)shape \(2,\).*sum.*{HERE}:\d+"):
        run(grad(lambda x: x * 2))(np.ones(2))


def test_differentiating_an_integer_names_the_argument_and_astype(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match=rf"(?s)argument 0.*int64.*astype\('float32'\).*{HERE}:\d+"):
        run(grad(lambda x: x.sum()))(np.ones(2, dtype="int64"))


def test_differentiating_an_object_names_its_type(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match=r"argument 0\['a'\] is a str"):
        run(grad(lambda x: 1.0))({"a": "text"})


def test_an_argument_that_is_not_there_is_named(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match="no positional argument 2"):
        run(grad(lambda x: x, argnums=2))(1.0)


def test_backward_of_an_array_that_was_not_recorded(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match=rf"(?s)record\(\).*{HERE}:\d+"):
        run(lambda x: (x * 2).backward())(np.ones(2))


def test_a_head_gradient_of_another_shape_names_both(run: Callable[..., Any]) -> None:
    def f(x: np.ndarray) -> None:
        x.attach_grad()
        with record():
            y = x * 2
        y.backward(np.ones(3))

    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        run(f)(np.ones(2))


def test_attach_grad_of_integers_names_the_dtype(run: Callable[..., Any]) -> None:
    with pytest.raises(GradientError, match=r"int64.*astype"):
        run(lambda x: x.attach_grad())(np.ones(2, dtype="int64"))


def test_attach_grad_refuses_an_unknown_request(run: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="write, add, null"):
        run(lambda x: x.attach_grad("often"))(np.ones(2))


def test_an_argument_that_contains_itself_cannot_be_differentiated(run: Callable[..., Any]) -> None:
    loop: list[Any] = [np.ones(2)]
    loop.append(loop)
    with pytest.raises(TypeError, match="contains itself"):
        run(grad(lambda x: x[0].sum()))(loop)


def test_compile_takes_functions_only() -> None:
    with pytest.raises(TypeError, match="takes a function, not a int"):
        dopegraph.compile(3)


def test_a_list_that_is_popped_is_explained_with_the_line() -> None:
    def last(items: list[Any]) -> Any:
        return items.pop() * 2

    explanation = dopegraph.explain(last)([np.ones(2), np.ones(2)])
    assert not explanation.replayed
    assert explanation.escapes[0].reason == "python-state"
    assert "items has other entries" in str(explanation)


def test_a_look_is_explained_with_file_and_line() -> None:
    explanation = dopegraph.explain(lambda x: x * float(x.sum()))(np.ones(2))
    (escape,) = explanation.escapes
    assert escape.reason == "value-escape"
    assert escape.location is not None
    assert escape.location.file == __file__
    assert "float(x.sum())" in escape.location.source()


def test_shared_memory_is_explained() -> None:
    def f(a: np.ndarray, b: np.ndarray) -> Any:
        a += 1
        return a * b

    compiled = dopegraph.compile(f)
    compiled(np.ones(2), np.ones(2))
    x = np.ones(3)
    assert dopegraph.explain(compiled)(x[:2], x[1:]).escapes[0].reason in ("shared-memory", "aliased-write")


def test_a_call_counter_warns_when_plans_run_out_and_names_the_reason() -> None:
    compiled = dopegraph.compile(lambda x, step: x * step, cache_size=3)
    with pytest.warns(RecompileWarning, match="more than 3 situations.*step: changed-value"):
        for step in range(6):
            compiled(np.ones(2), step)
    assert len(compiled.plans) == 3


def test_checking_what_may_raise_compiles_nothing() -> None:
    def solved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        for _ in range(5):
            b = np.linalg.solve(a, np.tanh(b))
        return b

    before = programs.compiled
    compiled = dopegraph.compile(solved)
    a, b = np.eye(3) * 2, np.ones((3, 3))
    first = compiled(a, b)
    assert programs.compiled == before + 1
    numpy.testing.assert_allclose(first.asnumpy(), solved(a, b).asnumpy(), rtol=1e-6)
    numpy.testing.assert_allclose(compiled(a, b).asnumpy(), first.asnumpy(), rtol=1e-6)
    assert (a.tolist(), b.tolist()) == ((np.eye(3) * 2).tolist(), np.ones((3, 3)).tolist())
