"""The inspector: everything about the selected layer, made from the layer's declaration."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.errors import MatrizenError
from engine.graph import NodeSpec, Uid
from engine.layers import Output
from engine.layers.base import elements, shape_text
from engine.output_problems import loss_note
from engine.settings import OPTIMIZER_CHOICES
from gui import icons, theme
from gui.canvas.overlays import tool
from gui.canvas.texts import icon_of
from gui.document import Document
from gui.forms import Choice, Form, fields_of
from gui.formulas import FormulaView
from gui.i18n import format_number, integer, tr, tr_message, trn
from gui.loss_words import whole_loss
from gui.panels.lock_row import LockRow
from gui.panels.problems import ProblemRow
from gui.panels.rows import Row, Rows, Section
from gui.panels.weight_fields import edit_weights, weight_fields, weight_values

WIDE, NARROW = 296, 264


class Inspector(QFrame):
    """Shows the selected layer of a document and edits it.

    `refused(error)` when an edit cannot be done; `help_requested(kind)` from the question mark.
    """

    refused = Signal(object)
    help_requested = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setAccessibleName(tr("Inspector"))
        self.document = document
        self.uids: tuple[Uid, ...] = ()
        self.form: Form | None = None
        self._formed: object = None
        self._facts: dict[Uid, tuple[Sequence[Row], str, bool]] = {}
        self._cost: Sequence[Row] = ()
        self._narrow = False
        self._make_head()
        self.problems = QVBoxLayout()
        self.problems.setSpacing(theme.px(6))
        self._rows: list[ProblemRow] = []
        self.formula_frame = QFrame(self)
        self.formula_frame.setProperty("surface", "raised")
        inner = QVBoxLayout(self.formula_frame)
        inner.setContentsMargins(theme.px(6), theme.px(2), theme.px(6), theme.px(2))
        self.formula = FormulaView(parent=self.formula_frame)
        inner.addWidget(self.formula)
        self.note = QLabel(self)
        self.note.setProperty("role", "muted")
        self.note.setWordWrap(True)
        self.settings = Section(tr("Settings"), self)
        self.share = Choice((), self)
        self._share_row = QWidget(self)
        share_row = QHBoxLayout(self._share_row)
        share_row.setContentsMargins(0, 0, 0, 0)
        label = QLabel(tr("Weights"), self._share_row)
        label.setProperty("role", "muted")
        label.setBuddy(self.share)
        share_row.addWidget(label, 1)
        share_row.addWidget(self.share)
        self.share.chosen.connect(self._share)
        self.settings.column.addWidget(self._share_row)
        self.locks = LockRow(self)
        self.shape = Section(tr("Shape and cost"), self)
        self.shape_rows = Rows(self)
        self.shape.column.addWidget(self.shape_rows)
        self.health = Section(tr("Health"), self)
        self.health_row = QHBoxLayout()
        self.health_sign, self.health_text = QLabel(self), QLabel(self)
        self.health_text.setWordWrap(True)
        self.health_row.addWidget(self.health_sign, 0, Qt.AlignmentFlag.AlignTop)
        self.health_row.addWidget(self.health_text, 1)
        self.health.column.addLayout(self.health_row)
        self.health_rows = Rows(self)
        self.health.column.addWidget(self.health_rows)
        self.summary = Section(tr("Data"), self)
        self.summary_rows = Rows(self)
        self.summary.column.addWidget(self.summary_rows)
        self.training = Section(tr("Training"), self)
        self.training_rows = Rows(self)
        self.training.column.addWidget(self.training_rows)
        self._arrange()
        document.changed.connect(self._changed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._sync()

    def _make_head(self) -> None:
        self.tile = QLabel(self)
        self.name = QLineEdit(self)
        self.name.setAcceptDrops(False)  # a file let go here is for the window
        self.name.setAccessibleName(tr("Name of the layer"))
        self.name.setProperty("flat", True)
        self.name.editingFinished.connect(self._rename)
        self.name.textEdited.connect(lambda _text: self._say(""))
        self.title = QLabel(self)
        self.title.setProperty("role", "heading")
        self.title.setWordWrap(True)
        self.kind = QLabel(self)
        self.kind.setProperty("role", "muted")
        self.help = tool("help", tr("Explain this layer"), self)
        self.help.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.help.clicked.connect(self._help)
        self.name_problem = QLabel(self)
        self.name_problem.setProperty("role", "problem")
        self.name_problem.setWordWrap(True)
        self.name_problem.hide()

    def _arrange(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.name)
        names.addWidget(self.title)
        names.addWidget(self.kind)
        head = QHBoxLayout()
        head.setSpacing(theme.px(10))
        head.addWidget(self.tile, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(names, 1)
        head.addWidget(self.help, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.px(14), theme.px(12), theme.px(14), theme.px(12))
        column.setSpacing(theme.px(10))
        column.addLayout(head)
        column.addWidget(self.name_problem)
        column.addLayout(self.problems)
        for widget in (
            self.formula_frame,
            self.note,
            self.locks,
            self.settings,
            self.shape,
            self.health,
            self.summary,
            self.training,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = self.body = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    # ---- from outside ----------------------------------------------------------------------------------

    def show_nodes(self, uids: Sequence[Uid]) -> None:
        """Show one layer, the count of several, or data and training when nothing is selected."""
        if tuple(uids) != self.uids:
            if self.name.isModified():
                self._rename()
            self.uids = tuple(uids)
            self._cost = ()
            self._sync()

    def set_facts(self, uid: Uid, rows: Sequence[Row], health: str = "", ok: bool = True) -> None:
        """What the running engine knows of a layer: (label, value) rows and one sentence of health."""
        self._facts[uid] = (tuple(rows), health, ok)
        if self.uids == (uid,):
            self._show_health(uid)

    def set_cost(self, uid: Uid, rows: Sequence[Row]) -> None:
        """Further rows under shape and cost, measured (time of a forward step)."""
        if self.uids == (uid,):
            self._cost = tuple(rows)
            self._show_shape(self.document.node(uid))

    def clear_facts(self) -> None:
        """Another run: what was measured is no longer true."""
        self._facts.clear()
        self._cost = ()
        self._sync()

    def set_compact(self, compact: bool) -> None:
        """264 instead of 296 pixels wide."""
        self._narrow = compact
        self._restyle()

    # ---- showing ---------------------------------------------------------------------------------------

    def _changed(self, old: object, new: object) -> None:
        self._sync()

    def _sync(self) -> None:
        self.uids = tuple(u for u in self.uids if self.document.graph.has(u))
        one = self.document.node(self.uids[0]) if len(self.uids) == 1 else None
        owner = one.owner if one is not None else ""
        self.locks.show_layer(owner, self.document.inference.count(owner))
        several = len(self.uids) > 1
        for widget in (self.name, self.help, self.formula_frame, self.note, self.shape):
            widget.setVisible(one is not None)
        self.title.setVisible(one is None)
        self.summary.setVisible(not self.uids)
        self.training.setVisible(not self.uids)
        if one is not None:
            self._show_layer(one)
        else:
            self.form_off()
            self.health.hide()
            self._say("")
            self.tile.setPixmap(icons.pixmap("branch" if several else "settings", "text2", theme.px(30)))
            if several:
                self._show_several()
            else:
                self._show_network()
        self._show_problems()

    def form_off(self) -> None:
        """No form: nothing, or more than one layer, is selected."""
        self.settings.hide()
        if self.form is not None:
            self.form.hide()
            self.form.deleteLater()
            self.form, self._formed = None, None

    def _show_layer(self, node: NodeSpec) -> None:
        layer = node.layer
        self.tile.setPixmap(icons.kind_tile(layer.category, icon_of(layer, self.document.data), theme.px(34)))
        if not (self.name.hasFocus() and self.name.isModified()):
            self.name.setText(node.name)
            self._say("")
        self.kind.setText(tr(layer.label))
        self.formula.set_formula(layer.formula)
        self.formula_frame.setVisible(bool(layer.formula))
        self._note(node)
        about = weight_fields(self.document.inference.params.get(node.owner, ()), layer.settings())
        key = (node.uid, layer.kind, tuple(about))
        if self._formed != key:
            self.form_off()
            fields = [*fields_of(layer), *about]
            if fields:
                self.form = Form(fields, self)
                self.form.edited.connect(self._edited)
                self.settings.column.insertWidget(3, self.form)
            self._formed = key
        values = {name: getattr(layer, name) for name in layer.settings()}
        if about:
            values |= weight_values(self.document.node(node.owner), about)
        if self.form is not None:
            self.form.set_values(values)
            self.form.clear_problems()
            for problem in self.document.inference.of(node.uid):
                if problem.field:
                    self.form.set_problem(problem.field, tr_message(problem.message))
        shares = self._show_share(node)
        self.settings.setVisible(self.form is not None or shares)
        self._show_shape(node)
        self._show_health(node.uid)

    def _note(self, node: NodeSpec) -> None:
        """What a layer's formula leaves open."""
        text = ""
        if isinstance(node.layer, Output):
            training, data = self.document.training, self.document.data
            loss = node.layer.loss_of(training.loss)
            said = loss_note(self.document.graph, node, loss, training, data)
            text = " ".join(tr_message(m) for m in said)
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_share(self, node: NodeSpec) -> bool:
        """Whose weights this layer uses; False when there is no other it could share with."""
        inference = self.document.inference
        mine = inference.params.get(node.owner)
        others = [
            n
            for n in self.document.graph.nodes
            if n.uid != node.uid
            and n.shares is None
            and n.layer.kind == node.layer.kind
            and mine is not None
            and [(p.name, p.shape) for p in inference.params.get(n.uid, ())]
            == [(p.name, p.shape) for p in mine]
        ]
        if (
            node.shares is not None
            and self.document.graph.has(node.shares)
            and node.shares not in {n.uid for n in others}
        ):
            others.append(self.document.node(node.shares))
        owned = any(n.shares == node.uid for n in self.document.graph.nodes)
        shown = bool(others) and not owned
        self._share_row.setVisible(shown)
        if shown:
            self.share.clear()
            self.share.addItem(tr("its own"), "")
            for n in others:
                self.share.addItem(tr("shared with {name}").format(name=n.name), n.uid)
            self.share.set_value(node.shares or "")
        return shown

    def _show_shape(self, node: NodeSpec) -> None:
        inference = self.document.inference
        rows: list[Row] = []
        arriving = inference.inputs.get(node.uid, ())
        for i, shape in enumerate(arriving):
            label = tr("In") if len(arriving) == 1 else tr("In {n}").format(n=i + 1)
            rows.append((label, shape_text(shape)))
        out = inference.shapes.get(node.uid)
        rows.append((tr("Out"), shape_text(out) if out is not None else tr("no shape yet")))
        specs = [p for p in inference.params.get(node.owner, ()) if p.trained]
        if specs:
            rows.append((tr("Weights and biases"), " + ".join(integer(elements(p.shape)) for p in specs)))
        cost = inference.multiplications.get(node.uid, 0)
        if cost:
            rows.append((tr("Multiplications"), integer(cost)))
        self.shape_rows.set_rows([*rows, *self._cost])

    def _show_health(self, uid: Uid) -> None:
        rows, text, ok = self._facts.get(uid, ((), "", True))
        self.health.setVisible(bool(rows or text))
        self.health_text.setText(text)
        self.health_text.setVisible(bool(text))
        self.health_sign.setVisible(bool(text))
        name, tint = ("check", "ok") if ok else ("warning", "warning")
        self.health_sign.setPixmap(icons.pixmap(name, tint, theme.px(16)))
        self.health_rows.set_rows(rows)

    def _show_several(self) -> None:
        n = len(self.uids)
        self.title.setText(trn("{n} layer selected", "{n} layers selected", n).format(n=integer(n)))
        owners = {self.document.node(u).owner for u in self.uids}
        weights = sum(self.document.inference.count(u) for u in owners)
        self.kind.setText(trn("{n} weight", "{n} weights", weights).format(n=integer(weights)))

    def _show_network(self) -> None:
        state, inference = self.document.state, self.document.inference
        self.title.setText(tr("Network"))
        n = len(state.graph.nodes)
        self.kind.setText(trn("{n} layer", "{n} layers", n).format(n=integer(n)))
        data, training = state.data, state.training
        rows: list[Row] = []
        if data is None:
            rows.append((tr("No data yet"), ""))
        else:
            if data.count:
                rows.append((tr("Examples"), integer(data.count)))
            rows.append((tr("Each"), shape_text(data.shape)))
            rows.append(
                (tr("Classes"), integer(data.classes))
                if data.classes
                else (tr("Targets"), integer(data.target_width))
            )
        self.summary_rows.set_rows(rows)
        self.training_rows.set_rows(
            [
                (tr("Loss"), whole_loss(self.document.graph, training)),
                (tr("Optimizer"), tr(dict(OPTIMIZER_CHOICES)[training.optimizer])),
                (tr("Learning rate"), format_number(training.learning_rate)),
                (tr("Batch size"), integer(training.batch)),
                (tr("Seed"), str(training.seed)),
                (tr("Weights and biases"), integer(inference.parameter_count)),
            ]
        )

    def _show_problems(self) -> None:
        found = [
            p
            for p in self.document.inference.problems
            if (p.node in self.uids if self.uids else not self.document.graph.has(p.node))
        ]
        if [row.problem for row in self._rows] == found:
            return
        for row in self._rows:
            self.problems.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = []
        for problem in found:
            made = ProblemRow(self.document, problem, with_name=False, parent=self)
            made.refused.connect(self.refused)
            self.problems.addWidget(made)
            self._rows.append(made)

    # ---- editing ---------------------------------------------------------------------------------------

    def _edited(self, name: str, value: object) -> None:
        uid = self.uids[0]
        try:
            if not edit_weights(self.document, uid, name, value):
                self.document.set_setting(uid, name, value)
        except MatrizenError as error:
            if self.form is not None:
                self.form.set_problem(name, tr_message(error))

    def _share(self, owner: Uid) -> None:
        try:
            self.document.share(self.uids[0], owner or None)
        except MatrizenError as error:
            self.refused.emit(error)

    def _rename(self) -> None:
        if len(self.uids) != 1 or not self.name.isModified():
            return
        try:
            self.document.rename(self.uids[0], self.name.text())
        except MatrizenError as error:
            self._say(tr_message(error))
            return
        self.name.setModified(False)
        self._say("")

    def _say(self, problem: str) -> None:
        self.name_problem.setText(problem)
        self.name_problem.setVisible(bool(problem))

    def _help(self) -> None:
        if len(self.uids) == 1:
            self.help_requested.emit(self.document.node(self.uids[0]).layer.kind)

    def _restyle(self) -> None:
        self.setFixedWidth(theme.px(NARROW if self._narrow else WIDE))
        # quiet until the pointer is over it: a name first, a field second
        self.name.setStyleSheet(
            "QLineEdit { background: transparent; border-color: transparent; padding-left: 0;"
            f" font-size: {theme.px(15)}px; font-weight: 600; }}"
            f"QLineEdit:hover, QLineEdit:focus {{ background: {theme.theme().field};"
            f" border-color: {theme.theme().border}; padding-left: 4px; }}"
        )
        self._sync()
