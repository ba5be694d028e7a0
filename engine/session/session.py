"""The loop of the engine: commands between steps, steps in short chunks, frames of what is watched.

A `Session` runs in the engine's process or inline (tests, command line): `handle` commands, call `work`
again and again. All answers go through `emit`, which other threads use, too.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import replace

from engine.errors import N_, DeviceError, MatrizenError, Message
from engine.rescue import computes_instead
from engine.session import protocol as p
from engine.session.answers import Answers
from engine.session.building import Builder, facts, set_hot
from engine.session.evaluating import Evaluator
from engine.session.keeper import Keeper
from engine.session.pace import FRAMES, Pace, Speed
from engine.session.viewer import Viewer
from engine.training import NonFinite, Trainer

CHUNK_MS = 12.0
"""Steps between two looks at the commands; with evaluation and frame at most some 20 ms are queued."""
EVALUATION_SECONDS = 0.006
SLOW = 30.0
"""Up to this many steps a second every step is traced while someone watches: there is time."""
MANY = 1_000_000


class Session:
    """One network, its run, and what is watched of it. `canceled` says whether loading should stop."""

    def __init__(self, emit: Callable[[p.Event], None], *, clock: Callable[[], float] = time.monotonic,
                 canceled: Callable[[], bool] = lambda: False) -> None:
        self.emit, self.clock = emit, clock
        self.trainer: Trainer | None = None
        self.generation = self.serial = 0
        self.closed = False
        self.viewer, self.keeper = Viewer(), Keeper(emit)
        self.builder = Builder(canceled, self._progress)
        self.pace, self.speed = Pace(), Speed()
        self._answers = Answers(self)
        self._evaluator: Evaluator | None = None
        self._wanted_pace: float | None = p.AUTO_PACE
        self._playing = self._pull = False
        self._until: int | None = None
        self._shown: p.Phase | None = None
        """What the traced plan holds; None when it is out of date."""
        self._loss: float | None = None
        self._extra = self._told = 0.0
        self._stepped = False
        """Steps take turns with frames and evaluation."""

    # ---- commands -------------------------------------------------------------------------------------

    def handle(self, command: p.Command, serial: int | None = None) -> None:
        """Act on one command. Whatever goes wrong becomes a `Fault` or an error `Reply`."""
        try:
            try:
                self._act(command)
            except DeviceError as error:
                if isinstance(command, p.SetDevice) and self._alive():
                    raise
                self._take_over(error)
                self._act(command)
        except MatrizenError as error:
            self._fail(command, error.message)
        except MemoryError:
            self._fail(command, Message(N_("Not enough memory for this; the network stays as it was.")))
        finally:
            self.serial = self.serial if serial is None else serial

    def _fail(self, command: p.Command, message: Message) -> None:
        number = getattr(command, "id", 0)
        if number:
            self.emit(p.Reply(number, None, message))
            return
        kind = {"Configure": "configure", "SetDevice": "device"}.get(type(command).__name__, "command")
        self.emit(p.Fault(message, kind=kind, generation=getattr(command, "generation", self.generation)))

    def _act(self, command: p.Command) -> None:
        match command:
            case p.Configure():
                self._configure(command)
            case p.Watch():
                self.viewer.watch(command)
            case p.Pull():
                self._pull = True
            case p.SetPace():
                self._wanted_pace = command.pace
                self._apply_pace()
                self.keeper.hurry()
            case p.FindDevices():
                self._answers.find_devices(command.fresh)
            case p.UseSlots():
                if command.slots != ("", ""):
                    self.keeper.use(command.slots)
            case p.SetDevice():
                self._set_device(command.device)
            case p.Shutdown():
                self.close()
            case p.Pause() | p.Reset() | p.SetTraining() if self.trainer is None:
                pass
            case _ if self.trainer is None:
                self._fail(command, Message(N_("There is no network that can run yet.")))
            case p.Play():
                self._play()
            case p.Pause():
                self._pause()
                self.emit(replace(self.status(), answer=False))  # at once: the last frame may take a moment
            case p.Step():
                self._step(command.kind, self.trainer)
            case p.Reset():
                self._stop()
                self._leave_step()
                self.trainer.reset()
                self.builder.rescue.keep(self.trainer)
                self._loss = None
                self.changed()
            case p.SetTraining():
                set_hot(self.trainer, command)
                self.keeper.hurry()
                if self._shown in ("preview", "inside"):
                    self.changed(weights=False)
            case _:
                self._answers.answer(command, self.trainer)

    # ---- the program ----------------------------------------------------------------------------------

    def _configure(self, c: p.Configure) -> None:
        if c.generation < self.generation:
            return
        self._leave_step()
        before = self.trainer
        self.generation = c.generation  # when it is refused, the program before goes on under this number
        trouble: DeviceError | None = None
        try:
            self.trainer = self.builder.build(c, before)
        except DeviceError as error:
            if self.builder.device == "numpy" and c.device in ("", "numpy"):
                raise
            self.trainer, trouble = self.builder.build_on_numpy(c, before), error
        if before is not self.trainer or c.fresh:
            self._stop()
            self._loss = None
        if isinstance(c.resume, p.RunState):
            self._wanted_pace, self._playing = c.resume.pace, c.resume.playing
            self._until = c.resume.until
        self._rebuilt()
        if trouble is not None:
            self.emit(p.Fault(computes_instead(trouble.message), kind="device", generation=self.generation))

    def _set_device(self, device: str) -> None:
        if self.trainer is None:
            self.builder.choose(device)
            return
        self._leave_step()
        moved = self.builder.move(self.trainer, device)
        if moved is not self.trainer:
            self.trainer = moved
            self._rebuilt()

    def _take_over(self, error: DeviceError) -> None:
        """The device failed: on NumPy, and said so. Raises the error again where NumPy failed itself."""
        if self.trainer is None or self.builder.device == "numpy":
            raise error
        self._shown = None
        self.trainer, text = self.builder.take_over(self.trainer, error.message)
        self._rebuilt()
        self.emit(p.Fault(text, kind="device", generation=self.generation))

    def _alive(self) -> bool:
        """Whether the device in use still answers."""
        try:
            if self.trainer is not None:
                self.trainer.store.finite()
        except DeviceError:
            return False
        return True

    def _rebuilt(self) -> None:
        assert self.trainer is not None
        self._evaluator = Evaluator(self.trainer)
        self.viewer.refresh()
        self.speed.clear()
        self._apply_pace()
        self.changed()
        self.emit(facts(self.trainer, self.generation))

    def _progress(self, done: int, total: int) -> None:
        if self.clock() - self._told > 0.1:
            self._told = self.clock()
            self.emit(p.Progress(self.generation, done, total))

    def _apply_pace(self) -> None:
        rate = self._wanted_pace
        if rate == p.AUTO_PACE:
            t = self.trainer
            rate = t.steps_per_epoch * FRAMES if t is not None and t.dataset.kind == "points" else None
        self.pace.rate = rate
        self.pace.start(self.clock())

    def changed(self, weights: bool = True) -> None:
        """Numbers changed otherwise than by a step: what was shown is out of date."""
        self._leave_step()
        self.viewer.touch()
        self.keeper.hurry()
        if weights and self._evaluator is not None:
            self._evaluator.forget()

    # ---- moving and resting ---------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """Whether steps are to be run without another command."""
        return self._playing or self._until is not None

    @property
    def shown_step(self) -> int:
        """Number of the step that the traced plan holds."""
        assert self.trainer is not None
        return self.trainer.step - 1 if self._shown == "step" else self.trainer.step

    def _play(self) -> None:
        self._finish_open_step()
        self._playing, self._until = True, None
        self.speed.clear()
        self.pace.start(self.clock())
        self.keeper.hurry()

    def rest(self) -> None:
        """Stop moving, wherever it is: something went wrong."""
        self._stop()
        self._leave_step()
        if self._pull:
            self._pull = False
            self.emit(self.status())

    def _stop(self) -> None:
        self._playing, self._until = False, None
        self.speed.clear()
        self.keeper.hurry()

    def _pause(self) -> None:
        # when someone watches, the step it rests behind is one that can be looked at
        if self.moving and self.viewer.watching and self._shown != "step":
            self._traced_step()
        self._stop()

    def _step(self, kind: p.StepKind, t: Trainer) -> None:
        self._stop()
        self.viewer.touch()
        if kind == "op":
            if self._shown != "inside":
                self._leave_step()
                t.begin_step()
                self._shown = "inside"
            t.advance((t.op_index or 0) + 1)
            if t.op_index == len(t.program.ops):
                self._finish_open_step()
        elif kind == "epoch":
            self._finish_open_step()
            self._until = t.step - (-(t.dataset.n_train - t.position) // t.capacity)
        elif self._shown == "inside":
            self._finish_open_step()
        else:
            self._traced_step()

    def _finish_open_step(self) -> None:
        if self._shown == "inside" and self.trainer is not None:
            self._after_traced(self.trainer.finish_step())

    def _leave_step(self) -> None:
        """Drop what the traced plan holds; a step walked half-way is not committed."""
        if self.trainer is not None and self.trainer.op_index is not None:
            self.trainer.abandon_step()
        self._shown = None

    def _traced_step(self) -> None:
        assert self.trainer is not None
        self._leave_step()
        self._after_traced(self.trainer.traced_step())

    def _after_traced(self, trouble: NonFinite | None) -> None:
        assert self.trainer is not None
        self.viewer.touch()
        self._shown = "step"
        if trouble is None:
            self._loss = self.trainer.loss
        else:
            self._report(trouble, self.trainer)

    def _report(self, trouble: NonFinite, t: Trainer) -> None:
        """Rest before the step that went wrong; its numbers can be looked at."""
        self._stop()
        self._shown = "preview"
        self.viewer.touch()
        self.emit(p.Fault(trouble.message(t.graph), trouble.node, "non_finite", trouble.op, trouble.value,
                          trouble.cell, self.generation))

    def show(self) -> None:
        """See to it that the traced plan holds a step: the last one, or a preview of the next."""
        t = self.trainer
        if self._shown is not None or t is None:
            return
        if self.moving:
            self._traced_step()
        else:
            t.begin_step()
            t.advance(len(t.program.ops))
            self._shown = "preview"

    # ---- one turn of the loop -------------------------------------------------------------------------

    def work(self) -> float | None:
        """One short piece of work; seconds until the next is due, None when only a command can bring it."""
        try:
            try:
                return self._turn()
            except DeviceError as error:
                self._take_over(error)
                return 0.0
        except MatrizenError as error:
            self.rest()
            self.emit(p.Fault(error.message, kind="internal", generation=self.generation))
            return 0.0

    def _turn(self) -> float | None:
        # one kind of work a turn, so that a command never waits for all of them
        t = self.trainer
        if t is None:
            if self._pull:
                self._answer(None)
            return None
        if not self.moving:
            wait = self._settle(t)
            if self._pull:
                self._answer(t)
            return wait
        now = self.clock()
        if self._pull and self._stepped and self._answer(t):
            self._stepped = False
            return 0.0
        if self._evaluator is not None and self._stepped and self._evaluator.due(now, moving=True):
            self._stepped = False
            self._evaluator.work(now, EVALUATION_SECONDS, moving=True)
            return 0.0
        if self.keeper.due(now, t.step):
            self._save(t, now)
            return 0.0
        self._stepped = True
        return self._advance(t)

    def _advance(self, t: Trainer) -> float:
        now = self.clock()
        rate = self.pace.rate if self._playing else None
        due = self.pace.due(now) if rate is not None else None
        limit = MANY if due is None else due
        if self._until is not None:
            limit = min(limit, self._until - t.step)
        if limit <= 0:
            return self.pace.wait()
        watching = self.viewer.watching
        slow = watching and rate is not None and rate <= SLOW
        frame = watching and self._pull and self.viewer.due(now, rate is not None)
        last = watching and self._until is not None and limit == self._until - t.step
        before = t.step
        fast = limit - 1 if frame or slow or last else limit
        if fast > 0:
            self._fast_steps(t, fast)
        if self.moving and (frame or slow or (last and self._until == t.step + 1)):
            start = time.thread_time()
            self._traced_step()
            usual = 1.0 / self.speed.rate() if rate is None and self.speed.rate() > 0 else 0.0
            self._extra = max(0.0, time.thread_time() - start - usual)
        self.pace.took(t.step - before)
        self.speed.mark(self.clock(), t.step)
        if self._until is not None and t.step >= self._until:
            self._stop()
        return self.pace.wait() if rate is not None and self.moving else 0.0

    def _fast_steps(self, t: Trainer, count: int) -> None:
        self._leave_step()
        result = t.run(count, CHUNK_MS)
        self.viewer.touch()
        if len(result.losses):
            self._loss = float(result.losses[-1])
        if result.stopped is not None:
            self._report(result.stopped, t)

    def _settle(self, t: Trainer) -> float | None:
        """At rest: finish what is pending, piece by piece."""
        now = self.clock()
        if self._evaluates(now):
            assert self._evaluator is not None
            if self._evaluator.work(now, CHUNK_MS / 1000, moving=False):
                self.viewer.touch()
            return 0.0
        if self.keeper.pending(t.step):
            if not self.keeper.due(now, t.step, moving=False):
                return 0.05
            self._save(t, now)
        return None

    def _evaluates(self, now: float) -> bool:
        """At rest: whether the test set waits. Not while a step is walked: its numbers stay as they are."""
        e = self._evaluator
        return self._shown != "inside" and e is not None and e.due(now, moving=False)

    def _save(self, t: Trainer, now: float) -> None:
        state = self.run_state()
        self.builder.rescue.keep(t, state.checkpoint)
        self.keeper.save(state, now)

    def run_state(self, own: bool = False) -> p.RunState:
        """The run at this step boundary. `own`: nothing in it is changed by later steps."""
        t, b = self.trainer, self.builder
        assert t is not None
        curve = pickle.loads(pickle.dumps(t.curve)) if own else t.curve
        return p.RunState(
            self.generation, self.serial, t.graph, t.training, b.source, t.checkpoint(), curve,
            tuple(t.tests), self._playing, self._until, b.base, self._wanted_pace, b.device,
        )  # fmt: skip

    # ---- answering a pull -----------------------------------------------------------------------------

    def _answer(self, t: Trainer | None) -> bool:
        """One frame, if there is something new, then the status. False: with the next step."""
        now = self.clock()
        if t is not None and self.viewer.news():
            if not self.moving:
                if self.viewer.needs_values():
                    self.show()
                self._frame(t, now)
            elif self.viewer.due(now, self.pace.rate is not None):
                if self._shown == "step" or not self.viewer.needs_values():
                    self._frame(t, now)
                elif self.viewer.watching and self.pace.wait() < 0.1:
                    return False
        self._pull = False
        self.emit(self.status())
        return True

    def _frame(self, t: Trainer, now: float) -> None:
        step = self.shown_step if self._shown is not None else max(0, t.step - 1)
        made = self.viewer.frame(t, self.generation, step, self._shown or "step", now, self.moving)
        self.viewer.spent(self._extra if self.moving else 0.0)
        if made.views:
            self.emit(made)

    def status(self) -> p.Status:
        """Where the run stands."""
        t, b = self.trainer, self.builder
        if t is None:
            return p.Status(self.generation, device=b.device, device_name=b.device_name, reason=b.reason,
                            serial=self.serial, settled=True)
        test = t.tests[-1] if t.tests else None
        inside = self._shown == "inside"
        return p.Status(
            generation=self.generation,
            running="playing" if self._playing else "stepping" if self.moving or inside else "paused",
            step=t.step,
            epoch=t.progress,
            steps_per_epoch=t.steps_per_epoch,
            steps_per_second=self.speed.rate(),
            pace=self.pace.rate,
            loss=self._loss,
            test_loss=test.loss if test else None,
            test_accuracy=test.accuracy if test else None,
            test_step=test.step if test else None,
            device=b.device,
            device_name=b.device_name,
            reason=b.reason,
            memory_bytes=t.bytes,
            parameters=t.facts.parameter_count,
            op=t.op_index if inside else None,
            serial=self.serial,
            settled=not (self.moving or self.viewer.news() or self._evaluates(self.clock())),
        )

    # ---- the end --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of device and segments. Twice does nothing."""
        if not self.closed:
            self.closed = True
            self._stop()
            self.trainer = self._evaluator = None
            self.keeper.close()
            self.builder.close()

    def run_until_settled(self, seconds: float = 60.0) -> None:
        """Inline use: work until only a command could bring more, at most `seconds` long."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            wait = self.work()
            if wait is None:
                return
            time.sleep(min(wait, 0.05))
