"""Matrizen: the one door. Without a command the window opens; the commands run without a screen.

Only the standard library is imported here at module level: every spawned process imports this file
again, and a wrong or half-installed Python must still get a sentence instead of a traceback.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would cost every process its import
    import argparse
    from collections.abc import Sequence

VERSION = "0.1.0"
COMMANDS = {
    "train": "train a project and keep what was asked for",
    "predict": "what a trained project sees in pictures, or hears in sounds",
    "export": "write a project's trained weights as .npz, and scripts that go on with them elsewhere",
    "proof": "write one step of a project as a script in plain NumPy",
    "check": "say whether a project file is sound, and what is wrong with it",
    "devices": "list the devices that can compute, and why others cannot",
    "bench": "measure speed against other libraries on this machine",
}
FRAMEWORKS = ("torch", "tensorflow", "jax")
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Matrizen with command line `arguments` (default: the process's own); the exit status."""
    multiprocessing.freeze_support()
    if not (3, 11) <= sys.version_info[:2] < (3, 15):
        found = "{}.{}".format(*sys.version_info[:2])
        return complain(f"Python 3.11 to 3.14 is needed; this is Python {found}.")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parser = make_parser()
        command = next((word for word in words if not word.startswith("-")), None)
        if command in COMMANDS or len(words) != 1 or command is None:
            options = parser.parse_args(words)
            return run_command(options) if options.command else open_window(None)
        if "." not in command and not os.path.exists(command):
            parser.error(unknown(command))
        return open_window(command)
    except KeyboardInterrupt:
        return INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    """The command line; each command's own options are here, its work in engine/cli."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="matrizen",
        usage="matrizen [FILE.matrizen]\n       matrizen COMMAND ... (matrizen COMMAND --help says more)",
        description="Draw a neural network, feed it pictures, watch every number change while it learns.",
        epilog="Without a command the window opens, with FILE.matrizen in it if one is named.",
    )
    parser.add_argument("--version", action="version", version=f"matrizen {VERSION}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="without a screen", prog="matrizen"
    )
    made = {}
    for name, text in COMMANDS.items():
        made[name] = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    for name in ("train", "predict", "export", "proof", "check"):
        made[name].add_argument("project", metavar="PROJECT", help="a .matrizen file")
    for name in ("train", "predict", "devices", "bench"):
        made[name].add_argument("--json", action="store_true", help="one JSON object on standard output")
    train = made["train"]
    length = train.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=positive, metavar="N", help="passes over the training set")
    length.add_argument("--steps", type=positive, metavar="N", help="updates of the weights")
    train.add_argument(
        "--device", default="auto", metavar="D", help="auto (default), numpy, opencl, or a listed name"
    )
    train.add_argument("--seed", type=seed, metavar="S", help="of random numbers (default: the project's)")
    train.add_argument("--export", metavar="W.npz", help="write the trained weights")
    train.add_argument("--save", metavar="OUT.matrizen", help="write the trained project")
    made["predict"].add_argument("pictures", nargs="+", metavar="PICTURE", help="a picture, or a WAV sound")
    made["export"].add_argument("out", metavar="OUT.npz", help="the file to write")
    made["export"].add_argument(
        "--script", action="append", choices=FRAMEWORKS, help="beside it a script for that framework"
    )
    proof = made["proof"]
    proof.add_argument("out", metavar="OUT.py", help="the script; its two .npz files come beside it")
    proof.add_argument("--layer", metavar="NAME", help="whose numbers are printed (default: the first)")
    proof.add_argument("--step", type=positive, metavar="N", help="which step, from 1 (default: the next)")
    return parser


def positive(text: str) -> int:
    """A whole number above zero; ValueError otherwise (argparse turns it into a usage error)."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def seed(text: str) -> int:
    """A whole number that fits a seed, 0 to 2^63 - 1; ValueError otherwise."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise ValueError(text)
    return value


def unknown(word: str) -> str:
    """What to say about a word that is neither a command nor a file."""
    import difflib

    close = difflib.get_close_matches(word, COMMANDS, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f"{word!r} is neither a file nor one of the commands {', '.join(COMMANDS)}{meant}"


def run_command(options: argparse.Namespace) -> int:
    """Run one of COMMANDS; 0, or 1 after one line on standard error."""
    try:
        from engine import cli
    except ImportError as error:
        return complain(not_ready(error))
    return cli.run(options.command, options)


def open_window(file: str | None) -> int:
    """Open the window, with a project in it; needs a screen and an installed PySide6."""
    if why := no_screen():
        return complain(
            f"there is no screen ({why}); without one use a command,"
            " for example: train resources/samples/circle.matrizen (--help lists them)."
        )
    try:
        from gui.app import main as window
    except ImportError as error:
        return complain(not_ready(error))
    return window(file)


def no_screen() -> str:
    """Why Qt would find nothing to draw on; empty when it may. Qt itself would abort the process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return ""
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    if os.environ.get("WAYLAND_SOCKET"):
        return ""
    if wayland and listens(os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), wayland)):
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        dead = f"WAYLAND_DISPLAY is {wayland}, but nothing answers there"
        return dead if wayland else "neither DISPLAY nor WAYLAND_DISPLAY is set"
    number = display[1:].split(".")[0]
    if not display.startswith(":") or not number.isdigit():
        return ""  # another machine's: only Qt can tell
    return "" if answers(int(number)) else f"DISPLAY is {display}, but nothing answers there"


def answers(number: int) -> bool:
    """Whether an X server listens as display `number` of this machine."""
    path = f"/tmp/.X11-unix/X{number}"
    return listens(path) or listens("\0" + path)


def listens(address: str) -> bool:
    """Whether a display server of this machine listens at this socket."""
    import socket

    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(address)
        except OSError:
            return False
    return True


def not_ready(error: ImportError) -> str:
    """An import that failed, as a sentence: what is missing and who installs it."""
    top = (error.name or "").split(".")[0]
    if isinstance(error, ModuleNotFoundError) and top in ("engine", "gui", "resources"):
        raise error  # a file of our own: that is a fault of the program, not of the installation
    what = f"{top} is not installed here" if isinstance(error, ModuleNotFoundError) else str(error)
    return f"{what}; `python3 tasks.py run` installs what is needed (Windows: py tasks.py run)."


def complain(sentence: str) -> int:
    """Say one line on standard error; the exit status that goes with it."""
    print(f"matrizen: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
