"""How a drawn call is made: at once, compiled for NumPy, compiled for MXNet."""

from __future__ import annotations

import dopegraph
from tests.numpy.conformance.calling import Call, Mismatch

MODES = ("eager", "compiled", "mxnet")


def check(call: Call, mode: str) -> None:
    """Raise a `Mismatch` where dopegraph does not do what NumPy does; twice where it is compiled."""
    with dopegraph.policy("prefer_mxnet" if mode == "mxnet" else "only_numpy"):
        if mode == "eager":
            call.check(call.at_once(), call.by_numpy())
            return
        for turn, found in enumerate(call.compiled()):
            try:
                call.check(found, call.by_numpy(), 20.0 if mode == "mxnet" else 1.0)
            except Mismatch as mismatch:
                raise Mismatch(f"call {turn + 1}: {mismatch}") from None
