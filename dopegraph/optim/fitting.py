"""`fit`: the training loop with a progress bar, early stopping and a checkpoint of the best; every step is compiled."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dopegraph.numpy as np
from dopegraph.optim.trainer import Trainer
from dopegraph.runtime.location import here, located
from dopegraph.transform import compile, record


@dataclass
class History:
    """What `fit` saw.

    Attributes
    ----------
    epochs : list of dict
        For each epoch: ``epoch``, ``loss`` and the metrics, with ``val_`` before the names of those on validation data.
    best : dict or None
        The epoch with the best monitored figure.
    stopped : str or None
        Why training ended before its time.
    train_step : callable
        The compiled step.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] | None = None
    stopped: str | None = None
    train_step: Any = None


class EarlyStopping:
    """When to stop: after `patience` epochs in which the monitored figure did not become better by `min_delta`.

    Parameters
    ----------
    patience : int
    min_delta : float
    monitor : str, optional
        ``"val_loss"`` by default, ``"loss"`` without validation data; or the name of a metric.
    mode : {"min", "max"}, optional
        Whether smaller is better; by default for losses and errors.
    """

    def __init__(
        self, patience: int = 5, min_delta: float = 0.0, monitor: str | None = None, mode: str | None = None
    ) -> None:
        if mode not in (None, "min", "max"):
            raise ValueError(located(f"EarlyStopping: mode is 'min' or 'max', not {mode!r}", here()))
        self.patience = patience
        self.min_delta = min_delta
        self.monitor = monitor
        self.mode = mode


_SMALLER_IS_BETTER = ("loss", "entropy", "perplexity", "mse", "mae", "rmse", "error")


def fit(
    net: Any,
    train_data: Iterable[Any],
    loss: Callable[..., Any],
    trainer: Trainer,
    epochs: int = 1,
    val_data: Iterable[Any] | None = None,
    metrics: Sequence[Any] = (),
    early_stopping: EarlyStopping | int | None = None,
    checkpoint: Any = None,
    callbacks: Sequence[Callable[[History], Any]] = (),
    verbose: bool = True,
) -> History:
    """Train a network: for every batch record the loss, compute gradients, change parameters, in one compiled step.

    Parameters
    ----------
    net : Block
    train_data, val_data : iterable of (data, label)
        Iterated once an epoch.
    loss : callable
        ``loss(net(data), label)``, such as `nn.SoftmaxCrossEntropyLoss`.
    trainer : Trainer
    epochs : int
    metrics : sequence of EvalMetric
        Updated with the outputs of training and, as ``val_...``, on the validation data.
    early_stopping : EarlyStopping or int, optional
        An integer is its patience.
    checkpoint : str or path, optional
        After every epoch that is the best so far the parameters are written there; at the end the best are loaded.
    callbacks : sequence of callable
        Called with the history after each epoch.
    verbose : bool
        Whether to show a progress bar, if tqdm is installed, and a line for each epoch.

    Returns
    -------
    History

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import data, nn, optim
    >>> x = np.arange(20.0).reshape((-1, 1)) / 10 - 1
    >>> net = nn.Dense(1)
    >>> net.initialize()
    >>> trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    >>> found = optim.fit(net, data.batches(x, 3 * x, batch_size=5), nn.L2Loss(), trainer, epochs=20, verbose=False)
    >>> found.epochs[-1]["loss"] < 1e-4
    True
    """
    stopping = EarlyStopping(early_stopping) if isinstance(early_stopping, int) else early_stopping
    history = History()

    @compile
    def train_step(x: Any, y: Any) -> Any:
        with record():
            output = net(x)
            losses = loss(output, y)
        losses.backward()
        trainer.step(x.shape[0])
        return np.sum(losses), output

    @compile
    def evaluate(x: Any, y: Any) -> Any:
        output = net(x)
        return np.sum(loss(output, y)), output

    history.train_step = train_step
    watch = _Watch(stopping or EarlyStopping(epochs + 1), val_data is not None)
    for epoch in range(epochs):
        row: dict[str, float] = {"epoch": epoch}
        row.update(_pass(_shown(train_data, epoch, verbose), train_step, metrics, ""))
        if val_data is not None:
            row.update(_pass(val_data, evaluate, metrics, "val_"))
        history.epochs.append(row)
        if watch.better(row):
            history.best = row
            if checkpoint is not None:
                net.save_parameters(checkpoint)
        if verbose:
            print(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
        for callback in callbacks:
            callback(history)
        if stopping is not None and watch.waited >= stopping.patience:
            history.stopped = f"{watch.monitor} did not become better in {watch.waited} epochs"
            break
    if checkpoint is not None and history.best is not None and os.path.exists(checkpoint):
        net.load_parameters(checkpoint)
    return history


def _pass(batches: Iterable[Any], step: Callable[..., Any], metrics: Sequence[Any], prefix: str) -> dict[str, float]:
    """Call the step with all batches; the mean loss and the metrics."""
    for metric in metrics:
        metric.reset()
    # Added up as arrays: a number that Python reads has to be computed first.
    total, examples = np.zeros(()), 0
    for x, y in batches:
        x, y = np.asarray(x), np.asarray(y)
        losses, output = step(x, y)
        total = total + losses
        examples += x.shape[0]
        for metric in metrics:
            metric.update(y, output)
    found = {f"{prefix}loss": float(total) / examples if examples else math.nan}
    for metric in metrics:
        found.update({prefix + name: value for name, value in metric.get_name_value()})
    return found


def _shown(batches: Iterable[Any], epoch: int, verbose: bool) -> Iterable[Any]:
    if not verbose:
        return batches
    try:
        from tqdm import tqdm
    except ImportError:
        return batches
    shown: Iterable[Any] = tqdm(batches, desc=f"epoch {epoch}", leave=False, unit="batch", mininterval=0.5)
    return shown


class _Watch:
    """Follows one figure."""

    def __init__(self, stopping: EarlyStopping, validated: bool) -> None:
        self.monitor = stopping.monitor or ("val_loss" if validated else "loss")
        smaller = any(part in self.monitor.replace("-", "_").lower() for part in _SMALLER_IS_BETTER)
        self._sign = 1 if (stopping.mode == "min" if stopping.mode else smaller) else -1
        self._min_delta = stopping.min_delta
        self._best = math.inf
        self.waited = 0

    def better(self, row: dict[str, float]) -> bool:
        """Whether an epoch is the best so far."""
        if self.monitor not in row:
            message = f"fit: there is no {self.monitor!r} to watch; there are {', '.join(row)}"
            raise ValueError(located(message, here()))
        value = self._sign * row[self.monitor]
        if value < self._best - self._min_delta:
            self._best = value
            self.waited = 0
            return True
        self.waited += 1
        return False
