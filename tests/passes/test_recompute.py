"""Values are computed again to keep a budget of bytes: less memory planned, the same results."""

import numpy
import pytest

from dopegraph.backends.numpy import NumpyExecutable
from dopegraph.ir import parse, verify
from dopegraph.passes import memory_report
from dopegraph.passes.recompute import Recompute

LENGTH = 16


def chain(length: int) -> str:
    """x, sin(x), sin(sin(x)), ...: and backwards the product of their cosines, which reads all of them."""
    lines = ["graph f(%x: f64[1000]) {"]
    names = ["%x"]
    for number in range(length):
        lines.append(f"  %s{number}: f64[1000] = sin({names[-1]})")
        names.append(f"%s{number}")
    lines.append(f"  %g{length}: f64[1000] = cos({names[-2]})")
    for number in reversed(range(length - 1)):
        lines.append(f"  %c{number}: f64[1000] = cos({names[number]})")
        lines.append(f"  %g{number + 1}: f64[1000] = mul(%g{number + 2}, %c{number})")
    return "\n".join([*lines, "  return %g1", "}"])


def computed(graph, x):
    return NumpyExecutable(graph).run([x])[0]


@pytest.mark.parametrize(("length", "share"), [(16, 0.8), (16, 0.6), (64, 0.35)])
def test_a_chain_keeps_a_budget_and_computes_the_same(length, share):
    graph = parse(chain(length))
    x = numpy.linspace(0.1, 1, 1000)
    expected = computed(graph.copy(), x)
    before = memory_report(graph).planned
    assert Recompute(int(before * share)).run(graph)
    verify(graph)
    assert memory_report(graph).planned <= before * share
    numpy.testing.assert_array_equal(computed(graph, x), expected)


def test_a_budget_that_is_kept_already_changes_nothing():
    graph = parse(chain(LENGTH))
    text = str(graph)
    assert not Recompute(memory_report(graph).planned).run(graph)
    assert str(graph) == text


def test_an_impossible_budget_gives_the_smallest_plan_found():
    graph = parse(chain(LENGTH))
    before = memory_report(graph).planned
    Recompute(0).run(graph)
    verify(graph)
    assert memory_report(graph).planned < before * 0.6


def test_views_of_what_is_computed_again_are_made_again():
    graph = parse("""graph f(%x: f64[10,10]) {
      %e: f64[10,10] = exp(%x)
      %t: f64[10,10] = transpose(%e) {axes=(1, 0)}
      %a: f64[10,10] = add(%t, %x)
      %b: f64[10,10] = sin(%a)
      %c: f64[10,10] = cos(%b)
      %d: f64[10,10] = add(%c, %b)
      %r: f64[10,10] = mul(%d, %t)
      return %r
    }""")
    x = numpy.random.default_rng(0).random((10, 10))
    expected = computed(graph.copy(), x)
    before = memory_report(graph).planned
    Recompute(before - 1).run(graph)
    verify(graph)
    numpy.testing.assert_array_equal(computed(graph, x), expected)


def test_random_numbers_are_not_drawn_twice():
    graph = parse("""graph f(%key: u64[2], %x: f32[100]) {
      %n: f32[100] = random_normal(%key) {shape=(100,), dtype=f32}
      %a: f32[100] = mul(%n, %x)
      %b: f32[100] = sin(%a)
      %c: f32[100] = cos(%b)
      %d: f32[100] = mul(%c, %b)
      %e: f32[100] = mul(%d, %n)
      return %e
    }""")
    Recompute(0).run(graph)
    assert sum(node.op.name == "random_normal" for node in graph.nodes) == 1
