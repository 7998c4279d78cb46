"""Gradients that are too long together are made shorter."""

from __future__ import annotations

from collections.abc import Sequence

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.runtime.location import here, located


def clip_global_norm(arrays: Sequence[ndarray], max_norm: float) -> ndarray:
    """Scale arrays in place so that the root of the sum of all their squares is at most `max_norm`.

    Pascanu et al., *On the difficulty of training recurrent neural networks*, 2013, algorithm 1, over all parameters.

    Parameters
    ----------
    arrays : sequence of ndarray
        Such as ``[p.grad() for p in net.collect_params().values()]``.
    max_norm : float

    Returns
    -------
    ndarray
        The norm before, without axes.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import optim
    >>> x = np.array([3.0, 4.0])
    >>> optim.clip_global_norm([x], 1.0)
    array(5., dtype=float32)
    >>> np.round(x, 4)
    array([0.6, 0.8], dtype=float32)
    """
    if not arrays:
        raise ValueError(located("clip_global_norm: no arrays", here()))
    total = np.sqrt(sum(np.sum(np.square(array)) for array in arrays))
    scale = np.minimum(max_norm / (total + 1e-8), 1)
    for array in arrays:
        array *= scale.astype(array.dtype)
    return total
