from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dopegraph.ir import parse
from dopegraph.passes import memory_report
from dopegraph.passes.timeline import held_bytes, live_bytes, planned_bytes
from tests.strategies import graphs

# The chapter on hybrid blocks: a, b, c and d of ten doubles.
BOOK = """graph f(%a: f64[10], %b: f64[10]) {
  %c: f64[10] = mul(%b, %a)
  %one: f64[] = full() {value=1.0, shape=(), dtype=f64}
  %d: f64[10] = add(%c, %one)
  return %d
}"""


def test_the_example_of_the_book():
    found = memory_report(parse(BOOK), donate=["b"]).timeline
    assert found.operations == ("mul", "full", "add")
    assert found.imperative == (240, 240, 320)
    assert found.live == (240, 240, 320)
    assert found.planned == (160, 160, 160)
    assert memory_report(parse(BOOK)).timeline.planned == (240, 240, 240)


def test_what_is_dead_is_gone():
    graph = parse("""graph f(%x: f32[10]) {
      %0: f32[10] = exp(%x)
      %1: f32[10] = tanh(%0)
      %2: f32[10,1] = reshape(%1) {shape=(10, 1)}
      %3: f32[] = sum(%2) {axes=(0, 1)}
      %4: f32[] = neg(%3)
      return %4
    }""")
    assert live_bytes(graph) == [80, 120, 80, 84, 48]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_timelines_agree_with_the_report(data):
    graph = data.draw(graphs())
    for donate in ([], [value.name for value in graph.inputs[:1] if value.name]):
        found = memory_report(graph, donate)
        timeline = found.timeline
        assert len(timeline.live) == len(timeline.planned) == len(timeline.imperative) == len(graph.nodes)
        if graph.nodes:
            assert timeline.imperative[-1] == found.imperative
            assert max(timeline.planned) <= found.planned
        assert list(timeline.imperative) == sorted(timeline.imperative)
        assert all(live <= held for live, held in zip(timeline.live, timeline.imperative))
        assert all(amount >= found.arguments for amount in timeline.planned)
        assert held_bytes(graph) == list(timeline.imperative)
        assert planned_bytes(graph, found.plan) == list(timeline.planned)
