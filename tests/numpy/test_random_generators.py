"""Generators and random states: seeds, states, copies, compiled code that reads and writes them, NumPy's arguments."""

import copy
import pickle

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.plan import ReplayPlan

SEEDED = [np.random.default_rng, np.random.RandomState]

# What a Generator can do, by expressions of `rng`.
COMMON = """
rng.uniform(-1.0, [1.0, 2.0])
rng.normal(2, 3, (2, 3))
rng.exponential(2.0, 4)
rng.standard_cauchy(3)
rng.laplace(1, 2, 3)
rng.logistic(1, 2, 3)
rng.gumbel(1, 2, 3)
rng.lognormal(1, 0.5, 3)
rng.rayleigh(2.0, 3)
rng.weibull([1.5, 0.0, 2.0])
rng.pareto(3.0, 3)
rng.power(3.0, 3)
rng.triangular(-1, 0, 2, 5)
rng.vonmises(0.5, 4.0, 5)
rng.wald(1.0, [2.0, 3.0])
rng.gamma([0.5, 2.0], 3.0)
rng.gamma(0.0, 1.0, 2)
rng.chisquare(3, 4)
rng.beta(0.5, [1.0, 2.0], (3, 2))
rng.dirichlet([1.0, 2.0, 3.0], 2)
rng.f(3, 4, 5)
rng.standard_t(3.0, 5)
rng.noncentral_chisquare([0.5, 3.0], 2.0)
rng.noncentral_f(3, 4, 1.5, 5)
rng.standard_gamma(2.5, 3)
rng.standard_normal(3)
rng.standard_exponential(3)
rng.random(4)
rng.poisson([1.0, 50.0], (3, 2))
rng.binomial([5, 10], 0.25)
rng.binomial(10.0, 0.25, 3)
rng.negative_binomial(3, 0.5, 4)
rng.geometric(0.25, 5)
rng.hypergeometric(5, 6, [3, 4])
rng.logseries(0.5, 5)
rng.zipf(2.5, 5)
rng.multinomial(5, [0.2, 0.3, 0.5], 3)
rng.multinomial([5, 6], [[0.5, 0.5], [0.25, 0.75]])
rng.categorical([0.0, 1.0, 2.0], size=6)
rng.categorical(p=[[0.25, 0.5], [0.75, 0.5]], axis=0, size=(4, 2))
rng.multivariate_normal([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]], 3)
rng.permutation(7)
rng.permutation(np.arange(6).reshape(3, 2))
rng.choice(5, (2, 2))
rng.choice([[1, 2], [3, 4]], 3)
rng.choice(5, 3, False)
rng.choice(4, 3, p=[0.25, 0.25, 0.5, 0.0])
rng.choice(4, 3, replace=False, p=[0.25, 0.25, 0.25, 0.25])
""".strip().split("\n")
GENERATOR = """
rng.random(3, "float64")
rng.standard_normal((2, 2), dtype="float64")
rng.standard_exponential(3, method="inv")
rng.standard_gamma(2.0, dtype="float64")
rng.integers(7, size=5)
rng.integers(1, 6, 5, "int8", endpoint=True)
rng.integers(0, 2, 5, bool)
rng.integers([1, 2, 3], [[4], [5]])
rng.integers(0, 2**64 - 1, 3, "uint64", True)
rng.multivariate_hypergeometric([3, 4, 5], 6, 2)
rng.multivariate_normal([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]], method="cholesky")
rng.permutation([[1, 2, 3], [4, 5, 6]], axis=1)
rng.permuted([[1, 2, 3], [4, 5, 6]])
rng.permuted(np.arange(6).reshape(2, 3), axis=-1)
rng.choice([[1, 2, 3], [4, 5, 6]], 4, axis=1)
rng.choice(5, 2, False, shuffle=False)
rng.random(out=np.zeros(3))
rng.standard_normal(out=np.zeros((2, 2)))
""".strip().split("\n")
STATE = """
rng.rand(2, 3)
rng.rand()
rng.randn(4)
rng.randint(7, size=5)
rng.randint(-3, 4, (2, 2), dtype="int16")
rng.randint([2, 3], 9)
rng.random_sample((2, 2))
rng.tomaxint(3)
rng.normal(size=3, dtype="float64")
""".strip().split("\n")


def evaluated(expression, rng, namespace=np):
    return eval(compile(expression, __file__, "eval"), {"np": namespace, "rng": rng})


