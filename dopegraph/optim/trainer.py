"""`Trainer`: applies an optimizer to the parameters of a network after each ``backward``."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.numpy.stored import atomic_write
from dopegraph.optim.change import Change
from dopegraph.optim.on_servers import OnServers
from dopegraph.optim.optimizer import Optimizer, OptimizerError, create
from dopegraph.parallel.kvstore import LOCAL, KVStore, create_store
from dopegraph.parallel.per_device import PerDevice
from dopegraph.parallel.reduction import Together
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording


class Trainer:
    """Changes parameters by their gradients.

    ``step`` is ordinary array code: inside a compiled function it is part of the compiled step. For the sum of the
    gradients of several batches: ``params.setattr("grad_req", "add")``, and ``params.zero_grad()`` after each ``step``.

    Parameters
    ----------
    params : ParameterDict, dict, or sequence of Parameter
        Such as ``net.collect_params()``. Those with ``grad_req="null"`` stay as they are.
    optimizer : str or Optimizer
    optimizer_params : dict, optional
        Arguments of the optimizer, such as ``{"learning_rate": 0.1, "wd": 0.001}``.
    kvstore : str or KVStore, optional
        Sums gradients over machines, too: ``"dist_sync"``, see `dopegraph.parallel.create_store`. With ``"dist_async"``
        servers do the updates, and workers do not wait for each other. ``"local"`` and ``"device"`` mean no other
        machines, as the default does.

    Notes
    -----
    The gradients of parameters that are on several devices, or machines, are summed; then each device changes its own
    copies. That cannot be part of a compiled function, which is one device's: there, `step` comes after it. All
    machines begin with the values of the first one, so the parameters must have values.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import nn, optim
    >>> net = nn.Dense(1, in_units=2)
    >>> net.initialize("zeros")
    >>> trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    >>> loss = nn.L2Loss()
    >>> @dopegraph.compile
    ... def train_step(x, y):
    ...     with dopegraph.record():
    ...         error = loss(net(x), y)
    ...     error.backward()
    ...     trainer.step(x.shape[0])
    ...     return np.mean(error)
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> for _ in range(200):
    ...     error = train_step(x, x @ np.array([2.0, -3.4]) + 4.2)
    >>> float(error) < 1e-3
    True
    """

    def __init__(
        self,
        params: Any,
        optimizer: Any,
        optimizer_params: Mapping[str, Any] | None = None,
        kvstore: str | KVStore | None = "device",
    ) -> None:
        values = params.values() if hasattr(params, "values") else params
        self._parameters = list(values)
        for parameter in self._parameters:
            if not hasattr(parameter, "grad_req"):
                message = f"Trainer: parameters, not a {type(parameter).__name__}; pass net.collect_params()"
                raise OptimizerError(located(message, here()))
        self.optimizer: Optimizer = create(optimizer, **dict(optimizer_params or {}))
        if isinstance(kvstore, str) and kvstore not in LOCAL:
            kvstore = create_store(kvstore)
        # None where there are no other machines or devices: what a compiled step reaches, it guards in every call.
        self.store = kvstore if isinstance(kvstore, KVStore) and kvstore.type not in LOCAL else None
        self._together: Together | None = None
        self._change_there: PerDevice | None = None
        self._on_servers: OnServers | None = None
        if self.store is not None and (self.store.num_workers > 1 or self.store.type == "dist_async"):
            self._begin_alike()
        self._change = Change(self.optimizer, self._parameters)
        for number, parameter in enumerate(self._parameters):
            if parameter.grad_req != "null" and parameter.is_initialized():
                self._change.state(number)
        self._scale = self.optimizer.rescale_grad

    @property
    def learning_rate(self) -> float:
        """The learning rate."""
        return self.optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Set the learning rate; a compiled step follows it."""
        self.optimizer.learning_rate = lr
        if self._on_servers is not None:
            self._on_servers.send()

    def step(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Change all parameters by their gradients divided by `batch_size`, summed over devices and machines.

        Parameters
        ----------
        batch_size : int
            By which gradients are divided: of a sum over a batch, they become those of the mean. It is the size of the
            whole batch, where parts of it are on several devices or machines.
        ignore_stale_grad : bool
            Does nothing: gradients are not marked.
        """
        if self._on_servers is not None:
            self._on_servers.step(batch_size)
            return
        self.allreduce_grads()
        self.update(batch_size)

    def allreduce_grads(self) -> None:
        """Replace gradients by their sums over devices and machines: the first half of `step`."""
        self._is_here("allreduce_grads")
        learned = [one for one in self._parameters if one.grad_req != "null"]
        further = None if self.store is None or self.store.num_workers == 1 else self.store.sum
        if learned and (further is not None or learned[0]._copies):
            if active_recording() is not None:
                message = "Trainer.step: the sum over devices or machines cannot be part of a compiled function"
                raise OptimizerError(located(f"{message}; call step after it, or use optim.data_parallel", here()))
            if self._together is None:
                self._together = Together()
            self._together(list(zip(*[one.list_grad() for one in learned])), further)

    def _begin_alike(self) -> None:
        """All machines begin with the first one's parameters."""
        assert self.store is not None
        waiting = [one.name for one in self._parameters if not one.is_initialized()]
        if waiting:
            message = f"Trainer: {waiting[0]} has no values yet, so machines would not begin with the same ones"
            raise OptimizerError(located(f"{message}; call the network once before, or give in_units, ...", here()))
        if self.store.type == "dist_async":
            self._on_servers = OnServers(self.store, self.optimizer, self._parameters)
            return
        for number, parameter in enumerate(self._parameters):
            parameter.set_data(self.store.first(f"parameter {number}", parameter.data()))

    def _is_here(self, what: str) -> None:
        if self._on_servers is not None:
            message = f"Trainer.{what}: with 'dist_async' servers change the parameters; call step"
            raise OptimizerError(located(message, here()))

    def update(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Change all parameters by their gradients divided by `batch_size`: the second half of `step`."""
        self._is_here("update")
        if not batch_size > 0:
            raise OptimizerError(located(f"Trainer.step: batch_size must be larger than 0, not {batch_size}", here()))
        optimizer = self.optimizer
        optimizer.rescale_grad = self._scale / batch_size
        try:
            optimizer.step()
            places = self._parameters[0].list_device() if self._parameters and self._parameters[0]._copies else []
            for place in places:
                with place:
                    for number, parameter in enumerate(self._parameters):
                        if parameter.grad_req != "null":
                            self._change.state(number)
            for place in places:
                if self._change_there is None:
                    self._change_there = PerDevice(self._change)
                self._change_there.on(place)
            if not places:
                self._change()
        finally:
            optimizer.rescale_grad = self._scale

    def save_states(self, fname: Any) -> None:
        """Write what the optimizer keeps, to go on later: counters, velocities, averages."""
        states = [None if state is None else [array.asnumpy() for array in state] for state in self._change.states]
        kept = {"kind": type(self.optimizer).__name__, "steps": self.optimizer.num_update, "states": states}
        kept["learning_rate"] = float(self.optimizer._learning_rate)
        with atomic_write(fname) as file:
            pickle.dump(kept, file)

    def load_states(self, fname: Any) -> None:
        """Read what `save_states` wrote, into a trainer of the same optimizer and parameters.

        Read only files that you wrote: like all pickles they can do anything.
        """
        with open(fname, "rb") as file:
            kept = pickle.load(file)
        if kept["kind"] != type(self.optimizer).__name__ or len(kept["states"]) != len(self._parameters):
            message = f"load_states: {fname} is of {kept['kind']} with {len(kept['states'])} parameters"
            mine = f"this trainer of {type(self.optimizer).__name__} with {len(self._parameters)}"
            raise OptimizerError(located(f"{message}, {mine}", here()))
        for number, state in enumerate(kept["states"]):
            if state is not None:
                self._fill(number, state)
        self.optimizer._steps[...] = kept["steps"]
        self.optimizer._learning_rate[...] = kept["learning_rate"]

    def _fill(self, number: int, state: Sequence[numpy.ndarray[Any, Any]]) -> None:
        for place in self._parameters[number].list_device():
            with place:
                for array, values in zip(self._change.state(number), state):
                    array[...] = np.asarray(values).to(place)

    def __repr__(self) -> str:
        return f"Trainer({self.optimizer!r}, {len(self._parameters)} parameters)"
