"""Profiles: what really ran is measured, nothing changes by it, and numbers add up."""

from __future__ import annotations

import json
import shutil

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends import compile_graph
from dopegraph.backends.codegen.compiler import CompilerError
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.codegen.timed import time_steps, timed_source
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.backends.numpy.timed import TimedNumpy
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import current_policy
from dopegraph.runtime.machine import limits
from dopegraph.runtime.profiling import mine
from dopegraph.show.operations import operations
from dopegraph.transform.profiling import profile_graph
from tests.reference import random_arguments
from tests.show import graphs
from tests.strategies import graphs as random_graphs

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


def call(seed=0):
    rng = numpy.random.default_rng(seed)
    w, x = (rng.standard_normal(shape).astype("float32") for shape in ((60, 50), (40, 60)))
    return np.array(w), np.array(x), 0.1


@pytest.fixture(params=["codegen", "mxnet", "numpy"])
def engine(request):
    """Each engine by itself."""
    if request.param == "codegen" and shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    policy = "only_numpy" if request.param == "numpy" else "prefer_mxnet"
    with dopegraph.policy(policy), dopegraph.codegen("always" if request.param == "codegen" else "never"):
        yield request.param


def test_a_profiled_call_does_what_a_call_does(engine):
    w, x, lr = call()
    v, y, _ = call()
    compiled = dopegraph.compile(graphs.train)
    for _ in range(3):
        profile = dopegraph.profile(compiled)(w, x, lr)
        expected = dopegraph.compile(graphs.train)(v, y, lr)
        assert profile.result.asnumpy().tobytes() == expected.asnumpy().tobytes()
        assert w.asnumpy().tobytes() == v.asnumpy().tobytes()
    assert mine() is None


def test_numbers_add_up(engine):
    compiled = dopegraph.compile(graphs.train)
    compiled(*call())
    profile = dopegraph.profile(compiled)(*call())
    assert not profile.recorded
    (program,) = profile.programs
    assert len(program.runs) == 1
    assert 0 < profile.computing <= program.runs[0].seconds <= profile.seconds
    assert profile.host == pytest.approx(profile.seconds - profile.computing)
    assert profile.transfer == 0
    measured = sum(step.seconds * times for step, times in profile.steps)
    assert measured == pytest.approx(sum(seconds for _, seconds in profile.by_line()))
    assert measured == pytest.approx(sum(seconds for _, _, seconds in profile.by_node()))
    for step, times in profile.steps:
        assert times == 1 and step.seconds >= 0
        assert sum(step.nodes.values()) == pytest.approx(1)
    # Every node that computes something is there, and all of them are nodes of the graph.
    timed = {node for _, node, _ in profile.by_node()}
    assert timed <= set(program.graph.nodes)
    assert {"matmul", "tanh", "sub", "sum"} <= {node.op.name for node in timed}
    stages = {stage.backend for stage in program.stages}
    assert engine in stages or (engine == "mxnet" and stages == {"numpy"})  # without MXNet
    if engine != "mxnet":  # whose shares are estimates
        assert not any(step.estimated for step, _ in profile.steps)


def test_the_first_call_is_recorded():
    assert dopegraph.profile(graphs.train)(*call()).recorded


def test_lines_are_the_users():
    profile = dopegraph.profile(graphs.loss)(*call()[:2])
    where, _ = profile.by_line()[0]
    assert where.file == graphs.__file__
    assert where.source() == "return (np.tanh(x @ w) ** 2).mean()"


def test_lines_are_those_of_the_function_that_ran():
    # Both record the same, and share a program.
    def one(x):
        y = np.tanh(x) * 2
        return np.exp(y).sum()

    def other(x):
        y = np.tanh(x) * 2
        return np.exp(y).sum()

    def branching(x):
        if x.sum() > 0:
            return np.exp(np.tanh(x) * 3).sum()
        return x

    def branching_too(x):
        if x.sum() > 0:
            return np.exp(np.tanh(x) * 3).sum()
        return x

    for pair in ((one, other), (branching, branching_too)):
        for function in pair:
            start = function.__code__.co_firstlineno
            for _ in range(2):
                profile = dopegraph.profile(dopegraph.compile(function))(np.ones(100))
                lines = {where.line for where, _ in profile.by_line()}
                assert lines and lines <= {start + 1, start + 2}, function
                assert {node for _, node, _ in profile.by_node()} <= {
                    node for program in profile.programs for node in program.graph.nodes
                }


def test_flops_and_bytes_are_those_of_the_graph():
    profile = dopegraph.profile(graphs.train)(*call())
    (program,) = profile.programs
    assert sum(step.flops for step, _ in profile.steps) == operations(program.graph).flops
    products = [step for step, _ in profile.steps if step.name.startswith("matmul")]
    assert sorted(step.flops for step in products) == [2 * 40 * 60 * 50] * 2
    assert all(step.bytes == 4 * (40 * 60 + 60 * 50 + 40 * 50) for step in products)
    assert all(step.gflops == step.flops / step.seconds / 1e9 for step in products)