@pytest.mark.parametrize("engine", ["only_numpy", "prefer_mxnet"])
@pytest.mark.parametrize(
    ("make", "expression"),
    [
        *[(make, one) for make in SEEDED for one in COMMON],
        *[(np.random.default_rng, one) for one in GENERATOR],
        *[(np.random.RandomState, one) for one in STATE],
    ],
)
def test_compiled_code_draws_what_uncompiled_code_draws_on_every_engine(make, expression, engine):
    """Three calls of each: other numbers every time, the same ones in both ways; and the state is the same after."""
    first, second = make(5), make(5)
    function = evaluated(f"lambda: {expression}", second)
    with dopegraph.policy("only_numpy"):
        at_once = [evaluated(expression, first) for _ in range(3)]
    with dopegraph.policy(engine):
        compiled = dopegraph.compile(function)
        later = [compiled() for _ in range(3)]
    assert len(compiled.plans) == 1 and isinstance(compiled.plans[0], ReplayPlan), compiled.plans[0].escapes
    for one, other in zip(at_once, later):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        if one.dtype.kind in "iub":
            assert one.tolist() == other.tolist()
        tight = 1e-12 if one.dtype == "float64" else 3e-6
        numpy.testing.assert_allclose(other.asnumpy(), one.asnumpy(), rtol=tight, atol=tight)
    if at_once[0].size > 1 and "0.0, 1.0, 2" not in expression:
        assert len({str(one.tolist()) for one in at_once}) > 1
    assert first._bits._numbers("test") == second._bits._numbers("test")
    assert first._bits._numbers("test")[1] >= 3


@pytest.mark.parametrize("name", [one for one in np.random.__all__ if one in dir(np.random.RandomState)])
def test_functions_draw_what_a_random_state_draws(name):
    calls = {one.partition("(")[0][4:]: one.partition("(")[2] for one in [*STATE, *COMMON]}
    if name not in calls:
        assert name in ("seed", "get_state", "set_state", "shuffle", "bytes")
        return
    np.random.seed(11)
    expected = evaluated(f"rng.{name}({calls[name]}", np.random.RandomState(11))
    assert evaluated(f"rng.{name}({calls[name]}", np.random).tolist() == expected.tolist()


# Seeds and states --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", SEEDED)
@pytest.mark.parametrize("seed", [0, 7, 2**63, 2**64 + 3, [1, 2, 3], numpy.array([5]), numpy.random.SeedSequence(3)])
def test_seeds_of_all_kinds_repeat_the_numbers(make, seed):
    x = make(seed).normal(size=4).tolist()
    assert make(copy.deepcopy(seed)).normal(size=4).tolist() == x
    assert make(12345).normal(size=4).tolist() != x


def test_without_a_seed_every_generator_is_another():
    assert np.random.default_rng().normal(size=4).tolist() != np.random.default_rng().normal(size=4).tolist()


def test_seeds_of_integers_give_the_numbers_they_always_gave():
    """Results of the examples depend on these."""
    np.random.seed(3)
    numpy.testing.assert_allclose(np.random.uniform(size=3).asnumpy(), [0.8620584, 0.934282, 0.27026677], 1e-6)
    numpy.testing.assert_allclose(np.random.normal(size=2).asnumpy(), [-2.1053076, 0.9327705], 1e-6)
    assert np.random.randint(10, size=4).tolist() == [0, 5, 1, 0]
    assert np.random.permutation(5).tolist() == [0, 1, 3, 4, 2]
    assert np.random.choice(4, 3, p=[0.1, 0.2, 0.3, 0.4]).tolist() == [1, 2, 1]


@pytest.mark.parametrize("wrong", [-1, [1, -2], 1.5, "seed", [], numpy.random.PCG64(1), numpy.random.default_rng(1)])
@pytest.mark.parametrize("make", SEEDED)
def test_wrong_seeds_are_errors(make, wrong):
    with pytest.raises((ValueError, TypeError), match=r"test_random_generators\.py"):
        make(wrong)


def test_generators_are_made_of_generators():
    rng = np.random.default_rng(4)
    assert np.random.default_rng(rng) is rng
    shared = np.random.Generator(rng.bit_generator)
    twin = np.random.Generator(np.random.Philox(4))
    drawn = [rng.random().item(), shared.random().item()]
    assert drawn == [twin.random().item(), twin.random().item()]
    state = np.random.RandomState(twin.bit_generator)
    assert isinstance(twin.bit_generator, np.random.BitGenerator)
    assert state.rand() is not None and twin.bit_generator.state["state"]["counter"] == 3
    for wrong in (5, np.random.Philox, numpy.random.PCG64(1)):
        with pytest.raises(TypeError):
            np.random.Generator(wrong)


