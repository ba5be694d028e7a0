"""Words and numbers in the language of the person at the screen.

English in the source is the key; `resources/translations/<language>/LC_MESSAGES/matrizen.mo` holds
the rest. Only the standard library's gettext is used, so the command line needs no Qt for it; Qt's
own dialogs get Qt's own translator when an application exists.
"""

from __future__ import annotations

import gettext
import math
from string import Formatter
from typing import Any

from engine.errors import MatrizenError, Message
from gui import resources

DOMAIN = "matrizen"
LANGUAGES: dict[str, str] = {"en": "English", "de": "Deutsch"}
MINUS = "\N{MINUS SIGN}"
# (decimal point, group separator) as typed in running text of that language
_SEPARATORS = {"en": (".", ","), "de": (",", ".")}

_catalog: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"
_qt_translators: list[Any] = []  # Qt keeps no reference of its own


def install(language: str | None = None) -> str:
    """Switch to `language` ("en", "de", or None for the system's) and return what is used.

    Unknown languages become English. Widgets that exist keep their texts: install before the window
    is built, or rebuild it.
    """
    global _catalog, _language
    wanted = (language or _system_language()).replace("-", "_").split("_")[0].lower()
    _language = wanted if wanted in LANGUAGES else "en"
    _catalog = gettext.translation(
        DOMAIN, str(resources.path("translations")), languages=[_language], fallback=True
    )
    _install_qt()
    return _language


def language() -> str:
    """The language in use: "en" or "de"."""
    return _language


def tr(text: str) -> str:
    """The translation of `text`; format it afterwards: `tr("Epoch {n}").format(n=3)`."""
    return _catalog.gettext(text) if text else text


def trn(singular: str, plural: str, n: int) -> str:
    """The form of a text for `n` things: `trn("{n} weight", "{n} weights", n).format(n=n)`."""
    return _catalog.ngettext(singular, plural, n)


def tr_message(message: Message | MatrizenError) -> str:
    """An engine's message in the language in use, its numbers written the way that language does.

    A broken translation (a field misspelt in the catalog) falls back to the English sentence.
    """
    plain = message.message if isinstance(message, MatrizenError) else message
    try:
        return _Speaker().vformat(tr(plain.template), (), plain.values)
    except (KeyError, IndexError, ValueError):
        return str(plain)


def number(value: float, decimals: int, *, sign: bool = False, group: bool = True) -> str:
    """`value` with fixed decimals, a true minus and this language's point and grouping.

    `sign` writes + in front of positive numbers too. A value that rounds to zero has no minus.
    Infinity is written as its symbol, not-a-number as "NaN".
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return (MINUS if value < 0 else "+" if sign else "") + "∞"
    text = f"{abs(value):,.{decimals}f}" if group else f"{abs(value):.{decimals}f}"
    negative = value < 0 and any(c in "123456789" for c in text)
    prefix = MINUS if negative else "+" if sign and value > 0 else ""
    return prefix + _localized(text)


def integer(n: int) -> str:
    """A whole number with a true minus and grouping: 1,168 or 1.168."""
    return number(n, 0) if abs(n) < 2**53 else (MINUS if n < 0 else "") + _localized(f"{abs(n):,}")


def short(value: float, digits: int = 3) -> str:
    """`value` to about `digits` significant digits, with a power of ten when it is far from 1.

    0.000123 becomes 1.23·10⁻⁴; for labels that must stay narrow whatever the network does.
    """
    if value == 0 or not math.isfinite(value):
        return number(value, 0)
    exponent = math.floor(math.log10(abs(value)))
    if -4 <= exponent < max(digits, 5):
        return number(value, max(0, digits - 1 - exponent))
    mantissa = round(value / 10.0**exponent, digits - 1)
    if abs(mantissa) >= 10:
        mantissa, exponent = mantissa / 10, exponent + 1
    return f"{number(mantissa, digits - 1)}·10{superscript(exponent)}"


def superscript(n: int) -> str:
    """A whole number in raised digits: -4 becomes ⁻⁴."""
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def decimal_point() -> str:
    """The decimal point of the language in use."""
    return _SEPARATORS[_language][0]


def _localized(english: str) -> str:
    point, group = _SEPARATORS[_language]
    return english.translate(str.maketrans(".,", point + group))


class _Speaker(Formatter):
    """Formats a message's values; bare numbers are written as this language writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Message | MatrizenError):
            return tr_message(value)
        text = str(super().format_field(value, format_spec))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return text
        # years, seeds and sizes are whole numbers too: no grouping is added, only the point changes
        return _localized(text.replace("-", MINUS))


def _system_language() -> str:
    # Qt knows the system's language on Windows and macOS too; without Qt the environment decides
    try:
        from PySide6.QtCore import QLocale
    except ImportError:
        import locale

        return locale.getlocale()[0] or "en"
    names = QLocale.system().uiLanguages()
    return names[0] if names else "en"


def _install_qt() -> None:
    try:
        from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
    except ImportError:
        return
    QLocale.setDefault(QLocale(_language))
    application = QCoreApplication.instance()
    if application is None:
        return
    while _qt_translators:
        application.removeTranslator(_qt_translators.pop())
    if _language == "en":
        return
    translator = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{_language}", folder):
        application.installTranslator(translator)
        _qt_translators.append(translator)


def format_number(value: int | float) -> str:
    """`value` the way it would be typed in the language in use: shortest, no grouping."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.10g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace(".", decimal_point())
