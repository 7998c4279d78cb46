"""One-line programs of NumPy (statements.txt) give the same value, dtype, shape and type here, at once and compiled."""

from __future__ import annotations

import ast
import contextlib
import re
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.plan import ReplayPlan

CORPUS = Path(__file__).with_name("statements.txt")
STATEMENTS = {
    number: line
    for number, line in enumerate(CORPUS.read_text().split("\n"), start=1)
    if line and not line.startswith("#")
}


# What is refused, and why. The test fails as soon as one of them works.
REFUSED = {
    "a = np.arange(6); a.shape = (2, 3); r = a": "views depend on the shape; NumPy 2.5 deprecates setting it",
    "a = np.arange(6).reshape(2, 3); a.shape = -1; r = a": "views depend on the shape; NumPy 2.5 deprecates setting it",
}

# What NumPy's numbers may be instead: a result that is known without looking at an array is one of Python's.
PYTHON_NUMBERS = {"bool": bool, "int64": int, "float64": float, "complex128": complex}
# count_nonzero gave one of Python's before 2.4; here it is an array, as of later NumPys.
BEFORE_2_4 = numpy.lib.NumpyVersion(numpy.__version__) < "2.4.0"


POLICY = dopegraph.current_policy()

# How many statements are replayed when they are compiled. The others look at values in Python, or call what runs in
# NumPy: the number may only grow.
REPLAYED = 790


class Statement:
    """A program of one line; its first assignment can be made outside, so that a compiled function is passed arrays."""

    def __init__(self, number: int, line: str) -> None:
        self.line, self.number = line, number
        self.body = ast.parse(line).body
        last = self.body[-1]
        if isinstance(last, ast.Expr):
            self.body[-1] = ast.copy_location(ast.Assign([ast.Name("r", ast.Store())], last.value), last)
        first = self.body[0]
        passed = len(self.body) > 1 and isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Name)
        self.argument = first.targets[0].id if passed else None

    def function(self, namespace: Any) -> Any:
        """The whole program as a function without arguments."""
        return self._make([], self.body, namespace)

    def setup(self, namespace: Any) -> Any:
        """A function that makes what the first assignment gives."""
        (name,) = [self.argument]
        return self._make([], [self.body[0], *ast.parse(f"r = {name}").body], namespace)

    def rest(self, namespace: Any) -> Any:
        """The rest of the program as a function of it; also returns what became of its argument."""
        return self._make([self.argument], self.body[1:], namespace)

    def _make(self, parameters: list[Any], body: list[ast.stmt], namespace: Any) -> Any:
        module = ast.parse(f"def program({', '.join(parameters)}): return r")
        function: Any = module.body[0]
        function.body = [*body, *function.body]
        for node in ast.walk(module):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = self.number
        scope = {"np": namespace}
        exec(compile(ast.fix_missing_locations(module), str(CORPUS), "exec"), scope)
        return scope["program"]


def assert_same(found: Any, expected: Any) -> None:
    """The same value, and an array where NumPy has an array or one of its numbers."""
    if BEFORE_2_4 and type(expected) is int and isinstance(found, np.ndarray):
        expected = numpy.asarray(expected)
    if isinstance(expected, numpy.generic) and isinstance(found, (bool, int, float, complex)):
        assert type(found) is PYTHON_NUMBERS[expected.dtype.name] or isinstance(found, numpy.generic)
        found = numpy.asarray(found, expected.dtype)
    if isinstance(expected, (numpy.ndarray, numpy.generic)):
        kinds = (np.ndarray,) if isinstance(expected, numpy.ndarray) else (np.ndarray, numpy.generic, numpy.ndarray)
        assert isinstance(found, kinds), f"a {type(found).__name__}, not an array"
        found, expected = numpy.asarray(found), numpy.asarray(expected)
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        if expected.dtype.kind in "biu":
            numpy.testing.assert_array_equal(found, expected)
            return
        tolerance = 8 * numpy.finfo(expected.dtype).eps
        numpy.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        for one, other in [(found.real, expected.real), (found.imag, expected.imag)]:
            zero = (one == 0) & (other == 0)
            numpy.testing.assert_array_equal(numpy.signbit(one[zero]), numpy.signbit(other[zero]), "signs of zeros")
        return
    if isinstance(expected, tuple) and hasattr(expected, "_fields"):  # of numpy.linalg, which has no public name
        assert type(found).__name__ == type(expected).__name__
        assert found._fields == expected._fields
        found, expected = tuple(found), tuple(expected)
    assert type(found) is type(expected), f"a {type(found).__name__}, not a {type(expected).__name__}"
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert_same(list(found.items()), list(expected.items()))
    elif isinstance(expected, float):
        numpy.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        assert found == expected