def test_transposed_products_count_as_much():
    graph = parse("graph f(%x: f32[9,2], %y: f32[9,3]) { %0: f32[2,3] = matmul(%x, %y) {transpose_x=true} return %0 }")
    assert operations(graph).flops == 2 * 2 * 3 * 9


def test_branches_and_loops_are_profiled_as_they_run():
    def halve(x):
        n = 0
        while (x * x).sum() > 1:
            x = x / 2
            n = n + 1
        return x, n

    x = np.ones((50, 50))
    compiled = dopegraph.compile(halve)
    expected = compiled(x)
    profile = dopegraph.profile(compiled)(x)
    assert profile.result[1] == expected[1] == 6
    assert (profile.result[0].asnumpy() == expected[0].asnumpy()).all()
    assert sum(len(program.runs) for program in profile.programs) >= 7
    assert any(times > 1 for _, times in profile.steps)
    trace = profile.chrome_trace()["traceEvents"]
    assert sum(event.get("cat") == "program" for event in trace) == sum(len(one.runs) for one in profile.programs)


def test_functions_of_the_users_run_once():
    calls = []

    def double(x):
        calls.append(1)
        return x * 2

    hosted = dopegraph.host_call(double, lambda x: x)
    f = dopegraph.compile(lambda x: np.tanh(hosted(np.exp(x))))
    f(np.ones(5))
    before = len(calls)
    profile = dopegraph.profile(f)(np.ones(5))
    assert len(calls) == before + 1
    assert "host_call" in [node.op.name for _, node, _ in profile.by_node()]


@needs_compiler
def test_a_call_does_not_fail_because_of_its_profile(monkeypatch):
    w, x, lr = call()
    v, y, _ = call()
    with dopegraph.codegen("always"):
        compiled = dopegraph.compile(graphs.train)
        compiled(v.copy(), y, lr)

        def fail(*args):
            raise CompilerError("compiler-failed", "the disk is full")

        monkeypatch.setattr("dopegraph.backends.profiler.time_steps", fail)
        with pytest.warns(RuntimeWarning, match="could not be measured: the disk is full"):
            profile = dopegraph.profile(compiled)(w, x, lr)
        assert profile.result.asnumpy() == compiled(v, y, lr).asnumpy()
    assert w.asnumpy().tobytes() == v.asnumpy().tobytes()
    assert profile.measured > 0 and profile.steps == []
    assert "computing" in str(profile)


def test_random_numbers_are_those_of_a_call():
    def noisy(x):
        return x + np.random.normal(size=(30,))

    results = []
    for wrap in (lambda f: f, lambda f: lambda x: dopegraph.profile(f)(x).result):
        np.random.seed(3)
        compiled = dopegraph.compile(noisy)
        results.append([wrap(compiled)(np.ones(30)).asnumpy() for _ in range(3)])
    assert numpy.array_equal(*results)


def test_calls_that_run_as_python_are_profiled_too():
    def f(x):
        y = np.tanh(x @ x)
        return y * float(y.sum())

    profile = dopegraph.profile(f)(np.ones((30, 30)))
    assert profile.result.shape == (30, 30)
    assert profile.seconds > profile.computing > 0


def test_numpys_functions_are_counted():
    profile = dopegraph.profile(lambda x: np.tanh(np.unique(x)))(np.ones(5))
    assert profile.host_calls == {"unique": 1}
    assert "1 unique" in str(profile)


def test_errors_are_those_of_a_call():
    with pytest.raises(IndexError):
        dopegraph.profile(dopegraph.compile(lambda x, i: x[i]))(np.ones(3), np.array([7]))
    assert mine() is None


def test_methods_and_nothing_to_profile():
    class Model:
        def __init__(self):
            self.w = np.ones((3, 3))

        @dopegraph.compile
        def forward(self, x):
            return np.tanh(x @ self.w)

    profile = dopegraph.profile(Model().forward)(np.ones((2, 3)))
    assert profile.result.shape == (2, 3)
    empty = dopegraph.profile(lambda: 3)()
    assert empty.result == 3 and empty.computing == 0
    assert "0 run(s)" in str(empty)
    with pytest.raises(ValueError, match="ran no compiled graph"):
        empty.visualize("nowhere.svg")


def test_as_data(engine):
    profile = dopegraph.profile(graphs.train)(*call())
    data = json.loads(json.dumps(profile.to_dict()))
    assert data["name"] == "train"
    assert data["seconds"] == profile.seconds
    assert {one["operation"] for one in data["nodes"]} >= {"matmul", "tanh"}
    assert all(one["file"] == graphs.__file__ and one["line"] > 0 for one in data["lines"])
    assert data["machine"]["bandwidth"] > 1e8 and data["machine"]["flops"]["float32"] > 1e8
    assert data["programs"][0]["stages"][0]["runs"]


