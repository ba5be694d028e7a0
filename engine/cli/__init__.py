"""What runs without a screen: one module per command, each with `run(options) -> int`.

This file is what they share: a refusal is one line on standard error and status 1, never a traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback

from engine.errors import MatrizenError

INTERRUPTED = 130
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
# set it to any text to see where an unexpected error arose
DEBUG = "MATRIZEN_DEBUG"


def run(command: str, options: argparse.Namespace) -> int:
    """Run the module `engine.cli.<command>` with the parsed `options`; the process's exit status.

    0 or what the command returns; 1 after one line on standard error; 130 when it was interrupted
    and had nothing to save (`train` stops cleanly, saves what was asked for and returns 0).
    """
    for name in THREAD_VARIABLES:  # read when NumPy is imported; busy threads of BLAS slow small products
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 2) - 1)))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console without this letter must not end a training
            stream.reconfigure(errors="replace")
    try:
        status = int(importlib.import_module(f"{__name__}.{command}").run(options))
        sys.stdout.flush()
        return status
    except MatrizenError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `matrizen devices | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the flush at exit complains once more
        return 1
    except MemoryError:
        return _refused("there is not enough memory for this; try a smaller network or batch.")
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing == "engine":
            return _unexpected(error)
        return _refused(f"{missing} is not installed here; `python3 tasks.py run --help` installs it.")
    except OSError as error:
        return _refused(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return _refused(f"unexpected error, please report it ({text}); {DEBUG}=1 shows where it arose.")


def _refused(sentence: str) -> int:
    print(f"matrizen: {' '.join(sentence.split())}", file=sys.stderr)
    return 1
