"""Arrays on devices other than the host: MXNet's second CPU device stands in for a GPU, on the same paths."""

from __future__ import annotations

import copy  # noqa: F401 - the expressions use it
import pickle

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import Device, cpu, gpu
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import DeviceError

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

W = numpy.arange(6, dtype=numpy.float32).reshape(3, 2) / 10


def there(array):
    return np.array(array).to(cpu(1))


def close(actual, expected):
    numpy.testing.assert_allclose(actual.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_arrays_are_made_on_the_chosen_device():
    with cpu(1):
        made = [np.zeros(2), np.array([1.0]), np.arange(3), np.random.normal(size=2), np.ones((2, 2))[0]]
    assert {array.device for array in made} == {cpu(1)}
    assert np.zeros(2).device == cpu()
    assert np.zeros_like(made[0]).device == cpu(1)
    assert repr(made[1]) == "array([1.], dtype=float32) @cpu(1)"


def test_random_numbers_do_not_depend_on_the_device():
    np.random.seed(1)
    here = np.random.normal(size=3)
    np.random.seed(1)
    with cpu(1):
        numpy.testing.assert_array_equal(np.random.normal(size=3).asnumpy(), here.asnumpy())


def test_operations_stay_on_the_device_and_agree_with_numpy():
    w = there(W)
    results = {
        "product": (w.T @ w, W.T @ W), "number": (w * 2 + 1, W * 2 + 1), "reduction": (w.max(axis=0), W.max(axis=0)),
        "comparison": (w > 0.2, W > 0.2), "view": (w[1:, ::-1], W[1:, ::-1]), "position": (np.argmax(w), W.argmax()),
    }  # fmt: skip
    for actual, expected in results.values():
        assert actual.device == cpu(1)
        close(actual, expected)


def test_writes_reach_the_base_through_views():
    w, expected = there(W), W.copy()
    row = w[1]
    row += 10
    expected[1] += 10
    w[2:, 0] *= 3
    expected[2:, 0] *= 3
    w.T[1, 0] = -1
    expected.T[1, 0] = -1
    close(w, expected)
    close(row, expected[1])


def test_derivatives_compiled_steps_and_recordings_run_there():
    w, x = there(W), there(numpy.ones((4, 3)))

    def loss(w):
        return np.tanh(x @ w).sum()

    @dopegraph.compile
    def step(lr):
        value, gradient = dopegraph.value_and_grad(loss)(w)
        w[:] = w - lr * gradient
        return value

    reference = np.array(W)
    for lr in (0.1, 0.2):
        value, gradient = dopegraph.value_and_grad(lambda w: np.tanh(np.ones((4, 3)) @ w).sum())(reference)
        reference -= lr * gradient
        found = step(lr)
        assert found.device == w.device == cpu(1)
        close(found, value.asnumpy())
        close(w, reference.asnumpy())
    w.attach_grad()
    with dopegraph.record():
        recorded = loss(w)
    recorded.backward()
    assert w.grad.device == cpu(1)
    close(w.grad, dopegraph.grad(loss)(w).asnumpy())


def test_random_numbers_inside_a_compiled_function_come_to_the_device():
    x = there(numpy.ones(3))
    noisy = dopegraph.compile(lambda: x + np.random.normal(size=3))
    np.random.seed(2)
    found = [noisy().asnumpy() for _ in range(2)]
    np.random.seed(2)
    expected = [1 + np.random.normal(size=3).asnumpy() for _ in range(2)]
    numpy.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_operands_on_two_devices_are_an_error_at_the_users_line(wrap):
    here, away = np.ones(3), there(numpy.ones(3))
    with pytest.raises(DeviceError, match=r"(?s)cpu\(.\) and cpu\(.\); move one with x\.to.*test_devices\.py"):
        wrap(lambda: here + away)()


def test_moving_copies_only_when_it_must():
    x = np.ones(3)
    assert x.to("cpu") is x
    back = there(numpy.ones(3)).to("cpu")
    back += 1
    assert back.tolist() == [2, 2, 2]


@pytest.mark.skipif(library.gpu_count() > 0, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        np.ones(3).to(gpu())
    with gpu(0), pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        np.zeros(3)


MADE = """
np.zeros(2)
np.ones((2, 3))
np.empty(2)
np.full(3, 7)
np.full(3, [1, 2, 3])
np.array([1.0])
np.array(2.5)
np.array(numpy.ones(2))
np.zeros((0, 3))
np.zeros(2, "complex64")
np.arange(3)
np.linspace(0, 1, 5)
np.eye(3)
np.diag([1, 2])
np.hanning(3)
np.vander([1, 2, 3])
np.meshgrid([1, 2], [3, 4])[0]
np.loadtxt(["1 2"])
np.array(numpy.frombuffer(b"12345678", dtype="float32"))
np.concatenate([[1, 2], [3]])
np.sum([1, 2])
np.exp([1.0, 2.0])
np.sort([2, 1])
np.random.normal(size=2)
np.random.uniform(size=(2, 2))
np.random.randint(0, 5, size=3)
np.random.rand(2)
np.random.permutation(4)
np.random.choice(5, 3)
np.random.exponential(size=2)
np.random.uniform()
"""


@pytest.mark.parametrize("expression", MADE.strip().split("\n"))
def test_what_is_made_on_a_device_is_there_and_the_same_as_on_the_host(expression):
    found = {}
    for device in (cpu(), cpu(1)):
        np.random.seed(3)
        with device:
            found[device] = eval(expression)
        assert found[device].device == device
    assert np.zeros(1).device == cpu()
    close(found[cpu(1)], found[cpu()].asnumpy())
    assert found[cpu(1)].dtype == found[cpu()].dtype


COMPUTED = """
np.sort(w)
np.median(w, axis=0)
numpy.median(w, axis=0)
numpy.sum(w, axis=1)
w[w > 2]
w[[0, 1]]
w[1:, [0, 1]]
w.copy()
copy.copy(w)
copy.deepcopy(w)
pickle.loads(pickle.dumps(w))
w + numpy.float32(2)
w * np.array(2.0)
w.astype("complex64")
w.astype("complex64") + 1
w.astype("int16") + w.astype("int16")
w[:0]
w[:0] + 1
w.T
np.where(w > 2, w, 0)
np.einsum("ij,kj->ik", w, w)
np.concatenate([w, w])
np.clip(w, 0, 1)
w.std()
next(iter(w))
np.maximum(w, 2, out=w)
numpy.add(w, 1, out=w)
np.from_dlpack(w)
np.astype(w, "int32")
"""


@pytest.mark.parametrize("expression", COMPUTED.strip().split("\n"))
def test_what_is_computed_on_a_device_stays_there_host_functions_too(expression):
    host = numpy.arange(6, dtype="float32").reshape(2, 3)
    here = np.array(host)
    found = eval(expression, {**globals(), "w": there(host)})
    assert found.device == cpu(1)
    close(found, eval(expression, {**globals(), "w": here}).asnumpy())


WRITES = """
w[0] = 5
w[0, 1] += 3
w[w > 3] = 0
w[[0, 1], [1, 2]] = 9
w[[0, 1], [1, 2]] += 1
w.fill(2)
w.sort()
w[...] = numpy.ones(3)
w[0] = [1, 2, 3]
w[:, ::-1][0] = numpy.arange(3)
w[0] = w[1]
np.put(w, [0], 7)
np.fill_diagonal(w, 3)
np.copyto(w, 1)
w *= w
w.T[0] = 4
numpy.add.at(w, [0, 0], 1)
"""


@pytest.mark.parametrize("statement", WRITES.strip().split("\n"))
def test_writes_on_a_device_are_numpys(statement):
    expected = numpy.arange(6, dtype="float32").reshape(2, 3)
    w = there(expected)
    exec(statement, {"w": w, "np": np, "numpy": numpy})
    exec(statement, {"w": expected, "np": numpy, "numpy": numpy})
    assert w.device == cpu(1)
    close(w, expected)


def test_writing_other_numbers_compiles_nothing():
    w = there(W)
    w[0] = 0.5
    w.fill(0.5)
    before = dopegraph.programs.compiled
    for number in range(5):
        w[0] = number
        w.fill(number)
    assert dopegraph.programs.compiled == before


def test_arrays_of_the_host_are_not_moved_without_being_asked():
    w = there(W)
    for wrong in (
        lambda: w + np.ones(2),
        lambda: w[np.array([0, 1])],
        lambda: w.__setitem__(0, np.ones(2)),
        lambda: np.interp(w, np.ones(2), np.ones(2)),
        lambda: numpy.hypot(w, np.ones(2)),
    ):
        with pytest.raises(DeviceError, match=r"(?s)move one with x\.to.*test_devices\.py"):
            wrong()


def test_the_host_gets_a_copy_of_what_is_elsewhere():
    w = there(W)
    with pytest.raises(ValueError, match=r"(?s)cpu\(1\).*test_devices\.py"):
        w.__array__(copy=False)
    memory = numpy.asarray(w)
    memory[0] = 9
    close(w, W)
    again = pickle.loads(pickle.dumps(w[1:], 5))
    assert again.device == cpu(1)
    close(again, W[1:])
    assert numpy.from_dlpack(w).tolist() == W.tolist()
    assert numpy.from_dlpack(w.astype("complex64")).tolist() == W.astype("complex64").tolist()


def test_a_pickle_of_a_device_that_is_not_there_is_loaded_on_the_host_with_a_warning():
    from dopegraph.numpy.pickling import restored

    if library.gpu_count() > 0:
        pytest.skip("there is a GPU")
    with pytest.warns(RuntimeWarning, match=r"gpu\(0\)"):
        assert restored(W, "gpu", 0).device == cpu()


def test_mxnet_shares_the_memory_of_its_own_devices():
    w = there(W)
    theirs = w.to_mxnet()
    assert str(theirs.context) == "cpu(1)"
    theirs[0] = 7
    assert w[0].tolist() == [7, 7]
    back = np.from_mxnet(theirs)
    assert back.device == cpu(1)
    back[1] = 3
    assert theirs.asnumpy()[1].tolist() == [3, 3] == w[1].tolist()
    dopegraph.compile(lambda: w.fill(5))()
    dopegraph.compile(lambda: w.fill(5))()
    assert theirs.asnumpy().tolist() == back.tolist() == [[5, 5]] * 3
    with pytest.raises(BufferError, match=r"(?s)view of an array on cpu\(1\).*test_devices\.py"):
        w[0].to_mxnet()


def test_devices_equal_their_names():
    x = np.ones(2)
    assert x.device == "cpu" == cpu(0) and x.device != "gpu" and cpu(1) != "cpu"
    assert gpu(1) == "gpu:1" and gpu(1) == "gpu(1)" and cpu() != "nonsense" and cpu() != 0
    assert {cpu(): 1}["cpu"] == 1 and len({cpu(), Device("cpu", 0), cpu(1)}) == 2
    assert x.to_device("cpu") is x and x.to_device("cpu:1").device == cpu(1)
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)
    with pytest.raises(ValueError, match=r"(?s)'tpu'.*test_devices\.py"):
        x.to_device("tpu")


WITH_LISTS = """
np.random.normal(w, 1.0)
np.random.normal([1.0, 2.0, 3.0], w)
np.random.default_rng(1).normal(w, [1.0, 2.0, 3.0])
np.random.default_rng(1).integers(0, w.astype("int64") + 1)
np.random.default_rng(1).choice(w, 2)
np.random.default_rng(1).permutation(w)
np.random.uniform(w, w + 1)
np.random.gamma(w + 1, [1.0, 2.0, 3.0])
np.random.poisson(w)
np.random.binomial(5, w / 10)
np.random.multinomial(5, w[0] / w[0].sum())
np.random.permutation(w)
np.random.choice(w[0], 3)
np.random.dirichlet(w[1])
w.dot([1.0, 2.0, 3.0])
w @ [1.0, 2.0, 3.0]
[1.0, 2.0] @ w
w + [1, 2, 3]
w.searchsorted([1.0]) if w.ndim == 1 else w[0].searchsorted([1.0])
w.take([0, 1])
w.choose([w, [9, 9, 9]]) if w.dtype == "int64" else w.clip([1, 1, 1], 4)
w.compress([True, False], axis=0)
w.repeat([1, 2], axis=0)
w.mean(where=[True, False, True])
w.sum(0, initial=[1.0][0])
w[[True, False]]
w[[0, 1], [[1], [2]]]
w.flat[[0, 3]]
w.astype("float64").sum(dtype="float32")
np.array([w, w])
np.array([[w[0, 0], 2.0]])
np.stack([w, numpy.ones((2, 3), "float32")])
np.where([[True], [False]], w, [1, 2, 3])
np.apply_along_axis(lambda row: row * 2, 1, w)
np.vectorize(lambda one: one + 1)(w)
w.to(cpu()).to(cpu(1))
"""


@pytest.mark.parametrize("current", [cpu(), cpu(1)], ids=str)
@pytest.mark.parametrize("expression", WITH_LISTS.strip().split("\n"))
def test_lists_and_parameters_come_to_the_arrays_device(expression, current):
    host = numpy.arange(6, dtype="float32").reshape(2, 3)
    found = {}
    for device in (cpu(), cpu(1)):
        np.random.seed(4)
        with current if device == cpu(1) else cpu():
            found[device] = eval(expression, {**globals(), "w": np.array(host).to(device)})
    assert found[cpu(1)].device == cpu(1)
    close(found[cpu(1)], found[cpu()].asnumpy())


@pytest.mark.parametrize("expression", [one for one in WITH_LISTS.strip().split("\n") if ".to(" not in one])
def test_arrays_of_the_host_stay_there_while_another_device_is_current(expression):
    host = np.array(numpy.arange(6, dtype="float32").reshape(2, 3))
    with cpu(1):
        assert eval(expression, {**globals(), "w": host}).device == cpu()


def test_writes_through_reshaped_and_flattened_views_reach_the_base():
    for write in ("w.reshape(6)[1] = 9", "w.ravel()[2] += 5", "w.T.reshape(3, 2, 1)[0] = 7", "w.flat = [1, 2]",
                  "w.flat[3] = 8", "w[[True, False]] = [7, 8, 9]", "w.reshape(3, 2).T[0] = [1, 2, 3]"):  # fmt: skip
        expected = numpy.arange(6, dtype="float32").reshape(2, 3)
        w = there(expected)
        exec(write, {"w": w})
        exec(write, {"w": expected})
        close(w, expected)


def test_an_element_written_into_an_array_without_axes_does_not_move_it():
    x = there(numpy.float32(3))
    x[()] = 4
    x[...] = x * 2
    assert x.device == cpu(1)
    assert x.item() == 8


def test_outputs_and_sources_elsewhere_are_refused():
    w, here = there(numpy.ones((2, 3), "float32")), np.zeros((2, 3))
    for wrong in (
        lambda: np.add(w, 1, out=here),
        lambda: np.sum(w, axis=0, out=np.zeros(3)),
        lambda: np.sort(here, axis=0) + w,
        lambda: here.__setitem__(0, w[0]),
        lambda: here.__setitem__(slice(None), w),
        lambda: here.__iadd__(w),
        lambda: np.copyto(here, w),
        lambda: np.concatenate([here, w]),
        lambda: np.linalg.solve(w @ w.T, here),
        lambda: np.where(w > 0, w, here),
        lambda: np.add.at(here, [0], w[0]),
        lambda: np.put(here, [0, 1], w[0]),
        lambda: np.putmask(here, w > 0, 1),
        lambda: np.place(here, [True] * 6, w[0]),
        lambda: np.fill_diagonal(here, w[0]),
        lambda: np.multiply.at(here, [0], w[0]),
        lambda: np.put_along_axis(here, here.astype(int), w, 1),
        lambda: np.take_along_axis(here, w.astype(int), 1),
        lambda: np.histogram(w, weights=here),
        lambda: here[w > 0],
        lambda: here[w[0].astype("int64")],
    ):
        with pytest.raises(DeviceError, match=r"(?s)x\.to\(device\).*test_devices\.py"):
            wrong()


def test_what_looks_like_a_random_key_is_moved_as_any_other_array():
    x = there(numpy.array([200, 100], "uint8"))
    assert x.astype("uint64").device == cpu(1)
    assert x.sum().device == cpu(1)
    assert x.sum().item() == 300


def test_a_compiled_function_that_only_asks_for_a_shape_computes_on_the_arrays_device():
    w = there(W)
    like = dopegraph.compile(np.zeros_like)
    assert [like(w).device for _ in range(2)] == [cpu(1)] * 2
    place = dopegraph.compile(lambda x: np.triu_indices_from(x)[0])
    assert [place(there(numpy.ones((2, 2)))).device for _ in range(2)] == [cpu(1)] * 2


def test_read_only_memory_is_the_hosts():
    with pytest.raises(DeviceError, match=r"(?s)setflags.*cpu\(1\).*test_devices\.py"):
        there(W).setflags(write=False)


def test_writes_into_the_hosts_arrays_while_another_device_is_current():
    for write in ("w.fill(2)", "w[0] = [1, 2, 3]", "w.flat = [4, 5]", "np.copyto(w, [1, 2, 3])", "w += [1, 2, 3]",
                  "w.real = 7", "np.add(w, [1, 2, 3], out=w)", "np.put(w, [0, 1], [8, 9])", "w[w > 1] = 5",
                  "w[[0, 1], [1, 2]] = [3, 4]", "w.astype('complex64').imag = [1, 2, 3]"):  # fmt: skip
        expected = numpy.arange(6, dtype="float32").reshape(2, 3)
        w = np.array(expected)
        with cpu(1):
            exec(write, {"w": w, "np": np})
        exec(write, {"w": expected, "np": numpy})
        assert w.device == cpu()
        close(w, expected)
