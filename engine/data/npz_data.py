"""Data sets in `.npz` files: which array is what, how its axes lie, and to which range it belongs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from engine.data.cancel import Cancel, Progress, check_cancel
from engine.data.dataset import Array, DataKind, Dataset, make_dataset
from engine.data.labels import looks_like_classes, map_labels
from engine.data.safe_npz import Arrays, Limits, read_npz
from engine.data.source import SourceSpec
from engine.data.split import duplicate_notes, keys_of, split_by_content
from engine.errors import N_, DataError, Message

Notes = tuple[Message, ...]
_TRAIN = (("x_train", "y_train"), ("train_images", "train_labels"), ("train_x", "train_y"))
_TEST = (("x_test", "y_test"), ("test_images", "test_labels"), ("test_x", "test_y"))
_WHOLE = (("x", "y"), ("images", "labels"), ("data", "target"), ("data", "labels"), ("features", "labels"),
          ("inputs", "targets"))  # fmt: skip


def load_npz(spec: SourceSpec, progress: Progress | None = None, cancel: Cancel | None = None) -> Dataset:
    """The data set in the file `spec.path`. Raises DataError."""
    name = Path(spec.path).name
    if progress is not None:
        progress(0, 2)
    arrays = read_npz(spec.path, Limits(), name=name, cancel=cancel)
    check_cancel(cancel)
    if progress is not None:
        progress(1, 2)
    data = from_arrays(arrays, spec, name)
    if progress is not None:
        progress(2, 2)
    return data


def from_arrays(arrays: Arrays, spec: SourceSpec, name: str) -> Dataset:
    """A data set from named arrays.

    Names (upper or lower case): x_train, y_train, x_test, y_test; x, y; images, labels; data, target;
    optional class_names, feature_names. Pictures are (N, H, W), (N, C, H, W) or (N, H, W, C).
    Raises DataError.
    """
    by_name = {key.lower(): array for key, array in arrays.items()}
    x, y, x_test, y_test = _choose(by_name, arrays, name)
    for images, labels in ((x, y), (x_test, y_test)):
        _check_pair(images, labels, name)
    if len(x_test) and (x_test.dtype.kind == "f") != (x.dtype.kind == "f"):
        raise DataError(
            N_("{file}: training inputs are {expected}, test inputs {found}; store both the same way."),
            file=name,
            expected=x.dtype.name,
            found=x_test.dtype.name,
        )
    if not len(x):
        raise DataError(
            N_("{file} holds no example (the inputs are {found})."), file=name, found=str(x.shape)
        )
    digest = _digest((x, y, x_test, y_test))
    notes: Notes = ()
    class_names = _texts(by_name.get("class_names", by_name.get("target_names")))
    if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "biuUS":  # a column of labels
        y, y_test = y[:, 0], y_test[:, 0] if y_test.ndim == 2 and y_test.shape[1] == 1 else y_test
    _check_labels(y, y_test, name)
    if looks_like_classes(y):
        (y, y_test), class_names, told = map_labels([y, y_test], class_names, name)
        notes += told
    elif y.dtype.kind in "biuf":
        class_names = ()
    else:
        raise DataError(
            N_("{file}: the labels are {found}; expected numbers or text."), file=name, found=y.dtype.name
        )
    x, kind, told = arrange(x, name)
    x_test = arrange(x_test, name)[0] if len(x_test) else x[:0]
    notes += told
    x, x_test, scale, told = to_range(x, x_test, kind, name)
    notes += told
    if len(x_test):
        notes += duplicate_notes(keys_of(x), keys_of(x_test), name)
    else:
        train, test = split_by_content(keys_of(x), y if class_names else None, spec.test_share, spec.seed)
        x, y, x_test, y_test = x[train], y[train], x[test], y[test]
    return make_dataset(
        x,
        y,
        x_test,
        y_test,
        kind=kind,
        class_names=class_names,
        feature_names=_texts(by_name.get("feature_names")),
        scale=scale,
        normalize=spec.normalize,
        notes=notes,
        source_sha256=digest,
        name=name,
    )


def arrange(x: Array, name: str) -> tuple[Array, DataKind, Notes]:
    """(N,), (N, F), (N, H, W), (N, C, H, W) or (N, H, W, C) -> (N, F) or (N, C, H, W), and its kind."""
    if x.ndim == 1:
        return x[:, None], "vectors", ()
    if x.ndim == 2:
        return x, "points" if x.shape[1] == 2 else "vectors", ()
    if x.ndim == 3:
        return x[:, None], "pictures", ()
    if x.ndim != 4:
        raise DataError(
            N_("{file}: the inputs have {found} axes {shape}; expected 2 for vectors, 3 or 4 for pictures."),
            file=name,
            found=x.ndim,
            shape="×".join(map(str, x.shape)),
        )
    first, last = x.shape[1], x.shape[3]
    if first in (1, 3) or (last not in (1, 3) and first <= last):
        return x, "pictures", ()
    note = Message(
        N_("{file}: pictures are stored as rows, columns, channels; they were turned to channels first."),
        {"file": name},
    )
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)), "pictures", (note,)


def to_range(x: Array, x_test: Array, kind: DataKind, name: str) -> tuple[Array, Array, float, Notes]:
    """Pictures brought to 0..1 where their numbers say how; everything else left alone, as float32.

    Returns (x, x_test, scale, notes); pictures of whole numbers 0..255 stay uint8 with a scale.
    """
    if kind != "pictures" or not x.size:
        return _as_float(x), _as_float(x_test), 1.0, ()
    low = min(float(part.min()) for part in (x, x_test) if part.size)
    high = max(float(part.max()) for part in (x, x_test) if part.size)
    whole = x.dtype.kind in "biu"
    if whole and low >= 0 and high <= 255:
        top = 1 if high <= 1 else 16 if high <= 16 else 255
        notes: Notes = ()
        if top == 16:
            notes = (
                Message(
                    N_("{file}: pixels run from 0 to {high:g}; they are divided by {top}."),
                    {"file": name, "high": high, "top": top},
                ),
            )
        return x.astype(np.uint8, copy=False), x_test.astype(np.uint8, copy=False), 1.0 / top, notes
    if not np.isfinite([low, high]).all() or (low >= -1.0 and high <= 1.0):
        return _as_float(x), _as_float(x_test), 1.0, ()  # NaN is refused with its place by make_dataset
    top_value = 255.0 if low >= 0 and high <= 255 else 65535.0 if low >= 0 and high <= 65535 else 0.0
    if top_value:
        note = Message(
            N_("{file}: pixels run from {low:g} to {high:g}; they are divided by {top:g}."),
            {"file": name, "low": low, "high": high, "top": top_value},
        )
        return _as_float(x, 0.0, top_value), _as_float(x_test, 0.0, top_value), 1.0, (note,)
    note = Message(
        N_("{file}: pixels run from {low:g} to {high:g}; they are stretched to 0..1."),
        {"file": name, "low": low, "high": high},
    )
    return _as_float(x, low, high - low), _as_float(x_test, low, high - low), 1.0, (note,)


def _as_float(x: Array, shift: float = 0.0, width: float = 1.0) -> Array:
    with np.errstate(over="ignore"):  # too large for 32 bits becomes inf, which make_dataset refuses
        if shift == 0.0 and width == 1.0:
            return x.astype(np.float32)
        return ((x.astype(np.float64) - shift) / width).astype(np.float32)


def _choose(by_name: Arrays, arrays: Arrays, name: str) -> tuple[Array, Array, Array, Array]:
    for x_key, y_key in _TRAIN:
        if x_key in by_name and y_key in by_name:
            x, y = by_name[x_key], by_name[y_key]
            for x_test, y_test in _TEST:
                if x_test in by_name and y_test in by_name:
                    return x, y, by_name[x_test], by_name[y_test]
            return (x, y, *_nothing(x, y))
    for x_key, y_key in _WHOLE:
        if x_key in by_name and y_key in by_name:
            x, y = by_name[x_key], by_name[y_key]
            return (x, y, *_nothing(x, y))
    raise DataError(
        N_("{file} holds the arrays {found}; expected x and y, or x_train, y_train, x_test and y_test."),
        file=name,
        found=", ".join(sorted(arrays))[:200] or "–",
    )


def _nothing(x: Array, y: Array) -> tuple[Array, Array]:
    """No examples of the same kind; a lone number, which has no examples, is refused by the caller."""
    return (x[:0], y[:0]) if x.ndim and y.ndim else (x, y)


def _check_pair(images: Array, labels: Array, name: str) -> None:
    if images.dtype.kind not in "biuf" or images.ndim < 1 or labels.ndim < 1:
        raise DataError(
            N_("{file}: the inputs are {found}; expected numbers with the example as first axis."),
            file=name,
            found=f"{images.dtype.name} {images.shape}",
        )
    if len(images) != len(labels):
        raise DataError(
            N_("{file} holds {expected} inputs but {found} labels; they must be equally many."),
            file=name,
            expected=len(images),
            found=len(labels),
        )


def _check_labels(y: Array, y_test: Array, name: str) -> None:
    """(N,) of anything, or (N, K) numbers; the test part must look the same."""
    text = y.dtype.kind in "US"
    alike = y.shape[1:] == y_test.shape[1:] and text == (y_test.dtype.kind in "US")
    if y.ndim > 2 or (text and y.ndim > 1) or 0 in y.shape[1:] or (len(y_test) and not alike):
        raise DataError(
            N_("{file}: the labels are {found}; expected one label or one row of numbers per example."),
            file=name,
            found=f"{y.dtype.name} {y.shape}" + ("" if alike else f" / {y_test.dtype.name} {y_test.shape}"),
        )


def _texts(array: Array | None) -> tuple[str, ...]:
    if array is None or array.ndim != 1 or array.dtype.kind not in "US":
        return ()
    return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array)


def _digest(parts: tuple[Array, ...]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        little = np.ascontiguousarray(part.astype(part.dtype.newbyteorder("<"), copy=False))
        digest.update(repr((little.dtype.str, part.shape)).encode())
        digest.update(
            little.tobytes() if little.dtype.kind in "US" or not little.size else little.data.cast("B")
        )
    return digest.hexdigest()
