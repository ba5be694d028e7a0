"""The look in numbers: contrast ratios, a palette and style sheet for both themes, icons that render."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontDatabase, QFontInfo, QPalette
from pytestqt.qtbot import QtBot

from gui import colormaps, icons, resources, theme, tokens
from gui.tokens import DARK, LIGHT, THEMES, Theme, contrast

SURFACES = ("window", "panel", "raised", "canvas")
# the lowest ratio each token promises on any surface, dark and light
PROMISED = {
    "text1": (12.9, 14.6), "text2": (7.0, 7.0), "text3": (4.5, 4.6), "link": (3.4, 3.1),
    "accent": (6.2, 4.7), "danger": (5.9, 7.0), "warning": (6.9, 4.4),
    "ok": (7.2, 4.8),
    "border": (1.2, 1.2),  # decorative: nothing is told by a border alone
}  # fmt: skip
KINDS_ON_RAISED = {
    "data": (10.7, 6.0), "linear": (4.6, 7.1), "activation": (5.0, 7.5), "pooling": (9.6, 9.2),
    "normalize": (10.7, 4.5), "merge": (6.5, 11.9), "transform": (4.6, 4.3),
    "recurrent": (6.3, 10.4), "loss": (7.5, 4.4),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _dark_again(qtbot: QtBot) -> Iterator[None]:
    yield
    theme.set_theme("dark", presentation=False, reduced_motion=False)


@pytest.mark.parametrize("token", PROMISED)
@pytest.mark.parametrize("which", [0, 1])
def test_a_token_keeps_its_contrast_on_every_surface(token: str, which: int) -> None:
    of = (DARK, LIGHT)[which]
    worst = min(contrast(getattr(of, token), getattr(of, surface)) for surface in SURFACES)
    # the promises are rounded to one decimal
    assert worst >= PROMISED[token][which] - 0.051


@pytest.mark.parametrize("kind", tokens.KINDS)
def test_kind_colors_on_raised(kind: str) -> None:
    for of, ratio in zip((DARK, LIGHT), KINDS_ON_RAISED[kind], strict=True):
        assert contrast(of.kind(kind), of.raised) == pytest.approx(ratio, abs=0.051)


def test_text_on_the_accent_and_small_warnings() -> None:
    assert contrast(DARK.onaccent, DARK.accent) == pytest.approx(7.5, abs=0.051)
    assert contrast(LIGHT.onaccent, LIGHT.accent) == pytest.approx(5.7, abs=0.051)
    assert min(contrast(LIGHT.warning, LIGHT.panel), contrast(LIGHT.warning, LIGHT.raised)) >= 4.95
    # the light trace is a dark line inside a yellow halo: the pair is what carries it
    assert contrast(DARK.trace, DARK.raised) >= 10.3
    assert contrast(LIGHT.trace, LIGHT.raised) >= 10.4


def test_problem_and_selection_texts_on_their_own_grounds() -> None:
    for of in THEMES.values():
        for ink, ground in (("text1", "dangerbg"), ("text1", "warnbg"), ("text1", "accentbg"),
                            ("danger", "dangerbg"), ("text1", "field"), ("text2", "field")):  # fmt: skip
            assert contrast(getattr(of, ink), getattr(of, ground)) >= 4.5, (of.name, ink, ground)


@pytest.mark.parametrize("of", [DARK, LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("role", colormaps.ROLES)
def test_ink_on_any_cell_is_legible_and_zero_takes_the_end_nearest_the_theme(of: Theme, role: str) -> None:
    ramp = colormaps.lut_of(of, role)
    assert ramp.shape == (256, 3)
    assert ramp.dtype == np.uint8
    hexes = ["#{:02X}{:02X}{:02X}".format(*row) for row in ramp]
    assert min(contrast(tokens.ink_on(h), h) for h in hexes) >= 4.55
    if role == "pictures":
        return
    zero = hexes[128 if role in colormaps.SIGNED else 0]
    assert (tokens.luminance(zero) < 0.05) if of.is_dark else (tokens.luminance(zero) > 0.7)


@pytest.mark.parametrize("of", [DARK, LIGHT], ids=lambda t: t.name)
def test_activations_grow_steadily_in_luminance(of: Theme) -> None:
    hexes = ["#{:02X}{:02X}{:02X}".format(*row) for row in colormaps.lut_of(of, "activations")]
    steps = np.diff([tokens.luminance(h) for h in hexes])
    assert np.all((steps if of.is_dark else -steps) > -1e-3)


def test_lut32_holds_the_same_colors() -> None:
    for of in THEMES.values():
        for role in colormaps.ROLES:
            words = colormaps.lut32_of(of, role)
            ramp = colormaps.lut_of(of, role).astype(np.uint32)
            assert np.array_equal(words & 0xFFFFFF, (ramp[:, 0] << 16) | (ramp[:, 1] << 8) | ramp[:, 2])
            assert np.all(words >> 24 == 0xFF)


def test_switching_the_theme_tells_everyone_and_repaints_the_palette(qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.changed, timeout=1000):
        theme.set_theme("light")
    assert theme.theme() is LIGHT
    from PySide6.QtWidgets import QApplication

    assert QApplication.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.panel)
    with pytest.raises(KeyError):
        theme.set_theme("purple")


def test_the_style_sheet_is_filled_in_completely(qtbot: QtBot) -> None:
    for of in THEMES.values():
        sheet = theme.style_sheet(of)
        assert "@" not in re.sub(r'url\("[^"]*"\)', "", sheet)
        for mark in set(re.findall(r'url\("([^"]+)"\)', sheet)):
            with open(mark, encoding="utf-8") as file:
                assert "currentColor" not in file.read()


def test_presentation_mode_is_half_again_as_large(qtbot: QtBot) -> None:
    theme.set_theme("dark", presentation=True)
    assert theme.px(13) == 20
    assert theme.ui_font().pixelSize() == 20
    theme.set_theme("dark", presentation=False)
    assert theme.ui_font().pixelSize() == 13


def test_reduced_motion_stops_every_movement() -> None:
    assert theme.duration("tidy") == 240
    theme.set_theme("dark", reduced_motion=True)
    assert all(theme.duration(name) == 0 for name in tokens.MOTION)


def test_the_bundled_fonts_are_the_ones_used(qtbot: QtBot) -> None:
    for name in theme.FONT_FILES:
        assert resources.path("fonts", name).is_file()
        assert QFontDatabase.addApplicationFont(str(resources.path("fonts", name))) >= 0
    assert QFontInfo(theme.ui_font(13, theme.SEMIBOLD)).family() == "Inter"
    assert QFontInfo(theme.mono_font(13)).family() == "JetBrains Mono"
    assert "Open Font License" in resources.path("fonts", "NOTICE.txt").read_text(encoding="utf-8")


def test_every_icon_draws_something_in_the_color_asked_for(qtbot: QtBot) -> None:
    assert len(icons.names()) > 60
    for name in icons.names():
        text = resources.path("icons", f"{name}.svg").read_text(encoding="utf-8")
        assert 'viewBox="0 0 24 24"' in text and "currentColor" in text, name
        image = icons.pixmap(name, "#FF0000", 24, 2.0).toImage()
        assert image.width() == 48
        seen = {image.pixelColor(x, y).name() for x in range(48) for y in range(48)
                if image.pixelColor(x, y).alpha() > 200}  # fmt: skip
        assert "#ff0000" in seen or any(QColor(c).red() > 240 and QColor(c).green() < 10 for c in seen), name


def test_an_icon_on_a_button_follows_the_theme(qtbot: QtBot) -> None:
    made = icons.icon("play", "text1")

    def middle() -> str:
        return made.pixmap(QSize(32, 32), 1.0).toImage().pixelColor(15, 16).name()

    theme.set_theme("dark")
    dark = middle()
    theme.set_theme("light")
    assert (dark, middle()) == (DARK.text1.lower(), LIGHT.text1.lower())
    with pytest.raises(FileNotFoundError):
        icons.icon("no-such-icon")


def test_the_window_has_an_icon(qtbot: QtBot) -> None:
    image = icons.app_icon().pixmap(QSize(32, 32), 1.0).toImage()
    assert image.width() == 32
    assert image.pixelColor(16, 4).name() == "#14161a"


def test_pixmaps_are_kept(qtbot: QtBot) -> None:
    first = icons.pixmap("save", "text2", 18, 1.0)
    assert icons.pixmap("save", "text2", 18, 1.0).cacheKey() == first.cacheKey()
    assert icons.pixmap("save", "text2", 18, 2.0).cacheKey() != first.cacheKey()


def test_every_icon_named_in_the_window_exists() -> None:
    folder = Path(icons.__file__).parent
    named = re.compile(r'icons?\.(?:icon|pixmap|paint|kind_tile)\([^"()]*"([\w-]+)"|icon="([\w-]+)"')
    found = {
        (file.name, first or second)
        for file in folder.rglob("*.py")
        for first, second in named.findall(file.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    # a color token may be the first text where the icon's name is a variable
    unknown = [(file, name) for file, name in found if name not in icons.names() and not hasattr(DARK, name)]
    assert not unknown
