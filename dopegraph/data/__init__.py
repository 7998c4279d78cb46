"""Gives you datasets as NumPy arrays and cuts them into batches.

Stands beside `nn` and `optim`, but works with NumPy alone and needs no other part of dopegraph.
"""

from .cifar10 import cifar10, cifar10_or_shapes, shapes
from .data_loader import DataLoader, stacked
from .datasets import ArrayDataset, Dataset, SimpleDataset, split
from .digits import Digits, digits_or_mnist
from .errors import DataCorrupt, DataError, DataMissing
from .faces import drawn_faces, faces, faces_or_drawn
from .loader import batches
from .mnist import mnist
from .scenes import facades, maps, streets
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
    "batches",
    "cifar10",
    "cifar10_or_shapes",
    "digits_or_mnist",
    "drawn_faces",
    "facades",
    "faces",
    "faces_or_drawn",
    "maps",
    "mnist",
    "shapes",
    "split",
    "stacked",
    "streets",
    "text",
    "text_or_documentation",
]
