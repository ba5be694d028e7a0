"""What a run of the parity tests measured, for the table of `tasks.py parity --report`.

Each test says how far it was at most; with MATRIZEN_PARITY_REPORT set to a file the lines are added there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "MATRIZEN_PARITY_REPORT"


def keep(what: str, where: str, count: int, apart: Mapping[str, float]) -> None:
    """One line: what was compared, on which backend or framework, how many, and how far apart at most."""
    path = os.environ.get(VARIABLE)
    if path:
        numbers = {k: float(v) for k, v in apart.items()}
        line = {"what": what, "where": where, "count": count, "apart": numbers}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
