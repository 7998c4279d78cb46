"""Generated convolutions give what the NumPy kernels give, of any shape, and the same numbers with any threads."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.codegen import convolution_products, convolutions, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.numpy.evaluation import evaluate
from dopegraph.backends.placement import library_is_there, place
from dopegraph.backends.program import Program
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

ONE = {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1)}

# Data, weight, and what is not as usual; what each is about.
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "the book's first layer": ((3, 1, 28, 28), (20, 1, 3, 3), {}),
    "its second one": ((4, 20, 13, 13), (50, 20, 5, 5), {}),
    "padded": ((2, 17, 12, 11), (33, 17, 3, 3), {"pad": (1, 1)}),
    "padded more than needed": ((2, 16, 7, 9), (5, 16, 3, 3), {"pad": (3, 4)}),
    "strided": ((2, 20, 17, 20), (16, 20, 3, 3), {"stride": (2, 3), "pad": (1, 0)}),
    "steps that leave a rest": ((2, 12, 16, 18), (7, 12, 3, 2), {"stride": (3, 2)}),
    "dilated": ((2, 8, 15, 15), (9, 8, 3, 3), {"dilate": (2, 3), "pad": (2, 1)}),
    "dilated and strided": ((2, 3, 20, 19), (4, 3, 3, 2), {"dilate": (2, 2), "stride": (2, 3), "pad": (0, 1)}),
    "tiny images": ((7, 18, 4, 4), (40, 18, 3, 3), {"pad": (1, 1)}),
    "one pixel": ((130, 30, 3, 3), (10, 30, 3, 3), {}),
    "one by one": ((3, 40, 9, 8), (24, 40, 1, 1), {}),
    "one image": ((1, 3, 24, 24), (8, 3, 7, 7), {"stride": (2, 2), "pad": (3, 3)}),
    "one filter": ((2, 16, 10, 10), (1, 16, 3, 3), {}),
    "many channels": ((2, 160, 9, 8), (36, 160, 3, 3), {"pad": (1, 1)}),
    "many channels and a rest": ((3, 117, 8, 8), (19, 117, 4, 4), {"stride": (2, 2), "pad": (1, 1)}),
    "many filters": ((2, 3, 9, 9), (310, 3, 3, 3), {}),
    "patches of many channels": ((3, 67, 4, 4), (21, 67, 4, 4), {"stride": (2, 2), "pad": (1, 1)}),
    "few pixels and many filters": ((3, 19, 5, 6), (101, 19, 3, 3), {"pad": (1, 1)}),
    "few pixels, strided": ((2, 5, 11, 9), (100, 5, 3, 2), {"stride": (2, 3), "pad": (1, 0)}),
    "few pixels, strided more than the kernel": ((2, 12, 9, 9), (98, 12, 2, 2), {"stride": (3, 4), "pad": (5, 2)}),
    "few pixels, dilated": ((2, 7, 12, 10), (97, 7, 3, 3), {"dilate": (2, 3), "stride": (1, 2), "pad": (2, 3)}),
    "few pixels, one by one": ((4, 40, 3, 7), (130, 40, 1, 1), {}),
    "few pixels, whole images": ((5, 3, 6, 6), (96, 3, 6, 6), {}),
    "few pixels, many channels": ((2, 300, 4, 5), (110, 300, 3, 3), {"pad": (1, 1)}),
    "many weights": ((9, 190, 9, 9), (320, 190, 3, 3), {}),
    "many pixels of one channel": ((2, 1, 50, 61), (3, 1, 4, 2), {"pad": (2, 1)}),
}


@pytest.mark.parametrize("what", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_the_numpy_kernel(what: str, dtype: str) -> None:
    data, weight, how = SHAPES[what]
    compare(data, weight, {**ONE, **how}, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequences(dtype: str) -> None:
    compare((3, 20, 30), (6, 20, 5), {"stride": (2,), "pad": (2,), "dilate": (1,)}, dtype)
    compare((3, 2, 30), (6, 2, 5), {"stride": (1,), "pad": (0,), "dilate": (3,)}, dtype)


def compare(data: tuple[int, ...], weight: tuple[int, ...], how: dict[str, Any], dtype: str) -> None:
    random = numpy.random.default_rng(0)
    # What is not finite stays where it belongs.
    x, w = (random.standard_normal(shape).astype(dtype) for shape in (data, weight))
    x[(0,) * x.ndim], x[(-1,) * x.ndim] = numpy.nan, numpy.inf
    sheet = Sheet()
    result = sheet.add("conv", x, w, **how, groups=1)
    g = random.standard_normal(result.shape).astype(dtype)
    g[(0,) * g.ndim], g[(-1,) * g.ndim] = numpy.inf, numpy.nan
    sheet.add("conv_grad_data", g, w, shape=data, **how, groups=1)
    sheet.add("conv_grad_weight", g, x, shape=weight, **how, groups=1)
    finite = random.standard_normal(result.shape).astype(dtype)
    sheet.add("conv_grad_weight", finite, random.standard_normal(data).astype(dtype), shape=weight, **how, groups=1)
    for label, found, wanted in sheet.run():
        size = float(numpy.max(numpy.abs(wanted[numpy.isfinite(wanted)]), initial=0))
        rtol = 1e-5 if dtype == "float32" else 1e-13
        numpy.testing.assert_allclose(found, wanted, rtol, rtol * size, err_msg=label)


@pytest.mark.parametrize(
    ("data", "weight", "regions"),
    [((9, 20, 13, 13), (50, 20, 5, 5), 3), ((17, 70, 8, 8), (80, 70, 3, 3), 6), ((3, 40, 6, 6), (110, 40, 3, 3), 7),
     ((3, 3, 11, 11), (96, 3, 2, 2), 7)],
    ids=["few weights", "weights packed by threads", "products", "products of parts of the pixels"],
)  # fmt: skip
def test_more_threads_give_the_same_bits(
    data: tuple[int, ...], weight: tuple[int, ...], regions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "number", 2)
    monkeypatch.setattr(convolutions, "SHARED", 1)
    monkeypatch.setattr(convolution_products, "DEEP", 100)
    out = (data[0], weight[0], data[2] - weight[2] + 1, data[3] - weight[3] + 1)
    x, w, y = (f"f32[{', '.join(map(str, shape))}]" for shape in (data, weight, out))
    how = "stride=(1, 1), pad=(0, 0), dilate=(1, 1)"
    graph = parse(f"""graph f(%x: {x}, %w: {w}, %g: {y}) {{
      %0: {y} = conv(%x, %w) {{{how}}}
      %1: {x} = conv_grad_data(%g, %w) {{shape={data}, {how}}}
      %2: {w} = conv_grad_weight(%g, %x) {{shape={weight}, {how}}}
      return %0, %1, %2
    }}""")
    executable = CodegenExecutable(graph)
    assert executable.source.text.count("omp parallel") == regions
    random = numpy.random.default_rng(0)
    arguments = [Buffer(random.random(value.shape, "float32")) for value in graph.inputs]
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "number", number)
        found.append([one.array for one in executable(arguments, [None] * 3)])
    wanted = evaluate(graph, [one.array for one in arguments])
    for one, two, three, value in zip(*found, graph.results):
        assert numpy.array_equal(one, two)
        assert numpy.array_equal(one, three)
        numpy.testing.assert_allclose(one, wanted[value], 1e-4)


def test_convolutions_that_are_alike_share_a_function() -> None:
    graph = parse("""graph f(%x: f32[2,4,9,9], %w: f32[4,4,3,3]) {
      %0: f32[2,4,9,9] = conv(%x, %w) {stride=(1, 1), pad=(1, 1), dilate=(1, 1)}
      %1: f32[2,4,9,9] = conv(%0, %w) {stride=(1, 1), pad=(1, 1), dilate=(1, 1)}
      return %1
    }""")
    assert CodegenExecutable(graph).source.text.count("KERNEL void conv0(") == 1


def test_the_text_does_not_grow_with_the_channels() -> None:
    """The compiler took ten seconds for a discriminator's 256 channels in patches of 4 x 4."""
    lengths = []
    for channels in (64, 256):
        graph = parse(f"""graph f(%g: f32[4,512,4,4], %w: f32[512,{channels},4,4]) {{
          %0: f32[4,{channels},8,8] = conv_grad_data(%g, %w) {{shape=(4, {channels}, 8, 8), stride=(2, 2), pad=(1, 1),
            dilate=(1, 1)}}
          return %0
        }}""")
        lengths.append(len(CodegenExecutable(graph).source.text))
    assert lengths[1] < 1.1 * lengths[0]


