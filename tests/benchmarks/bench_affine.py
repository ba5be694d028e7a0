"""The hands of the affine lab on a large picture: one command, half a minute, on a screen of its own.

    python -m tests.benchmarks.bench_affine [--side N] [--seconds S]

For each thing that is dragged: CPU time of a frame and its longest stretch as window_driven counts them, CPU
time of the window's thread for a move of the mouse (60 a second), and how often a warped picture came, whole
or made smaller.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer

from gui import resources
from gui.labs.affine_engine import Answered
from gui.labs.affine_lab import AffineLab
from gui.labs.affine_sources import Subject
from gui.labs.affine_state import HANDLES
from tests.benchmarks.window_driven import Driver, drive, mouse

MOVE_MS = 16
DRIVE = "from tests.benchmarks.bench_affine import run; raise SystemExit(run())"
Way = Callable[[int], None]


class AffineDriver(Driver):
    """Drags each handle in turn, pulls a slider, and points at pixels."""

    def __init__(self, side: int, seconds: float) -> None:
        super().__init__(seconds, 0)
        self._side = side
        self._answers: list[int] = []
        self._moves = 0
        self._ticks = 0.0

    def _run(self) -> Iterator[int]:
        window = self.window
        while window.bench.configured is None:
            yield 20
        window.resize(1600, 1000)
        window.show_samples(False)
        window.open_lab("affine_lab")
        lab = window.labs.lab("affine_lab")
        assert isinstance(lab, AffineLab)
        while lab.subject is None:
            yield 20
        rng = np.random.default_rng(1)
        small = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        side = self._side
        lab.show_subject(Subject(np.kron(small, np.ones((side // 64, side // 64, 1), np.uint8)), "noise"))
        lab.warps.warped.connect(self._count_answer)
        yield 1500
        for name, way in self._ways(lab).items():
            lab.set_state(lab.state.reset())
            yield 400
            yield from self._drag(name, way)

    def _count_answer(self, found: Answered) -> None:
        self._answers.append(found.factor)

    def _ways(self, lab: AffineLab) -> dict[str, Way]:
        plane, held = lab.plane, Qt.MouseButton.LeftButton

        def handle(number: int) -> Way:
            def move(k: int) -> None:
                if k == 0:
                    start = plane.place_of(HANDLES[number])
                    self._start = start
                    mouse(plane, QEvent.Type.MouseButtonPress, start.toPoint(), held)
                around = QPoint(round(60 * np.sin(k / 25)), round(90 * np.sin(k / 40)))
                mouse(plane, QEvent.Type.MouseMove, self._start.toPoint() + around, held)

            return move

        def slider(k: int) -> None:
            pulled, _ = lab.steps.cards["rotate"]._sliders["angle"]
            pulled.setSliderDown(True)
            pulled.setValue(round(150 * np.sin(k / 40)))

        def hover(k: int) -> None:
            at = QPointF(plane.width() / 2 + 150 * np.sin(k / 9), plane.height() / 2 + 90 * np.cos(k / 13))
            mouse(plane, QEvent.Type.MouseMove, at.toPoint(), Qt.MouseButton.NoButton)

        return {
            "rotate": handle(8), "corner": handle(3), "shift": handle(9), "slider": slider, "pixel": hover,
        }  # fmt: skip

    def _drag(self, name: str, way: Way) -> Iterator[int]:
        self._answers.clear()
        self._moves = 0
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)

        def move() -> None:
            way(self._moves)
            self._moves += 1

        timer.timeout.connect(move)
        before, thread, wall = self._engine(), time.thread_time(), time.perf_counter()
        yield from self._measure(name, lambda: timer.start(MOVE_MS), timer.stop)
        wall = time.perf_counter() - wall
        spent = (time.thread_time() - thread) / max(1, self._moves)
        whole = sum(factor == 1 for factor in self._answers)
        out = self.out[name]
        out.update(
            moves=self._moves, move_ms=spent * 1000, whole_per_s=whole / wall,
            small_per_s=(len(self._answers) - whole) / wall, engine_cores=self._engine(before)["cores"],
        )  # fmt: skip
        lab = self.window.labs.lab("affine_lab")
        assert isinstance(lab, AffineLab)
        lab.steps.cards["rotate"]._sliders["angle"][0].setSliderDown(False)
        at = lab.plane.rect().center()
        mouse(lab.plane, QEvent.Type.MouseButtonRelease, at, Qt.MouseButton.LeftButton)
        yield 300


def run() -> int:
    """In the process of the window."""
    side, seconds = int(sys.argv[1]), float(sys.argv[2])
    path = resources.path("samples", "digits_cnn.matrizen")
    return drive(str(path), lambda: AffineDriver(side, seconds))


def main() -> int:
    from tests.benchmarks.bench_window import child, screen

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=4.0)
    wanted = parser.parse_args()
    with screen() as variables:
        limit = 60 + 10 * wanted.seconds
        found = json.loads(child(["-c", DRIVE, str(wanted.side), str(wanted.seconds)], variables, limit))
    print(f"{wanted.side} x {wanted.side} pixels; milliseconds; wanted: a move below 12, frames below 16.7")
    print(f"{'':8} {'move':>6} {'frame p50':>10} {'p99':>6} {'stretch p99':>12} {'frames/s':>9} "
          f"{'whole/s':>8} {'small/s':>8} {'engine':>7}")  # fmt: skip
    for name, out in found.items():
        cpu, longest = out["cpu_ms"], out["stretch_ms"].get("p99", 0.0)
        print(f"{name:8} {out['move_ms']:6.1f} {cpu['p50']:10.1f} {cpu['p99']:6.1f} {longest:12.1f} "
              f"{out['frames'] / wanted.seconds:9.1f} {out['whole_per_s']:8.1f} {out['small_per_s']:8.1f} "
              f"{out['engine_cores']:7.2f}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
