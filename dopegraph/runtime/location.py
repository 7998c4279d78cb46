"""Where in the user's code an operation was asked for: every node of a graph and every error carries one."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType

# The folders whose frames are ours, not the user's. `passes` and `backends` live beside the package in a checkout.
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BESIDE = os.path.dirname(_PACKAGE)
_OURS = tuple(
    os.path.join(folder, "")
    for folder in (_PACKAGE, os.path.join(_BESIDE, "passes"), os.path.join(_BESIDE, "backends"))
)

# Not by code object: those of different files can be equal.
_file_is_ours: dict[str, bool] = {}


@dataclass(frozen=True)
class Location:
    """A line of Python: file, line number and the name of the function around it.

    `gradient`: what was recorded there is part of the derivative of that line.
    """

    file: str
    line: int
    function: str
    gradient: bool = field(default=False, compare=False)

    def in_gradient(self) -> Location:
        """The same line, for the nodes of its derivative; one object for one location."""
        found: Location | None = self.__dict__.get("_in_gradient")
        if found is None:
            found = self if self.gradient else replace(self, gradient=True)
            object.__setattr__(self, "_in_gradient", found)
        return found

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"

    def source(self) -> str:
        """The text of the line, stripped; empty when the file cannot be read."""
        import linecache

        return linecache.getline(self.file, self.line).strip()


def is_our_file(file: str) -> bool:
    """Whether a file of Python belongs to dopegraph itself."""
    known = _file_is_ours.get(file)
    if known is None:
        known = _file_is_ours[file] = file.startswith(_OURS) or _starts_programs(file)
    return known


def _starts_programs(file: str) -> bool:
    """Whether a file is what runs ``python -m``, or the script of our command line."""
    folder, name = os.path.split(file)
    return file.startswith("<frozen ") or (name == "dopegraph" and os.path.basename(folder) in ("bin", "Scripts"))


def is_ours(code: CodeType) -> bool:
    """Whether a code object belongs to dopegraph itself."""
    return is_our_file(code.co_filename)


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame that is not dopegraph's."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and is_ours(frame.f_code):
        frame = frame.f_back
    return frame


# By the id of a code object, which the entry keeps alive, and the instruction in it.
_known: dict[tuple[int, int], tuple[CodeType, Location]] = {}
_MOST_KNOWN = 100_000


def here() -> Location | None:
    """The location of the user's line that is being executed."""
    # Every operation that is recorded comes here: no calls for what is known.
    ours = _file_is_ours
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        known = ours.get(code.co_filename)
        if not (is_our_file(code.co_filename) if known is None else known):
            break
        frame = frame.f_back
    if frame is None:
        return None
    key = id(code), frame.f_lasti
    found = _known.get(key)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[key] = (code, Location(code.co_filename, frame.f_lineno, code.co_name))
    return found[1]


def raised_at(error: BaseException) -> Location | None:
    """The innermost of the user's lines that an exception came through."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not is_ours(code) and not code.co_filename.startswith("<dopegraph"):
            found = Location(code.co_filename, trace.tb_lineno, code.co_name)
        trace = trace.tb_next
    return found


def located(message: str, location: Location | None) -> str:
    """An error message with the user's line under it."""
    if location is None:
        return message
    source = location.source()
    shown = f"\n    {source}" if source else ""
    return f"{message}\n  at {location.file}:{location.line}, in {location.function}{shown}"
