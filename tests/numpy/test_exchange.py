"""One memory with NumPy, PyTorch, JAX and MXNet: writes are seen, owners may go, dtypes and strides are kept."""

import gc

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.numpy.promotion import SUPPORTED
from dopegraph.runtime.errors import DeviceError, DTypeError

DTYPES = sorted(dtype.name for dtype in SUPPORTED)
NUMPY = tuple(map(int, numpy.__version__.split(".")[:2]))
needs_mxnet = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")


def reasons(function):
    return {escape.reason for plan in function.plans for escape in getattr(plan, "escapes", ())}


# NumPy -----------------------------------------------------------------------------------------------------------


def test_numpy_gets_the_memory_and_keeps_it_alive():
    x = np.arange(3.0)
    memory = numpy.asarray(x)
    memory[0] = 5
    assert x.tolist() == [5, 1, 2]
    x[1] = 7
    del x
    gc.collect()
    assert memory.tolist() == [5, 7, 2]


def test_copy_means_what_it_means_in_numpy_2():
    x = np.arange(3.0)
    assert numpy.shares_memory(x.__array__(), x.__array__(copy=False))
    assert not numpy.shares_memory(x.__array__(copy=True), x.__array__())
    assert x.__array__(numpy.float64).dtype == numpy.float64
    with pytest.raises(ValueError, match=r"(?s)float32, not float64.*test_exchange\.py"):
        x.__array__(numpy.float64, copy=False)


def test_handing_out_memory_while_recording_is_explained():
    for give in (numpy.asarray, numpy.from_dlpack):
        compiled = dopegraph.compile(lambda x, give=give: np.array(give(x * 2)) + 1)
        for _ in range(2):
            assert compiled(np.ones(2)).tolist() == [3, 3]
        assert reasons(compiled) == {"value-escape"}


def test_writes_into_handed_out_memory_are_seen_by_compiled_code():
    x = np.zeros(2)
    memory = numpy.asarray(x)
    double = dopegraph.compile(lambda: x * 2)
    for number in (1, 2, 3):
        memory[:] = number
        assert double().tolist() == [2 * number] * 2


def test_numpys_generators_leave_our_arrays_alone():
    x = np.arange(100)
    for permutation in (numpy.random.permutation(x), numpy.random.default_rng(0).permutation(x)):
        assert sorted(permutation.tolist()) == list(range(100)) != permutation.tolist()
        assert x.tolist() == list(range(100))


def test_who_shares_memory_with_whom():
    x = np.arange(6.0).reshape(2, 3)
    for function in (np.shares_memory, numpy.shares_memory):
        assert function(x[0], x) and function(x.T, x[1]) and function(numpy.asarray(x), x)
        assert not function(x[0], x[1]) and not function(x[:, 0], x[:, 1]) and not function(x, x.copy())
    assert np.may_share_memory(x[:, 0], x[:, 1]) and not np.may_share_memory(x[0], x[1])


@needs_mxnet
def test_arrays_elsewhere_share_memory_with_their_views():
    x = np.ones((2, 3)).to("cpu:1")
    assert np.shares_memory(x, x[0]) and not np.shares_memory(x, x.copy()) and not np.shares_memory(x, np.ones(2))


# DLPack with NumPy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (3,), (2, 3)])
def test_dlpack_to_and_from_numpy(dtype, shape):
    source = numpy.ones(shape, dtype)
    ours = np.from_dlpack(source)
    assert (ours.dtype, ours.shape) == (source.dtype, shape)
    back = numpy.from_dlpack(ours)
    assert (back.dtype, back.shape) == (source.dtype, shape)
    assert back.tolist() == source.tolist()
    if source.size and NUMPY >= (2, 1):
        back[...] = 0
        assert not source.any() and not ours.asnumpy().any()


def test_strides_of_any_sign_are_kept():
    source = numpy.arange(24.0).reshape(2, 3, 4)
    for view in (source.T, source[:, ::2], source[::-1, :, 1:3], source[0, :, 0]):
        ours = np.from_dlpack(view)
        assert ours.tolist() == view.tolist()
        ours[...] = ours + 1
        assert ours.tolist() == view.tolist()
        assert numpy.from_dlpack(ours).tolist() == view.tolist()


