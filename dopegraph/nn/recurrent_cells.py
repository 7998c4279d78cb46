"""Cells of recurrent networks: one step of time, with Gluon's parameters and order of gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.activations import ACTIVATIONS
from dopegraph.nn.basic_layers import Dropout
from dopegraph.nn.block import Block
from dopegraph.nn.functional import sigmoid
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


def rnn_step(activation: str, from_input: ndarray, from_state: ndarray, states: Sequence[ndarray]) -> list[ndarray]:
    """The new state of a plain recurrent cell (Elman, *Finding Structure in Time*, 1990)."""
    return [ACTIVATIONS[activation](from_input + from_state)]


def lstm_step(from_input: ndarray, from_state: ndarray, states: Sequence[ndarray]) -> list[ndarray]:
    """The new states of an LSTM: Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000."""
    size = states[0].shape[-1]
    gates = from_input + from_state
    i, f, g, o = (gates[..., number * size : (number + 1) * size] for number in range(4))
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(from_input: ndarray, from_state: ndarray, states: Sequence[ndarray]) -> list[ndarray]:
    """The new state of a GRU: Cho et al., 2014, with the reset gate applied after the product, as in cuDNN."""
    size = states[0].shape[-1]
    both = from_input[..., : 2 * size] + from_state[..., : 2 * size]
    r, z = sigmoid(both[..., :size]), sigmoid(both[..., size:])
    candidate = np.tanh(from_input[..., 2 * size :] + r * from_state[..., 2 * size :])
    return [(1 - z) * candidate + z * states[0]]


class RecurrentCell(Block):
    """The base of all cells: ``output, states = cell(input, states)``."""

    def state_sizes(self) -> list[int]:
        """How long each state of one example is."""
        raise NotImplementedError

    def begin_state(self, batch_size: int, dtype: Any = None) -> list[ndarray]:
        """States of zeros, shape (batch, size) each."""
        return [np.zeros((batch_size, size), dtype) for size in self.state_sizes()]

    def unroll(
        self,
        length: int,
        inputs: Any,
        begin_state: Sequence[ndarray] | None = None,
        layout: str = "NTC",
        merge_outputs: bool | None = None,
    ) -> tuple[Any, list[ndarray]]:
        """Call the cell for each step of time.

        Parameters
        ----------
        length : int
            How many steps.
        inputs : array_like, or sequence of array_like
            One array with an axis of time, or one array (batch, channels) for each step.
        begin_state : sequence of ndarray, optional
            Zeros by default.
        layout : {"NTC", "TNC"}
            Whether time is the second or the first axis of an array.
        merge_outputs : bool, optional
            Whether the outputs are one array; by default if the inputs are.

        Returns
        -------
        outputs : ndarray or list of ndarray
        states : list of ndarray
        """
        if layout not in ("NTC", "TNC"):
            raise ValueError(located(f"unroll: the layout is 'NTC' or 'TNC', not {layout!r}", here()))
        axis = layout.index("T")
        merged = not isinstance(inputs, (list, tuple))
        if merged:
            array = np.asarray(inputs)
            steps = [np.take(array, step, axis=axis) for step in range(array.shape[axis])]
        else:
            steps = [np.asarray(one) for one in inputs]
        if len(steps) != length:
            raise ShapeError(located(f"unroll: {len(steps)} inputs for length {length}", here()))
        states = list(begin_state) if begin_state is not None else self.begin_state(steps[0].shape[0], steps[0].dtype)
        outputs = []
        for step in steps:
            output, states = self(step, states)
            outputs.append(output)
        if merge_outputs is None:
            merge_outputs = merged
        return (np.stack(outputs, axis) if merge_outputs else outputs), states

    def reset(self) -> None:
        """Do nothing, as cells keep nothing: for programs written for Gluon."""


class _GatedCell(RecurrentCell):
    """What cells share that multiply input and state with one weight each."""

    gates = 1
    hint = ""

    def __init__(
        self,
        hidden_size: int,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        self.hidden_size = hidden_size
        rows = self.gates * hidden_size
        get = self.params.get
        self.i2h_weight = get(
            "i2h_weight", shape=(rows, input_size), init=i2h_weight_initializer, allow_deferred_init=True
        )
        self.h2h_weight = get(
            "h2h_weight", shape=(rows, hidden_size), init=h2h_weight_initializer, allow_deferred_init=True
        )
        self.i2h_bias = get("i2h_bias", shape=(rows,), init=i2h_bias_initializer, allow_deferred_init=True)
        self.h2h_bias = get("h2h_bias", shape=(rows,), init=h2h_bias_initializer, allow_deferred_init=True)

    def _alias(self) -> str:
        return self.hint

    def infer_shape(self, x: Any, *states: Any) -> None:
        """The length of the input."""
        self.i2h_weight.shape = (self.gates * self.hidden_size, np.shape(x)[-1])

    def forward(self, x: Any, states: Sequence[Any]) -> tuple[ndarray, list[ndarray]]:
        """One step of time: the output is the first of the new states."""
        before = [np.asarray(state) for state in states]
        from_input = np.dot(np.asarray(x), self.i2h_weight.data().T) + self.i2h_bias.data()
        from_state = np.dot(before[0], self.h2h_weight.data().T) + self.h2h_bias.data()
        after = self._step(from_input, from_state, before)
        return after[0], after

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        raise NotImplementedError

    def state_sizes(self) -> list[int]:
        """One state."""
        return [self.hidden_size]

    def __repr__(self) -> str:
        assert self.i2h_weight.shape is not None
        return f"{type(self).__name__}({self.i2h_weight.shape[1] or None} -> {self.i2h_weight.shape[0]})"


class RNNCell(_GatedCell):
    """A plain recurrent cell: ``h = activation(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    hidden_size : int
    activation : {"tanh", "relu", ...}
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : optional
    input_size : int
        By default found out in the first call.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> cell = nn.RNNCell(4)
    >>> cell.initialize()
    >>> output, states = cell(np.ones((2, 3)), cell.begin_state(2))
    >>> output.shape
    (2, 4)
    """

    hint = "rnn"

    def __init__(self, hidden_size: int, activation: str = "tanh", *args: Any, **kwargs: Any) -> None:
        super().__init__(hidden_size, *args, **kwargs)
        self.activation = activation

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return rnn_step(self.activation, from_input, from_state, states)


class LSTMCell(_GatedCell):
    """A long short-term memory cell with states h and c; gates are stored in the order input, forget, cell, output."""

    gates = 4
    hint = "lstm"

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return lstm_step(from_input, from_state, states)

    def state_sizes(self) -> list[int]:
        """Output and memory."""
        return [self.hidden_size, self.hidden_size]


class GRUCell(_GatedCell):
    """A gated recurrent unit; gates are stored in the order reset, update, new."""

    gates = 3
    hint = "gru"

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return gru_step(from_input, from_state, states)


class SequentialRNNCell(RecurrentCell):
    """Cells one over the other, as one cell; its states are those of all, one after the other."""

    def __init__(self, prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.cells: list[RecurrentCell] = []

    def add(self, cell: RecurrentCell) -> None:
        """Put a cell on top."""
        self.cells.append(cell)

    def children(self) -> Iterator[tuple[str, Block]]:
        """The cells, with their numbers."""
        return ((str(number), cell) for number, cell in enumerate(self.cells))

    def state_sizes(self) -> list[int]:
        """Those of all cells."""
        return [size for cell in self.cells for size in cell.state_sizes()]

    def forward(self, x: Any, states: Sequence[Any]) -> tuple[Any, list[ndarray]]:
        """One step of time through all cells."""
        after: list[ndarray] = []
        place = 0
        for cell in self.cells:
            count = len(cell.state_sizes())
            x, new = cell(x, list(states[place : place + count]))
            after += new
            place += count
        return x, after

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, key: int) -> RecurrentCell:
        return self.cells[key]


class DropoutCell(RecurrentCell):
    """`Dropout` between two cells."""

    def __init__(self, rate: float, axes: Sequence[int] = (), prefix: str | None = None, params: Any = None) -> None:
        super().__init__(prefix, params)
        self.dropout = Dropout(rate, axes, prefix="")

    def _alias(self) -> str:
        return "dropout"

    def state_sizes(self) -> list[int]:
        """None."""
        return []

    def forward(self, x: Any, states: Sequence[Any]) -> tuple[ndarray, list[ndarray]]:
        """Drop elements, in training mode."""
        return self.dropout(x), []
