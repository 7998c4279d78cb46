"""The plot of bytes over the nodes of a graph."""

from __future__ import annotations

import builtins
import sys

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ir import parse
from dopegraph.show.timeline import as_text, sparkline
from tests.show import graphs


def report():
    return dopegraph.trace(graphs.train, True)(np.ones((40, 50)), np.ones((30, 40)), 0.1).memory(donate=["w"])


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_it_is_drawn(tmp_path, ending):
    pytest.importorskip("matplotlib")
    path = tmp_path / "folder" / f"memory.{ending}"
    figure = report().plot(path)
    assert path.stat().st_size > 5_000
    (axes,) = figure.axes
    assert len(axes.lines) == 3
    found = report()
    ends = [line.get_ydata()[:-1].tolist() for line in axes.lines]
    unit = max(found.timeline.imperative) / max(ends[0])
    for one, amounts in zip(ends, (found.timeline.imperative, found.timeline.live, found.timeline.planned)):
        assert [round(unit * amount) for amount in one] == list(amounts)


def test_without_matplotlib_it_is_text(monkeypatch, capsys, tmp_path):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    text = report().plot(tmp_path / "memory.png")
    assert text in capsys.readouterr().out
    assert text == as_text(report().timeline)
    assert text in (tmp_path / "memory.txt").read_text(encoding="utf-8")


def test_text_has_a_line_for_each_and_the_most_bytes():
    found = report()
    lines = as_text(found.timeline).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("an array for every value") and f"{found.imperative:,} bytes" in lines[0]
    assert f"{max(found.timeline.planned):,} bytes" in lines[2]


def test_long_timelines_keep_their_peaks():
    amounts = [1] * 1000
    amounts[501] = 8
    assert sparkline(amounts, 8).count("█") == 1
    assert len(sparkline(amounts, 8)) == 72
    assert sparkline([], 0) == ""
    assert sparkline([0, 0], 0) == "  "


def test_a_graph_of_nothing():
    found = parse("graph f(%x: f32[2]) { return %x }").memory()
    assert found.timeline.planned == ()
    assert "0 bytes" in as_text(found.timeline)
