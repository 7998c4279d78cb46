"""What all tests share: where the real data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

# Tests are about small arrays, and MXNet is to run them where it is preferred.
os.environ.setdefault("DOPEGRAPH_SMALL", "0")

if SHARED.is_dir():
    os.environ.setdefault("DOPEGRAPH_DATA", str(SHARED))


@pytest.fixture(scope="session")
def real_digits() -> None:
    """Skip where MNIST can be had neither from a folder nor from the network."""
    from dopegraph.data import DataMissing, mnist

    try:
        mnist(train=False)
    except DataMissing as reason:
        pytest.skip(str(reason).splitlines()[0])
