"""Hypothesis strategies for arguments of NumPy's functions: arrays of every dtype and layout, axes, indices, shapes.

An argument is drawn in a context, the arrays drawn before it; `STRATEGIES` names those that `specs.py` writes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

DTYPES = {
    "b": ["bool"],
    "i": ["int64", "int32", "int64", "int8", "int16"],
    "u": ["uint8", "uint64", "uint16", "uint32"],
    "f": ["float64", "float32", "float64", "float32", "float16"],
    "c": ["complex128", "complex64"],
}
# Kinds by how often they are drawn.
WEIGHTS = "fffiiubcf"
SHAPES: list[tuple[int, ...]] = [
    (3,), (2, 3), (), (1,), (3, 1), (0,), (4,), (2, 3, 2), (1, 3), (5,), (3, 3), (2, 0), (2, 1, 3), (0, 3),
    (1, 2, 1, 3), (2, 2), (2, 2, 2), (3, 4), (6,),
]  # fmt: skip
LAYOUTS = ["C", "C", "C", "transposed", "reversed", "strided"]
CONTENTS = ["small", "ties", "normal", "special", "extreme"]


@dataclass
class Given:
    """An array among the arguments: what memory it has, and how it looks at it."""

    base: numpy.ndarray
    layout: str

    def of(self, base: Any) -> Any:
        """The argument, of a NumPy or a dopegraph array like `base`."""
        if self.layout == "transposed":
            return base.T
        if self.layout == "reversed":
            return base[tuple([slice(None, None, -1)] * base.ndim)]
        return base[..., ::2] if self.layout == "strided" else base

    @property
    def array(self) -> numpy.ndarray:
        return self.of(self.base)

    def __repr__(self) -> str:
        text = numpy.array2string(self.base, separator=",", threshold=100, floatmode="unique").replace("\n", "")
        view = {"transposed": ".T", "strided": "[..., ::2]"}.get(self.layout, "")
        if self.layout == "reversed":
            view = f"[{', '.join(['::-1'] * self.base.ndim)}]"
        empty = f".reshape({self.base.shape})" if self.base.size == 0 and self.base.ndim > 1 else ""
        return f"np.array({text}, {self.base.dtype.name!r}){empty}{view}"


def given_of(array: numpy.ndarray, layout: str) -> Given:
    """An argument with these elements in a layout."""
    if not array.ndim:
        layout = "C"
    if layout == "transposed":
        return Given(numpy.array(array.T, order="C"), layout)
    if layout == "reversed":
        return Given(numpy.array(array[tuple([slice(None, None, -1)] * array.ndim)], order="C"), layout)
    if layout == "strided":
        return Given(numpy.repeat(array, 2, axis=-1)[..., : max(2 * array.shape[-1] - 1, 0)].copy(), layout)
    return Given(numpy.array(array, order="C"), layout)


@dataclass
class Context:
    """What was drawn so far for a call."""

    draw: Draw
    arrays: list[Given] = field(default_factory=list)

    @property
    def x(self) -> numpy.ndarray:
        """The first array."""
        return self.arrays[0].array

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def keep(self, array: numpy.ndarray, layout: str | None = None) -> Given:
        """An argument of an array, remembered."""
        one = given_of(array, layout or self.pick(*LAYOUTS))
        self.arrays.append(one)
        return one


def elements(context: Context, shape: tuple[int, ...], dtype: str, content: str) -> numpy.ndarray:
    """An array whose elements are of one sort, by a seed: hypothesis would take long to draw them singly."""
    rng = numpy.random.default_rng(context.draw(st.integers(0, 1000)))
    kind = numpy.dtype(dtype)
    if kind.kind == "c":
        part = "float32" if dtype == "complex64" else "float64"
        real, imaginary = (_real(rng, shape, numpy.dtype(part), content) for _ in range(2))
        made = numpy.empty(shape, dtype)
        made.real, made.imag = real, imaginary
        return made
    return _real(rng, shape, kind, content)


def _real(rng: Any, shape: tuple[int, ...], dtype: numpy.dtype, content: str) -> numpy.ndarray:
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        limits = numpy.iinfo(dtype)
        least = max(int(limits.min), -5)
        if content == "ties":
            return rng.integers(0, 2, shape).astype(dtype)
        if content == "extreme":
            pool = numpy.array([limits.min, limits.max, limits.max - 1, 0, 1], dtype)
            return rng.choice(pool, shape).astype(dtype).reshape(shape)
        return rng.integers(max(least, 0) if content == "positive" else least, 8, shape).astype(dtype)
    if content == "ties":
        return rng.integers(-1, 2, shape).astype(dtype)
    if content == "small":
        return (rng.integers(-8, 9, shape) / 4).astype(dtype)
    if content == "positive":
        return (rng.integers(1, 17, shape) / 4).astype(dtype)
    normal = rng.normal(size=shape)
    if content == "special":
        chosen = rng.choice([math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0], shape)
        return numpy.where(rng.random(shape) < 0.4, chosen, normal).astype(dtype)
    if content == "extreme":
        big = {"e": 3e4, "f": 1e30, "d": 1e200}[dtype.char]
        return (normal * rng.choice([1.0, big, 1 / big], shape)).astype(dtype)
    return normal.astype(dtype)


def dtype_of_kinds(context: Context, kinds: str) -> str:
    kind = context.pick(*[one for one in WEIGHTS if one in kinds])
    return context.pick(*DTYPES[kind])


def array(context: Context, *options: str) -> Given:
    """``x`` with options: letters of kinds, a number of axes (``2``, ``1+``), ``tame``, ``nonempty``, ``sorted``..."""
    kinds, shapes, contents = "biufc", list(SHAPES), list(CONTENTS)
    sort, layout = False, None
    for option in options:
        if option == "tame":
            contents = ["small", "ties", "normal"]
        elif option == "positive":
            contents = ["positive"]
        elif option == "finite":
            contents = ["small", "ties", "normal", "extreme"]
        elif option == "moderate":
            contents.remove("extreme")
        elif option == "contiguous":
            layout = "C"
        elif option == "nonempty":
            shapes = [shape for shape in shapes if 0 not in shape]
        elif option == "small":
            shapes = [shape for shape in shapes if math.prod(shape) < 7]
        elif option == "square":
            shapes = [(2, 2), (3, 3), (1, 1), (2, 2, 2), (0, 0), (2, 3, 3), (2, 1, 2, 2)]
        elif option == "full":  # what can be divided by in linear algebra
            contents = ["normal"]
        elif option == "sorted":
            sort = True
        elif re.fullmatch(r"\d\+?", option):
            wanted = int(option[0])
            shapes = [shape for shape in shapes if len(shape) == wanted or (len(shape) > wanted and option[-1] == "+")]
        else:
            kinds = option
    made = elements(context, context.pick(*shapes), dtype_of_kinds(context, kinds), context.pick(*contents))
    if sort:
        made = numpy.sort(made)
    return context.keep(made, layout)


def partner(context: Context, *options: str) -> Any:
    """An operand that broadcasts with the first array, of any dtype; now and then a number, rarely one that fails."""
    how = context.draw(st.integers(0, 9))
    kinds = next((one for one in options if set(one) <= set("biufc")), "biufc")
    tame = "tame" in options
    if how < 2 and "array" not in options:
        return number(context, kinds)
    x = context.x
    shape = tuple(1 if context.chance(4) else length for length in x.shape)
    shape = shape[context.draw(st.integers(0, len(shape))) if how < 5 else 0 :]
    if how == 9 and context.chance(3):
        shape = (7,)
    dtype = x.dtype.name if how in (5, 6) and x.dtype.kind in kinds else dtype_of_kinds(context, kinds)
    return context.keep(elements(context, shape, dtype, context.pick(*(CONTENTS[:3] if tame else CONTENTS))))


def same_shape(context: Context, *options: str) -> Given:
    """An array of the first one's shape."""
    kinds = next((one for one in options if set(one) <= set("biufc")), "biufc")
    dtype = context.x.dtype.name if "dtype" in options else dtype_of_kinds(context, kinds)
    contents = CONTENTS[:3] if "tame" in options else CONTENTS
    return context.keep(elements(context, context.x.shape, dtype, context.pick(*contents)))