def test_the_state_of_a_bit_generator_can_be_kept_and_put_back():
    rng = np.random.default_rng(9)
    state = rng.bit_generator.state
    x = rng.normal(size=3).tolist()
    rng.bit_generator.state = state
    assert rng.normal(size=3).tolist() == x
    for wrong in ({"bit_generator": "PCG64", "state": {}}, {"bit_generator": "Philox"}, {}, 5):
        with pytest.raises((ValueError, TypeError)):
            rng.bit_generator.state = wrong
    assert "Philox(9, counter=1)" in repr(rng.bit_generator) and "Generator" in repr(rng)


@pytest.mark.parametrize("legacy", [True, False])
def test_the_state_of_a_random_state_can_be_kept_and_put_back(legacy):
    rng = np.random.RandomState(9)
    state = rng.get_state(legacy)
    x = rng.rand(3).tolist()
    rng.set_state(state)
    assert rng.rand(3).tolist() == x
    rng.seed(9)
    assert rng.rand(3).tolist() == x
    with pytest.raises((ValueError, TypeError)):
        rng.set_state((1, 2, 3))


@pytest.mark.parametrize("make", SEEDED)
def test_copies_share_the_state_and_deep_or_pickled_ones_have_their_own(make):
    rng = make(3)
    rng.normal()
    deep, pickled, shallow = copy.deepcopy(rng), pickle.loads(pickle.dumps(rng)), copy.copy(rng)
    x = rng.normal(size=3).tolist()
    assert deep.normal(size=3).tolist() == pickled.normal(size=3).tolist() == x
    y = shallow.normal(size=3).tolist()
    assert y == deep.normal(size=3).tolist() != x
    assert rng.normal(size=3).tolist() not in (x, y)
    assert type(pickled) is type(deep) is type(shallow) is type(rng)


def test_children_do_not_depend_on_what_was_drawn_and_are_never_the_same():
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    one.normal(size=5)
    first, second = one.spawn(2)
    again = [*other.spawn(1), *other.spawn(1)]
    numbers = [rng.integers(0, 2**60, 3).tolist() for rng in (first, second)]
    assert [rng.integers(0, 2**60, 3).tolist() for rng in again] == numbers
    assert numbers[0] != numbers[1]
    assert [child.integers(9) is not None for child in one.bit_generator.spawn(0)] == []
    assert pickle.loads(pickle.dumps(one)).spawn(1)[0].random().item() == one.spawn(1)[0].random().item()
    with pytest.raises(ValueError, match="children"):
        one.spawn(-1)


# Compiled code -----------------------------------------------------------------------------------------------------


class Model:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.scale = np.ones(3)

    def noise(self, x):
        return x + self.scale * self.rng.normal(size=3)


def test_a_generator_in_an_attribute_or_an_argument_is_read_and_written():
    plain, model = Model(1), Model(1)
    method = dopegraph.compile(model.noise)
    of_argument = dopegraph.compile(lambda one, x: one.noise(x) * one.rng.uniform())
    x = np.zeros(3)
    for _ in range(3):
        numpy.testing.assert_allclose(method(x).asnumpy(), plain.noise(x).asnumpy(), rtol=1e-6)
    for _ in range(3):
        expected = plain.noise(x) * plain.rng.uniform()
        numpy.testing.assert_allclose(of_argument(model, x).asnumpy(), expected.asnumpy(), rtol=1e-6)
    assert isinstance(method.plans[0], ReplayPlan) and isinstance(of_argument.plans[0], ReplayPlan)
    assert model.rng.bit_generator.state == plain.rng.bit_generator.state


def test_a_generator_is_an_argument_like_others():
    f = dopegraph.compile(lambda rng: rng.normal(size=2))
    for rng, twin in ((np.random.default_rng(1), np.random.default_rng(1)), (np.random.RandomState(2),) * 2):
        if rng is twin:
            twin = copy.deepcopy(rng)
        for _ in range(2):
            assert f(rng).tolist() == twin.normal(size=2).tolist()
    assert all(isinstance(plan, ReplayPlan) for plan in f.plans)


