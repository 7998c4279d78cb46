"""`Block`: a layer, or a network of layers, as a plain Python class with ``forward(self, x)``.

Children and parameters are the attributes that hold them; nothing is traced or registered when they are set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from dopegraph.nn.naming import NameScope, new_prefix
from dopegraph.nn.parameter import Parameter
from dopegraph.nn.parameter_dict import Loading, ParameterDict, named_arrays
from dopegraph.nn.summary import summarize
from dopegraph.numpy.params import save
from dopegraph.runtime.device import Device, current_device, others


class Block:
    """The base of all layers and networks.

    A class of your own has its layers and parameters as attributes and defines ``forward``; calling a block calls it.

    Parameters
    ----------
    prefix : str, optional
        Begins the names of its parameters; by default the name of the class with a number, after the prefix of the
        block in whose `name_scope` it is made.
    params : ParameterDict, optional
        Parameters to share, such as those of another block: ``params=other.params``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import nn
    >>> class MLP(nn.Block):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         with self.name_scope():
    ...             self.hidden = nn.Dense(4)
    ...             self.output = nn.Dense(2)
    ...
    ...     def forward(self, x):
    ...         return self.output(nn.relu(self.hidden(x)))
    >>> net = MLP(prefix="mlp_")
    >>> net.initialize()
    >>> net(np.ones((3, 5))).shape
    (3, 2)
    >>> net.collect_params()
    mlp_ (
      Parameter mlp_dense0_weight (shape=(4, 5), dtype=float32)
      Parameter mlp_dense0_bias (shape=(4,), dtype=float32)
      Parameter mlp_dense1_weight (shape=(2, 4), dtype=float32)
      Parameter mlp_dense1_bias (shape=(2,), dtype=float32)
    )
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        full, scope = new_prefix(prefix, self._alias())
        self.prefix = full
        if params is None:
            self.params = ParameterDict(full, None if scope is None else scope.shared)
        else:
            self.params = ParameterDict(params.prefix, params)
        self._scope = NameScope(full, self.params._shared, transparent=prefix == "")

    def _alias(self) -> str:
        """What the prefix begins with."""
        return type(self).__name__.lower()

    # Calling -----------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward``, after the shapes of parameters that waited for the first call."""
        for _, parameter in self.own_parameters():
            if parameter._waiting is not None:
                self.infer_shape(*args)
                for _, each in self.own_parameters():
                    each.finish()
                break
        if others.known and args:
            # Which of the copies on several devices: those where the data are.
            place = getattr(args[0], "device", None)
            if isinstance(place, Device) and place != current_device():
                with place:
                    return self.forward(*args, **kwargs)
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the block computes; to be defined."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x)")

    def infer_shape(self, *args: Any) -> None:
        """Set the shapes of the block's own parameters from the arguments; for layers that find out input sizes."""

    # What it is made of ------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The prefix without the last underscore."""
        return self.prefix[:-1] if self.prefix.endswith("_") else self.prefix

    def name_scope(self) -> NameScope:
        """``with self.name_scope():`` gives the blocks made inside it this block's prefix."""
        return self._scope

    def children(self) -> Iterator[tuple[str, Block]]:
        """The blocks among the attributes, and in lists and dicts among them, with their names."""
        return _found(vars(self), Block)

    def own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters among the attributes, and in lists and dicts among them, with their names."""
        return _found(vars(self), Parameter)

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """All parameters of the block and of its children.

        Parameters
        ----------
        select : str, optional
            A regular expression for the beginning of the name: ``".*weight"``, ``"dense0_weight|dense0_bias"``.
        """
        found = ParameterDict(self.params.prefix)
        mine = {**dict(self.params.items()), **{one.name: one for _, one in self.own_parameters()}}
        for name, parameter in mine.items():
            if select is None or re.match(select, name):
                found.add(parameter)
        for _, child in self.children():
            found.update(child.collect_params(select))
        return found

    def structural_parameters(self, prefix: str = "") -> dict[str, Parameter]:
        """All parameters by the attributes that lead to them, such as ``hidden.weight``: their names in files."""
        found = {prefix + name: parameter for name, parameter in self.own_parameters()}
        for name, child in self.children():
            found.update(child.structural_parameters(f"{prefix}{name}."))
        return found

    def initialize(
        self, init: Any = "uniform", device: Any = None, verbose: bool = False, force_reinit: bool = False
    ) -> None:
        """Initialize all parameters; those whose shape is not known wait for the first call.

        Parameters
        ----------
        init : Initializer or str
        device : Device or str, or sequence of them, optional
            The current device. On each of several devices there is a copy of every parameter.
        verbose : bool
            Whether to print what is initialized how.
        force_reinit : bool
            Whether to begin again with parameters that have values.
        """
        self.collect_params().initialize(init, device, verbose, force_reinit)

    def apply(self, function: Callable[[Block], Any]) -> Block:
        """Call a function with every child, and then with the block itself."""
        for _, child in self.children():
            child.apply(function)
        function(self)
        return self

    def cast(self, dtype: Any) -> None:
        """Change the dtype of all parameters."""
        for _, child in self.children():
            child.cast(dtype)
        for _, parameter in self.own_parameters():
            parameter.cast(dtype)

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Do nothing, as everything inside `dopegraph.compile` is compiled: for programs written for Gluon."""

    # Printing ----------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        parts = [f"  ({name}): {_indented(repr(child))}\n" for name, child in self.children()]
        return f"{type(self).__name__}(\n{''.join(parts)})"

    def summary(self, *args: Any) -> str:
        """Print a table of all layers that a call of the block with these arguments comes to; also returned.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> from dopegraph import nn
        >>> net = nn.Sequential(prefix="net_")
        >>> with net.name_scope():
        ...     net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
        >>> net.initialize()
        >>> _ = net.summary(np.ones((3, 5)))
        layer         kind        output  parameters
        0             Dense       (3, 4)          24
        0.act    Activation  (3, 4)           0
        1             Dense       (3, 2)          10
        <BLANKLINE>
        34 parameters, 34 of them learned, 136 bytes
        """
        text = summarize(self, args)
        print(text)
        return text

    # Files -------------------------------------------------------------------------------------------------------

    def save_parameters(self, filename: Any, deduplicate: bool = False) -> None:
        """Write all parameters in MXNet's format; Gluon reads the file into the same network.

        Parameters
        ----------
        filename : str or path
        deduplicate : bool
            Whether a parameter that several blocks share is written just once.
        """
        named = self.structural_parameters()
        if deduplicate:
            named = {name: parameter for parameter, name in {p: n for n, p in named.items()}.items()}
        save(filename, {name: parameter.data() for name, parameter in named.items()})

    def load_parameters(
        self,
        filename: Any,
        device: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read parameters that `save_parameters` wrote, here or in Gluon, or `ParameterDict.save`.

        Parameters
        ----------
        filename : str or path
        device : Device or str, optional
            Where the arrays will be.
        allow_missing, ignore_extra : bool
            Whether parameters that are not in the file, or arrays in the file that are no parameters, are no error.
        cast_dtype : bool
            Whether arrays of another dtype are converted, to the parameter's or, where `dtype_source` is ``"saved"``,
            the parameter to theirs.
        """
        found = named_arrays(filename)
        named = self.structural_parameters()
        if found and not any("." in name for name in found) and not set(found) <= set(named):
            by_name = self.collect_params()
            short = not set(found) & set(by_name) and bool(self.prefix)
            prefix = self.prefix if short else ""
            by_name.load(filename, device, allow_missing, ignore_extra, prefix, cast_dtype, dtype_source)
            return
        if not allow_missing:  # what several blocks share may have been written under one of its names
            shared = {id(parameter): found[name] for name, parameter in named.items() if name in found}
            found = {**{n: shared[id(p)] for n, p in named.items() if id(p) in shared}, **found}
        Loading(str(filename), device, allow_missing, ignore_extra, cast_dtype, dtype_source).fill(named, found)

    def save_params(self, filename: Any) -> None:
        """The book's name of `save_parameters`: by the names of the parameters, without the block's prefix."""
        self.collect_params().save(filename, strip_prefix=self.prefix)

    def load_params(
        self, filename: Any, ctx: Any = None, allow_missing: bool = False, ignore_extra: bool = False
    ) -> None:
        """The book's name of `load_parameters`."""
        self.load_parameters(filename, ctx, allow_missing, ignore_extra)


def _found(attributes: dict[str, Any], kind: type[Any]) -> Iterator[tuple[str, Any]]:
    for name, value in attributes.items():
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, (list, tuple, dict)):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            yield from _found({f"{name}.{key}": part for key, part in pairs}, kind)


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
