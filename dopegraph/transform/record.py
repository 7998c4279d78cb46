"""The book's way to derivatives: ``x.attach_grad()``, ``with record(): ...``, ``loss.backward()``, ``x.grad``.

Operations inside ``record()`` are recorded, not run; ``backward`` compiles forward and backward together, and finds the
compiled graph again in the next iteration by its structure.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

from dopegraph.array import ndarray
from dopegraph.autodiff import dependents, left_out, pullback
from dopegraph.ir.graph import Value
from dopegraph.numpy.creation import zeros_like
from dopegraph.numpy.promotion import as_array, convert
from dopegraph.ops import add, full
from dopegraph.runtime.config import training_mode
from dopegraph.runtime.errors import GradientError, ShapeError, TapeWarning
from dopegraph.runtime.location import here, located, user_frame
from dopegraph.trace.active import active, active_recording, tape_is_open
from dopegraph.trace.ending import end
from dopegraph.trace.recording import Recording
from dopegraph.trace.tape import left_behind

# Values of arrays with `attach_grad` that were read, and the arrays.
Sources = Sequence[tuple[Value, ndarray]]

_NOT_RECORDED = (
    "backward: this array was not computed inside `with record():`, or its recording is used up; "
    "call backward(retain_graph=True) to go back twice"
)

GRAD_REQS = ("write", "add", "null")


class record:
    """Record operations for ``backward``.

    Parameters
    ----------
    train_mode : bool
        Whether code inside runs in training mode.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> x = np.array([[1., 2.], [3., 4.]])
    >>> x.attach_grad()
    >>> with dopegraph.record():
    ...     z = 2 * x * x
    >>> z.backward()
    >>> x.grad
    array([[ 4.,  8.],
           [12., 16.]], dtype=float32)
    """

    def __init__(self, train_mode: bool = True) -> None:
        self._mode = training_mode(train_mode)
        self._inside: list[tuple[Recording, bool]] = []

    def __enter__(self) -> None:
        outer = _around()
        recording = outer if outer is not None else _open_tape(user_frame(2))
        if recording.of_call:
            recording.tape.where = here()
        self._inside.append((recording, outer is None))
        recording.__enter__()
        recording.tape.start()
        self._mode.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recording, outermost = self._inside.pop()
        self._mode.__exit__()
        recording.tape.stop()
        recording.__exit__()
        if outermost:
            recording.suspend()
            if error is not None:
                _close(recording)
        elif error is not None and _is_as_outside(recording) and not recording.tape.depth:
            recording.tape.forget()


def _is_as_outside(recording: Recording) -> bool:
    """Whether, without what records here, the thread's own tape would be meant."""
    return recording.of_call and not recording.gradients and not recording.examples


def _around() -> Recording | None:
    """The recording around, if it is the one to go on with."""
    recording = active_recording()
    if recording is not None and _is_as_outside(recording) and tape_is_open():
        recording.give_up("open-tape", "a `record()` outside of the call goes on")
        return None
    return recording


def outlives_its_call(recording: Recording) -> bool:
    """Whether somebody holds what a call recorded for a derivative that it did not take."""
    tape = recording.tape
    if not tape.sources:
        return False
    depending = dependents(recording.builder, tape.nodes(), tape.sources).difference(tape.sources)
    for collected in (False, True):
        if collected:
            gc.collect()  # what only refers to itself is no longer held
        held = [one._value for one in recording.live_roots()]
        held += [value for _, value in recording.lifted.values()]
        held += [value for reference, value in recording.evaluated.values() if reference() is not None]
        if depending.isdisjoint(held):
            return False
    return True


def leave_open(recording: Recording) -> None:
    """Let `backward` find what a call, which is over, recorded for it."""
    if active.tape is not None:
        _close(active.tape)  # nothing is left of it, or the call had given up
    recording.of_call = False  # it is the thread's own now
    active.tape = recording
    recording.suspend()