def by_numpy(statement: Statement) -> Any:
    with numpy.errstate(all="ignore"):
        try:
            return statement.function(numpy)()
        except AttributeError as error:
            if numpy.lib.NumpyVersion(numpy.__version__) < "2.3.0" and re.search("has no attribute", str(error)):
                pytest.skip(f"NumPy {numpy.__version__}: {error}")
            raise


@pytest.fixture(autouse=True)
def strict():
    """Float64 everywhere, as NumPy has it."""
    dopegraph.set_default_dtype("float64")
    with dopegraph.policy("only_numpy"), numpy.errstate(all="ignore"):
        yield
    dopegraph.set_default_dtype("float32")


@pytest.fixture
def single(strict):
    """Float32 by default, and the engine that the environment chooses."""
    dopegraph.set_default_dtype("float32")
    with dopegraph.policy(POLICY):
        yield


def cases(statements: dict[int, str]) -> Any:
    """The statements as a test's parameters."""
    refused = {line: [pytest.mark.xfail(reason=reason, strict=True)] for line, reason in REFUSED.items()}
    return pytest.mark.parametrize(
        "statement",
        [
            pytest.param(Statement(number, line), id=f"{number}: {line}", marks=refused.get(line, []))
            for number, line in statements.items()
        ],
    )


every_statement = cases(STATEMENTS)
with_an_argument = cases({number: line for number, line in STATEMENTS.items() if Statement(number, line).argument})


def test_the_corpus_is_large_and_no_statement_stands_there_twice():
    assert len(STATEMENTS) >= 550
    assert len(set(STATEMENTS.values())) == len(STATEMENTS)
    assert set(REFUSED) < set(STATEMENTS.values())


@every_statement
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_statement_does_what_numpy_does(statement):
    expected = by_numpy(statement)
    assert_same(statement.function(np)(), expected)


@every_statement
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_compiled_statement_does_what_numpy_does(statement):
    expected = by_numpy(statement)
    program = dopegraph.compile(statement.function(np))
    assert_same(program(), expected)
    assert_same(program(), expected)


@with_an_argument
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_statement_compiled_as_a_function_of_its_first_variable_does_what_numpy_does(statement):
    expected = by_numpy(statement)
    argument = statement.setup(numpy)()
    statement.rest(numpy)(argument)
    program = dopegraph.compile(statement.rest(np))
    for _ in range(2):
        passed = statement.setup(np)()
        assert_same(program(passed), expected)
        if isinstance(argument, numpy.ndarray):
            assert_same(passed, argument)


@every_statement
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_in_float32_a_compiled_statement_does_what_python_does(statement, single):
    by_numpy(statement)
    try:
        expected = in_numpy(statement.function(np)())
    except dopegraph.errors.ShapeError:
        assert ".view(np.int64)" in statement.line  # eight bytes are no float32
        return
    program = dopegraph.compile(statement.function(np))
    assert_same(program(), expected)
    assert_same(program(), expected)


def in_numpy(x: Any) -> Any:
    """NumPy's arrays in place of ours."""
    if isinstance(x, np.ndarray):
        return x.asnumpy()
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(in_numpy, x))
    if isinstance(x, (list, tuple)):
        return type(x)([in_numpy(one) for one in x])
    return x


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_most_statements_are_replayed():
    replayed = 0
    for number, line in STATEMENTS.items():
        if line not in REFUSED:
            program = dopegraph.compile(Statement(number, line).function(np))
            with contextlib.suppress(AttributeError):  # what an older NumPy lacks
                program()
            replayed += bool(program.plans) and all(isinstance(plan, ReplayPlan) for plan in program.plans)
    assert replayed >= REPLAYED
