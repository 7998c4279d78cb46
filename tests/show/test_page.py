"""The page that is drawn in a browser: one file, no connections, and nothing in it but text that could be a script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.facts import facts_of
from dopegraph.ir import parse
from dopegraph.runtime.location import Location
from dopegraph.show.dot import to_dot
from dopegraph.show.page import _ASSETS, page
from dopegraph.show.picture import picture_of
from tests.show import graphs
from tests.strategies import graphs as random_graphs

NASTY = "</script><script>window.hacked = 1</script><!-- <img src=x onerror='window.hacked = 1'> \u2028 ]]> \\N &lt;"


class Tags(HTMLParser):
    """The tags of a page with their attributes, and the text in each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def data_of(text):
    """What the page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found.group(1))


def nasty_graph():
    """A graph with markup in everything that is text."""
    graph = parse("graph f(%x: f32[3]; state %s: f32[3]) { %0: f32[3] = exp(%x) %1: f32[3] = mul(%0, %s) return %1 }")
    graph.name = NASTY
    graph.state[0].name = f"params['{NASTY}']"
    for node in graph.nodes:
        node.location = Location(f"/tmp/{NASTY}.py", 1, NASTY)
    return graph


def test_a_page_is_one_file(tmp_path):
    path = dopegraph.visualize(graphs.train, tmp_path / "f.html")(np.ones((4, 5)), np.ones((3, 4)), 0.1)
    found = Tags(path.read_text(encoding="utf-8"))
    for tag, attributes in found.tags:
        assert tag not in ("img", "iframe", "object", "embed", "link", "base")
        assert not {"src", "href", "action", "style"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes)
    assert [path.name] == [one.name for one in tmp_path.iterdir()]


def test_the_policy_names_the_scripts_of_the_page():
    text = page([picture_of(nasty_graph())])
    found = Tags(text)
    policy = next(tag[1]["content"] for tag in found.tags if tag[1].get("http-equiv") == "Content-Security-Policy")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy and "unsafe-eval'" in policy
    assert "'unsafe-eval'" not in policy  # WebAssembly's only
    assert "connect-src" not in policy


def test_text_of_others_does_not_leave_the_data():
    text = page([picture_of(nasty_graph())], title=NASTY)
    found = Tags(text)
    assert [tag for tag, _ in found.tags].count("script") == 3
    assert "img" not in [tag for tag, _ in found.tags]
    start = text.index('id="data">') + len('id="data">')
    block = text[start : text.index("</script>", start)]
    for letter in "<>&\u2028\u2029":
        assert letter not in block
    data = data_of(text)
    assert data["title"] == NASTY
    vertex = next(one for one in data["pictures"][0]["vertices"] if one["title"] == "exp")
    assert dict(vertex["details"])["line"] == f"/tmp/{NASTY}.py:1, in {NASTY}"


def test_scripts_and_styles_could_stand_in_a_page():
    for name in ("viz-global.js", "page.js", "page.css"):
        text = (_ASSETS / name).read_text(encoding="utf-8").lower()
        assert not re.search(r"</script|</style|<!--|<script", text), name
    script = (_ASSETS / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|setAttribute\(\"on", script)


def test_the_packaged_library_is_the_one_its_licence_is_about():
    text = (_ASSETS / "viz-global.js").read_text(encoding="utf-8")
    licence = (_ASSETS / "viz-global.txt").read_text(encoding="utf-8")
    version = re.search(r"Viz\.js (\d+\.\d+\.\d+)", text).group(1)
    assert f"version {version}" in licence
    for part in ("MIT License", "Michael Daines", "Graphviz", "Eclipse Public License", "Expat"):
        assert part in licence


def test_the_page_tells_types_bytes_line_source_and_kernel(tmp_path):
    x = np.ones((300, 300))
    with dopegraph.codegen("always"), dopegraph.policy("prefer_mxnet"):
        path = dopegraph.visualize(graphs.loss, tmp_path / "f.html")(x, x)
    data = data_of(path.read_text(encoding="utf-8"))
    vertex = next(one for one in data["pictures"][0]["vertices"] if one["title"] == "tanh")
    details = dict(vertex["details"])
    assert details["results"].endswith(": f32[300,300]")
    assert details["bytes"] == "360,000"
    assert details["source"] == "return (np.tanh(x @ w) ** 2).mean()"
    assert re.search(r"graphs\.py:\d+, in loss$", details["line"])
    if vertex["backend"] == "codegen":  # there is a compiler
        assert "KERNEL void" in data["codes"][vertex["code"]]
    assert data["colours"] == ["operation", "backend", "memory"]


def test_a_page_of_a_profile_has_times(tmp_path):
    x = np.ones((30, 30))
    data = data_of(dopegraph.profile(graphs.loss)(x, x).visualize(tmp_path / "f.html").read_text(encoding="utf-8"))
    assert data["colour"] == "time" and "time" in data["colours"]
    assert all(one["seconds"] > 0 for one in data["pictures"][0]["vertices"] if one["title"] in ("matmul", "tanh"))


def test_steps_and_pictures_side_by_side(tmp_path):
    graph = parse("graph f(%x: f32[3]) { %0: f32[3] = neg(%x) %1: f32[3] = neg(%0) return %1 }")
    data = data_of(graph.visualize(tmp_path / "f.html", steps=True).read_text(encoding="utf-8"))
    assert data["steps"] and [one["title"] for one in data["pictures"]] == ["recorded", "1: simplify", "2: dce"]
    data = data_of(graph.visualize(tmp_path / "f.html", after=True).read_text(encoding="utf-8"))
    assert not data["steps"] and [one["title"] for one in data["pictures"]] == ["f: before", "f: after"]


@pytest.mark.parametrize("text", ["graph f() { return }", "graph f(%x: f32[0]) { return %x, %x; %x <- %x }"])
def test_small_graphs(text, tmp_path):
    graph = parse(text)
    for ending in ("html", "dot"):
        assert graph.visualize(tmp_path / f"f.{ending}").stat().st_size > 10


@settings(max_examples=60, deadline=None)
@given(random_graphs())
def test_any_graph_has_a_page_and_a_text(graph):
    picture = picture_of(graph, facts=facts_of(graph, "only_numpy"))
    (drawn,) = data_of(page([picture]))["pictures"]
    ends = {vertex["id"] for vertex in drawn["vertices"]}
    assert len(ends) == len(drawn["vertices"])
    assert all(source in ends and target in ends for source, target, _, _ in drawn["edges"])
    groups = {group["id"] for group in drawn["groups"]}
    assert all(vertex["group"] is None or vertex["group"] in groups for vertex in drawn["vertices"])
    assert to_dot(graph).startswith("digraph")
