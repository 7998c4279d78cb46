"""`CTCLoss`: sequences of labels for longer sequences of predictions, wherever the labels stand among them."""

from __future__ import annotations

from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.nn.functional import log_softmax
from dopegraph.nn.losses import Loss
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

# The logarithm of what is impossible. Not infinite, as differences of infinities have no gradient.
NEVER = -1e30


class CTCLoss(Loss):
    """The negative logarithm of the probability of a sequence of labels, over all ways to stretch it in time.

    The last class is the blank: nothing, or what stands between two equal labels. The sum over all ways is that of
    Graves et al., *Connectionist Temporal Classification*, 2006, equations 6 to 8, in logarithms; the gradient is that
    of its operations.

    Parameters
    ----------
    layout : {"NTC", "TNC"}
        Order of the axes batch, time, classes in predictions.
    label_layout : {"NT", "TN"}
    weight : float, optional

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> predictions = np.zeros((1, 2, 2))  # two steps, a class and the blank: four ways, equally probable
    >>> np.exp(-nn.CTCLoss()(predictions, np.array([[0]])))  # three of them say the label once
    array([0.75], dtype=float32)
    """

    def __init__(
        self, layout: str = "NTC", label_layout: str = "NT", weight: float | None = None, **kwargs: Any
    ) -> None:
        if layout not in ("NTC", "TNC") or label_layout not in ("NT", "TN"):
            message = f"CTCLoss: layout {layout!r} and label_layout {label_layout!r}; there are NTC, TNC and NT, TN"
            raise ValueError(located(message, here()))
        super().__init__(weight, label_layout.find("N"), **kwargs)
        self.layout = layout
        self.label_layout = label_layout

    def forward(
        self, pred: Any, label: Any, pred_lengths: Any = None, label_lengths: Any = None, sample_weight: Any = None
    ) -> ndarray:
        """The loss of each example.

        Parameters
        ----------
        pred : array_like, shape (batch, time, classes), in the order of the layout
            Before `softmax`.
        label : array_like, shape (batch, length)
            Numbers of classes. Without `label_lengths` a sequence ends before its first negative number.
        pred_lengths, label_lengths : array_like of int, shape (batch,), optional
            How much of each is used.
        """
        pred, label = np.asarray(pred), np.asarray(label)
        if pred.ndim != 3 or label.ndim != 2:
            message = f"CTCLoss: predictions of shape {pred.shape} and labels of shape {label.shape}"
            raise ShapeError(located(f"{message}; they need the axes {self.layout} and {self.label_layout}", here()))
        if self.layout == "NTC":
            pred = np.swapaxes(pred, 0, 1)
        if self.label_layout == "TN":
            label = label.T
        if pred.shape[1] != label.shape[0] or not pred.shape[0]:
            message = f"CTCLoss: {pred.shape[1]} predictions over {pred.shape[0]} steps for {label.shape[0]} labels"
            raise ShapeError(located(message, here()))
        label = label.astype("int64")
        if label_lengths is None:
            label_lengths = np.sum(np.cumsum(label < 0, axis=1) == 0, axis=1)
        else:
            label_lengths = np.asarray(label_lengths).astype("int64")
        return self._weighted(_negative_logarithm(pred, label, pred_lengths, label_lengths), sample_weight)


def _negative_logarithm(pred: ndarray, label: ndarray, pred_lengths: Any, label_lengths: ndarray) -> ndarray:
    steps, batch, classes = pred.shape
    blank = classes - 1
    # Blanks before, between and after the labels.
    blanks = np.full(label.shape, blank, dtype="int64")
    path = np.stack([blanks, np.maximum(label, 0)], axis=2).reshape((batch, -1))
    path = np.concatenate([path, np.full((batch, 1), blank, dtype="int64")], axis=1)
    places = path.shape[1]
    of_path = np.take_along_axis(log_softmax(pred), np.broadcast_to(path, (steps, batch, places)), axis=2)

    never = np.full((batch, 1), NEVER, dtype=pred.dtype)
    # A blank may be left out between two labels that are different.
    may_skip = np.concatenate([np.zeros((batch, 2), dtype="bool"), path[:, 2:] != path[:, :-2]], axis=1)
    may_skip = np.logical_and(may_skip, path != blank)
    begin = np.arange(places) < 2
    alpha = np.where(begin, of_path[0], np.asarray(NEVER, dtype=pred.dtype))
    for time in range(1, steps):
        one = np.concatenate([never, alpha[:, :-1]], axis=1)
        two = np.concatenate([never, one[:, :-1]], axis=1)
        two = np.where(may_skip, two, np.asarray(NEVER, dtype=pred.dtype))
        later = np.logaddexp(np.logaddexp(alpha, one), two) + of_path[time]
        if pred_lengths is not None:
            later = np.where(time < np.asarray(pred_lengths).reshape((-1, 1)), later, alpha)
        alpha = later
    last = (2 * label_lengths).reshape((-1, 1))
    with_blank = np.take_along_axis(alpha, last, axis=1)
    without = np.take_along_axis(alpha, np.maximum(last - 1, 0), axis=1)
    without = np.where(last > 0, without, np.asarray(NEVER, dtype=pred.dtype))
    return -np.logaddexp(with_blank, without).reshape((-1,))
