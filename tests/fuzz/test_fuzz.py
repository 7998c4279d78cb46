"""A small budget of random programs without a difference; and the fuzzer finds what is wrong, and makes it small."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.transform import Compiled
from tests.fuzz import running
from tests.fuzz.campaign import Campaign, report
from tests.fuzz.conditioning import hangs_on_rounding
from tests.fuzz.head import HEAD
from tests.fuzz.programs import CONSTRUCTS, draw
from tests.fuzz.reducing import reduce
from tests.fuzz.running import ON_NUMPY, Invalid, check, difference

PROGRAMS = int(os.environ.get("DOPEGRAPH_FUZZ", "120"))
SEED = 20


def test_random_programs_are_the_same_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    campaign = Campaign(SEED, 0, PROGRAMS)
    assert campaign.run() == 0, capsys.readouterr().out
    # Programs that are never replayed would prove nothing.
    assert campaign.replayed["programs"] > PROGRAMS / 4
    assert campaign.calls["replayed"] > PROGRAMS / 2
    assert campaign.invalid < PROGRAMS / 20
    assert campaign.calls["MXNet symbols"] > PROGRAMS / 4 or not library.installed()


def test_programs_are_the_same_everywhere() -> None:
    found = []
    for hashes in ("1", "2"):
        code = "from tests.fuzz.programs import draw; print(*(draw(3, i).text for i in range(20)))"
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        root = Path(__file__).parents[2]
        found.append(subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=root))
    assert found[0] == found[1]
    assert found[0].decode().split() == " ".join(draw(3, i).text for i in range(20)).split()


def test_every_construct_is_drawn() -> None:
    drawn = [draw(SEED, index).constructs for index in range(600)]
    assert set().union(*drawn) >= CONSTRUCTS
    for index in range(100):
        compile(draw(SEED, index).text, "program", "exec")


class Forgetful(Compiled):
    """A compiler that gives the result of the first call for ever."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "first"):
            self.first = super().__call__(*args, **kwargs)
        return self.first


def test_a_wrong_compiler_is_found_and_the_program_is_made_small(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dopegraph, "compile", lambda function, **options: Forgetful(function))
    campaign = Campaign(SEED, 0, 20, small=False)
    assert campaign.run() == 1
    said = capsys.readouterr().out
    assert "Program " in said and "differs" in said and "uncompiled:" in said
    index = campaign.start + campaign.programs + campaign.invalid - 1
    text = draw(SEED, index).text
    found = check(text).difference
    assert found is not None
    small = reduce(text, found, seconds=20)
    assert check(small).difference is not None
    assert len(small) < 500 < len(HEAD)


@pytest.mark.parametrize(
    "body, changed, where",
    [
        ("x[0] += 1; return 0", "return 0", "args"),  # arguments
        ("global W; W = x * 2", "pass", "W"),  # state
        ("LOG.append(1)", "pass", "LOG"),
        ("print('a', 1.5)", "print('a', 2.5)", "printed"),
        ("return x", "return x * 1", "args"),  # aliasing
        ("return x[1:]", "return x[1:] + 0", "memory"),
        ("return x * 1", "return (x * 1).astype('float64')", "result"),
        ("return (1, 2)", "return [1, 2]", "result"),
        ("return True", "return 1", "result"),
        ("raise ValueError('a')", "raise ValueError('b')", "outcome"),
        ("raise KeyError", "return 0", "outcome"),
        ("k.append(x)", "pass", "f"),  # closures and defaults
    ],
)
def test_everything_that_a_user_can_see_is_compared(body: str, changed: str, where: str) -> None:
    head = "W = np.ones(2)\nLOG = []\n"
    one, other = (f"{head}@compile\ndef f(x, k=[]):\n    {text}\ncall(f, np.ones(3))\n" for text in (body, changed))
    assert check(one).difference is None
    logs = [running.run(text, ON_NUMPY).log for text in (one, other)]
    paths = [name + path for (name, x), (_, y) in zip(*logs) for path in [difference(x, y)] if path is not None]
    assert any(where in path for path in paths), paths


def test_rounding_is_no_difference() -> None:
    x = numpy.array([1.0, 2.0], "float32")
    assert difference(("array", x), ("array", x * numpy.float32(1 + 1e-6))) is None
    assert difference(("array", x), ("array", x * numpy.float32(1.01))) is not None
    assert difference("a [1.0000001 2.]", "a [1. 2.]") is None
    assert difference("a [1. 2.]", "b [1. 2.]") is not None
    assert difference(("float", float("nan")), ("float", float("nan"))) is None
    assert difference(("array", x), ("array", x.astype("float64"))) is not None


def test_a_program_that_is_none_is_no_difference() -> None:
    with pytest.raises(Invalid):
        check("nothing.here")
    assert report("call(compile(lambda x: x), np.ones(2))") == 0


def test_the_count_of_replays() -> None:
    found = check("f = compile(lambda x: x * 2)\nfor i in range(3):\n    call(f, np.ones(2) * i)\n")
    assert (found.calls["recorded"], found.calls["replayed"], found.calls["as Python"]) == (2, 4, 0)
    assert np.ndarray is dopegraph.ndarray


def test_what_hangs_on_rounding_is_told_apart() -> None:
    unstable = (
        HEAD
        + """
def g(x):
    if x.sum() > 0.0:
        return x
    return -x
f = compile(g)
call(f, np.array([0.1, 0.2, -0.3]))
"""
    )
    assert not hangs_on_rounding(unstable.replace("-0.3", "-0.7"))
    assert hangs_on_rounding(unstable)
