"""Pooling and its gradients in C: windows over planes of (height, breadth); one row of windows at a time.

A maximum is the first of equal ones, NaN before everything else, as NumPy's `argmax` has it.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen import threads
from dopegraph.ir.graph import Node

POOLS = ("max_pool", "max_pool_grad", "max_pool_take", "avg_pool", "avg_pool_grad")

# Elements that are read, from which threads share the planes: about 100 microseconds.
SHARED = {**dict.fromkeys(POOLS, 1 << 18), "max_pool_grad": 1 << 17, "max_pool_take": 1 << 17}

# Windows of so many elements are written out.
WRITTEN_OUT = 16

_HEAD = """
/* The windows j of a row whose element l, at j * step + l - pad, is inside 0 .. length. */
#define FIRST(l, step, pad) ((pad) > (l) ? ((pad) - (l) + (step) - 1) / (step) : 0)
#define BEYOND(l, step, pad, length, count) \\
  ((length) + (pad) <= (l) ? 0 : ((length) - 1 + (pad) - (l)) / (step) + 1 < (count) \\
   ? ((length) - 1 + (pad) - (l)) / (step) + 1 : (count))
/* Whether an element is the maximum, which is NaN where there is one. */
#define HIT(x, m) ((x) == (m) || (x) != (x))
#define INSIDE(l, i, step, pad, length) ((i) * (step) + (l) >= (pad) && (i) * (step) + (l) < (length) + (pad))
"""

# Every element of the windows of a row, with the row of data (and of `@OTHER@`) that has it.
_ELEMENTS = """
    for (long k = 0; k < KH; k++) {
      if (!INSIDE(k, i, SH, PH, H)) continue;
      const long row = (p * H + i * SH + k - PH) * W;
      for (long l = 0; l < KW; l++) {
        const long low = FIRST(l, SW, PW), high = BEYOND(l, SW, PW, W, OW);
        #pragma omp simd
        for (long j = low; j < high; j++) {
          const long at = row + j * SW + l - PW;
          @BODY@
        }
      }
    }
"""

_COUNT = "const @T@ count = @COUNT@;"
_INSIDE = "(@T@)((@ROWS@) * ((j * SW - PW + KW < W ? j * SW - PW + KW : W) - (j * SW - PW > 0 ? j * SW - PW : 0)))"
_ROWS = "(i * SH - PH + KH < H ? i * SH - PH + KH : H) - (i * SH - PH > 0 ? i * SH - PH : 0)"

# Which element of a window is its maximum, by its number.
_SEARCH = """
    @T@ best[OW];
    int32_t which[OW];
    for (long j = 0; j < OW; j++) best[j] = -INFINITY, which[j] = 0;
