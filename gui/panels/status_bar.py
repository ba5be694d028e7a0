"""The status bar: problems and device on the left, measured numbers on the right.

Everything that changes while training has a place of fixed width, so nothing moves while it counts.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from gui import i18n, icons, theme
from gui.i18n import tr, trn
from gui.panels.problems import count_text
from gui.views.panel import ElidedLabel

# right hand items, the first to go when it gets narrow first
GIVE_WAY = ("memory", "frames", "nodes", "weights", "norm", "penalty", "loss", "steps")
ORDER = ("steps", "frames", "memory", "nodes", "weights", "norm", "loss", "penalty", "test")

WIDEST = 340
"""Of what is said about the device; the tool tip has it whole."""


class StatusBar(QFrame):
    """`problems_clicked` opens the list of problems, `device_clicked` the choice of devices."""

    problems_clicked = Signal()
    device_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_bar")
        self.setProperty("surface", "window")
        self.setFixedHeight(theme.px(26))
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(8), 0, theme.px(12), 0)
        row.setSpacing(theme.px(14))
        self._problems = self._button()
        self._problems.clicked.connect(self.problems_clicked)
        row.addWidget(self._problems)
        self._device = self._button()
        self._device.setIcon(icons.icon("chip", "text2"))
        self._device.clicked.connect(self.device_clicked)
        row.addWidget(self._device)
        self._hint = ElidedLabel()
        self._hint.setProperty("role", "status")
        row.addWidget(self._hint, 1)
        self._items: dict[str, QLabel] = {}
        for name in ORDER:
            label = QLabel()
            label.setProperty("role", "status")
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.hide()
            self._items[name] = label
            row.addWidget(label)
        self._texts: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self.set_problems(0, 0)
        theme.changed.connect(self._restyle)

    def set_problems(self, errors: int, warnings: int) -> None:
        """How many problems the network has."""
        icon, tint = ("problem", "danger") if errors else ("warning", "warning")
        if not errors and not warnings:
            icon, tint = "check", "ok"
        self._problems.setText(" " + count_text(errors, warnings))
        self._problems.setIcon(icons.icon(icon, tint))

    def set_device(self, text: str, why: str) -> None:
        """What computes and why: "NumPy on 2 cores, chosen by you"."""
        full = f"{text}{': ' if why.endswith('.') else ', '}{why}" if why else text
        if full == self._device.toolTip():
            return
        metrics = self._device.fontMetrics()
        self._device.setText(" " + metrics.elidedText(full, Qt.TextElideMode.ElideRight, theme.px(WIDEST)))
        self._device.setToolTip(full)
        self._fit()

    def set_hint(self, text: str) -> None:
        """One line about what is under the pointer; "" for none."""
        if text != self._hint.text():
            self._hint.setText(text)

    def hint(self) -> str:
        """The line shown."""
        return self._hint.text()

    def set_steps(self, per_second: float | None) -> None:
        """Steps a second while training, None at rest."""
        self._number("steps", None if per_second is None else _three(per_second), tr("steps/s"), "0,000")

    def set_frames(self, per_second: float | None) -> None:
        """Frames a second that showed new numbers."""
        text = None if per_second is None else i18n.integer(round(per_second))
        self._number("frames", text, tr("frames/s"), "60", strong=False)

    def set_memory(self, used: int | None) -> None:
        """Bytes the engine holds for this network."""
        if used is None:
            self._number("memory", None, "", "")
            return
        large = used >= 2**20
        number = i18n.number(used / (2**20 if large else 2**10), 1 if large else 0)
        self._number("memory", number, "MB" if large else "kB", "000.0", strong=False)

    def set_counts(self, nodes: int, weights: int) -> None:
        """Layers and trained numbers of the network."""
        self._number(
            "nodes", i18n.integer(nodes) if nodes else None, trn("layer", "layers", nodes), "", strong=False
        )
        self._number(
            "weights", i18n.integer(weights) if weights else None, trn("weight", "weights", weights), ""
        )

    def set_loss(self, loss: float | None) -> None:
        """The training loss of the newest step."""
        self._number("loss", None if loss is None else i18n.number(loss, 3), "", "0.000", before=tr("Loss"))

    def set_figures(self, figures: Mapping[str, float]) -> None:
        """What the last step reported besides its loss: penalties in it, the norm of clipped gradients."""
        penalty = figures.get("penalty")
        text = None if penalty is None else i18n.short(penalty, 3)
        self._number("penalty", text, "", "0.000", before=tr("of it penalty"))
        self._items["penalty"].setToolTip(tr("What the penalties of the weights add to the loss"))
        norm = figures.get("grad_norm")
        self._number("norm", None if norm is None else i18n.short(norm, 3), "", "0.000", before="|g|")
        self._items["norm"].setToolTip(tr("Norm of all gradients together, before they are clipped"))

    def set_test(self, accuracy: float | None, loss: float | None = None) -> None:
        """The newest evaluation: the share of test examples that are right, or the test loss."""
        text: str | None
        if accuracy is not None:
            text = f"{i18n.number(accuracy * 100, 1)} %"
        else:
            text = None if loss is None else i18n.number(loss, 3)
        self._number("test", text, "", "100.0 %", before=tr("Test"))

    def texts(self) -> dict[str, str]:
        """What stands on the right, by item, plain."""
        return dict(self._texts)

    # ---- inside ------------------------------------------------------------------------------------

    def _number(
        self, name: str, number: str | None, unit: str, widest: str, *, before: str = "", strong: bool = True
    ) -> None:
        label = self._items[name]
        plain = " ".join(part for part in (before, number or "", unit) if part)
        if number is None:
            if not label.isHidden():
                label.hide()
            self._texts.pop(name, None)
            return
        if self._texts.get(name) == plain and not label.isHidden():
            return
        self._texts[name] = plain
        shown = f'<span style="color:@text1;font-weight:600">{number}</span>' if strong else number
        self._shown[name] = " ".join(part for part in (before, shown, unit) if part)
        label.setText(self._shown[name].replace("@text1", theme.theme().text1))
        # room for the widest number it is likely to show: counting must not push the others about
        room = " ".join(part for part in (before, widest, unit) if part)
        metrics = label.fontMetrics()
        wanted = max(metrics.horizontalAdvance(room), metrics.horizontalAdvance(plain)) + theme.px(6)
        if wanted > label.minimumWidth():
            label.setMinimumWidth(wanted)
        if label.isHidden():
            self._fit()

    def _fit(self) -> None:
        gone: set[str] = set()
        room = self.width() - theme.px(20) - self._problems.sizeHint().width() - theme.px(28)
        room -= self._device.sizeHint().width()
        for name in (*GIVE_WAY, ""):
            shown = [label for key, label in self._items.items() if key in self._texts and key not in gone]
            needed = sum(max(w.minimumWidth(), w.sizeHint().width()) + theme.px(14) for w in shown)
            if needed <= room or not name:
                break
            gone.add(name)
        for key, label in self._items.items():
            label.setVisible(key in self._texts and key not in gone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(200), theme.px(26))

    def _restyle(self) -> None:
        """The tint of the numbers stands in their text."""
        for name, text in self._shown.items():
            self._items[name].setText(text.replace("@text1", theme.theme().text1))

    @staticmethod
    def _button() -> QPushButton:
        button = QPushButton()
        button.setProperty("kind", "status")
        button.setIconSize(QSize(theme.px(14), theme.px(14)))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button


def _three(value: float) -> str:
    return i18n.number(value, 1 if value < 100 else 0)
