"""`Parameter`: an array with a name that a block learns; it can exist before its shape is known."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Union

import numpy

from dopegraph import init as initializers
from dopegraph.array import ndarray
from dopegraph.numpy.creation import empty, zeros
from dopegraph.numpy.promotion import as_array
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.device import Device, current_device
from dopegraph.runtime.device import device as as_device
from dopegraph.runtime.errors import DopegraphError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import outside_recordings

GRAD_REQS = ("write", "add", "null")

Places = Union[Device, str, Sequence[Union[Device, str]], None]
"""Where a parameter is: on a device, or on several, with a copy of its array on each."""


class ParameterError(DopegraphError, RuntimeError):
    """A parameter that is asked for what it does not have, such as an array before it is initialized."""


class DeferredInitializationError(ParameterError):
    """A parameter that is asked for its array before the first call has told its shape."""


def _places(device: Places) -> tuple[Device, ...]:
    """The devices that an argument names; the current one by default."""
    if device is None:
        return (current_device(),)
    if isinstance(device, (Device, str)):
        return (as_device(device),)
    found = tuple(map(as_device, device))
    if not found or len(set(found)) != len(found):
        raise ValueError(located(f"devices: {list(found)} must be different ones, and at least one", here()))
    return found


def _known(shape: Sequence[int] | None) -> bool:
    return shape is not None and all(length > 0 for length in shape)


class Parameter:
    """An array of a block that training changes.

    Parameters
    ----------
    name : str
    grad_req : {"write", "add", "null"}
        What ``backward`` does with the gradient: replace the old one, add to it, or nothing.
    shape : int or tuple of int, optional
        Lengths of 0 are found out in the first call.
    dtype : dtype, optional
        The default floating dtype.
    lr_mult, wd_mult : float
        Factors for the learning rate and the weight decay of this parameter.
    init : Initializer or str, optional
        For this parameter, whatever its block is initialized with.
    allow_deferred_init : bool
        Whether `initialize` may wait for the shape.
    differentiable : bool
        False: `grad_req` stays ``"null"``.

    Examples
    --------
    >>> from dopegraph import nn
    >>> p = nn.Parameter("exciting_parameter", shape=(2, 3))
    >>> p.initialize("ones")
    >>> p
    Parameter exciting_parameter (shape=(2, 3), dtype=float32)
    >>> p.data()
    array([[1., 1., 1.],
           [1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        name: str,
        grad_req: str = "write",
        shape: int | Sequence[int] | None = None,
        dtype: Any = None,
        lr_mult: float = 1.0,
        wd_mult: float = 1.0,
        init: Any = None,
        allow_deferred_init: bool = False,
        differentiable: bool = True,
    ) -> None:
        self.name = name
        self._shape = (shape,) if isinstance(shape, int) else None if shape is None else tuple(map(int, shape))
        self.dtype: Any = default_dtype() if dtype is None else numpy.dtype(dtype)
        self.lr_mult = lr_mult
        self.wd_mult = wd_mult
        self.init = init
        self.allow_deferred_init = allow_deferred_init
        self._differentiable = differentiable
        self._data: ndarray | None = None
        # The arrays on further devices, where there are any, by the devices' names.
        self._copies: dict[str, ndarray] = {}
        # Set by an initialization that waits for the shape: the initializer and the devices.
        self._waiting: tuple[Any, tuple[Device, ...]] | None = None
        self._grad_req = "null"
        self.grad_req = grad_req

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.name} (shape={self.shape}, dtype={self.dtype})"

    @property
    def grad_req(self) -> str:
        """What ``backward`` does with the gradient."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, value: str) -> None:
        if value not in GRAD_REQS:
            message = f"{self.name}: grad_req must be one of {', '.join(GRAD_REQS)}, not {value!r}"
            raise ValueError(located(message, here()))
        self._grad_req = value if self._differentiable else "null"
        for array in self._arrays():
            if array._grad_req != self._grad_req:
                array.attach_grad(self._grad_req)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Lengths of the axes; 0 where it is not known yet."""
        return self._shape

    @shape.setter
    def shape(self, value: Sequence[int]) -> None:
        value = tuple(map(int, value))
        before = self._shape
        if before is not None and (
            len(before) != len(value) or any(old not in (0, -1, new) for old, new in zip(before, value) if new > 0)
        ):
            message = f"{self.name}: expected shape {value}, but the parameter has shape {before}"
            raise ShapeError(located(message, here()))
        self._shape = value

    def initialize(
        self,
        init: Any = None,
        device: Places = None,
        default_init: Any = "uniform",
        force_reinit: bool = False,
    ) -> None:
        """Make the array, now or, if the shape is not known yet, in the first call.

        Parameters
        ----------
        init : Initializer or str, optional
            In place of the parameter's own.
        device : Device or str, or sequence of them, optional
            Where the array will be; the current device. On each of several devices there is a copy.
        default_init : Initializer or str
            For a parameter without an initializer of its own: chosen by its name, see `init.Initializer`.
        force_reinit : bool
            Whether to begin again if it has an array already.
        """
        if self._data is not None and not force_reinit:
            message = f"Parameter {self.name} is already initialized, ignoring. Set force_reinit=True to re-initialize."
            warnings.warn(located(message, here()), stacklevel=2)
            return
        own = init if init is not None else self.init
        chosen = initializers.create(default_init if own is None else own)
        self._waiting = ((chosen, own is not None), _places(device))
        if _known(self._shape):
            self.finish()
        elif not self.allow_deferred_init:
            self._waiting = None
            message = f"{self.name} cannot be initialized: its shape {self._shape} is not known"
            raise ParameterError(located(f"{message}; give it, or allow_deferred_init=True", here()))
        elif force_reinit:
            self._data = None
            self._copies = {}

    def finish(self, shape: Sequence[int] | None = None) -> None:
        """End an initialization that waited for the shape."""
        if shape is not None:
            self.shape = tuple(shape)
        if self._waiting is None:
            return
        (chosen, own), places = self._waiting
        assert self._shape is not None
        # At once, whatever is recorded around: the numbers are drawn but once.
        with outside_recordings(), places[0]:
            array = zeros(self._shape, self.dtype)
            if own and hasattr(chosen, "init_weight"):
                chosen.init_weight(self.name, array)
            else:
                chosen(self.name, array)
            self._waiting = None
            self._put(array, places)

    def _put(self, array: ndarray, places: tuple[Device, ...]) -> None:
        """Take over the values of an array: into those that are there, if it fits, so that their holders see them."""
        known = self._arrays()
        if (
            known
            and self.list_device() == list(places)
            and (known[0].shape, known[0].dtype) == (array.shape, array.dtype)
        ):
            for one in known:
                one[...] = array.to(one.device)
            return
        self._data = array.to(places[0])
        self._copies = {str(place): array.to(place) for place in places[1:]}
        if self._grad_req != "null":
            for one in self._arrays():
                one.attach_grad(self._grad_req)

    def _arrays(self) -> list[ndarray]:
        return [] if self._data is None else [self._data, *self._copies.values()]

    def set_data(self, data: Any) -> None:
        """Give it values; the shape is checked, or learned."""
        array = as_array(data)
        self.shape = array.shape
        if self._data is None:
            places = (array.device,) if self._waiting is None else self._waiting[1]
            self._waiting = None
            self._put(empty(array.shape, self.dtype), places)
            assert self._data is not None
        if not self._copies:
            self._data[...] = array.astype(self._data.dtype)
            return
        for one in self._arrays():
            one[...] = array.astype(one.dtype).to(one.device)

    def is_initialized(self) -> bool:
        """Whether there is an array."""
        return self._data is not None

    def data(self, device: Device | str | None = None) -> ndarray:
        """The array itself: what is written into it is the parameter's new value.

        Parameters
        ----------
        device : Device or str, optional
            Which of the copies on several devices; by default that on the current device, or else the first.
        """
        found = self._data
        if found is not None:
            if self._copies:
                wanted = current_device() if device is None else as_device(device)
                copy = self._copies.get(str(wanted))
                if copy is not None:
                    return copy
            if device is not None and as_device(device) != found.device:
                places = ", ".join(map(str, self.list_device()))
                message = f"{self.name} is on {places}, not on {device}; initialize it there, or use reset_device"
                raise ParameterError(located(message, here()))
            return found
        if self._waiting is not None:
            message = (
                f"Parameter {self.name} has not been initialized yet because initialization was deferred: its shape "
                f"{self._shape} becomes known in the first call of its block. Call the block once, or give in_units, "
                "in_channels, ..."
            )
            raise DeferredInitializationError(located(message, here()))
        message = (
            f"Parameter {self.name} has not been initialized. Call block.initialize(), or parameters.initialize(); "
            "a Trainer needs initialized parameters, too"
        )
        raise ParameterError(located(message, here()))

    def grad(self, device: Device | str | None = None) -> ndarray:
        """The gradient that the last ``backward`` left."""
        found = self.data(device).grad
        if found is None:
            raise ParameterError(located(f"{self.name} has no gradient, because grad_req is 'null'", here()))
        return found

    def list_device(self) -> list[Device]:
        """The devices that it is on, or will be on."""
        if self._data is None and self._waiting is not None:
            return list(self._waiting[1])
        return [array.device for array in self.list_data()]

    def list_data(self) -> list[ndarray]:
        """Its arrays on all devices."""
        self.data()  # says so when there are none yet
        return self._arrays()

    def list_grad(self) -> list[ndarray]:
        """Its gradients on all devices."""
        return [self.grad(device) for device in self.list_device()]

    def zero_grad(self) -> None:
        """Set the gradient to 0."""
        for array in self._arrays():
            if array.grad is not None:
                array.grad[...] = 0

    def cast(self, dtype: Any) -> None:
        """Change the dtype of the array."""
        self.dtype = numpy.dtype(dtype)
        if self._data is not None:
            self._put(self._data.astype(self.dtype), tuple(self.list_device()))

    def reset_device(self, device: Places) -> None:
        """Move the array, or a waiting initialization, to another device, or to several."""
        places = _places(device)
        if self._waiting is not None:
            self._waiting = (self._waiting[0], places)
        if self._data is not None and self.list_device() != list(places):
            self._put(self._data, places)


class Constant(Parameter):
    """A parameter that is not learned: it keeps the value it is given."""

    def __init__(self, name: str, value: Any) -> None:
        array = as_array(value)
        super().__init__(
            name, "null", array.shape, array.dtype, init=initializers.Constant(array), differentiable=False
        )
        self.value = array
