"""The tokens of the look: every color, size and space of the window, in this one place.

Pure data and color arithmetic, no Qt, so that the contrast claims can be computed by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from types import MappingProxyType

KINDS = (
    "data", "linear", "activation", "pooling", "normalize", "merge", "transform", "recurrent", "loss",
)  # fmt: skip

# petroff10 (CC0): ten class colors told apart under the common color-vision deficiencies
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip

SPACE = (4, 8, 12, 16, 24, 32, 48)
RADIUS_FIELD, RADIUS_BUTTON, RADIUS_NODE, RADIUS_CARD = 5, 6, 8, 10
LINE_HAIR, LINE_CURVE, LINE_RING, LINE_TRACE, RING_GAP = 1, 2, 2, 2.5, 2
# type scale in logical pixels: size -> line height
CAPTION, STATUS, BASE, TITLE, HEADING, FIGURE = 11, 12, 13, 15, 20, 26
LINE_HEIGHT: Mapping[int, int] = MappingProxyType(
    {CAPTION: 16, STATUS: 16, BASE: 18, TITLE: 20, HEADING: 28, FIGURE: 32}
)
# milliseconds; with reduced motion all of them are 0
MOTION: Mapping[str, int] = MappingProxyType({"hover": 80, "fold": 160, "fit": 160, "tidy": 240, "ring": 200})
TOAST_MS = 6000


@dataclass(frozen=True)
class Theme:
    """All colors of one theme as `#RRGGBB` (`shadow` as `#AARRGGBB`); `colormaps` by role."""

    name: str
    is_dark: bool
    window: str
    panel: str
    raised: str
    canvas: str
    grid: str
    border: str
    hair: str
    field: str
    text1: str
    text2: str
    text3: str
    accent: str
    onaccent: str
    accentbg: str
    focus: str
    trace: str
    tracebg: str
    ontrace: str
    danger: str
    dangerbg: str
    warning: str
    warnbg: str
    ok: str
    okbg: str
    link: str
    shadow: str
    train: str
    test: str
    histogram: str
    negative: str
    positive: str
    kinds: Mapping[str, str] = dataclass_field(default_factory=dict, hash=False)
    colormaps: Mapping[str, str] = dataclass_field(default_factory=dict, hash=False)

    def kind(self, kind: str) -> str:
        """The color of a layer category; a category that is not known is drawn as a merge."""
        return self.kinds.get(kind, self.kinds["merge"])


DARK = Theme(
    name="dark", is_dark=True,
    window="#14161A", panel="#1B1E24", raised="#23272F", canvas="#101216", grid="#22262D",
    border="#30353F", hair="#272B33", field="#15181D",
    text1="#ECEEF2", text2="#ABB2BE", text3="#868E9C",
    accent="#6AA8FF", onaccent="#0B1626", accentbg="#1F3047", focus="#9CC4FF",
    trace="#FFD24A", tracebg="#463C17", ontrace="#1D1800",
    danger="#FF7A70", dangerbg="#41211F", warning="#F59A4C", warnbg="#3C2E16",
    ok="#56C992", okbg="#17372A", link="#707988", shadow="#73000000",
    train="#6AA8FF", test="#FFB454", histogram="#565C66",
    negative="#8FA9F5", positive="#FF9A92",
    kinds=MappingProxyType(dict(zip(KINDS, (
        "#A3E4FA", "#4A8CFF", "#E07A1F", "#7BE3B4", "#E0E05A", "#A7ABB4", "#F0568F", "#BE9AD6", "#FF9E8A",
    ), strict=True))),
    colormaps=MappingProxyType(
        {"weights": "berlin", "gradients": "vanimo", "activations": "mako", "pictures": "gray"}
    ),
)  # fmt: skip

LIGHT = Theme(
    name="light", is_dark=False,
    window="#E6E9ED", panel="#F6F7F9", raised="#FFFFFF", canvas="#EFF1F4", grid="#DADEE4",
    border="#CBD1D9", hair="#DFE3E8", field="#FFFFFF",
    text1="#15181D", text2="#454D59", text3="#5F6875",
    accent="#1C63CC", onaccent="#FFFFFF", accentbg="#DCE8FA", focus="#1C63CC",
    trace="#3D3200", tracebg="#FFD84D", ontrace="#FFFFFF",
    danger="#98161F", dangerbg="#FBE3E1", warning="#8F6200", warnbg="#FCEFD6",
    ok="#17734A", okbg="#DDF3E7", link="#7A8493", shadow="#291E283C",
    train="#1C63CC", test="#A34E00", histogram="#A3A9B3",
    negative="#2B5FA8", positive="#A8442A",
    kinds=MappingProxyType(dict(zip(KINDS, (
        "#2E6B78", "#3E43D2", "#7A4A00", "#0E5238", "#837800", "#33373F", "#A8629F", "#5A2680", "#C4554F",
    ), strict=True))),
    colormaps=MappingProxyType(
        {"weights": "vik", "gradients": "bam", "activations": "mako_r", "pictures": "gray"}
    ),
)  # fmt: skip


def high_contrast(of: Theme) -> Theme:
    """A theme for a projector in a room that is not dark: ground and ink at the ends of the scale."""
    if of.is_dark:
        return replace(
            of, window="#000000", panel="#000000", canvas="#000000", field="#000000", raised="#15181D",
            border="#8A93A3", hair="#4A515E", link="#A9B2C0", grid="#2C323B",
            text1="#FFFFFF", text2="#E6E9EF", text3="#C3C9D4",
        )  # fmt: skip
    return replace(
        of, window="#FFFFFF", panel="#FFFFFF", canvas="#FFFFFF", field="#FFFFFF", raised="#FFFFFF",
        border="#5F6875", hair="#A3ABB6", link="#4A535F", grid="#C4CAD2",
        text1="#000000", text2="#1E242D", text3="#333B46",
    )  # fmt: skip


THEMES: Mapping[str, Theme] = MappingProxyType({"dark": DARK, "light": LIGHT})


def rgb(color: str) -> tuple[int, int, int]:
    """`#RRGGBB` or `#AARRGGBB` as three numbers 0..255; alpha is dropped."""
    digits = color.lstrip("#")[-6:]
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def mix(color: str, other: str, share: float) -> str:
    """`color` with `share` (0..1) of `other` in it, mixed in sRGB as the drawings do."""
    mixed = (round(a + (b - a) * share) for a, b in zip(rgb(color), rgb(other), strict=True))
    return "#{:02X}{:02X}{:02X}".format(*mixed)


def luminance(color: str) -> float:
    """WCAG 2 relative luminance, 0..1."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb(color))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color: str, other: str) -> float:
    """WCAG 2 contrast ratio, 1..21."""
    high, low = sorted((luminance(color), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink_on(color: str) -> str:
    """Black or white, whichever contrasts more with `color`; never below 4.58."""
    light = luminance(color) + 0.05
    return "#000000" if light * light >= 0.05 * 1.05 else "#FFFFFF"  # light / 0.05 against 1.05 / light
