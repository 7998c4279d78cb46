"""``python -m dopegraph.parallel -n 2 -s 1 script.py``: a script as several workers, see `launching`."""

import sys

from dopegraph.parallel.launching import main

if __name__ == "__main__":
    sys.exit(main())
