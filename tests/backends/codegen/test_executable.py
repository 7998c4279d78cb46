"""Running generated code: where operands come from, where results go, and how exact long sums are."""

from __future__ import annotations

import threading

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends import compile_graph
from dopegraph.backends.codegen import support
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import Sheet, both, needs_compiler, ulps

pytestmark = needs_compiler

SUM = "graph f(%x: f32[6,5]) { %0: f32[6,5] = mul(%x, %x) %1: f32[6] = sum(%0) {axes=(1,)} return %0, %1 }"


def test_operands_of_any_layout() -> None:
    graph = parse(SUM)
    executable = CodegenExecutable(graph)
    base = numpy.arange(240, dtype="float32").reshape(12, 20)
    odd = numpy.frombuffer(b"\0" + base[:6, :5].tobytes(), "uint8")[1:].view("float32").reshape(6, 5)
    assert not odd.flags.aligned
    for x in (
        base[:6, :5],
        base[::2, ::4],
        base.T[:6, :5],
        base[5::-1, 4::-1],
        odd,
        numpy.broadcast_to(base[0, :5], (6, 5)),
    ):
        found = executable([Buffer(x)], [None, None])
        numpy.testing.assert_allclose(found[0].array, x * x)
        numpy.testing.assert_allclose(found[1].array, (x * x).sum(1), rtol=1e-6)


def test_results_go_where_the_caller_wants_them_if_they_can() -> None:
    executable = CodegenExecutable(parse(SUM))
    x = Buffer(numpy.ones((6, 5), "float32"))
    good, strided = Buffer(numpy.zeros((6, 5), "float32")), Buffer(numpy.zeros(12, "float32")[::2])
    first, second = executable([x], [good, strided])
    assert first is good
    assert second is not strided
    assert second.array.tolist() == [5] * 6
    constant = numpy.zeros((6, 5), "float32")
    constant.flags.writeable = False
    for wrong in (Buffer(constant), Buffer(numpy.zeros((6, 5))), Buffer(numpy.zeros((5, 6), "float32"))):
        assert executable([x], [wrong, None])[0] is not wrong
        assert not wrong.array.any()


@pytest.mark.parametrize("shape", ["0", "0,3", "3,0", "2,0,3"])
def test_empty_arrays(shape: str) -> None:
    axis = shape.split(",").index("0")
    rest = ",".join(length for place, length in enumerate(shape.split(",")) if place != axis)
    text = f"""graph f(%x: f32[{shape}]) {{
      %0: f32[{shape}] = exp(%x) %1: f32[{rest}] = sum(%0) {{axes=({axis},)}} %2: f32[{rest}] = add(%1, %1)
      %3: f32[{shape}] = softmax(%0) {{axis=-1}} %4: f32[{rest}] = prod(%x) {{axes=({axis},)}}
      return %0, %2, %3, %4
    }}"""
    sizes = [int(length) for length in shape.split(",")]
    for one, other in zip(*both(parse(text), [numpy.zeros(sizes, "float32")])):
        numpy.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100, 511, 512, 513, 1025])
def test_odd_lengths(length: int) -> None:
    text = f"""graph f(%x: f32[3,{length}], %y: f32[3,1]) {{
      %0: f32[3,{length}] = mul(%x, %y)
      %1: f32[3] = sum(%0) {{axes=(1,)}}
      %2: f32[3] = max(%0) {{axes=(1,)}}
      %3: f32[{length}] = sum(%0) {{axes=(0,)}}
      %4: f32[] = sum(%0) {{axes=(0, 1)}}
      %5: f32[3,{length}] = log_softmax(%0) {{axis=1}}
      return %0, %1, %2, %3, %4, %5
    }}"""
    random = numpy.random.default_rng(length)
    arrays = [random.standard_normal(shape).astype("float32") for shape in ((3, length), (3, 1))]
    for one, other in zip(*both(parse(text), arrays)):
        numpy.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


