"""`train`: train a project without a screen; Ctrl+C stops cleanly and still saves what was asked for."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from engine.backends.opening import open_backend
from engine.cli.common import ProgressBar, make_trainer, open_project
from engine.data.dataset import resolve
from engine.errors import N_, TrainingError
from engine.export.npz import export_npz
from engine.project import Project
from engine.project_file import save_project
from engine.training import NonFinite, Trainer

DEFAULT_EPOCHS = 10
CHUNK_MS = 100.0


def run(options: argparse.Namespace) -> int:
    """Train, report, save; 0, or 1 when training had to stop at a number that is not finite."""
    project, dataset = open_project(options.project)
    backend = open_backend(options.device)
    try:
        trainer = make_trainer(project, dataset, backend, options.seed)
        start_step = trainer.step
        steps = options.steps or (options.epochs or DEFAULT_EPOCHS) * trainer.steps_per_epoch
        stop = _StopOnInterrupt()
        begun = time.perf_counter()
        trouble, loss = _train(trainer, start_step + steps, stop, options.json)
        seconds = time.perf_counter() - begun
        _keep(options, project, trainer)
        report = _report(trainer, start_step, seconds, loss)
        if options.json:
            print(json.dumps(report))
        else:
            _say(report, stop.asked)
        if trouble is not None:
            problem = trouble.message(trainer.graph)
            raise TrainingError(problem.template, **problem.values)
        return 0
    finally:
        backend.close()


def _train(
    trainer: Trainer, goal: int, stop: _StopOnInterrupt, quiet: bool
) -> tuple[NonFinite | None, float]:
    """Run until step `goal` or an interrupt; (what went wrong, mean loss of the last epoch)."""
    first = trainer.step
    bar = ProgressBar(0 if quiet else goal - first)
    bar.shown = bar.shown and not quiet
    losses: list[float] = []
    trouble = None
    while trainer.step < goal and not stop.asked and trouble is None:
        result = trainer.run(goal - trainer.step, CHUNK_MS)
        trouble = result.stopped
        losses += result.losses.tolist()
        del losses[: -trainer.steps_per_epoch]
        bar.update(
            trainer.step - first, f"epoch {trainer.progress:.1f}  loss {losses[-1]:.4f}" if losses else ""
        )
    bar.close()
    return trouble, sum(losses) / len(losses) if losses else math.nan


def _keep(options: argparse.Namespace, project: Project, trainer: Trainer) -> None:
    checkpoint = trainer.checkpoint()
    if options.export:
        export_npz(options.export, trainer.graph, checkpoint.state, trainer.dataset, trainer.step)
    if options.save:
        source = project.source
        if (
            source is not None
            and Path(options.save).resolve().parent != Path(options.project).resolve().parent
        ):
            source = resolve(source, Path(options.project).resolve().parent)
        save_project(options.save, replace(project, training=trainer.training, source=source, run=checkpoint))


def _report(trainer: Trainer, start: int, seconds: float, loss: float) -> dict[str, Any]:
    test = trainer.evaluate()
    return {
        "device": trainer.backend.name,
        "steps": trainer.step - start,
        "epochs": round(trainer.progress, 6),
        "train_loss": loss if math.isfinite(loss) else None,
        "test_loss": test.loss if test else None,
        "test_accuracy": test.accuracy if test else None,
        "seconds": seconds,
        "parameters": trainer.facts.parameter_count,
    }


def _say(report: dict[str, Any], interrupted: bool) -> None:
    accuracy = report["test_accuracy"]
    parts = [
        f"{'stopped after' if interrupted else 'trained'} {report['steps']} steps on {report['device']}",
        f"{report['seconds']:.1f} s",
        f"train loss {report['train_loss']:.4f}" if report["train_loss"] is not None else "",
        f"test loss {report['test_loss']:.4f}" if report["test_loss"] is not None else "",
        f"test accuracy {100 * accuracy:.1f} %" if accuracy is not None else "",
    ]
    print(", ".join(p for p in parts if p))


class _StopOnInterrupt:
    """The first Ctrl+C asks for a clean stop; the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False
        try:
            signal.signal(signal.SIGINT, self._interrupt)
            signal.signal(signal.SIGTERM, self._interrupt)
        except ValueError:  # not the main thread: nothing to catch
            self.asked = False

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt(N_("stopped"))
        self.asked = True
        print("\nmatrizen: stopping after this step", file=sys.stderr)
