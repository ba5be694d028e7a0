"""A run in motion and at rest: steps in short chunks, steps walked op by op, and which step is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engine.backends.base import Array
from engine.errors import N_, Message
from engine.history import History
from engine.kept_lines import kept_of, take_back
from engine.looking import look_with
from engine.returning import next_change
from engine.run import Lines
from engine.session import protocol as p
from engine.session.evaluating import Evaluator
from engine.session.keeper import Keeper
from engine.session.pace import FRAMES, Pace, Speed
from engine.session.viewer import Viewer
from engine.training import NonFinite, Trainer
from engine.walk import first_update, phase_end, time_end

CHUNK_MS = 12.0
"""Steps between two looks at the commands; with evaluation and frame at most some 20 ms are queued."""
SETTLE_SECONDS = 0.006
"""Of a test that the next step waits for, between two looks at the commands."""
SLOW = 30.0
"""Up to this many steps a second every step is traced while someone watches: there is time."""
MANY = 1_000_000


class Motion:
    """Moves one run on, and knows what the traced plan holds. `report` hears of a step that went wrong."""

    def __init__(self, viewer: Viewer, keeper: Keeper, report: Callable[[NonFinite, Trainer], None],
                 rests: Callable[[Trainer], None], clock: Callable[[], float]) -> None:
        self.trainer: Trainer | None = None
        self.evaluator: Evaluator | None = None
        self.pace, self.speed = Pace(), Speed()
        self.wanted_pace: float | None = p.AUTO_PACE
        self.playing = False
        self.until: int | None = None
        """Step to come to rest at, or None."""
        self.shown: p.Phase | None = None
        """What the traced plan holds; None when it is out of date."""
        self.loss: float | None = None
        self.sample: int | None = None
        """Inside a step walked by samples: the example of the batch that is looked at."""
        self.new_run = True
        """Whether what is adopted next is another run, not the same one with another program."""
        self._program: object = None
        self.extra = 0.0
        """Seconds that the last step took longer because it was traced."""
        self.history = History()
        self.depart: Callable[[Trainer], object] = self.history.fork
        """From an earlier step that is shown again a way of its own begins."""
        self._viewer, self._keeper = viewer, keeper
        self._report, self._rests, self._clock = report, rests, clock

    def adopt(self, trainer: Trainer, lines: Lines | None = None) -> None:
        """From now on this program; `lines` are those of a run that comes from a checkpoint."""
        self._begin_history(trainer)
        take_back(self.history, lines)
        self.trainer, self.evaluator = trainer, Evaluator(trainer)
        self._viewer.refresh()
        self.speed.clear()
        self.set_pace(self.wanted_pace)
        self.changed()

    def _begin_history(self, trainer: Trainer) -> None:
        if self.trainer is None or self.new_run:
            text = N_("The run was opened at this step.")
            self.history.begin(Message(text) if trainer.step else None)
        elif trainer is not self.trainer:
            text = N_("Another device computes since then.")
            self.history.begin_program(Message(text), device=True)
        elif trainer.program is not self._program:
            self.history.begin_program(Message(N_("The network was changed then.")))
        self._program, self.new_run = trainer.program, False

    def lines(self, cap: int) -> Lines | None:
        """The lines of the run as values; their states take at most `cap` bytes."""
        return kept_of(self.history, cap)

    def same_program(self) -> None:
        """What is adopted next was this run's program before: its history holds."""
        self._program = self.trainer.program if self.trainer is not None else None

    def release(self) -> None:
        """Let go of the program."""
        self.stop()
        self.history.close()
        self.trainer = self.evaluator = None

    def set_pace(self, wanted: float | None) -> None:
        """Steps a second; None is full speed; AUTO_PACE lets the data decide."""
        self.wanted_pace = rate = wanted
        if rate == p.AUTO_PACE:
            t = self.trainer
            rate = t.steps_per_epoch * FRAMES if t is not None and t.dataset.kind == "points" else None
        self.pace.rate = rate
        self.pace.start(self._clock())

    def changed(self, weights: bool = True) -> None:
        """Numbers changed otherwise than by a step: what was shown is out of date."""
        self.leave_step()
        self._viewer.touch()
        self._keeper.hurry()
        if weights and self.evaluator is not None:
            self.evaluator.forget()

    def stop_showing(self, t: Trainer) -> None:
        """Something is about to change: an earlier step becomes the beginning of a line of its own."""
        if t.rewound:
            self.depart(t)

    def edited(self, t: Trainer) -> None:
        """The state was changed by hand; no replay would come here."""
        self.changed()
        self.history.keep(t, fixed=True)

    # ---- commands -------------------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """Whether steps are to be run without another command."""
        return self.playing or self.until is not None

    def play(self) -> None:
        self._finish_open_step()
        self.playing, self.until = True, None
        if self.trainer is not None:
            self.trainer.wants_rest = False  # who presses Play wants more
        self.speed.clear()
        self.pace.start(self._clock())
        self._keeper.hurry()

    def rested(self, loss: float | None) -> None:
        """Another step is at hand; `loss` is that of the step before it."""
        self.leave_step()
        self.loss = loss

    def traced_again(self) -> None:
        """The next step on the traced plan, as it was done before."""
        self._traced_step()

    def departed(self) -> None:
        """The lines are others now: what a dead engine would go on from is out of date."""
        self._keeper.hurry()
        self._viewer.touch()

    def arrived(self) -> None:
        """An earlier step is there to be looked at."""
        self._viewer.touch()
        self.speed.clear()

    def stop(self) -> None:
        """Rest at this step boundary."""
        self.playing, self.until = False, None
        self.speed.clear()
        self._keeper.hurry()

    def pause(self) -> None:
        # when someone watches, the step it rests behind is one that can be looked at
        if self.moving and self._viewer.watching and self.shown != "step":
            self._traced_step()
        self.stop()

    def step(self, kind: p.StepKind, t: Trainer) -> None:
        """See `protocol.Step`."""
        self.stop()
        self._viewer.touch()
        if kind in ("op", "time", "phase", "sample"):
            self._walk_on(kind, t)
        elif kind == "epoch":
            self._finish_open_step()
            self.until = t.step - (-(t.dataset.n_train - t.position) // t.capacity)
        elif self.shown == "inside":
            self._finish_open_step()
        else:
            self._traced_step()

    def _walk_on(self, kind: p.StepKind, t: Trainer) -> None:
        """Inside a step: opened if none is, finished behind its last op."""
        if self.shown != "inside":
            self.leave_step()
            self.history.ready(t)
            t.begin_step()
            self.shown = "inside"
        at = t.op_index or 0
        if kind == "sample":
            self.sample = 0 if self.sample is None else self.sample + 1
            done = self.sample >= t.live_n
            goal = len(t.program.ops) if done else max(at, first_update(t.program))
        else:
            self.sample = None
            ends = {"op": lambda _program, i: i + 1, "time": time_end}
            goal = ends.get(kind, phase_end)(t.program, at)
        t.advance(goal)
        if t.op_index == len(t.program.ops):
            self._finish_open_step()

    # ---- the step shown -------------------------------------------------------------------------------

    @property
    def shown_step(self) -> int:
        """Number of the step that the traced plan holds."""
        assert self.trainer is not None
        return self.trainer.step - 1 if self.shown == "step" else self.trainer.step

    def show(self) -> None:
        """See to it that the traced plan holds a step: the last one, or a preview of the next."""
        t = self.trainer
        if self.shown is not None or t is None:
            return
        if self.moving:
            self._traced_step()
        else:
            t.begin_step()
            t.advance(len(t.program.ops))
            self.shown = "preview"

    def look_with(self, value: str, cells: Sequence[Array], values: Array) -> Array:
        """Show the next step with other inputs, uncommitted; the numbers of the data come back."""
        assert self.trainer is not None
        self.stop()
        old = look_with(self.trainer, value, cells, values)
        self.shown = "preview"
        self._viewer.touch()
        return old

    def leave_step(self) -> None:
        """Drop what the traced plan holds; a step walked half-way is not committed."""
        if self.trainer is not None and self.trainer.op_index is not None:
            self.trainer.abandon_step()
        self.shown = self.sample = None

    def _finish_open_step(self) -> None:
        if self.shown == "inside" and self.trainer is not None:
            self._after_traced(self.trainer.finish_step())

    def _traced_step(self) -> None:
        assert self.trainer is not None
        self.leave_step()
        self.history.ready(self.trainer)
        start = time.perf_counter()
        self._after_traced(self.trainer.traced_step())
        self.history.spent(time.perf_counter() - start)
        self._keep_point()

    def _keep_point(self) -> None:
        if self.trainer is not None and self.history.due(self.trainer):
            self.history.keep(self.trainer)

    def _way_known(self, t: Trainer, limit: int) -> int:
        """At most so many steps are those that were done before; where they end, a new line begins."""
        if not t.rewound:
            return limit
        change = next_change(t)
        if change == t.step:
            self.depart(t)
        return limit if change is None or change == t.step else min(limit, change - t.step)

    def _after_traced(self, trouble: NonFinite | None) -> None:
        assert self.trainer is not None
        self._viewer.touch()
        self.shown, self.sample = "step", None
        if trouble is None:
            self.loss = self.trainer.loss
        else:
            self._rest_before(trouble, self.trainer)

    def _rest_before(self, trouble: NonFinite, t: Trainer) -> None:
        """Rest before the step that went wrong; its numbers can be looked at."""
        self.stop()
        self.shown = "preview"
        self._viewer.touch()
        self._report(trouble, t)

    # ---- moving on ------------------------------------------------------------------------------------

    def advance(self, t: Trainer, frame_asked: bool) -> float:
        """The steps of one turn, the last of them traced when it will be looked at; seconds to the next."""
        if not self._settled(t):
            return 0.0
        now = self._clock()
        rate = self.pace.rate if self.playing else None
        due = self.pace.due(now) if rate is not None else None
        limit = MANY if due is None else due
        if self.until is not None:
            limit = min(limit, self.until - t.step)
        if limit <= 0:
            return self.pace.wait()
        limit = self._way_known(t, limit)
        watching = self._viewer.watching
        slow = watching and rate is not None and rate <= SLOW
        frame = watching and frame_asked and self._viewer.due(now, rate is not None)
        last = watching and self.until is not None and limit == self.until - t.step
        before = t.step
        fast = limit - 1 if frame or slow or last else limit
        if fast > 0:
            self._fast_steps(t, fast)
        if self.moving and (frame or slow or (last and self.until == t.step + 1)):
            start = time.thread_time()
            self._traced_step()
            usual = 1.0 / self.speed.rate() if rate is None and self.speed.rate() > 0 else 0.0
            self.extra = max(0.0, time.thread_time() - start - usual)
        self.pace.took(t.step - before)
        self.speed.mark(self._clock(), t.step)
        if self.until is not None and t.step >= self.until:
            self.stop()
        return self.pace.wait() if rate is not None and self.moving else 0.0

    def _settled(self, t: Trainer) -> bool:
        """Whether steps may follow: not while the last epoch is tested, nor when the run should rest."""
        if not t.settle(SETTLE_SECONDS):
            return False
        if t.improved:
            t.improved = False
            if t.watch.best_step == t.step:
                self.history.keep_best(t)
        if t.wants_rest:
            t.wants_rest = False
            self.stop()
            self._viewer.touch()
            self._rests(t)
            return False
        return True

    def _fast_steps(self, t: Trainer, count: int) -> None:
        self.leave_step()
        self.history.ready(t)
        start = time.perf_counter()
        result = t.run(count, CHUNK_MS)
        self.history.spent(time.perf_counter() - start)
        self._keep_point()
        self._viewer.touch()
        if len(result.losses):
            self.loss = float(result.losses[-1])
        if result.stopped is not None:
            self._rest_before(result.stopped, t)
