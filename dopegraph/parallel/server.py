"""``python -m dopegraph.parallel.server``: a server or the scheduler of distributed training, until the workers end.

Which of the two is said by ``DMLC_ROLE``; MXNet becomes it when it is imported, and then ends the process.
"""

from __future__ import annotations

import os
import sys

from dopegraph.backends.mxnet import library

if __name__ == "__main__":
    if os.environ.get("DMLC_ROLE") not in ("server", "scheduler"):
        sys.exit("DMLC_ROLE must be server or scheduler; `python -m dopegraph.parallel` starts both")
    library.load()
