"""What can be watched, and what comes back: reduced in the engine to what is shown.

Values are named by id as in the program: "dense1.z", "dense1.weight@old", "dense1.z@grad" (delta),
"dense1.weight@grad" (dW), "dense1.weight@new". Arrays are float32 unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from engine.errors import Message
from engine.metrics import Report
from engine.settings import TrainingSpec
from engine.values import Uid

Array = np.ndarray[Any, Any]
ThumbRole = Literal["activations", "weights", "gradients", "deltas", "neurons"]
"""neurons: each unit's own map over the plane (2-D data, at most 16 units)."""


# ---- requests -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matrix:
    """A value as rows and columns.

    (out, in) and (F, N) are themselves; kernels (out, in, kH, kW) are rows of in*kH*kW; (m) is one column;
    pictures (C, H, W, N) are features x samples, or with `sample` the channels of one example stacked
    (C*H, W). With `sample` of (F, N): that column. `rows`, `cols`: the part looked at (start, stop); larger
    parts than max_rows x max_cols are averaged down.
    """

    value: str
    sample: int | None = None
    max_rows: int = 256
    max_cols: int = 256
    rows: tuple[int, int] | None = None
    cols: tuple[int, int] | None = None


@dataclass(frozen=True)
class Maps:
    """A value as pictures: channels of one example, kernels for input channel `sample`, or rows of a dense
    weight whose inputs are the pixels of a picture (channel `sample` of it)."""

    value: str
    sample: int = 0
    max_size: int = 64
    limit: int = 64


@dataclass(frozen=True)
class Thumbs:
    """The thumbnails of many nodes at once, each at most width x height pixels of tiles."""

    nodes: tuple[tuple[Uid, ThumbRole], ...]
    sample: int = 0
    width: int = 136
    height: int = 112
    bins: int = 34


@dataclass(frozen=True)
class Histogram:
    value: str
    bins: int = 48


@dataclass(frozen=True)
class Curves:
    """Loss and accuracy from step `since` on, at most about `points` points each."""

    since: int = 0
    points: int = 1000


@dataclass(frozen=True)
class Boundary:
    """Points in a plane: the output over the plane, and the units of the named nodes (at most 16 each)."""

    size: int = 96
    neurons: tuple[Uid, ...] = ()
    neuron_size: int = 32
    extent: tuple[float, float, float, float] | None = None
    """(x1 from, x1 to, x2 from, x2 to); None fits the data."""


@dataclass(frozen=True)
class Points:
    """The examples of 2-D data, at most `limit` of each part."""

    limit: int = 1500


@dataclass(frozen=True)
class Batch:
    """The first `limit` examples of the batch with labels and what the network says."""

    limit: int = 64


@dataclass(frozen=True)
class Scores:
    """The last test: confusion matrix, shares of each class, errors.

    With `cell` (truth, answer) of the matrix of `output` also the first test examples in it.
    """

    output: Uid = ""
    cell: tuple[int, int] | None = None
    limit: int = 48


@dataclass(frozen=True)
class Past:
    """Which steps can be shown again, and the lines of the run with at most `points` points each."""

    points: int = 500


View = Matrix | Maps | Thumbs | Histogram | Curves | Boundary | Points | Batch | Past | Scores


# ---- what comes back ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MatrixData:
    values: Array
    """(r, c); cell (i, j) is the mean of step[0] x step[1] cells from (rows[0] + i*step[0], ...)."""
    shape: tuple[int, int]
    """Rows and columns of the whole."""
    rows: tuple[int, int]
    cols: tuple[int, int]
    step: tuple[int, int]
    low: float
    high: float
    """Smallest and largest finite number of the whole."""
    span: float
    """99th percentile of |value|: where a symmetric scale may end."""
    logical: tuple[int, ...] = ()
    """Live logical shape of the value."""


@dataclass(frozen=True, eq=False)
class MapsData:
    tiles: Array
    """(k, h, w)"""
    total: int
    """How many there are; `tiles` holds the first ones."""
    size: tuple[int, int]
    """Height and width before reduction."""
    low: float
    high: float
    span: float


@dataclass(frozen=True)
class NodeStats:
    """Facts about one node in the step shown; None where they do not apply."""

    mean_abs: float = 0.0
    """Mean |value| of what leaves the node."""
    active: float | None = None
    """Share of outputs above zero (after ReLU and its kin)."""
    dead: int = 0
    """Units or channels that gave zero for the whole batch."""
    units: int = 0
    weight_norm: float | None = None
    gradient_norm: float | None = None
    update_ratio: float | None = None
    """|W new - W old| / |W old|"""