def test_two_generators_and_the_functions_keep_their_own_streams_in_one_program():
    def f(one, other):
        return one.normal(size=2), other.normal(size=2), np.random.normal(size=2), one.normal(size=2)

    compiled = dopegraph.compile(f)
    runs = []
    for function in (f, compiled):
        np.random.seed(4)
        one, other = np.random.default_rng(4), np.random.default_rng(5)
        runs.append([[x.tolist() for x in function(one, other)] for _ in range(3)])
    numpy.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)
    assert runs[0][0][0] == runs[0][0][2] != runs[0][0][3]


def test_a_generator_made_in_a_compiled_function_repeats_itself_as_it_does_uncompiled():
    f = dopegraph.compile(lambda: np.random.default_rng(8).normal(size=3))
    x = np.random.default_rng(8).normal(size=3)
    for _ in range(3):
        numpy.testing.assert_allclose(f().asnumpy(), x.asnumpy(), rtol=1e-6)


def test_a_generator_without_a_seed_made_in_a_compiled_function_is_another_at_every_call():
    f = dopegraph.compile(lambda: np.random.default_rng().normal(size=3))
    assert len({str(f().tolist()) for _ in range(3)}) == 3
    g = dopegraph.compile(lambda: (np.random.seed(), np.random.rand(3))[1])
    assert len({str(g().tolist()) for _ in range(3)}) == 3


def test_what_python_gets_to_see_is_drawn_anew_at_every_call():
    rng = np.random.default_rng(2)
    f = dopegraph.compile(lambda: (rng.bytes(8), rng.spawn(1)[0].random().item(), rng.bit_generator.state["state"]))
    twin = np.random.default_rng(2)
    for _ in range(3):
        assert f() == (twin.bytes(8), twin.spawn(1)[0].random().item(), twin.bit_generator.state["state"])


def test_equal_draws_are_neither_folded_nor_merged():
    rng = np.random.default_rng(6)

    def f():
        return rng.normal(size=3) - rng.normal(size=3), rng.poisson(9.0, 5) - rng.poisson(9.0, 5)

    graph = dopegraph.trace(f, optimize=True)()
    names = [node.op.name for node in graph.nodes]
    assert names.count("random_normal") == names.count("random_poisson") == 2
    compiled = dopegraph.compile(f)
    seen = [compiled() for _ in range(2)]
    assert all(abs(x).sum() > 0 and abs(y).sum() > 0 for x, y in seen)
    assert seen[0][0].tolist() != seen[1][0].tolist()


def test_a_draw_from_constant_parameters_and_a_constant_key_is_not_folded():
    graph = dopegraph.trace(lambda: np.random.default_rng(1).gamma(2.0, 1.0, 3), optimize=True)()
    assert "random_gamma" in [node.op.name for node in graph.nodes]


def test_shuffles_in_compiled_code_write_in_place():
    rng, twin = np.random.default_rng(7), np.random.default_rng(7)
    x, y = np.array([[1, 2], [3, 4], [5, 6], [7, 8]]), np.array([[1, 2], [3, 4], [5, 6], [7, 8]])

    def f(generator, array):
        generator.shuffle(array)
        generator.shuffle(array, axis=1)
        generator.permuted(array, axis=0, out=array)

    compiled = dopegraph.compile(f)
    for _ in range(3):
        compiled(rng, x)
        f(twin, y)
        assert x.tolist() == y.tolist()
    assert isinstance(compiled.plans[0], ReplayPlan)


# Arguments ---------------------------------------------------------------------------------------------------------


def test_shuffle_takes_lists_and_numpy_arrays():
    rng = np.random.default_rng(1)
    x, y = list(range(9)), numpy.arange(9)
    rng.shuffle(x)
    rng.shuffle(y)
    assert sorted(x) == sorted(y.tolist()) == list(range(9)) and x != list(range(9)) != y.tolist()
    z = numpy.arange(6).reshape(2, 3)
    rng.shuffle(z, axis=1)
    assert sorted(z[0].tolist()) == [0, 1, 2] and (z[1] == z[0] + 3).all()


def test_out_receives_the_numbers():
    rng, twin = np.random.default_rng(1), np.random.default_rng(1)
    out = np.zeros((2, 2), "float64")
    for name in ("random", "standard_normal", "standard_exponential"):
        assert getattr(rng, name)(out=out) is out
        assert out.tolist() == getattr(twin, name)((2, 2), "float64").tolist()
        assert getattr(rng, name)((2, 2), dtype="float64", out=out) is out
        getattr(twin, name)((2, 2), "float64")
    assert rng.standard_gamma(2.0, out=out) is out
    for wrong in ({"size": 3}, {"dtype": "float32"}):
        with pytest.raises((ValueError, TypeError), match="out has"):
            rng.random(out=out, **wrong)
    with pytest.raises(TypeError, match="out must be"):
        rng.random(out=numpy.zeros(3))


