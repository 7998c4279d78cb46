"""Whether eager operations may go straight to NumPy: not while something records, counts, or forbids NumPy.

A single number that the shortest path of an operation looks at; everything that needs to see operations holds it up.
"""

from __future__ import annotations

import threading


class _Direct(threading.local):
    held = 0


direct = _Direct()
"""``direct.held`` is 0 when nothing in this thread needs to see every operation."""


def hold() -> None:
    """From now on operations take the long way; call `release` as often."""
    direct.held += 1


def release() -> None:
    """Undo one `hold`."""
    direct.held -= 1


def hold_in_every_thread() -> None:
    """Threads that have not called `hold` yet begin as if they had: for what the environment chooses."""
    _Direct.held += 1
