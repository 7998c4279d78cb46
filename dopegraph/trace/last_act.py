"""Whether a function does nothing more than return what Python just read of a value: ``return float(loss)``.

Then a plan can read it, too, when everything has been computed. The function's bytecode tells: nothing but loads and
containers may stand between the reading and the return, and between one reading and the next.
"""

from __future__ import annotations

import bisect
import dis
import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from dopegraph.ir.graph import Value
from dopegraph.trace.look import Escape

_LOADS = ("LOAD_FAST", "LOAD_CONST", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_CLOSURE", "LOAD_SMALL_INT")
# Of the loads before a call some may look up an attribute: `loss.item()`, `np.float64`.
_BETWEEN = ("LOAD_ATTR", "LOAD_METHOD", "PUSH_NULL", "NOP", "PRECALL", "EXTENDED_ARG")
_HIDDEN = ("PUSH_NULL", "NOP", "PRECALL", "EXTENDED_ARG", "CACHE", "COPY_FREE_VARS", "RESUME")
_CALLS = ("CALL", "CALL_FUNCTION", "CALL_METHOD")
_TO_THE_END = (
    *_LOADS, "STORE_FAST", "BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "ROT_TWO", "ROT_THREE",
    "ROT_FOUR", "SWAP", "NOP", "EXTENDED_ARG"
)  # fmt: skip


@dataclass
class Reading:
    """A number that Python read of a value, where it stood when it did, and why that is an escape if more follows."""

    value: Value
    read: Callable[[Any], Any]
    number: Any
    escape: Escape
    code: CodeType
    instruction: int


def position_of(frame: FrameType | None, caller: CodeType | None) -> tuple[CodeType, int] | None:
    """Where a frame stands, if it is that of the function that is recorded, which `caller` calls, and reads a number.

    It must be ``float(x)`` or ``x.item()`` that reads it: others may do more with it than give it back.
    """
    if frame is None or frame.f_back is None or frame.f_back.f_code is not caller:
        return None
    found = _instructions(frame.f_code)
    place = _place(found, frame.f_lasti)
    if found[place].opname not in _CALLS:
        return None
    called = _called(found, place)
    if called is None:
        return None
    if called.opname.startswith("LOAD_GLOBAL"):
        known = called.argval == "float" and frame.f_globals.get("float", float) is float
    else:
        known = called.opname.startswith(("LOAD_ATTR", "LOAD_METHOD")) and called.argval in ("item", "asscalar")
    return (frame.f_code, frame.f_lasti) if known else None


def _called(found: list[dis.Instruction], place: int) -> dis.Instruction | None:
    """What loads the function that a call calls, if simple instructions compute its arguments."""
    missing = found[place].arg or 0
    for one in reversed(found[:place]):
        name = one.opname
        if name in _HIDDEN:
            continue
        if missing == 0:
            return one
        if name in _CALLS:
            missing += one.arg or 0
        elif name.startswith("BINARY_"):
            missing += 1
        elif name.startswith(_LOADS):
            missing -= 2 if name == "LOAD_FAST_LOAD_FAST" else 1
        elif not name.startswith(("LOAD_ATTR", "LOAD_METHOD", "UNARY_")):
            return None
    return None


def follows(first: Reading, then: Reading) -> bool:
    """Whether nothing happened between two readings that could have used the first."""
    if first.code is not then.code:
        return False
    found = _instructions(first.code)
    start, stop = _place(found, first.instruction), _place(found, then.instruction)
    # What was loaded after the first number lies above it: it must be enough for every call.
    above = 0
    if start >= stop:
        return False
    for one in found[start + 1 : stop + 1]:
        if one.opname in _CALLS:
            taken = one.arg or 0
            if above <= taken:
                return False
            above -= taken
        elif one.opname.startswith("BINARY_"):
            if above < 2:
                return False
            above -= 1
        elif one.opname.startswith(_LOADS):
            above += 2 if one.opname == "LOAD_FAST_LOAD_FAST" else 1
        elif not one.opname.startswith(_BETWEEN):
            return False
    return True


def is_last(reading: Reading) -> bool:
    """Whether the function only returns after a reading."""
    found = _instructions(reading.code)
    start = _place(found, reading.instruction)
    for one in found[start + 1 :]:
        if one.opname == "RETURN_VALUE":
            return True
        if not one.opname.startswith(_TO_THE_END):
            return False
    return False


@functools.lru_cache(maxsize=256)
def _instructions(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


def _place(found: list[dis.Instruction], offset: int) -> int:
    """Where a frame stands among the instructions: behind what is hidden after one, or, in 3.11, just before a call."""
    place = bisect.bisect_right([one.offset for one in found], offset) - 1
    return place + 1 if found[place].opname == "PRECALL" else place
