"""What commands raise when they cannot do what they were asked, and how an error of somebody's code is told: in one
line, with the user's file and line, and no traceback.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from types import TracebackType

from dopegraph.runtime.location import is_our_file

DONE, FAILED, USAGE = 0, 1, 2
INTERRUPTED, NO_READER = 130, 141  # as shells report programs that SIGINT and SIGPIPE ended

# Set to anything, it lets tracebacks through: for those who look for a mistake in their own module, or in ours.
TRACEBACK = "DOPEGRAPH_TRACEBACK"


class CommandError(Exception):
    """The command cannot be done; the message says why and what to do."""

    code = FAILED


class UsageError(CommandError):
    """The command was asked for something that makes no sense."""

    code = USAGE


def told(cause: BaseException) -> str:
    """An error in words: its message, its type where that says more, and the innermost line of the user's."""
    message = str(cause).strip()
    if isinstance(cause, OSError) and cause.filename is not None and cause.strerror:
        return f"{cause.filename}: {cause.strerror}"
    if not type(cause).__module__.startswith("dopegraph"):
        message = f"{type(cause).__name__}: {message}" if message else type(cause).__name__
    place = _place(cause.__traceback__)
    return message if place is None or place in message else f"{message} ({place})"


def _place(trace: TracebackType | None) -> str | None:
    library = sysconfig.get_paths()
    installed = tuple(os.path.join(library[key], "") for key in ("stdlib", "platstdlib", "purelib", "platlib"))
    found = None
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        if not (is_our_file(file) or file.startswith((*installed, "<"))):
            found = f"{os.path.basename(file)}:{line}"
    return found