def test_the_owner_lives_as_long_as_the_array():
    source = numpy.arange(5.0)
    ours = np.from_dlpack(source)[1:]
    del source
    gc.collect()
    numpy.empty(5).fill(-1)
    assert ours.tolist() == [1, 2, 3, 4]


def test_a_capsule_is_given_back_once():
    import sys

    source = numpy.arange(5.0)
    before = sys.getrefcount(source)
    for _ in range(100):
        np.from_dlpack(source)
    gc.collect()
    assert sys.getrefcount(source) == before


def test_a_capsule_is_taken_once():
    from dopegraph.numpy import dlpack

    capsule = np.ones(2).__dlpack__()
    assert dlpack.is_capsule(capsule)
    dlpack.take(capsule)
    assert not dlpack.is_capsule(capsule)
    with pytest.raises(BufferError, match="taken before"):
        dlpack.take(capsule)


@pytest.mark.skipif(NUMPY < (2, 1), reason="NumPy says what is read-only from 2.1 on")
def test_read_only_memory_stays_so():
    source = numpy.ones(3)
    source.flags.writeable = False
    ours = np.from_dlpack(source)
    with pytest.raises(ValueError, match="read-only"):
        ours[0] = 1
    assert not numpy.from_dlpack(ours).flags.writeable
    with pytest.raises(BufferError):
        ours.__dlpack__()  # the old protocol cannot say so


def test_copies_are_made_when_asked_for():
    source = numpy.zeros(2)
    ours = np.from_dlpack(source, copy=True)
    ours[0] = 1
    assert source.tolist() == [0, 0]
    from dopegraph.numpy import dlpack

    copied = dlpack.take(ours.__dlpack__(copy=True), numpy.zeros(1))
    copied[0] = 5
    assert ours.tolist() == [1, 0]
    assert np.from_dlpack(ours) is ours
    assert np.from_dlpack(source, device="cpu").device == "cpu"


def test_what_dlpack_cannot_do_is_an_error_that_says_why():
    x = np.ones(2)
    with pytest.raises(BufferError, match="not copied to another device"):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match="stream"):
        x.__dlpack__(stream=3)
    with pytest.raises(TypeError, match=r"(?s)list has no __dlpack__.*test_exchange\.py"):
        np.from_dlpack([1, 2])
    assert x.__dlpack_device__() == (1, 0)


# PyTorch and JAX -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_pytorch_shares_memory_both_ways(dtype):
    torch = pytest.importorskip("torch")
    tensor = torch.zeros((2, 3), dtype=getattr(torch, dtype))
    ours = np.from_dlpack(tensor)
    assert (ours.dtype, ours.shape) == (numpy.dtype(dtype), (2, 3))
    tensor[0, 1] = 1
    assert ours[0, 1].item() == 1
    ours[1, 2] = 1
    assert tensor[1, 2].item() == 1
    back = torch.from_dlpack(ours)
    back[0, 0] = 1
    assert tensor[0, 0].item() == 1 and ours[0, 0].item() == 1


def test_pytorch_arrays_of_any_layout_and_lifetime():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(12.0).reshape(3, 4).T[1:, ::2]
    expected = tensor.tolist()
    ours = np.from_dlpack(tensor)
    del tensor
    gc.collect()
    assert ours.tolist() == expected
    handed = torch.from_dlpack(ours[1:])
    del ours
    gc.collect()
    assert handed.tolist() == expected[1:]
    for empty in (torch.zeros(0), torch.zeros((2, 0)), torch.tensor(3.0)):
        assert np.from_dlpack(empty).tolist() == empty.tolist()
    with pytest.raises(DTypeError, match="bfloat16"):
        np.from_dlpack(torch.zeros(2, dtype=torch.bfloat16))


def test_pytorch_reads_results_of_compiled_code_and_derivatives():
    torch = pytest.importorskip("torch")
    compiled = dopegraph.compile(dopegraph.grad(lambda x: (x**2).sum()))
    for _ in range(3):
        assert torch.from_dlpack(compiled(np.array([1.0, 2.0]))).tolist() == [2, 4]


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "uint8", "float16", "float32", "complex64"])
def test_jax_shares_memory_that_stays_read_only(dtype):
    jax = pytest.importorskip("jax")
    theirs = jax.numpy.ones((2, 3), dtype)
    ours = np.from_dlpack(theirs)
    assert (ours.dtype, ours.tolist()) == (numpy.dtype(dtype), theirs.tolist())
    with pytest.raises(ValueError, match="read-only"):
        ours[0] = 0
    del theirs
    gc.collect()
    assert (ours + ours).asnumpy().astype(bool).all()
    assert jax.dlpack.from_dlpack(np.zeros((2, 3), dtype)).tolist() == numpy.zeros((2, 3), dtype).tolist()


