"""The inspector's page for a block: its name, what it costs, what is in it, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.errors import N_, MatrizenError
from engine.graph import Uid
from gui import icons, theme
from gui.canvas.block_look import CATEGORY, flow_of, ports_of
from gui.canvas.texts import icon_of
from gui.document import Document
from gui.forms import Field, Form
from gui.i18n import integer, tr, tr_message, trn
from gui.panels.inspector import Inspector
from gui.panels.problems import ProblemRow
from gui.panels.rows import Rows, Section

FROZEN = Field("frozen", N_("Frozen"), "bool", N_("Learning leaves all weights in the block as they are."))
MOST = 40
"""Members listed; of more the first."""


class BlockPage(QScrollArea):
    """`go_to(uid)` from a member, `toggled(uid)` and `keep(uid)` from the buttons, `refused(error)`."""

    go_to = Signal(str)
    toggled = Signal(str)
    keep = Signal(str)
    refused = Signal(object)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.uid: Uid | None = None
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.tile = QLabel(self)
        self.name = QLineEdit(self)
        self.name.setAcceptDrops(False)  # a file let go here is for the window
        self.name.setAccessibleName(tr("Name of the block"))
        self.name.setProperty("flat", True)
        self.name.editingFinished.connect(self._rename)
        self.kind = QLabel(tr("Block"), self)
        self.kind.setProperty("role", "muted")
        self.name_problem = QLabel(self)
        self.name_problem.setProperty("role", "problem")
        self.name_problem.setWordWrap(True)
        self.fold = QPushButton(self)
        self.fold.clicked.connect(lambda: self._emit(self.toggled))
        keep = QPushButton(tr("Keep in my blocks"), self)
        keep.clicked.connect(lambda: self._emit(self.keep))
        self.settings = Section(tr("Settings"), self)
        self.form = Form([FROZEN], self)
        self.form.edited.connect(self._freeze)
        self.settings.column.addWidget(self.form)
        self.cost = Section(tr("Shape and cost"), self)
        self.rows = Rows(self)
        self.cost.column.addWidget(self.rows)
        self.members = Section(tr("Members"), self)
        self._buttons: list[QPushButton] = []
        self._problems: list[ProblemRow] = []
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.name)
        names.addWidget(self.kind)
        head = QHBoxLayout()
        head.setSpacing(theme.px(10))
        head.addWidget(self.tile, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(names, 1)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(14), theme.px(12), theme.px(14), theme.px(12))
        column.setSpacing(theme.px(10))
        column.addLayout(head)
        column.addWidget(self.name_problem)
        self.troubles = QVBoxLayout()
        column.addLayout(self.troubles)
        for widget in (self.fold, keep, self.settings, self.cost, self.members):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(inside)

    def show_block(self, uid: Uid | None) -> None:
        """Show a block as it is now, or nothing."""
        if uid != self.uid and self.name.isModified():
            self._rename()
        self.uid = uid
        self.setVisible(uid is not None)
        if uid is None:
            return
        document, blocks = self.document, self.document.blocks
        spec, layers = blocks[uid], blocks.layers(uid)
        graph, inference = document.graph, document.inference
        self.tile.setPixmap(icons.kind_tile(CATEGORY, "block", theme.px(34)))
        if not (self.name.hasFocus() and self.name.isModified()):
            self.name.setText(spec.name)
        self.name_problem.hide()
        self.fold.setText(tr("Unfold") if spec.folded else tr("Fold"))
        owners = {graph.node(u).owner for u in layers}
        learning = [o for o in owners if any(p.trained for p in inference.params.get(o, ()))]
        self.settings.setVisible(bool(learning))
        self.form.set_values({"frozen": bool(learning) and all(graph.node(o).frozen for o in learning)})
        entries, exits = ports_of(graph, blocks, uid, inference, document.state.positions)
        flow = flow_of(entries, exits, inference)
        rows = [(tr("In → out"), flow)] if flow else []
        rows.append((tr("Inputs and outputs"), f"{integer(len(entries))} → {integer(len(exits))}"))
        rows.append((tr("Layers"), integer(len(layers))))
        rows.append((tr("Weights and biases"), integer(sum(inference.count(o) for o in owners))))
        cost = sum(inference.multiplications.get(u, 0) for u in layers)
        if cost:
            rows.append((tr("Multiplications"), integer(cost)))
        self.rows.set_rows(rows)
        self._list(spec.members)
        self._trouble(layers)

    def restyle(self) -> None:
        """A name first, a field second, as in the inspector."""
        self.name.setStyleSheet(
            "QLineEdit { background: transparent; border-color: transparent; padding-left: 0;"
            f" font-size: {theme.px(15)}px; font-weight: 600; }}"
            f"QLineEdit:hover, QLineEdit:focus {{ background: {theme.theme().field};"
            f" border-color: {theme.theme().border}; padding-left: 4px; }}"
        )

    def _list(self, members: tuple[Uid, ...]) -> None:
        for button in self._buttons:
            self.members.column.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = []
        blocks = self.document.blocks
        for uid in members[:MOST]:
            if uid in blocks:
                n = len(blocks.layers(uid))
                more = trn("{n} layer", "{n} layers", n).format(n=integer(n))
                text, sign, category = f"{blocks[uid].name}  ({more})", "block", CATEGORY
            else:
                node = self.document.node(uid)
                text, sign, category = node.name, icon_of(node.layer, self.document.data), node.layer.category
            button = QPushButton(icons.icon(sign, theme.theme().kind(category)), text, self)
            button.setProperty("kind", "flat")
            button.setStyleSheet("text-align: left; font-weight: 400")
            button.clicked.connect(lambda _=False, uid=uid: self.go_to.emit(uid))
            self.members.column.addWidget(button)
            self._buttons.append(button)

    def _trouble(self, layers: tuple[Uid, ...]) -> None:
        found = [p for u in layers for p in self.document.inference.of(u)][:5]
        if [row.problem for row in self._problems] == found:
            return
        for row in self._problems:
            self.troubles.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._problems = []
        for problem in found:
            row = ProblemRow(self.document, problem, parent=self)
            row.refused.connect(self.refused)
            row.chosen.connect(self.go_to)
            self.troubles.addWidget(row)
            self._problems.append(row)

    def _emit(self, signal: SignalInstance) -> None:
        if self.uid is not None:
            signal.emit(self.uid)

    def _freeze(self, _name: str, frozen: object) -> None:
        if self.uid is not None:
            self.document.freeze(self.uid, bool(frozen))

    def _rename(self) -> None:
        if self.uid is None or not self.name.isModified() or self.uid not in self.document.blocks:
            return
        try:
            self.document.rename(self.uid, self.name.text())
        except MatrizenError as error:
            self.name_problem.setText(tr_message(error))
            self.name_problem.show()
            return
        self.name.setModified(False)


class BlockInspector(Inspector):
    """The inspector, with a page of its own for a block."""

    def _arrange(self) -> None:
        super()._arrange()
        self.block_page = BlockPage(self.document, self)
        self.block_page.refused.connect(self.refused)
        outer = self.layout()
        assert outer is not None
        outer.addWidget(self.block_page)

    def _sync(self) -> None:
        blocks = self.document.blocks
        block = self.uids[0] if len(self.uids) == 1 and self.uids[0] in blocks else None
        self.block_page.show_block(block)
        self.body.setVisible(block is None)
        if block is None:
            self.uids = blocks.expanded(self.uids)
            super()._sync()

    def _restyle(self) -> None:
        self.block_page.restyle()
        super()._restyle()
