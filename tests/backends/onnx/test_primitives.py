"""Every primitive's ONNX lowering gives in onnxruntime what its NumPy kernel gives."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.onnx.lower import lower
from dopegraph.backends.onnx.lowering import RULES, WITHOUT_LOWERING, lacking
from dopegraph.ir.primitive import primitives
from tests.backends.mxnet.cases import CASES as SHARED
from tests.backends.mxnet.cases import Case
from tests.backends.onnx.cases import CASES as OWN

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CASES: dict[str, list[Case]] = {}
for table in (SHARED, OWN):
    for name, cases in table.items():
        CASES.setdefault(name, []).extend(cases)
ALL = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name, cases in CASES.items()
    for number, case in enumerate(cases)
    if name in RULES
]
# Kernels of older runtimes (1.19 is the last for Python 3.9) that do not know infinity or NaN.
FINITE_ONLY = frozenset(["sqrt", "erf", "max_pool"])
OLD = tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 20)
TOLERANCE = {"float16": 2e-3, "float32": 1e-5, "float64": 1e-12}


def exact_as_doubles(name: str, x: Any, attrs: dict[str, Any]) -> bool:
    """Whether a reduction of integers is the same in double precision."""
    wide = getattr(numpy, name)(x.astype("float64"), axis=attrs["axes"])
    limit = min(2.0**53, float(numpy.iinfo(x.dtype).max) if x.dtype == "int32" else 2.0**53)
    return bool((abs(wide) <= limit).all())


def run(model: Any, arrays: list[Any]) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # As written: the runtime's own rewrites are not what is tested.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip([one.name for one in session.get_inputs()], arrays)))


@pytest.mark.parametrize(("name", "case"), ALL)
def test_the_lowering_gives_what_the_kernel_gives(name: str, case: Case) -> None:
    graph = case.graph(name)
    if any(lacking(node) for node in graph.nodes):
        pytest.skip(str([lacking(node) for node in graph.nodes]))
    model = lower(graph)
    onnx.checker.check_model(model, full_check=True)
    operands = [numpy.asarray(getattr(one, "value", one), one.dtype) for one in case.operands]
    with numpy.errstate(all="ignore"):
        wanted = primitives[name].kernel(*operands, **{**primitives[name].defaults, **case.attrs})
    try:
        found = run(model, case.arrays)
    except Exception as cause:
        if "NOT_IMPLEMENTED" in str(cause):
            pytest.skip(f"onnxruntime has no kernel: {str(cause)[:200]}")
        raise
    for one, expected in zip(found, wanted if isinstance(wanted, tuple) else (wanted,)):
        expected = numpy.asarray(expected)
        assert (one.dtype, one.shape) == (expected.dtype, expected.shape)
        if expected.dtype.kind != "f":
            if name in ("sum", "prod") and not exact_as_doubles(name, operands[0], case.attrs):
                pytest.skip("onnxruntime reduces integers as doubles, and does not wrap")
            numpy.testing.assert_array_equal(one, expected)
        else:
            if OLD and name in FINITE_ONLY and not numpy.isfinite(operands[0]).all():
                pytest.skip(f"onnxruntime {onnxruntime.__version__}: {name} is wrong for infinity and NaN")
            rtol = TOLERANCE[expected.dtype.name] * 5
            finite = numpy.abs(expected[numpy.isfinite(expected)])
            numpy.testing.assert_allclose(one, expected, rtol=rtol, atol=rtol * min(finite.max(initial=0), 1e3))


def test_every_primitive_has_a_rule_or_is_on_the_list_with_a_reason() -> None:
    assert not set(RULES) & set(WITHOUT_LOWERING)
    assert set(primitives) == set(RULES) | set(WITHOUT_LOWERING)


def test_every_rule_has_a_case() -> None:
    assert set(RULES) - {"full", "iota", "constant"} <= set(CASES), set(RULES) - set(CASES)
