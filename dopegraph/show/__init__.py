"""Looking at graphs: pictures, pages, profiles, networkx, summaries, differences; text is in `dopegraph.ir.printer`."""

from dopegraph.show.difference import Difference, diff
from dopegraph.show.dot import render, to_dot
from dopegraph.show.networkx import from_networkx, to_networkx
from dopegraph.show.picture import Facts, Picture, picture_of
from dopegraph.show.profile import Profile
from dopegraph.show.summary import Summary, summary

__all__ = [
    "Difference",
    "Facts",
    "Picture",
    "Profile",
    "Summary",
    "diff",
    "from_networkx",
    "picture_of",
    "render",
    "summary",
    "to_dot",
    "to_networkx",
]
