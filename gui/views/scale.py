"""From numbers to colors: scales that sit at a percentile, say so, and do not flicker.

A scale that followed every batch would make the whole picture pulse while nothing happened. A stable
scale widens when values leave it and narrows only after they have stayed well inside for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import numpy as np

from gui import i18n
from gui.colormaps import SIGNED
from gui.views.base import Array, Bytes

# share of the values inside the ends; the rest is drawn in the end colors and marked ≤ ≥
PERCENTILE = {"weights": 99.5, "gradients": 98.0, "activations": 99.5, "pictures": 100.0}
FEW = 100  # with so few values nothing is cut off
_SAMPLE = 20_000
_NARROW = 0.55  # narrower than this share of the scale ...
_TINY = 0.1  # narrower than this nothing could be seen: the scale shrinks at once
_PATIENCE = 12  # ... for so many updates
_WAIT = 1.2  # ... or so many seconds, where updates are rare, before the scale shrinks
_ROOM = 1.12


@dataclass(frozen=True)
class Scale:
    """Ends of a ramp. `below` and `above` tell whether values lie beyond them."""

    low: float
    high: float
    below: bool = False
    above: bool = False

    @property
    def signed(self) -> bool:
        """True for a symmetric scale with zero in the middle."""
        return self.low == -self.high

    def indices(self, values: Array) -> Bytes:
        """The place of each value on a ramp of 256, any shape; not-a-number sits at zero."""
        span = self.high - self.low
        if span <= 0:
            return np.zeros(values.shape, dtype=np.uint8)
        with np.errstate(all="ignore"):
            place = np.multiply(values, np.float32(255.0 / span), dtype=np.float32)
            place += np.float32(0.5 - self.low * 255.0 / span)
            np.clip(place, 0.0, 255.0, out=place)
            if np.isnan(place.sum()):
                rest = 128.0 if self.signed else max(0.0, min(255.0, -self.low * 255.0 / span))
                np.nan_to_num(place, copy=False, nan=rest)
        return place.astype(np.uint8)

    def labels(self) -> tuple[str, str, str]:
        """Texts for the low end, zero (or "" when zero is an end) and the high end."""
        biggest = max(abs(self.low), abs(self.high))
        decimals = decimals_for(biggest)
        low = label(self.low, decimals, sign=self.signed)
        high = label(self.high, decimals, sign=self.signed)
        return (
            ("≤ " if self.below else "") + low,
            "0" if self.signed else "",
            ("≥ " if self.above else "") + high,
        )


def decimals_for(biggest: float) -> int:
    """Decimals that give about three digits to numbers of this size."""
    if biggest <= 0 or not np.isfinite(biggest):
        return 2
    return int(np.clip(2 - np.floor(np.log10(biggest) + 0.3), 0, 4))


def label(value: float, decimals: int, *, sign: bool = False) -> str:
    """A number for the end of a scale; a power of ten when fixed decimals would show nothing."""
    if value != 0 and (abs(value) < 10.0 ** -(decimals - 1) * 0.99 or abs(value) >= 1e5):
        text = i18n.short(value, 3)
        return "+" + text if sign and value > 0 else text
    return i18n.number(value, decimals, sign=sign)


class StableScale:
    """Remembers the ends it gave out, one per picture on the screen."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._scale: Scale | None = None
        self._calm = 0
        self._calm_since = 0.0

    def reset(self) -> None:
        """Forget: the next values set the ends afresh (another layer, another run)."""
        self._scale, self._calm = None, 0

    def update(self, values: Array) -> Scale:
        """The scale for these values, the one before if it still serves."""
        return self._choose(*_range(values, self.role))

    def update_from(self, least: float, most: float, span: float) -> Scale:
        """The same where only a part is at hand: smallest, largest, and the end of |value|."""
        span = span or max(abs(least), abs(most)) or 1.0
        low = 0.0 if self.role not in SIGNED and least >= 0 else -span
        return self._choose(low, span, least, most)

    def _choose(self, low: float, high: float, least: float, most: float) -> Scale:
        now = self._scale
        if now is not None and self._serves(now, low, high):
            scale = Scale(now.low, now.high, least < now.low, most > now.high)
        else:
            self._calm = 0
            # room is left only when an older scale was outgrown: a first picture is shown exactly
            room = _ROOM if now is not None and self.role != "pictures" else 1.0
            low, high = low * room, high * room
            scale = Scale(low, high, least < low, most > high)
        self._scale = scale
        return scale

    def _serves(self, now: Scale, low: float, high: float) -> bool:
        if low < now.low or high > now.high or (now.low == 0.0) != (low == 0.0):
            return False
        if (high - low) < _TINY * (now.high - now.low):
            return False
        if (high - low) < _NARROW * (now.high - now.low):
            if self._calm == 0:
                self._calm_since = monotonic()
            self._calm += 1
            return self._calm < _PATIENCE and monotonic() - self._calm_since < _WAIT
        self._calm = 0
        return True


def scale_of(values: Array, role: str) -> Scale:
    """The scale of one array seen once."""
    return StableScale(role).update(values)


def sample(values: Array) -> Array:
    """At most some twenty thousand of the finite values, evenly taken, 1-D."""
    flat = values.reshape(-1)
    if flat.size > _SAMPLE:
        # an odd stride, so that it does not keep hitting the same column
        flat = flat[:: (flat.size // _SAMPLE) | 1]
    with np.errstate(all="ignore"):
        if flat.dtype.kind != "f" or np.isfinite(flat.sum()):
            return flat
    return flat[np.isfinite(flat)]


def _percentile(flat: Array, share: float) -> float:
    """The value below which `share` percent lie; a tenth of the time of np.percentile on small arrays."""
    if share >= 100.0:
        return float(flat.max())
    place = min(flat.size - 1, round(share / 100.0 * (flat.size - 1)))
    return float(np.partition(flat, place)[place])


def _range(values: Array, role: str) -> tuple[float, float, float, float]:
    """Low and high end, smallest and largest value."""
    if role == "pictures":
        biggest = sample(values).max(initial=0.0)
        top = 255.0 if values.dtype == np.uint8 or biggest > 1.5 else 1.0
        return 0.0, top, 0.0, top
    flat = sample(values)
    if flat.size == 0:
        return (-1.0, 1.0, -1.0, 1.0) if role in SIGNED else (0.0, 1.0, 0.0, 1.0)
    least, most = float(flat.min()), float(flat.max())
    share = 100.0 if values.size <= FEW else PERCENTILE[role]
    if role in SIGNED:
        end = _percentile(np.abs(flat), share) or max(-least, most) or 1.0
        return -end, end, least, most
    low = 0.0 if least >= 0 else _percentile(flat, 100.0 - share)
    high = _percentile(flat, share) or most
    if high <= low:
        high = low + (abs(low) or 1.0)
    return low, high, least, most
