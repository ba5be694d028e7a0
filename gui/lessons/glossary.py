"""The words of the field in English and German with their notation, searchable.

`resources/lessons/glossary.toml` holds them: `[name]` with `en`, `de`, `sign`, `text_en`, `text_de`.
"""

from __future__ import annotations

import logging
import tomllib
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import i18n, resources, theme
from gui.formulas import FormulaView
from gui.i18n import tr
from gui.lessons.rich import RichText
from gui.lessons.widgets import heading

_log = logging.getLogger("matrizen.lessons")
FILE = "glossary.toml"


@dataclass(frozen=True)
class Term:
    """A word in both languages, its sign as LaTeX ("" for none) and what it means."""

    name: str
    english: str
    german: str
    sign: str
    text: str

    def matches(self, query: str) -> bool:
        """Whether every word typed stands in it."""
        where = f"{self.name} {self.english} {self.german} {self.text}".casefold()
        return all(word in where for word in query.casefold().split())


def read_terms(language: str) -> tuple[Term, ...]:
    """All terms with the text of `language`, in its alphabetic order; none where the file is damaged."""
    try:
        plain = tomllib.loads(resources.path("lessons", FILE).read_text(encoding="utf-8"))
        terms = [
            Term(name, str(e["en"]), str(e["de"]), str(e.get("sign", "")), str(e[f"text_{language}"]))
            for name, e in plain.items()
        ]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        _log.warning("%s cannot be read: %s", FILE, fault)
        return ()
    german = language == "de"
    return tuple(sorted(terms, key=lambda term: (term.german if german else term.english).casefold()))


class GlossaryPage(QDialog):
    """A search field and the terms; not modal, Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("glossary")
        self.setWindowTitle(tr("Glossary and notation"))
        self._terms = read_terms(i18n.language())
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(16),) * 4)
        column.setSpacing(theme.px(10))
        self.field = QLineEdit()
        self.field.setObjectName("glossary_search")
        self.field.setPlaceholderText(tr("Find a term in English or German"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._filter)
        column.addWidget(self.field)
        inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, theme.px(8), 0)
        rows.setSpacing(theme.px(8))
        self._rows = [self._row(term) for term in self._terms]
        for row in self._rows:
            rows.addWidget(row)
        self._none = heading(tr("No such term."), "muted")
        self._none.hide()
        rows.addWidget(self._none)
        rows.addStretch(1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        column.addWidget(self._area, 1)
        self.resize(theme.px(620), theme.px(640))

    def _row(self, term: Term) -> QWidget:
        frame = QFrame()
        frame.setProperty("surface", "raised")
        column = QVBoxLayout(frame)
        column.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), 0)
        column.setSpacing(theme.px(4))
        head = QHBoxLayout()
        german = i18n.language() == "de"
        name = QLabel(term.german if german else term.english)
        name.setProperty("role", "title")
        other = QLabel(term.english if german else term.german)
        other.setProperty("role", "muted")
        head.addWidget(name)
        head.addWidget(other)
        head.addStretch(1)
        if term.sign:
            sign = FormulaView(term.sign)
            sign.setFixedWidth(sign.sizeHint().width() + theme.px(8))
            head.addWidget(sign)
        column.addLayout(head)
        text = RichText()
        text.set_source(term.text)
        text.term_chosen.connect(self.show_term)
        column.addWidget(text)
        return frame

    def show_term(self, name: str) -> None:
        """Only that term; "" shows all."""
        found = next((term for term in self._terms if term.name == name), None)
        if found is None:
            self.field.setText(name)
        else:
            self.field.setText(found.german if i18n.language() == "de" else found.english)

    def _filter(self, query: str) -> None:
        shown = [term.matches(query) for term in self._terms]
        for row, visible in zip(self._rows, shown, strict=True):
            row.setVisible(visible)
        self._none.setVisible(not any(shown))
        self._area.verticalScrollBar().setValue(0)

    def shown(self) -> list[str]:
        """Names of the terms in sight."""
        pairs = zip(self._terms, self._rows, strict=True)
        return [term.name for term, row in pairs if not row.isHidden()]
