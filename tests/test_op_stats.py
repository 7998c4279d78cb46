"""What ran where, as counts."""

import threading

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.runtime.direct import direct
from dopegraph.runtime.statistics import recorders

needs_mxnet = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")


def test_eager_operations_and_host_calls_are_counted():
    x = np.ones(3)
    with dopegraph.policy("only_numpy"), dopegraph.op_stats() as stats:
        np.exp(x) + np.exp(x)
        np.packbits(x > 0)
        np.binary_repr(3)
    assert (stats.numpy["exp"], stats.numpy["add"]) == (2, 1)
    assert stats.host == {"packbits": 1, "binary_repr": 1}
    assert not stats.mxnet and stats.total == sum(stats.numpy.values()) + 2
    np.exp(x)
    assert stats.numpy["exp"] == 2 and not recorders


@pytest.mark.parametrize("engine", ["numpy", pytest.param("mxnet", marks=needs_mxnet)])
def test_runs_of_compiled_programs_are_counted_by_the_engine_of_each_stage(engine):
    f = dopegraph.compile(lambda x: np.tanh(x @ x).sum())
    x = np.ones((2, 2))
    with dopegraph.policy(f"only_{engine}"):
        f(x)
        with dopegraph.op_stats() as stats:
            for _ in range(3):
                f(x)
    counted = getattr(stats, engine)
    assert stats.programs == 3
    assert (counted["matmul"], counted["tanh"], counted["sum"]) == (3, 3, 3)
    assert stats.total == sum(counted.values())


@needs_mxnet
def test_fallbacks_have_a_reason_and_a_line():
    f = dopegraph.compile(lambda x: np.tanh(x) + np.random.normal(size=3))
    with dopegraph.policy("prefer_mxnet"), dopegraph.op_stats() as stats:
        for _ in range(2):
            f(np.ones(3))
    ((reason, times),) = [item for item in stats.fallbacks.items() if item[0].operation == "random_normal"]
    assert times == 2 and reason.reason == "random-numbers" and reason.location.file == __file__
    assert stats.mxnet["tanh"] == 2 and stats.numpy["random_normal"] == 2
    assert "2 x random_normal at test_op_stats.py" in str(stats)


def test_the_table_has_the_most_frequent_first_and_can_be_reset(capsys):
    x = np.ones(3)
    stats = dopegraph.op_stats()
    with dopegraph.policy("only_numpy"):
        stats.start()
        stats.start()  # counts once
        np.exp(x)
        np.sin(x)
        np.sin(x)
        stats.stop()
        np.cos(x)
    stats.stop()  # has no effect
    stats.show()
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "3 operations, 0 runs of compiled graphs"
    assert [line.split()[:2] for line in lines if line.startswith("  ")] == [["sin", "2"], ["exp", "1"]]
    assert "NumPy" in printed and "100.0 %" in printed
    stats.reset()
    assert stats.total == 0 == stats.programs and str(stats).startswith("0 operations")


def test_counters_may_nest():
    x = np.ones(3)
    with dopegraph.policy("only_numpy"), dopegraph.op_stats() as outer:
        np.exp(x)
        with dopegraph.op_stats() as inner:
            np.exp(x)
    assert (outer.numpy["exp"], inner.numpy["exp"]) == (2, 1)


def test_a_counter_belongs_to_its_thread():
    x = np.ones(3)
    errors = []

    def other(stats):
        np.exp(x)
        try:
            stats.stop()
        except RuntimeError as error:
            errors.append(error)

    with dopegraph.op_stats() as stats:
        thread = threading.Thread(target=other, args=(stats,))
        thread.start()
        thread.join()
    assert not stats.total and len(errors) == 1 and not recorders


def test_a_counter_stops_after_an_error():
    before = direct.held
    with pytest.raises(KeyError), dopegraph.op_stats():
        raise KeyError
    assert not recorders and direct.held == before
