"""The one field in which people type numbers.

A stock spin box under a German locale turns a typed 0.01 into 1. Here point and comma are both the
decimal mark whatever the language, exponents and simple arithmetic are understood ("1/3", "2*(3+1)"),
and group separators never are, so no number is ever guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from gui import theme
from gui.i18n import format_number, tr

Number = int | float
_LIMIT = 120  # characters; also bounds the depth of parentheses
_TOKEN = re.compile(r"\s*(?:(\d[\d.,]*|[.,]\d[\d.,]*)((?:[eE][+-]?\d+)?)|([-+*/()]))")
_SPOKEN = str.maketrans({"−": "-", "×": "*", "·": "*", "÷": "/", ":": "/", "\u00a0": " ", "\u202f": " "})


class NumberError(ValueError):
    """What was typed is no number; the text says why, in the language in use."""


def parse(text: str) -> float:
    """The number `text` stands for: point or comma, exponent, + - * / and parentheses.

    Raises NumberError with a sentence for people; the result is always finite.
    """
    if not text.strip():
        raise NumberError(tr("Type a number."))
    if len(text) > _LIMIT:
        raise NumberError(tr("This is too long for a number."))
    try:
        value = _Parser(text.translate(_SPOKEN)).whole()
    except ZeroDivisionError:
        raise NumberError(tr("Division by zero.")) from None
    except (OverflowError, RecursionError):
        raise NumberError(tr("The result is too large.")) from None
    if not math.isfinite(value):
        raise NumberError(tr("The result is too large."))
    return value


class _Parser:
    """Sums of products of signed numbers and parentheses, by recursive descent."""

    def __init__(self, text: str) -> None:
        self._parts: list[float | str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise NumberError(tr("“{text}” is not a number.").format(text=text[at:].strip()[:20] or text))
            number, exponent, operator = found.groups()
            if number is not None and self._parts and isinstance(self._parts[-1], float):
                raise NumberError(tr("Type numbers without spaces or group separators."))
            self._parts.append(self._number(number, exponent) if number is not None else operator)
            at = found.end()
        self._at = 0

    @staticmethod
    def _number(digits: str, exponent: str) -> float:
        if digits.count(".") + digits.count(",") > 1:
            raise NumberError(tr("Type numbers without spaces or group separators."))
        return float(digits.replace(",", ".") + exponent)

    def whole(self) -> float:
        value = self._sum()
        if self._at != len(self._parts):
            raise self._unexpected()
        return value

    def _unexpected(self) -> NumberError:
        if self._at >= len(self._parts):
            return NumberError(tr("The calculation is not finished."))
        return NumberError(tr("“{text}” does not belong here.").format(text=self._parts[self._at]))

    def _take(self, *operators: str) -> str | None:
        if self._at < len(self._parts) and self._parts[self._at] in operators:
            self._at += 1
            return str(self._parts[self._at - 1])
        return None

    def _fold(self, term: Callable[[], float], *operators: str) -> float:
        value = term()
        while operator := self._take(*operators):
            other = term()
            value = {"+": value.__add__, "-": value.__sub__, "*": value.__mul__,
                     "/": value.__truediv__}[operator](other)  # fmt: skip
        return value

    def _sum(self) -> float:
        return self._fold(self._product, "+", "-")

    def _product(self) -> float:
        return self._fold(self._signed, "*", "/")

    def _signed(self) -> float:
        if sign := self._take("+", "-"):
            value = self._signed()
            return -value if sign == "-" else value
        if self._take("("):
            value = self._sum()
            if not self._take(")"):
                raise self._unexpected()
            return value
        if self._at < len(self._parts):
            part = self._parts[self._at]
            if isinstance(part, float):
                self._at += 1
                return part
        raise self._unexpected()


class NumberField(QLineEdit):
    """A number within limits. `value_changed` speaks only for the person, `set_value` is silent.

    What is typed is checked at every key and taken at Return or when the field is left; Escape brings
    the last value back. A text that is no number stays, marked, and `problem()` says why.
    Arrow keys, page keys and the wheel (only while focused) step the value.
    """

    value_changed = Signal(object)
    problem_changed = Signal(str)
    """At every key; half a number ("1e") is a problem, too, but not yet one to speak of."""
    refused = Signal(str)
    """What was typed is not taken, with the reason."""

    def __init__(
        self,
        value: Number = 0.0,
        *,
        minimum: Number | None = None,
        maximum: Number | None = None,
        integer: bool = False,
        exclusive_minimum: bool = False,
        step: Number | None = None,
        unit: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._integer = integer
        self._minimum, self._maximum = minimum, maximum
        self._exclusive = exclusive_minimum
        self._step = step
        self._unit = unit
        self._problem = ""
        self._wheel = 0
        self._value: Number = self._as_kind(value)
        self.setProperty("number", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)  # a file let go here is for the window
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.textEdited.connect(self._check)
        self.editingFinished.connect(self.commit)
        self._dress()
        self._show()
        theme.changed.connect(self._dress)

    # -- what others ask and say ------------------------------------------------------------------

    def value(self) -> Number:
        """The last valid value: int in integer mode, else float."""
        return self._value

    def set_value(self, value: Number) -> None:
        """Show `value` without a signal; limits are not applied to what the program sets."""
        self._value = self._as_kind(value)
        # a person in the middle of typing is not disturbed by a value that comes from outside
        if not (self.hasFocus() and self.isModified()):
            self._show()

    def set_range(self, minimum: Number | None, maximum: Number | None) -> None:
        """New limits for what is typed from now on."""
        self._minimum, self._maximum = minimum, maximum
        if self.isModified():
            self._check()

    def set_unit(self, unit: str) -> None:
        """A short unit shown inside the field, right of the number."""
        self._unit = unit
        self._dress()

    def problem(self) -> str:
        """Why the text in the field is not taken, or ""."""
        return self._problem

    def commit(self) -> bool:
        """Take what is typed; False and a problem when it cannot be taken."""
        if not self.isModified():
            return not self._problem
        try:
            value = self._read()
        except NumberError as error:
            self._set_problem(str(error))
            self.refused.emit(str(error))
            return False
        self._take_value(value)
        return True

    def step_by(self, steps: int) -> None:
        """Step up or down; without a fixed step by one unit of the leading digit: 0.01 to 0.02."""
        try:
            value: Number = self._read()
        except NumberError:
            value = self._value
        for _ in range(min(abs(steps), 1000)):
            value = self._next(value, 1 if steps > 0 else -1)
        self._take_value(self._as_kind(self._clamped(value)))

    # -- inside -----------------------------------------------------------------------------------

    def _read(self) -> Number:
        text = self.text().strip()
        if self._unit and text.endswith(self._unit) and text != self._unit:  # 12° in a field of degrees
            text = text.removesuffix(self._unit)
        value = parse(text)
        kind: Number = value
        if self._integer:
            kind = round(value)
            if abs(value - kind) > 1e-9 * max(1.0, abs(value)):
                raise NumberError(tr("Needs a whole number."))
        low, high = self._minimum, self._maximum
        if low is not None and (kind < low or (self._exclusive and kind == low)):
            template = (
                tr("Must be more than {limit}.") if self._exclusive else tr("Must be at least {limit}.")
            )
            raise NumberError(template.format(limit=format_number(low)))
        if high is not None and kind > high:
            raise NumberError(tr("Must be at most {limit}.").format(limit=format_number(high)))
        return kind

    def _take_value(self, value: Number) -> None:
        changed = value != self._value
        self._value = value
        self._show()
        if changed:
            self.value_changed.emit(value)

    def _as_kind(self, value: Number) -> Number:
        return round(value) if self._integer else float(value)

    def _clamped(self, value: Number) -> Number:
        if self._minimum is not None:
            value = max(value, self._minimum)
        if self._maximum is not None:
            value = min(value, self._maximum)
        # a limit that is itself excluded is never reached by stepping: keep what was there
        return self._value if self._exclusive and value == self._minimum else value

    def _next(self, value: Number, direction: int) -> Number:
        if self._step is not None:
            return value + direction * self._step
        if self._integer:
            return value + direction
        if value == 0:
            return direction * 0.1
        exponent = math.floor(math.log10(abs(value)) + 1e-12)
        shrinks = (value > 0) != (direction > 0)
        if shrinks and abs(value) < 10.0**exponent * (1 + 1e-9):
            exponent -= 1  # 0.01 goes down to 0.009, not to 0
        stepped = value + direction * 10.0**exponent
        return round(stepped, max(0, 2 - exponent))

    def _check(self) -> None:
        try:
            self._read()
        except NumberError as error:
            self._set_problem(str(error))
        else:
            self._set_problem("")

    def _show(self) -> None:
        self.setText(format_number(self._value))
        self.setModified(False)
        self.setCursorPosition(0)
        self._set_problem("")

    def _set_problem(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        self.setToolTip(problem)
        self.setAccessibleDescription(problem)
        self.setProperty("invalid", bool(problem))
        self.style().unpolish(self)
        self.style().polish(self)
        self.problem_changed.emit(problem)

    def _dress(self) -> None:
        self.setFont(theme.mono_font())
        room = theme.px(6) + self._unit_width() if self._unit else 0
        self.setTextMargins(0, 0, room, 0)
        self.updateGeometry()
        self.update()

    def _unit_width(self) -> int:
        from PySide6.QtGui import QFontMetrics

        return QFontMetrics(theme.ui_font(11)).horizontalAdvance(self._unit)

    # -- Qt ---------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Nine digits wide, the same for every field, so that columns of fields line up."""
        hint = super().sizeHint()
        width = self.fontMetrics().horizontalAdvance("0" * 9) + theme.px(18)
        return QSize(width + (self.textMargins().right() if self._unit else 0), hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(56), super().minimumSizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10,
        }.get(Qt.Key(event.key()))  # fmt: skip
        if steps is not None and not self.isReadOnly():
            self.step_by(steps)
            self.selectAll()
        elif event.key() == Qt.Key.Key_Escape and (self.isModified() or self._problem):
            self._show()
            self.selectAll()
        else:
            super().keyPressEvent(event)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._problem:
                self.clearFocus()  # done: the next key is not meant for the number

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hasFocus() or self.isReadOnly():
            event.ignore()  # the page scrolls, no number changes unseen
            return
        self._wheel += event.angleDelta().y()
        steps = int(self._wheel / 120)
        self._wheel -= steps * 120
        if steps:
            self.step_by(steps)
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._unit:
            return
        painter = QPainter(self)
        painter.setFont(theme.ui_font(11))
        painter.setPen(theme.color("text3"))
        room = self.rect().adjusted(0, 0, -theme.px(8), 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)
