"""Products of matrices in C of our own: blocks of results in registers, operands packed in the order they are read.

A BLAS packs the second operand in every call, which for a few rows takes as long as the product. In a loop over time
steps the weights are packed once. The scheme is that of Goto and van de Geijn, Anatomy of high-performance matrix
multiplication (2008); sums over k are those of a BLAS, a product and its sum in one operation.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.team import SECTIONS
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape

# Bytes of the longest vectors; numbers of a packed panel, and rows of a block, at most.
VECTOR, VECTORS, ROWS = 64, 2, 8

# Numbers that are summed up at a time, and rows and columns whose packed operands stay in the caches meanwhile.
DEEP, HIGH, WIDE = 256, 128, 512

# Bytes that certainly stay in the second cache; rows of an operand that are asked for early.
NEAR, AHEAD = 1 << 18, 12

# Fewer rows, columns or terms are left to the BLAS; in loops, where packing costs nothing, so many rows suffice.
LEAST, LEAST_ROWS = 16, 4

# Multiplications from which threads share a product, and that take as long as packing one number.
LEAST_SHARED, COPY = 1 << 22, 16

_HEAD = """
#if defined(__AVX512F__)
#define PRODUCT_BYTES 64
#define PRODUCT_ROWS 8
#elif defined(__AVX__)
#define PRODUCT_BYTES 32
#define PRODUCT_ROWS 6
#else
#define PRODUCT_BYTES 16
#define PRODUCT_ROWS 6
#endif
#if defined(__clang__)
#define PRODUCT __attribute__((noinline, unused))
#define PRODUCT_SUMS _Pragma("clang fp contract(fast)")
#else
#define PRODUCT __attribute__((noinline, unused, optimize("fp-contract=fast")))
#define PRODUCT_SUMS
#endif
#if defined(__clang__)
#define PRODUCT_MIXED(order, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PRODUCT_MIXED(order, a, b, ...) __builtin_shuffle(a, b, (order){__VA_ARGS__})
#endif
enum {
  PRODUCT_DEEP = @DEEP@, PRODUCT_HIGH = @HIGH@, PRODUCT_WIDE = @WIDE@, PRODUCT_VECTORS = @VECTORS@,
  PRODUCT_NEAR = @NEAR@, PRODUCT_AHEAD = @AHEAD@
};
"""

_TURN = """
typedef @T@ product_line_@S@ __attribute__((vector_size(32), aligned(sizeof(@T@)), may_alias));
typedef @ORDER@ product_order_@S@ __attribute__((vector_size(32)));
static inline __attribute__((always_inline)) void product_turn_@S@(const @T@ *restrict from, long ld, @T@ *restrict to,
                                                                  long width) {
  enum { L = 32 / sizeof(@T@) };
  product_line_@S@ a[L], t;
  for (int r = 0; r < L; r++) a[r] = *(const product_line_@S@ *)(from + r * ld);
@MIX@  for (int r = 0; r < L; r++) *(product_line_@S@ *)(to + r * width) = a[r];
}
"""

# How the functions of a block begin and end.
_BEGIN = """\
  if (minus)
    for (int r = 0; r < PRODUCT_ROWS; r++)
      for (int v = 0; v < PRODUCT_VECTORS; v++) {
        __builtin_prefetch(minus + r * ld + v * L);
        __builtin_prefetch(z + r * ld + v * L, 1);
      }
  for (int r = 0; r < PRODUCT_ROWS; r++)
    for (int v = 0; v < PRODUCT_VECTORS; v++)
      sums[r][v] = first ? (product_vector_@S@){0} : *(product_vector_@S@ *)(z + r * ld + v * L);
"""
_END = """\
  if (minus)
    for (int r = 0; r < PRODUCT_ROWS; r++)
      for (int v = 0; v < PRODUCT_VECTORS; v++)
        *(product_vector_@S@ *)(z + r * ld + v * L) =
            *(const product_vector_@S@ *)(minus + r * ld + v * L) - sums[r][v];
  else
    for (int r = 0; r < PRODUCT_ROWS; r++)
      for (int v = 0; v < PRODUCT_VECTORS; v++) *(product_vector_@S@ *)(z + r * ld + v * L) = sums[r][v];
"""

_FUNCTIONS = """
typedef @T@ product_vector_@S@ __attribute__((vector_size(PRODUCT_BYTES), aligned(sizeof(@T@)), may_alias));
enum { PRODUCT_LANES_@S@ = PRODUCT_BYTES / sizeof(@T@), PRODUCT_PANEL_@S@ = PRODUCT_VECTORS * PRODUCT_LANES_@S@ };

