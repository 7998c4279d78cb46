"""What the book's networks are made of, written on `dopegraph.numpy`: so far the functions; layers will follow."""

from dopegraph.nn.functional import (
    avg_pool,
    conv,
    erf,
    log_softmax,
    max_pool,
    one_hot,
    relu,
    sigmoid,
    softmax,
)

__all__ = ["avg_pool", "conv", "erf", "log_softmax", "max_pool", "one_hot", "relu", "sigmoid", "softmax"]
