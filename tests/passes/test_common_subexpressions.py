from __future__ import annotations

import pytest

from dopegraph.ir import parse
from dopegraph.passes.common_subexpressions import CommonSubexpressions
from tests.reference import after, body, lines


def test_equal_nodes_are_merged_through_chains_into_the_first() -> None:
    text = (
        "%0: f32[2] = exp(%x) %1: f32[2] = neg(%0) %2: f32[2] = exp(%x) %3: f32[2] = neg(%2)"
        " %4: f32[2] = add(%1, %3) return %4, %3, %2"
    )
    assert lines(after(CommonSubexpressions(), body(text))) == [
        "%0: f32[2] = exp(%x)", "%1: f32[2] = neg(%0)", "%2: f32[2] = add(%1, %1)", "return %2, %1, %0",
    ]  # fmt: skip


def test_commutative_operands_may_stand_in_any_order() -> None:
    text = "%0: f32[2] = add(%x, %y) %1: f32[2] = add(%y, %x) return %0, %1"
    assert lines(after(CommonSubexpressions(), body(text))) == ["%0: f32[2] = add(%x, %y)", "return %0, %0"]


def test_equal_constants_are_merged_by_content() -> None:
    text = (
        "%0: f32[2] = constant() {value=dense(f32[2], 1.0, nan)}"
        " %1: f32[2] = constant() {value=dense(f32[2], 1.0, nan)}"
        " return %0, %1"
    )
    assert lines(after(CommonSubexpressions(), body(text)))[-1] == "return %0, %0"


def test_equal_draws_of_one_key_are_equal_numbers() -> None:
    draw = "random_uniform(%key) {shape=(), dtype=f32}"
    text = f"graph f(%key: u64[2]) {{ %0: f32[] = {draw} %1: f32[] = {draw} return %0, %1 }}"
    assert lines(after(CommonSubexpressions(), text)) == [f"%0: f32[] = {draw}", "return %0, %0"]


def test_new_values_of_state_are_merged_too() -> None:
    text = "graph f(; state %w: f32[]) { %0: f32[] = exp(%w) %1: f32[] = exp(%w) return %0; %w <- %1 }"
    assert lines(after(CommonSubexpressions(), text)) == ["%0: f32[] = exp(%w)", "return %0; %w <- %0"]


def full(value: str, dtype: str) -> str:
    return f"{dtype}[] = full() {{value={value}, shape=(), dtype={dtype}}}"


DIFFERENT = {
    "operators": ("f32[2] = exp(%x)", "f32[2] = expm1(%x)"),
    "operands": ("f32[2] = exp(%x)", "f32[2] = exp(%y)"),
    "order": ("f32[2] = sub(%x, %y)", "f32[2] = sub(%y, %x)"),
    "attributes": ("f32[] = sum(%x) {axes=(0,)}", "f32[1] = sum(%x) {axes=(0,), keepdims=true}"),
    "zeros of different signs": (full("0.0", "f32"), full("-0.0", "f32")),
    "an integer and a float": (full("1", "f32"), full("1.0", "f32")),
    "a boolean and an integer": (full("true", "f32"), full("1", "f32")),
    "dtypes": (full("1", "f32"), full("1", "f64")),
    "arrays of different dtypes": (
        "i8[1] = constant() {value=dense(i8[1], 1)}", "u8[1] = constant() {value=dense(u8[1], 1)}",
    ),
    "arrays of different shapes": (
        "i8[1] = constant() {value=dense(i8[1], 1)}", "i8[] = constant() {value=dense(i8[], 1)}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_nodes_stay_apart_that_differ_in(pair: tuple[str, str]) -> None:
    text = body(f"%0: {pair[0]} %1: {pair[1]} return %0, %1")
    assert after(CommonSubexpressions(), text) == str(parse(text))