@FIND@
"""
_FIND = """const @T@ v = x[at];
          const int larger = v > best[j] || (v != v && best[j] == best[j]);
          best[j] = larger ? v : best[j];
          which[j] = larger ? (int32_t)(k * KW + l) : which[j];"""

_PLANES = """
KERNEL void @N@(@PARAMETERS@, int threads) {
  enum { H = @H@, W = @W@, OH = @OH@, OW = @OW@, KH = @KH@, KW = @KW@, SH = @SH@, SW = @SW@, PH = @PH@, PW = @PW@ };
@SHARED@
  for (long p = 0; p < @PLANES@; p++) {
@BEGIN@
  for (long i = 0; i < OH; i++) {
@ROW@
  }
  }
}
"""

_OUT = "y[(p * OH + i) * OW + j]"


def is_pooling(node: Node) -> bool:
    """Whether a node is written here."""
    return node.op.name in POOLS and len(node.attrs["kernel"]) <= 2


def pooling(node: Node, name: str) -> tuple[str, list[str]]:
    """The statement that runs a node, with holes for its pointers, and its functions, the last its own."""
    attrs, operation = node.attrs, node.op.name
    data = node.inputs[-1].shape if operation != "avg_pool_grad" else node.output.shape
    out = node.inputs[0].shape if operation.endswith("_grad") else node.output.shape
    lengths = [(1, 1, 1, 1, 0)] * (4 - len(data))  # a sequence is one row
    lengths += list(zip(data[2:], out[2:], attrs["kernel"], attrs["stride"], attrs["pad"]))
    kind = "float" if node.output.type.dtype.itemsize == 4 else "double"
    (h, oh, kh, sh, ph), (w, ow, kw, sw, pw) = lengths
    parameters = ", ".join([*(f"const @T@ *restrict {one}" for one in _OPERANDS[operation]), "@T@ *restrict y"])
    row, begin = _row(operation, lengths, attrs.get("count_include_pad", True))
    text = _PLANES.replace("@PARAMETERS@", parameters).replace("@ROW@", row).replace("@BEGIN@", begin)
    shared = "#pragma omp parallel for num_threads(threads) if (threads > 1)"
    if threads.number == 1 or math.prod(data) < SHARED[operation]:
        shared = ""
    numbers = {"H": h, "W": w, "OH": oh, "OW": ow, "KH": kh, "KW": kw, "SH": sh, "SW": sw, "PH": ph, "PW": pw,
               "PLANES": math.prod(data[:2]), "T": kind, "N": name, "SHARED": shared,
               "INTEGER": "int32_t" if kind == "float" else "int64_t"}  # fmt: skip
    for key, value in numbers.items():
        text = text.replace(f"@{key}@", str(value))
    holes = ", ".join(f"{{{place}}}" for place in range(len(_OPERANDS[operation]) + 1))
    return f"{name}({holes}, threads);", [_HEAD, text]


_OPERANDS = {"max_pool": "x", "max_pool_grad": "gx", "max_pool_take": "hx", "avg_pool": "x", "avg_pool_grad": "g"}


def _row(operation: str, lengths: list[tuple[int, int, int, int, int]], count_pad: bool) -> tuple[str, str]:
    """What is done with a row of windows, and with a plane before."""
    (h, oh, kh, sh, ph), (w, ow, kw, sw, pw) = lengths
    count = _COUNT.replace("@COUNT@", f"{kh * kw}" if count_pad else _INSIDE.replace("@ROWS@", _ROWS))
    nothing = "    memset(y + p * (H * W), 0, H * W * sizeof(@T@));"
    plain = kh * kw <= WRITTEN_OUT and not ph and not pw
    if plain and operation in ("max_pool", "avg_pool"):
        return _written_out(operation, kh, kw, count), ""
    if plain and operation == "max_pool_grad" and sh >= kh and sw >= kw:
        return _written_out_gradient(kh, kw), "" if (h, w) == (oh * kh, ow * kw) else nothing
    if plain and operation == "max_pool_grad":
        return _overlapping_gradient(kh, kw, sw, w), nothing + "\n" + _aside(kw, sw, ow, w)
    each = "    for (long j = 0; j < OW; j++) { {} }\n"
    elements = _ELEMENTS.replace("@BODY@", "{}")

    def fill(template: str, text: str) -> str:
        return template.replace("{}", text)

    if operation == "max_pool":
        start = fill(each, f"{_OUT} = -INFINITY;")
        return start + fill(elements, f"const @T@ v = x[at], o = {_OUT}; {_OUT} = LARGER(v, o);"), ""
    if operation == "avg_pool":
        body = fill(each, f"{_OUT} = 0;") + fill(elements, f"{_OUT} += x[at];")
        return body + fill(each, f"{count} {_OUT} /= count;"), ""
    if operation == "avg_pool_grad":
        share = "    @T@ share[OW];\n" + fill(each, f"{count} share[j] = g[(p * OH + i) * OW + j] / count;")
        return share + fill(elements, "y[at] += share[j];"), nothing
    search = _SEARCH.replace("@FIND@", fill(elements, _FIND))
    if operation == "max_pool_take":
        take = f"{_OUT} = which[j] == k * KW + l ? h[at] : {_OUT};"
        return search + fill(each, f"{_OUT} = 0;") + fill(elements, take), ""
    add = "y[at] += which[j] == k * KW + l ? g[(p * OH + i) * OW + j] : 0;"
    return search + fill(elements, add), nothing


def _rows(kh: int, written: bool) -> list[str]:
    """Pointers to the rows of data that a row of windows has: the compiler vectorizes what is simple."""
    lines = [f"const @T@ *restrict r{k} = x + (p * H + i * SH + {k}) * W;" for k in range(kh)]
    if written:
        lines += [f"@T@ *restrict o{k} = y + (p * H + i * SH + {k}) * W;" for k in range(kh)]
        lines.append("const @T@ *restrict gs = g + (p * OH + i) * OW;")
    else:
        lines.append("@T@ *restrict o = y + (p * OH + i) * OW;")
    return ["    " + lines[0], *lines[1:], "#pragma omp simd", "for (long j = 0; j < OW; j++) {"]


def _loads(kh: int, kw: int) -> list[str]:
    return [f"const @T@ a{number} = r{number // kw}[j * SW + {number % kw}];" for number in range(kh * kw)]


def _maximum(count: int) -> list[str]:
    lines = [f"const @T@ m{number} = LARGER(a{number}, m{number - 1});" for number in range(1, count)]
    return ["const @T@ m0 = a0;", *lines, f"const @T@ m = m{count - 1};"]


def _written_out(operation: str, kh: int, kw: int, count: str) -> str:
    lines = [*_rows(kh, False), *_loads(kh, kw)]
    if operation == "max_pool":
        lines += [*_maximum(kh * kw), "o[j] = m;"]
    else:
        lines += [count, f"o[j] = ({' + '.join(f'a{number}' for number in range(kh * kw))}) / count;"]
    return "\n      ".join(lines) + "\n    }"


def _written_out_gradient(kh: int, kw: int) -> str:
    """Windows that do not overlap: every element is written once."""
    lines = [*_rows(kh, True), *_loads(kh, kw), *_maximum(kh * kw), "const @T@ u = gs[j];"]
    last = kh * kw - 1
    for number in range(last + 1):
        # The first maximum takes the cotangent, so the last element gets what is left of it.
        left = f"u{number - 1}" if number else "u"
        taken = f"HIT(a{number}, m) ? {left} : 0" if number < last else left
        lines.append(f"o{number // kw}[j * SW + {number % kw}] = {taken};")
        if number < last:
            lines.append(f"const @T@ u{number} = HIT(a{number}, m) ? 0 : {left};")
    return "\n      ".join(lines) + "\n    }"


def _aside(kw: int, sw: int, ow: int, w: int) -> str:
    """Cotangents of a row of windows and where their maxima are, with windows at both ends that have none; and rows
    of what they give to the elements of each step."""
    before, count = (kw - 1) // sw, -(-w // sw)
    size = before + max(ow, count)
    steps = ", ".join(f"s{step}[{count}]" for step in range(sw))
    return f"    @T@ u[{size}], {steps};\n    @INTEGER@ which[{size}];\n" + (
        f"    for (long j = 0; j < {size}; j++) u[j] = 0, which[j] = -1;"
    )


def _overlapping_gradient(kh: int, kw: int, sw: int, w: int) -> str:
    """Every element of the rows asks the windows that have it whether it is their maximum."""
    before, count = (kw - 1) // sw, -(-w // sw)
    lines = [*_rows(kh, True), *_loads(kh, kw), "@T@ m = a0;", "@INTEGER@ at = 0;"]
    for number in range(1, kh * kw):
        a = f"a{number}"
        larger = f"const int larger = {a} > m || ({a} != {a} && m == m);"
        lines.append(f"{{ {larger} m = larger ? {a} : m; at = larger ? {number} : at; }}")
    text = "\n      ".join([*lines, f"u[{before} + j] = gs[j];", f"which[{before} + j] = at;"]) + "\n    }"
    for k in range(kh):
        # Each step by itself: the compiler vectorizes no sums of elements that stand apart.
        for step in range(sw):
            places = [(k * kw + column, f"{before - column // sw} + j") for column in range(step, kw, sw)]
            taken = " + ".join(f"(which[{place}] == {number} ? u[{place}] : 0)" for number, place in places) or "0"
            text += f"\n#pragma omp simd\n    for (long j = 0; j < {count}; j++) s{step}[j] = {taken};"
        adding = " ".join(f"o{k}[j * SW + {step}] += s{step}[j];" for step in range(sw))
        text += f"\n    for (long j = 0; j < {w // sw}; j++) {{ {adding} }}"
        for step in range(w % sw):
            text += f"\n    o{k}[{w // sw * sw + step}] += s{step}[{w // sw}];"
    return text
