"""`python -m matrizen`; in the wheel this is `matrizen/__main__.py`."""

from __future__ import annotations

import sys

from matrizen import main

if __name__ == "__main__":
    sys.exit(main())