def loss_of(weights: Any, x: Any) -> Any:
    first, bias, second, last = weights
    h = nn.max_pool(np.maximum(nn.conv(x, first, bias), 0), 2)
    h = nn.avg_pool(np.maximum(nn.conv(h, second, pad=1, stride=2), 0), 2)
    return np.mean((h.reshape(x.shape[0], -1) @ last - 1) ** 2)


def test_a_training_step_is_one_stage_and_computes_what_numpy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[Program] = []
    original = Program.__init__

    def noted(self: Program, *args: Any) -> None:
        original(self, *args)
        programs.append(self)

    monkeypatch.setattr(Program, "__init__", noted)
    random = numpy.random.default_rng(0)
    shapes = [(8, 1, 3, 3), (8,), (16, 8, 3, 3), (144, 3)]
    arrays = [random.normal(0, 0.3, shape).astype("float32") for shape in shapes]
    x = np.array(random.random((6, 1, 28, 28), "float32"))

    def train(policy: str) -> Any:
        weights = [np.array(array) for array in arrays]

        @dopegraph.compile
        def step(x: Any) -> Any:
            loss, gradients = dopegraph.value_and_grad(loss_of)(weights, x)
            for weight, gradient in zip(weights, gradients):
                weight -= 0.1 * gradient
            return loss

        with dopegraph.policy(policy):
            losses = [float(step(x)) for _ in range(4)]
        return losses, weights

    losses, weights = train("prefer_mxnet")
    assert [stage.backend for stage in programs[-1].stages] == ["codegen"]
    wanted_losses, wanted = train("only_numpy")
    numpy.testing.assert_allclose(losses, wanted_losses, 1e-4)
    for one, other in zip(weights, wanted):
        numpy.testing.assert_allclose(numpy.asarray(one), numpy.asarray(other), 1e-3, 1e-5)


def test_one_engine_for_all_convolutions_of_a_graph() -> None:
    text = """graph f(%x: f32[4,32,20,20], %w: f32[32,GROUP,3,3], %v: f32[16,32,3,3]) {
      %0: f32[4,32,20,20] = conv(%x, %w) {stride=(1, 1), pad=(1, 1), dilate=(1, 1), groups=NUMBER}
      %1: f32[4,16,18,18] = conv(%0, %v) {stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
      return %1
    }"""
    plain, mixed = (parse(text.replace("GROUP", str(32 // n)).replace("NUMBER", str(n))) for n in (1, 32))
    assert [stage.backend for stage in place(plain, "prefer_mxnet", "auto").stages] == ["codegen"]
    found = place(mixed, "prefer_mxnet", "auto")
    assert [stage.backend for stage in found.stages] == (["mxnet"] if library_is_there() else ["numpy"])
    assert len(place(mixed, "prefer_mxnet", "always").stages) == 2
