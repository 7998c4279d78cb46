"""Texts by name, and what stands in for them."""

from __future__ import annotations

import pytest

from dopegraph.data import DataMissing, text, text_or_documentation


@pytest.mark.parametrize(("name", "length"), [("timemachine", 217616), ("tinyshakespeare", 1115394)])
def test_a_text_has_its_length(name, length, real_data):
    if not (real_data / "text" / f"{name}.txt").exists():
        pytest.skip("the text is not on this machine")
    assert len(text(name)) == length
    assert text_or_documentation(name) == (text(name), name)


def test_a_name_that_is_none():
    with pytest.raises(ValueError, match="there is no 'iliad'; the texts are timemachine, tinyshakespeare"):
        text("iliad")


def test_pythons_documentation_stands_in():
    with pytest.raises(DataMissing, match=r"timemachine\.txt"):
        text("timemachine")
    with pytest.warns(UserWarning, match="Python's documentation instead"):
        found, name = text_or_documentation("timemachine")
    assert name == "Python's documentation"
    assert len(found) > 200000 and "statement" in found
