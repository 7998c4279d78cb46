"""Convolutions in C, directly: a small block of results stays in vector registers while everything is added to it.

The lanes of vectors are filters (forward), or numbers of a line of the kernel (both gradients), so no matrix of all
patches is written. In a template ``@NAME@`` is a number of the form; lines that begin a block are written for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dopegraph.backends.codegen import convolution_products, threads
from dopegraph.backends.codegen.blocks import Tile, best_tile, head, transposition, vector_lanes
from dopegraph.backends.codegen.convolution_forms import Form, form_of, operations, packing, unpacking
from dopegraph.ir.graph import Node

# Multiplications and additions from which threads share the images: about 40 microseconds.
SHARED = 1 << 23

# Vectors of weights, of which four beside each other stay in the first cache.
NEAR = 128

# Weights from which threads share the packing of them; parts of the images that threads add up by themselves, and the
# elements of all their sums, at most.
WEIGHTS, PARTS, SUMS = 1 << 15, 8, 1 << 22

# Filters, and pixels of all images, for which products of matrices are faster: forward, and for the weight, where that
# has fewer elements.
MANY, FEW, FEW_FOR_SUMS, SUMMED = 96, 300, 400, 1 << 19

# Pixels that are computed before they are turned to channels first, and elements of images that are turned at once.
CHUNK, IMAGES = 192, 1 << 16

# More columns of blocks than these are a loop in C, not text: a line of a kernel of 256 channels has 128 of them, and
# the compiler needed ten seconds for their loops one after the other, half a second for one.
UNROLLED = 4

_SHARED = "#pragma omp parallel for num_threads(threads) if (threads > 1)"

_TILE = """FAST static void @N@_@R@x@C@@KIND@(@PARAMETERS@) {
  CONTRACTED
  VEC_@S@ @RESULTS@;
  @LOOPS@
    @PRODUCTS@
  @END@
  @STORES@
}
"""

# Results: pixels times filters, added up over the lines of the kernel and the numbers of a line.
_FORWARD_LOOPS = """for (long i = 0; i < @LINES@; i++) {
  const @T@ *p = x + i * @LINE@L;
  for (long j = 0; j < @WIDTH@; j++, p++, w += @C@ * @LANES@) {"""
_FORWARD = """
KERNEL void @N@(const @T@ *restrict x, const @T@ *restrict w, @T@ *restrict y, @T@ *restrict space, int threads) {
  @T@ *restrict wp = space;
  if (threads > @SHARE@) threads = @SHARE@;
@WEIGHTS@
@SHARED@
  for (long n0 = 0; n0 < @IMAGES@; n0 += @BLOCK@) {
    const long n1 = n0 + @BLOCK@ < @IMAGES@ ? n0 + @BLOCK@ : @IMAGES@;
    @T@ *xs = space + @PACKED@L + THREAD * @OWN@L, *t = xs + @TURNED@L;
    for (long n = n0; n < n1; n++) @N@_pack(x + n * @DATA@L, xs + (n - n0) * @IMAGE@L);
    for (long r0 = 0; r0 < @ROWS@; r0 += @CHUNK@) {
      const long r1 = r0 + @CHUNK@ < @ROWS@ ? r0 + @CHUNK@ : @ROWS@;
@TILES@
      for (long n = n0; n < n1; n++)
        transpose_@S@((r1 - r0) * @PIXELS@, @FILTERS@, t + (n - n0) * @AREA@L * @ALL@, @ALL@,
                      y + n * @OUT@L + r0 * @PIXELS@, @AREA@);
    }
  }
}
"""
_FORWARD_TILE = """      for (long r = r0; r < r1; r++) for (long q = @FROM@; q < @TO@; q += @R@)
        @N@_@R@x@C@@KIND@(xs + r * @ROW@L + q * @STEP@L, wp + @FIRST@ * @STEPS@,
                    t + ((r - r0) * @PIXELS@L + q) * @ALL@ + @FIRST@);"""
# A vector of filters for each number of a patch, by squares.
_FORWARD_WEIGHTS = """
@SHARED_WEIGHTS@
  for (long v = 0; v < @VECTORS@; v++) {
    @T@ turned[512 * @LANES@];
    const long f = v / @BROAD@, left = @VECTORS@ - f * @BROAD@, size = left < @BROAD@ ? left : @BROAD@;
    const long o = v * @LANES@, filters = @FILTERS@ - o < @LANES@ ? @FILTERS@ - o : @LANES@;
    @T@ *restrict to = wp + f * (@BROAD@ * @LANES@ * @STEPS@L) + v % @BROAD@ * @LANES@;
    if (filters < @LANES@) memset(turned, 0, sizeof turned);
    for (long j0 = 0; j0 < @STEPS@; j0 += 512) {
      const long j1 = j0 + 512 < @STEPS@ ? j0 + 512 : @STEPS@;
      transpose_@S@(filters, j1 - j0, w + o * @STEPS@L + j0, @STEPS@, turned, @LANES@);
      for (long j = j0; j < j1; j++)
        *(VEC_@S@ *)(to + (@NUMBER@) * (size * @LANES@)) = *(const VEC_@S@ *)(turned + (j - j0) * @LANES@);
    }
  }"""

# Results: filters times numbers of a line, added up over all pixels of some images.
_WEIGHT_LOOPS = """for (long n = 0; n < count; n++) for (long i = 0; i < @ROWS@; i++) {
  const @T@ *p = x + n * @IMAGE@L + i * @ROW@L, *g = d + n * @OUT@L + i * @PIXELS@L;
  for (long j = 0; j < @PIXELS@; j++, g++, p += @STEP@) {"""
_WEIGHT = """
KERNEL void @N@(const @T@ *restrict g, const @T@ *restrict x, @T@ *restrict y, @T@ *restrict space, int threads) {
  if (threads > @SHARE@) threads = @SHARE@;
@SHARED@
  for (long part = 0; part < @PARTS@; part++) {
    @T@ *restrict t = space + part * @SIZE@L, *restrict xs = space + @PARTS@ * @SIZE@L + THREAD * @PACKED@L;
    const long last = (part + 1) * @LONG@ < @IMAGES@ ? (part + 1) * @LONG@ : @IMAGES@;
    memset(t, 0, @SIZE@L * sizeof(@T@));
    for (long n0 = part * @LONG@; n0 < last; n0 += @BLOCK@) {
      const long n1 = n0 + @BLOCK@ < last ? n0 + @BLOCK@ : last;
      for (long n = n0; n < n1; n++) @N@_pack(x + n * @DATA@L, xs + (n - n0) * @IMAGE@L);
      for (long k = 0; k < @LINES@; k++) {
@TILES@
      }
    }
  }
@SHARED_WEIGHTS@
  for (long o = 0; o < @FILTERS@; o++) {
    @T@ *restrict t = space + o * (@LINES@ * @ALL@L);
    for (long part = 1; part < @PARTS@; part++)
      for (long k = 0; k < @LINES@ * @ALL@; k++) t[k] += t[part * @SIZE@L + k];
    for (long i = 0; i < @LINES@; i++) for (long j = 0; j < @ACROSS@; j++) for (long c = 0; c < @DEEP@; c++)
      y[o * @STEPS@L + (c * @LINES@ + i) * @ACROSS@ + j] = t[i * @ALL@ + j * @DEEP@ + c];
  }
}
"""
_WEIGHT_TILE = """      for (long o = @FROM@; o < @TO@; o += @R@)
        @N@_@R@x@C@@KIND@(n1 - n0, xs + k * @LINE@L + @FIRST@, g + n0 * @OUT@L + o * @AREA@L,
                    t + (o * @LINES@ + k) * @ALL@ + @FIRST@);"""

# Results: pixels times numbers of a line, added up over the filters, and then into the image.
_DATA_LOOPS = "for (long j = 0; j < @FILTERS@; j++, g += @AREA@, w += @C@ * @LANES@) {"
_DATA = """
KERNEL void @N@(const @T@ *restrict g, const @T@ *restrict w, @T@ *restrict y, @T@ *restrict space, int threads) {
  @T@ *restrict wp = space;
  if (threads > @SHARE@) threads = @SHARE@;
@WEIGHTS@
@SHARED@
  for (long n0 = 0; n0 < @IMAGES@; n0 += @BLOCK@) {
    const long n1 = n0 + @BLOCK@ < @IMAGES@ ? n0 + @BLOCK@ : @IMAGES@;
    @T@ *xs = space + @PACKED@L + THREAD * @OWN@L;
    memset(xs, 0, @BLOCK@ * @IMAGE@L * sizeof(@T@));
@TILES@
    for (long n = n0; n < n1; n++) @N@_unpack(xs + (n - n0) * @IMAGE@L, y + n * @DATA@L);
  }
}
"""
# All pixels of some images before the next weights, which may be more than a cache holds.
_DATA_TILE = """      for (long n = n0; n < n1; n++) for (long r = 0; r < @ROWS@; r++)
        for (long k = 0; k < @LINES@; k++) for (long q = @FROM@; q < @TO@; q += @R@)
          @N@_@R@x@C@@KIND@(g + n * @OUT@L + r * @PIXELS@L + q, wp + (k * @ALL@L + @FIRST@) * @FILTERS@,
                      xs + (n - n0) * @IMAGE@L + r * @ROW@L + k * @LINE@L + q * @STEP@L + @FIRST@);"""
_DATA_WEIGHTS = """
@SHARED_WEIGHTS@
  for (long o = 0; o < @FILTERS@; o++) {
    @T@ *restrict line = space + @PACKED@L + THREAD * @OWN@L;
    for (long j = @WIDTH@; j < @ALL@; j++) line[j] = 0;
    for (long i = 0; i < @LINES@; i++) {
      for (long j = 0; j < @ACROSS@; j++) for (long c = 0; c < @DEEP@; c++)
        line[j * @DEEP@ + c] = w[o * @STEPS@L + (c * @LINES@ + i) * @ACROSS@ + j];
      for (long f = 0; f < @ALL@; f += @BROAD@ * @LANES@) {
        const long size = @ALL@ - f < @BROAD@ * @LANES@ ? @ALL@ - f : @BROAD@ * @LANES@;
        memcpy(wp + (i * @ALL@L + f) * @FILTERS@ + o * size, line + f, size * sizeof(@T@));
      }
    }
  }"""

# Patches are written as weights are: one block of columns after the other.
_DATA_WEIGHTS_OF_PATCHES = """
@SHARED_WEIGHTS@
  for (long f = 0; f < @ALL@; f += @BROAD@ * @LANES@) {
    const long size = @ALL@ - f < @BROAD@ * @LANES@ ? @ALL@ - f : @BROAD@ * @LANES@;
    const long there = @WIDTH@ - f < size ? @WIDTH@ - f : size;
    for (long o = 0; o < @FILTERS@; o++) {
      @T@ *restrict to = wp + f * @FILTERS@L + o * size;
      const @T@ *restrict from = w + o * @STEPS@L + f;
      for (long l = 0; l < there; l++) to[l] = from[l];
      for (long l = there; l < size; l++) to[l] = 0;
    }
  }"""


def convolution(node: Node, name: str) -> tuple[str, list[str], int]:
    """The statement of a node, with holes for pointers, the workspace last; its functions, the last its own; the bytes
    of the workspace."""
    dtype = node.output.type.dtype
    share = max(1, min(threads.number, 64)) if operations(node) >= SHARED else 1
    lanes = vector_lanes(dtype)
    form = form_of(node, lanes)
    if by_products(node, form):
        write = convolution_products.forward if node.op.name == "conv" else convolution_products.weight
        text, written, elements = write(form, name, lanes, share)
    else:
        writer = _Writer(form, name, lanes, share)
        text, elements = getattr(writer, node.op.name)()
        written = writer.functions
    kind, suffix = ("float", "f32") if dtype.itemsize == 4 else ("double", "f64")
    functions = [one.replace("@T@", kind).replace("@S@", suffix) for one in [*written, text]]
    size = (elements + 4 * lanes) * dtype.itemsize  # the last vector may be read beyond its numbers
    return (
        f"{name}({{0}}, {{1}}, {{2}}, {{3}}, threads);",
        [head(kind), transposition(kind), "\n".join(functions)],
        size,
    )


def by_products(node: Node, form: Form) -> bool:
    """Whether there are so few pixels that weights should be read where they are, and written once.

    For 72 pixels and 512 x 512 x 3 x 3 of them, turning them to channels last and back made all of it 1.2 (forward) and
    2.5 times (gradient) as slow as products. From 400 pixels on blocks are as fast, and for 1568 pixels products take
    1.1 times as long. But blocks need sums for each part of the images.
    """
    pixels, weights = form.images * form.area, form.filters * form.lines * form.width
    if form.filters < MANY or node.op.name == "conv_grad_data":
        return False
    return pixels <= FEW if node.op.name == "conv" else pixels <= FEW_FOR_SUMS or weights > SUMMED


class _Writer:
    def __init__(self, form: Form, name: str, lanes: int, share: int) -> None:
        self.form = form
        self.lanes = lanes
        self.share = share
        self.functions: list[str] = []
        window = math.prod(form.kernel)
        self.numbers: dict[str, object] = {
            "N": name, "LANES": lanes, "SHARE": share, "SHARED": _SHARED if share > 1 else "", "IMAGES": form.images,
            "FILTERS": form.filters, "AREA": form.area, "LINES": form.lines, "WIDTH": form.width, "STEP": form.step,
            "LINE": form.line, "ROW": form.row, "ROWS": form.rows, "PIXELS": form.pixels, "IMAGE": form.image,
            "STEPS": form.lines * form.width, "OUT": form.filters * form.area,
            "DATA": form.channels * math.prod(form.space),
            # A line of the kernel is `ACROSS` times `DEEP` numbers, which stand the other way in a weight.
            "ACROSS": 1 if form.patches else form.kernel[1], "DEEP": form.width if form.patches else form.channels,
            "NUMBER": "j" if form.patches else f"j % {window} * {form.channels} + j / {window}",
            "SHARED_WEIGHTS": _SHARED if share > 1 and form.filters * form.lines * form.width >= WEIGHTS else "",
        }  # fmt: skip

    def conv(self) -> tuple[str, int]:
        form = self.form
        # All pixels of a few images are one row, where an image has few.
        block = max(1, min(form.images, CHUNK // form.area)) if form.patches else 1
        pixels, vectors = block * form.pixels, self._vectors(form.filters)
        tile = best_tile(pixels, vectors, self._load(form.lines * form.width))
        store = "*(VEC_@S@ *)(t + {r} * @ALL@L + {v} * @LANES@) = {a};"
        self.numbers["ALL"] = vectors * self.lanes
        for rows, columns in tile.sizes(pixels, vectors):
            self._tile(
                rows, columns, "const @T@ *x, const @T@ *w, @T@ *t", _FORWARD_LOOPS, "w", "p[{r} * @STEP@]", store
            )
        chunk = max(1, CHUNK // form.pixels)
        packed = form.lines * form.width * vectors * self.lanes
        turned = form.image * block
        own = self._aligned(turned + min(chunk, form.rows) * pixels * vectors * self.lanes)
        text = self._filled(
            _FORWARD, WEIGHTS=_FORWARD_WEIGHTS, VECTORS=vectors, BROAD=tile.width, BLOCK=block, PACKED=packed, OWN=own,
            TURNED=turned, CHUNK=chunk, TILES=self._tiles(_FORWARD_TILE, tile, pixels, vectors),
        )  # fmt: skip
        self._function("pack", "const @T@ *restrict x, @T@ *restrict t", packing(form))
        return text, packed + self.share * own

    def conv_grad_weight(self) -> tuple[str, int]:
        form, vectors = self.form, self._vectors(self.form.width)
        tile = best_tile(form.filters, vectors)
        store = "*(VEC_@S@ *)(t + {r} * @LINES@ * @ALL@L + {v} * @LANES@) += {a};"
        self.numbers["ALL"] = vectors * self.lanes
        for rows, columns in tile.sizes(form.filters, vectors):
            parameters = "long count, const @T@ *x, const @T@ *d, @T@ *t"
            self._tile(rows, columns, parameters, _WEIGHT_LOOPS, "p", "g[{r} * @AREA@L]", store)
        # So many parts whatever the threads are, so that sums are the same.
        size = form.filters * form.lines * vectors * self.lanes
        parts = max(1, min(form.images, PARTS, SUMS // size)) if self.share > 1 else 1
        length = -(-form.images // parts)
        parts = -(-form.images // length)
        block = max(1, min(length, IMAGES // form.image))
        packed = self._aligned(form.image * block + 4 * self.lanes)
        tiles = self._tiles(_WEIGHT_TILE, tile, form.filters, vectors)
        text = self._filled(_WEIGHT, BLOCK=block, PACKED=packed, TILES=tiles, PARTS=parts, LONG=length, SIZE=size)
        self._function("pack", "const @T@ *restrict x, @T@ *restrict t", packing(form))
        return text, self.share * packed + parts * size

    def conv_grad_data(self) -> tuple[str, int]:
        form, vectors = self.form, self._vectors(self.form.width)
        tile = best_tile(form.pixels, vectors, self._load(form.filters))
        # The last vector of a line may reach beyond it, where other pixels are.
        rest = form.width % self.lanes
        store = "*(VEC_@S@ *)(t + {r} * @STEP@L + {v} * @LANES@) += {a};"
        last = f"for (int l = 0; l < {rest}; l++) t[{{r}} * @STEP@L + {{v}} * @LANES@ + l] += {{a}}[l];"
        self.numbers["ALL"] = vectors * self.lanes
        for rows, columns in tile.sizes(form.pixels, vectors):
            for partial in [False, True] if rest else [False]:
                parameters, end = "const @T@ *g, const @T@ *w, @T@ *t", last if partial else store
                self._tile(rows, columns, parameters, _DATA_LOOPS, "w", "g[{r}]", store, end, "p" * partial)
        block = min(-(-form.images // self.share), -(-CHUNK // form.area))
        own = self._aligned(block * form.image + 4 * self.lanes)
        packed = form.lines * vectors * self.lanes * form.filters
        text = self._filled(
            _DATA, WEIGHTS=_DATA_WEIGHTS_OF_PATCHES if form.patches else _DATA_WEIGHTS, BROAD=tile.width,
            PACKED=packed, OWN=own, BLOCK=block,
            TILES=self._tiles(_DATA_TILE, tile, form.pixels, vectors, bool(rest)),
        )  # fmt: skip
        self._function("unpack", "const @T@ *restrict t, @T@ *restrict x", unpacking(form))
        return text, packed + self.share * own

    # Parts -----------------------------------------------------------------------------------------------------------

    def _load(self, steps: int) -> float:
        """Cycles for a vector of weights, which come from the second cache where they are many."""
        return 2 if steps > NEAR else 0.5

    def _vectors(self, count: int) -> int:
        return -(-count // self.lanes)

    def _aligned(self, elements: int) -> int:
        return self._vectors(elements) * self.lanes

    def _filled(self, text: str, **more: object) -> str:
        """A template with its numbers; what is put in may have numbers itself."""
        for name, value in (*more.items(), *self.numbers.items()):
            text = text.replace(f"@{name}@", str(value))
        return text

    def _function(self, name: str, parameters: str, body: str) -> None:
        self.functions.append(self._filled(f"KERNEL void @N@_{name}({parameters}) {{\n{body}\n}}\n"))

    def _columns(self, tile: Tile, vectors: int, rest: bool = False) -> Iterator[tuple[str, str, int, str]]:
        """The columns of blocks: a loop around them or nothing, their first number, their vectors, and "p" for one that
        may not be written whole."""
        columns = [(first, width, "p" * (rest and first + width == vectors)) for first, width in tile.columns(vectors)]
        alike = [one for one in columns if one[1:] == (tile.width, "")]
        if len(alike) > UNROLLED:
            size = tile.width * self.lanes
            yield f"  for (long f = 0; f < {len(alike) * size}; f += {size})", "f", tile.width, ""
            columns = columns[len(alike) :]
        for first, width, kind in columns:
            yield "", f"{first * self.lanes}L", width, kind

    def _tiles(self, text: str, tile: Tile, count: int, vectors: int, rest: bool = False) -> str:
        """Loops over the blocks of a matrix of `count` times `vectors`."""
        found = []
        for loop, first, width, kind in self._columns(tile, vectors, rest):
            blocks = "\n".join(
                self._filled(text, FROM=start, TO=stop, R=height, C=width, FIRST=first, KIND=kind)
                for start, stop, height in tile.rows(count)
            )
            found.append(f"    {loop} {{\n{blocks}\n      }}" if loop else blocks)
        return "\n".join(found)

    def _tile(
        self, rows: int, columns: int, parameters: str, loops: str, vectors: str, number: str, store: str,
        last: str = "", kind: str = "",
    ) -> None:  # fmt: skip
        """A function that adds up a block: `rows` numbers, each times `columns` vectors."""
        # Vector after vector: one that was just written should not be read again at once.
        each = [(row, column) for column in range(columns) for row in range(rows)]
        products = [f"const VEC_@S@ v{v} = *(const VEC_@S@ *)({vectors} + {v} * @LANES@);" for v in range(columns)]
        for row in range(rows):
            adding = " ".join(f"a{row}_{v} += s * v{v};" for v in range(columns))
            products.append(f"{{ const @T@ s = {number.format(r=row)}; {adding} }}")
        stores = [
            (last if last and column == columns - 1 else store).format(r=row, v=column, a=f"a{row}_{column}")
            for row, column in each
        ]
        text = self._filled(
            _TILE, PARAMETERS=parameters, RESULTS=", ".join(f"a{row}_{column} = {{0}}" for row, column in each),
            LOOPS=loops, END="}" * loops.count("{"), PRODUCTS="\n    ".join(products), STORES="\n  ".join(stores),
            R=rows, C=columns, KIND=kind,
        )  # fmt: skip
        self.functions.append(text)
