"""What `export_graph` writes runs in MXNet alone, with every loader it has, and gives the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph.ops as ops
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.export import export_graph
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.ir import Graph, parse
from dopegraph.runtime.errors import BackendError
from tests.plain_mxnet import run_exported

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

MLP = """graph mlp(%x: f32[4,6]; state %params_0_w: f32[6,5], %params_0_b: f32[5], %w: f32[3,5], %unused: f32[2]) {
  %0: f32[4,5] = matmul(%x, %params_0_w)
  %1: f32[4,5] = add(%0, %params_0_b)
  %2: f32[4,5] = relu(%1)
  %3: f32[4,3] = matmul(%2, %w) {transpose_y=true}
  %4: f32[4,3] = log_softmax(%3) {axis=-1}
  %5: f32[3] = constant() {value=dense(f32[3], 1.0, 2.0, 3.0)}
  %6: f32[4,3] = mul(%4, %5)
  %7: f32[4] = sum(%6) {axes=(1,)}
  return %4, %7
}"""

CONV = """graph conv(%x: f32[2,3,8,8]; state %k: f32[4,3,3,3], %b: f32[4,1,1], %w: f32[36,5]) {
  %0: f32[2,4,6,6] = conv(%x, %k) {stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
  %1: f32[2,4,6,6] = add(%0, %b)
  %2: f32[] = full() {value=0.0, shape=(), dtype=f32}
  %3: bool[2,4,6,6] = greater(%1, %2)
  %4: f32[2,4,6,6] = select(%3, %1, %2)
  %5: f32[2,4,3,3] = max_pool(%4) {kernel=(2, 2), stride=(2, 2), pad=(0, 0)}
  %6: f32[2,4,3,3] = tanh(%5)
  %7: f32[2,36] = reshape(%6) {shape=(2, 36)}
  %8: f32[2,5] = matmul(%7, %w)
  %9: f32[2,5] = softmax(%8) {axis=1}
  return %9
}"""


def arguments(graph: Graph) -> list[Any]:
    random = numpy.random.RandomState(0)
    return [random.randn(*value.shape).astype(value.type.dtype) for value in graph.arguments]


@pytest.mark.parametrize("text", [MLP, CONV], ids=["mlp", "conv"])
def test_every_loader_of_mxnet_runs_it(text: str, tmp_path: Path) -> None:
    graph = parse(text)
    values = arguments(graph)
    wanted = NumpyExecutable(graph).run(values)
    path = tmp_path / "model"
    state = {str(value.name): array for value, array in zip(graph.arguments, values)}
    files = export_graph(graph, path, {name: array for name, array in state.items() if name != "x"})
    assert files == (tmp_path / "model-symbol.json", tmp_path / "model-0000.params")
    assert sorted(tmp_path.iterdir()) == sorted(files)
    found = run_exported(path, state["x"])
    assert set(found) == {"bind", "block", "module"}
    for loader, results in found.items():
        for one, expected in zip(results, wanted):
            numpy.testing.assert_allclose(numpy.array(one), expected, rtol=1e-5, atol=1e-6, err_msg=loader)


def test_it_is_written_the_same_way_every_time(tmp_path: Path) -> None:
    graph = parse(MLP)
    state = {str(value.name): array for value, array in zip(graph.arguments, arguments(graph))}
    texts = []
    for name in ("a", "b"):
        symbol, parameters = export_graph(graph, tmp_path / name, state)
        texts.append((symbol.read_bytes(), parameters.read_bytes()))
    assert texts[0] == texts[1]


def test_only_stock_operators_are_used(tmp_path: Path) -> None:
    graph = parse(CONV)
    state = {str(value.name): array for value, array in zip(graph.arguments, arguments(graph))}
    symbol, _ = export_graph(graph, tmp_path / "m", state)
    operators = {node["op"] for node in json.loads(symbol.read_text(encoding="utf-8"))["nodes"]}
    assert not any(name.startswith("_backward") or name == "BlockGrad" for name in operators)


def test_what_cannot_be_exported_is_named_with_its_line(tmp_path: Path) -> None:
    from dopegraph.ir.builder import Builder
    from dopegraph.ir.graph import extract
    from dopegraph.ir.types import TensorType
    from dopegraph.runtime.location import Location

    builder = Builder(lambda: Location("model.py", 12, "forward"))
    x = builder.input(TensorType("u32", (2,)), "x")
    with builder:
        y = ops.add(x, x)
    graph = extract("g", builder.nodes, [x], (), [y])
    with pytest.raises(BackendError, match=r"(?s)add.*uint32.*model\.py:12"):
        export_graph(graph, tmp_path / "m", {})
    assert list(tmp_path.iterdir()) == []


def test_parameters_must_be_there_and_fit(tmp_path: Path) -> None:
    graph = parse("graph f(%x: f32[2]; state %w: f32[2]) { %0: f32[2] = mul(%x, %w) return %0 }")
    with pytest.raises(BackendError, match="no array for the parameter w"):
        export_graph(graph, tmp_path / "m", {})
    with pytest.raises(BackendError, match=r"w should be f32\[2\]"):
        export_graph(graph, tmp_path / "m", {"w": numpy.zeros(2)})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse("graph f(%x: f32[2]; state %w: f32[2]) { %0: f32[2] = mul(%x, %w) return %0 }")
    symbol, parameters = export_graph(graph, tmp_path / "m", {"w": numpy.zeros(2, "float32")})
    before = symbol.read_bytes(), parameters.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(library.load().nd, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        export_graph(graph, tmp_path / "m", {"w": numpy.ones(2, "float32")})
    assert (symbol.read_bytes(), parameters.read_bytes()) == before
    assert sorted(tmp_path.iterdir()) == sorted([symbol, parameters])