class Owner:
    """Anything that lends its memory to NumPy."""

    def __init__(self):
        self.memory = numpy.zeros(2, "float32")

    def __array__(self, dtype=None, copy=None):
        return self.memory


def test_what_lends_its_memory_shares_it_by_asarray_and_never_by_array():
    import array

    owners = [Owner(), array.array("d", [0, 0]), bytearray(2), memoryview(bytearray(2))]
    try:
        import torch

        owners.append(torch.zeros(2))
    except ImportError:
        pass
    for owner in owners:
        memory = numpy.asarray(owner)
        shared, copied = np.asarray(owner), np.array(owner)
        assert shared.dtype == copied.dtype == memory.dtype
        double = dopegraph.compile(lambda shared=shared: shared * 2)
        for number in (1, 2, 3):
            memory[0] = number
            assert shared.tolist() == [number, 0] and copied.tolist() == [0, 0]
            assert double().tolist() == [2 * number, 0]
        shared[1] = 9
        assert memory[1] == 9
    assert np.asarray(range(3)).tolist() == [0, 1, 2]


# MXNet -----------------------------------------------------------------------------------------------------------


@needs_mxnet
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"])
def test_mxnet_shares_memory_both_ways(dtype):
    x = np.zeros((2, 3), dtype)
    theirs = x.to_mxnet()
    assert theirs.shape == (2, 3)
    assert theirs.dtype == numpy.dtype("uint8" if dtype == "bool" else dtype).type  # MXNet takes no shared booleans
    theirs[0] = 1
    theirs.wait_to_read()
    assert x[0].tolist() == numpy.ones(3, dtype).tolist()
    ours = np.from_mxnet(theirs)
    ours[1, 2] = 1
    assert theirs.asnumpy()[1, 2] == 1 and x[1, 2].item() == 1


@needs_mxnet
def test_memory_that_mxnet_made_outlives_its_owner():
    mx = library.load()
    theirs = mx.nd.array([1, 2, 3])
    ours = np.from_mxnet(theirs)
    del theirs
    gc.collect()
    mx.nd.zeros(3)
    assert ours.tolist() == [1, 2, 3]
    x = np.ones(3)
    theirs = x.to_mxnet()
    del x
    gc.collect()
    assert theirs.asnumpy().tolist() == [1, 1, 1]


@needs_mxnet
def test_compiled_code_sees_what_mxnet_writes():
    mx = library.load()
    theirs = mx.nd.zeros((2,))
    ours = np.from_mxnet(theirs)
    double = dopegraph.compile(lambda: ours * 2)
    for number in (1, 2, 3):
        theirs[:] = number
        theirs.wait_to_read()
        assert double().tolist() == [2 * number] * 2


@needs_mxnet
def test_what_mxnet_cannot_share_is_an_error():
    mx = library.load()
    assert np.array(2.5).to_mxnet().shape == (1,)
    for wrong, what in (
        (np.ones(2, numpy.complex64), "complex64"),
        (np.zeros(0), r"\(0,\)"),
        (np.ones((2, 3)).T, "gaps"),
    ):
        with pytest.raises(DeviceError, match=rf"(?s){what}.*test_exchange\.py"):
            wrong.to_mxnet()
    with pytest.raises(DTypeError, match="tostype"):
        np.from_mxnet(mx.nd.sparse.zeros("row_sparse", (2, 2)))
    with pytest.raises(DTypeError, match="no NDArray"):
        np.from_mxnet([1])


# The namespace ---------------------------------------------------------------------------------------------------


def test_an_array_knows_its_namespace():
    x = np.ones(2)
    assert x.__array_namespace__() is np and x.__array_namespace__(api_version="2024.12") is np
    with pytest.raises(ValueError, match=r"1999\.1"):
        x.__array_namespace__(api_version="1999.1")
