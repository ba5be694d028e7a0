"""`Dataset`, the examples a network learns from, and `make_dataset`, which checks and freezes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.data.source import SourceSpec
from engine.errors import N_, DataError, Message

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
EXAMPLES = 5
"""So many go with an export."""
DataKind = Literal["points", "pictures", "vectors", "sounds"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples and what they mean. Arrays are read-only; the sample is the FIRST axis (a border).

    x_train, x_test    (N, *shape), uint8 or float32; a value is `x * scale + shift`
    y_train, y_test    (N,) int64 class numbers, or (N, K) float32 targets of a regression
    class_names        one per class; () for a regression
    shape              (C, H, W) for pictures, (F,) otherwise
    kind               points (two features, can be plotted) | pictures | vectors | sounds (rows of samples)
    feature_names      one per feature, or ()
    vocabulary         inputs that are tokens: what token 0, 1, ... stands for; () for numbers
    mean, std          (C, 1, 1) or (F,) float32, applied after scale and shift; None: not normalized
    notes              what was fixed or is worth knowing, in sentences for people
    skipped            files that were left out, each with its reason
    sha256             of everything the network sees (arrays, scale, normalization)
    source_sha256      of the source's content, whatever size or split was asked for
    spec               what was asked for, paths as they were given
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    kind: DataKind
    scale: float = 1.0
    shift: float = 0.0
    mean: FloatArray | None = None
    std: FloatArray | None = None
    feature_names: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()
    skipped: tuple[Message, ...] = ()
    vocabulary: tuple[str, ...] = ()
    sha256: str = ""
    source_sha256: str = ""
    spec: SourceSpec | None = None

    @property
    def n_train(self) -> int:
        return len(self.x_train)

    @property
    def n_test(self) -> int:
        return len(self.x_test)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return len(self.class_names)

    @property
    def is_regression(self) -> bool:
        return not self.class_names

    @property
    def n_targets(self) -> int:
        """Numbers a network has to give: classes, or targets of a regression."""
        return int(self.y_train.shape[1]) if self.is_regression else self.n_classes

    def to_float(self, x: Array) -> FloatArray:
        """(N, *shape) as stored -> (N, *shape) float32 as the network sees it."""
        out = x.astype(np.float32)
        if self.scale != 1.0:
            out *= np.float32(self.scale)
        if self.shift != 0.0:
            out += np.float32(self.shift)
        return self.normalized(out)

    def normalized(self, values: FloatArray) -> FloatArray:
        """Values already scaled (a dropped picture: 0..1), (N, *shape), with mean and std applied."""
        if self.mean is None or self.std is None:
            return values
        return (values - self.mean) / self.std

    def pinned(self) -> SourceSpec | None:
        """The spec with everything that was chosen while loading written down: size, channels, sha256.

        Saved in a project, the same pictures become the same inputs even after the folder grew.
        """
        if self.spec is None:
            return None
        if self.spec.kind == "folder":
            channels, height, width = self.shape
            return replace(self.spec, size=(height, width), channels=channels, sha256=self.source_sha256)
        return replace(self.spec, sha256=self.source_sha256) if self.source_sha256 else self.spec

    @cached_property
    def class_counts(self) -> tuple[int, ...]:
        """Training examples of each class; () for a regression."""
        if self.is_regression:
            return ()
        return tuple(int(n) for n in np.bincount(self.y_train, minlength=self.n_classes))

    @cached_property
    def input_range(self) -> tuple[float, float]:
        """Smallest and largest training input, as the network sees them."""
        if not self.n_train:
            return 0.0, 1.0
        axes = (0, *range(2, self.x_train.ndim))  # normalization is by channel or feature
        ends = np.stack([self.x_train.min(axes), self.x_train.max(axes)])
        seen = self.to_float(ends.reshape(2, -1, *(1,) * (len(self.shape) - 1)))
        return float(seen.min()), float(seen.max())

    def train_inputs(self, index: Any = slice(None)) -> FloatArray:
        """Training inputs chosen by `index` (slice or index array), float32 as the network sees them."""
        return self.to_float(self.x_train[index])

    def test_inputs(self, index: Any = slice(None)) -> FloatArray:
        """Test inputs chosen by `index`, float32 as the network sees them."""
        return self.to_float(self.x_test[index])


def make_dataset(
    x_train: Array,
    y_train: Array,
    x_test: Array,
    y_test: Array,
    *,
    kind: DataKind,
    class_names: tuple[str, ...] = (),
    feature_names: tuple[str, ...] = (),
    scale: float = 1.0,
    shift: float = 0.0,
    normalize: bool = False,
    notes: tuple[Message, ...] = (),
    skipped: tuple[Message, ...] = (),
    vocabulary: tuple[str, ...] = (),
    source_sha256: str = "",
    name: str = "",
) -> Dataset:
    """Check arrays against each other, normalize, hash, freeze.

    Inputs are uint8 or become float32; labels become int64 (classes) or float32 (N, K).
    Raises DataError when there is nothing to learn from, counts differ, a label is outside the
    classes, fewer than two classes are left, or a number is not finite.
    """
    x_train, x_test = _inputs(x_train, name), _inputs(x_test, name)
    shape = tuple(int(n) for n in x_train.shape[1:])
    if len(x_train) == 0 or 0 in shape or not shape:
        raise DataError(
            N_("{file}: there is no training example; add data or lower the test share."), file=name
        )
    if len(x_test) == 0:
        x_test = x_train[:0]
    if x_test.shape[1:] != x_train.shape[1:] or x_test.dtype != x_train.dtype:
        raise DataError(
            N_("{file}: training examples are {expected}, test examples {found}; make them alike."),
            file=name,
            expected=f"{shape} {x_train.dtype}",
            found=f"{x_test.shape[1:]} {x_test.dtype}",
        )
    y_train = _targets(y_train, len(x_train), class_names, name)
    y_test = _targets(y_test, len(x_test), class_names, name)
    if not class_names:
        y_test = y_test.reshape(len(x_test), y_train.shape[1]) if len(x_test) == 0 else y_test
        if y_test.shape[1] != y_train.shape[1]:
            raise DataError(
                N_("{file}: {expected} targets per training example but {found} per test example."),
                file=name,
                expected=y_train.shape[1],
                found=y_test.shape[1],
            )
    mean = std = None
    if normalize:
        mean, std, told = _normalization(x_train, scale, shift, kind)
        notes = (*notes, *told)
    data = Dataset(
        x_train,
        y_train,
        x_test,
        y_test,
        class_names,
        shape,
        kind,
        scale,
        shift,
        mean,
        std,
        feature_names,
        notes,
        skipped,
        vocabulary,
        "",
        source_sha256,
    )
    for array in (x_train, y_train, x_test, y_test, mean, std):
        if array is not None:
            array.setflags(write=False)
    return replace(data, sha256=_content_hash(data))


def _inputs(x: Array, name: str) -> Array:
    if x.dtype == np.uint8:
        return np.ascontiguousarray(x)
    with np.errstate(over="ignore"):  # too large for 32 bits becomes infinite, which is refused
        out = np.ascontiguousarray(x, dtype=np.float32)
    if not np.isfinite(out).all():
        first = int(np.argwhere(~np.isfinite(out.reshape(len(out), -1)).all(axis=1))[0, 0])
        raise DataError(
            N_(
                "{file}: example {row} holds NaN, infinity or a number too large for 32 bits; remove or "
                "repair it."
            ),
            file=name,
            row=first + 1,
        )
    return out


def _targets(y: Array, count: int, class_names: tuple[str, ...], name: str) -> Array:
    if len(y) != count:
        raise DataError(
            N_("{file}: {expected} examples but {found} labels; they must be equally many."),
            file=name,
            expected=count,
            found=len(y),
        )
    if not class_names:
        with np.errstate(over="ignore"):
            out = np.ascontiguousarray(y, dtype=np.float32)
        out = out.reshape(count, -1) if count else out.reshape(0, *(out.shape[1:] or (1,)))
        if not np.isfinite(out).all():
            raise DataError(N_("{file}: a target is NaN or infinite; remove or repair it."), file=name)
        return out
    if len(class_names) < 2:
        raise DataError(
            N_("{file}: every example is “{found}”; at least two classes are needed to tell apart."),
            file=name,
            found=class_names[0],
        )
    labels = np.ascontiguousarray(y, dtype=np.int64).reshape(count)
    if count and (labels.min() < 0 or labels.max() >= len(class_names)):
        raise DataError(
            N_("{file}: labels run from {low} to {high}, but there are {expected} classes."),
            file=name,
            low=int(labels.min()),
            high=int(labels.max()),
            expected=len(class_names),
        )
    return labels


def _normalization(
    x: Array, scale: float, shift: float, kind: DataKind
) -> tuple[FloatArray, FloatArray, tuple[Message, ...]]:
    """Mean and standard deviation of the training values, per channel or per feature."""
    axes = (0, 2, 3) if kind == "pictures" else (0,)
    mean = x.mean(axis=axes, dtype=np.float64, keepdims=True)[0] * scale + shift
    # Blocks keep the float64 copies of a large uint8 set small.
    total = np.zeros_like(mean)
    for start in range(0, len(x), 4096):
        part = x[start : start + 4096].astype(np.float64) * scale + shift - mean
        total += np.square(part).sum(axis=axes, keepdims=True)[0]
    std = np.sqrt(total / (x.size / mean.size))
    flat = std <= 1e-7 * np.maximum(1.0, np.abs(mean))
    notes: tuple[Message, ...] = ()
    if flat.any():
        std[flat] = 1.0
        notes = (
            Message(
                N_(
                    "{count} of {total} inputs never change; they are only shifted to 0, not divided by "
                    "their standard deviation of 0."
                ),
                {"count": int(flat.sum()), "total": int(flat.size)},
            ),
        )
    return mean.astype(np.float32), std.astype(np.float32), notes


def _content_hash(data: Dataset) -> str:
    digest = hashlib.sha256()
    for array in (data.x_train, data.y_train, data.x_test, data.y_test, data.mean, data.std):
        if array is not None:
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{little.dtype.str}{little.shape}".encode())
            digest.update(np.ascontiguousarray(little).data.cast("B") if little.size else b"")
        else:
            digest.update(b"-")
    digest.update(repr((data.scale, data.shift, data.class_names)).encode())
    return digest.hexdigest()