@TURN@
/* A block of z: the first one of its sums, or added to it; at last what the product is taken from, if anything. A step
   of the sums is `step` numbers from the next in x, and `ldy` in y, of which what comes `ahead` is asked for early. */
static PRODUCT void product_block_@S@(long k, const @T@ *restrict x, long step, const @T@ *restrict y, long ldy,
                                      long ahead, const @T@ *restrict minus, @T@ *restrict z, long ld, int first) {
  PRODUCT_SUMS
  enum { L = PRODUCT_LANES_@S@ };
  product_vector_@S@ sums[PRODUCT_ROWS][PRODUCT_VECTORS];
@BEGIN@
  for (long p = 0; p < k; p++, x += step, y += ldy) {
    product_vector_@S@ row[PRODUCT_VECTORS];
    for (int v = 0; v < PRODUCT_VECTORS; v++) {
      __builtin_prefetch(y + ahead + v * L);
      row[v] = *(const product_vector_@S@ *)(y + v * L);
    }
    for (int r = 0; r < PRODUCT_ROWS; r++)
      for (int v = 0; v < PRODUCT_VECTORS; v++) sums[r][v] += x[r] * row[v];
  }
@END@
}

/* The same for h rows of x as they are; what stands below them in z is of no use. */
static PRODUCT void product_rows_@S@(long k, const @T@ *restrict x, long ldx, long h, const @T@ *restrict y, long ldy,
                                     long ahead, const @T@ *restrict minus, @T@ *restrict z, long ld, int first) {
  PRODUCT_SUMS
  enum { L = PRODUCT_LANES_@S@ };
  const @T@ *rows[PRODUCT_ROWS];
  for (int r = 0; r < PRODUCT_ROWS; r++) rows[r] = x + (r < h ? r : h - 1) * ldx;
  product_vector_@S@ sums[PRODUCT_ROWS][PRODUCT_VECTORS];
@BEGIN@
  for (long p = 0; p < k; p++, y += ldy) {
    product_vector_@S@ row[PRODUCT_VECTORS];
    for (int v = 0; v < PRODUCT_VECTORS; v++) {
      __builtin_prefetch(y + ahead + v * L);
      row[v] = *(const product_vector_@S@ *)(y + v * L);
    }
    for (int r = 0; r < PRODUCT_ROWS; r++)
      for (int v = 0; v < PRODUCT_VECTORS; v++) sums[r][v] += rows[r][p] * row[v];
  }
@END@
}

/* k rows of n numbers, or where `across` n rows of k, as panels of so many columns, zeros behind the last. */
static inline __attribute__((always_inline)) void product_panels_@S@(int across, long k, long n, const long width,
                                                                    const @T@ *restrict from, long ld,
                                                                    @T@ *restrict to) {
  for (long j = 0; j < n; j += width, to += k * width) {
    const long w = n - j < width ? n - j : width;
    if (w < width) memset(to, 0, k * width * sizeof(@T@));
    if (across) {
      enum { L = 32 / sizeof(@T@) };
      const long squares = w / L * L, turned = k / L * L;
      for (long q = 0; q < squares; q += L)
        for (long p = 0; p < turned; p += L)
          product_turn_@S@(from + (j + q) * ld + p, ld, to + p * width + q, width);
      for (long q = 0; q < w; q++)
        for (long p = q < squares ? turned : 0; p < k; p++) to[p * width + q] = from[(j + q) * ld + p];
    }
    else if (w == width)
      for (long p = 0; p < k; p++)
        for (long q = 0; q < width; q++) to[p * width + q] = from[p * ld + j + q];
    else
      for (long p = 0; p < k; p++)
        for (long q = 0; q < w; q++) to[p * width + q] = from[p * ld + j + q];
  }
}

/* The whole second operand, packed. */
static __attribute__((unused)) void product_pack_@S@(int ty, long k, long n, const @T@ *y, @T@ *to) {
  const long ld = ty ? k : n, padded = (n + PRODUCT_PANEL_@S@ - 1) / PRODUCT_PANEL_@S@ * PRODUCT_PANEL_@S@;
  for (long p = 0; p < k; p += PRODUCT_DEEP) {
    const long deep = k - p < PRODUCT_DEEP ? k - p : PRODUCT_DEEP;
    product_panels_@S@(ty, deep, n, PRODUCT_PANEL_@S@, ty ? y + p : y + p * ld, ld, to);
    to += padded * deep;
  }
}

