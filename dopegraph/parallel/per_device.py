"""A compiled function for each device: calls that go round the devices do not look like calls that keep changing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dopegraph.runtime.device import Device, current_device
from dopegraph.transform import compile


class PerDevice:
    """Compiles a function for each device on which it is called, and for each of further keys.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.compiled: dict[str, Any] = {}

    def on(self, place: Device, *args: Any, key: str = "") -> Any:
        """Call it with a device as the current one."""
        which = f"{place} {key}"
        if which not in self.compiled:
            self.compiled[which] = compile(self._function)
        if place == current_device():
            return self.compiled[which](*args)
        with place:
            return self.compiled[which](*args)
