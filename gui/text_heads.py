"""Tokens by their letters or words: over the positions of a sequence, beside the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.graph import GraphSpec
from engine.session.protocol import Configured
from engine.session.views import BatchData
from gui.panels.docks import ValueDock

SHOWN = 24
"""Tokens of an example that a tip shows, the last ones."""


def words_of(configured: Configured | None, batch: BatchData | None, sample: int) -> tuple[str, ...]:
    """The tokens of an example of the batch, () where the data are no text."""
    names = configured.data.vocabulary if configured is not None else ()
    if not names or batch is None or batch.inputs.ndim != 2 or not len(batch.inputs):
        return ()
    return spoken(names, batch.inputs[min(sample, len(batch.inputs) - 1)])


def spoken(names: Sequence[str], row: np.ndarray[Any, Any]) -> tuple[str, ...]:
    """What tokens stand for."""
    return tuple(names[min(max(int(t), 0), len(names) - 1)] for t in row)


def sentence(words: Sequence[str], after: str) -> str:
    """The end of the window and what is to be learnt of it: ␣handsome → ,"""
    gap = "" if all(len(word) == 1 for word in words) else " "
    return f"{gap.join(words[-SHOWN:])} → {after}"


def name_heads(
    dock: ValueDock, configured: Configured | None, graph: GraphSpec, words: Sequence[str]
) -> None:
    """Give the matrix of a dock its heads: letters over positions, tokens beside the rows of their table.

    An enlarged map of attention has the letters on both sides: rows look at columns.
    """
    target = dock.target
    rows: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    looks: Sequence[str] | None = None
    if target is not None and configured is not None and words:
        kind = graph.node(target.node).layer.kind if graph.has(target.node) else ""
        table = kind == "embedding" and not target.batched
        if table and target.shape[0] == len(configured.data.vocabulary):
            rows = configured.data.vocabulary
        elif target.sequence and target.shape[1] == len(words):
            columns = words
        elif kind == "self_attention" and target.shape[1:3] == (len(words),) * 2:
            looks = words
    dock.numbers.enlarged.set_names(looks, looks)
    dock.numbers.matrix.set_names(rows, columns)
