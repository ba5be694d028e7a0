"""`train`: train a project without a screen; Ctrl+C stops cleanly and still saves what was asked for."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from engine.backends.opening import open_backend
from engine.cli.common import ProgressBar, make_trainer, open_project, say
from engine.cli.metrics import plain_metrics, short_metrics
from engine.data.dataset import Dataset
from engine.data.loading import resolve
from engine.errors import N_, DeviceError, MatrizenError, Message, ProjectError, TrainingError
from engine.export.npz import export_npz
from engine.health import health_notes
from engine.project import Project
from engine.project_file import save_project
from engine.rescue import Rescue, computes_instead, took_over
from engine.saving import check_file_name
from engine.training import Checkpoint, Evaluation, NonFinite, Trainer
from engine.watch import rested

DEFAULT_EPOCHS = 10
CHUNK_MS = 100.0
CHECKPOINT_SECONDS = 2.0
"""What is lost at most when a device fails."""


def run(options: argparse.Namespace) -> int:
    """Train, report, save; 0, or 1 when training had to stop at a number that is not finite.

    Ctrl+C and SIGTERM end after the step at hand; what was asked for is saved and the status is 0.
    """
    _check_targets(options)
    project, dataset, notes = open_project(options.project)
    trainer, rescue = _start(options, project, dataset)
    try:
        say(notes)
        start_step, start_epochs = trainer.step, trainer.progress
        steps = options.steps or (options.epochs or DEFAULT_EPOCHS) * trainer.steps_per_epoch
        stop = _StopOnInterrupt()
        begun = time.perf_counter()
        done = _train_safely(trainer, rescue, start_step + steps, stop, options.json)
        trainer = done.trainer
        seconds = time.perf_counter() - begun
        _keep(options, project, done)
        report = _report(done, start_step, start_epochs, seconds)
        if options.json:
            print(json.dumps(report))
        else:
            _say(report, stop.asked)
            say(done.notes)
        if done.trouble is not None:
            problem = done.trouble.message(trainer.graph)
            raise TrainingError(problem.template, **problem.values)
        return 0
    finally:
        trainer.backend.close()


@dataclass(frozen=True)
class _Done:
    """A training and all that is asked of its device afterwards. `loss` is the mean of the last epoch."""

    trainer: Trainer
    trouble: NonFinite | None
    loss: float
    checkpoint: Checkpoint
    test: Evaluation | None
    notes: Sequence[Message]


def _start(options: argparse.Namespace, project: Project, dataset: Dataset) -> tuple[Trainer, Rescue]:
    """A trainer on the device asked for, its start kept; only "auto" may end on NumPy, and says so."""
    backend, rescue = open_backend(options.device), Rescue()
    try:
        trainer = make_trainer(project, dataset, backend, options.seed)
        rescue.keep(trainer)
    except DeviceError as error:
        backend.close()
        if options.device != "auto" or backend.name == "numpy":
            raise
        say([computes_instead(error.message)])
        trainer = make_trainer(project, dataset, open_backend("numpy"), options.seed)
    return trainer, rescue


def _train_safely(
    trainer: Trainer, rescue: Rescue, goal: int, stop: _StopOnInterrupt, quiet: bool
) -> _Done:
    """Train; when the device fails, go on from the last checkpoint on NumPy and say so."""
    trouble, loss = None, math.nan
    while True:
        try:
            if trainer.step < goal and not stop.asked:
                trouble, loss = _train(trainer, goal, stop, quiet, rescue)
                rescue.keep(trainer)
            test, notes = trainer.evaluate(), [] if quiet else health_notes(trainer)
            return _Done(trainer, trouble, loss, trainer.checkpoint(), test, notes)
        except DeviceError as error:
            if trainer.backend.name == "numpy":
                raise
            trainer = rescue.on_numpy(trainer)
            say([took_over(error.message, trainer.step)])


def _train(
    trainer: Trainer, goal: int, stop: _StopOnInterrupt, quiet: bool, rescue: Rescue
) -> tuple[NonFinite | None, float]:
    """Run until step `goal` or an interrupt; (what went wrong, mean loss of the last epoch)."""
    first = trainer.step
    bar = ProgressBar(0 if quiet else goal - first)
    bar.shown = bar.shown and not quiet
    losses: list[float] = []
    trouble = None
    kept = time.monotonic()
    while trainer.step < goal and not stop.asked and trouble is None:
        trainer.settle()
        if trainer.wants_rest:
            say([rested(trainer.watch, trainer.training)])
            break
        result = trainer.run(goal - trainer.step, CHUNK_MS)
        if time.monotonic() - kept > CHECKPOINT_SECONDS:
            rescue.keep(trainer)
            kept = time.monotonic()
        trouble = result.stopped
        losses += result.losses.tolist()
        del losses[: -trainer.steps_per_epoch]
        bar.update(
            trainer.step - first, f"epoch {trainer.progress:.1f}  loss {losses[-1]:.4f}" if losses else ""
        )
    bar.close()
    return trouble, sum(losses) / len(losses) if losses else math.nan


def _check_targets(options: argparse.Namespace) -> None:
    """Refuse before an hour of training what could not be written after it."""
    for text in filter(None, (options.export, options.save)):
        path = Path(os.path.realpath(text))
        check_file_name(Path(text))
        if os.path.isdir(path):
            raise ProjectError(N_("{file} is a folder; choose a file name."), file=text)
        if not os.path.isdir(path.parent):
            raise ProjectError(N_("{file}: there is no folder {folder}."), file=text, folder=path.parent)
        if not os.access(path.parent, os.W_OK):
            raise ProjectError(
                N_("{file}: the folder {folder} cannot be written to."), file=text, folder=path.parent
            )


def _keep(options: argparse.Namespace, project: Project, done: _Done) -> None:
    """Save and export; when one fails the other is still done."""
    trainer, checkpoint = done.trainer, done.checkpoint
    problem: MatrizenError | None = None
    if options.save:
        source = trainer.dataset.pinned()
        there, here = Path(options.save).resolve().parent, Path(options.project).resolve().parent
        if source is not None and there != here:
            source = resolve(source, here)
        lines = project.run.lines if project.run is not None else None
        run = replace(checkpoint, lines=lines)
        kept = replace(project, graph=trainer.graph, training=trainer.training, source=source, run=run)
        try:
            save_project(options.save, kept)
        except MatrizenError as error:
            problem = error
    if options.export:
        export_npz(options.export, trainer.graph, checkpoint.state, trainer.dataset, trainer.step)
    if problem is not None:
        raise problem


def _report(done: _Done, start: int, start_epochs: float, seconds: float) -> dict[str, Any]:
    """What this command did; numbers that are not finite are null, as JSON has none."""
    trainer, test = done.trainer, done.test
    return {
        "device": trainer.backend.name,
        "steps": trainer.step - start,
        "epochs": round(trainer.progress - start_epochs, 6),
        "train_loss": _finite(done.loss),
        "test_loss": _finite(test.loss) if test else None,
        "test_accuracy": test.accuracy if test else None,
        "seconds": seconds,
        "parameters": trainer.facts.parameter_count,
        "test_metrics": plain_metrics(trainer.forward.report, trainer.dataset.class_names) if test else None,
        **_of_outputs(trainer, test),
    }


def _of_outputs(trainer: Trainer, test: Evaluation | None) -> dict[str, Any]:
    """Where the loss is a sum: each output's own on the test data, and whose the accuracy is."""
    forward = trainer.forward
    if test is None or not test.parts:
        return {}
    losses = {end.name: _finite(p) for end, p in zip(forward.ends, test.parts, strict=True)}
    named = {"accuracy_of": forward.output.name} if test.accuracy is not None else {}
    return {"test_losses": losses, **named}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _say(report: dict[str, Any], interrupted: bool) -> None:
    accuracy = report["test_accuracy"]
    losses = {k: v for k, v in report.get("test_losses", {}).items() if v is not None}
    parts_of = f" ({', '.join(f'{name} {loss:.4f}' for name, loss in losses.items())})" if losses else ""
    of = f"of {report['accuracy_of']} " if "accuracy_of" in report else ""
    parts = [
        f"{'stopped after' if interrupted else 'trained'} {report['steps']} steps on {report['device']}",
        f"{report['seconds']:.1f} s",
        f"train loss {report['train_loss']:.4f}" if report["train_loss"] is not None else "",
        f"test loss {report['test_loss']:.4f}{parts_of}" if report["test_loss"] is not None else "",
        f"test accuracy {of}{100 * accuracy:.1f} %" if accuracy is not None else "",
    ]
    print(", ".join(p for p in parts if p))
    for name, scores in (report["test_metrics"] or {}).items():
        print(f"  {name}: {', '.join(short_metrics(scores))}")


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
            raise KeyboardInterrupt
        self.asked = True
        with contextlib.suppress(OSError):  # print could be interrupted in itself
            os.write(2, b"\nmatrizen: stopping after this step\n")
