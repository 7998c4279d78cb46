"""``python -m dopegraph`` is the command line ``dopegraph``, also where its script is not on the path."""

from __future__ import annotations

import sys

from dopegraph.commands.entry import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
