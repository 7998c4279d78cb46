"""Finds objects in pictures: boxes to choose among, what they should become, and the best of what was predicted.

Array code on `dopegraph.numpy` that a user could have written, with the names and results of MXNet's operators; it
stands above `nn`. And a network to begin with, `squeezenet1_1`.
"""

from dopegraph.vision.anchors import multibox_prior
from dopegraph.vision.boxes import box_iou, boxes_of_offsets, offsets_of_boxes
from dopegraph.vision.detection import multibox_detection
from dopegraph.vision.losses import FocalLoss, SmoothL1Loss
from dopegraph.vision.squeezenet import SqueezeNet, squeezenet1_1
from dopegraph.vision.targets import multibox_target

__all__ = [
    "FocalLoss",
    "SmoothL1Loss",
    "SqueezeNet",
    "box_iou",
    "boxes_of_offsets",
    "multibox_detection",
    "multibox_prior",
    "multibox_target",
    "offsets_of_boxes",
    "squeezenet1_1",
]
