"""The installed Matrizen: `gui`, `engine` and `resources` lie beside this file, in one private folder.

In the wheel this is `matrizen/__init__.py`. It puts its own folder first on the path, so that the
program finds itself under the names it has in the checkout.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run Matrizen; the exit status."""
    here = str(Path(__file__).resolve().parent)
    if here not in sys.path:  # a spawned process gets the path of its parent
        sys.path.insert(0, here)
    from main import main as door

    return door()
