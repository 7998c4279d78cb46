"""Marks objects of the library that a compiled function need not guard, although they are no functions."""


class Unchanging:
    """Base of objects that hold nothing a call could see changed, such as ``dopegraph.numpy.add``."""
