"""Two-dimensional toy sets: points made from a formula, the same on every machine for a seed.

Coordinates lie in about -3..3. That range was measured: with 2-3-1 tanh networks and plain SGD at
0.03, circles of radius 3 are learned from five of five seeds, circles of radius 1 from one of five.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.data.dataset import Array, Dataset, make_dataset
from engine.data.source import SourceSpec
from engine.errors import N_, DataError

Points = npt.NDArray[np.float64]
Maker = Callable[[int, float, np.random.Generator], tuple[Points, Points]]

RADIUS = 3.0  # of every set


def circle(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Class 1 fills a disc of half the radius, class 0 the ring around it, with a gap between."""
    label = np.arange(count) % 2
    inner = 0.5 * np.sqrt(rng.uniform(0, 1, count))
    radius = RADIUS * np.where(label == 1, inner, rng.uniform(0.7, 1.0, count))
    x = _polar(radius, rng.uniform(0, 2 * np.pi, count))
    return x + rng.normal(0, 0.15 * RADIUS * noise, x.shape), label.astype(np.float64)


def spiral(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Two arms of one and three quarter turns each."""
    label = np.arange(count) % 2
    along = rng.uniform(0.03, 1.0, count)
    x = _polar(RADIUS * along, 1.75 * 2 * np.pi * along + np.pi * label)
    return x + rng.normal(0, 0.15 * RADIUS * noise, x.shape), label.astype(np.float64)


def xor(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Class 1 where both coordinates have the same sign; a narrow gap along the axes."""
    x = rng.uniform(-RADIUS, RADIUS, (count, 2))
    x += np.copysign(0.1 * RADIUS, x)
    label = (x[:, 0] * x[:, 1] > 0).astype(np.float64)
    return x / 1.1 + rng.normal(0, 0.3 * RADIUS * noise, x.shape), label


def gauss(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Two clouds; noise makes them wider until they overlap."""
    label = np.arange(count) % 2
    center = np.where(label[:, None] == 1, 1.0, -1.0) * RADIUS / 2
    return center + rng.normal(0, RADIUS * (0.12 + 0.5 * noise), (count, 2)), label.astype(np.float64)


def moons(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Two half circles, one hooked into the other."""
    label = np.arange(count) % 2
    angle = rng.uniform(0, np.pi, count)
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    lower = np.stack([0.5 - np.cos(angle), 0.25 - np.sin(angle)], axis=1)
    x = np.where(label[:, None] == 1, upper, lower) * RADIUS / 1.5
    return x + rng.normal(0, 0.15 * RADIUS * noise, x.shape), label.astype(np.float64)


def plane(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Regression: the target rises evenly along the diagonal, from -1 to 1."""
    x = rng.uniform(-RADIUS, RADIUS, (count, 2))
    return x, x.sum(axis=1) / (2 * RADIUS) + rng.normal(0, 0.3 * noise, count)


def hills(count: int, noise: float, rng: np.random.Generator) -> tuple[Points, Points]:
    """Regression: three Gaussian hills (1) and three hollows (-1)."""
    x = rng.uniform(-RADIUS, RADIUS, (count, 2))
    angle = np.arange(6) * np.pi / 3
    centers = _polar(np.full(6, 0.62 * RADIUS), angle)
    squared = np.square(x[:, None, :] - centers[None]).sum(axis=2)
    signs = np.where(np.arange(6) % 2 == 0, 1.0, -1.0)
    y = (signs * np.exp(-squared / (2 * (0.22 * RADIUS) ** 2))).sum(axis=1)
    return x, y + rng.normal(0, 0.3 * noise, count)


TOYS: dict[str, Maker] = {
    "circle": circle, "spiral": spiral, "xor": xor, "gauss": gauss, "moons": moons,
    "plane": plane, "hills": hills,
}  # fmt: skip
REGRESSIONS = frozenset({"plane", "hills"})


def load_toy(spec: SourceSpec) -> Dataset:
    """The toy set `spec` names: `count` points, `test_share` of them held back. Raises DataError."""
    maker = TOYS.get(spec.name)
    if maker is None:
        raise DataError(
            N_("There is no toy data set “{found}”; choose one of {expected}."),
            found=spec.name[:40],
            expected=", ".join(TOYS),
        )
    if spec.count < 4:
        raise DataError(
            N_("A toy data set of {found} points is too small; choose at least {expected}."),
            found=spec.count,
            expected=4,
        )
    rng = np.random.Generator(np.random.Philox(spec.seed))
    x, y = maker(spec.count, spec.noise, rng)
    order = rng.permutation(spec.count)
    x32, targets = x[order].astype(np.float32), y[order]
    n_test = int(round(spec.count * spec.test_share))
    regression = spec.name in REGRESSIONS
    labels: Array = targets.astype(np.float32)[:, None] if regression else targets.astype(np.int64)
    return make_dataset(
        x32[n_test:],
        labels[n_test:],
        x32[:n_test],
        labels[:n_test],
        kind="points",
        class_names=() if regression else ("0", "1"),
        feature_names=("x1", "x2"),
        normalize=spec.normalize,
        name=spec.name,
    )


def _polar(radius: Points, angle: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
