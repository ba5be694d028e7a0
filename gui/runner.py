"""Seam 2: the engine's process as the window sees it. Commands go out, what is newest comes in.

One timer is the clock: it polls, asks for the next frame when the one before has arrived, and stops when
nothing is to come. The window never waits. An engine that dies is replaced, and goes on from the checkpoint
that the window owns.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QWindow

from engine.augment_trial import Trial
from engine.data.source import SourceSpec
from engine.errors import N_, Message
from engine.export.numpy_proof import Proof
from engine.gradient_check import LayerCheck
from engine.graph import GraphSpec
from engine.layers.augment import Augment
from engine.optimizer_race import Race, Watched
from engine.session import protocol as p
from engine.session.client import Client, Died
from engine.session.views import View
from engine.settings import TrainingSpec
from engine.text_writing import Written
from engine.training import Checkpoint
from engine.xray import XRay
from gui.ear import Ear
from gui.thrift import Thrift

_log = logging.getLogger("matrizen.runner")

TICK_MS = 16
REST_MS = 64
ASLEEP_MS = 1000
"""While the window is minimized the engine is only looked after."""
CRASHES, CRASH_SECONDS = 3, 30.0
"""An engine that dies more often than this is not started again until something is asked of it."""
SILENT_MS = 20_000
"""An engine that leaves a question open for so long may hang in a driver; the person decides."""

T = TypeVar("T")
Answer = Callable[[T | None, Message | None], None]
"""Called with what was asked for, or with None and the reason."""


class Runner(QObject):
    """Owns the engine's process. Everything here returns at once."""

    configured = Signal(object)
    """Configured: another program runs."""
    status = Signal(object)
    """Status, about as often as frames."""
    frame = Signal(object)
    """Frame of the newest program; older ones are dropped."""
    fault = Signal(object)
    """Fault: something was refused, or went wrong."""
    devices = Signal(object)
    """Devices, while they are being tested and at the end."""
    progress = Signal(object)
    """Progress of loading data."""
    chosen = Signal(object)
    """Chosen: another line of the run is gone on with."""
    died = Signal(object)
    """Message: the engine's process ended unasked. `fault` (kind "engine") is emitted, too."""
    restarted = Signal(object)
    """RunState the new process goes on from, or None when it starts anew."""

    def __init__(self, parent: QObject | None = None, client: Client | None = None) -> None:
        super().__init__(parent)
        self._client = client or Client()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._ear = Ear(self, self._tick, REST_MS)
        self._generation = 0
        self._answers: dict[int, Answer[Any]] = {}
        self._news: dict[int, Callable[[Any], None]] = {}
        """Who hears how far a job is."""
        self._number = 0
        self._asked = 0
        """Serial of the last command: a status that contains it can say that nothing more will come."""
        self._pulled = 0.0
        self._thrift = Thrift()
        self._hurried = False
        self._finding = self._found = False
        """Whether devices are looked for, and whether a status may know more since they were found."""
        self._silent = 0
        """Milliseconds without a word while a question is open; those of a computer asleep do not count."""
        self._hung = self._closed = False
        self._deaths: deque[float] = deque(maxlen=CRASHES + 1)
        self._start()

    # ---- commands -------------------------------------------------------------------------------------

    def configure(self, graph: GraphSpec, training: TrainingSpec, source: SourceSpec, *, base: str = "",
                  device: str = "", fresh: bool = False,
                  resume: Checkpoint | p.RunState | None = None) -> int:
        """Run this network on this data; the number of the program. `configured` or `fault` follows."""
        self._generation += 1
        self._send(p.Configure(graph, training, source, self._generation, device, base, fresh, resume))
        return self._generation

    def cancel_loading(self) -> None:
        """Stop loading data; a fault of kind "canceled" follows where it was not too late."""
        self._send(p.CancelLoading())

    def play(self) -> None:
        self._send(p.Play())

    def pause(self) -> None:
        self._send(p.Pause())

    def step(self, kind: str = "batch") -> None:
        """Kind: "op", "time", "phase", "sample", "batch" or "epoch"."""
        self._send(p.Step(cast(p.StepKind, kind)))

    def go_to(self, step: int) -> None:
        """Show the run as it was after `step` steps."""
        self._send(p.GoTo(step))

    def branch(self) -> None:
        """From the step shown a line of its own begins."""
        self._send(p.Branch())

    def choose_line(self, line: int) -> None:
        """Go on with another line of the run; `chosen` follows."""
        self._send(p.ChooseLine(line))

    def remove_line(self, line: int) -> None:
        """Forget another line of the run."""
        self._send(p.RemoveLine(line))

    def set_history(self, cap: int) -> None:
        """Bytes that the past may take."""
        self._send(p.SetHistory(cap))

    def reset(self) -> None:
        """Back to the same start, paused."""
        self._send(p.Reset())

    def set_training(self, training: TrainingSpec, layers: Mapping[str, float] | None = None) -> None:
        """Hot settings, from the next step on; `layers` holds "<node>.<field>" -> value."""
        self._send(p.SetTraining(training, dict(layers or {})))

    def set_pace(self, steps_per_second: float | None) -> None:
        """None is full speed; `protocol.AUTO_PACE` about one epoch a frame for points, else full speed."""
        self._send(p.SetPace(steps_per_second))

    def set_device(self, device: str) -> None:
        """Go on on this device; a refusal is a fault of kind "device"."""
        self._send(p.SetDevice(device))

    def find_devices(self, fresh: bool = False) -> None:
        """List and test devices in the background; `devices` follows."""
        self._finding = True
        self._send(p.FindDevices(fresh))

    def watch(self, key: str, request: View | None, rate: float = 15.0, bytes: int = 4_000_000) -> None:
        """Show something under `key` in every frame from now on; None stops."""
        self._send(p.Watch(key, request, rate, bytes))

    def edit_cells(self, key: str, cells: Any, values: Any, answer: Answer[Any] | None = None) -> None:
        """Write cells (k, axes) of the parameter "<node>.<name>"; answered with the old numbers (k)."""
        self._ask(lambda id: p.EditCells(key, cells, values, id), answer or _ignore)

    def lock_cells(self, key: str, cells: Any, locked: Any, answer: Answer[Any] | None = None) -> None:
        """Lock cells (k, axes) of a parameter, None all, or unlock them; answered with what was locked."""
        self._ask(lambda id: p.LockCells(key, cells, locked, id), answer or _ignore)

    def hurry(self, wanted: bool) -> None:
        """While a hand changes numbers, frames come as fast as they can be painted."""
        self._hurried = wanted

    def edit_input(self, value: str, cells: Any, values: Any, answer: Answer[Any] | None = None) -> None:
        """Show the next step with other inputs at cells (k, axes) of a batch; no cells: with the data."""
        self._ask(lambda id: p.EditInput(value, cells, values, id), answer or _ignore)

    def explain(self, value: str, cell: tuple[int, ...], answer: Answer[p.Explanation]) -> None:
        """How a cell of the step shown came about."""
        self._ask(lambda id: p.Explain(value, cell, id), answer)

    def read(self, value: str, answer: Answer[Any]) -> None:
        """A whole value of the step shown."""
        self._ask(lambda id: p.Read(value, id), answer)

    def predict(self, arrays: Any, keep: tuple[str, ...], answer: Answer[p.Prediction]) -> None:
        """What the network says to (N, C, H, W) or (N, F); `keep` names more values, ("*",) means all."""
        self._ask(lambda id: p.Predict(arrays, keep, id), answer)

    def warp(self, key: str, picture: Any, matrix: Any, border: str, interpolation: str,
             probe: tuple[int, int] | None, answer: Answer[p.Warped]) -> None:
        """Move a picture by an affine map; it is given once, later None names the one held under `key`."""
        self._ask(lambda id: p.WarpPicture(key, picture, matrix, border, interpolation, probe, id), answer)

    def read_warped(self, row: int, column: int, answer: Answer[Any]) -> None:
        """The numbers of one pixel of the picture warped last."""
        self._ask(lambda id: p.ReadWarped(row, column, id), answer)

    def turn(self, picture: Any, degrees: float, times: int, border: str, interpolation: str,
             answer: Answer[p.Turned]) -> None:
        """A picture turned again and again."""
        self._ask(lambda id: p.TurnPicture(picture, degrees, times, border, interpolation, id), answer)

    def augment(self, pictures: Any, rotation: float, scale: float, shift: float, border: str, seed: int,
                answer: Answer[Any]) -> None:
        """Pictures as the layer Augment would change them."""
        self._ask(lambda id: p.AugmentPictures(pictures, rotation, scale, shift, border, seed, id), answer)

    def export(self, answer: Answer[p.ExportData]) -> None:
        """The weights with what a file needs to know about them."""
        self._ask(p.Export, answer)

    def xray(self, key: str, answer: Answer[XRay]) -> None:
        """The update of the parameter "<node>.<name>" in the step shown."""
        self._ask(lambda id: p.XRayOf(key, id), answer)

    def proof(self, node: str, answer: Answer[Proof]) -> None:
        """The step shown as a script for one layer."""
        self._ask(lambda id: p.ProofOf(node, id), answer)

    def write_text(self, text: str, count: int, heat: float, seed: int, answer: Answer[Written]) -> None:
        """What the network writes behind `text`, at the temperature `heat`."""
        self._ask(lambda id: p.WriteText(text, count, heat, seed, id), answer)

    def check_gradient(self, node: str, h: float, news: Callable[[LayerCheck], None],
                       answer: Answer[LayerCheck]) -> int:
        """Check a layer's gradients beside the run; the number of the job. `news` hears how far it is."""
        return self._ask(lambda id: p.CheckGradient(node, (), h, id), answer, news)

    def race(self, watched: tuple[Watched, ...], steps: int, rates: Mapping[str, float],
             news: Callable[[Race], None], answer: Answer[Race]) -> int:
        """Four optimizers from the present weights, beside the run; the number of the job."""
        return self._ask(lambda id: p.RaceOptimizers(watched, steps, dict(rates), id), answer, news)

    def try_augment(self, layer: Augment, epochs: int, seed: int, news: Callable[[Trial], None],
                    answer: Answer[Trial]) -> int:
        """The network trained with and without these ranges, beside the run; the number of the job."""
        return self._ask(lambda id: p.TryAugment(layer, epochs, seed, id), answer, news)

    def cancel_job(self, job: int) -> None:
        """Stop a job; it is answered with what it has."""
        self._send(p.CancelJob(job))

    def checkpoint(self, answer: Callable[[p.RunState | None], None]) -> None:
        """The run at the next step boundary; the last checkpoint if the engine is dead, None without one."""
        self._ask(p.CheckpointNow, lambda run, _: answer(run if run is not None else self._client.newest()))

    def replace_engine(self) -> None:
        """End an engine that hangs; the next one goes on from its checkpoint, on NumPy."""
        self._hung = True
        self._client.kill()

    # ---- state ----------------------------------------------------------------------------------------

    @property
    def last_status(self) -> p.Status:
        """The newest status."""
        return self._client.status

    @property
    def generation(self) -> int:
        """Number of the program asked for last."""
        return self._generation

    @property
    def pid(self) -> int | None:
        """Id of the engine's process."""
        return self._client.pid

    @property
    def ticking(self) -> bool:
        """Whether the clock runs; it stops when nothing is to come."""
        return self._timer.isActive()

    def close(self) -> None:
        """End the engine and free its memory; waits at most some two seconds. Twice does nothing."""
        if not self._closed:
            self._closed = True
            self._timer.stop()
            self._answers.clear()
            self._news.clear()
            self._ear.listen(None)
            self._client.close()

    # ---- the clock ------------------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            self._client.start()
            self._ear.listen(self._client.handle)
        except OSError as error:
            _log.error("the engine cannot be started: %s", error)
            message = Message(N_("The engine cannot be started: {reason}."), {"reason": str(error)})
            QTimer.singleShot(0, self, lambda: self.fault.emit(p.Fault(message, kind="engine")))

    def _send(self, command: p.Command) -> None:
        if self._closed:
            return
        if not self._client.started:
            self._restart()
        self._asked = self._client.send(command)
        if not self._timer.isActive() or self._timer.interval() > TICK_MS:
            self._timer.start(TICK_MS)

    def _ask(self, command: Callable[[int], p.Command], answer: Answer[Any],
             news: Callable[[Any], None] | None = None) -> int:
        self._number += 1
        number = self._number
        self._answers[number] = answer
        if news is not None:
            self._news[number] = news
        self._send(command(number))
        if not self._client.started and self._answers.pop(number, None) is not None:
            answer(None, Message(N_("The engine is not running.")))
        return number

    def _tick(self) -> None:
        try:
            events = self._client.poll()
        except Died as death:
            self._bury(death)
            return
        for event in events:
            self._take(event)
        if self._closed:
            return
        self._listen(bool(events))
        waiting = self._client.waiting
        asleep = not waiting and minimized()
        now = time.monotonic()
        rest = (0.0 if self._hurried else self._thrift.interval) - (now - self._pulled)
        if self._resting():
            self._timer.stop()
        elif not asleep and not waiting and rest <= TICK_MS / 2000:
            self._pulled = now
            self._thrift.pulled(time.thread_time())
            self._found = False
            self._client.pull()
            rest = 0.0
        # until the next request nothing is expected, unless something was asked for
        idle = self._ear.patience if waiting or self._answers or self._finding else rest * 1000
        self._timer.setInterval(ASLEEP_MS if asleep else max(TICK_MS, min(round(idle), REST_MS)))

    def _listen(self, heard: bool) -> None:
        """Tell, once, when the engine has been silent for too long."""
        before = self._silent
        self._silent = 0 if heard or not self._client.waiting else before + self._timer.interval()
        if before < SILENT_MS <= self._silent:
            values = {"seconds": SILENT_MS // 1000, "device": self._client.status.device_name}
            text = N_("The engine has not answered for {seconds} s while {device} computes. It can be "
                      "replaced: the run then goes on from its last checkpoint, on NumPy.")
            self.fault.emit(p.Fault(Message(text, values), kind="silent"))

    def _resting(self) -> bool:
        """Whether nothing more will come before the next command."""
        s = self._client.status
        answered = not (self._answers or self._finding or self._found or self._client.waiting)
        return answered and s.settled and s.serial >= self._asked

    def _take(self, event: p.Event) -> None:
        match event:
            case p.Status():
                self.status.emit(event)
            case p.Frame():
                if event.generation == self._generation:
                    self.frame.emit(event)
            case p.Configured():
                if event.generation == self._generation:
                    self.configured.emit(event)
            case p.Fault():
                if event.generation in (0, self._generation):
                    self.fault.emit(event)
            case p.Reply():
                answer = self._answers.pop(event.id, None)
                self._news.pop(event.id, None)
                if answer is not None:
                    answer(event.payload, event.error)
            case p.JobNews():
                if event.id in self._news:
                    self._news[event.id](event.payload)
            case p.Devices():
                self._finding, self._found = not event.done, event.done
                self.devices.emit(event)
            case p.Progress():
                self.progress.emit(event)
            case p.Chosen():
                if event.generation == self._generation:
                    self.chosen.emit(event)

    # ---- death and return -----------------------------------------------------------------------------

    def _bury(self, death: Died) -> None:
        _log.warning("the engine's process ended: %s", death.message)
        self._ear.listen(None)
        self._finding, self._silent = False, 0
        left, self._answers, self._news = self._answers, {}, {}
        now = time.monotonic()
        self._deaths.append(now)
        often = len(self._deaths) > CRASHES and now - self._deaths[0] < CRASH_SECONDS
        text = N_("{what} It does not stay up; the next command starts it once more.") if often else \
            N_("{what} It goes on from its last checkpoint.")
        self.died.emit(death.message)
        self.fault.emit(p.Fault(Message(text, {"what": death.message}), kind="engine"))
        for answer in left.values():
            answer(None, death.message)
        if often:
            self._timer.stop()
        else:
            self._restart()

    def _restart(self) -> None:
        # whoever dies twice in a row may die of what it is told: then it comes back paused
        recent = [t for t in self._deaths if time.monotonic() - t < CRASH_SECONDS]
        before, why = self._client.status, None
        if before.device != "numpy" and (self._hung or len(recent) > 1):  # once may be chance
            text = N_("the engine hung on {device}") if self._hung else N_("the engine died on {device}")
            why = Message(text, {"device": before.device_name})
        self._hung = False
        try:
            state = self._client.restart(replay=len(recent) < CRASHES, off_device=why)
            self._ear.listen(self._client.handle)
        except OSError as error:
            _log.error("the engine cannot be started again: %s", error)
            self._timer.stop()
            return
        self._asked = self._client.last_serial
        self._timer.start(TICK_MS)
        self.restarted.emit(state)
        if why is not None:
            text = N_("NumPy took over: {reason}. Another device can be chosen at any time.")
            self.fault.emit(p.Fault(Message(text, {"reason": why}), kind="device"))


def minimized() -> bool:
    """Whether every window of the program that is not hidden is minimized."""
    if not isinstance(QGuiApplication.instance(), QGuiApplication):
        return False
    shown = [w for w in QGuiApplication.topLevelWindows() if w.visibility() != QWindow.Visibility.Hidden]
    return bool(shown) and all(w.visibility() == QWindow.Visibility.Minimized for w in shown)


def _ignore(_payload: Any, _error: Message | None) -> None:
    """For commands whose answer nobody needs."""
