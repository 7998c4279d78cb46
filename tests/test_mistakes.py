"""The page of mistakes: it is current, and each of them is answered with the user's line and a way out."""

from __future__ import annotations

import re

import pytest

from docs.mistakes import FILE, MISTAKES, PAGE, Mistake, outcome, page
from dopegraph.runtime.reasons import REASONS


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.mistakes`"


def test_there_are_twenty() -> None:
    assert len(MISTAKES) == len({one.title for one in MISTAKES}) == 20


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.title)
def test_every_mistake_is_answered(mistake: Mistake) -> None:
    found = outcome(mistake.snippet)
    kind = found.partition(":")[0]
    if kind.endswith(("Error", "Warning")):
        assert re.search(rf"\n  at {FILE}:\d+", found), found
        assert len(found.partition("\n")[0]) > 40, "it says what and which"
    else:
        assert "runs as Python" in found
        assert any(f"as Python, {id}:" in found for id in REASONS), found
        assert "hint: " in found