AXES = [(0,), (1,), (2,), (3,), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (0, 1, 2), (0, 2, 3), (1, 2, 3),
        (0, 1, 3), (0, 1, 2, 3)]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_reductions_over_all_sets_of_axes(dtype: str) -> None:
    random = numpy.random.default_rng(0)
    x = random.integers(0, 9, (3, 4, 1, 5)).astype(dtype)
    names = ("max", "min", "all", "any") if dtype == "bool" else ("sum", "prod", "max", "min")
    sheet = Sheet()
    value = sheet.input(x)
    turned = sheet.input(numpy.moveaxis(x, 0, 2).copy())
    with sheet.builder:
        turned = dopegraph.ops.transpose(turned, axes=(2, 0, 1, 3))
    for name in names:
        for axes in AXES:
            for keepdims in (False, True):
                sheet.add(name, value, axes=axes, keepdims=keepdims)
                sheet.add(name, turned, axes=axes, keepdims=keepdims)
    for label, found, wanted in sheet.run():
        assert found.dtype == wanted.dtype, label
        numpy.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=label)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_sums_are_as_exact_as_numpys(dtype: str) -> None:
    random = numpy.random.default_rng(3)
    x = (random.random((3, 1_000_003)) + 1).astype(dtype)
    sheet = Sheet()
    sheet.add("sum", x, axes=(1,))
    sheet.add("sum", x, axes=(0, 1))
    for _, found, wanted in sheet.run():
        exact = x.astype("longdouble").sum(1 if found.ndim else None)
        theirs = numpy.max(abs(wanted - exact) / exact)
        assert numpy.max(abs(found - exact) / exact) <= max(theirs, numpy.finfo(dtype).eps)


def test_nan_and_infinities_in_reductions() -> None:
    rows = [[1, numpy.nan, 3], [numpy.inf, 2, 3], [-numpy.inf, numpy.inf, 1], [-numpy.inf] * 3, [numpy.nan] * 3]
    for repeat in (1, 40, 400):
        x = numpy.tile(numpy.array(rows, "float32"), (1, repeat))
        sheet = Sheet()
        for name in ("sum", "max", "min"):
            for axes in ((0,), (1,), (0, 1)):
                sheet.add(name, x, axes=axes)
        sheet.add("softmax", x, axis=1)
        for label, found, wanted in sheet.run():
            numpy.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=label)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shapes", ["4,3 3,5", "1,3 3,5", "4,3 3,1", "1,3 3,1", "1,1 1,1", "2,4,3 3,5", "2,4,3 2,3,5",
                                    "6,2,4,3 2,3,5", "6,1,4,3 2,3,5", "4,0 0,5", "0,3 3,5", "2,1,3 2,3,1"])  # fmt: skip
def test_products(dtype: str, shapes: str) -> None:
    first, second = (tuple(map(int, shape.split(","))) for shape in shapes.split())
    random = numpy.random.default_rng(5)
    x, y = random.standard_normal(first).astype(dtype), random.standard_normal(second).astype(dtype)
    sheet = Sheet()
    for tx in (False, True):
        for ty in (False, True):
            operands = (numpy.swapaxes(x, -1, -2).copy() if tx else x, numpy.swapaxes(y, -1, -2).copy() if ty else y)
            product = sheet.add("matmul", *operands, transpose_x=tx, transpose_y=ty)
            sheet.add("neg", product)
    if not support.runs(product.node):
        pytest.skip("no BLAS was found")
    for label, found, wanted in sheet.run():
        numpy.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=label)


