"""Recurrent layers: cells called for every step of time, in several layers and both directions.

Loops in Python: inside `dopegraph.compile` they run once. The products with the inputs are one for all steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.basic_layers import Dropout
from dopegraph.nn.block import Block
from dopegraph.nn.parameter import Parameter
from dopegraph.nn.recurrent_cells import gru_step, lstm_step, rnn_step
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

# In files Gluon writes the parameters as those of the cells that the layer consists of.
_NAME = re.compile(r"(l|r)(\d+)_(.*)")


class _Recurrent(Block):
    """What all recurrent layers share."""

    gates = 1
    states = 1

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        i2h_weight_initializer: Any = None,
        h2h_weight_initializer: Any = None,
        i2h_bias_initializer: Any = "zeros",
        h2h_bias_initializer: Any = "zeros",
        input_size: int = 0,
        dtype: Any = None,
        prefix: str | None = None,
        params: Any = None,
    ) -> None:
        super().__init__(prefix, params)
        if layout not in ("TNC", "NTC"):
            message = f"{type(self).__name__}: the layout is 'TNC' or 'NTC', not {layout!r}"
            raise ValueError(located(message, here()))
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.layout = layout
        self.dropout = dropout
        self.directions = ("l", "r") if bidirectional else ("l",)
        self._between = Dropout(dropout, prefix="")
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else hidden_size * len(self.directions)
            for direction in self.directions:
                for name, shape, init in (
                    ("i2h_weight", (rows, inputs), i2h_weight_initializer),
                    ("h2h_weight", (rows, hidden_size), h2h_weight_initializer),
                    ("i2h_bias", (rows,), i2h_bias_initializer),
                    ("h2h_bias", (rows,), h2h_bias_initializer),
                ):
                    full = f"{direction}{layer}_{name}"
                    made = self.params.get(full, shape=shape, init=init, dtype=dtype, allow_deferred_init=True)
                    setattr(self, full, made)

    def structural_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        """The names that Gluon's files have for them."""
        found = {}
        for name, parameter in self.own_parameters():
            matched = _NAME.match(name)
            assert matched is not None
            direction, layer, rest = matched.groups()
            cell = f"{direction}_cell." if len(self.directions) == 2 else ""
            found[f"{prefix}_unfused.{layer}.{cell}{rest}"] = parameter
        return found

    def infer_shape(self, x: Any, *states: Any) -> None:
        """The length of the input."""
        for direction in self.directions:
            parameter = getattr(self, f"{direction}0_i2h_weight")
            parameter.shape = (self.gates * self.hidden_size, np.shape(x)[-1])

    def begin_state(self, batch_size: int = 0, dtype: Any = None) -> list[ndarray]:
        """States of zeros, shape (layers * directions, batch, hidden) each."""
        shape = (self.num_layers * len(self.directions), batch_size, self.hidden_size)
        return [np.zeros(shape, dtype) for _ in range(self.states)]

    def forward(self, x: Any, states: Any = None) -> Any:
        """Run over all steps of time.

        Parameters
        ----------
        x : array_like, shape (time, batch, channels), or (batch, time, channels) with layout ``"NTC"``
        states : ndarray or list of ndarray, optional
            Zeros by default.

        Returns
        -------
        output : ndarray, shape (time, batch, hidden * directions), in the order of the layout
        states : list of ndarray, shape (layers * directions, batch, hidden)
            Only if states were given.
        """
        x = np.asarray(x)
        if x.ndim != 3:
            message = f"{type(self).__name__}: data of shape {x.shape}; it needs the axes {self.layout}"
            raise ShapeError(located(message, here()))
        if self.layout == "NTC":
            x = np.swapaxes(x, 0, 1)
        given = states is not None
        if not given:
            states = self.begin_state(x.shape[1], x.dtype)
        elif isinstance(states, ndarray):
            states = [states]
        states = [np.asarray(state) for state in states]
        expected = (self.num_layers * len(self.directions), x.shape[1], self.hidden_size)
        if len(states) != self.states or any(state.shape != expected for state in states):
            shapes = ", ".join(str(state.shape) for state in states)
            message = f"{type(self).__name__}: states of shape {shapes}; it takes {self.states} of shape {expected}"
            raise ShapeError(located(message, here()))
        output, after = self._run(x, states)
        if self.layout == "NTC":
            output = np.swapaxes(output, 0, 1)
        return (output, after) if given else output

    def _run(self, x: ndarray, states: Sequence[ndarray]) -> tuple[ndarray, list[ndarray]]:
        last: list[list[ndarray]] = []
        for layer in range(self.num_layers):
            if layer:
                x = self._between(x)
            outputs = []
            for direction in self.directions:
                place = len(last)
                output, after = self._direction(x, [state[place] for state in states], f"{direction}{layer}")
                outputs.append(output)
                last.append(after)
            x = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=-1)
        return x, [np.stack([after[number] for after in last]) for number in range(self.states)]

    def _direction(self, x: ndarray, states: list[ndarray], name: str) -> tuple[ndarray, list[ndarray]]:
        def parameter(which: str) -> ndarray:
            found: Parameter = getattr(self, f"{name}_{which}")
            return found.data()

        from_inputs = np.dot(x, parameter("i2h_weight").T) + parameter("i2h_bias")
        weight, bias = parameter("h2h_weight").T, parameter("h2h_bias")
        times = range(x.shape[0])
        outputs = []
        for time in times if name[0] == "l" else reversed(times):
            states = self._step(from_inputs[time], np.dot(states[0], weight) + bias, states)
            outputs.append(states[0])
        if not outputs:
            return np.zeros((0, x.shape[1], self.hidden_size), x.dtype), states
        return np.stack(outputs if name[0] == "l" else outputs[::-1]), states

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        raise NotImplementedError

    def __repr__(self) -> str:
        shape = getattr(self, "l0_i2h_weight").shape  # noqa: B009 - set by its computed name
        text = f"{shape[1] or None} -> {shape[0] // self.gates}, {self.layout}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.dropout:
            text += f", dropout={self.dropout}"
        if len(self.directions) == 2:
            text += ", bidirectional"
        return f"{type(self).__name__}({text})"


