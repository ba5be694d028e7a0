"""The tasks themselves, each `job(root, arguments) -> exit status`. tasks.py says what they are for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools import lock, pythons, screen, system
from tools.environment import Environment, cpu_driver_fits, say
from tools.problems import Stop

NO_TESTS = 5  # pytest's status when nothing was chosen


def run(root: Path, arguments: list[str]) -> int:
    """Install what is needed and start Matrizen in this process's place."""
    cpu = "--cpu" in arguments
    words = [word for word in arguments if word != "--cpu"]
    environment = Environment(root)
    environment.ensure(*(["cpu"] if cpu and cpu_driver_fits() else []))
    _look_for_opencl(environment)
    command = [str(environment.python), str(root / "main.py"), *words]
    if not _opens_window(words):
        try:
            system.require("Reading pictures", *system.QT)  # OpenCV loads some of them too
        except Stop as stop:
            say(str(stop))  # without pictures the command may still do
    elif not os.environ.get("QT_QPA_PLATFORM"):
        if not screen.is_there():
            raise Stop(
                "there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set). All is installed; without"
                " one, train for example with:\n"
                "    python3 tasks.py run train resources/samples/circle.matrizen --export weights.npz\n"
                "    python3 tasks.py run --help    lists the other commands"
            )
        system.require("The window", *system.QT, *system.X11)
    return pythons.hand_over(command[0], command[1:])


def test(root: Path, arguments: list[str]) -> int:
    """The suite without a screen, then the journeys on a virtual one; or pytest with `arguments`."""
    environment = Environment(root)
    environment.ensure("dev", *(["cpu"] if cpu_driver_fits() else []))
    system.require("Qt", *system.QT)
    _look_for_opencl(environment)
    if arguments:
        if not any("journey" in word for word in arguments):
            return environment.run("-m", "pytest", *arguments, env=_offscreen())
        return _on_virtual_screen(environment, "-m", "pytest", "-m", "journey", *arguments)
    cannot = _virtual_screen_problem()  # said at the end: the suite needs no screen
    say("The suite, without a screen ...")
    workers = str(max(1, min(4, os.cpu_count() or 1)))
    suite = environment.run("-m", "pytest", "-n", workers, "--dist", "loadgroup", env=_offscreen())
    if not system.on_linux():
        say("The journeys drive X11 and run on Linux only; they were left out.")
        return suite
    if cannot:
        raise cannot
    say("The journeys, with the real window on a virtual screen ...")
    journeys = _on_virtual_screen(environment, "-m", "pytest", "-m", "journey", "tests/journeys")
    if journeys == NO_TESTS:
        raise Stop("no journey in tests/journeys was run; at least one must be.")
    return suite or journeys


def lint(root: Path, arguments: list[str]) -> int:
    """ruff, mypy and the translations; all are run, the first failure is the status."""
    environment = Environment(root)
    environment.ensure("dev")
    checks = (
        ("-m", "ruff", "check", *(arguments or ["."])),
        ("-m", "mypy"),
        (".tasks/tools/translations.py", "--check"),
    )
    statuses = []
    for check in checks:
        say(" ".join(check[1:]))
        statuses.append(environment.run(*check))
    return next((status for status in statuses if status), 0)


def parity(root: Path, arguments: list[str]) -> int:
    """Numbers beside PyTorch's, exported scripts in TensorFlow and JAX too; installs all three into .venv."""
    environment = Environment(root)
    environment.ensure("dev", "parity", "scripts", *(["cpu"] if cpu_driver_fits() else []))
    words, env = [w for w in arguments if w != "--report"], _offscreen()
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder) / "measured.jsonl"
        if "--report" in arguments:
            env["MATRIZEN_PARITY_REPORT"] = str(measured)
        status = environment.run("-m", "pytest", "-m", "parity", "tests/parity", *words, env=env)
        if status == 0 and "--report" in arguments:
            status = environment.run("-m", "tests.parity.report", str(measured), "docs/parity.md")
    return status


def bench(root: Path, arguments: list[str]) -> int:
    """Measure speed; with --peers PyTorch is installed and measured beside it."""
    environment = Environment(root)
    peers = ["parity"] if "--peers" in arguments else []
    environment.ensure(*(["cpu"] if cpu_driver_fits() else []), *peers)
    _look_for_opencl(environment)
    words = [word for word in arguments if word != "--peers"]
    return pythons.hand_over(str(environment.python), [str(root / "main.py"), "bench", *words])


def screenshots(root: Path, arguments: list[str]) -> int:
    """The README's pictures, made by driving the real program."""
    environment = Environment(root)
    environment.ensure("dev")
    return _on_virtual_screen(environment, "-m", "tests.journeys.screenshots", *arguments)


def translations(root: Path, arguments: list[str]) -> int:
    """Collect texts, update the German catalog, compile it; with --check only compare."""
    environment = Environment(root)
    environment.ensure("dev")
    return environment.run(".tasks/tools/translations.py", *arguments)


def docs(root: Path, arguments: list[str]) -> int:
    """docs/layers.md from the classes of the layers, its numbers from the engine."""
    environment = Environment(root)
    environment.ensure("dev")
    return environment.run("-m", "tests.engine.layer_docs")


def lock_anew(root: Path, arguments: list[str]) -> int:
    """Resolve pyproject.toml into uv.lock and .tasks/requirements/."""
    lock.lock(root, *arguments)
    return 0


def _opens_window(words: list[str]) -> bool:
    """Whether main.py would open its window with these arguments (the commands need no screen)."""
    return not words or (len(words) == 1 and not words[0].startswith("-") and "." in words[0])


def _offscreen() -> dict[str, str]:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    return env


def _virtual_screen_problem() -> Stop | None:
    if not system.on_linux():
        return Stop("this task drives a window with X11 tools and runs on Linux only.")
    try:
        system.require("The virtual screen", *system.QT, *system.X11, *system.VIRTUAL_SCREEN)
    except Stop as stop:
        return stop
    return None


def _on_virtual_screen(environment: Environment, *arguments: str) -> int:
    if cannot := _virtual_screen_problem():
        raise cannot
    with screen.virtual() as env:
        return environment.run(*arguments, env=env)


def _look_for_opencl(environment: Environment) -> None:
    """See that an OpenCL driver is there; without one NumPy computes, so that is no reason to stop."""
    if system.opencl_drivers(environment.folder) or environment.read_stamp().get("opencl looked for"):
        return
    if not (system.may_install() and system.apt_install([system.OPENCL.apt])) and system.on_linux():
        say("No OpenCL driver was found; NumPy will compute. For more speed install your graphics card's")
        say("driver, or one for the processor: `python3 tasks.py run --cpu`, or")
        say("    " + system.line_for([system.OPENCL]))
    environment.remember("opencl looked for", True)  # said once; a start without network stays quick


JOBS: dict[str, Callable[[Path, list[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "parity": parity,
    "bench": bench,
    "screenshots": screenshots,
    "translations": translations,
    "docs": docs,
    "lock": lock_anew,
}