def test_writes_into_parts() -> None:
    text = """graph f(%x: f32[4,6], %y: f32[2,3]) {
      %0: f32[2,3] = exp(%y)
      %1: f32[4,6] = slice_update(%x, %0) {starts=(0, 1), stops=(4, 6), steps=(2, 2)}
      %2: f32[4,6] = unslice(%0) {shape=(4, 6), starts=(1, 0), stops=(3, 3), steps=(1, 1)}
      %3: f32[4,6] = add(%1, %2)
      %4: f32[6,6] = concat(%3, %1, %2) {axis=0}
      %5: f32[4,6] = slice_update(%1, %0) {starts=(0, 0), stops=(2, 3), steps=(1, 1)}
      return %1, %2, %3, %4, %5
    }""".replace("f32[6,6] = concat", "f32[12,6] = concat")
    arrays = [numpy.arange(24, dtype="float32").reshape(4, 6), numpy.ones((2, 3), "float32")]
    for one, other in zip(*both(parse(text), arrays)):
        numpy.testing.assert_allclose(one, other, rtol=1e-6)


def test_results_that_are_arguments_constants_or_twice_there() -> None:
    text = """graph f(%x: f32[2]) {
      %0: f32[2] = neg(%x) %1: f32[2] = neg(%x) %2: f32[3] = full() {value=2.0, shape=(3,), dtype=f32}
      return %x, %0, %1, %0, %2
    }"""
    for one, other in zip(*both(parse(text), [numpy.array([1, 2], "float32")])):
        numpy.testing.assert_array_equal(one, other)


def test_two_threads_call_one_program() -> None:
    text = """graph f(%x: f32[300,200]) {
      %0: f32[300,200] = softmax(%x) {axis=0} %1: f32[300,200] = sin(%0) %2: f32[200] = sum(%1) {axes=(0,)} return %2
    }"""
    with dopegraph.codegen("always"):
        program = compile_graph(parse(text))
    assert [stage.backend for stage in program.stages] == ["codegen"]
    arrays = [numpy.random.default_rng(seed).random((300, 200), dtype="float32") for seed in range(4)]
    wanted = [program.run([Buffer(array)])[0].array for array in arrays]
    wrong = []

    def call(number: int) -> None:
        for _ in range(50):
            found = program.run([Buffer(arrays[number])])[0].array
            if not numpy.array_equal(found, wanted[number]):
                wrong.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# In programs -------------------------------------------------------------------------------------------------------


def backends(function: object, *args: object) -> list[str]:
    return [segment.backend for segment in dopegraph.explain(function)(*args).segments]


def test_large_graphs_get_kernels_and_small_ones_do_not() -> None:
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("auto"):
        assert backends(lambda x: np.exp(x) * 2 + 1, np.ones(100_000)) == ["codegen"]
        assert "codegen" not in backends(lambda x: np.exp(x) * 2 + 1, np.ones(10))
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        assert backends(lambda x: np.exp(x) * 2 + 1, np.ones(10)) == ["codegen"]
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("never"):
        assert "codegen" not in backends(lambda x: np.exp(x) * 2 + 1, np.ones(100_000))
    with dopegraph.policy("only_numpy"), dopegraph.codegen("always"):
        assert backends(lambda x: np.exp(x) * 2 + 1, np.ones(100_000)) == ["numpy"]


def test_explain_shows_the_kernels() -> None:
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        found = dopegraph.explain(lambda x, w: np.maximum(x @ w + 1, 0).sum(axis=0))(np.ones((4, 3)), np.ones((3, 5)))
    (segment,) = found.segments
    assert segment.steps == (
        "matmul f32[4,3], f32[3,5]",
        "kernel [4,5] add relu sum: 100 bytes, 60 operations",
    )
    assert "  kernel [4,5] add relu sum: 100 bytes" in str(found)


def test_small_parts_between_others_stay_with_them() -> None:
    def f(x, y):
        return np.sort(np.exp(x) * 2), np.sort(np.sort(y) * 2) + 1

    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("auto"):
        found = backends(f, np.ones(100_000), np.ones(10))
    assert found.count("codegen") == 1


