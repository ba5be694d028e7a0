"""Labels as people save them (numbers from anywhere, words, one-hot rows) made class numbers 0..k-1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.data.dataset import Array
from engine.errors import N_, DataError, Message

MAX_CLASSES = 1000  # more distinct whole numbers than this are taken as targets of a regression


def looks_like_classes(y: Array) -> bool:
    """Whether `y` names classes: words, one-hot rows, or whole numbers with few distinct values."""
    if y.dtype.kind in "US":
        return True
    if y.ndim == 2:
        return y.shape[1] > 1 and is_one_hot(y)
    if y.ndim != 1 or y.dtype.kind not in "biuf":
        return False
    if y.dtype.kind == "f" and not (np.isfinite(y).all() and np.array_equal(y, np.round(y))):
        return False
    distinct = len(np.unique(y))
    return distinct <= MAX_CLASSES and (distinct < len(y) or len(y) <= 20)


def is_one_hot(y: Array) -> bool:
    """(N, k) rows of zeros with a single one."""
    return y.ndim == 2 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def map_labels(
    parts: Sequence[Array], class_names: tuple[str, ...], name: str
) -> tuple[list[Array], tuple[str, ...], tuple[Message, ...]]:
    """Labels of several parts (train, test) as int64 0..k-1, the class names, and what was changed.

    `class_names`, when given, name the numbers 0..k-1, of which some may be missing. Otherwise the
    distinct values are sorted and numbered. Raises DataError for numbers without a name, and when
    there is only one class.
    """
    parts = [
        part.argmax(axis=1) if part.ndim == 2 and len(part) else part.reshape(len(part)) for part in parts
    ]
    values = np.unique(np.concatenate([part for part in parts if len(part)] or [np.zeros(0, np.int64)]))
    if not len(values):
        raise DataError(N_("{file} holds no labels; add labeled examples."), file=name)
    if class_names and values.dtype.kind in "biuf":
        if values[0] < 0 or values[-1] >= len(class_names) or not np.array_equal(values, np.round(values)):
            raise DataError(
                N_("{file}: labels run from {low} to {high}, but {expected} class names are given."),
                file=name,
                low=values[0],
                high=values[-1],
                expected=len(class_names),
            )
        return [part.astype(np.int64) for part in parts], class_names, ()
    names = tuple(_text(value) for value in values)
    if len(values) < 2:
        raise DataError(
            N_("{file}: every example is “{found}”; at least two classes are needed to tell apart."),
            file=name,
            found=names[0],
        )
    mapped: list[Array] = [
        np.searchsorted(values, part).astype(np.int64) if len(part) else np.zeros(0, np.int64)
        for part in parts
    ]
    plain = values.dtype.kind in "biuf" and np.array_equal(values, np.arange(len(values)))
    notes: tuple[Message, ...] = ()
    if not plain:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        notes = (
            Message(
                N_("{file}: the labels {found} were numbered 0 to {top} in this order."),
                {"file": name, "found": shown, "top": len(names) - 1},
            ),
        )
    return mapped, names, notes


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)):
        return f"{value:g}"
    return str(value)
