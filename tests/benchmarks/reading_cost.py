"""What watching costs the engine: the load's session inline, on a clock that only runs while it computes.

Shares of all time: `read` (numbers leave the device), `reduce` (they are made as small as they are shown) and
`traced` (what a step that keeps every value takes longer than a fast one). Printed as a JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from engine.session import protocol as p
from engine.session import reduce
from engine.session import views as v
from engine.session.session import Session
from engine.values import state_id
from tests.benchmarks import window_load as load

RATE = 15.0


def watch(session: Session) -> None:
    """All that the window watches of the load."""
    graph = load.network()
    linear = ("dense", "conv2d")
    nodes: list[tuple[str, v.ThumbRole]] = [
        (n.uid, "weights" if n.layer.kind in linear else "activations") for n in graph.nodes
    ]
    wide, maps = graph.by_name(load.WIDE).uid, graph.by_name(load.MAPS).uid
    wishes: dict[str, v.View] = {
        "canvas.thumbs": v.Thumbs(tuple(nodes)),
        "weights": v.Matrix(state_id(wide, "weight"), max_rows=512, max_cols=784),
        "activations": v.Maps(f"{maps}.z"),
        "gradients": v.Maps(f"{maps}.z@grad"),
        "histogram": v.Histogram(state_id(wide, "weight")),
        "curves": v.Curves(),
    }
    for key, request in wishes.items():
        session.handle(p.Watch(key, request, RATE))


def measure(device: str, seconds: float) -> dict[str, Any]:
    """Train watched for `seconds` of the engine's own time."""
    clock: Callable[[], float] = time.thread_time if device == "numpy" else time.perf_counter
    spent: dict[str, float] = defaultdict(float)
    calls: dict[str, int] = defaultdict(int)
    frames: list[p.Frame] = []
    session = Session(lambda e: frames.append(e) if isinstance(e, p.Frame) else None, clock=clock)
    session.handle(p.Configure(load.network(), load.TRAINING, load.SOURCE, 1, device))
    trainer = session.trainer
    assert trainer is not None

    def timed(owner: Any, name: str, key: str) -> None:
        method = getattr(owner, name)

        def run(*args: Any, **more: Any) -> Any:
            start = clock()
            try:
                return method(*args, **more)
            finally:
                spent[key] += clock() - start
                calls[key] += 1

        setattr(owner, name, run)

    session.handle(p.SetPace(None))
    session.handle(p.Play())
    end = clock() + 1.0
    while clock() < end:  # warm
        session.work()
    timed(trainer, "run", "fast")
    before, end = trainer.step, clock() + seconds / 4
    while clock() < end:
        session.work()
    fast_step = spent["fast"] / max(1, trainer.step - before)
    watch(session)
    for name, key in (("read", "read"), ("traced_step", "traced")):
        timed(trainer, name, key)
    timed(session.viewer, "frame", "frame")
    frames.clear()
    spent.clear()
    start, pulled, before = clock(), -1.0, trainer.step
    while clock() - start < seconds:
        if clock() - pulled >= 1.0 / RATE:
            pulled = clock()
            session.handle(p.Pull())
        session.work()
    total = clock() - start
    extra = max(0.0, spent["traced"] - calls["traced"] * fast_step)
    out = {
        "device": session.builder.device_name,
        "clock": clock.__name__,
        "frames_per_s": len(frames) / total,
        "bytes_per_frame": sum(reduce.nbytes(dict(f.views)) for f in frames) / max(1, len(frames)),
        "fast_step_ms": fast_step * 1e3,
        "share_read": spent["read"] / total,
        "share_reduce": (spent["frame"] - spent["read"]) / total,
        "share_traced": extra / total,
        "speed": (trainer.step - before) * fast_step / total,
    }
    session.close()
    return out


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))))
