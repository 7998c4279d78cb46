"""Pictures as one HTML page that needs nothing else: Graphviz in WebAssembly, a script, the data; it works offline.

Names, lines of source and whatever else a graph holds is text that nobody vouches for. It travels as JSON in which no
tag can begin, the script puts it on the page as text only, and the page's policy runs no script but the two it names.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dopegraph.show.picture import BACKENDS, COLOURS, Picture, Vertex

_ASSETS = Path(__file__).parent / "assets"

# What could end the block of data, or begin a comment in it; and line ends that are none in JSON.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


@functools.cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page(pictures: Sequence[Picture], colour: str = "operation", steps: bool = False, title: str = "") -> str:
    """The text of the page.

    Parameters
    ----------
    pictures : sequence of Picture
        Drawn side by side.
    colour : str
        What colours mean at first, one of `dopegraph.show.picture.COLOURS`.
    steps : bool
        Show the pictures one after another instead.
    title : str
        Of the whole, if that is not the first picture's.
    """
    title = title or pictures[0].title
    data = json.dumps(_data(pictures, colour, steps, title), separators=(",", ":")).translate(_ESCAPES)
    viz, script, style = _asset("viz-global.js"), _asset("page.js"), _asset("page.css")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {_digest(style)}; "
        f"script-src {_digest(viz)} {_digest(script)} 'wasm-unsafe-eval'"
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)} - dopegraph</title>",
        f"<style>{style}</style></head>",
        _asset("page.html"),
        f'<script type="application/json" id="data">{data}</script>',
        f"<script>{viz}</script>",
        f"<script>{script}</script>",
        "</body></html>",
    ]
    return "\n".join(parts)


def _data(pictures: Sequence[Picture], colour: str, steps: bool, title: str) -> dict[str, Any]:
    codes: dict[str, int] = {}
    drawn = [
        {
            "title": picture.title,
            "vertices": [_vertex(vertex, codes) for vertex in picture.vertices],
            "edges": [[edge.source, edge.target, edge.label, edge.update] for edge in picture.edges],
            "groups": [vars(group) for group in picture.groups.values()],
        }
        for picture in pictures
    ]
    nodes = [vertex for picture in pictures for vertex in picture.vertices if vertex.kind == "node"]
    known = {
        "operation": True,
        "backend": any(vertex.facts.backend for vertex in nodes),
        "memory": True,
        "time": any(vertex.facts.seconds is not None for vertex in nodes),
    }
    return {
        "title": title,
        "pictures": drawn,
        "codes": list(codes),
        "colour": colour,
        "colours": [name for name in COLOURS if known[name]],
        "backends": BACKENDS,
        "steps": steps,
    }


def _vertex(vertex: Vertex, codes: dict[str, int]) -> dict[str, Any]:
    code = vertex.facts.code
    return {
        "id": vertex.id,
        "kind": vertex.kind,
        "title": vertex.title,
        "lines": vertex.lines,
        "colour": vertex.family,
        "group": vertex.group,
        "changed": vertex.changed,
        "live": vertex.live,
        "seconds": vertex.facts.seconds,
        "backend": vertex.facts.backend,
        "details": vertex.details,
        "code": codes.setdefault(code, len(codes)) if code else -1,
    }
