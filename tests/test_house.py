"""The borders of the house, read from the imports; and a few traps this project fell into before."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

QT = ("PySide6", "shiboken6", "PyQt5", "PyQt6", "qtpy")
# where the two halves of the program meet
SEAMS = ("gui/document.py", "gui/runner.py")
WIDGETS = ("PySide6.QtWidgets", "pyqtgraph")
# what the engine's process says, as values that panels may read
MESSAGES = ("engine.session.protocol", "engine.session.views")
# the program; tests and tools stand outside and may look at everything
PARTS = ("engine", "gui", "main.py")
# lines of a file; past 400 is already a question
LONGEST = 450
# files that may be longer, why, and how long
LONGER = {
    # places every part of the window and joins their signals, which no other file may
    "gui/main_window.py": 570,
}


@dataclass(frozen=True)
class Import:
    """One imported name and where it stands; `file` is relative to the checkout."""

    file: str
    line: int
    name: str

    def within(self, *modules: str) -> bool:
        """Whether the imported name is one of `modules` or lies in one."""
        return any(self.name == m or self.name.startswith(m + ".") for m in modules)


def imports_of(root: Path, file: Path) -> Iterator[Import]:
    """Every import of a file, at any depth, relative ones resolved, `importlib` with a text too."""
    relative = file.relative_to(root)
    package = list(relative.with_suffix("").parts[:-1])
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{stem}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            names = [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
        else:
            continue
        for name in names:
            yield Import(relative.as_posix(), node.lineno, name)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def violations(root: Path) -> list[str]:
    """Every import under `root` that crosses a border, as "file:line imports name: the rule"."""
    found = []
    for part in PARTS:
        start = root / part
        for file in [start] if start.is_file() else sorted(start.rglob("*.py")):
            for one in imports_of(root, file):
                found += [f"{one.file}:{one.line} imports {one.name}: {rule}" for rule in broken_rules(one)]
    return found


def broken_rules(one: Import) -> Iterator[str]:
    """The rules that an import breaks, in words."""
    in_engine = one.file.startswith("engine/")
    in_gui = one.file.startswith("gui/")
    if in_engine and one.within(*QT, "pyqtgraph"):
        yield "the engine knows no Qt and no pyqtgraph"
    if in_engine and one.within("gui"):
        yield "main -> gui -> engine, never back"
    if (in_engine or in_gui) and one.within("main", "tasks", "tools", "tests"):
        yield "the program knows neither its door nor its tools"
    if one.within("cv2") and one.file != "engine/data/pictures.py":
        yield "cv2 has one importer, engine/data/pictures.py"
    if one.within("pyopencl") and not one.file.startswith("engine/backends/opencl/"):
        yield "pyopencl only under engine/backends/opencl"
    if one.file.startswith(("engine/layers/", "engine/ops/")) and one.within(
        "engine.backends.numpy", "engine.backends.opencl"
    ):
        yield "layers and ops know no concrete backend"
    if in_gui and one.within("engine.session") and not (one.file == "gui/runner.py" or one.within(*MESSAGES)):
        yield "only gui/runner.py speaks with the engine's process"
    if one.file in SEAMS and one.within(*WIDGETS, "gui.panels", "gui.views", "gui.labs", "gui.main_window"):
        yield "document and runner know no view"


def test_no_import_crosses_a_border(root: Path) -> None:
    assert violations(root) == []


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        ("engine/graph.py", "from gui import canvas", "never back"),
        ("engine/graph.py", "def f():\n    import PySide6.QtCore", "no Qt"),
        ("engine/data/sources.py", "import pyqtgraph as pg", "no Qt"),
        ("engine/data/sources.py", "import cv2", "one importer"),
        ("gui/views/picture.py", "from cv2 import imread", "one importer"),
        ("engine/backends/base.py", "import pyopencl as cl", "only under"),
        (
            "engine/backends/numpy/plan.py",
            "import importlib\nimportlib.import_module('pyopencl')",
            "only under",
        ),
        ("engine/layers/dense.py", "from ..backends import opencl", "concrete backend"),
        ("engine/ops/linear.py", "from engine.backends.numpy.plan import Plan", "concrete backend"),
        ("gui/panels/training.py", "from engine.session import worker", "gui/runner.py"),
        ("gui/document.py", "from .views import curves", "no view"),
        ("gui/runner.py", "from PySide6.QtWidgets import QWidget", "no view"),
        ("engine/cli/train.py", "import main", "its door"),
    ],
)
def test_a_planted_import_is_caught(tmp_path: Path, file: str, text: str, rule: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(text, encoding="utf-8")
    caught = violations(tmp_path)
    assert len(caught) == 1
    assert rule in caught[0]
    assert caught[0].startswith(f"{file}:")


def test_allowed_imports_are_not_caught(tmp_path: Path) -> None:
    for file, text in {
        "engine/data/pictures.py": "import cv2",
        "engine/backends/opencl/device.py": "import pyopencl\nfrom ..base import Plan",
        "engine/layers/dense.py": "from engine.ops import linear\nfrom engine.backends.base import Plan",
        "gui/runner.py": "from engine.session import inline\nfrom PySide6.QtCore import QObject",
        "gui/panels/curves.py": "from engine.session.views import CurvesData",
        "main.py": "from gui.app import main",
    }.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []


def needs_of(root: Path, start: str) -> dict[str, set[str]]:
    """File -> the files of `start` that it imports, late imports and those for types only included."""
    files = {file.relative_to(root).as_posix() for file in (root / start).rglob("*.py")}
    needs: dict[str, set[str]] = {file: set() for file in sorted(files)}
    for file, needed in needs.items():
        for one in imports_of(root, root / file):
            path = one.name.replace(".", "/")
            whole, parent = f"{path}.py", path.rpartition("/")[0]
            homes = (whole, f"{path}/__init__.py", f"{parent}.py", f"{parent}/__init__.py")
            needed.update([home for home in homes if home in files and home != file][:1])
    return needs


def circle_in(needs: dict[str, set[str]]) -> list[str]:
    """Files that import each other in a circle, the first once more at the end; [] where there is none."""
    left = dict(needs)
    while free := [file for file, needed in left.items() if not needed & left.keys()]:
        for file in free:
            del left[file]
    if not left:
        return []
    walked = [min(left)]
    while walked.count(walked[-1]) == 1:  # every file left needs another one of them
        walked.append(min(left[walked[-1]] & left.keys()))
    return walked[walked.index(walked[-1]) :]


def test_the_engine_has_no_circle(root: Path) -> None:
    assert circle_in(needs_of(root, "engine")) == []


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a": "from engine.b import x", "b": "def f():\n    from engine import a"}, ["a", "b", "a"]),
        ({"a": "import engine.b", "b": "if TYPE_CHECKING:\n    from engine.c import X",
          "c": "from .b import y"}, ["b", "c", "b"]),
        ({"a": "from engine import b, c", "b": "from engine import c", "c": "import math"}, []),
        ({"a": "from engine.part import x", "part/__init__": "from engine.part.b import x",
          "part/b": ""}, []),
        ({"a": "", "part/__init__": "from engine.part.b import x", "part/b": "from engine.part import x"},
         ["part/__init__", "part/b", "part/__init__"]),
    ],
)  # fmt: skip
def test_a_planted_circle_is_found(tmp_path: Path, files: dict[str, str], circle: list[str]) -> None:
    for name, text in files.items():
        path = tmp_path / "engine" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert circle_in(needs_of(tmp_path, "engine")) == [f"engine/{name}.py" for name in circle]


def test_no_file_grows_past_one_concept(root: Path) -> None:
    lengths = {}
    for part in PARTS:
        start = root / part
        for file in [start] if start.is_file() else start.rglob("*.py"):
            lengths[file.relative_to(root).as_posix()] = len(file.read_text(encoding="utf-8").splitlines())
    too_long = {file: lines for file, lines in lengths.items() if lines > LONGER.get(file, LONGEST)}
    assert too_long == {}, "split them along their concepts"
    assert {file for file in LONGER if lengths.get(file, 0) <= LONGEST} == set(), "exceptions nobody needs"


@pytest.mark.parametrize("file", SEAMS)
def test_the_seams_load_no_widgets_by_detours(root: Path, file: str) -> None:
    module = file[: -len(".py")].replace("/", ".")
    question = f"import sys, {module}; print([name for name in {WIDGETS!r} if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", question], cwd=root, capture_output=True, text=True)
    assert asked.stdout.strip() == "[]", asked.stderr


def test_the_engine_loads_neither_qt_nor_drawing(root: Path) -> None:
    modules = [
        ".".join(file.relative_to(root).with_suffix("").parts)
        for file in sorted((root / "engine").rglob("*.py"))
        # the peers of the benchmark are optional and have processes of their own
        if file.name != "__init__.py" and "opencl" not in file.parts and not file.name.startswith("peer_")
    ]
    names = ("PySide6", "shiboken6", "pyqtgraph", "gui", "pyopencl")
    question = f"import sys, {', '.join(modules)}; print([name for name in {names!r} if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", question], cwd=root, capture_output=True, text=True)
    assert asked.stdout.strip() == "[]", asked.stderr


def top_level_imports(file: Path) -> list[str]:
    """The packages that a file imports when it is itself imported."""
    names = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return [name.split(".")[0] for name in names]


@pytest.mark.parametrize("file", ["main.py", "tasks.py"])
def test_the_doors_import_the_standard_library_only(root: Path, file: str) -> None:
    # main.py is imported again by every spawned process; tasks.py runs before anything is installed
    own = {"tools"} if file == "tasks.py" else set()
    assert set(top_level_imports(root / file)) - set(sys.stdlib_module_names) <= own


def test_what_tasks_needs_is_standard_library(root: Path) -> None:
    for file in sorted((root / ".tasks" / "tools").glob("*.py")):
        assert set(top_level_imports(file)) <= {*sys.stdlib_module_names, "tools", "matrizen"}, file.name


def tracked_files(root: Path) -> list[Path]:
    """What git tracks, or nothing outside a checkout (an unpacked sdist)."""
    if not (root / ".git").exists():
        return []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    return [root / name for name in listed.stdout.decode().split("\0") if name]


def test_no_tracked_file_names_a_path_of_one_machine(root: Path) -> None:
    # written in two parts, or this file would name them itself
    paths = ["/wo" + "rk/", "/opt/" + "pypi", "/opt/" + "wheels", "/ro" + "ot/", "file:/" + "//"]
    found = []
    for file in tracked_files(root):
        try:
            text = file.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        found += [f"{file.relative_to(root)} names {path}" for path in paths if path in text]
    assert found == []


def test_qt_calls_do_not_lose_references_to_none(qtbot: QtBot) -> None:
    # PySide6 6.12.0 under Python 3.11 drops one per void call and aborts after some thousand
    from PySide6.QtWidgets import QWidget

    widget = QWidget()
    qtbot.addWidget(widget)
    widget.update()
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.update()
    assert sys.getrefcount(None) > before - 500