def number(context: Context, kinds: str = "biufc") -> Any:
    """A Python number."""
    pools = {
        "b": [True, False], "i": [0, 1, 2, -1, 3, 100, -3], "u": [2, 1], "f": [0.5, 2.0, -1.5, math.inf, math.nan, 0.0],
        "c": [1j, 1 + 2j],
    }  # fmt: skip
    return context.pick(*pools[context.pick(*[one for one in "iiffbcu" if one in kinds])])


def one_axis(context: Context, *options: str) -> Any:
    """One axis of the first array; rarely one it has not."""
    ndim = context.x.ndim + sum(int(option) for option in options if option.isdigit())
    if "none" in options and context.chance(3):
        return None
    if not ndim or context.chance(12):
        return context.pick(ndim, -ndim - 1, 0, -1)
    return context.draw(st.integers(-ndim, ndim - 1))


def some_axes(context: Context, *options: str) -> Any:
    """None, an axis or a tuple of axes of the first array; rarely with one it has not or one twice."""
    ndim = context.x.ndim
    how = context.draw(st.integers(0, 5))
    if how == 0:
        return None
    if how < 4 or not ndim:
        return one_axis(context)
    chosen = [one - ndim * context.pick(0, 1) for one in context.draw(st.permutations(range(ndim)))]
    chosen = chosen[: context.draw(st.integers(0, ndim))]
    if context.chance(10):
        chosen.append(context.pick(0, ndim))
    return tuple(chosen)


