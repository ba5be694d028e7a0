"""Modules that import each other are never seen half done, whichever thread asks first."""

from __future__ import annotations

import subprocess
import sys


def test_two_threads_import_the_typesetter_at_once() -> None:
    code = """
import threading
from gui import formulas, warm_up
problems = []
def ask():
    try:
        assert formulas._typeset("Z = W \\\\cdot X + b", 16.0, "#000000").startswith("<svg")
    except BaseException as problem:
        problems.append(problem)
threads = [warm_up.start(), *(threading.Thread(target=ask) for _ in range(4))]
for thread in threads[1:]:
    thread.start()
for thread in threads:
    thread.join()
assert not problems, problems
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