/* Some rows, packed where `tx`, times some columns, for k terms from p on. Rows of y are `ldy` apart; 0 is packed. */
static void product_strip_@S@(int tx, long high, long p, long k, long n, const @T@ *x, long ldx, const @T@ *y, long ldy,
                              const @T@ *minus, @T@ *z, long ldz) {
  @T@ edge[PRODUCT_ROWS * PRODUCT_PANEL_@S@];
  const long down = ldy ? ldy : PRODUCT_PANEL_@S@;
  for (long j = 0; j < n; j += PRODUCT_PANEL_@S@) {
    const long w = n - j < PRODUCT_PANEL_@S@ ? n - j : PRODUCT_PANEL_@S@;
    const @T@ *const panel = y + (ldy ? j : j * k);
    for (long i = 0; i < high; i += PRODUCT_ROWS) {
      const long h = high - i < PRODUCT_ROWS ? high - i : PRODUCT_ROWS, at = i * ldz + j;
      const int whole = h == PRODUCT_ROWS && w == PRODUCT_PANEL_@S@;
      @T@ *const to = z + at, *const block = whole ? to : edge;
      const @T@ *const from = minus && whole ? minus + at : 0;
      const long ld = whole ? ldz : PRODUCT_PANEL_@S@, ahead = ldy && i < 2 * PRODUCT_ROWS ? PRODUCT_AHEAD * ldy : 0;
      if (tx) product_block_@S@(k, x + i * k, PRODUCT_ROWS, panel, down, ahead, from, block, ld, !whole || p == 0);
      else product_rows_@S@(k, x + i * ldx, ldx, h, panel, down, ahead, from, block, ld, !whole || p == 0);
      if (!whole)
        for (long r = 0; r < h; r++)
          for (long c = 0; c < w; c++) {
            const @T@ one = edge[r * PRODUCT_PANEL_@S@ + c], sum = p ? to[r * ldz + c] + one : one;
            to[r * ldz + c] = minus ? minus[at + r * ldz + c] - sum : sum;
          }
    }
  }
}

/* All rows times some columns, for k terms from p on. */
static void product_part_@S@(int tx, long m, long p, long k, long n, const @T@ *x, long ldx, const @T@ *y, long ldy,
                             const @T@ *minus, @T@ *z, long ldz, @T@ *work) {
  for (long top = 0; top < m; top += PRODUCT_HIGH) {
    const long high = m - top < PRODUCT_HIGH ? m - top : PRODUCT_HIGH;
    const @T@ *const from = tx ? x + p * ldx + top : x + top * ldx + p;
    if (tx) product_panels_@S@(0, k, high, PRODUCT_ROWS, from, ldx, work);
    product_strip_@S@(tx, high, p, k, n, tx ? work : from, ldx, y, ldy, minus ? minus + top * ldz : 0, z + top * ldz,
                      ldz);
  }
}

/* With a packed second operand. */
static __attribute__((unused)) void product_packed_@S@(int tx, long m, long k, long n, const @T@ *x, const @T@ *y,
                                                      @T@ *z, @T@ *work) {
  const long padded = (n + PRODUCT_PANEL_@S@ - 1) / PRODUCT_PANEL_@S@ * PRODUCT_PANEL_@S@;
  for (long p = 0; p < k; p += PRODUCT_DEEP) {
    const long deep = k - p < PRODUCT_DEEP ? k - p : PRODUCT_DEEP;
    product_part_@S@(tx, m, p, deep, n, x, tx ? m : k, y, 0, 0, z, n, work);
    y += padded * deep;
  }
}

/* With both as they are; from `minus`, unless that is null, the product is taken away. Columns of y that few rows read,
   or that stay in the second cache, are not packed: copying them takes as long as a tenth of the product. */
