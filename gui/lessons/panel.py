"""The lesson beside the working area: the list of lessons, or one step of one, or a project's notes.

It stands right of canvas, time line and docks and covers nothing: Play and the status bar stay.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import icons, theme, tokens
from gui.i18n import tr, tr_message, trn
from gui.lessons.lesson import Lesson, Step, Task
from gui.lessons.rich import RichText
from gui.lessons.shelf import Found
from gui.lessons.widgets import Dots, QuestionCard, TaskRow, heading

WIDTH, NARROWER = 356, 316
"""In a presentation everything is larger, and the network and its numbers need the room."""


class LessonPanel(QFrame):
    """Shows what it is told and says what is pressed."""

    closed = Signal()
    lesson_chosen = Signal(object)
    copy_wanted = Signal(object)
    folder_wanted = Signal()
    glossary_wanted = Signal(str)
    shelf_wanted = Signal()
    step_wanted = Signal(int)
    free_play = Signal()
    again = Signal()
    show_me = Signal(object)
    answered = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesson_panel")
        self.setProperty("surface", "panel")
        self.setFixedWidth(theme.px(WIDTH if theme.scale() == 1 else NARROWER))
        self.rows: dict[str, TaskRow] = {}
        self.questions: dict[str, QuestionCard] = {}
        self._at, self._count = 0, 0
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._shelf = self._tool("chevron-left", tr("All lessons"), "lesson_shelf")
        self._shelf.clicked.connect(self.shelf_wanted)
        close = self._tool("close", tr("Close the lesson; it can be resumed"), "lesson_close")
        close.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(8), theme.px(8), theme.px(8), theme.px(4))
        head.setSpacing(theme.px(6))
        head.addWidget(self._shelf)
        head.addWidget(self._title, 1)
        head.addWidget(close)
        self._dots = Dots()
        self._dots.chosen.connect(self.step_wanted)
        self._counter = QLabel()
        self._counter.setProperty("role", "caption")
        progress = QHBoxLayout()
        progress.setContentsMargins(theme.px(16), 0, theme.px(16), theme.px(6))
        progress.addWidget(self._dots, 1)
        progress.addWidget(self._counter)
        line = QFrame()
        line.setProperty("surface", "line")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(progress)
        column.addWidget(line)
        column.addWidget(self._area, 1)
        column.addWidget(self._footer())
        self.hide()

    @staticmethod
    def _tool(icon: str, tip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setIcon(icons.icon(icon, "text2"))
        button.setIconSize(QSize(theme.px(16), theme.px(16)))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _button(self, text: str, name: str, kind: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setProperty("kind", kind)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Space goes on to play
        return button

    def _footer(self) -> QWidget:
        self.foot = QFrame()
        column = QVBoxLayout(self.foot)
        column.setContentsMargins(theme.px(16), theme.px(6), theme.px(16), theme.px(10))
        column.setSpacing(theme.px(6))
        self.back = self._button(tr("Back"), "lesson_back")
        self.next = self._button(tr("Next"), "lesson_next")
        self.free = self._button(tr("Free play from here"), "lesson_free", "link")
        self.again_button = self._button(tr("Set up again"), "lesson_again", "link")
        self.back.clicked.connect(lambda: self.step_wanted.emit(self._at - 1))
        self.next.clicked.connect(lambda: self.step_wanted.emit(self._at + 1))
        self.free.clicked.connect(self.free_play)
        self.again_button.clicked.connect(self.again)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.back)
        first.addStretch(1)
        first.addWidget(self.next)
        second.addWidget(self.again_button)
        second.addStretch(1)
        second.addWidget(self.free)
        column.addLayout(first)
        column.addLayout(second)
        return self.foot

    def _fresh(self) -> QVBoxLayout:
        """An empty page."""
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.px(16), theme.px(12), theme.px(16), theme.px(16))
        column.setSpacing(theme.px(10))
        self.rows, self.questions = {}, {}
        self._page = page
        return column

    def _put(self) -> None:
        """The page is whole: show it in place of the one before, from its top."""
        self._area.setWidget(self._page)
        self._page.show()
        self._area.verticalScrollBar().setValue(0)

    # ---- what it shows ---------------------------------------------------------------------------------

    def show_shelf(self, found: Collection[Found], reached: dict[str, int], folder: str) -> None:
        """The list of lessons; `reached`: lesson -> steps done."""
        self._title.setText(tr("Lessons"))
        for widget in (self._shelf, self._dots, self._counter, self.foot):
            widget.hide()
        column = self._fresh()
        own = False
        for each in found:
            if each.own and not own:
                own = True
                column.addWidget(heading(tr("Own lessons"), "head"))
            column.addWidget(self._entry(each, reached))
        column.addSpacing(theme.px(4))
        glossary = self._button(tr("Glossary and notation"), "lesson_glossary", "link")
        glossary.clicked.connect(lambda: self.glossary_wanted.emit(""))
        column.addWidget(glossary, 0, Qt.AlignmentFlag.AlignLeft)
        choose = self._button(tr("Folder of own lessons …"), "lesson_folder", "link")
        choose.setToolTip(folder)
        choose.clicked.connect(self.folder_wanted)
        column.addWidget(choose, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self._put()

    def _entry(self, found: Found, reached: dict[str, int]) -> QWidget:
        frame = QFrame()
        frame.setProperty("surface", "raised" if found.lesson else "warning")
        column = QVBoxLayout(frame)
        column.setContentsMargins(*(theme.px(12),) * 4)
        column.setSpacing(theme.px(6))
        lesson = found.lesson
        if lesson is None:
            column.addWidget(heading(found.folder.name, "title"))
            sentence = tr_message(found.refusal) if found.refusal is not None else ""
            reason = heading(sentence, "muted")
            reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(reason)
            return frame
        column.addWidget(heading(lesson.title, "title"))
        summary = RichText(tokens.STATUS)
        summary.set_source(lesson.summary)
        column.addWidget(summary)
        row = QHBoxLayout()
        done, total = reached.get(lesson.id, 0), len(lesson.steps)
        words = tr("Resume") if 0 < done < total else tr("Start")
        start = self._button(words, f"start_{lesson.id}")
        start.clicked.connect(lambda: self.lesson_chosen.emit(lesson))
        row.addWidget(start)
        count = trn("{done} of {n} step", "{done} of {n} steps", total).format(done=done, n=total)
        count_label = QLabel(count)
        count_label.setProperty("role", "caption")
        row.addWidget(count_label)
        row.addStretch(1)
        copy = self._button(tr("Copy to edit"), f"copy_{lesson.id}", "link")
        copy.clicked.connect(lambda: self.copy_wanted.emit(lesson))
        row.addWidget(copy)
        column.addLayout(row)
        return frame

    def show_step(
        self, lesson: Lesson, at: int, tasks: Collection[tuple[Task, bool]], done: Collection[str],
        finished: frozenset[int],
    ) -> None:  # fmt: skip
        """One step. `tasks` with whether each can be shown; `done` names tasks and questions."""
        step = lesson.steps[at]
        self._at, self._count = at, len(lesson.steps)
        self._title.setText(lesson.title)
        for widget in (self._shelf, self._dots, self._counter, self.foot):
            widget.show()
        column = self._fresh()
        column.addWidget(heading(step.title))
        self._text(column, step)
        for task, can_show in tasks:
            row = TaskRow(task, can_show=can_show)
            row.set_done(task.id in done)
            row.show_me.connect(self.show_me)
            row.term_chosen.connect(self.glossary_wanted)
            column.addWidget(row)
            self.rows[task.id] = row
        for question in step.questions:
            card = QuestionCard(question)
            card.answered.connect(self.answered)
            if question.id in done:
                card.show_solved()
            column.addWidget(card)
            self.questions[question.id] = card
        column.addStretch(1)
        self._put()
        self.back.setEnabled(at > 0)
        last = at + 1 == self._count
        self.next.setText(tr("Finish") if last else tr("Next"))
        self.again_button.setVisible(bool(step.opens))
        self.set_progress(finished)

    def _text(self, column: QVBoxLayout, step: Step) -> None:
        text = RichText()
        text.set_source(step.text)
        text.term_chosen.connect(self.glossary_wanted)
        column.addWidget(text)

    def set_progress(self, finished: frozenset[int]) -> None:
        """Which steps are done."""
        self._dots.set_progress(self._count, self._at, finished)
        self._counter.setText(tr("{n} of {total}").format(n=self._at + 1, total=self._count))

    def tick(self, task: str) -> None:
        """A thing to do is done."""
        if task in self.rows:
            self.rows[task].set_done(True)

    def show_notes(self, title: str, notes: str) -> None:
        """What a project says to the person who opens it."""
        self._title.setText(title)
        self.foot.hide()
        for widget in (self._dots, self._counter):
            widget.hide()
        self._shelf.show()
        column = self._fresh()
        text = RichText()
        text.set_source(notes)
        text.term_chosen.connect(self.glossary_wanted)
        column.addWidget(text)
        column.addStretch(1)
        self._put()

    def texts(self) -> list[str]:
        """Every label and formula-free text on the page, for tests."""
        return [label.text() for label in self.findChildren(QLabel) if label.isVisibleTo(self)]
