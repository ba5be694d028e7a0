"""The loop of the engine: commands between steps, steps in short chunks, frames of what is watched.

A `Session` runs in the engine's process or inline (tests, command line): `handle` commands, call `work`
again and again. All answers go through `emit`, which other threads use, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from engine.data.cancel import LoadCanceled
from engine.errors import N_, DeviceError, MatrizenError, Message
from engine.rescue import computes_instead
from engine.session import protocol as p
from engine.session.answers import Answers
from engine.session.building import Builder, facts, set_hot
from engine.session.jobs import Jobs
from engine.session.keeper import LINES, Keeper
from engine.session.motion import CHUNK_MS, Motion
from engine.session.rewinding import Rewinder
from engine.session.standing import standing
from engine.session.viewer import Viewer
from engine.session.warping import Warping
from engine.training import NonFinite, Trainer
from engine.values import Program
from engine.watch import rested

EVALUATION_SECONDS = 0.006
SEEKING_SECONDS = 0.1
"""Between two words about where it is on the way to a step."""
_ABOUT_STEP = (p.Play, p.Pause, p.Step, p.Branch, p.ChooseLine, p.SetTraining, p.EditCells, p.Explain, p.Read,
               p.Configure, p.SetDevice, p.Predict, p.LockCells)
"""Commands about the step that was wished for, not one on the way to it."""


class Session:
    """One network, its run, and what is watched of it. `canceled` says whether loading should stop."""

    def __init__(self, emit: Callable[[p.Event], None], *, clock: Callable[[], float] = time.monotonic,
                 canceled: Callable[[], bool] = lambda: False) -> None:
        self.emit, self.clock = emit, clock
        self.generation = self.serial = 0
        self.closed = False
        self.viewer, self.keeper = Viewer(), Keeper(emit)
        self.builder = Builder(canceled, self._progress)
        self.motion = Motion(self.viewer, self.keeper, self._report, self._rests_early, clock)
        self.jobs = Jobs(emit, clock)
        self._answers = Answers(emit, self.motion, self.builder, self.run_state, self.jobs)
        self._warping = Warping(emit, self.builder.backend)
        self.rewinder = Rewinder(self.motion, self.motion.history, clock)
        self._runs, self._told = 0, 0.0
        self._pull = self._stepped = False
        """Steps take turns with frames and evaluation."""

    @property
    def trainer(self) -> Trainer | None:
        """The run, once there is a network that can run."""
        return self.motion.trainer

    @property
    def moving(self) -> bool:
        """Whether steps are to be run without another command."""
        return self.motion.moving

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
        except LoadCanceled as error:
            self.keeper.hurry()  # so that no dead engine is told it again
            self.emit(p.Fault(error.message, kind="canceled", generation=self.generation))
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
        if self.trainer is not None and isinstance(command, _ABOUT_STEP):
            self.rewinder.finish(self.trainer)
        match command:
            case p.Configure():
                self._configure(command)
            case p.Watch():
                self.viewer.watch(command)
            case p.Pull():
                self._pull = True
            case p.SetPace():
                self.motion.set_pace(command.pace)
                self.keeper.hurry()
            case p.FindDevices():
                self._answers.find_devices(command.fresh)
            case p.UseSlots():
                if command.slots != ("", ""):
                    self.keeper.use(command.slots)
            case p.SetDevice():
                self._set_device(command.device)
            case p.SetHistory():
                self.motion.history.set_cap(command.cap)
                self.viewer.touch()
            case p.Shutdown():
                self.close()
            case p.CancelJob():
                self.jobs.cancel(command.job)
            case p.WarpPicture() | p.ReadWarped() | p.TurnPicture() | p.AugmentPictures():
                self._warping.answer(command)
            case p.CancelLoading():
                pass  # too late: while something is loaded, `canceled` sees it
            case p.Pause() | p.Reset() | p.SetTraining() if self.trainer is None:
                pass
            case _ if self.trainer is None:
                self._fail(command, Message(N_("There is no network that can run yet.")))
            case p.Play():
                self.rewinder.resume(self.trainer)
                self.motion.play()
            case p.Pause():
                self.motion.pause()
                self.emit(replace(self.status(), answer=False))  # at once: the last frame may take a moment
            case p.Step():
                self.rewinder.resume(self.trainer)
                self.motion.step(command.kind, self.trainer)
            case p.GoTo() | p.Branch() | p.ChooseLine() | p.RemoveLine():
                self._rewind(command, self.trainer)
            case p.Reset():
                self._reset(self.trainer)
            case p.SetTraining():
                self.rewinder.depart(self.trainer)
                set_hot(self.trainer, command)
                self.keeper.hurry()
                if self.motion.shown in ("preview", "inside"):
                    self.motion.changed(weights=False)
            case _:
                before = self.trainer.program
                self._answers.answer(command, self.trainer)
                self._go_on(self.trainer, before)

    def _rewind(self, command: p.GoTo | p.Branch | p.ChooseLine | p.RemoveLine, t: Trainer) -> None:
        match command:
            case p.GoTo():
                self.rewinder.go(command.step, t)
            case p.Branch():
                self.rewinder.branch(t)
            case p.RemoveLine():
                self.motion.history.remove(command.line)
                self.motion.departed()
            case p.ChooseLine():
                before = t.program
                if self.rewinder.choose(command.line, t):
                    self._go_on(t, before)
                    self.emit(self.builder.chosen(command.line, t, self.generation))

    def _go_on(self, t: Trainer, before: Program) -> None:
        """The same run, perhaps with another program than before; what is known of its past holds."""
        if t.program is not before:
            self.motion.same_program()
            self._adopt(t)

    def _reset(self, t: Trainer) -> None:
        self.motion.stop()
        self.motion.leave_step()
        self.rewinder.cancel()
        t.reset()
        self._runs += 1
        self.motion.history.begin()
        self.builder.rescue.keep(t)
        self.motion.loss = None
        self.motion.changed()

    # ---- the program ----------------------------------------------------------------------------------

    def _configure(self, c: p.Configure) -> None:
        if c.generation < self.generation:
            return
        self.motion.leave_step()
        before = self.trainer
        self.generation = c.generation  # when it is refused, the program before goes on under this number
        trouble: DeviceError | None = None
        if self._drawn_already(c):
            assert before is not None
            self.viewer.refresh()
            self.emit(facts(before, self.generation))
            return
        if before is not None and not c.fresh and c.resume is None:
            self.rewinder.depart(before)
        try:
            trainer = self.builder.build(c, before)
        except DeviceError as error:
            if self.builder.device == "numpy" and c.device in ("", "numpy"):
                raise
            wanted = self.builder.device_name if c.device in ("", self.builder.device) else c.device
            if before is not None and self.builder.device != "numpy" and not c.fresh and c.resume is None:
                # at once: should NumPy refuse it, too, the run must not stand on a device that was left
                before = self.builder.leave_device(before)
                self.motion.adopt(before)
            trainer, trouble = self.builder.build_on_numpy(c, before, wanted), error
        if c.fresh or c.resume is not None or before is None:
            self._runs += 1
            self.motion.new_run = True
        if before is not trainer or c.fresh:
            self.motion.stop()
            self.motion.loss = trainer.curve.last
        if isinstance(c.resume, p.RunState):
            self.motion.wanted_pace, self.motion.playing = c.resume.pace, c.resume.playing
            self.motion.until = c.resume.until
        self._adopt(trainer, c)
        if trouble is not None:
            self.emit(p.Fault(computes_instead(trouble.message), kind="device", generation=self.generation))

    def _drawn_already(self, c: p.Configure) -> bool:
        """Whether it is what runs, down to the last setting: a chosen line comes back from the window so."""
        t, b = self.trainer, self.builder
        return (
            t is not None
            and not c.fresh
            and c.resume is None
            and c.device in ("", b.device)
            and (t.graph, t.training, b.source, b.base) == (c.graph, c.training, c.source, c.base)
        )

    def _set_device(self, device: str) -> None:
        if self.trainer is None:
            self.builder.choose(device)
            return
        self.motion.leave_step()
        moved = self.builder.move(self.trainer, device)
        if moved is not self.trainer:
            self._adopt(moved)

    def _take_over(self, error: DeviceError) -> None:
        """The device failed: on NumPy, and said so. Raises the error again where NumPy failed itself."""
        if self.trainer is None or self.builder.device == "numpy":
            raise error
        self.motion.shown = None
        self.rewinder.cancel()
        trainer, text = self.builder.take_over(self.trainer, error.message)
        self._adopt(trainer)
        self.emit(p.Fault(text, kind="device", generation=self.generation))

    def _alive(self) -> bool:
        """Whether the device in use still answers."""
        try:
            if self.trainer is not None:
                self.trainer.store.finite()
        except DeviceError:
            return False
        return True

    def _adopt(self, trainer: Trainer, c: p.Configure | None = None) -> None:
        self.motion.adopt(trainer, c.lines if c is not None else None)
        self.emit(facts(trainer, self.generation))

    def _progress(self, done: int, total: int) -> None:
        if self.clock() - self._told > 0.1:
            self._told = self.clock()
            self.emit(p.Progress(self.generation, done, total))

    def _report(self, trouble: NonFinite, t: Trainer) -> None:
        self.emit(p.Fault(trouble.message(t.graph), trouble.node, "non_finite", trouble.op, trouble.value,
                          trouble.cell, self.generation))

    def _rests_early(self, t: Trainer) -> None:
        self.emit(p.Fault(rested(t.watch, t.training), kind="early", generation=self.generation,
                          step=t.watch.best_step))

    def rest(self) -> None:
        """Stop moving, wherever it is: something went wrong."""
        self.motion.stop()
        self.rewinder.cancel()
        self.motion.leave_step()
        if self._pull:
            self._pull = False
            self.emit(self.status())

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
            return 0.0 if self.jobs.work() else None
        if self.rewinder.seeking:
            return self._seek(t)
        if self.jobs.due(self.clock(), self.moving):
            self.jobs.work()
        if not self.moving:
            wait = 0.0 if self.jobs.busy else self._settle(t)
            if self._pull:
                self._answer(t)
            return wait
        now = self.clock()
        if self._pull and self._stepped and self._answer(t):
            self._stepped = False
            return 0.0
        evaluator = self.motion.evaluator
        if evaluator is not None and self._stepped and evaluator.due(now, moving=True):
            self._stepped = False
            evaluator.work(now, EVALUATION_SECONDS, moving=True)
            return 0.0
        if self.keeper.due(now, t.step):
            self._save(t, now)
            return 0.0
        self._stepped = True
        return self.motion.advance(t, self._pull)

    def _seek(self, t: Trainer) -> float:
        """On the way to an earlier step. Every step that is reached is shown before the next is sought."""
        if self.rewinder.work(t):
            if self._pull:
                self._answer(t)
        elif self._pull and self.clock() - self._told > SEEKING_SECONDS:
            self._told = self.clock()
            self.emit(replace(self.status(), answer=False))
        return 0.0

    def _settle(self, t: Trainer) -> float | None:
        """At rest: finish what is pending, piece by piece."""
        now = self.clock()
        if self._evaluates(now):
            assert self.motion.evaluator is not None
            if self.motion.evaluator.work(now, CHUNK_MS / 1000, moving=False):
                self.viewer.touch()
            return 0.0
        if self.keeper.pending(t.step):
            if not self.keeper.due(now, t.step, moving=False):
                return 0.05
            self._save(t, now)
        return None

    def _evaluates(self, now: float) -> bool:
        """At rest: whether the test set waits. Not while a step is walked: its numbers stay as they are."""
        e = self.motion.evaluator
        return self.motion.shown != "inside" and e is not None and e.due(now, moving=False)

    def _save(self, t: Trainer, now: float) -> None:
        state = self.run_state()
        self.builder.rescue.keep(t, state.checkpoint)
        self.keeper.save(state, now)

    def run_state(self, lines: int = LINES) -> p.RunState:
        """The run at this step boundary, never changed later; states of other lines take `lines` bytes."""
        t, m, b = self.trainer, self.motion, self.builder
        assert t is not None
        return p.RunState(
            self.generation, self.serial, t.graph, t.training, b.source, t.checkpoint(m.lines(lines)),
            m.playing, m.until, b.base, m.wanted_pace, b.device,
        )  # fmt: skip

    # ---- answering a pull -----------------------------------------------------------------------------

    def _answer(self, t: Trainer | None) -> bool:
        """One frame, if there is something new, then the status. False: with the next step."""
        now, pace = self.clock(), self.motion.pace
        if t is not None and self.viewer.news():
            if not self.moving:
                if self.viewer.needs_values():
                    self.motion.show()
                self._frame(t, now)
            elif self.viewer.due(now, pace.rate is not None):
                if self.motion.shown == "step" or not self.viewer.needs_values():
                    self._frame(t, now)
                elif self.viewer.watching and pace.wait() < 0.1:
                    return False
        self._pull = False
        self.emit(self.status())
        return True

    def _frame(self, t: Trainer, now: float) -> None:
        m = self.motion
        step = m.shown_step if m.shown is not None else max(0, t.step - 1)
        made = self.viewer.frame(t, self.generation, step, m.shown or "step", now, m.moving, m.history)
        self.viewer.spent(m.extra if m.moving else 0.0)
        if made.views:
            self.emit(replace(made, sample=m.sample) if m.sample is not None else made)

    def status(self) -> p.Status:
        """Where the run stands."""
        t, m, b = self.trainer, self.motion, self.builder
        if t is None:
            return p.Status(self.generation, device=b.device, device_name=b.device_name, reason=b.reason,
                            serial=self.serial, settled=True)
        settled = not (m.moving or self.rewinder.seeking or self.viewer.news()
                       or self._evaluates(self.clock()))
        found = standing(t, m, b)
        return replace(found, generation=self.generation, run=self._runs, seeking=self.rewinder.seeking,
                       serial=self.serial, settled=settled)

    # ---- the end --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of device and segments. Twice does nothing."""
        if not self.closed:
            self.closed = True
            self.jobs.drop()
            self.motion.release()
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
