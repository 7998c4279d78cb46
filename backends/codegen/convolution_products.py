"""Convolutions in C as products of matrices: where there are more weights than pixels.

The matrix is never there as a whole. A block of it (some numbers of a patch, for some pixels of all images) is written
to the second cache as the blocks of results read it, from a copy of the images with their margins (Chellapilla, Puri
and Simard, High performance convolutional neural networks for document processing, 2006, without the memory). Weights
are read where they are, and written once: lanes are pixels (forward) or numbers of a filter (gradient).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dopegraph.backends.codegen.blocks import Tile, best_tile
from dopegraph.backends.codegen.convolution_forms import Form
from dopegraph.ir.types import Shape

# Terms that are summed up at a time, at most: blocks of the matrix stay in the second cache.
DEEP = 512

# Jobs that there should be, so that threads finish together; rows of results that are worth a job.
JOBS, ROWS = 8, 48

# Cycles for a vector from the second cache.
LOAD = 3


@dataclass(frozen=True)
class Columns:
    """Images, and the patches that are the columns of a matrix.

    In the copy a row is `stride[1]` parts, so that the numbers that a line of pixels reads stand together.
    """

    images: int
    channels: int
    space: Shape
    out: Shape
    kernel: Shape
    stride: Shape
    pad: Shape
    dilate: Shape

    @property
    def area(self) -> int:
        """Pixels of a result."""
        return math.prod(self.out)

    @property
    def pixels(self) -> int:
        return self.images * self.area

    @property
    def numbers(self) -> int:
        """Numbers of a patch."""
        return self.channels * math.prod(self.kernel)

    @property
    def reach(self) -> tuple[int, int]:
        """Height and breadth of what is read of an image."""
        height, breadth = (
            (length - 1) * step + (width - 1) * apart + 1
            for length, step, width, apart in zip(self.out, self.stride, self.kernel, self.dilate)
        )
        return height, breadth

    @property
    def part(self) -> int:
        """Elements of a part of a row."""
        return -(-self.reach[1] // self.stride[1])

    @property
    def row(self) -> int:
        return self.part * self.stride[1]

    @property
    def plane(self) -> int:
        return self.reach[0] * self.row

    @property
    def run(self) -> int:
        """Pixels that read numbers one after another."""
        return self.area if self.row == self.out[1] and self.stride[0] == 1 else self.out[1]

    @property
    def offsets(self) -> list[int]:
        """Where the numbers of a patch are in a plane of the copy."""
        found = []
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                right = j * self.dilate[1]
                found.append(
                    i * self.dilate[0] * self.row + right % self.stride[1] * self.part + right // self.stride[1]
                )
        return found


def columns_of(form: Form) -> Columns:
    """The patches of a convolution's data."""
    return Columns(
        form.images, form.channels, form.space, form.out, form.kernel, form.stride, form.pad, form.dilate
    )  # fmt: skip


# The copy of the images, a thread's planes each.
_COPY = """
static inline __attribute__((always_inline)) void @N@_copy(const @T@ *restrict x, @T@ *restrict t) {
  for (long h = 0; h < @TALL@; h++, t += @ROW@) {
    const long i = h - @PH@;
    if (@PH@ && (i < 0 || i >= @H@)) { memset(t, 0, @ROW@ * sizeof(@T@)); continue; }
    const @T@ *restrict from = x + i * @W@;
@MOVED@
  }
}
"""
_WHOLE_ROWS = "    memcpy(t, from, @ROW@ * sizeof(@T@));"
_PADDED_ROWS = """\
    for (long j = 0; j < @PW@; j++) t[j] = 0;
    memcpy(t + @PW@, from, @INSIDE@ * sizeof(@T@));
    for (long j = @PW@ + @INSIDE@; j < @ROW@; j++) t[j] = 0;"""
_PARTS_OF_ROWS = """\
    for (long s = 0; s < @SW@; s++) for (long j = 0; j < @PART@; j++) {
      const long at = j * @SW@ + s - @PW@;
      t[s * @PART@ + j] = at >= 0 && at < @W@ ? from[at] : 0;
    }"""

