"""What a step of a `Trainer` changes: parameters, with what an optimizer keeps for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dopegraph.array import ndarray
from dopegraph.optim.optimizer import Optimizer
from dopegraph.runtime.device import current_device

States = list[Any]
"""For each parameter a tuple of arrays, or None before it is needed."""


class Change:
    """Calling it changes those copies of the parameters that are on the current device.

    It is apart from `Trainer` so that what a compiled update reaches is this and no more.

    Attributes
    ----------
    states : list of tuple of ndarray
        Of the parameters' first copies.
    further : dict
        Of those on further devices, by the devices' names.
    """

    def __init__(self, optimizer: Optimizer, parameters: Sequence[Any]) -> None:
        self.optimizer = optimizer
        self.parameters = parameters
        # Where shapes are not known yet, the first step makes them.
        self.states: States = [None] * len(parameters)
        self.further: dict[str, States] = {}

    def __call__(self) -> None:
        for number, parameter in enumerate(self.parameters):
            if parameter.grad_req != "null":
                state = self.state(number)
                self.optimizer.update(parameter.data(), parameter.grad(), state, parameter.lr_mult, parameter.wd_mult)

    def state(self, number: int) -> tuple[ndarray, ...]:
        """What belongs to a parameter, on the current device."""
        parameter = self.parameters[number]
        states = self._states_of(parameter)
        if states[number] is None:
            states[number] = self.optimizer.create_state(parameter.data())
        found: tuple[ndarray, ...] = states[number]
        return found

    def _states_of(self, parameter: Any) -> States:
        if not parameter._copies or str(current_device()) not in parameter._copies:
            return self.states
        place = str(current_device())
        if place not in self.further:
            self.further[place] = [None] * len(self.parameters)
        return self.further[place]
