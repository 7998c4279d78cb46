"""The page in a real browser, headless Chromium by playwright: drawn, searched, clicked, folded.

Skipped where either is missing: ``pip install playwright`` and Debian's package ``chromium``.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.show.dot import render
from dopegraph.show.picture import is_detail, picture_of
from tests.show import graphs
from tests.show.test_page import NASTY, nasty_graph
from tests.show.test_picture import long_graph

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser):
    """Opens a file; at the end there must have been no error, and no request but for the file."""
    pages, problems, requests = [], [], []

    def open_page(path: Path):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        pages.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
        page.picture, page.problems, page.requests = path, problems, requests
        return page

    yield open_page
    if os.environ.get("DOPEGRAPH_SCREENSHOTS"):
        for page in pages:
            page.screenshot(path=str(Path(os.environ["DOPEGRAPH_SCREENSHOTS"]) / f"{page.picture.stem}.png"))
    for page in pages:
        page.close()
    assert not problems
    assert all(url.startswith(("file:", "data:")) for url in requests) and len(requests) == len(pages)


def boxes(page, kind="node"):
    return page.locator(f"g.{kind}").count()


def test_a_page_is_drawn_and_boxes_tell_what_they_are(opened, tmp_path):
    w, x = np.ones((300, 300)), np.ones((300, 300))
    with dopegraph.codegen("always"):
        page = opened(dopegraph.visualize(graphs.train, tmp_path / "clicked.html")(w, x, 0.1))
        graph = dopegraph.trace(graphs.train, True)(w, x, 0.1)
    drawn = sum(not is_detail(node) for node in graph.nodes) + len(graph.arguments) + len(graph.outputs)
    assert boxes(page) == drawn
    assert "derivatives" in page.locator("g.cluster").first.text_content()
    box = page.locator("g.node", has_text="tanh").first
    box.click()
    details = page.locator("#details").inner_text()
    for part in ("tanh", "f32[300,300]", "360,000", "graphs.py:", "in loss", "return (np.tanh(x @ w) ** 2).mean()"):
        assert part in details, part
    if shutil.which("cc"):
        assert "KERNEL void k" in page.locator("#details pre").inner_text()
    assert "chosen" in box.get_attribute("class")
    page.locator("g.node", has_text="f32[300,300]").first.click()
    assert "input" in page.locator("#details").inner_text()


def test_search_finds_and_goes_there(opened, tmp_path):
    page = opened(dopegraph.visualize(graphs.unrolled, tmp_path / "searched.html")(np.ones((30, 3, 4))))
    folded = boxes(page)
    page.keyboard.press("Tab")
    page.fill("#query", "matmul")
    assert page.locator("#found").inner_text() == "61 found"  # two in each step, one at the end
    assert page.locator("g.found").count() == 2  # the folded part, and the one at the end
    page.press("#query", "Enter")
    assert page.locator("#found").inner_text() == "1 of 61"
    assert boxes(page) > folded  # what was found is unfolded
    assert "operation\nmatmul" in page.locator("#details").inner_text()
    chosen = page.locator("g.chosen").bounding_box()
    canvas = page.locator(".canvas").bounding_box()
    assert canvas["x"] < chosen["x"] < canvas["x"] + canvas["width"]
    assert canvas["y"] < chosen["y"] < canvas["y"] + canvas["height"]
    page.click("#next")
    assert page.locator("#found").inner_text() == "2 of 61"
    page.fill("#query", "in cell")  # a function of the source: six nodes of it in each step
    assert page.locator("#found").inner_text() == "180 found"
    page.fill("#query", "nothing like it")
    assert page.locator("#found").inner_text() == "0 found"


def test_parts_fold_and_unfold(opened, tmp_path):
    page = opened(dopegraph.visualize(graphs.unrolled, tmp_path / "folded.html")(np.ones((30, 3, 4))))
    before = boxes(page)
    part = page.locator("g.node", has_text="30 times")
    assert part.get_attribute("aria-expanded") == "false"
    part.click()
    assert "nodes\n180" in page.locator("#details").inner_text()
    page.locator("#details button", has_text="Unfold").click()
    assert boxes(page) == before - 1 + 6 + 29  # the first of thirty parts, of six nodes, and the others folded
    assert "1 of 30" in " ".join(page.locator("g.cluster").all_text_contents())
    page.locator("g.node", has_text=re.compile(r"(?<!\d)2 of 30")).focus()
    page.keyboard.press("f")
    assert boxes(page) == before - 1 + 12 + 28
    page.click("#fit")
    page.locator("g.cluster", has_text=re.compile(r"(?<!\d)1 of 30")).last.dblclick(position={"x": 2, "y": 2})
    assert boxes(page) == before - 1 + 6 + 29
    page.click("#unfold")
    assert boxes(page) == before - 1 + 180
    page.click("#fold")
    assert boxes(page) == before


def test_keys_reach_everything(opened, tmp_path):
    page = opened(dopegraph.visualize(graphs.unrolled, tmp_path / "keys.html")(np.ones((30, 3, 4))))
    part = page.locator("g.node", has_text="30 times")
    part.focus()
    page.keyboard.press("Enter")
    assert "30 times" in page.locator("#details h2").first.inner_text()
    before = boxes(page)
    page.keyboard.press("f")
    assert boxes(page) > before
    assert page.locator("g.node[role=button][tabindex='0'][aria-label]").count() == boxes(page)
    for control in page.locator("header input, header select").all():
        assert control.evaluate("one => one.labels.length") == 1
    page.locator(".canvas").focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"


def test_moving_and_zooming(opened, tmp_path):
    page = opened(dopegraph.visualize(graphs.loss, tmp_path / "moved.html")(np.ones((4, 5)), np.ones((3, 4))))
    view = lambda: [float(part) for part in page.locator("svg").get_attribute("viewBox").split()]  # noqa: E731
    whole = view()
    canvas = page.locator(".canvas").bounding_box()
    x, y = canvas["x"] + 20, canvas["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 50, steps=4)
    page.mouse.up()
    moved = view()
    assert moved[0] < whole[0] and moved[1] < whole[1] and moved[2:] == whole[2:]
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"document.querySelector('svg').viewBox.baseVal.width < {moved[2]}")
    page.click("#fit")
    assert view() == whole
    page.click("#closer")
    assert view()[2] < whole[2]
    page.click("#farther")
    assert view() == pytest.approx(whole)
    page.locator(".canvas").focus()
    page.keyboard.press("ArrowRight")
    assert view()[0] > whole[0]


def test_colours_and_legend(opened, tmp_path):
    profile = dopegraph.profile(graphs.loss)(np.ones((50, 50)), np.ones((50, 50)))
    page = opened(profile.visualize(tmp_path / "coloured.html"))
    fill = lambda: page.locator("g.node", has_text="matmul").locator("path").first.get_attribute("fill")  # noqa: E731
    assert "µs" in page.locator("#legend").inner_text()
    by_time = fill()
    page.select_option("#colour", "memory")
    assert "bytes alive" in page.locator("#legend").inner_text()
    page.select_option("#colour", "backend")
    assert "codegen" in page.locator("#legend").inner_text()
    by_backend = fill()
    page.select_option("#colour", "operation")
    assert fill() == "#dae8fc"
    assert by_time.startswith("#ff") and by_backend in ("#dae8fc", "#d5e8d4", "#ffe6cc")


def test_each_pass_and_side_by_side(opened, tmp_path):
    call = np.ones((4, 5)), np.ones((3, 4)), 0.1
    page = opened(dopegraph.visualize(graphs.train, tmp_path / "stepped.html", steps=True)(*call))
    first = boxes(page)
    assert page.locator(".pane").count() == 1
    titles = page.locator("#step option").all_inner_texts()
    assert titles[0] == "recorded" and len(titles) > 2
    page.click("#on")
    assert page.locator(".pane h2").inner_text() == titles[1]
    assert page.locator("g.node path[stroke='#b85450']").count() > 0  # what the pass changed
    page.select_option("#step", str(len(titles) - 1))
    assert boxes(page) < first
    page = opened(dopegraph.visualize(graphs.train, tmp_path / "beside.html", before=True)(*call))
    assert page.locator(".pane h2").all_inner_texts() == ["train: before", "train: after"]
    page.locator("g.node").last.click()
    assert page.locator("g.chosen").count() == 1


def test_ten_thousand_nodes(opened, tmp_path):
    path = render([picture_of(long_graph(10_000, 20))], tmp_path / "large.html")
    page = opened(path)
    assert boxes(page) == 22  # twenty functions, the argument and the result
    page.fill("#query", "model.py:11")
    assert page.locator("#found").inner_text().endswith(" found")
    page.click("#unfold")
    assert "too many to draw" in page.locator(".note").inner_text()
    page.click("#fold")
    assert boxes(page) == 22


def test_no_script_of_others_runs(opened, tmp_path):
    graph = nasty_graph()
    page = opened(render([picture_of(graph)], tmp_path / "nasty.html", title=NASTY))
    assert page.locator("h1").text_content() == NASTY
    box = page.locator("g.node", has_text="exp")
    assert "window.hacked" in box.text_content()  # the name of the file is shown as it is
    box.click()
    assert "<img src=x" in page.locator("#details").inner_text()
    page.fill("#query", "<img")
    assert page.locator("#found").inner_text() == "3 found"
    assert page.evaluate("window.hacked === undefined")
    # The policy holds whatever the page's own script does wrong.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked === undefined")
    assert page.problems and all("Content Security Policy" in one for one in page.problems)
    page.problems.clear()
    page.requests.pop()  # the picture that the policy refused
