"""``compile(f).lower(*args)``: graphs, symbol, memory and counts, without running anything or changing state."""

import json
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import GraphBreakError
from dopegraph.trace import active_recording
from tests.differential import arr, seen


def test_graphs_counts_and_memory() -> None:
    def f(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return np.exp(x @ w).sum()

    lowered = dopegraph.compile(f).lower(np.ones((2, 3)), np.ones((3, 4)))
    assert [str(value.type) for value in lowered.graph.inputs] == ["f32[2,3]", "f32[3,4]"]
    assert len(lowered.optimized.nodes) <= len(lowered.graph.nodes)
    found = lowered.operations()
    assert (found.counts, found.uncounted) == ({"matmul": 1, "exp": 1, "sum": 1}, {})
    assert found.flops == 2 * 2 * 4 * 3 + 8 + 8
    assert found.bytes == 4 * ((6 + 12 + 8) + (8 + 8) + (8 + 1))
    assert lowered.memory().arguments == 4 * 18
    assert lowered.breaks == []


def test_products_of_convolutions_are_counted() -> None:
    def f(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return nn.conv(x, w)

    x, w = np.ones((2, 3, 8, 8)), np.ones((5, 3, 3, 3))
    forward = 2 * (2 * 5 * 6 * 6) * 27
    assert dopegraph.compile(f).lower(x, w).operations().flops == forward
    backward = dopegraph.grad(lambda x, w: (nn.conv(x, w) * 1.5).sum(), argnums=(0, 1))
    counts = dopegraph.compile(backward).lower(x, w).operations()
    assert counts.counts.get("conv_grad_data") == counts.counts.get("conv_grad_weight") == 1
    assert 2 * forward <= counts.flops < 2 * forward + 1000


def test_what_is_not_counted_is_named() -> None:
    lowered = dopegraph.compile(lambda x: np.sort(x) * 2).lower(arr(1, 2))
    assert lowered.operations().uncounted == {"sort": 1}
    assert "without sort" in str(lowered)


def test_the_text_is_a_summary() -> None:
    text = str(dopegraph.compile(lambda x: np.exp(x) * 2).lower(arr(1, 2)))
    for part in ("exp(%x)", "nodes: ", "operations: 4 of arithmetic", "memory: ", "MXNet: "):
        assert part in text


@pytest.mark.skipif(not library.installed(), reason="needs MXNet")
def test_the_symbol() -> None:
    lowered = dopegraph.compile(lambda x: np.exp(x) * 2).lower(arr(1, 2))
    text = lowered.symbol_json()
    assert text is not None and "exp" in {node["op"] for node in json.loads(text)["nodes"]}
    assert lowered.symbol_json("tuned") is not None
    lowered = dopegraph.compile(lambda x: np.sort(x) * 2).lower(arr(1, 2))
    assert lowered.symbol_json() is None
    assert "sort: " in str(lowered.why_no_symbol()) and __file__ in str(lowered.why_no_symbol())


def test_there_is_no_symbol_without_mxnet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "available", lambda: False)
    monkeypatch.setattr(library, "why_missing", lambda: "MXNet is not installed")
    lowered = dopegraph.compile(lambda x: np.exp(x)).lower(arr(1, 2))
    assert (lowered.symbol_json(), lowered.why_no_symbol()) == (None, "MXNet is not installed")
    assert "no symbol: MXNet is not installed" in str(lowered)


class Box:
    pass


def world() -> Any:
    """Everything that a function may change."""
    box = Box()
    box.w, box.n, box.items, box.table, box.names = arr(1, 2), 0, [arr(1), 1], {"a": arr(1), "b": 2}, {"x"}
    box.inner = Box()
    box.inner.w = box.w[:1]
    box.numpy = numpy.ones(2)
    box.p = arr(3)
    box.p.attach_grad()
    return box


def everything(box: Any) -> Any:
    return seen([
        {name: value for name, value in vars(box).items() if name not in ("inner", "names")},
        sorted(box.names), list(vars(box)), list(vars(box.inner)), box.inner.w, box.p.grad, np.random.STATE,
    ])  # fmt: skip


def rebinds(box: Any, x: Any) -> Any:
    box.w = box.w + x
    box.n += 1
    box.new = x
    box.inner.made = 1
    del box.table


def writes(box: Any, x: Any) -> Any:
    box.w += x
    box.w[0] = 7
    box.inner.w *= 3
    box.items[0] += 1


def looks(box: Any, x: Any) -> Any:
    box.w += x
    box.inner.w[:] = float(box.w[0]) + 1
    box.w[1] = box.w.sum().item()
    box.w *= 2


def contains(box: Any, x: Any) -> Any:
    box.items.append(x)
    box.items[0] = box.items.pop() * 2
    box.items.insert(0, 3)
    box.table["c"] = x
    del box.table["a"]
    box.table["a"] = 1
    box.names.add("y")
    box.names.discard("x")


def numpys(box: Any, x: Any) -> Any:
    box.numpy += 1
    numpy.asarray(box.w)[:] = 5
    box.w += 1


def draws(box: Any, x: Any) -> Any:
    box.items[0] = np.random.normal(size=2)
    return float(np.random.uniform())


def differentiates(box: Any, x: Any) -> Any:
    with dopegraph.record():
        y = (box.p * box.p).sum()
    y.backward()


def fails(box: Any, x: Any) -> Any:
    writes(box, x)
    contains(box, x)
    raise KeyError("k")


@pytest.mark.parametrize(
    "change", [rebinds, writes, looks, contains, numpys, draws, differentiates, fails], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("how", ["state", "argument"])
def test_nothing_is_changed(change: Any, how: str) -> None:
    box = world()
    before, x = everything(box), arr(1, 1)
    objects = {name: id(value) for name, value in vars(box).items()}

    def by_state(x: Any) -> Any:
        change(box, x)
        return x * 2

    def by_argument(x: Any, box: Any) -> Any:
        change(box, x)
        return x * 2

    compiled = dopegraph.compile(by_state if how == "state" else by_argument)
    args = (x,) if how == "state" else (x, box)
    if change is fails:
        with pytest.raises(KeyError):
            compiled.lower(*args)
    else:
        lowered = compiled.lower(*args)
        assert lowered.graph.outputs[0].type.shape == (2,)
    assert everything(box) == before
    assert {name: id(value) for name, value in vars(box).items()} == objects
    assert x.tolist() == [1, 1]
    assert active_recording() is None
    assert compiled.cache_info().misses == 0


def test_variables_and_lists_of_the_caller() -> None:
    w, items, made = arr(1), [1.5, arr(2)], None

    def f(x: np.ndarray, items: list, rate: float) -> np.ndarray:
        nonlocal w, made
        w = w * rate
        made = [w]
        items[0] = rate
        items.append(x)
        return x * rate

    before, second = w, items[1]
    dopegraph.compile(f).lower(arr(1), items, 0.5)
    assert w is before and made is None
    assert len(items) == 2 and items[0] == 1.5 and type(items[0]) is float and items[1] is second


def test_nothing_is_run() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        x += 1
        return np.exp(x).sum()

    compiled = dopegraph.compile(f)
    x = arr(1, 2)
    with dopegraph.op_stats() as stats:
        str(compiled.lower(x))
    assert sum(stats.mxnet.values()) + sum(stats.numpy.values()) == 0


def test_breaks_are_named() -> None:
    lowered = dopegraph.compile(lambda x, log: log.append(1) or x * float(x.sum())).lower(arr(1), [])
    assert [one.reason for one in lowered.breaks] == ["value-escape"]
    assert "would run as Python, value-escape" in str(lowered)
    lowered = dopegraph.compile(lambda x, log: log.append(1) or x).lower(arr(1), [])
    assert [one.reason for one in lowered.breaks] == ["python-state"]


def test_breaks_are_errors_of_a_full_graph() -> None:
    f = dopegraph.compile(lambda x: x * float(x.sum()), fullgraph=True)
    with pytest.raises(GraphBreakError, match="value-escape"):
        f.lower(arr(1))


def test_static_arguments() -> None:
    f = dopegraph.compile(lambda x, p: x * 2 if p > 1 else np.exp(x), static_argnums=1)
    assert f.lower(arr(1), 0.5).operations().counts == {"exp": 1}
    assert "exp" not in f.lower(arr(1), 1.5).operations().counts


def test_methods() -> None:
    class Model:
        w = 2.0

        @dopegraph.compile
        def run(self, x: np.ndarray) -> np.ndarray:
            return np.exp(x * self.w)

    assert "exp" in Model.run.lower(Model(), arr(1)).operations().counts
    assert "exp" in dopegraph.compile(Model().run).lower(arr(1)).operations().counts
