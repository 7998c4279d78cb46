"""Every primitive's MXNet lowering gives what its NumPy kernel gives, on both of MXNet's CPU devices."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.lowering import RULES, WITHOUT_LOWERING, lacking, lower
from dopegraph.ir.primitive import primitives
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import Device
from tests.backends.mxnet.cases import CASES, LOOSE, TOLERANCE, Case

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

ALL = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, cases in CASES.items()
    for number, case in enumerate(cases)
]


def run(name: str, case: Case, device: Device) -> Any:
    from dopegraph.backends.mxnet.arrays import to_device
    from dopegraph.backends.mxnet.executable import MXNetExecutable

    graph = case.graph(name)
    assert [lacking(node) for node in graph.nodes] == [None] * len(graph.nodes)
    buffers = [Buffer(array) for array in case.arrays]
    if not device.is_host:
        buffers = [to_device(buffer, device) for buffer in buffers]
    results = MXNetExecutable(graph, device)(buffers, [None] * len(graph.outputs))
    assert all(result.device == device for result in results)
    return [result.array for result in results]


def expected(name: str, case: Case) -> Any:
    operands = [getattr(one, "value", one) for one in case.operands]
    dtypes = [one.dtype for one in case.operands]
    operands = [numpy.asarray(one, dtype) for one, dtype in zip(operands, dtypes)]
    op = primitives[name]
    with numpy.errstate(all="ignore"):
        found = op.kernel(*operands, **{**op.defaults, **case.attrs})
    return [numpy.asarray(one) for one in (found if isinstance(found, tuple) else (found,))]


def check(found: Any, wanted: Any, name: str) -> None:
    rtol = TOLERANCE.get(wanted.dtype.name, 0.0) * (5 if name in LOOSE else 1)
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    if found.dtype.kind != "f":
        numpy.testing.assert_array_equal(found, wanted)
        return
    scale = 1.0
    if name in SUMMED:  # terms may cancel: the error is relative to them, not to their sum
        scale = max(1.0, float(numpy.max(numpy.abs(wanted[numpy.isfinite(wanted)]), initial=0)))
    wide = found.astype("float64"), wanted.astype("float64")
    numpy.testing.assert_allclose(*wide, rtol=rtol, atol=rtol / 10 * scale)
    if name not in SIGNLESS:
        zeros = wanted == 0
        numpy.testing.assert_array_equal(numpy.signbit(found[zeros]), numpy.signbit(wanted[zeros]))


SUMMED = {"sum", "scatter_add", "matmul", "conv", "conv_grad_data", "conv_grad_weight", "cumsum"}

# NumPy's own sign of a zero varies here between versions, or hangs on the order of a sum.
SIGNLESS = {"sum", "prod", "cumsum", "max", "min", "maximum", "minimum", "relu", "matmul", "conv", "conv_grad_data",
            "conv_grad_weight", "max_pool", "scatter_add", "avg_pool", "avg_pool_grad", "max_pool_grad", "take_scatter",
            "softmax", "log_softmax", "fmax", "fmin"}  # fmt: skip


@pytest.mark.parametrize("device", [Device("cpu", 0), Device("cpu", 1)], ids=str)
@pytest.mark.parametrize(("name", "case"), ALL)
def test_equals_the_numpy_kernel(name: str, case: Case, device: Device) -> None:
    for found, wanted in zip(run(name, case, device), expected(name, case)):
        check(found, wanted, name)


@pytest.mark.parametrize(("name", "case"), ALL)
def test_the_portable_lowering_does_too(name: str, case: Case) -> None:
    """With stock operators only, and in a CachedOp, which `SymbolBlock` makes of a symbol: it needs every gradient."""
    from dopegraph.backends.mxnet.arrays import native

    mx = library.load()
    lowered = lower(case.graph(name), "portable")
    known = {key: native(Buffer(array), Device("cpu")) for key, array in lowered.constants.items()}
    known.update(zip(lowered.argument_names, (native(Buffer(array), Device("cpu")) for array in case.arrays)))
    symbol = mx.sym.load_json(lowered.json)
    used = {node["op"] for node in json.loads(lowered.json)["nodes"]}
    assert not {op for op in used if op.startswith("_backward_")} - {"_backward_gather_nd"}
    if not symbol.list_inputs():
        results = symbol.bind(mx.cpu(), {}).forward()
    else:
        results = mx.nd.CachedOp(symbol)(*(known[key] for key in symbol.list_inputs()))
    for found, wanted in zip(results if isinstance(results, list) else [results], expected(name, case)):
        check(found.asnumpy().astype(found.dtype).reshape(wanted.shape), wanted, name)


def test_every_primitive_has_a_lowering_or_is_on_the_list() -> None:
    assert set(primitives) - set(RULES) == set(WITHOUT_LOWERING)


def test_the_list_only_shrinks() -> None:
    # Functions of the user's own, and gradients of MXNet's own operators, which MXNet does run.
    elsewhere = ("host-function", "opaque-operator")
    lacking = [name for name, (reason, _) in WITHOUT_LOWERING.items() if reason not in elsewhere]
    assert len(lacking) <= 81
    assert all(len(sentence) > 20 for _, sentence in WITHOUT_LOWERING.values())


def test_every_lowering_has_cases() -> None:
    assert set(RULES) == {name for name, cases in CASES.items() if cases}


def test_a_rule_may_give_several_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    from dopegraph.backends.mxnet.executable import MXNetExecutable
    from dopegraph.backends.mxnet.lowering.context import Context, Entry
    from dopegraph.ir import Node, parse

    def slogdet(c: Context, node: Node) -> tuple[Entry, Entry]:
        x = c[node.inputs[0]]
        made = c.node("_linalg_slogdet", (x,), {})
        return Entry(made, 0, (1,), x.dtype), Entry(made, 1, (1,), x.dtype)

    monkeypatch.setitem(RULES, "slogdet", slogdet)
    monkeypatch.delitem(WITHOUT_LOWERING, "slogdet")
    graph = parse(
        "graph f(%x: f64[2,2]) { %0: f64[], %1: f64[] = slogdet(%x) %2: f64[] = sub(%0, %1) return %1, %0, %2 }"
    )
    results = MXNetExecutable(graph)([Buffer(numpy.diag([-1.0, numpy.e]))], [None] * 3)
    numpy.testing.assert_allclose([result.array for result in results], [1, -1, -2], rtol=1e-15)
