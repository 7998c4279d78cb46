"""What a compiled function tells of its cache: statistics, why it was recorded again, and a warning when that repeats.

All of it is worked out when somebody asks or when a function is recorded; a replayed call counts nothing more.
"""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Union

from dopegraph.runtime.errors import RecompileWarning
from dopegraph.runtime.location import Location, here, user_frame
from dopegraph.runtime.reasons import hint_of
from dopegraph.state.differences import Difference, difference
from dopegraph.trace.look import Look
from dopegraph.transform.plan import PythonPlan, ReplayPlan
from dopegraph.transform.tree import TreePlan

Plans = Sequence[Union[PythonPlan, ReplayPlan, TreePlan]]

# So many recompilations, one call after the other, are worth a warning.
IN_A_ROW = 3


@dataclass(frozen=True)
class Recompile:
    """Why a function was recorded once more, and for which call.

    Attributes
    ----------
    reason : str
        An id of `dopegraph.runtime.reasons`.
    detail : str
        What changed, in words.
    location : Location or None
        The line that called the function.
    path : str
        The argument or state that changed; empty for the call as a whole.
    before, now : str
        The type, shape or value that was there, and that is there.
    """

    reason: str
    detail: str
    location: Location | None
    path: str = ""
    before: str = ""
    now: str = ""

    @property
    def hint(self) -> str:
        """What to change."""
        return hint_of(self.reason)

    def __str__(self) -> str:
        where = f" at {self.location}" if self.location is not None else ""
        return f"{self.reason}{where}: {self.detail}"


class CacheInfo(NamedTuple):
    """What became of the calls of a compiled function, and what its cache holds.

    Attributes
    ----------
    hits : int
        Calls that a plan was there for: `replays` and `python_calls`.
    misses : int
        Calls for which the function was recorded.
    replays : int
        Calls that ran as compiled programs, without any Python of the function.
    python_calls : int
        Calls that ran as Python because their plan says so, or because an operation refused the values.
    recompiles : tuple of Recompile
        Why the function was recorded again, the last thousand.
    plans, cache_size : int
        How many situations are kept, and how many may be.
    programs : int
        Different compiled graphs of the plans.
    nbytes : int
        Bytes that plans keep besides the arrays of the user: captured constants, and spare memory for what is written.
    """

    hits: int
    misses: int
    replays: int
    python_calls: int
    recompiles: tuple[Recompile, ...]
    plans: int
    cache_size: int
    programs: int
    nbytes: int


class History:
    """What happened to a compiled function that its plans do not tell.

    Attributes
    ----------
    misses : int
    forgotten : int
        Replays of plans that are no longer kept.
    recompiles : deque of Recompile
    """

    def __init__(self) -> None:
        self.misses = 0
        self.forgotten = 0
        self.recompiles: deque[Recompile] = deque(maxlen=1000)
        self._row = 0
        self._call = -1
        self._warned: set[tuple[str, str]] = set()

    def missed(self) -> None:
        """Note a call that is recorded."""
        self.misses += 1

    def recompiled(self, found: Recompile, call: int, name: str) -> None:
        """Note why, and warn when it was so for several calls without one between them that had a plan."""
        self.recompiles.append(found)
        self._row = self._row + 1 if call == self._call + 1 else 1
        self._call = call
        kind = (found.reason, found.path)
        if self._row >= IN_A_ROW and kind not in self._warned:
            self._warned.add(kind)
            warn(
                f"each of the last {self._row} calls recorded {name} again: {found.detail}; {found.hint}",
                found.location,
            )

    def overflowed(self, name: str, size: int) -> None:
        """Warn, once, that plans are forgotten that may be needed again."""
        if ("cache", "") in self._warned:
            return
        self._warned.add(("cache", ""))
        changes = Counter((one.path or "the call", one.reason) for one in self.recompiles)
        (path, reason), times = changes.most_common(1)[0]
        warn(
            f"{name} was recorded for more than {size} situations (cache_size), {times} times because of {path}: "
            f"{reason}; {hint_of(reason)}",
            here(),
        )


def recompile_of(plans: Plans, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recompile:
    """Why none of the plans fits: the guard that failed of the plan that came nearest, the last used of equals."""
    nearest, progress = plans[0], -10
    for plan in plans:
        matched = plan.match(args, kwargs)
        if type(matched) is not int:  # it fits, but was made by a call that set something up
            return Recompile("set-up", "the call before set something up", here())
        if matched > progress:
            nearest, progress = plan, matched
    found = difference(nearest.walk.guards, args, kwargs)
    if found is None:  # another thread changed something just now
        found = Difference("unreadable-state", "", "", "", "the state changed meanwhile", 0)
    return Recompile(found.reason, found.detail, here(), found.path, found.before, found.now)


def new_outcome(look: Look) -> Recompile:
    """Why a tree of recordings had none for a call: Python saw something for the first time."""
    return Recompile("new-outcome", f"{look.escape.detail} is another one", here(), str(look.escape.location or ""))


def cache_info(plans: Plans, history: History, calls: int, size: int) -> CacheInfo:
    """The statistics; calls that are no misses are hits, and hits that are no replays ran as Python."""
    replaying = [plan for plan in plans if not isinstance(plan, PythonPlan)]
    replays = history.forgotten + sum(plan.calls for plan in replaying)
    hits = max(calls - history.misses, replays)
    return CacheInfo(
        hits=hits,
        misses=history.misses,
        replays=replays,
        python_calls=hits - replays,
        recompiles=tuple(history.recompiles),
        plans=sum(len(plan.ends()) if isinstance(plan, TreePlan) else 1 for plan in plans),
        cache_size=size,
        programs=len({id(program) for plan in replaying for program in plan.programs}),
        nbytes=sum(plan.nbytes for plan in replaying),
    )


def warn(message: str, location: Location | None) -> None:
    """A `RecompileWarning` at the user's line."""
    frame = user_frame()
    if location is None or frame is None:
        warnings.warn(message, RecompileWarning, stacklevel=2)
        return
    module = frame.f_globals.get("__name__")
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, RecompileWarning, location.file, location.line, module, registry)