@dataclass(frozen=True, eq=False)
class NodeThumb:
    tiles: Array
    """(k, h, w) u8: places on a ramp of 256 from `ends[0]` to `ends[1]`; for "neurons" row 0 is the lowest x2
    and every tile has symmetric ends of its own."""
    ends: tuple[float, float]
    total: int
    low: float
    high: float
    span: float
    histogram: Array
    """Counts (bins) between low and high."""
    stats: NodeStats


@dataclass(frozen=True, eq=False)
class ThumbsData:
    nodes: Mapping[Uid, NodeThumb]


@dataclass(frozen=True, eq=False)
class HistogramData:
    counts: Array
    low: float
    high: float
    mean: float
    std: float
    total: int
    zeros: int
    non_finite: int


@dataclass(frozen=True, eq=False)
class CurvesData:
    """Loss: minimum, mean, maximum of the steps from each of `steps` to the next. Tests: at their steps."""

    steps: Array
    low: Array
    mean: Array
    high: Array
    test_steps: Array
    test_loss: Array
    test_accuracy: Array
    """Empty for a regression."""
    changes: tuple[tuple[int, str, Any], ...] = ()
    """Live changes: step, name, value."""
    test_parts: Mapping[str, Array] = field(default_factory=dict)
    """Where the loss is a sum: each output's own in the tests, by its name; NaN where it is not known."""
    accuracy_of: str = ""
    """Where there are several outputs: the one whose accuracy it is."""


@dataclass(frozen=True, eq=False)
class BoundaryData:
    """Row 0 of every map is the lowest x2 (plots have y up); columns run with x1."""

    output: Array
    """(classes, s, s) shares for classes, (targets, s, s) numbers for a regression."""
    extent: tuple[float, float, float, float]
    neurons: Mapping[Uid, Array] = field(default_factory=dict)
    shares: bool = True
    """Whether the numbers of data with classes are shares of them."""
    """Node -> (units, t, t)"""


@dataclass(frozen=True, eq=False)
class PointsData:
    """(n, 2) positions as the network sees them; labels (n) whole numbers, or targets (n, K)."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    extent: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class BatchData:
    """Inputs (n, C, H, W) or (n, F) as the network sees them; `index` places them in the training part."""

    inputs: Array
    targets: Array
    outputs: Array
    """(n, classes) shares, or (n, targets) numbers."""
    index: Array
    made: Mapping[Uid, Array] = field(default_factory=dict)
    """Of outputs whose target is a picture: (n, 2, C, H, W), what they should have made and what they did."""


@dataclass(frozen=True, eq=False)
class ScoresData:
    """The report of the last test, and `inputs` (k, ...) of the cell asked for, as the network sees them."""

    report: Report
    output: Uid
    cell: tuple[int, int] | None
    index: Array
    """Places among the test examples."""
    inputs: Array


@dataclass(frozen=True, eq=False)
class LineData:
    """One line of a run: where it came from and how far it went."""

    number: int
    parent: int | None
    start: int
    """Step at which it left its parent."""
    end: int
    loss: float | None
    test: float | None
    """Accuracy of its last test for classes, else the loss over the test set."""
    training: TrainingSpec
    per_epoch: int
    steps: Array
    mean: Array
    """Loss from each of `steps` to the next."""
    whole: bool = True
    """Whether its weights are there, so that it can be gone on with."""


@dataclass(frozen=True, eq=False)
class PastData:
    """What can be shown again."""

    first: int | None
    """The earliest step; None where none can be shown."""
    reason: Message | None
    """Why nothing before it, where there is a reason besides age."""
    kept: Array
    """Steps with a point of their own, at most as many as asked for."""
    bytes: int
    cap: int
    on_disk: int
    line: int
    """Number of the present line."""
    lines: tuple[LineData, ...]
    log: tuple[tuple[int, str, Any], ...] = ()
    """All changes: step, name, value."""
    seed: int = 0
    data_hash: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """A view that cannot be shown now: no such value, not computed yet, or too large for its budget."""

    reason: str
    """One of "value", "later", "budget", "kind", "failed"."""


ViewData = (
    MatrixData
    | MapsData
    | ThumbsData
    | HistogramData
    | CurvesData
    | BoundaryData
    | PointsData
    | BatchData
    | PastData
    | ScoresData
    | Missing
)
