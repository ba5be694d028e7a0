"""The current theme: fonts, palette and style sheet made from the tokens, and the signal `changed`.

`set_theme("dark" | "light")` switches a running application. Painters ask `theme()` while they paint
and drop their caches when `changed` is emitted; nothing else in the window names a color.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from gui import resources, tokens
from gui.colormaps import lut32_of, lut_of
from gui.tokens import THEMES, Theme

UI_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"
FONT_FILES = (
    "Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf",
    "JetBrainsMono-Regular.ttf", "JetBrainsMono-Medium.ttf", "JetBrainsMono-Bold.ttf",
)  # fmt: skip
REGULAR, MEDIUM, SEMIBOLD, BOLD = (
    QFont.Weight.Normal, QFont.Weight.Medium, QFont.Weight.DemiBold, QFont.Weight.Bold,
)  # fmt: skip


class _Notifier(QObject):
    changed = Signal()


class _State:
    """What the module remembers: one object, so that tests can look at it."""

    def __init__(self) -> None:
        self.theme = tokens.DARK
        self.scale = 1.0
        self.reduced_motion = False
        self.fonts_loaded = False
        self.marks: QTemporaryDir | None = None  # tinted pictures the style sheet points to


_notifier = _Notifier()
_state = _State()
changed = _notifier.changed  # connect with theme.changed.connect(slot)


def theme() -> Theme:
    """The tokens in use."""
    return _state.theme


def color(token: str, alpha: int = 255) -> QColor:
    """A token of the current theme ("text1", "accent", ...) as QColor. Raises AttributeError."""
    found = QColor(_parsed(getattr(_state.theme, token)))
    if alpha != 255:
        found.setAlpha(alpha)
    return found


@lru_cache(maxsize=256)
def _parsed(text: str) -> QColor:
    """Reading a text takes ten times as long as copying a color. Never handed out itself: it could change."""
    return QColor(text)


def kind_color(kind: str) -> QColor:
    """The color of a layer category ("linear", "pooling", ...)."""
    return QColor(_state.theme.kind(kind))


def class_color(index: int) -> QColor:
    """The color of class `index` (from 0); after ten they repeat, told apart by shape."""
    return QColor(tokens.CLASSES[index % len(tokens.CLASSES)])


def lut(role: str) -> NDArray[np.uint8]:
    """The (256, 3) u8 ramp of "weights", "gradients", "activations" or "pictures"."""
    return lut_of(_state.theme, role)


def lut32(role: str) -> NDArray[np.uint32]:
    """The same ramp as 256 pixels of QImage.Format_RGB32."""
    return lut32_of(_state.theme, role)


def px(value: float) -> int:
    """A length of the drawings in logical pixels, 1.5 times as long in presentation mode."""
    return round(value * _state.scale)


def scale() -> float:
    """1.0, or 1.5 in presentation mode."""
    return _state.scale


def duration(name: str) -> int:
    """Milliseconds of a movement ("hover", "fold", "fit", "tidy", "ring"); 0 with reduced motion."""
    return 0 if _state.reduced_motion else tokens.MOTION[name]


def ui_font(size: float = tokens.BASE, weight: QFont.Weight = REGULAR) -> QFont:
    """Inter at `size` logical pixels with tabular figures and the single-storey a of the drawings."""
    return QFont(_ui_font(max(1, px(size)), weight))


@lru_cache(maxsize=128)
def _ui_font(pixels: int, weight: QFont.Weight) -> QFont:
    """Kept, because Qt keeps what it found out about a font with the font; copies share it."""
    load_fonts()
    font = QFont(UI_FAMILY)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    font.setFeature(QFont.Tag("cv11"), 1)
    return font


def mono_font(size: float = tokens.BASE, weight: QFont.Weight = REGULAR) -> QFont:
    """JetBrains Mono at `size` logical pixels, for numbers in matrices; ligatures off."""
    return QFont(_mono_font(max(1, px(size)), weight))


@lru_cache(maxsize=128)
def _mono_font(pixels: int, weight: QFont.Weight) -> QFont:
    load_fonts()
    font = QFont(MONO_FAMILY)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def value_font(text: str, size: float = tokens.BASE, weight: QFont.Weight = REGULAR) -> QFont:
    """The font for one value: monospaced digits, but the UI's where JetBrains Mono's powers gape."""
    return ui_font(size, weight) if "·10" in text else mono_font(size, weight)


def load_fonts() -> None:
    """Register the bundled faces once; missing files fall back to the system's fonts."""
    if _state.fonts_loaded or QGuiApplication.instance() is None:
        return
    _state.fonts_loaded = True
    for name in FONT_FILES:
        QFontDatabase.addApplicationFont(str(resources.path("fonts", name)))