def _open_tape(frame: FrameType | None) -> Recording:
    """The recording that outermost blocks go on with until `backward`; a new one if nothing is left of it."""
    if active.tape is not None and not tape_is_open():
        _close(active.tape)
    if active.tape is None:
        active.tape = Recording("recorded", checks=True, anchor=frame.f_code if frame is not None else None)
    tape: Recording = active.tape
    return tape


def _close(recording: Recording) -> None:
    """Evaluate what is left and forget the tape."""
    with recording:
        recording.finish()
    recording.resume()
    recording.close()
    if active.tape is recording:
        active.tape = None


def attach_grad(self: ndarray, grad_req: str = "write") -> None:
    """Keep a place for the gradient of this array, which ``backward`` fills.

    Parameters
    ----------
    grad_req : {"write", "add", "null"}
        Whether a new gradient replaces the old one, is added to it, or is not wanted.
    """
    if grad_req not in GRAD_REQS:
        raise ValueError(
            located(f"attach_grad: grad_req must be one of {', '.join(GRAD_REQS)}, not {grad_req!r}", here())
        )
    if self.dtype.kind not in "fc":
        raise GradientError(
            located(f"attach_grad: an array of {self.dtype} has no gradient; use x.astype('float32')", here())
        )
    self._grad_req = grad_req
    self._gradient = zeros_like(self) if grad_req != "null" else None


def gradient_of(self: ndarray) -> ndarray | None:
    """The gradient that the last ``backward`` left; None without ``attach_grad``."""
    return self._gradient


def detach(self: ndarray) -> ndarray:
    """The same values, through which no derivative flows."""
    from dopegraph.transform.gradient import stop_gradient

    return stop_gradient(self)


def backward(self: ndarray, head_gradient: Any = None, retain_graph: bool = False) -> None:
    """Compute the gradients of all arrays with ``attach_grad`` that this one was recorded from.

    Parameters
    ----------
    head_gradient : array_like, optional
        The gradient with respect to this array, of its shape; ones by default, so that the sum is differentiated.
    retain_graph : bool, optional
        Keep the recording, so that ``backward`` can be called once more.

    Raises
    ------
    GradientError
        When the array was not computed inside ``record()`` from an array with ``attach_grad``.
    """
    outer = _around()
    recording = outer if outer is not None else _recording_of(self)
    if recording is None:
        raise GradientError(located(_NOT_RECORDED, here()))
    recording.tape.used = True
    with recording:
        value = recording.value_of(self)
        if value in recording.tape.sources and not any(value in node.outputs for node in recording.tape.nodes()):
            raise GradientError(located(_NOT_RECORDED, here()))
        if not value.type.is_float:
            raise GradientError(located(f"backward: an array of {value.type.dtype} has no gradient", here()))
        cotangent = _ones(recording, value) if head_gradient is None else recording.value_of(_head(self, head_gradient))
        sources = list(recording.tape.sources.items())
        if outer is None and not retain_graph and _are_apart(recording, [handle for _, handle in sources]):
            _end(recording, value, cotangent, sources)
        else:
            found = _pulled(recording, value, cotangent, sources)
            _store(recording, [(handle, g) for (_, handle), g in zip(sources, found) if g is not None])
            if not retain_graph:
                roots = recording.live_roots()
                for number in _left_behind(recording, value, [root._value for root in roots]):
                    recording.tape.cut.add(roots[number]._value)
                    left_behind.add(roots[number])
        if not retain_graph:
            recording.tape.forget()
    if outer is None and not retain_graph:
        _close(recording)


