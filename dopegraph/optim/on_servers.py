"""Updates that servers do: a worker sends its gradients when it has them, and gets the parameters as they are then."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.optimizer import Optimizer, OptimizerError
from dopegraph.parallel.reduction import Together, dtypes_of, joined, of_dtype, take_apart
from dopegraph.runtime.location import here, located


class OnServers:
    """The step of a `Trainer` with ``kvstore="dist_async"``.

    The optimizer is MXNet's of the same name and with the same arguments, on one long array for each dtype.
    """

    def __init__(self, store: Any, optimizer: Optimizer, parameters: Sequence[Any]) -> None:
        self._store = store
        self._optimizer = optimizer
        self._learned = [one for one in parameters if one.grad_req != "null"]
        self._together = Together()
        if optimizer.lr_scheduler is not None or any((one.lr_mult, one.wd_mult) != (1, 1) for one in self._learned):
            message = "Trainer: servers of 'dist_async' know neither lr_scheduler nor lr_mult and wd_mult"
            raise OptimizerError(located(f"{message}; 'dist_sync' does", here()))
        self.send()
        arrays = [one.data() for one in self._learned]
        for dtype in dtypes_of(arrays):
            flat = store.first(dtype, joined(of_dtype(arrays, dtype)))
            for place in range(len(self._learned[0].list_data())):
                copies = [one.list_data()[place] for one in self._learned]
                take_apart(of_dtype(copies, dtype), flat.to(copies[0].device))

    def send(self) -> None:
        """Give the servers the optimizer as it is now; what it kept of earlier steps is forgotten."""
        kind = type(self._optimizer)
        names = {
            name
            for one in kind.__mro__
            if issubclass(one, Optimizer)
            for name, parameter in inspect.signature(one.__init__).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            and name not in ("self", "lr_scheduler", "rescale_grad")
        }
        arguments = {name: getattr(self._optimizer, name) for name in sorted(names)}
        self._store.set_optimizer(kind.__name__.lower(), **arguments)

    def step(self, batch_size: int) -> None:
        """Send gradients, divided by `batch_size`, and get parameters."""
        scale = self._optimizer.rescale_grad / batch_size

        def further(dtype: str, gradient: ndarray) -> ndarray:
            found: ndarray = self._store.changed(dtype, gradient * np.asarray(scale, gradient.dtype))
            return found

        gradients, values = ([one.list_grad() for one in self._learned], [one.list_data() for one in self._learned])
        self._together(list(zip(*gradients)), further, list(zip(*values)))
