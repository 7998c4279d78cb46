"""Environment variables that a library reads while it is loaded: set for that moment, unless the user has set them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

# Turns that a thread of GNU's OpenMP waits for the next loop before it sleeps. Its own 300,000 keep the threads of
# others, such as those of NumPy's BLAS, off the processors. With none, waking one takes 40 microseconds, as long as a
# second thread saves of many a product; and MXNet, whose loops are short, takes half as long again.
OF_GENERATED_CODE, OF_MXNET = "3000", "1000"


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set the environment variables that are not set, and unset them afterwards: child processes do not get them."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def threads_wait(turns: str) -> dict[str, str]:
    """Variables for whoever loads OpenMP first; none where the user has said how its threads wait."""
    return {} if "OMP_WAIT_POLICY" in os.environ else {"GOMP_SPINCOUNT": turns}
