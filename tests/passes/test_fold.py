from __future__ import annotations

import pytest

from dopegraph.ir import parse
from dopegraph.passes.fold import LIMIT, FoldConstants
from dopegraph.passes.pipeline import optimize
from tests.reference import after, body, lines

BIG = LIMIT + 1


def number(value: str, shape: str = "()", dtype: str = "f32") -> str:
    return f"full() {{value={value}, shape={shape}, dtype={dtype}}}"


def folded(text: str) -> str:
    """The node that computes the last result after folding."""
    *nodes, _ = lines(after(FoldConstants(), body(text)))
    return nodes[-1].split(" = ")[1]


EXAMPLES = {
    "elementwise on numbers": (f"%0: f32[] = {number('2.0')} %1: f32[] = square(%0) return %1", number("4.0")),
    "elementwise on arrays of one number, of any size": (
        f"%0: f32[{BIG}] = {number('2.0', f'({BIG},)')} %1: f32[{BIG}] = add(%0, %0) return %1",
        number("4.0", f"({BIG},)"),
    ),
    "broadcasting numbers": (
        f"%0: f32[2,1] = {number('2.0', '(2, 1)')} %1: f32[3] = {number('0.5', '(3,)')} "
        "%2: f32[2,3] = mul(%0, %1) return %2",
        number("1.0", "(2, 3)"),
    ),
    "comparisons": (f"%0: f32[] = {number('2.0')} %1: bool[] = less(%0, %0) return %1", number("false", dtype="bool")),
    "casts": (f"%0: f32[] = {number('2.5')} %1: i8[] = cast(%0) {{dtype=i8}} return %1", number("2", dtype="i8")),
    "complex numbers": (
        f"%0: c64[] = {number('1j', dtype='c64')} %1: c64[] = square(%0) return %1", number("(-1+0j)", dtype="c64"),
    ),
    "rounding as the kernel does": (
        f"%0: f16[] = {number('0.1', dtype='f16')} %1: f16[] = add(%0, %0) return %1",
        number("0.199951171875", dtype="f16"),
    ),
    "infinities and NaN": (f"%0: f32[] = {number('0.0')} %1: f32[] = div(%0, %0) return %1", number("nan")),
    "negative zero": (f"%0: f32[] = {number('0.0')} %1: f32[] = neg(%0) return %1", number("-0.0")),
    "movements of arrays of one number": (
        f"%0: f32[{BIG}] = {number('2.0', f'({BIG},)')}"
        f" %1: f32[2,{BIG}] = broadcast_to(%0) {{shape=(2, {BIG})}} return %1",
        number("2.0", f"(2, {BIG})"),
    ),
    "arrays of different numbers": (
        "%0: i32[3] = iota() {size=3, dtype=i32} %1: i32[3] = square(%0) return %1",
        "constant() {value=dense(i32[3], 0, 1, 4)}",
    ),
    "arrays that turn out to be one number": (
        "%0: i32[3] = iota() {size=3, dtype=i32} %1: i32[3] = sub(%0, %0) return %1", number("0", "(3,)", "i32"),
    ),
    "arrays of 0.0 and -0.0": (
        "%0: f32[2] = constant() {value=dense(f32[2], 0.0, -0.0)} %1: f32[2] = neg(%0) return %1",
        "constant() {value=dense(f32[2], -0.0, 0.0)}",
    ),
    "empty arrays": (
        "%0: f32[0,2] = full() {value=1.0, shape=(0, 2), dtype=f32} %1: f32[2] = sum(%0) {axes=(0,)} return %1",
        number("0.0", "(2,)"),
    ),
    "reductions": (
        "%0: f32[4] = iota() {size=4, dtype=f32} %1: f32[] = sum(%0) {axes=(0,)} return %1", number("6.0"),
    ),
    "transposes": (
        "%0: i8[1,2] = constant() {value=dense(i8[1,2], 3, 4)} %1: i8[2,1] = transpose(%0) {axes=(1, 0)} return %1",
        "constant() {value=dense(i8[2,1], 3, 4)}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_what_depends_on_constants_only_is_computed(text: str, expected: str) -> None:
    assert folded(text) == expected


UNCHANGED = {
    "what depends on an input": f"%0: f32[] = {number('2.0')} %1: f32[2] = mul(%x, %0) return %1",
    "random numbers": (
        "%0: u64[2] = constant() {value=dense(u64[2], 1, 2)}"
        " %1: f32[2] = random_uniform(%0) {shape=(2,), dtype=f32} %2: u64[2] = random_advance(%0) return %1, %2"
    ),
    "large results": f"%0: f32[{BIG}] = iota() {{size={BIG}, dtype=f32}} %1: f32[{BIG}] = exp(%0) return %1",
    "large operands": f"%0: f32[{BIG}] = iota() {{size={BIG}, dtype=f32}} %1: f32[] = sum(%0) {{axes=(0,)}} return %1",
    "an index out of bounds": (
        "%0: i32[1] = constant() {value=dense(i32[1], 5)} %1: f32[3] = iota() {size=3, dtype=f32}"
        " %2: f32[1] = take(%1, %0) {axis=0} return %2"
    ),
    "an integer to a negative power": (
        f"%0: i32[] = {number('2', dtype='i32')} %1: i32[] = {number('-1', dtype='i32')} "
        "%2: i32[] = pow(%0, %1) return %2"
    ),
    "constants themselves": "%0: f32[3] = iota() {size=3, dtype=f32} return %0",
}


@pytest.mark.parametrize("text", UNCHANGED.values(), ids=UNCHANGED)
def test_folding_leaves_alone(text: str) -> None:
    assert after(FoldConstants(), body(text)) == str(parse(body(text)))


def test_a_chain_of_constants_is_folded_in_one_run() -> None:
    text = f"%0: f32[] = {number('2.0')} %1: f32[] = neg(%0) %2: f32[] = abs(%1) %3: f32[2] = mul(%x, %2) return %3"
    folded = optimize(parse(body(text)))
    assert lines(str(folded)) == [f"%0: f32[] = {number('2.0')}", "%1: f32[2] = mul(%x, %0)", "return %1"]
