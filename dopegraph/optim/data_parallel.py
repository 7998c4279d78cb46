"""`data_parallel`: a training step that many devices do together, each with its part of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.optim.trainer import Trainer
from dopegraph.parallel.splitting import Devices, split_and_load
from dopegraph.runtime.device import device as as_device
from dopegraph.transform import compile, record


def data_parallel(loss: Callable[..., Any], trainer: Trainer, devices: Devices) -> Step:
    """A training step over several devices.

    Each device computes the gradients of its part of the batch in one compiled graph; they are summed; each device
    changes its own copy of the parameters in another one. The result is that of one device with the whole batch, but
    for the order of sums, and for layers that look at the whole batch (`nn.BatchNorm` sees its part).

    Parameters
    ----------
    loss : callable
        From the arrays of a batch to the loss of each example, such as
        ``lambda data, label: softmax_cross_entropy(net(data), label)``.
    trainer : Trainer
        Of parameters that were initialized with ``device=devices``.
    devices : sequence of Device or str

    Returns
    -------
    callable
        ``step(data, label, ...)`` trains with a batch, cut into parts along the first axis, and returns the losses of
        its examples, on the first device.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import nn, optim
    >>> devices = [dopegraph.cpu(0)]
    >>> net = nn.Dense(1, in_units=2)
    >>> net.initialize("zeros", device=devices)
    >>> trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    >>> square_loss = nn.L2Loss()
    >>> step = optim.data_parallel(lambda x, y: square_loss(net(x), y), trainer, devices)
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> for _ in range(200):
    ...     losses = step(x, x @ np.array([2.0, -3.4]) + 4.2)
    >>> losses.shape, bool(np.all(losses < 1e-3))
    ((2,), True)
    """
    return Step(loss, trainer, devices)


class Step:
    """What `data_parallel` returns.

    Attributes
    ----------
    gradients : list of compiled functions
        What each device does with its part of a batch: leaves gradients, returns losses.
    """

    def __init__(self, loss: Callable[..., Any], trainer: Trainer, devices: Devices) -> None:
        self.trainer = trainer
        self.devices = [as_device(one) for one in devices]

        def gradients(*part: ndarray) -> Any:
            with record():
                losses = loss(*part)
            losses.backward()
            return losses

        self.gradients = [compile(gradients) for _ in self.devices]

    def __call__(self, *batch: Any) -> ndarray:
        parts = list(zip(*(split_and_load(array, self.devices, even_split=False) for array in batch)))
        losses: list[Any] = [None] * len(parts)
        # The host computes while it is called, other devices afterwards: it comes last, so that they work meanwhile.
        for number in sorted(range(len(parts)), key=lambda number: self.devices[number].is_host):
            with self.devices[number]:
                losses[number] = self.gradients[number](*parts[number])
        self.trainer.step(_length(batch))
        return np.concatenate([one.to(self.devices[0]) for one in losses])


def _length(batch: Sequence[Any]) -> int:
    return int(np.shape(batch[0])[0])