def test_as_text_and_as_tables(capsys):
    profile = dopegraph.profile(graphs.train)(*call())
    text = str(profile)
    for part in (
        "train: ",
        "computing",
        "GFLOP/s",
        "matmul f32[40,50]",
        "tanh f32[40,50]",
        "graphs.py:",
        "return (np.tanh(x @ w)",
    ):
        assert part in text, text
    console = pytest.importorskip("rich.console").Console(width=200, record=True)
    console.print(profile)
    assert "matmul f32[40,50]" in console.export_text()
    profile.print()
    assert "this machine" in capsys.readouterr().out


def test_a_trace_has_the_form_that_perfetto_reads(tmp_path, engine):
    compiled = dopegraph.compile(graphs.train)
    compiled(*call())
    profile = dopegraph.profile(compiled)(*call())
    trace = json.loads(profile.save(tmp_path / "folder" / "trace.json").read_text(encoding="utf-8"))
    events = trace["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X"}
    threads = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert list(threads.values()) == ["call", "programs", "kernels, symbols, NumPy"]
    spans = [event for event in events if event["ph"] == "X"]
    for event in spans:
        assert isinstance(event["name"], str) and event["pid"] == 1 and event["tid"] in threads
        assert event["ts"] >= 0 and event["dur"] >= 0
    whole = next(event for event in spans if event["cat"] == "call")
    assert whole["ts"] == 0 and whole["dur"] == pytest.approx(1e6 * profile.seconds)
    # Spans of a thread lie one after another or in each other, and all in the call.
    for thread in threads:
        open_until = []
        for event in sorted((e for e in spans if e["tid"] == thread), key=lambda e: (e["ts"], -e["dur"])):
            while open_until and event["ts"] >= open_until[-1] - 1e-3:
                open_until.pop()
            end = event["ts"] + event["dur"]
            assert not open_until or end <= open_until[-1] + 1e-3
            open_until.append(end)
            assert end <= whole["dur"] + 1e-3


@needs_compiler
@pytest.mark.parametrize("nodes", [3, 100, 300])
def test_timed_code_computes_the_same_steps(nodes):
    # Products keep kernels apart, so that there are many steps: statements, then tables.
    lines = ["graph f(%x: f32[8,8]) {", "  %0: f32[8,8] = tanh(%x)"]
    for number in range(nodes):
        lines.append(f"  %{2 * number + 1}: f32[8,8] = matmul(%{2 * number}, %x)")
        lines.append(f"  %{2 * number + 2}: f32[8,8] = tanh(%{2 * number + 1})")
    graph = parse("\n".join([*lines, f"  return %{2 * nodes}", "}"]))
    executable = CodegenExecutable(graph)
    x = Buffer(numpy.full((8, 8), 0.1, "float32"))
    seconds = time_steps(executable, [x], 3)
    assert len(seconds) == len(executable.source.fusion.steps) == 2 * nodes + 1
    assert all(0 <= one < 1 for one in seconds) and sum(seconds) > 0
    assert timed_source(executable.source).startswith(executable.source.text)


def test_timed_numpy_gives_the_same_and_a_time_for_each_node():
    graph = parse("""graph f(%x: f32[50,50]) {
      %0: f32[50,50] = tanh(%x)
      %1: f32[50,50] = transpose(%0) {axes=(1, 0)}
      %2: f32[50,50] = matmul(%0, %1)
      %3: f32[] = full() {value=2.0, shape=(), dtype=f32}
      %4: f32[50,50] = mul(%2, %3)
      return %4, %0
    }""")
    x = numpy.random.default_rng(0).standard_normal((50, 50)).astype("float32")
    executable = NumpyExecutable(graph)
    timed = TimedNumpy(executable)
    for one, other in zip(timed.run([x]), executable.run([x])):
        assert one.tobytes() == other.tobytes()
    (measured,) = timed.measured
    assert [node.op.name for node in measured] == ["tanh", "transpose", "matmul", "mul"]
    assert all(seconds >= 0 for seconds in measured.values())


def test_limits_are_measured_once():
    assert limits() is limits()
    assert 1e8 < limits().bandwidth < 1e13
    assert limits().flops["float32"] > 1e8


@settings(max_examples=25, deadline=None)
@given(random_graphs(), st.integers(0, 1000), st.sampled_from(["always", "never"]))
def test_any_graph_runs_profiled_as_it_runs(graph, seed, codegen):
    if codegen == "always" and shutil.which("cc") is None:
        return
    arguments = random_arguments(graph, seed)
    with dopegraph.codegen(codegen), dopegraph.policy("only_numpy" if codegen == "never" else "prefer_mxnet"):
        profile = profile_graph(graph, arguments, repeats=1)
        expected = compile_graph(graph, current_policy()).run([Buffer(one.copy()) for one in arguments])
    assert [one.tobytes() for one in profile.result] == [one.array.tobytes() for one in expected]
    nodes = {node for program in profile.programs for node in program.graph.nodes}
    for step, _ in profile.steps:
        assert set(step.nodes) <= nodes
        assert not step.nodes or sum(step.nodes.values()) == pytest.approx(1)
    json.dumps(profile.to_dict())
