"""The harness: contestants start, compare, alternate and fail by name; no times are asserted."""

import functools
import gc
import json
import math

import numpy
import pytest

from benchmarks import problem as problems
from benchmarks.contestant import Contestant, fingerprint
from benchmarks.problem import OURS, Problem
from benchmarks.race import Result, Row, race
from benchmarks.report import geometric_mean, read, summary, table, write
from dopegraph.transform.compiled import Compiled


def counting():
    return lambda: 1.0


def different():
    return lambda: 2.0


def failing():
    raise ValueError("it is\nbroken | here")


def dying():
    import os

    os._exit(3)


def slow():
    import time

    time.sleep(60)


TINY = Problem(
    "tiny", "A tiny problem", {OURS: counting, "peer": counting, "another": counting, "other": different,
    "broken": failing, "dead": dying},
)  # fmt: skip


@pytest.fixture
def raced(monkeypatch):
    monkeypatch.setattr("benchmarks.race.for_problem", lambda name, contestant: TINY.contestants[contestant])
    return race(TINY, blocks=2, seconds=0.001)


def test_everybody_is_in_the_table(raced, tmp_path):
    rows = {row.name: row for row in raced.rows}
    assert [name for name, row in rows.items() if not row.failed] == [OURS, "peer", "another"]
    assert "computes 2" in rows["other"].failed
    assert "ValueError: it is" in rows["broken"].failed
    assert "ended with 3" in rows["dead"].failed
    assert raced.best_peer.name in ("peer", "another")
    assert raced.ratio > 0
    text = table(raced)
    assert all(name in text for name in TINY.contestants)
    assert text.count("failed: ") == 3
    path = write(raced, {"processor": "any"}, {"blocks": 2}, tmp_path)
    assert json.loads(path.read_text())["machine"] == {"processor": "any"}
    (again,) = read(tmp_path)
    assert math.isclose(again.ratio, raced.ratio)
    assert table(again) == text


def test_who_gives_no_answer_has_failed():
    one = Contestant("slow", slow, patience=3.0)
    assert "nothing after 3 s" in one.failed
    one.close()


def test_a_summary_has_the_geometric_mean():
    results = [
        Result(name, name, [Row(OURS, ours, blocks=[ours]), Row("peer", 2.0, blocks=[2.0])])
        for name, ours in (("a", 1.0), ("b", 4.0))
    ]
    assert "Geometric mean 1.00; 1 of 2 slower" in summary(results)
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)


def test_fingerprints_tell_arrays_apart():
    assert fingerprint(1.5) == [1.5]
    assert fingerprint(numpy.array([1.0, 3.0])) == [2.0, 5.0]
    assert fingerprint((1, 2.0)) == [1.0, 2.0]


def test_all_problems_have_names_of_their_own_and_our_contestant():
    found = problems.problems()
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    assert all(OURS in one.contestants for one in found)
    assert {"mlp", "lstm", "cnn", "linear", "bayes", "gan", "kalman", "ssd", "tree_lstm"} <= set(names)
    assert {"svm", "two_layer_net", "resnet20", "seq2seq", "transformer", "cart_pole"} <= set(names)
    assert {"dcgan", "pix2pix", "vae"} <= set(names)


def test_names_choose_problems_groups_and_modules():
    assert [one.name for one in problems.problems(["mlp"])] == ["mlp"]
    assert len(problems.problems(["chain"])) == 3
    assert {one.name for one in problems.problems(["recurrent"])} == {"rnn", "lstm", "gru"}
    with pytest.raises(SystemExit, match="nothing_like_it"):
        problems.problems(["nothing_like_it"])


@pytest.mark.parametrize("name", ["softmax_regression", "gan", "svm", "seq2seq", "transformer", "vae"])
def test_ours_computes_what_autograd_computes(name):
    """Small models in this process: the other peers are compared when the benchmarks run."""
    pytest.importorskip("autograd")
    contestants = problems.problem(name).contestants
    ours, theirs = contestants["dopegraph, NumPy"](), contestants["HIPS autograd"]()
    for _ in range(3):
        numpy.testing.assert_allclose(fingerprint(ours()), fingerprint(theirs()), rtol=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "mlp",
        "softmax_regression",
        "mlp_dropout",
        "gan",
        "tree_lstm",
        "svm",
        "two_layer_net",
        "chain/1e3",
        "vae",
        "dcgan",
        "pix2pix",
    ],
)
def test_ours_is_replayed(name):
    """Otherwise Python would be timed: closures of contestants must not reach what cannot be guarded."""
    kept = [one for one in gc.get_objects() if type(one) is Compiled]
    step = problems.problem(name).contestants["dopegraph, NumPy"]()
    for _ in range(3):
        step()
    (function,) = [one for one in gc.get_objects() if type(one) is Compiled and not any(one is old for old in kept)]
    assert function.cache_info().replays >= 1, function.plans[0].escapes


def test_makers_can_be_given_to_another_process():
    import pickle

    for one in problems.problems():
        for name, make in one.contestants.items():
            if isinstance(make, functools.partial) and one.name in ("mlp", "chain/1e3"):
                assert callable(pickle.loads(pickle.dumps(make))), name