def system_theme() -> str:
    """ "light" if the desktop says so, else "dark"; a bare Linux says nothing."""
    application = QGuiApplication.instance()
    is_light = (
        isinstance(application, QGuiApplication)
        and application.styleHints().colorScheme() == Qt.ColorScheme.Light
    )
    return "light" if is_light else "dark"


def set_theme(name: str, *, presentation: bool | None = None, reduced_motion: bool | None = None) -> None:
    """Switch to "dark", "light" or "system", and tell everyone. Raises KeyError for other names."""
    chosen = THEMES[system_theme() if name == "system" else name]
    if presentation is not None:
        _state.scale = 1.5 if presentation else 1.0
    _state.theme = tokens.high_contrast(chosen) if _state.scale > 1 else chosen
    if reduced_motion is not None:
        _state.reduced_motion = reduced_motion
    application = QApplication.instance()
    if isinstance(application, QApplication):
        _apply(application)
    changed.emit()


def palette(of: Theme | None = None) -> QPalette:
    """The Fusion palette of a theme, for everything the style sheet does not reach."""
    t = of or _state.theme
    made = QPalette()
    role = QPalette.ColorRole
    pairs = {
        role.Window: t.panel, role.WindowText: t.text1, role.Base: t.field, role.AlternateBase: t.panel,
        role.Text: t.text1, role.Button: t.raised, role.ButtonText: t.text1, role.BrightText: t.danger,
        role.ToolTipBase: t.raised, role.ToolTipText: t.text1, role.PlaceholderText: t.text3,
        role.Highlight: t.accent, role.HighlightedText: t.onaccent, role.Link: t.accent,
        role.LinkVisited: t.accent, role.Accent: t.accent, role.Light: t.raised, role.Midlight: t.hair,
        role.Mid: t.border, role.Dark: t.border, role.Shadow: t.canvas,
    }  # fmt: skip
    for which, value in pairs.items():
        made.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        # 60 % towards the panel: plainly off, still legible
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.mix(t.text3, t.panel, 0.35)))
    return made


def style_sheet(of: Theme | None = None) -> str:
    """The style sheet: `resources/styles/matrizen.qss` with every `@token` filled in.

    Besides the colors it knows `@px(13)` (scaled lengths), `@ui`, `@mono` and `@mark(name,token)`, the
    address of a tinted icon. Raises AttributeError for a token that does not exist.
    """
    t = of or _state.theme
    template = resources.path("styles", "matrizen.qss").read_text(encoding="utf-8")
    derived = {
        "ui": UI_FAMILY,
        "mono": MONO_FAMILY,
        "disabled": tokens.mix(t.text3, t.panel, 0.35),
        "hover": tokens.mix(t.raised, t.text1, 0.06),
        "pressed": tokens.mix(t.raised, t.canvas, 0.5),
        "knob": "#FFFFFF",
        "accenthover": tokens.mix(t.accent, t.text1, 0.14),
    }

    def fill(match: re.Match[str]) -> str:
        icon, tint, length, name = match.groups()
        if icon is not None:
            return _mark(icon, getattr(t, tint))
        if length is not None:
            return f"{px(float(length))}px"
        return derived.get(name) or str(getattr(t, name))

    return re.sub(r"@(?:mark\(([\w-]+),(\w+)\)|px\(([\d.]+)\)|(\w+))", fill, template)


def _apply(application: QApplication) -> None:
    load_fonts()
    if application.style().objectName().lower() != "fusion":
        application.setStyle("Fusion")
    application.setPalette(palette())
    application.setFont(ui_font())
    application.setStyleSheet(style_sheet())


def _mark(name: str, tint: str) -> str:
    """A tinted copy of an icon on disk: style sheets take addresses, not colors."""
    if _state.marks is None:
        _state.marks = QTemporaryDir()
    target = Path(_state.marks.path()) / f"{name}-{tint.lstrip('#')}.svg"
    if not target.exists():
        source = resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")
        target.write_text(source.replace("currentColor", tint), encoding="utf-8")
    return target.as_posix()