# Where the numbers of some pixels begin, in vectors: what is beyond a run is written again by the next.
_RUNS = """
static const int32_t @N@_offsets[@WINDOW@] = {@OFFSETS@};
static long @N@_runs(long q, long count, long *restrict from, int32_t *restrict to) {
  long s = 0;
  for (long done = 0; done < count;) {
    const long n = (q + done) / @AREA@, p = (q + done) % @AREA@, i = p / @RUN@, j = p % @RUN@;
    const long left = count - done, length = @RUN@ - j < left ? @RUN@ - j : left;
    for (long l = 0; l < length; l += @LANES@, s++)
      from[s] = n * @IMAGE@L + i * @DOWN@ + j + l, to[s] = (int32_t)(done + l);
    done += length;
  }
  return s;
}
static inline __attribute__((always_inline)) void @N@_fill(const @T@ *restrict x, long k, long s,
    const long *restrict from, const int32_t *restrict to, @T@ *restrict t) {
  const @T@ *restrict p = x + k / @WINDOW@ * @PLANE@L + @N@_offsets[k % @WINDOW@];
  for (long r = 0; r < s; r++) *(VEC_@S@ *)(t + to[r]) = *(const VEC_@S@ *)(p + from[r]);
}
"""

_BLOCK = """
FAST static void @N@_@R@x@C@(long k, const @T@ *restrict a, const @T@ *restrict b, @T@ *restrict t, int first) {
  CONTRACTED
  VEC_@S@ @RESULTS@;
  for (long p = 0; p < k; p++, a++, b += @ACROSS@) {
    @PRODUCTS@
  }
  if (first) {
    @SET@
  } else {
    @ADD@
  }
}
"""

# Filters times columns of patches.
_FORWARD = """
KERNEL void @N@(const @T@ *restrict x, const @T@ *restrict w, @T@ *restrict y, @T@ *restrict space, int threads) {
  @T@ *restrict xs = space;
  if (threads > @SHARE@) threads = @SHARE@;
@SHARED@
  for (long n = 0; n < @PLANES@; n++) @N@_copy(x + n * @HW@L, xs + n * @PLANE@L);
@SHARED_JOBS@
  for (long job = 0; job < @JOBS@; job++) {
    @T@ *restrict b = space + @COPIES@L + THREAD * @OWN@L, *restrict t = b + @DEEP@L * @ACROSS@ + @LANES@;
    const long q = job / @PARTS@ * @ACROSS@, count = @PIXELS@ - q < @ACROSS@ ? @PIXELS@ - q : @ACROSS@;
    const long m0 = job % @PARTS@ * @HIGH@, m1 = m0 + @HIGH@ < @ROWS@ ? m0 + @HIGH@ : @ROWS@;
    long from[@ACROSS@];
    int32_t to[@ACROSS@];
    const long s = @N@_runs(q, count, from, to);
    for (long k0 = 0; k0 < @NUMBERS@; k0 += @DEEP@) {
      const long k1 = k0 + @DEEP@ < @NUMBERS@ ? k0 + @DEEP@ : @NUMBERS@;
      for (long k = k0; k < k1; k++) @N@_fill(xs, k, s, from, to, b + (k - k0) * @ACROSS@);
@TILES@
    }
    for (long done = 0; done < count;) {
      const long n = (q + done) / @AREA@, p = (q + done) % @AREA@, left = count - done;
      const long length = @AREA@ - p < left ? @AREA@ - p : left;
      for (long m = m0; m < m1; m++)
        memcpy(y + (n * @ROWS@L + m) * @AREA@ + p, t + (m - m0) * @ACROSS@ + done, length * sizeof(@T@));
      done += length;
    }
  }
}
"""
# Filters times rows of patches, in as many parts of the pixels as keep threads busy.
_WEIGHT = """
KERNEL void @N@(const @T@ *restrict g, const @T@ *restrict x, @T@ *restrict y, @T@ *restrict space, int threads) {
  @T@ *restrict xs = space, *restrict gs = space + @COPIED@L, *restrict sums = gs + @TURNED@L;
  if (threads > @SHARE@) threads = @SHARE@;
@SHARED@
  for (long n = 0; n < @PLANES@; n++) @N@_copy(x + n * @HW@L, xs + n * @PLANE@L);
@SHARED@
  for (long o = 0; o < @ROWS@; o++) for (long n = 0; n < @IMAGES@; n++)
    memcpy(gs + o * @PIXELS@L + n * @AREA@, g + (n * @ROWS@L + o) * @AREA@, @AREA@ * sizeof(@T@));
@SHARED_JOBS@
  for (long job = 0; job < @JOBS@; job++) {
    @T@ *restrict b = space + @COPIES@L + THREAD * @OWN@L, *restrict lines = b + @DEEP@L * @ACROSS@ + @LANES@;
    @T@ *restrict t = lines + 8 * @LINE@;
    const long q = job / @PARTS@ * @ACROSS@, count = @NUMBERS@ - q < @ACROSS@ ? @NUMBERS@ - q : @ACROSS@;
    const long m0 = 0, m1 = @ROWS@, part = job % @PARTS@;
    const long last = (part + 1) * @LONG@ < @PIXELS@ ? (part + 1) * @LONG@ : @PIXELS@;
    for (long k0 = part * @LONG@, first = k0; k0 < last; k0 += @DEEP@) {
      const long k1 = k0 + @DEEP@ < last ? k0 + @DEEP@ : last;
      long from[@DEEP@];
      int32_t to[@DEEP@];
      const long s = @N@_runs(k0, k1 - k0, from, to);
      for (long j = 0; j < count; j += 8) {
        const long rows = count - j < 8 ? count - j : 8;
        for (long r = 0; r < rows; r++) @N@_fill(xs, q + j + r, s, from, to, lines + r * @LINE@);
        transpose_@S@(8, k1 - k0, lines, @LINE@, b + j, @ACROSS@);
      }
@TILES@
    }
    for (long m = 0; m < @ROWS@; m++)
      memcpy(@TARGET@ + m * @NUMBERS@L + q, t + m * @ACROSS@, count * sizeof(@T@));
  }
@ADDED@
}
"""
_ADDED = """\
@SHARED@
  for (long m = 0; m < @ROWS@; m++) for (long k = 0; k < @NUMBERS@; k++) {
    @T@ sum = sums[m * @NUMBERS@L + k];
    for (long part = 1; part < @PARTS@; part++) sum += sums[(part * @ROWS@ + m) * @NUMBERS@L + k];
    y[m * @NUMBERS@L + k] = sum;
  }"""