def _pulled(recording: Recording, value: Value, cotangent: Value, sources: Sources) -> list[Value | None]:
    nodes = recording.tape.nodes()
    if recording.tape.cut and value in dependents(recording.builder, nodes, recording.tape.cut):
        message = "backward: a derivative ends at an array that an earlier `with record():` computed, as the backward()"
        message += " in between has forgotten how; call that with retain_graph=True, or take x.detach()"
        warnings.warn(located(message, here()), TapeWarning, stacklevel=4)
    found = pullback(recording.builder, {value: cotangent}, [leaf for leaf, _ in sources], nodes)
    if all(g is None for g in found):
        message = "backward: the array depends on none that has attach_grad(), inside record()"
        message += "; call x.attach_grad() before `with record():`"
        raise GradientError(located(message, here()))
    return found


def _left_behind(recording: Recording, value: Value, held: Sequence[Value]) -> list[int]:
    """Which values, by number, depend on arrays with `attach_grad` by nodes that the derivative does not go through."""
    tape = recording.tape
    behind = left_out(recording.builder, tape.nodes(), [*tape.sources, *tape.cut], value)
    return [number for number, one in enumerate(held) if one in behind]


def _are_apart(recording: Recording, handles: list[ndarray]) -> bool:
    """Whether each array has a gradient of its own that the recording knows nothing of."""
    places = {id(handle._gradient): handle._gradient for handle in handles}
    if len(places) < len(handles) or not recording.lifted.keys().isdisjoint(places):
        return False
    if recording.evaluated and not recording.evaluated.keys().isdisjoint(places):
        return False
    return all([place is not None and place._base is None and place._recording is None for place in places.values()])


def _end(recording: Recording, value: Value, cotangent: Value, sources: Sources) -> None:
    """Store the gradients as the last thing that the recording is for."""
    earlier = [recording.value_of(handle._gradient) if handle._grad_req == "add" else None for _, handle in sources]

    def pull() -> list[Value | None]:
        found = _pulled(recording, value, cotangent, sources)
        with recording.builder:
            return [g if g is None or old is None else add(old, g) for g, old in zip(found, earlier)]

    of = [value, cotangent, *(leaf for leaf, _ in sources)]
    question = ("backward", recording.tape.ranges, tuple([old is None for old in earlier]))
    buffers = end(recording, question, of, pull, lambda held: _left_behind(recording, value, held))
    for (_, handle), buffer in zip(sources, buffers):
        if buffer is not None:
            assert handle._gradient is not None
            handle._gradient._become(buffer)


def _recording_of(handle: ndarray) -> Recording | None:
    tape, one = active.tape, handle
    while True:
        if one._recording is not None:
            return one._recording
        if tape is not None and tape.holds(one):
            return tape  # a view of something on it
        if one._base is None:
            return None
        one = one._base


def _ones(recording: Recording, value: Value) -> Value:
    with recording.builder:
        ones: Value = full(value=1.0, shape=value.shape, dtype=value.type.dtype)
    return ones


def _head(self: ndarray, head_gradient: Any) -> ndarray:
    head = convert(as_array(head_gradient), self.dtype)
    if head.shape != self.shape:
        message = f"backward: a head gradient of shape {head.shape} for an array of shape {self.shape}"
        raise ShapeError(located(message, here()))
    return head


def _store(recording: Recording, gradients: list[tuple[ndarray, Value]]) -> None:
    """Write or add gradients; an array that was written to meanwhile has one for each of its values."""
    sums: dict[int, tuple[ndarray, Value]] = {}
    with recording.builder:
        for handle, g in gradients:
            if id(handle) in sums:
                g = add(sums[id(handle)][1], g)
            elif handle._gradient is not None and handle._grad_req == "add":
                g = add(recording.value_of(handle._gradient), g)
            sums[id(handle)] = (handle, g)
    for handle, g in sums.values():
        if handle._gradient is not None:
            handle._gradient._assign(g, recording)


def attach_methods() -> None:
    """Give `ndarray` the book's methods."""
    methods: dict[str, Any] = {
        "attach_grad": attach_grad,
        "backward": backward,
        "detach": detach,
        "grad": property(gradient_of),
    }
    for name, method in methods.items():
        setattr(ndarray, name, method)