def test_the_mode_is_part_of_what_a_function_was_compiled_for() -> None:
    f = dopegraph.compile(lambda x: x * 2 + 1)
    with dopegraph.policy("prefer_mxnet"):
        for mode in ("never", "always", "never"):
            with dopegraph.codegen(mode):
                assert f(np.ones(3)).tolist() == [3, 3, 3]
    assert f.cache_info().plans == 2
    with pytest.raises(ValueError, match="not one of auto, always, never"):
        dopegraph.codegen("sometimes")


def test_counts() -> None:
    f = dopegraph.compile(lambda x: np.exp(x) * 2)
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        f(np.ones(3))
        with dopegraph.op_stats() as stats:
            f(np.ones(3))
    assert stats.codegen == {"exp": 1, "mul": 1}
    assert stats.total == 2
    assert "C kernels" in str(stats)


def test_training_with_kernels_and_without_is_the_same() -> None:
    def train(mode: str) -> list[float]:
        random = numpy.random.default_rng(0)
        x, y = (
            np.array(random.random((32, 12), dtype="float32")),
            np.array(numpy.eye(4, dtype="float32")[random.integers(0, 4, 32)]),
        )
        params = [
            np.array(random.standard_normal(shape, dtype="float32")) for shape in ((12, 16), (16,), (16, 4), (4,))
        ]

        def loss_of(params, x, y):
            w, b, v, c = params
            z = np.maximum(x @ w + b, 0) @ v + c
            z = z - np.max(z, axis=1, keepdims=True)
            return -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))

        @dopegraph.compile
        def step(x, y):
            loss, gradients = dopegraph.value_and_grad(loss_of)(params, x, y)
            for param, gradient in zip(params, gradients):
                param -= 0.01 * gradient
            return loss

        with dopegraph.policy("prefer_mxnet"), dopegraph.codegen(mode):
            return [float(step(x, y)) for _ in range(10)]

    numpy.testing.assert_allclose(train("always"), train("never"), rtol=1e-4)


# Positions -------------------------------------------------------------------------------------------------------

EMBEDDING = """graph f(%table: f32[20,6], %words: i64[3,5], %g: f32[3,5,6]) {
  %0: f32[3,5,6] = take(%table, %words) {axis=0}
  %1: f32[3,5,6] = tanh(%0)
  %2: f32[3,5,6] = mul(%1, %g)
  %3: f32[20,6] = take_scatter(%2, %words) {axis=0, shape=(20, 6)}
  %4: f32[20,6] = scatter_add(%table, %words, %2) {axis=0}
  %5: f32[20,6] = scatter(%table, %words, %2) {axis=0}
  %6: f32[20,5,3] = take(%table, %words6) {axis=1}
  return %1, %3, %4, %5, %6
}""".replace("%words: i64[3,5]", "%words: i64[3,5], %words6: i8[5,3]")


def embedding_arguments() -> list[numpy.ndarray]:
    random = numpy.random.default_rng(0)
    return [
        random.random((20, 6), "float32"),
        random.integers(-20, 20, (3, 5)),
        random.integers(-6, 6, (5, 3)).astype("int8"),
        random.random((3, 5, 6), "float32"),
    ]


def test_positions_that_are_data() -> None:
    graph = parse(EMBEDDING)
    assert all(support.runs(node) for node in graph.nodes)
    for one, other in zip(*both(graph, embedding_arguments())):
        numpy.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("place", "position"), [(1, 20), (1, -21), (2, 6), (2, -7), (1, 2**62)])
def test_a_position_outside_is_an_index_error(place: int, position: int) -> None:
    executable = CodegenExecutable(parse(EMBEDDING))
    arguments = embedding_arguments()
    arguments[place][1, 2] = position
    with pytest.raises(IndexError):
        executable([*map(Buffer, arguments)], [None] * 5)
    for one, other in zip(*both(parse(EMBEDDING), embedding_arguments())):
        numpy.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_the_error_of_a_position_names_the_line() -> None:
    f = dopegraph.compile(lambda x, i: np.take(x, i, axis=0) * 2)
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        assert f(np.ones(4), np.array([1, 2])).tolist() == [2, 2]
        with pytest.raises(IndexError, match=r"test_executable\.py"):
            f(np.ones(4), np.array([1, 4]))


