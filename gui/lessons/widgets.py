"""Parts of a lesson's page: a thing to do, a question with answers, a question for a number, the progress."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gui import icons, theme
from gui.i18n import tr
from gui.lessons.lesson import Question, Task
from gui.lessons.rich import RichText, plain
from gui.number_field import NumberError, parse


class TaskRow(QWidget):
    """A box that the program ticks, what is to be done, and "Show me" where there is a place to show."""

    show_me = Signal(object)
    term_chosen = Signal(str)

    def __init__(self, task: Task, *, can_show: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = task
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        self._box = QLabel()
        self._box.setFixedSize(theme.px(18), theme.px(18))
        self._box.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self._box, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        self._text = RichText()
        self._text.set_source(task.text)
        self._text.term_chosen.connect(self.term_chosen)
        column.addWidget(self._text)
        self.hint = QPushButton(tr("Show me"))
        self.hint.setProperty("kind", "link")
        self.hint.setObjectName(f"show_{task.id}")
        self.hint.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hint.clicked.connect(lambda: self.show_me.emit(self.task))
        self._can_show = can_show
        column.addWidget(self.hint, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(column, 1)
        self.done = False
        self.set_done(False)

    def set_done(self, done: bool) -> None:
        """Tick it, or not."""
        self.done = done
        now = theme.theme()
        edge, ground = (now.ok, now.okbg) if done else (now.link, now.field)
        self._box.setStyleSheet(
            f"border: 1px solid {edge}; border-radius: {theme.px(4)}px; background: {ground};"
        )
        if done:
            self._box.setPixmap(icons.pixmap("check", "ok", theme.px(14)))
        else:
            self._box.clear()
        self.hint.setVisible(self._can_show and not done)
        words = tr("done") if done else tr("to do")
        self.setAccessibleName(f"{plain(self.task.text)} ({words})")


class Feedback(QWidget):
    """A tick or a cross, and a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.px(2), 0, 0)
        row.setSpacing(theme.px(8))
        self._sign = QLabel()
        self._text = RichText()
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.hide()

    def say(self, right: bool, text: str) -> None:
        """Show it."""
        sign, tint = ("check", "ok") if right else ("close", "warning")
        self._sign.setPixmap(icons.pixmap(sign, tint, theme.px(16)))
        words = tr("Right.") if right else tr("Not yet.")
        self._text.set_source(f"**{words}** {text}")
        self.setAccessibleName(plain(self._text.words()))
        self.show()

    def text(self) -> str:
        """What is said, "" while nothing is."""
        return "" if self.isHidden() else plain(self._text.words())


class AnswerRow(QFrame):
    """One answer, chosen by a click, Return or Space."""

    chosen = Signal(int)

    def __init__(self, index: int, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index = index
        self.setObjectName("lesson_answer")
        self.setAccessibleName(plain(text))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(10), theme.px(5), theme.px(10), 0)
        self._text = RichText()
        self._text.set_source(text)
        self._text.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(self._text)
        self.set_state("")

    def set_state(self, state: str) -> None:
        """ "right", "wrong" or ""."""
        self.setProperty("surface", {"right": "right", "wrong": "warning"}.get(state, "raised"))
        self.style().unpolish(self)
        self.style().polish(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.index)
        else:
            super().keyPressEvent(event)


class QuestionCard(QFrame):
    """`answered(id, right)` with every answer given; a wrong one can be followed by another."""

    answered = Signal(str, bool)

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = question
        self.setProperty("surface", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(12),) * 4)
        column.setSpacing(theme.px(6))
        text = RichText()
        head = tr("Question")
        text.set_source(f"**{head}** · {question.text}")
        column.addWidget(text)
        self.rows: list[AnswerRow] = []
        self.field: QLineEdit | None = None
        for index, answer in enumerate(question.answers):
            row = AnswerRow(index, answer.text)
            row.chosen.connect(self.choose)
            column.addWidget(row)
            self.rows.append(row)
        if question.number is not None:
            column.addLayout(self._number_line())
        self.feedback = Feedback()
        column.addWidget(self.feedback)

    def _number_line(self) -> QHBoxLayout:
        line = QHBoxLayout()
        self.field = QLineEdit()
        self.field.setProperty("number", True)
        self.field.setObjectName(f"answer_{self.question.id}")
        self.field.setAccessibleName(plain(self.question.text))
        self.field.setFixedWidth(theme.px(120))
        self.field.returnPressed.connect(self._check)
        button = QPushButton(tr("Check"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setObjectName(f"check_{self.question.id}")
        button.clicked.connect(self._check)
        line.addWidget(self.field)
        line.addWidget(button)
        line.addStretch(1)
        return line

    def choose(self, index: int) -> None:
        """Give an answer."""
        answer = self.question.answers[index]
        for row in self.rows:
            row.set_state(("right" if answer.right else "wrong") if row.index == index else "")
        self.feedback.say(answer.right, answer.feedback)
        self.answered.emit(self.question.id, answer.right)

    def _check(self) -> None:
        assert self.field is not None
        try:
            given = parse(self.field.text())
        except NumberError as problem:
            self.feedback.say(False, str(problem))
            return
        right = is_right(self.question, given)
        self.feedback.say(right, self.question.feedback[0 if right else 1])
        self.answered.emit(self.question.id, right)

    def show_solved(self) -> None:
        """It was answered before."""
        for row, answer in zip(self.rows, self.question.answers, strict=False):
            if answer.right:
                row.set_state("right")
        said = next((a.feedback for a in self.question.answers if a.right), self.question.feedback[0])
        self.feedback.say(True, said)


def is_right(question: Question, given: float) -> bool:
    """Whether a number is close enough; a hair more, or 0.315 ± 0.001 would refuse 0.316."""
    if question.number is None:
        return False
    return abs(given - question.number) <= question.tolerance + 1e-9 * max(1.0, abs(question.number))


class Dots(QWidget):
    """One dot for each step: filled for done, ringed for here. `chosen(index)`."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count, self._here = 0, 0
        self._done: frozenset[int] = frozenset()
        self.setFixedHeight(theme.px(14))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_progress(self, count: int, here: int, done: frozenset[int]) -> None:
        """How many steps, which one is shown (from 0), which ones are done."""
        self._count, self._here, self._done = count, here, done
        self.setAccessibleName(tr("Step {n} of {total}").format(n=here + 1, total=count))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._count * theme.px(14), theme.px(14))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pitch, size = self._pitch(), theme.px(8)
        for at in range(self._count):
            place = QRectF(at * pitch + 1, (self.height() - size) / 2, size, size)
            here = at == self._here
            painter.setPen(theme.color("accent" if here or at in self._done else "link"))
            painter.setBrush(theme.color("accent") if at in self._done else theme.color("panel"))
            if here:
                place = place.adjusted(-1, -1, 1, 1)
                if at not in self._done:
                    painter.setBrush(theme.color("accentbg"))
            painter.drawEllipse(place)
        painter.end()

    def _pitch(self) -> float:
        return min(theme.px(14), self.width() / max(1, self._count))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = int(event.position().x() / max(1.0, self._pitch()))
        if 0 <= at < self._count:
            self.chosen.emit(at)


def heading(text: str, role: str = "heading") -> QLabel:
    """A wrapped head."""
    label = QLabel(text)
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


