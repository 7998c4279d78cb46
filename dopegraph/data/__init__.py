"""Gives you datasets as NumPy arrays and cuts them into batches.

Stands beside `nn` and `optim`, but works with NumPy alone and needs no other part of dopegraph.
"""

from .cifar10 import cifar10, cifar10_or_shapes, shapes
from .data_loader import DataLoader, stacked
from .datasets import ArrayDataset, Dataset, SimpleDataset, split
from .digits import Digits, digits_or_mnist
from .errors import DataCorrupt, DataError, DataMissing
from .images import augmented, center_crop, normalized, resized, resized_short
from .loader import batches
from .mnist import mnist
from .sprites import sprites, textures
from .text import text, text_or_documentation

__all__ = [
    "ArrayDataset",
    "DataCorrupt",
    "DataError",
    "DataLoader",
    "DataMissing",
    "Dataset",
    "Digits",
    "SimpleDataset",
    "augmented",
    "batches",
    "center_crop",
    "cifar10",
    "cifar10_or_shapes",
    "digits_or_mnist",
    "mnist",
    "normalized",
    "resized",
    "resized_short",
    "shapes",
    "split",
    "sprites",
    "stacked",
    "text",
    "text_or_documentation",
    "textures",
]