def two_axes(context: Context) -> tuple[int, ...]:
    """Two axes; rarely the same or ones that are not there."""
    ndim = context.x.ndim
    if ndim < 2 or context.chance(12):
        return context.pick((0, 1), (0, 0), (-1, 5))
    first, second = context.draw(st.permutations(range(ndim)))[:2]
    return first, second - ndim * context.pick(0, 1)


def permutation(context: Context) -> Any:
    ndim = context.x.ndim
    chosen = [one - ndim * context.pick(0, 1) for one in context.draw(st.permutations(range(ndim)))]
    return tuple(chosen[1:] if context.chance(12) else chosen)


def truth(context: Context) -> bool:
    return context.pick(True, False)


def mask(context: Context) -> Any:
    """``where=``: booleans that broadcast with the first array."""
    if context.chance(6):
        return context.pick(True, False)
    shape = tuple(1 if context.chance(4) else length for length in context.x.shape)
    return context.keep(elements(context, shape, "bool", "small"))


def a_dtype(context: Context, kinds: str = "biufc") -> Any:
    name = dtype_of_kinds(context, kinds)
    how = context.draw(st.integers(0, 9))
    if how == 0:
        return context.pick(*[one for one, kind in ((float, "f"), (int, "i"), (bool, "b")) if kind in kinds] or [name])
    return numpy.dtype(name) if how < 5 else name


def a_shape(context: Context) -> Any:
    how = context.draw(st.integers(0, 9))
    if how == 0:
        return context.pick(3, 0, 1)
    if how == 1:
        return list(context.pick(*SHAPES))
    if how == 2:
        return context.pick((-1,), (2, -3), (2.5,), -1) if context.chance(2) else (2, 2)
    return context.pick(*SHAPES)


