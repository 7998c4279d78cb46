"""Gives you datasets as NumPy arrays and cuts them into batches.

Stands beside `nn` and `optim`, but works with NumPy alone and needs no other part of dopegraph.
"""

from .digits import Digits, digits_or_mnist
from .errors import DataCorrupt, DataError, DataMissing
from .loader import batches
from .mnist import mnist

__all__ = ["DataCorrupt", "DataError", "DataMissing", "Digits", "batches", "digits_or_mnist", "mnist"]
