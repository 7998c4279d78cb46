"""Gives you datasets as NumPy arrays and cuts them into batches.

Stands beside `nn` and `optim`, but works with NumPy alone and needs no other part of dopegraph.
"""

from .cifar10 import cifar10, cifar10_or_shapes, shapes
from .data_loader import DataLoader, stacked
from .datasets import ArrayDataset, Dataset, SimpleDataset, split
from .digits import Digits, digits_or_mnist
from .errors import DataCorrupt, DataError, DataMissing
from .faces import drawn_faces, faces, faces_or_drawn
from .images import augmented, center_crop, normalized, resized, resized_short
from .loader import batches
from .mnist import mnist
from .questions import ANSWERS, Questions, questions
from .scenes import facades, maps, streets
from .sentences import VOCABULARY, SentencePair, Tree, sentence_pairs, word_vectors
from .sprites import sprites, textures
from .text import text, text_or_documentation

__all__ = [
    "ANSWERS",
    "VOCABULARY",
    "ArrayDataset",
    "DataCorrupt",
    "DataError",
    "DataLoader",
    "DataMissing",
    "Dataset",
    "Digits",
    "Questions",
    "SentencePair",
    "SimpleDataset",
    "Tree",
    "augmented",
    "batches",
    "center_crop",
    "cifar10",
    "cifar10_or_shapes",
    "digits_or_mnist",
    "drawn_faces",
    "facades",
    "faces",
    "faces_or_drawn",
    "maps",
    "mnist",
    "normalized",
    "questions",
    "resized",
    "resized_short",
    "sentence_pairs",
    "shapes",
    "split",
    "sprites",
    "stacked",
    "streets",
    "text",
    "text_or_documentation",
    "textures",
    "word_vectors",
]
