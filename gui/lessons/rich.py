"""The words of a lesson on the screen: paragraphs, lists, links to the glossary, typeset formulas."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import QEvent, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QResizeEvent, QTextDocument
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from gui import formulas, theme, tokens

_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r'<span style="font-weight: 600">\1</span>'),
    (re.compile(r"(?<!\*)\*([^*\s][^*]*)\*"), r"<i>\1</i>"),
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
)
_TERM = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")
TALL = 4
"""A formula higher than that many lines of text stands in a row of its own, smaller if it is too wide."""


class RichText(QTextBrowser):
    """As high as its text. `term_chosen(name)`: a word of the glossary was clicked."""

    term_chosen = Signal(str)

    def __init__(self, size: float = tokens.BASE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points, self._source = size, ""
        self._wide = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.document().setDocumentMargin(0)
        self.setStyleSheet("background: transparent; border: none; padding: 0;")
        self.viewport().setAutoFillBackground(False)
        self.anchorClicked.connect(lambda url: self.term_chosen.emit(url.path().lstrip("/")))
        theme.changed.connect(self._restyle)

    def set_source(self, source: str) -> None:
        """Show other words."""
        self._source = source
        self._wide = 0
        self._fill()

    def words(self) -> str:
        """The words as they stand in the file."""
        return self._source

    def _restyle(self) -> None:
        self._wide = 0
        self._fill()

    def _fill(self) -> None:
        wide = max(self.viewport().width(), theme.px(120))
        if wide == self._wide:
            return
        self._wide = wide
        now = theme.theme()
        document = self.document()
        document.setDefaultFont(theme.ui_font(self._points))
        document.setDefaultStyleSheet(
            f"p, li {{ color: {now.text1}; margin-top: 0; margin-bottom: {theme.px(8)}px;"
            " line-height: 132%; }"
            f"code {{ font-family: '{theme.MONO_FAMILY}'; color: {now.text1}; }}"
            f"a {{ color: {now.accent}; text-decoration: none; }}"
        )
        self._formulas: dict[str, str] = {}
        text = to_html(self._source, self._formula)
        for name, latex in self._formulas.items():
            picture = formulas.formula_pixmap(latex, self._points + 1)
            document.addResource(QTextDocument.ResourceType.ImageResource, QUrl(name), picture)
        document.setHtml(text)
        self._settle()

    def _formula(self, latex: str, own_row: bool) -> str:
        name = f"formula:{len(self._formulas)}"
        self._formulas[name] = latex
        size = formulas.formula_size(latex, self._points + 1)
        factor = min(1.0, self._wide / max(1.0, size.width()))
        image = (
            f'<img src="{name}" width="{round(size.width() * factor)}" '
            f'height="{round(size.height() * factor)}" style="vertical-align: middle">'
        )
        return f'<p align="center">{image}</p>' if own_row else image

    def _settle(self) -> None:
        self.document().setTextWidth(self.viewport().width())
        self.setFixedHeight(int(self.document().size().height()) + 2)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(280), self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fill()
        self._settle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and self._source:
            self._restyle()


def to_html(source: str, formula: object) -> str:
    """The small Markdown as HTML. `formula(latex, own_row)` gives the picture of a formula."""
    out: list[str] = []
    for block in re.split(r"\n\s*\n", source.strip()):
        lines = block.strip().splitlines()
        if lines and all(line.startswith("* ") for line in lines):
            items = "".join(f"<li>{_inline(line[2:], formula)}</li>" for line in lines)
            out.append(f'<ul style="margin-left: -{theme.px(18)}px">{items}</ul>')
            continue
        text = " ".join(lines)
        alone = re.fullmatch(r"\$\$(.+)\$\$", text, re.DOTALL)
        if alone is not None and "$" not in alone[1]:
            out.append(formula(alone[1].strip(), True))  # type: ignore[operator]
        elif text:
            out.append(f"<p>{_inline(text, formula)}</p>")
    return "".join(out)


def plain(source: str) -> str:
    """The words without marks, for tool tips and people who listen."""
    text = _TERM.sub(lambda found: found[2] or found[1], source)
    return re.sub(r"[*`$]", "", text)


def _inline(text: str, formula: object) -> str:
    parts, at = [], 0
    for found in _FORMULA.finditer(text):
        parts.append(_words(text[at : found.start()]))
        parts.append(formula((found[1] or found[2]).strip(), False))  # type: ignore[operator]
        at = found.end()
    return "".join([*parts, _words(text[at:])])


def _words(text: str) -> str:
    out = html.escape(text, quote=False).replace(" × ", "&nbsp;×&nbsp;")  # 4 × 4 stays in one line
    for pattern, by in _MARKS:
        out = pattern.sub(by, out)
    return _TERM.sub(lambda found: f'<a href="glossary:{found[1]}">{found[2] or found[1]}</a>', out)
