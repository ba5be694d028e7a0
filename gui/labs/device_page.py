"""The device lab as it is placed: bar, cards, list, charts and the side; what they do is in device_lab.py."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui import icons, theme
from gui.i18n import tr
from gui.labs.device_bars import BarsView
from gui.labs.device_cards import DeviceCards
from gui.labs.device_choice_list import ExperimentList
from gui.labs.device_layers import LayersView
from gui.labs.device_points import PointsView
from gui.labs.device_product import ProductPanel
from gui.labs.device_sizes import SizesRow

WIDE = 1440
"""From this width on the list has lines, and the cards their facts."""


class DevicePage(QWidget):
    """All widgets, connected to nothing. `cards_resized()` when the cards must be made again."""

    cards_resized = Signal()
    sizes: SizesRow
    _sizes_place: QVBoxLayout

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("device_lab")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._head())
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(1)
        self.list = ExperimentList()
        body.addWidget(self.list)
        body.addWidget(self._middle(), 1)
        self.side = self._side()
        body.addWidget(self.side)
        whole.addLayout(body, 1)

    def show_view(self, view: QWidget) -> None:
        """One of the charts."""
        for other in (self.bars, self.points, self.layers):
            if other is not view:
                other.setMinimumHeight(0)  # the tallest page would stretch all of them
        self.stack.setCurrentWidget(view)

    def tell(self, text: str) -> None:
        """What the numbers say, below the charts."""
        self.finding.setText(text)
        self.said.setVisible(bool(text))
        wide = max(theme.px(300), self.finding.width())
        self.finding.setMinimumHeight(max(0, self.finding.heightForWidth(wide)))

    def change_sizes(self, made: SizesRow) -> None:
        """Another row in the place of the sizes."""
        self._sizes_place.replaceWidget(self.sizes, made)
        self.sizes.hide()
        self.sizes.deleteLater()
        self.sizes = made

    def _head(self) -> QFrame:
        head = QFrame()
        head.setObjectName("training_bar")
        head.setProperty("surface", "panel")
        head.setFixedHeight(theme.px(52))
        row = QHBoxLayout(head)
        row.setContentsMargins(theme.px(8), 0, theme.px(12), 0)
        row.setSpacing(theme.px(10))
        self.measure_button = QPushButton(icons.icon("play", "onaccent"), tr("Measure"))
        self.measure_button.setProperty("kind", "primary")
        row.addWidget(self.measure_button)
        self.cancel_button = QPushButton(tr("Cancel"))
        row.addWidget(self.cancel_button)
        self.note = QLabel(tr("measured on this computer, now"))
        self.note.setProperty("role", "muted")
        row.addWidget(self.note)
        row.addStretch(1)
        self.progress_text = QLabel()
        self.progress_text.setProperty("role", "status")
        row.addWidget(self.progress_text)
        self.progress = QProgressBar()
        self.progress.setFixedWidth(theme.px(140))
        row.addWidget(self.progress)
        self.again = QPushButton(tr("Test devices again"))
        row.addWidget(self.again)
        self.copy = QPushButton(icons.icon("duplicate", "text2"), tr("Copy as CSV"))
        row.addWidget(self.copy)
        self.progress.hide()
        self.cancel_button.hide()
        return head

    def _middle(self) -> QWidget:
        middle = QFrame()
        middle.setProperty("surface", "canvas")
        column = QVBoxLayout(middle)
        column.setContentsMargins(theme.px(24), theme.px(16), theme.px(24), theme.px(16))
        column.setSpacing(theme.px(10))
        self.cards = DeviceCards()
        column.addWidget(self.cards)
        self.name = QLabel()
        self.name.setProperty("role", "large")
        column.addWidget(self.name)
        self.what = QLabel()
        self.what.setProperty("role", "muted")
        self.what.setWordWrap(True)
        column.addWidget(self.what)
        self.sizes = SizesRow(1, False)
        self._sizes_place = QVBoxLayout()
        self._sizes_place.addWidget(self.sizes)
        column.addLayout(self._sizes_place)
        self.bars, self.points, self.layers = BarsView(), PointsView(), LayersView()
        self.stack = QStackedWidget()
        for view in (self.bars, self.points, self.layers):
            self.stack.addWidget(view)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.stack)
        for part in (area.viewport(), self.stack):
            part.setAutoFillBackground(False)
        column.addWidget(area, 1)
        self.said = QFrame()
        self.said.setProperty("surface", "raised")
        line = QHBoxLayout(self.said)
        line.setContentsMargins(theme.px(16), theme.px(10), theme.px(16), theme.px(10))
        self.finding = QLabel()
        self.finding.setWordWrap(True)
        self.finding.setFont(theme.ui_font(15, theme.MEDIUM))
        self.finding.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        line.addWidget(self.finding)
        column.addWidget(self.said)
        self.trouble = QLabel()
        self.trouble.setProperty("role", "warning")
        self.trouble.setWordWrap(True)
        column.addWidget(self.trouble)
        return middle

    def _side(self) -> QFrame:
        side = QFrame()
        side.setProperty("surface", "panel")
        whole = QVBoxLayout(side)
        whole.setContentsMargins(0, 0, 0, 0)
        inside, area = QWidget(), QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        for part in (area.viewport(), inside):
            part.setAutoFillBackground(False)
        whole.addWidget(area)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(16), theme.px(16), theme.px(16), theme.px(16))
        column.setSpacing(theme.px(10))
        head = QLabel(tr("Worth knowing"))
        head.setProperty("role", "head")
        column.addWidget(head)
        self.know = QLabel()
        self.know.setWordWrap(True)
        column.addWidget(self.know)
        self.how = QLabel(
            tr(
                "Each device is measured alone, in a process of its own. The first call builds "
                "kernels and wakes "
                "threads; it is shown apart and never counted. Times are medians of many repetitions."
            )
        )
        self.how.setProperty("role", "caption")
        self.how.setWordWrap(True)
        column.addWidget(self.how)
        self.product = ProductPanel()
        column.addWidget(self.product, 1)
        column.addStretch(0)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrange()
        self.tell(self.finding.text())

    def arrange(self) -> None:
        """Give way by width."""
        wide = self.width() / theme.scale() >= WIDE
        self.list.setFixedWidth(theme.px(256 if wide else 208))
        self.list.set_compact(not wide)
        if self.cards.compact == wide:
            self.cards.compact = not wide
            self.cards_resized.emit()
        self.side.setFixedWidth(theme.px(348 if wide else 272))
        self.how.setVisible(wide)
        self.progress.setFixedWidth(theme.px(140 if wide else 70))
        self.know.setToolTip(self.how.text())
