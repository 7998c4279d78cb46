"""The frame of the book: every chapter runs quickly, gives the figures it promises, and stands in the table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from examples import book
from examples.chapter import options, shown
from tests.examples.chapters import fresh

CHAPTERS = book.chapters()
NAMES = [f"{one.part}-{one.name}" for one in CHAPTERS]
SECONDS = 20  # of the processor, however busy the machine is


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
@pytest.mark.filterwarnings("ignore:using scikit-learn's digits")
def test_a_chapter_runs_quickly_and_gives_what_it_promises(chapter, tmp_path, capsys):
    start = time.process_time()
    module = fresh(chapter.name, chapter.part)
    found = module.main(["--quick", "--plots", str(tmp_path)])
    took = time.process_time() - start
    assert set(module.BOOK) <= set(found)
    printed = capsys.readouterr().out
    for name, value in module.BOOK.items():
        label = name.replace("_", " ")
        assert any(line.startswith(label) and shown(value) in line for line in printed.splitlines())
    assert took < SECONDS
    assert ("chosen.plots" in Path(module.__file__).read_text()) == bool(list(tmp_path.glob("*.png")))
    for path in tmp_path.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 1000
    if "train_step" in found:
        info = found["train_step"].cache_info()
        assert info.replays > 0
        assert info.python_calls == 0


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_a_chapter_says_what_it_shows(chapter):
    text = Path(sys.modules[book.__name__].FOLDER / chapter.part / f"{chapter.name}.py").read_text()
    assert chapter.title and chapter.shows
    assert f"python -m {chapter.module}" in text
    assert text.count("\n") <= 200


def test_the_chapters_are_in_the_books_order():
    keys = [(list(book.PARTS).index(one.part), one.number) for one in CHAPTERS]
    assert keys == sorted(keys)


def test_the_table_is_what_the_last_runs_gave():
    assert book.README.read_text(encoding="utf-8") == book.readme()


def test_a_file_without_a_title_is_refused(tmp_path, monkeypatch):
    (tmp_path / "part1").mkdir()
    (tmp_path / "part1" / "odd.py").write_text('"""Something."""\n')
    monkeypatch.setattr(book, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"odd\.py does not begin with"):
        book.chapters()


def test_the_book_runs_chapters_in_processes_of_their_own():
    command = [sys.executable, "-m", "examples.book", "--quick", "--only", "linear_regression_scratch"]
    done = subprocess.run(command, cwd=book.FOLDER.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "moving loss" in done.stdout
    assert re.search(r"^\d+\.\d s, of which \d+\.\d\d s compiling$", done.stdout, re.MULTILINE)


def test_what_a_run_tells():
    name = "examples.part1.linear_regression_scratch"
    sys.modules.pop(name, None)
    result = book.run_here(name, ["--quick"])
    assert json.loads(json.dumps(result)) == result
    assert result["graphs"] >= 1 and result["as_python"] == 0 and result["fallbacks"] == []
    assert 0 < result["step_microseconds"] < 1e6 * result["compile_seconds"]
    assert set(result["book"]) == set(result["here"])


def test_watching_does_not_disturb_functions_that_call_others():
    inner = dopegraph.compile(lambda x: x * 2)
    outer = dopegraph.compile(lambda x: inner(x) + 1)
    with book.watched() as times:
        for _ in range(3):
            assert float(outer(dopegraph.numpy.ones(()))) == 3
    assert outer.cache_info().replays == 2
    assert [len(one) for one in times[outer]] == [1, 2]
    assert set(times) == {outer}


def test_figures_are_shown_with_six_digits():
    assert shown([numpy.float32(0.1234567), 2]) == "[0.123457, 2]"
    assert shown(dopegraph.numpy.array([1.0, -3.4])) == "[1, -3.4]"
    assert shown("fizz") == "fizz"


@pytest.mark.skipif(not library.installed(), reason="the other device is MXNet's")
@pytest.mark.parametrize("name", ["linear_regression_scratch", "linear_regression_gluon"])
def test_a_chapter_runs_on_another_device(name):
    with dopegraph.cpu(1):
        found = fresh(name).main(["--quick", "--device", "cpu(1)"])
    assert found["train_step"].cache_info().replays > 0


def test_no_epochs_are_refused(capsys):
    with pytest.raises(SystemExit):
        options("", arguments=["--epochs", "0"])
    assert "at least 1" in capsys.readouterr().err


def test_the_device_is_chosen_before_the_chapter_is_imported(capsys):
    with pytest.raises(SystemExit):
        options("", arguments=["--device", "cpu(1)"])
    assert "import the chapter inside `with device(...)`" in capsys.readouterr().err
