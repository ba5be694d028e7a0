"""The lines of a run as values, for checkpoints and files, and back."""

from __future__ import annotations

from engine.curves import Curve
from engine.history import History, Line
from engine.run import KeptLine, Lines


def kept_of(history: History, cap: int) -> Lines | None:
    """All lines; the newest with their states, as far as `cap` bytes go. None where there is one only."""
    line, others = history.line, []
    for each in sorted(history.lines, key=lambda each: -each.id):
        if each is line or each.run is None or each.drawn is None:
            continue
        run, whole = each.run, each.whole
        if whole and run.bytes > cap:
            run, whole = run.curve_only(), False
        cap -= run.bytes
        others.append(KeptLine(each.id, each.parent, each.start, *each.drawn, run, whole))
    if line.id == 1 and not others:
        return None
    return Lines(line.id, line.parent, line.start, tuple(reversed(others)))


def take_back(history: History, lines: Lines | None) -> None:
    """A run that begins from a checkpoint goes on with all its lines. Their past is not kept."""
    if lines is None:
        return
    own = history.line
    own.id, own.parent, own.start = lines.number, lines.parent, lines.start
    for each in lines.others:
        curve = Curve()
        if each.run.curve is not None:
            curve.restore(each.run.curve)
        drawn = each.graph, each.training
        line = Line(each.number, each.parent, each.start, run=each.run, drawn=drawn, curve=curve)
        line.whole = each.whole
        history.lines.append(line)
    history.lines.sort(key=lambda line: line.id)