_SHARED = "#pragma omp parallel for num_threads(threads) if (threads > 1)"


@dataclass
class _Text:
    """A function and its numbers."""

    columns: Columns
    name: str
    lanes: int
    share: int
    rows: int

    def __post_init__(self) -> None:
        one = self.columns
        height, breadth = one.reach
        inside = min(breadth - one.pad[1], one.space[1])
        self.copied = self.aligned(one.images * one.channels * one.plane + 2 * self.lanes)
        self.functions: list[str] = []
        self.numbers: dict[str, object] = {
            "N": self.name, "LANES": self.lanes, "SHARE": self.share, "SHARED": _SHARED if self.share > 1 else "",
            "SHARED_JOBS": f"{_SHARED} schedule(dynamic)" if self.share > 1 else "", "ROWS": self.rows,
            "IMAGES": one.images, "CHANNELS": one.channels, "PLANES": one.images * one.channels, "AREA": one.area,
            "PIXELS": one.pixels, "NUMBERS": one.numbers, "WINDOW": math.prod(one.kernel), "PLANE": one.plane,
            "IMAGE": one.channels * one.plane, "ROW": one.row, "PART": one.part, "TALL": height, "INSIDE": inside,
            "H": one.space[0], "W": one.space[1], "HW": math.prod(one.space), "PH": one.pad[0], "PW": one.pad[1],
            "SW": one.stride[1], "DOWN": one.stride[0] * one.row, "RUN": one.run, "COPIED": self.copied,
            "OFFSETS": ", ".join(map(str, one.offsets)),
        }  # fmt: skip
        moved = _PADDED_ROWS
        if one.stride[1] > 1:
            moved = _PARTS_OF_ROWS
        elif not one.pad[1] and inside == one.row:
            moved = _WHOLE_ROWS
        self.functions.append(self.filled(_COPY, MOVED=moved))
        self.functions.append(self.filled(_RUNS))

    def aligned(self, elements: int) -> int:
        return -(-elements // self.lanes) * self.lanes

    def filled(self, text: str, **more: object) -> str:
        for key, value in (*more.items(), *self.numbers.items()):
            text = text.replace(f"@{key}@", str(value))
        return text

    def tiles(self, tile: Tile, vectors: int, high: int) -> str:
        """Blocks of a panel, and the functions for them: `high` rows of all, from row m0 to m1."""
        widths = {width for _, width in tile.columns(vectors)}
        rest = self.rows % high % tile.height if high < self.rows else self.rows % tile.height
        cases: list[str] = []
        for width in sorted(widths, reverse=True):
            lines = []
            for height in [tile.height, rest] if rest else [tile.height]:
                if height == tile.height and high < height:
                    continue
                self._block(height, width)
                call = f"@N@_{height}x{width}(k1 - k0, @A@ + m * @APART@L + k0, b, t + (m - m0) * @ACROSS@, @FIRST@);"
                if height == tile.height:
                    lines.append(f"for (; m + {height} <= m1; m += {height}) {call}")
                else:
                    lines.append(f"if (m < m1) {call}")
            test = f"if (count > {(width - 1) * self.lanes}) " if len(widths) > 1 and width == tile.width else ""
            test = test or ("else " if cases else "")
            cases.append(f"      {test}{{\n        long m = m0;\n        " + "\n        ".join(lines) + "\n      }")
        return "\n".join(cases)

    def _block(self, rows: int, columns: int) -> None:
        each = [(row, column) for column in range(columns) for row in range(rows)]
        products = [f"const VEC_@S@ v{v} = *(const VEC_@S@ *)(b + {v * self.lanes});" for v in range(columns)]
        for row in range(rows):
            adding = " ".join(f"a{row}_{v} += s * v{v};" for v in range(columns))
            products.append(f"{{ const @T@ s = a[{row} * @APART@L]; {adding} }}")
        places = [(f"*(VEC_@S@ *)(t + {row} * @ACROSS@ + {v * self.lanes})", f"a{row}_{v}") for row, v in each]
        text = self.filled(
            _BLOCK, R=rows, C=columns, RESULTS=", ".join(f"{one} = {{0}}" for _, one in places),
            PRODUCTS="\n    ".join(products), SET=" ".join(f"{place} = {one};" for place, one in places),
            ADD=" ".join(f"{place} += {one};" for place, one in places),
        )  # fmt: skip
        self.functions.append(text)


def _even(length: int, most: int) -> int:
    """Parts of a length that are alike, of at most so many."""
    return -(-length // -(-length // most))


def forward(form: Form, name: str, lanes: int, share: int) -> tuple[str, list[str], int]:
    """A convolution: its function, those that it calls, the elements of its workspace."""
    columns = columns_of(form)
    text = _Text(columns, name, lanes, share, form.filters)
    vectors = -(-columns.pixels // lanes)
    tile = best_tile(text.rows, vectors, LOAD)
    panels = -(-vectors // tile.width)
    high = text.rows
    if share > 1 and panels < JOBS:
        wanted = min(-(-JOBS // panels), max(1, text.rows // ROWS))
        high = min(-(-_even(text.rows, -(-text.rows // wanted)) // tile.height) * tile.height, text.rows)
    parts = -(-text.rows // high)
    deep, across = _even(columns.numbers, DEEP), tile.width * lanes
    own = text.aligned(deep * across + lanes + high * across)
    text.numbers |= {
        "DEEP": deep, "ACROSS": across, "HIGH": high, "PARTS": parts, "JOBS": panels * parts, "OWN": own,
        "COPIES": text.copied, "A": "w", "APART": columns.numbers, "FIRST": "k0 == 0",
    }  # fmt: skip
    tiles = text.tiles(tile, vectors, high)
    return text.filled(_FORWARD, TILES=tiles), text.functions, text.copied + share * own


def weight(form: Form, name: str, lanes: int, share: int) -> tuple[str, list[str], int]:
    """The same for the gradient of the weight."""
    columns = columns_of(form)
    text = _Text(columns, name, lanes, share, form.filters)
    vectors = -(-columns.numbers // lanes)
    tile = best_tile(form.filters, vectors, LOAD)
    panels = -(-vectors // tile.width)
    # So many whatever the threads are, so that sums are the same.
    parts = max(1, min(-(-JOBS // panels), columns.pixels // DEEP))
    length = -(-columns.pixels // parts)
    parts = -(-columns.pixels // length)
    deep, across = _even(length, DEEP), tile.width * lanes
    line = text.aligned(deep + lanes)
    turned = text.aligned(form.filters * columns.pixels)
    size = form.filters * columns.numbers
    sums = text.aligned(parts * size) if parts > 1 else 0
    own = text.aligned(deep * across + lanes + 8 * line + form.filters * across)
    target = f"(sums + part * {size}L)" if parts > 1 else "y"
    text.numbers |= {
        "DEEP": deep, "ACROSS": across, "PARTS": parts, "JOBS": panels * parts, "OWN": own, "LINE": line,
        "LONG": length, "TURNED": turned, "COPIES": text.copied + turned + sums, "A": "gs", "APART": columns.pixels,
        "FIRST": "k0 == first", "TARGET": target,
    }  # fmt: skip
    tiles = text.tiles(tile, vectors, form.filters)
    last = text.filled(_WEIGHT, ADDED=_ADDED if parts > 1 else "", TILES=tiles)
    return last, text.functions, text.copied + turned + sums + share * own
