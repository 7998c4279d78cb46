"""`ParameterDict`: parameters by name, as ``collect_params()`` gives them; saved and loaded in MXNet's format."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

import numpy

from dopegraph import init as initializers
from dopegraph.array import ndarray
from dopegraph.nn.parameter import Constant, Parameter, ParameterError
from dopegraph.numpy.params import load, save
from dopegraph.runtime.location import here, located


class ParameterDict:
    """Parameters by name, in the order in which they were made.

    Parameters
    ----------
    prefix : str
        Begins the names of all parameters that `get` makes.
    shared : ParameterDict, optional
        Where `get` looks before it makes a parameter.

    Examples
    --------
    >>> from dopegraph import nn
    >>> params = nn.ParameterDict(prefix="block1_")
    >>> params.get("weight", shape=(2, 3))
    Parameter block1_weight (shape=(2, 3), dtype=float32)
    >>> list(params)
    ['block1_weight']
    """

    def __init__(self, prefix: str = "", shared: ParameterDict | None = None) -> None:
        self.prefix = prefix
        self._shared = shared
        self._parameters: dict[str, Parameter] = {}

    def __repr__(self) -> str:
        name = f"{self.prefix} " if self.prefix else ""
        lines = "".join(f"  {parameter!r}\n" for parameter in self.values())
        return f"{name}(\n{lines})"

    def __getitem__(self, key: str) -> Parameter:
        return self._parameters[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def items(self) -> ItemsView[str, Parameter]:
        """Names with parameters."""
        return self._parameters.items()

    def keys(self) -> KeysView[str]:
        """Names."""
        return self._parameters.keys()

    def values(self) -> ValuesView[Parameter]:
        """Parameters."""
        return self._parameters.values()

    def _find(self, name: str) -> Parameter | None:
        found = self._parameters.get(name)
        if found is None and self._shared is not None:
            found = self._shared._find(name)
            if found is not None:
                self._parameters[name] = found
        return found

    def get(self, name: str, **kwargs: Any) -> Parameter:
        """The parameter ``prefix + name``: from here, from the shared dict, or a new one.

        Parameters
        ----------
        name : str
        **kwargs
            Of `Parameter`. A parameter that is there already must agree; lengths of 0 in its shape are filled in.
        """
        name = self.prefix + name
        found = self._find(name)
        if found is None:
            found = self._parameters[name] = Parameter(name, **kwargs)
            return found
        for key, value in kwargs.items():
            known = getattr(found, key, None)
            if key == "shape" and value is not None and known is not None:
                wanted = (value,) if isinstance(value, int) else tuple(value)
                if len(wanted) == len(known):
                    found.shape = tuple(old if new in (0, -1) else new for old, new in zip(known, wanted))
                    continue
            elif known is None:
                setattr(found, key, value)
                continue
            same = numpy.dtype(value) == known if key == "dtype" and value is not None else value in (None, known)
            if not same:
                message = f"{name} is there already, with {key} {known!r} and not {value!r}"
                raise ParameterError(located(f"{message}; shared parameters must agree", here()))
        return found

    def get_constant(self, name: str, value: Any = None) -> Parameter:
        """The constant ``prefix + name``; a new one with a value if there is none."""
        name = self.prefix + name
        found = self._find(name)
        if found is None:
            if value is None:
                raise KeyError(located(f"there is no constant {name}; give its value to make one", here()))
            found = self._parameters[name] = Constant(name, value)
        return found

    def add(self, parameter: Parameter) -> None:
        """Take in a parameter under its name."""
        known = self._parameters.setdefault(parameter.name, parameter)
        if known is not parameter:
            message = (
                f"two parameters are called {parameter.name}; make their blocks inside name_scope(), or with prefix="
            )
            raise ParameterError(located(message, here()))

    def update(self, other: ParameterDict) -> None:
        """Take in all parameters of another dict."""
        for parameter in other.values():
            self.add(parameter)

    def initialize(
        self, init: Any = "uniform", device: Any = None, verbose: bool = False, force_reinit: bool = False
    ) -> None:
        """Initialize all parameters, those with an initializer of their own by that; see `Parameter.initialize`."""
        chosen = initializers.create(init)
        for parameter in self.values():
            parameter.initialize(None, device, chosen, force_reinit)
            if verbose:
                print(f"{parameter.name}: {chosen if parameter.init is None else parameter.init!r}")

    def zero_grad(self) -> None:
        """Set all gradients to 0: before a sum of gradients with ``grad_req="add"``."""
        for parameter in self.values():
            parameter.zero_grad()

    def reset_device(self, device: Any) -> None:
        """Move all parameters to another device."""
        for parameter in self.values():
            parameter.reset_device(device)

    def setattr(self, name: str, value: Any) -> None:
        """Set an attribute of all parameters, such as ``grad_req`` or ``lr_mult``."""
        for parameter in self.values():
            setattr(parameter, name, value)

    def save(self, filename: Any, strip_prefix: str = "") -> None:
        """Write all arrays under their names, without a prefix, in MXNet's format."""
        arrays = {}
        for name, parameter in self.items():
            if not name.startswith(strip_prefix):
                message = (
                    f"save: the name {name} does not begin with the prefix {strip_prefix!r} that is to be left out"
                )
                raise ValueError(located(message, here()))
            arrays[name[len(strip_prefix) :]] = parameter.data()
        save(filename, arrays)

    def load(
        self,
        filename: Any,
        device: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        restore_prefix: str = "",
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """Read arrays by name; see `Block.load_parameters`.

        Parameters
        ----------
        restore_prefix : str
            Begins the names of the parameters, but not those in the file.
        """
        found = named_arrays(filename)
        found = {restore_prefix + name: array for name, array in found.items()}
        how = Loading(str(filename), device, allow_missing, ignore_extra, cast_dtype, dtype_source)
        how.fill(self._parameters, found)


def named_arrays(filename: Any) -> dict[str, ndarray]:
    """The arrays of a file, without the ``arg:`` and ``aux:`` of MXNet's checkpoints."""
    found = load(filename)
    if not isinstance(found, Mapping):
        raise ParameterError(located(f"load: the arrays in {filename} have no names", here()))
    return {name[4:] if name[:4] in ("arg:", "aux:") else name: array for name, array in found.items()}


class Loading:
    """How parameters take over arrays from a file."""

    def __init__(
        self,
        filename: str,
        device: Any,
        allow_missing: bool,
        ignore_extra: bool,
        cast_dtype: bool,
        dtype_source: str,
    ) -> None:
        if dtype_source not in ("current", "saved"):
            message = f"load: dtype_source must be 'current' or 'saved', not {dtype_source!r}"
            raise ValueError(located(message, here()))
        self.filename = filename
        self.device = device
        self.allow_missing = allow_missing
        self.ignore_extra = ignore_extra
        self.cast_dtype = cast_dtype
        self.dtype_source = dtype_source

    def fill(self, parameters: Mapping[str, Parameter], found: Mapping[str, ndarray]) -> None:
        """Give each parameter the array of its name; nothing is changed if one does not fit."""
        missing = [name for name in parameters if name not in found]
        extra = [name for name in found if name not in parameters]
        if missing and not self.allow_missing:
            message = f"load: {self.filename} has no {_some(missing)}; it has {_some(list(found))}"
            raise ParameterError(
                located(f"{message}. Set allow_missing=True to leave such parameters as they are", here())
            )
        if extra and not self.ignore_extra:
            known = _some(list(parameters))
            message = f"load: {self.filename} has {_some(extra)}, which are no parameters; those are {known}"
            raise ParameterError(located(f"{message}. Set ignore_extra=True to leave them out", here()))
        pairs = [(parameter, found[name]) for name, parameter in parameters.items() if name in found]
        for parameter, array in pairs:
            self._check(parameter, array)
        for parameter, array in pairs:
            if array.dtype != parameter.dtype and self.dtype_source == "saved":
                parameter.cast(array.dtype)
            if self.device is not None:
                parameter.reset_device(self.device)
            parameter.set_data(array)
            if self.device is not None:  # one that had no array until now
                parameter.reset_device(self.device)

    def _check(self, parameter: Parameter, array: ndarray) -> None:
        if array.dtype != parameter.dtype and not self.cast_dtype:
            message = f"load: {parameter.name} is {parameter.dtype}, in {self.filename} {array.dtype}"
            raise ParameterError(located(f"{message}. Set cast_dtype=True to convert it", here()))
        known = parameter.shape
        if known is not None and (
            len(known) != array.ndim or any(old not in (0, -1, new) for old, new in zip(known, array.shape))
        ):
            message = f"load: {parameter.name} has shape {known}, in {self.filename} {array.shape}"
            raise ParameterError(located(message, here()))


def _some(names: list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"
