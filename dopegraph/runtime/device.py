"""Devices: ``cpu()``, ``gpu(i)``, and the one that new arrays are put on.

``cpu(0)`` is NumPy's memory. Every other device, a GPU or MXNet's further CPU devices, is MXNet's.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Device:
    """A place arrays live on; usable as ``with gpu(0): ...`` to create arrays there.

    It equals the strings that name it: ``x.device == "cpu"``, as for NumPy's arrays.
    """

    kind: str
    index: int = 0
    is_host: bool = field(init=False, repr=False)
    """Whether arrays of this device are NumPy's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_host", self.kind == "cpu" and self.index == 0)

    def __str__(self) -> str:
        return f"{self.kind}({self.index})"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Device):
            return self.kind == other.kind and self.index == other.index
        if isinstance(other, str):
            if other == self.kind:
                return self.index == 0
            try:
                return self == device(other)
            except ValueError:
                return False
        return NotImplemented

    def __hash__(self) -> int:
        return hash(str(self) if self.index else self.kind)  # that of the string with which it is usually compared

    def __enter__(self) -> Device:
        _devices.stack.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _devices.stack.pop()


HOST = Device("cpu", 0)
"""NumPy's memory; buffers in it have this very device."""


class _Devices(threading.local):
    def __init__(self) -> None:
        self.stack: list[Device] = [HOST]


_devices = _Devices()


def cpu(index: int = 0) -> Device:
    """The CPU. Indices above 0 are MXNet's own CPU devices, useful to try out code for several devices."""
    return Device("cpu", index)


def gpu(index: int = 0) -> Device:
    """The GPU of that number; arrays can be put there when MXNet was built for CUDA."""
    return Device("gpu", index)


def current_device() -> Device:
    """The device that new arrays are put on."""
    return _devices.stack[-1]


def device(spec: Device | str) -> Device:
    """A device from ``"cpu"``, ``"gpu"``, ``"gpu:1"`` or ``"gpu(1)"``; a device is returned as it is.

    Examples
    --------
    >>> import dopegraph
    >>> dopegraph.device("gpu:1")
    gpu(1)
    """
    if isinstance(spec, Device):
        return spec
    kind, _, index = spec.replace("(", ":").rstrip(")").partition(":")
    if kind not in ("cpu", "gpu") or not (index == "" or index.isdigit()):
        raise ValueError(f"device: {spec!r} is not 'cpu', 'gpu' or 'gpu:NUMBER'")
    return Device(kind, int(index or 0))
