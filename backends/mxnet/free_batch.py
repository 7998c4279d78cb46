"""Makes the length of a batch free in a symbol that was written for two lengths: what differs between the two texts is
replaced by MXNet's codes for "what remains" and "as it was".
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy

from dopegraph.backends.mxnet.lowering import LoweredSymbol

# For each operator the attribute that may differ, what stands in place of the length, and how often at most.
_CODES = {"Reshape": ("shape", "-1", 1), "broadcast_to": ("shape", "0", 9), "slice": ("end", "None", 9)}


def freed(one: LoweredSymbol, other: LoweredSymbol) -> str | None:
    """The text of a symbol for any length, or None."""
    first, second = json.loads(one.json), json.loads(other.json)
    if len(first["nodes"]) != len(second["nodes"]) or first["heads"] != second["heads"]:
        return None
    if one.constants.keys() != other.constants.keys():
        return None
    if not all(numpy.array_equal(one.constants[name], other.constants[name]) for name in one.constants):
        return None
    for mine, theirs in zip(first["nodes"], second["nodes"]):
        if not _made_alike(mine, theirs):
            return None
    return json.dumps(first, separators=(",", ":"))


def _made_alike(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether two nodes are equal but for the length; it is freed in the first."""
    if any(mine.get(key) != theirs.get(key) for key in ("op", "name", "inputs", "control_deps")):
        return False
    attrs, others = mine.get("attrs", {}), theirs.get("attrs", {})
    differing = [key for key in {*attrs, *others} if attrs.get(key) != others.get(key)]
    if not differing:
        return True
    known, code, most = _CODES.get(mine["op"], ("", "", 0))
    if differing != [known]:
        return False
    numbers, their_numbers = (re.findall(r"-?\d+|None", one[known]) for one in (attrs, others))
    places = [place for place, pair in enumerate(zip(numbers, their_numbers)) if pair[0] != pair[1]]
    if len(numbers) != len(their_numbers) or len(places) > most:
        return False
    for place in places:
        numbers[place] = code
    attrs[known] = "(" + ",".join(numbers) + (",)" if len(numbers) == 1 else ")")
    return True
