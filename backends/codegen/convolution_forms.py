"""How a convolution runs through memory: rows of pixels, and lines of a kernel whose numbers stand together.

An image is written with its channels last, so that a line of the kernel times the channels is one stretch of memory.
Where that is short or dilated, or an image has few pixels, its patches are written one after another instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape

CONVOLUTIONS = ("conv", "conv_grad_data", "conv_grad_weight")

# A row of fewer pixels is too short for a block of results.
SHORT_ROW = 6


def is_convolution(node: Node) -> bool:
    """Whether a node is a convolution, or a gradient of one, that is written in C."""
    if node.op.name not in CONVOLUTIONS or node.output.type.size == 0:
        return False
    return len(node.attrs["stride"]) <= 2 and node.attrs["groups"] == 1


def operations(node: Node) -> int:
    """Multiplications and additions."""
    _, weight, out = _shapes(node)
    return 2 * math.prod(out) * math.prod(weight[1:])


def _shapes(node: Node) -> tuple[Shape, Shape, Shape]:
    """Data, weight and result of the convolution that a node is, or is a gradient of."""
    first, second = (value.shape for value in node.inputs)
    last = node.output.shape
    if node.op.name == "conv":
        return first, second, last
    return (last, second, first) if node.op.name == "conv_grad_data" else (second, last, first)


@dataclass(frozen=True)
class Form:
    """Lengths in elements.

    An image in memory has `rows` of `pixels`, `row` and `step` apart; the kernel has `lines` of `width` numbers,
    `line` apart. With `patches` all pixels are one row, and the kernel is one line.
    """

    images: int
    channels: int
    filters: int
    space: Shape
    out: Shape
    kernel: Shape
    stride: Shape
    pad: Shape
    dilate: Shape
    patches: bool

    @property
    def area(self) -> int:
        """Elements of a channel of the result."""
        return math.prod(self.out)

    @property
    def lines(self) -> int:
        return 1 if self.patches else self.kernel[0]

    @property
    def width(self) -> int:
        return self.channels * (math.prod(self.kernel) if self.patches else self.kernel[1])

    @property
    def step(self) -> int:
        return self.width if self.patches else self.stride[1] * self.channels

    @property
    def line(self) -> int:
        return 0 if self.patches else (self.space[1] + 2 * self.pad[1]) * self.channels

    @property
    def row(self) -> int:
        return 0 if self.patches else self.stride[0] * self.line

    @property
    def rows(self) -> int:
        return 1 if self.patches else self.out[0]

    @property
    def pixels(self) -> int:
        return self.area if self.patches else self.out[1]

    @property
    def image(self) -> int:
        """Elements of an image in memory."""
        return self.area * self.width if self.patches else (self.space[0] + 2 * self.pad[0]) * self.line


def form_of(node: Node, lanes: int) -> Form:
    """The form of a node where vectors have so many lanes; a sequence is an image of one row."""
    shapes, how = list(_shapes(node)), [node.attrs[name] for name in ("stride", "pad", "dilate")]
    if len(how[0]) == 1:
        shapes = [(*shape[:2], 1, shape[2]) for shape in shapes]
        how = [(first, *one) for first, one in zip((1, 0, 1), how)]
    data, weight, out = shapes
    stride, pad, dilate = how
    patches = set(dilate) != {1} or weight[1] * weight[3] < lanes or out[3] < SHORT_ROW
    return Form(*data[:2], weight[0], data[2:], out[2:], weight[2:], stride, pad, dilate, patches)


# In C: an image `x` to memory `t`, and memory added up to an image.

_TURN = "  transpose_@S@(@CHANNELS@, @SPACE@, x, @SPACE@, t, @CHANNELS@);"
_TURN_PADDED = """
  memset(t, 0, @IMAGE@L * sizeof(@T@));
  for (long h = 0; h < @H@; h++)
    transpose_@S@(@CHANNELS@, @W@, x + h * @W@, @SPACE@, t + (h + @PH@) * @LINE@L + @PW@ * @CHANNELS@, @CHANNELS@);"""
_TURN_BACK = "  transpose_@S@(@SPACE@, @CHANNELS@, t, @CHANNELS@, x, @SPACE@);"
_TURN_BACK_PADDED = """
  for (long h = 0; h < @H@; h++)
    transpose_@S@(@W@, @CHANNELS@, t + (h + @PH@) * @LINE@L + @PW@ * @CHANNELS@, @CHANNELS@, x + h * @W@, @SPACE@);"""
_PATCHES = """
@CLEAR@
  for (long i = 0; i < @OH@; i++) for (long j = 0; j < @OW@; j++)
    for (long c = 0; c < @CHANNELS@; c++) for (long k = 0; k < @KH@; k++, t += @KW@) {
      const long h = i * @SH@ + k * @DH@ - @PH@, b = j * @SW@ - @PW@;
      if (@PH@ && (h < 0 || h >= @H@)) continue;
      @X@ *row = x + (c * @H@ + h) * @W@ + b;
      if (!@PW@ || (b >= 0 && b + (@KW@ - 1) * @DW@ < @W@))
        @SEGMENT@
      else
        for (long l = 0; l < @KW@; l++) if (b + l * @DW@ >= 0 && b + l * @DW@ < @W@) @ELEMENT@
    }"""
_EACH = "for (long l = 0; l < @KW@; l++) @ELEMENT@"


def packing(form: Form) -> str:
    """The body of a function that writes an image `x` in this form to `t`."""
    if not form.patches:
        return _filled(_TURN_PADDED if any(form.pad) else _TURN, form)
    segment = "memcpy(t, row, @KW@ * sizeof(@T@));" if form.dilate[1] == 1 else _EACH
    text = _PATCHES.replace("@SEGMENT@", segment).replace("@ELEMENT@", "t[l] = row[l * @DW@];")
    clear = "  memset(t, 0, @IMAGE@L * sizeof(@T@));" if any(form.pad) else ""
    return _filled(text.replace("@CLEAR@", clear).replace("@X@", "const @T@"), form)


def unpacking(form: Form) -> str:
    """The body of a function that adds up an image `x` from its form `t`."""
    if not form.patches:
        return _filled(_TURN_BACK_PADDED if any(form.pad) else _TURN_BACK, form)
    text = _PATCHES.replace("@SEGMENT@", _EACH).replace("@ELEMENT@", "row[l * @DW@] += t[l];")
    clear = "  memset(x, 0, @CHANNELS@ * @SPACE@L * sizeof(@T@));"
    return _filled(text.replace("@CLEAR@", clear).replace("@X@", "@T@"), form)


def _filled(text: str, form: Form) -> str:
    numbers = {"CHANNELS": form.channels, "SPACE": math.prod(form.space), "IMAGE": form.image, "LINE": form.line}
    for letter, lengths in {"": form.space, "O": form.out, "K": form.kernel, "S": form.stride, "P": form.pad,
                            "D": form.dilate}.items():  # fmt: skip
        numbers |= {f"{letter}H": lengths[0], f"{letter}W": lengths[1]}
    for name, number in numbers.items():
        text = text.replace(f"@{name}@", str(number))
    return text
