"""Gives you a book as one string: The Time Machine, Shakespeare, or Python's own documentation where neither is.

Stands on `files.py`, which finds or downloads the files.
"""

from __future__ import annotations

import warnings
from functools import cache

from .entry import DataFile
from .errors import DataError
from .files import read

__all__ = ["TEXTS", "text", "text_or_documentation"]

_REPOSITORY = "https://raw.githubusercontent.com/zackchase/mxnet-the-straight-dope/master/data/nlp/"
_KARPATHY = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"

TEXTS = {
    "timemachine": DataFile(
        "text",
        "timemachine.txt",
        "d8b212a688e074a31191e6d2db2c5a4728696bb09cefd90ac769552b048d4d2b",
        (_REPOSITORY + "timemachine.txt",),
    ),
    "tinyshakespeare": DataFile(
        "text",
        "tinyshakespeare.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        (_REPOSITORY + "tinyshakespeare.txt", _KARPATHY),
    ),
}


def text(name: str) -> str:
    """A book: ``"timemachine"`` (H. G. Wells, 217,616 characters) or ``"tinyshakespeare"`` (1,115,394 characters).

    The file is looked for in ``$DOPEGRAPH_DATA/text``, then in the user's cache, then downloaded, which
    ``DOPEGRAPH_OFFLINE=1`` forbids.

    Raises
    ------
    ValueError
        If there is no text of that name.
    DataMissing
        If the file is not on this machine and cannot be downloaded.
    DataCorrupt
        If the file's content is another one.
    """
    if name not in TEXTS:
        raise ValueError(f"text: there is no {name!r}; the texts are {', '.join(sorted(TEXTS))}")
    return read(TEXTS[name]).decode("utf-8")


def text_or_documentation(name: str) -> tuple[str, str]:
    """A text and its name; in its place, with a warning that says why, the documentation that comes with Python.

    Examples
    --------
    >>> book, name = text_or_documentation("timemachine")
    >>> len(book) > 200000
    True
    """
    try:
        return text(name), name
    except DataError as error:
        _say_once(str(error))
    from pydoc_data.topics import topics

    return "\n".join(topics[topic] for topic in sorted(topics)), "Python's documentation"


@cache
def _say_once(reason: str) -> None:
    message = f"using Python's documentation instead of the text, because:\n{reason}"
    warnings.warn(message, UserWarning, stacklevel=3)