def new_shape(context: Context) -> Any:
    """A shape with as many elements as the first array, with -1 at times; rarely another."""
    x = context.x
    if context.chance(10):
        return context.pick((7,), (-1, -1), (2, -1), (3, 5))
    if x.size and context.chance(3):
        divisor = context.pick(*[one for one in range(1, x.size + 1) if x.size % one == 0])
        return context.pick((divisor, x.size // divisor), (divisor, -1), (-1, divisor), -1, [divisor, -1])
    shape = [*context.draw(st.permutations(x.shape)), *context.pick([], [1])]
    if shape and x.size and context.chance(3):
        shape[context.draw(st.integers(0, len(shape) - 1))] = -1
    return tuple(shape)


def wider_shape(context: Context) -> tuple[int, ...]:
    """What the first array broadcasts to; rarely not."""
    if context.chance(10):
        return context.pick((), (7,), (2, 5))
    shape = [context.pick(2, 3, 0) if length == 1 and context.chance(2) else length for length in context.x.shape]
    return (*context.pick((), (2,), (1, 2), (0,)), *shape)


def alike(context: Context, *options: str) -> Any:
    """One to three arrays of the first one's shape, it among them; rarely another shape among them."""
    count = context.draw(st.integers(0, 2))
    if "axis" not in options:
        arrays = [array(context, *options), *[same_shape(context, *options) for _ in range(count)]]
        if context.chance(12):
            arrays.append(array(context, *options))
    else:
        arrays = [array(context, *[one for one in options if one != "axis"])]
        shape = list(context.x.shape)
        place = context.draw(st.integers(0, len(shape) - 1)) if shape else 0
        for _ in range(count):
            if shape:
                shape[place] = context.pick(1, 2, 0, shape[place])
            made = elements(context, tuple(shape), dtype_of_kinds(context, "biufc"), context.pick(*CONTENTS))
            arrays.append(context.keep(made))
    return tuple(arrays) if context.chance(3) else list(arrays)


def positions(context: Context, *options: str) -> Any:
    """Integers that index all elements of the first array or, with ``axis``, its axes; rarely ones outside."""
    x = context.x
    lengths = [x.size] if "flat" in options else list(x.shape) or [1]
    length = min(lengths) if "any" in options or "flat" in options else lengths[int(options[0]) if options else 0]
    how = context.draw(st.integers(0, 9))
    if how == 9:
        length += 2
    low = 0 if "natural" in options else -length
    if how == 0:
        return context.draw(st.integers(low, max(length - 1, low)))
    shape = (
        context.pick((2,), (3,), (1,), (0,), (2, 2), (2, 1)) if "1" not in options else context.pick((2,), (3,), (0,))
    )
    if length == 0 and how != 8:
        shape = (0,)
    rng = numpy.random.default_rng(context.draw(st.integers(0, 100)))
    made = rng.integers(low, max(length, low + 1), shape)
    if how < 3:
        return made.tolist()
    return context.keep(made.astype(context.pick("int64", "int64", "int32", "int8")))


def basic_index(context: Context, length: int) -> Any:
    how = context.draw(st.integers(0, 5))
    if how < 2:
        bound = length + (1 if context.chance(10) else 0)
        return context.draw(st.integers(-bound, max(bound - 1, -bound)))
    edge = st.one_of(st.none(), st.integers(-length - 1, length + 1))
    step = context.pick(None, None, -1, 2, -2, 1, 3)
    return slice(context.draw(edge), context.draw(edge), step)


def index(context: Context, *options: str) -> Any:
    """An index of any kind into the first array: basic, boolean, integer arrays, and mixtures of them."""
    x = context.x
    if context.chance(8) and "basic" not in options:
        return context.keep(elements(context, x.shape, "bool", "small"))
    parts: list[Any] = []
    advanced = "basic" not in options and context.chance(2)
    # No 0-d arrays: these stand for NumPy's scalars, and what they index is a view.
    common = context.pick((2,), (3,), (1,), (2, 2), (0,))
    ellipsis = False
    place = 0
    while place < x.ndim:
        how = context.draw(st.integers(0, 9))
        length = x.shape[place]
        if how == 0:
            parts.append(None)
            continue
        if how == 1 and not ellipsis:
            parts.append(Ellipsis)
            ellipsis = True
            place += context.draw(st.integers(0, x.ndim - place))
            continue
        if advanced and how > 5:
            if how == 9:
                parts.append(context.keep(elements(context, (length,), "bool", "small"), "C"))
            else:
                bound = length + (2 if context.chance(12) else 0)
                rng = numpy.random.default_rng(context.draw(st.integers(0, 100)))
                shape = common if bound else (0,)
                made = rng.integers(-bound, max(bound, 1 - bound), shape)
                parts.append(made.tolist() if context.chance(3) else context.keep(made))
        else:
            parts.append(basic_index(context, length))
        place += 1
    if parts and parts[-1] == slice(None) and not ellipsis:
        parts.pop()
    if context.chance(25):
        parts.append(0)
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], list) else tuple(parts)


