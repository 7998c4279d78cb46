"""Calling an MXNet executable: whose memory the results are, threads, errors, devices."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy
import pytest

import dopegraph.ops as ops
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.arrays import empty, host_buffer, native, to_device
from dopegraph.backends.mxnet.executable import MXNetExecutable
from dopegraph.backends.mxnet.lowering import lower
from dopegraph.ir import Graph, parse
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import extract
from dopegraph.ir.types import TensorType
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import BackendError, DeviceError
from dopegraph.runtime.location import Location

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

SECOND = Device("cpu", 1)
DEVICES = pytest.mark.parametrize("device", [HOST, SECOND], ids=str)

STEP = """graph step(%x: f32[4,3]; state %w: f32[3,2]) {
  %0: f32[4,2] = matmul(%x, %w)
  %1: f32[] = sum(%0) {axes=(0, 1)}
  %2: f32[4,2] = exp(%0)
  %3: f32[3,2] = matmul(%x, %2) {transpose_x=true}
  %4: f32[3,2] = sub(%w, %3)
  return %1; %w <- %4
}"""


def floats(*shape: int, seed: int = 0) -> Any:
    return numpy.asarray(numpy.random.RandomState(seed).randn(*shape)).astype("float32")


def step(x: Any, w: Any) -> tuple[Any, Any]:
    h = x @ w
    return h.sum(), w - x.T @ numpy.exp(h)


def put(array: Any, device: Device) -> Buffer:
    return Buffer(array) if device.is_host else to_device(Buffer(array), device)


@DEVICES
def test_results_are_not_touched_by_later_calls(device: Device) -> None:
    executable = MXNetExecutable(parse(STEP), device)
    results, wanted = [], []
    for seed in range(5):
        x, w = floats(4, 3, seed=seed), floats(3, 2, seed=seed + 9)
        results.append(executable([put(x, device), put(w, device)], [None, None]))
        wanted.append(step(x, w))
    for found, expected in zip(results, wanted):
        for one, other in zip(found, expected):
            numpy.testing.assert_allclose(one.array, other, rtol=1e-5)


@DEVICES
def test_two_sets_of_state_take_turns(device: Device) -> None:
    executable = MXNetExecutable(parse(STEP), device)
    x, w = floats(4, 3) * 0.1, floats(3, 2, seed=1)
    data, current, spare = put(x, device), put(w.copy(), device), put(w * 0, device)
    for _ in range(6):
        loss, new = executable([data, current], [None, spare])
        assert new is spare
        expected_loss, w = step(x, w)
        numpy.testing.assert_allclose(loss.array, expected_loss, rtol=1e-4)
        numpy.testing.assert_allclose(new.array, w, rtol=1e-4)
        current, spare = spare, current


def test_results_are_written_into_numpys_memory() -> None:
    executable = MXNetExecutable(parse(STEP))
    target = numpy.zeros((3, 2), "float32")
    x, w = floats(4, 3), floats(3, 2, seed=1)
    executable([Buffer(x), Buffer(w)], [None, Buffer(target)])
    numpy.testing.assert_allclose(target, step(x, w)[1], rtol=1e-5)


def test_memory_that_mxnet_cannot_write_is_left_alone() -> None:
    executable = MXNetExecutable(parse(STEP))
    x, w = floats(4, 3), floats(3, 2, seed=1)
    transposed = Buffer(numpy.zeros((2, 3), "float32").T)
    locked = numpy.zeros((3, 2), "float32")
    locked.flags.writeable = False
    wrong = Buffer(numpy.zeros((3, 2), "float64"))
    for target in (transposed, Buffer(locked), wrong):
        found = executable([Buffer(x), Buffer(w)], [None, target])[1]
        assert found is not target
        assert not target.array.any()
        numpy.testing.assert_allclose(found.array, step(x, w)[1], rtol=1e-5)


def test_any_numpy_array_can_be_an_argument() -> None:
    executable = MXNetExecutable(parse(STEP))
    x, w = floats(4, 3), floats(3, 2, seed=1)
    unaligned = numpy.frombuffer(b"-" + w.tobytes(), "uint8")[1:].view("float32").reshape(3, 2)
    assert not unaligned.flags.aligned
    assert not unaligned.flags.writeable
    for one in (numpy.asfortranarray(x), numpy.repeat(x, 2, 0)[::2], x[::-1][::-1]):
        found = executable([Buffer(one), Buffer(unaligned)], [None, None])
        numpy.testing.assert_allclose(found[1].array, step(x, w)[1], rtol=1e-5)


def test_changes_of_an_argument_are_seen() -> None:
    executable = MXNetExecutable(parse(STEP))
    x, w = numpy.zeros((3, 4), "float32").T, floats(3, 2)
    data, weight = Buffer(x), Buffer(w)
    for seed in range(3):
        x[:] = floats(4, 3, seed=seed)
        w[:] = floats(3, 2, seed=seed)
        numpy.testing.assert_allclose(executable([data, weight], [None, None])[1].array, step(x, w)[1], rtol=1e-5)


PASSING = """graph f(%x: f32[3], %b: bool[2], %i: i64[]) {
  %0: f32[3] = identity(%x)
  %1: f32[3] = neg(%x)
  %2: f32[] = full() {value=2.5, shape=(), dtype=f32}
  %3: i64[2] = constant() {value=dense(i64[2], 4, 1152921504606846977)}
  %4: bool[2] = logical_not(%b)
  return %x, %0, %1, %1, %2, %3, %b, %4, %i, %3
}"""


@DEVICES
def test_arguments_constants_and_repeated_values_as_results(device: Device) -> None:
    executable = MXNetExecutable(parse(PASSING), device)
    x, b, i = floats(3), numpy.array([True, False]), numpy.array(7)
    arguments = [put(one, device) for one in (x, b, i)]
    found = executable(arguments, [None] * 10)
    big = numpy.array([4, 2**60 + 1])
    wanted = [x, x, -x, -x, numpy.float32(2.5), big, b, ~b, i, big]
    for one, other in zip(found, wanted):
        numpy.testing.assert_array_equal(one.array, other)
        assert one.array.dtype == numpy.asarray(other).dtype
    if device.is_host:
        arrays = [buffer.array for buffer in [*found, *arguments]]
        pairs = [(a, b) for n, a in enumerate(arrays) for b in arrays[:n]]
        assert not any(numpy.shares_memory(a, b) for a, b in pairs)


def test_a_graph_without_arguments() -> None:
    graph = parse("graph f() { %0: f32[2] = full() {value=1.5, shape=(2,), dtype=f32} return %0 }")
    executable = MXNetExecutable(graph)
    first, second = (executable([], [None])[0].array for _ in range(2))
    numpy.testing.assert_array_equal(first, [1.5, 1.5])
    assert not numpy.shares_memory(first, second)


def test_threads() -> None:
    executable = MXNetExecutable(parse(STEP))
    wrong: list[int] = []

    def work(seed: int) -> None:
        x, w = floats(4, 3, seed=seed), floats(3, 2, seed=seed + 50)
        wanted = step(x, w)[1]
        for _ in range(200):
            found = executable([Buffer(x), Buffer(w)], [None, None])[1].array
            if not numpy.allclose(found, wanted, rtol=1e-4):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def taking() -> Graph:
    builder = Builder(lambda: Location("model.py", 31, "look_up"))
    x = builder.input(TensorType("f32", (4, 2)), "x")
    i = builder.input(TensorType("i64", (3,)), "i")
    with builder:
        y = ops.exp(ops.take(x, i, axis=0))
    return extract("look_up", builder.nodes, [x, i], (), [y])


@DEVICES
def test_numpys_error_with_the_users_line(device: Device) -> None:
    executable = MXNetExecutable(taking(), device)
    x = floats(4, 2)
    good = [put(x, device), put(numpy.array([0, -4, 3]), device)]
    for bad in ([0, 4, 1], [-5, 0, 0], [2**40, 0, 0]):
        with pytest.raises(IndexError, match=r"(?s)out of bounds.*model\.py:31, in look_up") as caught:
            executable([good[0], put(numpy.array(bad), device)], [None])
        assert isinstance(caught.value.__cause__, BackendError)
        assert "Stack trace" not in str(caught.value)
        found = executable(good, [None])[0].array
        numpy.testing.assert_allclose(found, numpy.exp(x[[0, -4, 3]]), rtol=1e-6)


def test_scattering_outside_is_an_error_too() -> None:
    text = "graph f(%g: f32[2,3], %i: i32[2]) { %0: f32[5,3] = take_scatter(%g, %i) {axis=0, shape=(5, 3)} return %0 }"
    executable = MXNetExecutable(parse(text))
    for bad in ([0, 5], [-6, 0], [10**6, 0]):
        with pytest.raises(IndexError):
            executable([Buffer(floats(2, 3)), Buffer(numpy.array(bad, "int32"))], [None])


def test_an_error_of_mxnet_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    executable = MXNetExecutable(parse(STEP))
    monkeypatch.setattr(executable, "_invoke", lambda results: False)
    with pytest.raises(BackendError, match="step: MXNet failed"):
        executable([Buffer(floats(4, 3)), Buffer(floats(3, 2))], [None, None])


def test_lowering_a_node_that_is_lacking_names_it() -> None:
    graph = parse("graph f(%k: u64[2]) { %0: f32[3] = random_uniform(%k) {shape=(3,), dtype=f32} return %0 }")
    with pytest.raises(BackendError, match="random_uniform cannot run on MXNet"):
        MXNetExecutable(graph)


def test_the_symbol_is_deterministic_and_readable() -> None:
    texts = {lower(parse(STEP)).json for _ in range(3)}
    assert len(texts) == 1
    assert '"name":"matmul0"' in texts.pop()


def test_a_missing_gpu_is_a_clear_error() -> None:
    if library.gpu_count():
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        to_device(Buffer(floats(2)), Device("gpu", 0))
    with pytest.raises(DeviceError, match=r"gpu\(3\) is not there"):
        empty(TensorType("f32", (2,)), Device("gpu", 3))
    with pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        MXNetExecutable(parse(STEP), Device("gpu", 0))


def test_operands_elsewhere_are_a_clear_error() -> None:
    executable = MXNetExecutable(parse(STEP), SECOND)
    with pytest.raises(DeviceError, match=r"an array on cpu\(0\) is used on cpu\(1\)"):
        executable([Buffer(floats(4, 3)), Buffer(floats(3, 2))], [None, None])


def test_moving_between_devices_copies() -> None:
    for array in (floats(2, 3), numpy.array(True), numpy.arange(3), numpy.zeros(0), numpy.ones(2, "uint64")):
        there = to_device(Buffer(array), SECOND)
        assert there.device == SECOND
        assert (there.dtype, there.shape) == (array.dtype, array.shape)
        again = to_device(there, SECOND)
        back = to_device(again, HOST)
        assert back.device == HOST
        numpy.testing.assert_array_equal(back.array, array)
        assert back.array.dtype == array.dtype
        assert back.array.shape == array.shape
        assert not numpy.shares_memory(back.array, array)


def test_views_share_memory_in_both_directions() -> None:
    array = floats(2, 3)
    buffer = Buffer(array)
    seen = native(buffer, HOST)
    assert native(buffer, HOST) is seen is buffer.native
    seen[:] = 5
    seen.wait_to_read()
    assert (array == 5).all()
    array[:] = 6
    assert (seen.asnumpy() == 6).all()
    assert array.flags.writeable
    other = library.load().nd.ones((2, 2))
    viewed = host_buffer(other, numpy.dtype("float32"), (2, 2))
    viewed.array[0, 0] = 9
    assert other.asnumpy()[0, 0] == 9
    assert native(viewed, HOST) is other


def test_views_keep_memory_alive() -> None:
    views = []
    for number in range(50):
        views.append(native(Buffer(numpy.full((1000,), number, "float32")), HOST))
    arrays = []
    for number in range(50):
        arrays.append(host_buffer(library.load().nd.full((1000,), number), numpy.dtype("float32"), (1000,)).array)
    gc.collect()
    for number in range(50):
        assert (views[number].asnumpy() == number).all()
        assert (arrays[number] == number).all()


def test_memory_is_let_go() -> None:
    from dopegraph.backends.mxnet import arrays

    gc.collect()
    before = len(arrays._held)
    for _ in range(100):
        native(Buffer(numpy.zeros(10, "float32")), HOST)
    gc.collect()
    assert len(arrays._held) <= before + 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"])
def test_every_dtype_is_seen_without_a_copy(dtype: str) -> None:
    array = numpy.array([[0, 1, 1]], dtype)
    buffer = Buffer(array)
    seen = native(buffer, HOST)
    assert seen.shape == (1, 3)
    array[0, 0] = 1
    assert seen.asnumpy().astype("float64").sum() == 3
    fresh = empty(TensorType(dtype, (2, 2)))
    assert fresh.array.dtype == array.dtype
    fresh.array[...] = 1
    assert fresh.native.asnumpy().astype("float64").sum() == 4
