"""SqueezeNet 1.1, with Gluon's names and parameters."""

from __future__ import annotations

from typing import Any

from dopegraph import nn

# Of each fire module: the filters that squeeze, and each of the two kinds that expand; a pooling stands before some.
_POOL = "pool"
_STAGES = (_POOL, (16, 64), (16, 64), _POOL, (32, 128), (32, 128), _POOL, (48, 192), (48, 192), (64, 256), (64, 256))


def _fire(squeeze: int, expand: int) -> nn.Block:
    """Few filters of one pixel, then many, of one pixel and of 3 x 3."""
    fire = nn.HybridSequential(prefix="")
    fire.add(_convolution(squeeze, 1))
    wide = nn.HybridConcurrent(axis=1, prefix="")
    wide.add(_convolution(expand, 1), _convolution(expand, 3, padding=1))
    fire.add(wide)
    return fire


def _convolution(filters: int, size: int, padding: int = 0) -> nn.Block:
    block = nn.HybridSequential(prefix="")
    block.add(nn.Conv2D(filters, size, padding=padding), nn.Activation("relu"))
    return block


class SqueezeNet(nn.Block):
    """SqueezeNet 1.1: `features`, and `output`, which turns them into one number for each class.

    Iandola et al., *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters*, 2016; 1.1 is the authors' later
    version, of a quarter of the work. The last pooling is over the whole map, so that images may have any size from
    17 pixels on; at 224 it is Gluon's.

    Parameters
    ----------
    classes : int

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import vision
    >>> net = vision.SqueezeNet(classes=2)
    >>> net.initialize()
    >>> net(np.zeros((1, 3, 32, 32))).shape
    (1, 2)
    >>> sum(one.data().size for one in net.collect_params().values())
    723522
    """

    def __init__(self, classes: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            with self.features.name_scope():
                self.features.add(nn.Conv2D(64, 3, strides=2), nn.Activation("relu"))
                for stage in _STAGES:
                    if stage == _POOL:
                        self.features.add(nn.MaxPool2D(3, 2, ceil_mode=True))
                    else:
                        self.features.add(_fire(*stage))
                self.features.add(nn.Dropout(0.5))
            self.output = nn.HybridSequential(prefix="")
            with self.output.name_scope():
                self.output.add(
                    nn.Conv2D(classes, 1, in_channels=512), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten()
                )

    def forward(self, x: Any) -> Any:
        """Numbers for the classes, none below 0."""
        return self.output(self.features(x))


def squeezenet1_1(classes: int = 1000, **kwargs: Any) -> SqueezeNet:
    """A `SqueezeNet` under the name of Gluon's model zoo, without learned parameters."""
    return SqueezeNet(classes, **kwargs)