def test_counts_are_int64_and_numbers_have_the_default_dtype():
    rng = np.random.default_rng(1)
    for one in COMMON:
        kind = evaluated(one, rng).dtype
        assert kind in ("int64", "float32"), one
    dopegraph.set_default_dtype("float64")
    try:
        assert {str(evaluated(one, rng).dtype) for one in COMMON} == {"int64", "float64"}
    finally:
        dopegraph.set_default_dtype("float32")


def test_empty_and_zero_dimensional_draws():
    rng = np.random.default_rng(1)
    for one in (rng.gamma, rng.chisquare, rng.standard_t, rng.poisson, rng.pareto, rng.weibull, rng.geometric):
        assert one(1.0, size=(0, 3)).shape == (0, 3)
        assert one(1.0).shape == () == one(1.0, size=()).shape
        assert one(np.ones((0,))).shape == (0,)
    assert rng.dirichlet([1.0, 2.0], 0).shape == (0, 2)
    assert rng.multinomial(3, [0.5, 0.5], (2, 0)).shape == (2, 0, 2)
    assert rng.multivariate_normal([0.0], [[1.0]], 0).shape == (0, 1)
    assert rng.permutation(0).shape == (0,) and rng.choice(3, 0).shape == (0,)
    assert rng.permuted(np.ones((0, 2)), axis=0).shape == (0, 2)


def test_the_bytes_are_as_many_as_were_asked_for():
    rng = np.random.default_rng(1)
    assert len(rng.bytes(7)) == 7 and rng.bytes(0) == b"" and rng.bytes(4) != rng.bytes(4)
    assert type(np.random.bytes(3)) is bytes


def test_integers_may_have_bounds_for_each_element():
    rng = np.random.default_rng(1)
    drawn = rng.integers([0, 10, 2**62], [3, 11, 2**63 - 1], (200, 3), endpoint=True).asnumpy()
    assert set(drawn[:, 0]) == {0, 1, 2, 3} and set(drawn[:, 1]) == {10, 11} and drawn[:, 2].min() >= 2**62


def test_the_covariance_is_looked_at_as_numpy_looks_at_it():
    rng = np.random.default_rng(1)
    with pytest.warns(RuntimeWarning, match="positive-semidefinite"):
        rng.multivariate_normal([0, 0], [[1, 2], [2, 1]])
    with pytest.raises(ValueError, match="positive-semidefinite"):
        rng.multivariate_normal([0, 0], [[1, 2], [2, 1]], check_valid="raise")
    rng.multivariate_normal([0, 0], [[1, 2], [2, 1]], check_valid="ignore")
    rng.multivariate_normal(numpy.zeros(3), numpy.eye(3) * 1e6)