static __attribute__((unused)) void product_whole_@S@(int tx, int ty, long m, long k, long n, const @T@ *x, long ldx,
                                                     const @T@ *y, long ld, const @T@ *minus, @T@ *z, long ldz,
                                                     @T@ *work) {
  const long most = k < PRODUCT_DEEP ? k : PRODUCT_DEEP;
  const int stays = !ty && (m <= PRODUCT_HIGH || most * n * (long)sizeof(@T@) <= PRODUCT_NEAR);
  const long plain = stays ? n / PRODUCT_PANEL_@S@ * PRODUCT_PANEL_@S@ : 0;
  @T@ *const rows = work + PRODUCT_WIDE * PRODUCT_DEEP;
  for (long p = 0; p < k && plain; p += PRODUCT_DEEP) {
    const long deep = k - p < PRODUCT_DEEP ? k - p : PRODUCT_DEEP;
    product_part_@S@(tx, m, p, deep, plain, x, ldx, y + p * ld, ld, p + deep == k ? minus : 0, z, ldz, rows);
  }
  for (long j = plain; j < n; j += PRODUCT_WIDE) {
    const long wide = n - j < PRODUCT_WIDE ? n - j : PRODUCT_WIDE;
    for (long p = 0; p < k; p += PRODUCT_DEEP) {
      const long deep = k - p < PRODUCT_DEEP ? k - p : PRODUCT_DEEP;
      product_panels_@S@(ty, deep, wide, PRODUCT_PANEL_@S@, ty ? y + j * ld + p : y + p * ld + j, ld, work);
      product_part_@S@(tx, m, p, deep, wide, x, ldx, work, 0, minus && p + deep == k ? minus + j : 0, z + j, ldz, rows);
    }
  }
}
"""

_SHARED = """
/* The same, of which each thread computes some rows, or where `wide` some columns, with so much memory of its own. */
static __attribute__((unused)) void product_shared_@S@(int wide, int tx, int ty, long m, long k, long n, const @T@ *x,
                                                      const @T@ *y, const @T@ *minus, @T@ *z, @T@ *work, long own,
                                                      int threads) {
  const long ldx = tx ? m : k, ldy = ty ? k : n, size = wide ? PRODUCT_PANEL_@S@ : PRODUCT_ROWS;
  const long blocks = ((wide ? n : m) + size - 1) / size;
  const int here = PROCESSOR();
@SECTIONS@
  for (int t = 0; t < threads; t++) {
    const long from = blocks * t / threads * size, to = blocks * (t + 1) / threads * size;
    @T@ *const space = work + t * own;
    apart(here);
    if (wide) {
      const long count = (to < n ? to : n) - from;
      const @T@ *const part = ty ? y + from * ldy : y + from;
      if (count > 0)
        product_whole_@S@(tx, ty, m, k, count, x, ldx, part, ldy, minus ? minus + from : 0, z + from, n, space);
    } else {
      const long count = (to < m ? to : m) - from, at = from * n;
      const @T@ *const part = tx ? x + from : x + from * ldx;
      if (count > 0)
        product_whole_@S@(tx, ty, count, k, n, part, ldx, y, ldy, minus ? minus + at : 0, z + at, n, space);
    }
  }
}
"""


def packed_functions(kinds: set[str]) -> str:
    """The C functions, for ``float`` and ``double`` as needed."""
    head = _HEAD
    for name, number in (
        ("DEEP", DEEP),
        ("HIGH", HIGH),
        ("WIDE", WIDE),
        ("VECTORS", VECTORS),
        ("NEAR", NEAR),
        ("AHEAD", AHEAD),
    ):
        head = head.replace(f"@{name}@", str(number))
    parts = [
        (_FUNCTIONS + _SHARED * (threads.number > 1))
        .replace("@SECTIONS@", SECTIONS)
        .replace("@TURN@", _turn(kind))
        .replace("@BEGIN@\n", _BEGIN)
        .replace("@END@\n", _END)
        .replace("@T@", kind)
        .replace("@S@", _suffix(kind))
        for kind in sorted(kinds)
    ]
    return "".join([head, *parts])


def _turn(kind: str) -> str:
    """A function that transposes a square: exchanges the halves, then the quarters, ... of pairs of rows.

    Eklundh, A fast computer method for matrix transposing, IEEE Transactions on Computers (1972).
    """
    length = 8 if kind == "float" else 4
    lanes, lines = range(length), []
    step = 1
    while step < length:
        low = [length + lane - step if lane & step else lane for lane in lanes]
        high = [length + lane if lane & step else lane + step for lane in lanes]
        for row in lanes:
            if not row & step:
                pair = f"a[{row}], a[{row + step}]"
                lines.append(
                    f"  t = PRODUCT_MIXED(product_order_@S@, {pair}, {', '.join(map(str, low))});\n"
                    f"  a[{row + step}] = PRODUCT_MIXED(product_order_@S@, {pair}, {', '.join(map(str, high))});\n"
                    f"  a[{row}] = t;\n"
                )
        step *= 2
    return _TURN.replace("@ORDER@", "int" if length == 8 else "long long").replace("@MIX@", "".join(lines))


def _suffix(kind: str) -> str:
    return "f32" if kind == "float" else "f64"


def kind_of(value: Value) -> str:
    """The C type of the numbers of a floating value."""
    return "float" if value.type.dtype.itemsize == 4 else "double"


def lengths(node: Node) -> tuple[int, int, int, Shape]:
    """Rows, terms and columns of a ``matmul``, and the shape of the stack of products that it is."""
    x, y, z = (*node.inputs, node.outputs[0])
    m, n = z.shape[-2:]
    k = x.shape[-2] if node.attrs["transpose_x"] else x.shape[-1]
    batch = z.shape[:-2]
    if y.ndim == 2 and x.shape[:-2] == batch and not node.attrs["transpose_x"]:
        m, batch = math.prod(batch) * m, ()  # one tall matrix
    return m, k, n, batch


def is_large(node: Node) -> bool:
    """Whether packing both operands of a product pays."""
    m, k, n, batch = lengths(node)
    return batch == () and min(m, k, n) >= LEAST


def takes_packed(node: Node) -> bool:
    """Whether a product in a loop is faster with a second operand that was packed before."""
    m, k, n, batch = lengths(node)
    return batch == () and node.inputs[1].ndim == 2 and m >= LEAST_ROWS and min(k, n) >= LEAST


def room(node: Node) -> int:
    """Bytes of workspace of a product with packed rows, at most."""
    _, k, _, _ = lengths(node)
    return (HIGH + ROWS) * min(DEEP, k) * node.inputs[0].type.dtype.itemsize


def packed_bytes(node: Node) -> int:
    """Bytes of the packed second operand, at most."""
    _, k, n, _ = lengths(node)
    size = node.inputs[1].type.dtype.itemsize
    panel = VECTORS * VECTOR // size
    return -(-n // panel) * panel * k * size


def whole_bytes(node: Node) -> int:
    """Bytes of workspace of a product of which nothing is packed."""
    own = WIDE * DEEP * node.inputs[1].type.dtype.itemsize + -(-room(node) // VECTOR) * VECTOR
    return own * (threads.number if shares(node) else 1)


def shares(node: Node) -> bool:
    """Whether threads share a product of our own."""
    m, k, n, _ = lengths(node)
    return threads.number > 1 and m * k * n >= LEAST_SHARED


def whole(node: Node) -> str:
    """The statement of a product. Braces: operands, result, workspace."""
    return _whole(node, ("{0}", "{1}", "0", "{2}", "{3}"))


def taken_away(node: Node) -> str:
    """The statement that takes a product from an array. Braces: operands, the array, the result, workspace."""
    return _whole(node, ("{0}", "{1}", "{2}", "{3}", "{4}"))


def _whole(node: Node, pointers: tuple[str, ...]) -> str:
    m, k, n, _ = lengths(node)
    tx, ty = int(node.attrs["transpose_x"]), int(node.attrs["transpose_y"])
    x, y, minus, z, work = pointers
    suffix = _suffix(kind_of(node.outputs[0]))
    if shares(node):
        own = whole_bytes(node) // threads.number // node.output.type.dtype.itemsize
        count = f"threads < {threads.number} ? threads : {threads.number}"
        return (
            f"product_shared_{suffix}({int(_is_wide(node))}, {tx}, {ty}, {m}, {k}, {n}, {x}, {y}, {minus}, {z}, "
            f"{work}, {own}, {count});"
        )
    rows = f"{x}, {m if tx else k}, {y}, {k if ty else n}, {minus}, {z}, {n}, {work}"
    return f"product_whole_{suffix}({tx}, {ty}, {m}, {k}, {n}, {rows});"


def _is_wide(node: Node) -> bool:
    """Whether threads take columns; otherwise rows: what they compute beyond their share, and pack each for itself."""
    m, k, n, _ = lengths(node)
    tx, ty = node.attrs["transpose_x"], node.attrs["transpose_y"]
    count, panel = threads.number, VECTORS * VECTOR // node.output.type.dtype.itemsize
    blocks, panels = -(-m // ROWS), -(-n // panel)
    packs = ty or (m > HIGH and min(k, DEEP) * n * node.output.type.dtype.itemsize > NEAR)
    columns = blocks * ROWS * -(-panels // count) * panel * k + COPY * k * (packs * n / count + tx * m)
    rows = -(-blocks // count) * ROWS * panels * panel * k + COPY * k * (packs * n + tx * m / count)
    return columns < rows


def with_packed(node: Node) -> str:
    """The statement of a product. Braces: first operand, packed second operand, result, workspace."""
    m, k, n, _ = lengths(node)
    tx = int(node.attrs["transpose_x"])
    return f"product_packed_{_suffix(kind_of(node.outputs[0]))}({tx}, {m}, {k}, {n}, {{0}}, {{1}}, {{2}}, {{3}});"


def packing(node: Node) -> str:
    """The statement that packs the second operand. Braces: the operand, where it goes."""
    _, k, n, _ = lengths(node)
    ty = int(node.attrs["transpose_y"])
    return f"product_pack_{_suffix(kind_of(node.outputs[0]))}({ty}, {k}, {n}, {{0}}, {{1}});"
