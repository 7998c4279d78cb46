"""Views, in-place operators and writes do what NumPy's do, at once and compiled."""

import copy
import pickle

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np

# Each takes the namespace and x = arange(12.).reshape(3, 4), and returns arrays to compare.


def write_through_a_slice(np, x):
    y = x[1:]
    y[0] = 7
    return x, y


def write_through_views_of_views(np, x):
    y = x[1:][:, ::2]
    z = y.T
    z[1] = -1
    z[0, 0] += 5
    return x, y, z


def write_the_base_and_read_the_view(np, x):
    y = x[:, 1:3]
    x *= 2
    x[0] = 0
    return y


def write_with_negative_steps(np, x):
    x[::-1, ::-2] = np.arange(6.0).reshape(3, 2)
    y = x[::-1]
    y[0] = 9
    return x, y


def write_with_newaxis_and_ellipsis(np, x):
    x[..., None, 0] = [[1], [2], [3]]
    x[None, 1] = 4
    x[...] += 1
    return x


def write_a_mask(np, x):
    x[x > 5] = 0
    x[x == 0] += 2
    return x


def write_rows_by_a_mask(np, x):
    x[np.array([True, False, True])] = 3
    return x


def write_integer_positions(np, x):
    x[[0, 2]] = 1
    x[[0, 1], [3, 2]] = [8, 9]
    x[:, [1]] = 5
    return x


def write_one_element(np, x):
    x[1, 2] = 100
    x[-1, -1] -= 3
    return x


def shift_by_overlapping_slices(np, x):
    v = x.reshape(-1)
    v[1:] = v[:-1]
    v[:-2] += v[2:]
    return x, v


def transpose_into_itself(np, x):
    y = x[:, :3]
    y[...] = y.T
    return x


def reshape_is_a_view(np, x):
    y = x.reshape(4, 3)
    y[0] = 5
    y.reshape(2, 6)[1] = 6
    return x, y


def reshape_of_a_transposed_array_is_a_copy(np, x):
    y = x.T.reshape(12)
    y[0] = 99
    x[0, 1] = 50
    return x, y


def ravel_copies_what_is_not_contiguous(np, x):
    v = np.ravel(x)
    np.ravel(v[::-1])[0] = 5
    np.ravel(v[::2])[1] = 6
    v[::2].reshape(-1)[2] = 7
    np.ravel(x.T, "F")[3] = 8
    return x, v


def ravel_is_a_view_and_flatten_a_copy(np, x):
    x.ravel()[0] = 3
    x.flatten()[1] = 4
    np.ravel(x.T)[2] = 5
    return x


def split_gives_views(np, x):
    left, right = np.split(x, 2, axis=1)
    left[0] = 1
    right += 10
    return x


def squeeze_expand_and_swap_are_views(np, x):
    np.expand_dims(x, 0)[0, 0] = 1
    np.squeeze(x[:1])[1] = 2
    np.swapaxes(x, 0, 1)[2] = 3
    np.moveaxis(x, 0, 1)[3, 0] = 4
    np.flip(x, 0)[0] = 5
    return x


def iteration_gives_views_of_rows(np, x):
    for row in x:
        row += row[0]
    return x


def elements_and_array_indices_are_copies(np, x):
    a, b = x[0, 0], x[[0, 1]]
    a += a
    b += 5
    x[0] = -1
    return x, a, b


def an_ellipsis_makes_a_view_of_one_element(np, x):
    a = x[0, 0, ...]
    a[...] = 5
    return x, a


def in_place_operators_keep_the_array(np, x):
    y = x
    x += 1
    x -= 2
    x *= 3
    x /= 2
    x //= 1
    x %= 5
    x **= 2
    return y, x is y


def in_place_operators_keep_the_dtype(np, x):
    x += np.ones(4, "float64")
    i = np.arange(3)
    i += True
    i *= 2
    b = np.array([True, False])
    b &= True
    b |= False
    b ^= True
    return x, i, b


def in_place_operators_through_a_view(np, x):
    x[0] += x[1]
    x[:, 0] *= 2
    x.T[1] -= 1
    return x


def out_arguments(np, x):
    y = np.zeros((3, 4), "float32")
    z = np.multiply(x, 2, out=y)
    np.add(x, 1, out=x)
    np.sum(x, axis=0, out=y[1])
    return x, y, z is y


def write_what_is_broadcast(np, x):
    x[:] = [1, 2, 3, 4]
    x[:, :2] = [[5], [6], [7]]
    x[0] = np.ones((1, 4))
    return x


def write_other_dtypes(np, x):
    x[0] = np.arange(4)
    x[1] = True
    i = np.zeros(3, "int64")
    i[:] = x[2, :3]
    i[0] = 2.7
    return x, i


def fill_and_sort(np, x):
    x[0].fill(3)
    x[1, ::-1].sort()
    return x


def a_copy_does_not_follow(np, x):
    y, z, w = x.copy(), np.array(x), copy.deepcopy(x)
    x[0] = 0
    return y, z, w