WRONG = """
rng.uniform(0, np.inf)
rng.uniform(-1e308, 1e308)
rng.normal(0, -1.0)
rng.normal(0, [1.0, -1.0])
rng.normal(0, -0.0)
rng.exponential(np.array([-1.0]))
rng.laplace(0, -1)
rng.logistic(0, -1)
rng.gumbel(0, -1)
rng.lognormal(0, -1)
rng.rayleigh(-1)
rng.weibull(-1)
rng.pareto(0)
rng.power(0)
rng.triangular(1, 0, 2)
rng.triangular(0, 3, 2)
rng.triangular(1, 1, 1)
rng.triangular([0, 1], [0, 1], [1, 1])
rng.vonmises(0, -1)
rng.wald(0, 1)
rng.wald(1, -1)
rng.gamma(-1)
rng.gamma(1, -1)
rng.gamma(np.array([1.0, -1.0]))
rng.standard_gamma(-1)
rng.chisquare(0)
rng.beta(0, 1)
rng.beta(1, [1, -1])
rng.dirichlet([1, -1])
rng.dirichlet([[1, 2]])
rng.f(0, 1)
rng.f(1, 0)
rng.standard_t(0)
rng.noncentral_chisquare(0, 1)
rng.noncentral_chisquare(1, -1)
rng.noncentral_f(1, 0, 1)
rng.poisson(-1)
rng.poisson(np.array([1.0, -1.0]))
rng.poisson(1e300)
rng.poisson(np.nan)
rng.binomial(-1, 0.5)
rng.binomial(5, 1.5)
rng.binomial(5, np.nan)
rng.binomial(2.5, 0.5)
rng.negative_binomial(-1, 0.5)
rng.negative_binomial(1, 0)
rng.geometric(0)
rng.geometric(1.5)
rng.hypergeometric(1, 1, 3)
rng.hypergeometric(-1, 1, 0)
rng.logseries(1)
rng.logseries(-0.5)
rng.zipf(1)
rng.multinomial(-1, [0.5, 0.5])
rng.multinomial(5, [0.7, 0.7, 0.1])
rng.multinomial(5, [1.5, -0.5])
rng.multinomial(5, 0.5)
rng.multivariate_normal([0, 0], [[1]])
rng.multivariate_normal([[0]], [[1]])
rng.normal([1, 2], [1, 2, 3])
rng.normal([1, 2], 1, 3)
rng.normal(size=-1)
rng.normal(size=1.5)
rng.permutation(np.ones((2, 2))[0, 0])
rng.shuffle((1, 2))
rng.shuffle(5)
rng.choice(0)
rng.choice([])
rng.choice(3, 4, False)
rng.choice(3, p=[0.5, 0.5])
rng.choice(2, p=[0.5, 0.6])
rng.choice(2, p=[-0.5, 1.5])
rng.choice(3, 2, False, [1.0, 0.0, 0.0])
rng.bytes(-1)
""".strip().split("\n")
WRONG_GENERATOR = """
rng.integers(0)
rng.integers(5, 4)
rng.integers([1, 2], [2, 2])
rng.integers(0, 300, dtype="uint8")
rng.integers([0, 0], 300, dtype="uint8")
rng.integers(3, dtype=float)
rng.integers(2.5)
rng.standard_exponential(method="other")
rng.random(dtype=int)
rng.standard_normal(dtype="int32")
rng.permutation([1, 2], axis=1)
rng.shuffle(np.ones(3), axis=1)
rng.permuted([1, 2], axis=1)
rng.permuted([1, 2], out=5)
rng.choice([[1, 2]], axis=2)
rng.multivariate_hypergeometric([1, 2], 4)
rng.multivariate_hypergeometric([1, -2], 0)
rng.multivariate_hypergeometric([[1, 2]], 1)
rng.multivariate_hypergeometric([1, 2], 1, method="other")
rng.multivariate_normal([0, 0], [[1, 0], [0, 1]], method="lu")
rng.multivariate_normal([0, 0], [[1, 0], [0, 1]], check_valid="maybe")
""".strip().split("\n")
# NumPy cuts these numbers off, or takes them for others.
OURS_ALONE = ("rng.binomial(2.5", "rng.integers(2.5)", "rng.bytes(-1)", "rng.standard_exponential(method=")


@pytest.mark.parametrize("expression", [*WRONG, *WRONG_GENERATOR])
def test_wrong_arguments_are_errors_of_numpys_kind_that_name_the_line(expression):
    errors = (ValueError, TypeError, OverflowError, IndexError)
    family = errors
    if not expression.startswith(OURS_ALONE):
        with pytest.raises(errors) as theirs, numpy.errstate(all="ignore"):
            evaluated(expression, numpy.random.default_rng(1), numpy)
        family = next(kind for kind in errors if issubclass(theirs.type, kind))
    with pytest.raises(family, match=r"test_random_generators\.py"):
        evaluated(expression, np.random.default_rng(1))


@pytest.mark.parametrize(
    "expression", ["poisson(x)", "binomial(5, x)", "geometric(x)", "gamma(x)", "wald(1.0, x)", "choice(1, p=x)"]
)
def test_what_numpy_refuses_is_refused_by_compiled_code(expression):
    rng = np.random.default_rng(1)
    f = dopegraph.compile(evaluated(f"lambda x: rng.{expression}", rng))
    f(np.ones(1))
    f(np.ones(1))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"test_random_generators\.py"):
            f(-np.ones(1))
    f(np.ones(1))


def test_categories_with_wrong_arguments_are_refused():
    for wrong in (
        {}, {"logits": [1.0], "p": [1.0]}, {"p": [-1.0, 2.0]}, {"logits": 1.0}, {"logits": [numpy.nan, 1.0]},
        {"logits": [-numpy.inf, -numpy.inf]}, {"logits": [[1.0, 2.0]] * 3, "size": 2},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"test_random_generators\.py"):
            np.random.categorical(**wrong)