def test_positions_of_extrema_and_sums_so_far() -> None:
    random = numpy.random.default_rng(2)
    sheet = Sheet()
    for dtype in ("float32", "float64", "int64", "uint8", "bool"):
        x = random.integers(0, 4, (5, 7, 6)).astype(dtype)
        if dtype == "float32":
            x[1, 2:4, 3] = numpy.nan
        value = sheet.input(x)
        for axis in (0, 1, -1):
            for keepdims in (False, True):
                sheet.add("argmax", value, axis=axis, keepdims=keepdims)
                sheet.add("argmin", value, axis=axis, keepdims=keepdims)
            for reverse in (False, True) if dtype != "bool" else ():
                sheet.add("cumsum", value, axis=axis, reverse=reverse)
    for label, found, wanted in sheet.run():
        assert found.dtype == wanted.dtype, label
        numpy.testing.assert_array_equal(found, wanted, label)


@pytest.mark.parametrize(("dtype", "lowest"), [("float32", -110.0), ("float64", -760.0)])
def test_differences_far_below_zero_have_their_exponentials(dtype: str, lowest: float) -> None:
    """Also where they are subnormal, or no more than zero."""
    short = {"float32": "f32", "float64": "f64"}[dtype]
    special = [0.0, -0.0, 1.0, 80.0, 1e4, -1e9, -1e30, -numpy.inf, numpy.inf, numpy.nan, -numpy.nan]
    bounds = [-87.0, -87.5, -103.97, -103.98, -104.0, -708.0, -708.5, -745.13, -745.14, -746.0]
    x = numpy.array([*numpy.linspace(lowest, 0, 5000), *special, *bounds], dtype)
    n = len(x)
    graph = parse(
        f"graph f(%x: {short}[{n}], %y: {short}[{n}])"
        f" {{ %0: {short}[{n}] = sub(%x, %y) %1: {short}[{n}] = exp(%0) return %1 }}"
    )
    executable = CodegenExecutable(graph)
    assert ("exp_down(t" if dtype == "float64" else "exponentialf(t") in executable.source.text
    found = executable([Buffer(x), Buffer(numpy.zeros(n, dtype))], [None])[0].array
    with numpy.errstate(all="ignore"):
        assert ulps(found, numpy.exp(x.astype("longdouble")).astype(dtype)) <= 4
    assert (found[x < lowest + 1] == 0).all() and found[5000:5002].tolist() == [1, 1]
    subnormal = (found > 0) & (found < numpy.finfo(dtype).tiny)
    assert subnormal.sum() > 100


def test_exponentials_of_floats_are_within_a_unit() -> None:
    special = [
        0.0,
        -0.0,
        1e-30,
        88.722839,
        88.73,
        1e30,
        numpy.inf,
        -numpy.inf,
        numpy.nan,
        -87.34,
        -103.97,
        -104.0,
        -1e30,
    ]
    x = numpy.array([*numpy.linspace(-105, 90, 300_000), *special], "float32")
    graph = parse(f"graph f(%x: f32[{len(x)}]) {{ %0: f32[{len(x)}] = exp(%x) return %0 }}")
    found = CodegenExecutable(graph)([Buffer(x)], [None])[0].array
    with numpy.errstate(all="ignore"):
        exact = numpy.exp(x.astype("float64"))
        wanted = exact.astype("float32")
    normal = numpy.isfinite(wanted)
    assert numpy.max(numpy.abs(found[normal] - exact[normal]) / numpy.spacing(wanted[normal])) < 1.02
    numpy.testing.assert_array_equal(found[~normal], wanted[~normal])
    assert found[len(x) - len(special)] == 1