class RNN(_Recurrent):
    """Layers of plain recurrent cells: ``h = activation(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    hidden_size : int
    num_layers : int
    activation : {"relu", "tanh"}
    layout : {"TNC", "NTC"}
        Order of the axes time, batch, channels.
    dropout : float
        Between layers, in training mode.
    bidirectional : bool
        Whether other cells run from the end to the beginning, too.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : optional
    input_size : int
        By default found out in the first call.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> layer = nn.RNN(4, num_layers=2)
    >>> layer.initialize()
    >>> layer(np.ones((5, 3, 10))).shape
    (5, 3, 4)
    >>> output, states = layer(np.ones((5, 3, 10)), layer.begin_state(3))
    >>> [state.shape for state in states]
    [(2, 3, 4)]
    """

    def __init__(
        self,
        hidden_size: int,
        num_layers: int = 1,
        activation: str = "relu",
        layout: str = "TNC",
        dropout: float = 0,
        bidirectional: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(hidden_size, num_layers, layout, dropout, bidirectional, **kwargs)
        if activation not in ("relu", "tanh"):
            raise ValueError(located(f"RNN: the activation is 'relu' or 'tanh', not {activation!r}", here()))
        self.activation = activation

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return rnn_step(self.activation, from_input, from_state, states)


class LSTM(_Recurrent):
    """Layers of `LSTMCell`; see `RNN`. Its states are output and memory."""

    gates = 4
    states = 2

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return lstm_step(from_input, from_state, states)


class GRU(_Recurrent):
    """Layers of `GRUCell`; see `RNN`."""

    gates = 3

    def _step(self, from_input: ndarray, from_state: ndarray, states: list[ndarray]) -> list[ndarray]:
        return gru_step(from_input, from_state, states)
