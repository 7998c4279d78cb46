"""Convolutions in C, directly: a small block of results stays in vector registers while everything is added to it.

An image is written once with its channels last, so that what a row of the kernel meets stands together. The lanes of
vectors are filters (forward), or the columns of a row of the kernel times the channels (both gradients); neither needs
a matrix of all patches. Only where such a row is short, dilated, or images are tiny, the patches are written one by one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.blocks import Tile, best_tile, head, transposition, vector_lanes
from dopegraph.ir.graph import Node
from dopegraph.ir.types import Shape

CONVOLUTIONS = ("conv", "conv_grad_data", "conv_grad_weight")

# Multiplications and additions from which threads share the images: about a millisecond.
SHARED = 1 << 26

# Pixels that are computed before they are turned to channels first, and bytes of images that are turned at one time.
CHUNK, IMAGES = 192, 1 << 19

# A row of an image with fewer pixels, or of a kernel with fewer numbers, is too short for a block of its own.
SHORT_ROW = 6


def is_convolution(node: Node) -> bool:
    """Whether a node is a convolution, or a gradient of one, that is written here."""
    return (
        node.op.name in CONVOLUTIONS and len(node.attrs["stride"]) <= 2 and node.attrs["groups"] == 1
        and node.output.type.size > 0
    )  # fmt: skip


def operations(node: Node) -> int:
    """Multiplications and additions."""
    weight, out = _types(node)[1:]
    return 2 * math.prod(out) * math.prod(weight[1:])


def _types(node: Node) -> tuple[Shape, Shape, Shape]:
    """The shapes of data, weight and result of the convolution that a node is, or is a gradient of."""
    first, second = (value.shape for value in node.inputs)
    if node.op.name == "conv":
        return first, second, node.output.shape
    return (node.output.shape, second, first) if node.op.name == "conv_grad_data" else (second, node.output.shape, first)


@dataclass(frozen=True)
class _Form:
    """How a convolution runs through memory; lengths in elements.

    `rows` of `pixels` each are one image (or all images of a block); pixels are `step` apart, rows `row`; the kernel
    has `lines`, `line` apart, of `width` numbers that stand together.
    """

    images: int
    channels: int
    filters: int
    height: int
    breadth: int
    out_height: int
    out_breadth: int
    kernel: Shape
    stride: Shape
    pad: Shape
    dilate: Shape
    patches: bool

    @property
    def out(self) -> int:
        return self.out_height * self.out_breadth

    @property
    def padded(self) -> Shape:
        return self.height + 2 * self.pad[0], self.breadth + 2 * self.pad[1]

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
        return 0 if self.patches else self.padded[1] * self.channels

    @property
    def row(self) -> int:
        return self.out * self.width if self.patches else self.stride[0] * self.line

    @property
    def rows(self) -> int:
        return 1 if self.patches else self.out_height

    @property
    def pixels(self) -> int:
        return self.out if self.patches else self.out_breadth

    @property
    def image(self) -> int:
        """Elements of one image in memory."""
        return self.out * self.width if self.patches else self.padded[0] * self.line


def _form(node: Node) -> _Form:
    data, weight, out = _types(node)
    how = [node.attrs[name] for name in ("stride", "pad", "dilate")]
    if len(how[0]) == 1:
        data, weight, out = ((*shape[:2], 1, shape[2]) for shape in (data, weight, out))
        how = [(first, *one) for first, one in zip((1, 0, 1), how)]
    stride, pad, dilate = how
    lanes = vector_lanes(node.output.type.dtype)
    patches = set(dilate) != {1} or weight[1] * weight[3] < lanes or out[3] < SHORT_ROW
    return _Form(data[0], data[1], weight[0], *data[2:], *out[2:], weight[2:], stride, pad, dilate, patches)


def convolution(node: Node, name: str) -> tuple[str, list[str], int]:
    """The statement that runs a node, with holes for pointers, the workspace last; the functions; bytes of workspace."""
    kind = "float" if node.output.type.dtype.itemsize == 4 else "double"
    share = min(threads.number, 64) if operations(node) >= SHARED else 1
    writer = _Writer(_form(node), name, kind, vector_lanes(node.output.type.dtype), max(share, 1))
    text, elements = getattr(writer, node.op.name)()
    functions = [head(kind), transposition(kind), *writer.functions, text]
    return f"{name}({{0}}, {{1}}, {{2}}, {{3}}, threads);", functions, elements * node.output.type.dtype.itemsize


class _Writer:
    def __init__(self, form: _Form, name: str, kind: str, lanes: int, share: int) -> None:
        self.form = form
        self.name = name
        self.kind = kind
        self.lanes = lanes
        self.share = share
        self.functions: list[str] = []
        self.suffix = "f32" if kind == "float" else "f64"

    # Forward: lanes are filters ----------------------------------------------------------------------------------

    def conv(self) -> tuple[str, int]:
        f, lanes = self.form, self.lanes
        vectors = -(-f.filters // lanes)
        # All pixels of a few images in one row, where an image has few.
        block = max(1, min(f.images, CHUNK // f.out)) if f.patches else 1
        pixels = block * f.out if f.patches else f.pixels
        tile = best_tile(pixels, vectors)
        filters = vectors * lanes
        steps = f.lines * f.width
        at = f"const @T@ s = p[{{r}} * {f.step}L];"
        body = f"for (long i = 0; i < {f.lines}; i++) {{\n    const @T@ *p = x + i * {f.line}L;\n    for (long j = 0; " \
               f"j < {f.width}; j++, p++, w += {{v}} * {lanes}) {{"  # fmt: skip
        for rows, columns in tile.sizes(pixels, vectors):
            self._tile(f"{self.name}_{rows}x{columns}", rows, columns, "const @T@ *x, const @T@ *w, @T@ *t",
                       body.replace("{v}", str(columns)), "w", at, "  }", f"*(VEC_@S@ *)(t + {{r}} * {filters}L + {{v}} * {lanes}) = {{a}};")  # fmt: skip
        chunk = max(1, CHUNK // f.pixels)
        turned = min(chunk, f.rows) * f.pixels * filters * (block if f.patches else 1)
        image = _aligned(f.image * block, lanes)
        own = image + _aligned(turned, lanes)
        weights = _aligned(steps * filters, lanes)
        calls = self._over_tiles(
            tile, pixels, vectors,
            lambda r, c, q, v: f"{self.name}_{r}x{c}(xs + {self._row_start} + ({q}) * {f.step}L, wp + {v} * {steps * lanes}L, "
                               f"t + ((r - r0) * {f.pixels}L + {q}) * {filters} + {v} * {lanes});",
            rows="for (long r = r0; r < r1; r++)",
        )  # fmt: skip
        if f.patches:
            turn = f"for (long n = n0; n < n1; n++) transpose_{self.suffix}({f.out}, {f.filters}, t + (n - n0) * " \
                   f"{f.out * filters}L, {filters}, y + n * {f.filters * f.out}L, {f.out});"  # fmt: skip
        else:
            turn = f"transpose_{self.suffix}((r1 - r0) * {f.pixels}L, {f.filters}, t, {filters}, " \
                   f"y + n0 * {f.filters * f.out}L + r0 * {f.pixels}L, {f.out});"  # fmt: skip
        text = f"""