def asarray_is_the_array(np, x):
    y = np.asarray(x)
    y[0] = 3
    return x, y is x


def astype_copies_unless_told(np, x):
    y, z = x.astype("float32"), x.astype("float32", copy=False)
    x[0] = 3
    return y, z is x


def real_is_a_view(np, x):
    x.real[0] = 5
    return x


SCENARIOS = [value for value in list(globals().values()) if getattr(value, "__module__", "") == __name__]


def start(namespace):
    return namespace.arange(12, dtype="float32").reshape(3, 4)


def plain(result):
    return [plain(part) for part in result] if isinstance(result, tuple) else numpy.asarray(result).tolist()


def dtypes(result):
    return [dtypes(part) for part in result] if isinstance(result, tuple) else getattr(result, "dtype", None)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_arrays_share_memory_as_in_numpy(scenario):
    base = start(numpy)
    expected = scenario(numpy, base)
    compiled = dopegraph.compile(lambda x: scenario(np, x))
    for run in (lambda x: scenario(np, x), compiled, compiled):
        x = start(np)
        found = run(x)
        assert plain(found) == plain(expected)
        assert dtypes(found) == dtypes(expected)
        assert plain(x) == plain(base)


def test_in_place_operators_refuse_to_lose_the_kind():
    i = np.arange(3)
    with pytest.raises(TypeError, match=r"cannot cast the result from float32 to int64[\s\S]*test_views\.py"):
        i += 0.5
    with pytest.raises(TypeError, match="cannot cast"):
        i /= 2
    with pytest.raises(ValueError, match=r"\(2, 3\) does not fit"):
        i += np.ones((2, 3), int)
    assert i.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ((5,), 1, IndexError),
        ((0, 0, 0), 1, IndexError),
        (("a",), 1, IndexError),
        ((slice(None),), [1, 2, 3], ValueError),
        ((slice(0, 2),), numpy.ones((3, 4)), ValueError),
        (([0, 7],), 1, IndexError),
        ((0,), "a", (TypeError, ValueError)),
        ((0,), 1j, TypeError),
    ],
)
def test_wrong_writes_are_errors_at_once_and_compiled(key, value, error):
    def write(x):
        x[key] = value

    for run in (write, dopegraph.compile(write)):
        x = start(np)
        with pytest.raises(error):
            run(x)
        assert x.tolist() == start(np).tolist()


def test_what_is_broadcast_cannot_be_written():
    def write(x):
        np.broadcast_to(x, (2, 3, 4))[0] = 1

    for run in (write, dopegraph.compile(write)):
        with pytest.raises(ValueError, match="read-only"):
            run(start(np))


def test_arrays_share_memory_with_numpy_both_ways():
    memory = numpy.zeros(3, "float32")
    x = np.asarray(memory)
    x[0] = 1
    memory[1] = 2
    assert x.tolist() == memory.tolist() == [1, 2, 0]
    back = numpy.asarray(x)
    assert back is memory or numpy.shares_memory(back, memory)
    copied = np.array(memory)
    memory[2] = 3
    assert copied.tolist() == [1, 2, 0]


def test_pickles_and_copies_are_equal_and_apart():
    x = start(np)
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert (other == x).all() and other.dtype == x.dtype
        other[0] = -1
    assert x.tolist() == start(np).tolist()


def test_python_reads_numbers_out_of_arrays():
    x = np.array([[2.5]])
    assert (float(x[0, 0]), int(x[0, 0]), bool(x), x.item(), x.tolist()) == (2.5, 2, True, 2.5, [[2.5]])
    assert complex(np.array(1j)) == 1j
    assert [10, 20, 30][np.array(1)] == 20
    assert len(x) == 1 and 2.5 in x and 3 not in x
    assert f"{x[0, 0]:.2f}" == "2.50"
    assert repr(np.array([1, 2])) == "array([1, 2])"
    assert str(np.array([1.5])) == "[1.5]"


def test_unpacking_gives_one_array_for_each_row():
    a, b, c = start(np)
    assert [a.tolist(), c.tolist()] == [[0, 1, 2, 3], [8, 9, 10, 11]] and b.shape == (4,)


def test_the_matrix_product_in_place_keeps_the_array():
    x = y = np.arange(4.0).reshape(2, 2)
    x @= np.array([[0.0, 1.0], [1.0, 0.0]])
    assert x is y and x.tolist() == [[1, 0], [3, 2]]


def test_results_are_in_c_order_at_once_as_compiled():
    def write_a_reshaped_result(x):
        y = x.T * 2
        y.reshape(-1)[0] = 50
        return y

    x = start(np)
    assert write_a_reshaped_result(x).tolist() == dopegraph.compile(write_a_reshaped_result)(x).tolist()


def test_arrays_cannot_be_hashed():
    with pytest.raises(TypeError, match="unhashable"):
        hash(np.ones(2))
