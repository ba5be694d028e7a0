"""The other ways a run went, in a `.matrizen` file: entries in project.json, their arrays beside it.

Lines are worth less than the run itself: whatever is wrong with one, it is left out with a warning, or kept
without its weights, and the rest of the file opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.errors import N_, MatrizenError, Message
from engine.project import (
    graph_from_plain,
    graph_to_plain,
    run_from_plain,
    run_to_plain,
    training_to_plain,
)
from engine.project_curves import FOLDER as CURVES
from engine.project_curves import curve_arrays, with_sound_curves
from engine.project_weights import misfits
from engine.run import Checkpoint, KeptLine, Lines
from engine.settings import TrainingSpec

FOLDER = "lines"
PARTS = ("state", "start", CURVES)
VERSION = 1
MOST = 64
"""Lines that are read at most."""
MOST_NUMBER = 10**6
MOST_CHANGES = 5000
"""Of the log of a line the newest: it is read, never replayed."""
Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Mapping[str, Mapping[str, Array]]]
"""Line number as text -> part -> key -> array."""


def lines_to_plain(run: Checkpoint) -> dict[str, Any] | None:
    """What project.json says of the lines; None where the run went one way only."""
    lines = run.lines
    if lines is None:
        return None
    return {
        "version": VERSION,
        "number": lines.number,
        "parent": lines.parent,
        "start": lines.start,
        "others": [_line_to_plain(line) for line in lines.others],
    }


def _line_to_plain(line: KeptLine) -> dict[str, Any]:
    run = replace(line.run, log=line.run.log[-MOST_CHANGES:])
    return {
        "number": line.number,
        "parent": line.parent,
        "start": line.start,
        "graph": graph_to_plain(line.graph),
        "training": training_to_plain(line.training),
        "data_hash": run.data_hash,
        "run": run_to_plain(run),
        "weights": sorted(run.state) if line.whole else None,
        "given": sorted(run.start or {}) if line.whole else [],
    }


def line_arrays(run: Checkpoint) -> dict[str, Mapping[str, Array]]:
    """The arrays of all lines, by folder."""
    found: dict[str, Mapping[str, Array]] = {}
    for line in run.lines.others if run.lines is not None else ():
        state, start = (line.run.state, line.run.start or {}) if line.whole else ({}, {})
        for part, arrays in zip(PARTS, (state, start, curve_arrays(line.run)), strict=True):
            found[f"{FOLDER}/{line.number}/{part}"] = arrays
    return found


def with_sound_lines(run: Checkpoint) -> Checkpoint:
    """The run; without those lines that could not be read again. Saving must not fail for them."""
    if run.lines is None:
        return run
    others = tuple(replace(line, run=with_sound_curves(line.run)) for line in run.lines.others)
    run = replace(run, lines=replace(run.lines, others=others))
    arrays: dict[str, dict[str, Mapping[str, Array]]] = {}
    for folder, content in line_arrays(run).items():
        _, number, part = folder.split("/")
        arrays.setdefault(number, {})[part] = content
    lines, said = lines_from_plain(lines_to_plain(run), arrays, run.step, "")
    return replace(run, lines=lines) if said else run


def lines_from_plain(
    plain: Any, arrays: Arrays, step: int, file: str
) -> tuple[Lines | None, tuple[Message, ...]]:
    """The lines of a run that stands at `step`, and what has to be said about them. Never raises."""
    if plain is None:
        return None, ()
    if isinstance(plain, dict) and _whole(plain.get("version"), VERSION + 1, MOST_NUMBER):
        text = N_("{file}: the other runs were saved by a newer Matrizen and were left out.")
        return None, (Message(text, {"file": file}),)
    if (
        not isinstance(plain, dict)
        or not _whole(plain.get("version"), VERSION, VERSION)
        or not _whole(plain.get("number"), 1, MOST_NUMBER)
        or not _place(plain, step)
        or not isinstance(plain.get("others"), list)
        or len(plain["others"]) > MOST
    ):
        text = N_("{file}: the list of the other runs is damaged; they were left out. This run is whole.")
        return None, (Message(text, {"file": file}),)
    others: list[KeptLine] = []
    said: list[Message] = []
    taken = {plain["number"]}
    for place, entry in enumerate(plain["others"]):
        line, notes = _line_from_plain(entry, arrays, file, taken)
        if line is not None:
            taken.add(line.number)
            others.append(line)
        else:
            values = {"file": file, "n": entry["number"] if _numbered(entry) else place + 1}
            said.append(Message(N_("{file}: run {n} beside this one is damaged and was left out; the rest is "
                                   "whole."), values))
        said += notes
    return Lines(plain["number"], plain.get("parent"), plain["start"], tuple(others)), tuple(said)


def _line_from_plain(
    entry: Any, arrays: Arrays, file: str, taken: set[int]
) -> tuple[KeptLine | None, list[Message]]:
    """A line, or None where something about it is not as it was written; and what else to say."""
    if not _numbered(entry) or entry["number"] in taken:
        return None, []
    number = entry["number"]
    parts = arrays.get(str(number), {})
    try:
        graph, _ = graph_from_plain(entry.get("graph"), file)
        settings = entry.get("training")
        training = TrainingSpec(**{k: v for k, v in settings.items() if k in TrainingSpec.settings()})
        run, said = run_from_plain(entry, parts.get("state", {}), parts.get("start", {}),
                                   parts.get(CURVES, {}), file)
    except (MatrizenError, AttributeError, TypeError):
        return None, []
    if run is None or not _place(entry, run.step):
        return None, []
    line = KeptLine(number, entry.get("parent"), entry["start"], graph, training, run)
    values = {"file": file, "n": number}
    wanted = entry.get("weights")
    there = wanted == sorted(run.state) and entry.get("given") == sorted(run.start or {})
    if there and _sound(line):
        text = N_("{file}: the curve of run {n} beside this one is damaged and was left out; its weights "
                  "are whole.")
        return line, [Message(text, values)] if said else []
    if said:  # nothing to compare, nothing to go on with
        return None, []
    notes = []
    if wanted is not None:
        text = N_("{file}: the weights of run {n} beside this one are damaged and were left out; its curve "
                  "is whole.")
        notes.append(Message(text, values))
    return replace(line, run=run.curve_only(), whole=False), notes


def _sound(line: KeptLine) -> bool:
    """Whether the weights are numbers that fit the network drawn with them."""
    state = line.run.state
    return all(np.isfinite(array).all() for array in state.values()) and not misfits(line.graph, state)


def _numbered(entry: Any) -> bool:
    return isinstance(entry, dict) and _whole(entry.get("number"), 1, MOST_NUMBER)


def _place(plain: Mapping[str, Any], step: int) -> bool:
    """Whether a line says where it left which other."""
    parent = plain.get("parent")
    return (parent is None or _whole(parent, 1, MOST_NUMBER)) and _whole(plain.get("start"), 0, step)


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