KERNEL void {self.name}(const @T@ *restrict x, const @T@ *restrict w, @T@ *restrict y, @T@ *restrict space, int threads) {{
  @T@ *restrict wp = space;
{self._pack_weights_by_filters(tile, vectors)}
  if (threads > {self.share}) threads = {self.share};
{self._shared()}
  for (long b = 0; b < {-(-f.images // block)}; b++) {{
    const long n0 = b * {block}, n1 = n0 + {block} < {f.images} ? n0 + {block} : {f.images};
    @T@ *xs = space + {weights} + THREAD * {own}L, *t = xs + {image};
    for (long n = n0; n < n1; n++) {self._pack("x", "xs + (n - n0) * " + str(f.image) + "L")}
    for (long r0 = 0; r0 < {f.rows}; r0 += {chunk}) {{
      const long r1 = r0 + {chunk} < {f.rows} ? r0 + {chunk} : {f.rows};
{calls}
      {turn}
    }}
  }}
}}
"""
        return self._typed(text), weights + self.share * own + 4 * lanes

    @property
    def _row_start(self) -> str:
        return f"r * {self.form.row}L"

    def _pack_weights_by_filters(self, tile: Tile, vectors: int) -> str:
        """Groups of vectors of filters; in each, for every number of a patch, the filters' numbers."""
        f, lanes = self.form, self.lanes
        lines, steps = [], f.lines * f.width
        for first, columns in tile.columns(vectors):
            size = columns * lanes
            lines += [
                f"  for (long k = 0; k < {steps}; k++) for (long l = 0; l < {size}; l++) {{",
                f"    const long o = {first * lanes} + l;",
                f"    wp[{first * lanes * steps}L + k * {size} + l] = o < {f.filters} ? w[o * {steps}L + {self._place('k')}] : 0;",
                "  }",
            ]
        return "\n".join(lines)

    def _place(self, k: str) -> str:
        """Where number `k` of a patch, as it stands in memory here, is in a filter."""
        f = self.form
        if f.patches or f.channels == 1:
            return k
        area = math.prod(f.kernel)
        return f"({k} % {f.channels}) * {area} + {k} / {f.channels}"

    # Gradient of the weight: lanes are numbers of a line of the kernel ------------------------------------------------

    def conv_grad_weight(self) -> tuple[str, int]:
        f, lanes = self.form, self.lanes
        vectors = -(-f.width // lanes)
        tile = best_tile(f.filters, vectors)
        width = vectors * lanes
        at = f"const @T@ s = g[{{r}} * {f.out}L];"
        body = f"for (long n = 0; n < count; n++) for (long i = 0; i < {f.rows}; i++) {{\n" \
               f"    const @T@ *p = x + n * {f.image}L + i * {f.row}L, *g = d + n * {f.filters * f.out}L + i * {f.pixels}L;\n" \
               f"    for (long j = 0; j < {f.pixels}; j++, g++, p += {f.step}) {{"  # fmt: skip
        for rows, columns in tile.sizes(f.filters, vectors):
            self._tile(f"{self.name}_{rows}x{columns}", rows, columns, "long count, const @T@ *x, const @T@ *d, @T@ *t", body, "p",
                       at, "  }", f"*(VEC_@S@ *)(t + {{r}} * {f.lines * width}L + {{v}} * {lanes}) += {{a}};")  # fmt: skip
        block = max(1, min(f.images, IMAGES // (8 * f.image)))
        space = _aligned(f.image * block + 4 * lanes, lanes)
        cases = []
        for first, columns in tile.columns(vectors):
            for start, stop, rows in tile.rows(f.filters):
                cases.append(
                    f"for (long r = {start}; r < {stop}; r += {rows}) {self.name}_{rows}x{columns}(n1 - n0, xs + k * {f.line}L + "
                    f"{first * lanes}, g + (n0 * {f.filters} + r) * {f.out}L, t + (r * {f.lines} + k) * {width}L + {first * lanes});"
                )
        shared = "\n        ".join(cases)
        if f.lines > 1:
            inner = f"{self._shared()}\n      for (long k = 0; k < {f.lines}; k++) {{\n        {shared}\n      }}"
        else:
            inner = f"{{ const long k = 0;\n        {shared}\n      }}"
        whole = f.lines * f.width
        text = f"""
KERNEL void {self.name}(const @T@ *restrict g, const @T@ *restrict x, @T@ *restrict y, @T@ *restrict space, int threads) {{
  @T@ *restrict xs = space, *restrict t = space + {space};
  if (threads > {self.share}) threads = {self.share};
  memset(t, 0, {f.filters * f.lines * width}L * sizeof(@T@));
  for (long n0 = 0; n0 < {f.images}; n0 += {block}) {{
    const long n1 = n0 + {block} < {f.images} ? n0 + {block} : {f.images};
{self._shared()}
    for (long n = n0; n < n1; n++) {self._pack("x", "xs + (n - n0) * " + str(f.image) + "L")}
    {inner}
  }}
  for (long o = 0; o < {f.filters}; o++) for (long k = 0; k < {whole}; k++)
    y[o * {whole}L + {self._place("k")}] = t[(o * {f.lines} + k / {f.width}) * {width} + k % {f.width}];
}}
"""
        return self._typed(text), space + _aligned(f.filters * f.lines * width, lanes) + lanes

    # Gradient of the data: the same lanes -----------------------------------------------------------------------------

    def conv_grad_data(self) -> tuple[str, int]:
        f, lanes = self.form, self.lanes
        vectors = -(-f.width // lanes)
        tile = best_tile(f.pixels, vectors)
        body = f"for (long j = 0; j < {f.filters}; j++, g += {f.out}, w += {{v}} * {lanes}) {{"
        for rows, columns in tile.sizes(f.pixels, vectors):
            # The last vector of a line may reach beyond it, where other pixels are; vector by vector, as a vector
            # that was just written should not be read again at once.
            rest = f.width % lanes
            full = f"*(VEC_@S@ *)(t + {{r}} * {f.step}L + {{v}} * {lanes}) {'=' if f.patches else '+='} {{a}};"
            last = f"for (int l = 0; l < {rest}; l++) t[{{r}} * {f.step}L + {{v}} * {lanes} + l] {'=' if f.patches else '+='} {{a}}[l];"
            for partial in ([False, True] if rest else [False]):
                self._tile(f"{self.name}_{rows}x{columns}{'p' * partial}", rows, columns, "const @T@ *g, const @T@ *w, @T@ *t",
                           body.replace("{v}", str(columns)), "w", "const @T@ s = g[{r}];", "", full, last if partial else full)  # fmt: skip
        image, weights = _aligned(f.image + 4 * lanes, lanes), _aligned(f.lines * vectors * lanes * f.filters, lanes)
        size = f.filters * lanes
        calls = []
        for first, columns in tile.columns(vectors):
            partial = "p" * bool(f.width % lanes and first + columns == vectors)
            for start, stop, rows in tile.rows(f.pixels):
                calls.append(
                    f"        for (long q = {start}; q < {stop}; q += {rows}) {self.name}_{rows}x{columns}{partial}(g + n * "
                    f"{f.filters * f.out}L + r * {f.pixels}L + q, wp + (k * {vectors} + {first}) * {size}L, "
                    f"xs + r * {f.row}L + k * {f.line}L + q * {f.step}L + {first * lanes});"
                )
        packed = []
        for first, columns in tile.columns(vectors):
            wide = columns * lanes
            packed += [
                f"  for (long k = 0; k < {f.lines}; k++) for (long o = 0; o < {f.filters}; o++) for (long l = 0; l < {wide}; l++) {{",
                f"    const long j = {first * lanes} + l, place = k * {f.width} + j;",
                f"    wp[(k * {vectors} + {first}) * {size}L + o * {wide} + l] = j < {f.width} ? w[o * {f.lines * f.width}L + "
                f"{self._place('place')}] : 0;",
                "  }",
            ]
        text = f"""
KERNEL void {self.name}(const @T@ *restrict g, const @T@ *restrict w, @T@ *restrict y, @T@ *restrict space, int threads) {{
  @T@ *restrict wp = space;
{chr(10).join(packed)}
  if (threads > {self.share}) threads = {self.share};
{self._shared()}
  for (long n = 0; n < {f.images}; n++) {{
    @T@ *xs = space + {weights} + THREAD * {image}L;
    {"" if f.patches else f"memset(xs, 0, {f.image}L * sizeof(@T@));"}
    for (long r = 0; r < {f.rows}; r++)
      for (long k = 0; k < {f.lines}; k++) {{
{chr(10).join(calls)}
      }}
    {self._unpack("xs", "y")}
  }}
}}
"""
        return self._typed(text), weights + self.share * image + lanes

    # Parts ------------------------------------------------------------------------------------------------------------

    def _shared(self) -> str:
        return "#pragma omp parallel for num_threads(threads) if (threads > 1)" if self.share > 1 else ""

    def _tile(
        self, name: str, rows: int, columns: int, parameters: str, loops: str, vectors: str, at: str, end: str,
        store: str, last: str | None = None,
    ) -> None:  # fmt: skip
        """A function that adds up a block of `rows` numbers times `columns` vectors in registers."""
        each = [(r, v) for v in range(columns) for r in range(rows)]
        lines = [f"FAST static void {name}({parameters}) {{", "  CONTRACTED"]
        lines += [f"  VEC_@S@ {', '.join(f'a{r}_{v} = {{0}}' for r, v in each)};", f"  {loops}"]
        lines += [f"      const VEC_@S@ u{v} = *(const VEC_@S@ *)({vectors} + {v * self.lanes});" for v in range(columns)]
        for r in range(rows):
            lines.append(f"      {{ {at.format(r=r)} {' '.join(f'a{r}_{v} += s * u{v};' for v in range(columns))} }}")
        lines.append(f"    }}\n{end}")
        for r, v in each:
            template = last if last is not None and v == columns - 1 else store
            lines.append("  " + template.format(r=r, v=v, a=f"a{r}_{v}"))
        self.functions.append(self._typed("\n".join([*lines, "}\n"])))

    def _over_tiles(self, tile: Tile, pixels: int, vectors: int, call: object, rows: str) -> str:
        lines = []
        for first, columns in tile.columns(vectors):
            lines.append(f"      {rows} {{")
            for start, stop, size in tile.rows(pixels):
                lines.append(f"        for (long q = {start}; q < {stop}; q += {size}) {call(size, columns, 'q', first)}")  # type: ignore[operator]
            lines.append("      }")
        return "\n".join(lines)

    def _pack(self, source: str, target: str) -> str:
        """The statement that writes image `n` in the order of this form."""
        f, name = self.form, f"{self.name}_pack"
        size = f.height * f.breadth
        if f.patches:
            step = f.dilate[1]
            copied = f"memcpy(t, row, {f.kernel[1]} * sizeof(@T@));" if step == 1 else ""
            body = f"  memset(t, 0, {f.image}L * sizeof(@T@));\n" if any(f.pad) else ""
            body += self._patch(f"t[l] = row[l * {step}];", copied)
        elif any(f.pad):
            body = f"""
  memset(t, 0, {f.image}L * sizeof(@T@));
  for (long h = 0; h < {f.height}; h++)
    transpose_@S@({f.channels}, {f.breadth}, x + h * {f.breadth}, {size}, t + (h + {f.pad[0]}) * {f.line}L + {f.pad[1] * f.channels}, {f.channels});"""
        else:
            body = f"  transpose_@S@({f.channels}, {size}, x, {size}, t, {f.channels});"
        self.functions.append(self._typed(f"KERNEL void {name}(const @T@ *restrict x, @T@ *restrict t) {{\n{body}\n}}\n"))
        return f"{name}({source} + n * {f.channels * size}L, {target});"

    def _unpack(self, source: str, target: str) -> str:
        """The statement that gives image `n` back its order."""
        f, name = self.form, f"{self.name}_unpack"
        size = f.height * f.breadth
        if f.patches:
            body = f"  memset(x, 0, {f.channels * size}L * sizeof(@T@));\n" + self._patch(f"row[l * {f.dilate[1]}] += t[l];")
        elif any(f.pad):
            body = f"""
  for (long h = 0; h < {f.height}; h++)
    transpose_@S@({f.breadth}, {f.channels}, t + (h + {f.pad[0]}) * {f.line}L + {f.pad[1] * f.channels}, {f.channels}, x + h * {f.breadth}, {size});"""
        else:
            body = f"  transpose_@S@({size}, {f.channels}, t, {f.channels}, x, {size});"
        self.functions.append(self._typed(f"KERNEL void {name}(const @T@ *restrict t, @T@ *restrict x) {{\n{body}\n}}\n"))
        return f"{name}({source}, {target} + n * {f.channels * size}L);"

    def _patch(self, statement: str, segment: str = "") -> str:
        """Loops over the rows of all patches of an image, `t` at the one here and `x` at the one there; a `statement`
        for each element that is inside, or one for a `segment` that is inside as a whole."""
        f = self.form
        (sh, sw), (ph, pw), (dh, dw), (kh, kw) = f.stride, f.pad, f.dilate, f.kernel
        whole = f"b >= 0 && b + {(kw - 1) * dw} < {f.breadth}" if pw else "1"
        return f"""
  for (long i = 0; i < {f.out_height}; i++) for (long j = 0; j < {f.out_breadth}; j++)
    for (long c = 0; c < {f.channels}; c++) for (long k = 0; k < {kh}; k++, t += {kw}) {{
      const long h = i * {sh} + k * {dh} - {ph}, b = j * {sw} - {pw};
      {f"if (h < 0 || h >= {f.height}) continue;" if ph else ""}
      @X@ *row = x + (c * {f.height} + h) * {f.breadth} + b;
      if ({whole}) {segment or f"for (long l = 0; l < {kw}; l++) {statement}"}
      else for (long l = 0; l < {kw}; l++) if (b + l * {dw} >= 0 && b + l * {dw} < {f.breadth}) {statement}
    }}""".replace("@X@", "const @T@" if "t[l] =" in statement else "@T@")

    def _typed(self, text: str) -> str:
        return text.replace("@T@", self.kind).replace("@S@", self.suffix)


def _aligned(elements: int, lanes: int) -> int:
    return -(-elements // lanes) * lanes