def shifted(context: Context) -> Any:
    """How far to roll: an integer, or one for each of some axes."""
    return context.draw(st.integers(-4, 4))


def pad_width(context: Context) -> Any:
    ndim = context.x.ndim
    how = context.draw(st.integers(0, 4))
    if how == 0:
        return context.draw(st.integers(-1 if context.chance(6) else 0, 3))
    pair = st.tuples(st.integers(0, 3), st.integers(0, 3))
    if how == 1:
        return context.draw(pair)
    return [context.draw(pair) for _ in range(ndim)]


def tall(context: Context, *options: str) -> Given:
    """Right-hand sides for the first array, a stack of square matrices: of the same stack, or a vector of rows."""
    shape = context.x.shape
    columns = context.pick((2,), (1,), (0,), (3,))
    wanted = (*shape[:-1], *columns) if context.chance(2) else shape[-1:]
    return context.keep(elements(context, wanted, dtype_of_kinds(context, "fic"), "normal"))


def product_partner(context: Context, *options: str) -> Any:
    """What the first array can be multiplied with as a matrix; rarely not."""
    x = context.x
    if not x.ndim or context.chance(10):
        return partner(context, *options)
    rows = x.shape[-1]
    shape = context.pick((rows,), (rows, 2), (rows, 0), (1, rows, 2), (rows, 3))
    if "vec" in options:
        shape = (rows,) if context.chance(2) else x.shape
    if len(shape) == 2 and x.ndim > 2 and context.chance(2):
        shape = (*x.shape[:-2], *shape)
    kinds = next((one for one in options if set(one) <= set("biufc")), "biufc")
    return context.keep(elements(context, shape, dtype_of_kinds(context, kinds), context.pick(*CONTENTS[:3])))


def along(context: Context) -> Any:
    """Positions for `take_along_axis`: of the first array's shape except along its last axis."""
    x = context.x
    if not x.ndim:
        return context.keep(numpy.zeros((1,), "int64"))
    shape = (*x.shape[:-1], context.draw(st.integers(0, 3)))
    bound = x.shape[-1] + (1 if context.chance(10) else 0)
    if not bound:
        shape = (*x.shape[:-1], 0)
    rng = numpy.random.default_rng(context.draw(st.integers(0, 100)))
    return context.keep(rng.integers(-bound, max(bound, 1 - bound), shape))


def choices(context: Context) -> list[Any]:
    """Three arrays that broadcast with the first one."""
    return [partner(context, "array") for _ in range(3)]


def fill_value(context: Context, *options: str) -> Any:
    """A number, or an array that broadcasts to the first one."""
    return number(context) if context.chance(2) else partner(context)


STRATEGIES: dict[str, Callable[..., Any]] = {
    "x": array, "y": partner, "same": same_shape, "number": number, "axis": one_axis, "axes": some_axes,
    "two_axes": two_axes, "permutation": permutation, "bool": truth, "mask": mask, "dtype": a_dtype, "shape": a_shape,
    "new_shape": new_shape, "wider_shape": wider_shape, "alike": alike, "positions": positions, "index": index,
    "shifted": shifted, "pad_width": pad_width, "tall": tall, "factor": product_partner, "along": along,
    "fill": fill_value, "choices": choices,
}  # fmt: skip
