"""Policies: which engine runs what, where they hold, and that only_mxnet refuses every fallback."""

import asyncio
import threading

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import current_policy, policy
from dopegraph.backends.mxnet import library
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import FallbackError

needs_mxnet = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
OUTSIDE = current_policy()


def test_policies_nest_and_are_restored_after_errors():
    with policy("only_numpy"):
        with pytest.raises(KeyError), policy("only_mxnet"):
            assert current_policy() == "only_mxnet"
            raise KeyError
        assert current_policy() == "only_numpy"
    assert current_policy() == OUTSIDE


def test_one_policy_object_may_be_entered_again_and_by_several_threads():
    one = policy("only_numpy")
    entered, leave = threading.Event(), threading.Event()
    seen = []

    def other():
        seen.append(current_policy())
        with policy("only_mxnet"), one:
            entered.set()
            leave.wait(10)
            seen.append(current_policy())
        seen.append(current_policy())

    thread = threading.Thread(target=other)
    with one:
        thread.start()
        entered.wait(10)
        with one:
            pass
        assert current_policy() == "only_numpy"
    assert current_policy() == OUTSIDE
    leave.set()
    thread.join()
    assert seen == [OUTSIDE, "only_numpy", OUTSIDE]


def test_a_decorated_function_runs_under_its_policy():
    @policy("only_numpy")
    def asked(fail=False):
        """What the policy is."""
        if fail:
            raise KeyError(current_policy())
        return current_policy()

    assert asked() == "only_numpy" and asked.__doc__ == "What the policy is."
    with pytest.raises(KeyError, match="only_numpy"):
        asked(fail=True)
    assert current_policy() == OUTSIDE


def test_a_decorated_generator_runs_under_its_policy_and_its_caller_does_not():
    closed = []

    @policy("only_numpy")
    def steps(count):
        try:
            received = yield current_policy()
            yield received, current_policy()
            try:
                yield "waiting"
            except KeyError:
                yield "caught", current_policy()
            return count
        finally:
            closed.append(current_policy())

    walk = steps(3)
    assert next(walk) == "only_numpy" and current_policy() == OUTSIDE
    assert walk.send("sent") == ("sent", "only_numpy") and current_policy() == OUTSIDE
    assert next(walk) == "waiting"
    assert walk.throw(KeyError()) == ("caught", "only_numpy")
    with pytest.raises(StopIteration) as end:
        next(walk)
    assert end.value.value == 3
    other = steps(1)
    next(other)
    other.close()
    assert closed == ["only_numpy"] * 2 and current_policy() == OUTSIDE


def test_a_decorated_coroutine_runs_under_its_policy_and_others_do_not():
    seen = []

    @policy("only_numpy")
    async def mine():
        for _ in range(3):
            seen.append(current_policy())
            await asyncio.sleep(0)
        return current_policy()

    async def other():
        for _ in range(3):
            assert current_policy() == OUTSIDE
            await asyncio.sleep(0)

    async def both():
        return await asyncio.gather(mine(), other())

    assert asyncio.run(both())[0] == "only_numpy" and seen == ["only_numpy"] * 3
    assert current_policy() == OUTSIDE


def test_an_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match="only_torch"):
        policy("only_torch")
    with pytest.raises(TypeError, match="asynchronous generator"):

        @policy("only_numpy")
        async def steps():
            yield 1


# Only MXNet ------------------------------------------------------------------------------------------------------


@needs_mxnet
def test_under_only_mxnet_eager_operations_run_there():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    with policy("only_mxnet"), dopegraph.op_stats() as stats:
        y = np.exp(x) @ x + x.sum()
        y += 1
        z = y[0]
    assert not stats.host and not stats.fallbacks
    assert {name: stats.mxnet[name] for name in ("exp", "matmul", "sum")} == {"exp": 1, "matmul": 1, "sum": 1}
    assert set(stats.numpy) <= {"strided_slice", "reshape", "transpose", "broadcast_to", "flip"}  # views
    expected = numpy.exp(x.asnumpy()) @ x.asnumpy() + 11
    numpy.testing.assert_allclose(y.asnumpy(), expected, rtol=1e-5)
    numpy.testing.assert_allclose(z.asnumpy(), expected[0], rtol=1e-5)


FALLBACKS = {
    "random_normal": lambda x: np.random.normal(size=2),
    "linalg.cond": lambda x: np.linalg.cond(x),
    "median": lambda x: numpy.median(x),
    "bincount": lambda x: np.bincount(x.astype(numpy.int32).reshape(-1)),
    "add": lambda x: np.add(x.astype(numpy.int16), 1),
    "sum": lambda x: x[:0].sum(),
}


@needs_mxnet
@pytest.mark.parametrize("name", FALLBACKS)
@pytest.mark.parametrize("wrap", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_a_fallback_is_an_error_that_names_the_function_and_the_line(name, wrap):
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    with policy("only_mxnet"), pytest.raises(FallbackError, match=r"(?s)only_mxnet.*test_policies\.py"):
        wrap(FALLBACKS[name])(x)
    wrap(FALLBACKS[name])(x)
    assert current_policy() == OUTSIDE


@needs_mxnet
def test_functions_of_numbers_alone_are_constants_not_fallbacks():
    with policy("only_mxnet"):
        assert np.hanning(3).tolist() == [0, 1, 0]
        assert np.finfo(np.float32).bits == 32
        assert (np.zeros(2) + np.arange(2)).tolist() == [0, 1]
        assert np.array([1.0, 2.0]).tolist() == [1, 2]


def test_shortcuts_to_numpy_are_back_afterwards():
    before = direct.held
    with policy("only_mxnet"):
        assert direct.held == before + 1
        with policy("only_mxnet"), policy("only_numpy"):
            assert direct.held == before
        assert direct.held == before + 1
    assert direct.held == before


def test_without_mxnet_only_mxnet_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(library, "_module", None)
    monkeypatch.setattr(library, "_why_missing", "MXNet is not installed")
    dopegraph.programs.clear()
    with policy("only_mxnet"), pytest.raises(FallbackError, match="MXNet is not installed"):
        np.exp(np.ones(3))
    dopegraph.programs.clear()


def test_under_only_numpy_mxnet_runs_nothing():
    with policy("only_numpy"), dopegraph.op_stats() as stats:
        dopegraph.compile(lambda x: np.exp(x) + 1)(np.ones(3))
        dopegraph.nn.conv(np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)))
    assert not stats.mxnet and stats.numpy["exp"] == 1 and stats.numpy["conv"] == 1
