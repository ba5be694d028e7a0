"""A step walked by phases and by examples: committed at its end only, and the step it would have been."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backends.devices import list_devices
from engine.session import protocol as p
from engine.session import views as v
from engine.values import Phase
from engine.walk import first_update, phase_end
from tests.conftest import RequiredDevices
from tests.engine.session.conftest import CIRCLE, SGD, Inline, dropped_net


def done_at_once(inline: Inline) -> dict[str, np.ndarray]:
    other = Inline().digits()
    other.say(p.Step("batch"))
    state = other.state()
    other.session.close()
    return state


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    for key, array in a.items():
        np.testing.assert_array_equal(b[key], array, err_msg=key)


def test_phase_by_phase(inline: Inline) -> None:
    inline.digits()
    start, ops = inline.state(), inline.trainer.program.ops
    phases = []
    while inline.trainer.step == 0:
        at = inline.trainer.op_index or 0
        phases.append(ops[at].phase)
        same(start, inline.state())
        inline.say(p.Step("phase"))
    assert phases == list(dict.fromkeys(op.phase for op in ops)), "each phase once, in order"
    assert {Phase.FORWARD, Phase.LOSS, Phase.BACKWARD, Phase.UPDATE} <= set(phases)
    same(done_at_once(inline), inline.state())


def test_example_by_example(inline: Inline) -> None:
    """All but the update is there from the first example on; the last one is followed by the update."""
    inline.digits()
    start, t = inline.state(), inline.trainer
    inline.say(p.Watch("dw", v.Matrix("dense1.weight@grad"), 1000.0))
    for sample in range(32):
        inline.say(p.Step("sample"))
        frame, status = inline.pull()
        assert (status.sample, status.step, t.op_index) == (sample, 0, first_update(t.program))
        assert frame is not None and isinstance(frame.views["dw"], v.MatrixData)
        same(start, inline.state())
    inline.say(p.Step("sample"))
    assert t.step == 1 and inline.session.status().sample is None
    same(done_at_once(inline), inline.state())


def test_kinds_of_steps_mix(inline: Inline) -> None:
    inline.digits()
    t = inline.trainer
    inline.say(p.Step("op"), p.Step("op"), p.Step("phase"))
    assert t.op_index == phase_end(t.program, 2)
    inline.say(p.Step("sample"), p.Step("sample"), p.Step("op"))
    assert (t.step, t.op_index) == (0, first_update(t.program) + 1)
    assert inline.session.status().sample is None
    inline.say(p.Step("batch"))
    assert t.step == 1
    same(done_at_once(inline), inline.state())
    inline.say(p.Step("phase"), p.GoTo(1))
    inline.work_until(lambda s: not s.rewinder.seeking)
    assert t.op_index is None and t.step == 1
    same(done_at_once(inline), inline.state())


@pytest.mark.parametrize("kind", ["numpy", "pocl", "intel"])
def test_every_kind_of_step_on_every_device(
    inline: Inline, kind: str, opencl_required: RequiredDevices
) -> None:
    """Nothing of a step is committed before its end, and then it is the step of an undivided run.

    Looked back at, every step is what it was.
    """
    found = [d.id for d in list_devices() if d.id.startswith(kind if kind == "numpy" else f"opencl:{kind}:")]
    if not found:
        opencl_required.missing(kind)
    whole = Inline()
    for each in (inline, whole):
        each.say(p.Configure(dropped_net(), SGD, CIRCLE, 1, found[0]))
    t, seen = inline.trainer, {}
    for steps, name in enumerate(("op", "phase", "sample", "batch"), 1):
        before, times = inline.state(), 0
        while t.step < steps:
            same(before, inline.state())
            inline.say(p.Step(name))
            times += 1
            inline.work_until(lambda s: not s.moving)
        examples = whole.trainer.capacity
        phases = len({op.phase for op in t.program.ops})
        assert times == {"op": len(t.program.ops), "phase": phases, "sample": examples + 1, "batch": 1}[name]
        whole.trainer.run(1)
        same(whole.state(), inline.state())
        seen[steps] = inline.state()
    inline.say(p.Step("epoch"))
    inline.work_until(lambda s: not s.moving)
    while whole.trainer.step < t.step:
        whole.trainer.run(t.step - whole.trainer.step)
    assert t.step == t.steps_per_epoch and t.position == 0
    same(whole.state(), inline.state())
    for step in (3, 1, 4, 2):
        inline.say(p.GoTo(step))
        inline.work_until(lambda s: not s.rewinder.seeking)
        same(seen[step], inline.state())
    inline.say(p.GoTo(t.end))
    inline.work_until(lambda s: not s.rewinder.seeking)
    same(whole.state(), inline.state())
    whole.session.close()
