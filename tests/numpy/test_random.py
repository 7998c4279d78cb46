"""Random numbers: seeds reproduce them, compiled code draws the same, distributions are what they should be."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np

DRAWS = [
    lambda: np.random.uniform(size=(2, 3)),
    lambda: np.random.uniform(-1, [1.0, 2.0, 3.0]),
    lambda: np.random.normal(size=5),
    lambda: np.random.normal(np.zeros((2, 1)), [1.0, 2.0]),
    lambda: np.random.standard_normal((3,)),
    lambda: np.random.exponential(2.0, 4),
    lambda: np.random.rand(2, 2),
    lambda: np.random.randn(3),
    lambda: np.random.random((2,)),
    lambda: np.random.random_sample(3),
    lambda: np.random.randint(10, size=(2, 2)),
    lambda: np.random.randint(-5, 5, 7, dtype="int8"),
    lambda: np.random.permutation(6),
    lambda: np.random.permutation(np.arange(6).reshape(3, 2)),
    lambda: np.random.choice(5, 3),
    lambda: np.random.choice([10.0, 20.0], (2, 2)),
    lambda: np.random.choice(5, 3, replace=False),
    lambda: np.random.choice(3, 4, p=[0.2, 0.3, 0.5]),
    lambda: np.random.choice(4, 2, replace=False, p=[0.1, 0.2, 0.3, 0.4]),
]
SHAPES = [
    (2, 3), (3,), (5,), (2, 2), (3,), (4,), (2, 2), (3,), (2,), (3,), (2, 2), (7,), (6,), (3, 2), (3,), (2, 2), (3,),
    (4,), (2,),
]  # fmt: skip
INTEGERS = {10: "int64", 11: "int8", 12: "int64", 13: "int64", 14: "int64", 16: "int64", 17: "int64", 18: "int64"}


@pytest.mark.parametrize("number", range(len(DRAWS)))
def test_a_seed_reproduces_what_is_drawn_at_once_and_compiled(number):
    draw = DRAWS[number]
    compiled = dopegraph.compile(draw)
    runs = []
    for function in (draw, draw, compiled):
        np.random.seed(3)
        runs.append([function() for _ in range(3)])
    for first, second, third in zip(*runs):
        assert first.shape == SHAPES[number]
        assert first.dtype == INTEGERS.get(number, "float32")
        assert first.tolist() == second.tolist()
        numpy.testing.assert_allclose(third.asnumpy(), first.asnumpy(), rtol=1e-6)  # MXNet rounds in its own way
    assert runs[0][0].tolist() != runs[0][1].tolist() or first.size < 4


def test_other_seeds_give_other_numbers_and_none_a_fresh_start():
    np.random.seed(1)
    first = np.random.uniform(size=4).tolist()
    np.random.seed(2)
    assert np.random.uniform(size=4).tolist() != first
    np.random.seed()
    assert np.random.uniform(size=4).tolist() != first


def test_a_state_can_be_kept_and_restored():
    state = np.random.get_state()
    first = np.random.normal(size=3).tolist()
    np.random.set_state(state)
    assert np.random.normal(size=3).tolist() == first


def test_the_default_dtype_and_given_dtypes_hold():
    assert np.random.normal(size=2, dtype="float64").dtype == numpy.float64
    assert np.random.uniform(0, 3, 2, dtype="float16").dtype == numpy.float16
    dopegraph.set_default_dtype("float64")
    try:
        assert np.random.exponential(size=2).dtype == np.random.rand(2).dtype == numpy.float64
    finally:
        dopegraph.set_default_dtype("float32")


def test_without_a_size_one_number_is_drawn():
    for draw in (np.random.uniform, np.random.normal, np.random.rand, np.random.randn, np.random.exponential):
        assert draw().shape == ()
    assert np.random.randint(3).shape == np.random.choice(3).shape == ()


def test_uniform_numbers_fill_their_interval():
    np.random.seed(0)
    x = np.random.uniform(-1, 3, 20000).asnumpy()
    assert x.min() >= -1 and x.max() < 3
    assert abs(x.mean() - 1) < 0.03 and abs(x.var() - 16 / 12) < 0.03


def test_normal_numbers_have_their_mean_and_deviation():
    np.random.seed(0)
    x = np.random.normal(5, 2, 20000).asnumpy()
    assert abs(x.mean() - 5) < 0.05 and abs(x.std() - 2) < 0.05
    assert abs((abs(x - 5) < 2).mean() - 0.6827) < 0.01


def test_exponential_numbers_have_their_mean():
    np.random.seed(0)
    x = np.random.exponential(3, 20000).asnumpy()
    assert x.min() >= 0 and abs(x.mean() - 3) < 0.1 and abs((x > 3).mean() - numpy.exp(-1)) < 0.01


def test_integers_are_drawn_equally_often():
    np.random.seed(0)
    counts = numpy.bincount(np.random.randint(2, 8, 12000).asnumpy(), minlength=8)
    assert counts[:2].sum() == 0 and abs(counts[2:] - 2000).max() < 200


def test_weights_decide_how_often_elements_are_chosen():
    np.random.seed(0)
    drawn = np.random.choice(3, 10000, p=[0.5, 0.3, 0.2]).asnumpy()
    assert abs(numpy.bincount(drawn) / 10000 - [0.5, 0.3, 0.2]).max() < 0.02
    first = [np.random.choice(3, 1, replace=False, p=[0.7, 0.3, 0.0]).item() for _ in range(300)]
    assert set(first) == {0, 1} and 170 < first.count(0) < 250


def test_permutations_and_shuffles_keep_all_elements():
    np.random.seed(0)
    assert sorted(np.random.permutation(50).tolist()) == list(range(50))
    x = np.arange(20).reshape(10, 2)
    assert np.random.shuffle(x) is None
    assert sorted(x.tolist()) == np.arange(20).reshape(10, 2).tolist() != x.tolist()
    assert sorted(np.random.choice(9, 9, replace=False).tolist()) == list(range(9))


def test_parameters_have_derivatives():
    def f(mean, scale):
        np.random.seed(0)
        return np.random.normal(mean, scale, 100).sum()

    by_mean, by_scale = dopegraph.grad(f, (0, 1))(1.0, 2.0)
    np.random.seed(0)
    assert float(by_mean) == 100 and abs(float(by_scale) - float(np.random.normal(size=100).sum())) < 1e-3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: np.random.seed(-1),
        lambda: np.random.seed(1.5),
        lambda: np.random.uniform(size=-1),
        lambda: np.random.uniform(size=(2, 2.5)),
        lambda: np.random.uniform([1.0, 2.0], [1.0, 2.0, 3.0]),
        lambda: np.random.uniform([0.0, 0.0], 1.0, size=(2, 3)),
        lambda: np.random.normal(0, -1, 3),
        lambda: np.random.normal(0, [1.0, 2.0], 3),
        lambda: np.random.exponential(-1, 3),
        lambda: np.random.normal(size=2, dtype="int32"),
        lambda: np.random.randint(3, 3),
        lambda: np.random.randint(0),
        lambda: np.random.randint(0, 300, dtype="uint8"),
        lambda: np.random.randint(3, dtype="float32"),
        lambda: np.random.permutation(np.ones(())),
        lambda: np.random.permutation(-1),
        lambda: np.random.shuffle((1, 2)),
        lambda: np.random.shuffle(np.ones(())),
        lambda: np.random.choice(0, 2),
        lambda: np.random.choice([], 2),
        lambda: np.random.choice(-3),
        lambda: np.random.choice(3, 4, replace=False),
        lambda: np.random.choice(3, p=[0.5, 0.5]),
        lambda: np.random.choice(2, p=[0.9, 0.9]),
        lambda: np.random.choice(2, p=[1.5, -0.5]),
        lambda: np.random.choice(3, 2, replace=False, p=[1.0, 0.0, 0.0]),
    ],
)
def test_wrong_arguments_are_errors_that_name_the_line(wrong):
    with pytest.raises((ValueError, TypeError), match=r"test_random\.py"):
        wrong()
