"""The one door for people who have only Python: `python3 tasks.py run`, `python3 tasks.py test`.

Makes .venv, installs what is locked, finds what the system lacks, then does what was asked. Nothing
but the standard library, and a grammar that old Pythons read, so that they can say what is needed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / ".tasks"))

from tools import pythons  # noqa: E402 - found only now

USAGE = """\
usage: python3 tasks.py TASK [...]        (Windows: py tasks.py TASK [...])

  run [--cpu] [...]       open the window; or FILE.matrizen, or a command without a screen (run --help);
                          --cpu also installs Intel's OpenCL driver for the processor (225 MB)
  test [PYTEST ...]       the whole suite, then the journeys on a virtual screen; or pytest with arguments
  lint                    ruff, mypy --strict, and whether every text is translated
  parity [PYTEST ...]     compare with PyTorch, and exported scripts with TensorFlow and JAX (installs them);
                          --report writes what was measured to docs/parity.md
  bench [...]             measure speed; --peers installs PyTorch to compare with
  screenshots             make the README's pictures with the real program
  translations [--check]  collect texts, update the German catalog, compile it
  docs                    write docs/layers.md from the layers themselves
  lock [UV LOCK ...]      resolve the dependencies anew (needs uv)
"""


def main(arguments: list[str]) -> int:
    """Do one task; the exit status: 0, 1 for failure, 2 for usage, else the program's own."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if not pythons.fits(sys.version_info[:2]):
        other = pythons.find()
        if other is None:
            print("tasks: " + pythons.sentence(sys.version_info[:2]), file=sys.stderr)
            return 1
        return pythons.hand_over(other, [str(ROOT / "tasks.py"), *arguments])
    # only now: these are written for the Pythons that can run Matrizen
    from tools import jobs
    from tools.problems import Stop

    job = jobs.JOBS.get(arguments[0])
    if job is None:
        print("tasks: there is no task {!r}\n{}".format(arguments[0], USAGE), file=sys.stderr, end="")
        return 2
    os.chdir(str(ROOT))
    try:
        return job(ROOT, arguments[1:])
    except Stop as stop:
        print("tasks: {}".format(stop), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
