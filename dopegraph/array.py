"""`ndarray`, the one array type a user holds: a mutable handle of a buffer or, while recording, of a graph's value.

Operators and methods are attached by `dopegraph.numpy`, which defines what they mean; this module defines what a handle
is: when it has memory, how views see their base, how in-place writes stay the same eagerly and in a recording.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import primitives
from dopegraph.ir.types import TensorType, type_of
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import Device, current_device
from dopegraph.runtime.errors import DeviceError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording, suspended
from dopegraph.trace.recording import Recording
from dopegraph.trace.tape import Moment
from dopegraph.trace.views import Steps, emit_steps, run_alone, run_kernels, type_of_view, write_back

# Up to so many integers are worth a plan for each of their values.
_SEEN_WHOLE = 16


class ndarray:
    """An array. Make one with the functions of `dopegraph.numpy`, such as ``array``, ``zeros`` or ``random.normal``.

    It behaves as ``numpy.ndarray`` does: views share memory with their base, ``x[i] = v`` and ``x += y`` write in
    place. Inside a recording (``compile``, ``grad``, ``record``) the same code builds a graph instead.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.zeros((2, 2))
    >>> x[0] += 1
    >>> x
    array([[1., 1.],
           [0., 0.]], dtype=float32)
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_buffer",
        "_derived",
        "_foreign",
        "_grad_req",
        "_gradient",
        "_made",
        "_recording",
        "_shared",
        "_steps",
        "_value",
        "_viewed",
    )

    # Makes `numpy_array + x` call our operator.
    __array_priority__ = 1000.0

    def __init__(self, buffer: Buffer | None, *, foreign: bool = False) -> None:
        self._buffer: Buffer | None = buffer
        self._value: Value | None = None
        self._recording: Recording | None = None
        # The array that a view is a part of.
        self._base: ndarray | None = None
        # Memory that views refer to must be kept; foreign memory can be written to by others at any time.
        self._shared = foreign
        self._foreign = foreign
        # Set by attach_grad: where backward() puts the gradient, and whether it replaces or adds.
        self._gradient: ndarray | None = None
        self._grad_req = "null"

    def _look_at(self, base: ndarray, steps: Steps, made: Moment | None = None) -> None:
        """Become a view; only views have what is set here, since most arrays are none and are made all the time."""
        self._base = base
        self._steps = steps
        # When it was made, which a tape knows; its type; and what was derived from which of the base's values.
        self._made = made
        self._viewed: TensorType | None = None
        self._derived: tuple[Value, Value] | None = None

    # What it is --------------------------------------------------------------------------------------------------

    @property
    def _type(self) -> TensorType:
        if self._value is not None:
            return self._value.type
        if self._buffer is not None:
            return type_of(self._buffer)
        if self._viewed is None:
            assert self._base is not None
            self._viewed = type_of_view(self._base._type, self._steps)
        return self._viewed

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        if self._value is None and self._buffer is not None:
            return self._buffer.shape
        return self._type.shape

    @shape.setter
    def shape(self, value: Any) -> None:
        raise AttributeError(
            located(
                f"the shape of an array cannot be set, as its views depend on it; use x = x.reshape({value})", here()
            )
        )

    @property
    def dtype(self) -> numpy.dtype[Any]:
        """Type of the elements."""
        if self._value is None and self._buffer is not None:
            return self._buffer.dtype
        return self._type.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        if self._value is None and self._buffer is not None:
            return len(self._buffer.shape)
        return len(self._type.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self._type.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def base(self) -> ndarray | None:
        """The array this one is a view of."""
        return self._base

    @property
    def device(self) -> Device:
        """Where the elements are."""
        root = self._root()
        if root._buffer is not None:
            return root._buffer.device
        recording = root._recording
        return recording.device if recording is not None and recording.device is not None else current_device()

    def __len__(self, /) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    __hash__ = None  # type: ignore[assignment]

    def _view(self) -> tuple[ndarray, list[Steps]]:
        """The array with memory of its own that this one is a part of, and how."""
        steps: list[Steps] = []
        handle = self
        while handle._base is not None:
            steps.insert(0, handle._steps)
            handle = handle._base
        return handle, steps

    # Memory ------------------------------------------------------------------------------------------------------

    def _root(self) -> ndarray:
        handle = self
        while handle._base is not None:
            handle = handle._base
        return handle

    def _settled(self) -> Buffer:
        """The buffer; evaluates what is still only traced."""
        if self._base is None and self._recording is None and self._buffer is not None:
            return self._buffer
        root = self._root()
        if root._recording is not None:
            root._recording.settle([root])
        if self._buffer is None:
            assert self._base is not None
            source = self._base._settled()
            self._base._shared = self._shared = True
            if not source.device.is_host:
                return run_alone(self._steps, self._base)  # a copy, made anew: the base may have changed
            self._buffer = Buffer(run_kernels(source.array, self._steps))
        return self._buffer

    def _become(self, buffer: Buffer) -> None:
        """Leave the recording: a written array keeps its memory if others see it, a new one takes the buffer."""
        old = self._buffer
        if (
            old is not None and old.device is not buffer.device and old.device != buffer.device
        ):  # a number was written into a 0-d array
            buffer = ndarray(buffer).to(old.device)._settled()
        if old is not None and self._shared and (old.device.is_host or self._foreign):
            old.overwrite(buffer)
        else:
            self._buffer = buffer
        self._value = None
        self._recording = None

    def _export(self) -> numpy.ndarray:
        """The memory itself, for somebody who may write to it."""
        array = self._settled().array
        root = self._root()
        self._about_to_change()
        for handle in (self, root):
            handle._shared = handle._foreign = True
        recording = active_recording()
        if recording is not None:
            recording.expose(root)
        return array

    def _about_to_change(self) -> None:
        """Recordings that lifted this memory keep what it held so far."""
        recording = active_recording()
        for one in (*suspended(), *([recording] if recording is not None else [])):
            one.protect_root(self._root())

    # Writing -----------------------------------------------------------------------------------------------------

    def _assign(self, value: Value, recording: Recording) -> None:
        """Replace the whole contents in a recording; a view writes through to its base."""
        if self._base is not None:
            base = recording.value_of(self._base)
            self._base._assign(write_back(recording, base, value, self._steps), recording)
            return
        recording.tape.wrote(self)
        if self._recording is not recording:
            recording.mark_mutated(self)
            self._recording = recording
            recording.adopt(self)
        self._value = value
        if recording.is_seen(self):
            recording.write_now(self)

    def _write(self, key: Any, array: Any) -> None:
        """Write NumPy values into the memory at once."""
        target = self._settled()
        if not target.device.is_host:
            raise DeviceError(located(f"cannot write into a part of an array on {target.device}", here()))
        if not target.array.flags.writeable:
            raise ValueError(located("assignment destination is read-only", here()))
        self._about_to_change()
        target.array[key] = array

    def _value_through_base(self, recording: Recording, constant: bool = False) -> Value:
        """The value of a view: its steps applied to the base's present value; to derivatives it may be constant."""
        assert self._base is not None
        source = recording.contents_of(self._base) if constant else recording.value_of(self._base)
        if self._derived is None or self._derived[0] is not source:
            start = recording.emit(primitives["stop_gradient"], [source], {}) if constant else source
            self._derived = (source, emit_steps(recording, start, self._steps))
        return self._derived[1]

    # Python looks at it ------------------------------------------------------------------------------------------

    def _look(self, reason: str, what: str, settle: bool = False) -> numpy.ndarray:
        """The elements, for Python to read: a recording notes that it cannot replay what Python does with them.

        With `settle` it is the memory of the array itself.
        """
        recording = active_recording()
        if recording is None:
            return self._settled().array
        recording.escape(reason, f"{what} of {self._type} looks at a traced value")
        return self._settled().array if settle else recording.seen([recording.value_of(self)])[0].array

    def _outcome(self, kind: str, read: Callable[[numpy.ndarray], Any], reason: str = "value-branch") -> Any:
        """What Python sees of the elements: a plan goes on as recorded where it sees the same."""
        recording = active_recording()
        if recording is None:
            return read(self._settled().array)
        return recording.look(self, kind, read, reason, f"{kind} of {self._type}")

    def _number(self, what: str, read: Callable[[numpy.ndarray], Any]) -> Any:
        """A floating number, which Python may do anything with."""
        recording = active_recording()
        if recording is None:
            return read(self._settled().array)
        return recording.number(self, read, f"{what} of {self._type} looks at a traced value")

    def __bool__(self, /) -> bool:
        try:
            return self._outcome("bool", bool)
        except ValueError as cause:
            what = "is true in parts; use .any() or .all(), and & and | in place of `and` and `or`"
            raise self._no_number(cause, what) from cause

    def __int__(self, /) -> int:
        try:
            return self._outcome("int", int)
        except TypeError as cause:
            raise self._no_number(cause, "is no int; pick an element, or reduce it first") from cause

    def __float__(self, /) -> float:
        try:
            return self._number("float", float)
        except TypeError as cause:
            raise self._no_number(cause, "is no float; pick an element, or reduce it first") from cause

    def __complex__(self, /) -> complex:
        try:
            return complex(self._look("value-escape", "complex"))
        except TypeError as cause:
            raise self._no_number(cause, "is no complex number; pick an element, or reduce it first") from cause

    def _no_number(self, cause: Exception, what: str) -> Exception:
        """The error of somebody who takes an array for a number; what does not come of the shape stays as it is."""
        if not self.shape:
            return cause
        kind = ShapeError if isinstance(cause, ValueError) else DTypeError
        return kind(located(f"an array {self._type} {what}", here()))

    def __index__(self, /) -> int:
        return self._outcome("an index", operator.index)

    def item(self, /, *args: Any) -> Any:
        """One element as a Python number; without an index the array must have just one."""
        if self.dtype.kind in "biu":
            return self._outcome(f"item{args!r}", lambda array: array.item(*args))
        return self._number("item", lambda array: array.item(*args))

    def tolist(self, /) -> Any:
        """Nested lists of Python numbers."""
        if self.dtype.kind in "biu" and self.size <= _SEEN_WHOLE:
            elements = self._outcome("tolist", lambda array: tuple(array.reshape(-1).tolist()))
            return numpy.array(elements, self.dtype).reshape(self.shape).tolist()
        return self._look("value-escape", "tolist").tolist()

    def asnumpy(self, /) -> numpy.ndarray:
        """A copy as a NumPy array."""
        return numpy.array(self._look("value-escape", "asnumpy"))

    def asscalar(self, /) -> Any:
        """The only element of an array of size 1, as a Python number."""
        return self.item()

    def __repr__(self, /) -> str:
        return self._text(numpy.array_repr)

    def __str__(self, /) -> str:
        return self._text(numpy.array_str)

    def __format__(self, spec: str, /) -> str:
        return format(self._look("value-escape", "format")[()], spec)

    def _text(self, formatter: Any) -> str:
        array = self._look("value-escape", "printing")
        text = formatter(array)
        where = self.device
        return text if where.is_host else f"{text} @{where}"

    def __iter__(self, /) -> Iterator[ndarray]:
        if not self.shape:
            raise TypeError("iteration over an array without axes")
        return map(self.__getitem__, range(self.shape[0]))  # type: ignore[attr-defined]

    # Devices -----------------------------------------------------------------------------------------------------

    def to(self, device: Device | str) -> ndarray:
        """The array on a device: itself if it is there, otherwise a copy."""
        from dopegraph.backends.mxnet.arrays import to_device
        from dopegraph.runtime.device import device as as_device

        target = as_device(device)
        if target == self.device:
            return self
        recording = active_recording()
        if recording is not None:
            recording.escape("device-copy", f"a copy from {self.device} to {target}")
        return ndarray(to_device(self._settled(), target))


def from_numpy(array: numpy.ndarray) -> ndarray:
    """An array that shares a NumPy array's memory."""
    return ndarray(Buffer(array), foreign=True)


def owned(array: Any) -> ndarray:
    """An array of memory that nobody else has."""
    return ndarray(Buffer(numpy.asarray(array)))


def computed(array: Any) -> ndarray:
    """An array of what a kernel gave: in C order, as everything that is computed."""
    return ndarray(Buffer(numpy.asarray(array, order="C")))


def traced(value: Value, recording: Recording) -> ndarray:
    """A handle of a value."""
    handle = ndarray(None)
    handle._value = value
    handle._recording = recording
    recording._handles.append(ref(handle))  # as `adopt` does
    return handle
