"""Random straight-line programs over a few state arrays: compiled and not, the same values, state and aliasing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import dopegraph.numpy as np
from tests.differential import Compile, assert_same

SIZE = 3
NAMES = ("a", "b", "c")

names = st.sampled_from(NAMES)
indices = st.sampled_from(["0", "1:", ":2", "::-1", "..., 1", "1, :", ":, 1:", "None, 0"])
sources = st.one_of(
    names.map(lambda n: f"s.{n}"),
    st.tuples(names, names).map(lambda n: f"(s.{n[0]} @ s.{n[1]}) * 0.1"),
    st.tuples(names, names).map(lambda n: f"s.{n[0]} + s.{n[1]}"),
    names.map(lambda n: f"np.tanh(s.{n}) * lr"),
    names.map(lambda n: f"s.{n}.T"),
    names.map(lambda n: f"s.{n}.sum(axis=0)"),
    names.map(lambda n: f"s.{n}[::-1]"),
    st.just("x"),
    st.just("np.random.uniform(size=(3, 3))"),
)
rows = st.one_of(st.just("lr"), st.just("x"), names.map(lambda n: f"s.{n}[0].sum()"))
statements = st.one_of(
    st.tuples(names, sources).map(lambda t: f"s.{t[0]} = ({t[1]}) + np.zeros((3, 3))"),
    st.tuples(names, names).map(lambda t: f"s.{t[0]} = s.{t[1]}"),
    st.tuples(names, names).map(lambda t: f"s.{t[0]} = s.{t[1]}.T"),
    st.tuples(names, names).map(lambda t: f"s.{t[0]}, s.{t[1]} = s.{t[1]}, s.{t[0]}"),
    st.tuples(names, sources).map(lambda t: f"s.{t[0]}[:] = {t[1]}"),
    st.tuples(names, sources).map(lambda t: f"s.{t[0]} += {t[1]}"),
    st.tuples(names, indices, rows).map(
        lambda t: f"s.{t[0]}[{t[1]}] = {t[2]}.sum()" if t[2] == "x" else f"s.{t[0]}[{t[1]}] = {t[2]}"
    ),
    st.tuples(names, indices).map(lambda t: f"v = s.{t[0]}[{t[1]}]; v *= lr"),
    st.tuples(names, indices, names).map(lambda t: f"v = s.{t[0]}[{t[1]}]; s.{t[2]} += 1; out.append(v * 2)"),
    sources.map(lambda source: f"out.append({source})"),
    st.tuples(names, indices).map(lambda t: f"out.append(s.{t[0]}[{t[1]}])"),
)


class State:
    """Three arrays; two may be the same, or views of another."""

    def __init__(self, shared: bool) -> None:
        self.a = np.arange(9.0).reshape(SIZE, SIZE) * 0.1
        self.b = np.ones((SIZE, SIZE))
        self.c = self.a[:] if shared else np.eye(SIZE)


@settings(max_examples=60, deadline=None)
@given(st.lists(statements, min_size=1, max_size=6), st.booleans())
def test_a_random_program_is_the_same_compiled(lines: list[str], shared: bool) -> None:
    namespace: dict[str, Any] = {"np": np, "__name__": "program"}
    body = "\n    ".join(["out = []", *lines, "return out"])
    exec(compile(f"def program(s, x, lr):\n    {body}", "<program>", "exec"), namespace)

    def scenario(compile_: Compile) -> Any:
        state, function = State(shared), compile_(namespace["program"])
        seen = []
        for step in range(4):
            results = function(state, np.ones((SIZE, SIZE)) * step, 0.5 - step)
            seen += [[result.copy() for result in results], [getattr(state, name).copy() for name in NAMES]]
            seen.append([state.a is state.b, state.a is state.c])
            if results and step == 1:
                results[0][...] = 7  # may be a view of the state
                seen += [[result.copy() for result in results], [getattr(state, name).copy() for name in NAMES]]
        return seen

    assert_same(scenario)
