"""The matrix lab: one layer as its equations, with the real matrices of one step, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.session.protocol import Configured, Frame
from engine.session.views import MatrixData, ViewData
from gui import i18n, theme
from gui.i18n import tr
from gui.labs.cell_edit import CellEditor
from gui.labs.cell_story import CellStory
from gui.labs.channels import counts, shown, sight_of
from gui.labs.copying import Copier
from gui.labs.equation import Equation
from gui.labs.equation_view import SidewaysArea
from gui.labs.equations import companion, equations, family, positions
from gui.labs.form_note import FormNote
from gui.labs.hands import Hands
from gui.labs.matrix_controls import PlayBar, TopBar
from gui.labs.matrix_names import Names, names_of, plain_symbol
from gui.labs.pane import Pane, Sight
from gui.labs.player import Player
from gui.labs.rail import Rail, part_of
from gui.labs.sheet import Cell, Sheet
from gui.labs.story_card import StoryCard
from gui.panels import targets
from gui.watching import Wish

if TYPE_CHECKING:
    from gui.actions import Actions
    from gui.main_window import MainWindow
    from gui.workbench import Workbench

BATCH_SHOWN = 10
"""Batches up to so many examples are shown whole at first."""


def register(window: MainWindow, bench: Workbench, actions: Actions) -> None:
    """Make the lab known to a window. Called after the window was built (again)."""
    window.labs.add("matrix_lab", lambda: MatrixLab(window))


class MatrixLab(QWidget):
    """`open(uid=..., value=..., cell=...)` shows a layer and a cell of it. `closed`: it closes itself."""

    closed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window, self._bench = window, window.bench
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._uid = ""
        self._active = False
        self._equations: list[Equation] = []
        self._at = 0
        self._lanes = 1
        self._step = -1
        self.sight = Sight()
        self.pane, self.below, self.card = Pane(), Pane(), StoryCard()
        self.story = CellStory(window.bench, self.card, [self.pane, self.below], self._name_of)
        self.story.moved.connect(self._bring_into_sight)
        self.player = Player(self.pane, self)
        self.player.cell_wanted.connect(self.story.open)
        self.copier = Copier(self, window.bench, window.toasts.show_message)
        self.editor = CellEditor(self, window.bench, window.toasts.show_message, self._name_of)
        self.editor.written.connect(self.story.follow)
        self.form = FormNote(self.pane, self.below)
        self.hands = Hands(self.editor, (self.pane, self.below))
        self._build()

    # ---- building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.header = self.top = TopBar()
        self.top.layer_chosen.connect(lambda uid: self.open(uid=uid))
        self.top.style_changed.connect(self._restyle)
        self.top.example_changed.connect(lambda whole, at: self._see(whole=whole, example=at))
        self.top.channel_changed.connect(lambda at, inner: self._see(channel=at, channel_in=inner))
        self.top.copy_menu.aboutToShow.connect(
            lambda: self.copier.fill(self.top.copy_menu, self.pane, None)
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        left = QFrame()
        left.setProperty("surface", "panel")
        left.setFixedWidth(theme.px(252))
        side = QVBoxLayout(left)
        side.setContentsMargins(0, theme.px(12), 0, theme.px(12))
        side.setSpacing(theme.px(2))
        self._head = QLabel()
        self._head.setProperty("role", "heading")
        self._sub = QLabel()
        self._sub.setProperty("role", "caption")
        self._sub.setWordWrap(True)
        for label in (self._head, self._sub):
            label.setContentsMargins(theme.px(16), 0, theme.px(8), 0)
            side.addWidget(label)
        self.rail = Rail()
        self.rail.chosen.connect(self.choose)
        scroll = QScrollArea()
        scroll.setWidget(self.rail)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        side.addWidget(scroll, 1)
        hint = QLabel(tr("Click any number to see where it comes from, twice to type it. "
                         "← → go through the calculation, ↑ ↓ choose a step, P plays. "
                         "D drags, B paints, L locks numbers."))
        hint.setProperty("role", "caption")
        hint.setWordWrap(True)
        hint.setContentsMargins(theme.px(16), theme.px(8), theme.px(12), 0)
        side.addWidget(hint)
        row.addWidget(left)
        self.below.make_small()
        self.play_bar = PlayBar()
        self.play_bar.add_below(self.hands.bar)
        self.player.changed.connect(self._show_player)
        self.play_bar.play_clicked.connect(self._toggle)
        self.play_bar.walk_clicked.connect(self.player.walk)
        self.play_bar.stop_clicked.connect(self._stop)
        self.play_bar.order_chosen.connect(self.player.set_order)
        self.play_bar.pace_chosen.connect(self.player.set_pace)
        for pane in (self.pane, self.below):
            pane.clicked.connect(self._clicked)
            pane.part_wanted.connect(self._sync)
            pane.edit_wanted.connect(lambda i, r, c, pane=pane: self.editor.edit(pane, i, r, c))
            pane.menu_wanted.connect(lambda i, at, pane=pane: self.copier.popup(pane, i, at))
        self._below_head = QLabel()
        self._below_head.setProperty("role", "heading")
        self._empty = QLabel()
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        stage = QFrame()
        stage.setProperty("surface", "canvas")
        column = QVBoxLayout(stage)
        column.setContentsMargins(theme.px(20), theme.px(12), theme.px(20), theme.px(16))
        column.setSpacing(theme.px(8))
        self._upper, self._lower = SidewaysArea(self.pane), SidewaysArea(self.below)
        for widget in (self.play_bar, self._upper, self.form, self.card, self._below_head, self._lower,
                       self._empty):
            column.addWidget(widget)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidget(stage)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.form.fit_into(self.area.viewport(), self._restyle)
        row.addWidget(self.area, 1)
        self.card.factor_clicked.connect(self._clicked)
        self.card.step_clicked.connect(self._go_to_value)

    # ---- what every lab has ---------------------------------------------------------------------------

    def title(self) -> str:
        """What stands in the title row."""
        return tr("Matrix lab")

    def open(self, uid: str = "", value: str = "", cell: Cell | None = None, step: int | None = None,
             form: str = "", **_more: Any) -> None:
        """Show a layer (the selected one, or the first with weights) and, with `value`, a cell of it."""
        if form:
            self.top.form.set_value(form)
        if not self._active:
            self._active = True
            bench = self._bench
            bench.watcher.add(self)
            bench.programmed.connect(self._on_program)
            bench.framed.connect(self._on_frame)
            bench.status_changed.connect(self._show_facts)
            bench.restarted.connect(self._on_restart)
        self._set_layer(uid or self._window_layer())
        if step is not None:
            self.choose(step)
        if value:
            self._go_to_value(value)
        if value and cell is not None:
            self.story.open(value, tuple(cell))

    def close_lab(self) -> None:
        """Out of sight: watch nothing."""
        if not self._active:
            return
        self._active = False
        self.player.stop()
        bench = self._bench
        bench.programmed.disconnect(self._on_program)
        bench.framed.disconnect(self._on_frame)
        bench.status_changed.disconnect(self._show_facts)
        bench.restarted.disconnect(self._on_restart)
        bench.watcher.remove(self)
        bench.watcher.sync()

    def memory(self) -> Mapping[str, Any]:
        """What a rebuilt window opens again."""
        return {"uid": self._uid, "step": self._at, "form": self.top.form.value()}

    def _window_layer(self) -> str:
        selected = self._window.selection()
        if selected:
            return selected[-1]
        configured = self._bench.configured
        if configured is None:
            return ""
        return targets.first_weighted(configured.program, self._bench.document.graph) or ""

    # ---- what is shown --------------------------------------------------------------------------------

    def _set_layer(self, uid: str) -> None:
        configured, graph = self._bench.configured, self._bench.document.graph
        if uid != self._uid:
            self.story.close()
            self.player.stop()
            self._at = 0
            batch = configured.training.batch if configured is not None else 1
            count = configured.data.n_train if configured is not None else 1
            self._lanes = max(1, min(batch, count))
            self.sight = Sight(whole=self._lanes <= BATCH_SHOWN)
        self._uid = uid
        layers = [(n.uid, n.name) for n in graph.nodes]
        self.top.set_layers(layers, uid)
        self._refresh()

    def _refresh(self) -> None:
        """Write the equations anew: another layer, program or style."""
        configured, graph = self._bench.configured, self._bench.document.graph
        program = configured.program if configured is not None else None
        style = self.top.writing(positions(program, graph, self._uid))
        self._equations = equations(program, graph, self._uid, style) if program is not None else []
        self._at = min(self._at, max(0, len(self._equations) - 1))
        names = [graph.node(u).name for u in family(program, graph, self._uid)] if program else []
        self._head.setText(" · ".join(names) if names else tr("No layer"))
        self._show_facts()
        nothing = not self._equations
        for widget in (self.play_bar, self._upper, self.form, self.card, self._below_head, self._lower):
            widget.setVisible(not nothing)
        self._empty.setVisible(nothing)
        if nothing:
            self._empty.setText(self._why_empty(program is not None))
        self._show_equation()

    def _show_facts(self, *_: object) -> None:
        if self._bench.status.step != self._step:
            self._step = self._bench.status.step
            self.editor.forget_inputs()
        count = len(self._equations)
        step = i18n.integer(self._bench.status.step)
        self._sub.setText(i18n.trn("One step, {n} operation", "One step, {n} operations", count)
                          .format(n=count) + " · " + tr("step {n}").format(n=step))

    def _why_empty(self, runs: bool) -> str:
        if not runs:
            return tr("Numbers appear as soon as the network can run.")
        return tr("This layer computes nothing: it passes on the same numbers in another order.")

    def choose(self, index: int) -> None:
        """Another step of the layer."""
        if 0 <= index < len(self._equations) and index != self._at:
            self.player.stop()
            self._at = index
            self._show_equation()
            self.area.verticalScrollBar().setValue(0)

    def equation(self) -> Equation | None:
        """The one shown."""
        return self._equations[self._at] if self._equations else None

    def _show_equation(self) -> None:
        configured = self._bench.configured
        program = configured.program if configured is not None else None
        equation = self.equation()
        self.rail.set_equations(self._equations, self._at)
        below = companion(equation, self._equations) if equation is not None else None
        upper = self.form.write(equation, program, self.sight, self.top.form)
        if upper is not None:
            equation, program, below = upper[0], upper[1], equation
        self.pane.show_equation("lab", equation, program, self._lanes, self.sight, self._names)
        self.below.show_equation("lab.below", below, program, self._lanes, self.sight, self._names)
        self._lower.setVisible(below is not None)
        self._below_head.setVisible(below is not None)
        if equation is not None:
            self.play_bar.show_equation(part_of(equation.phase), equation)
        if below is not None:
            self._below_head.setText(self.form.head() or part_of(below.phase))
        maps = [s for s in (*self.pane.sheets, *self.below.sheets) if s.lens.kind in ("map", "kernel")]
        self._show_sight(bool(maps))
        self._show_player()
        self.story.mark()
        self._sync()

    def _show_sight(self, maps: bool) -> None:
        configured = self._bench.configured
        values = configured.program.values if configured is not None else {}
        channels, inner = counts((*self.pane.sheets, *self.below.sheets), values)
        transposed = any(e.kind.startswith("conv_transpose2d") for e in self._equations)
        self.top.set_sight(self.sight, self._lanes, maps, channels, inner, transposed)

    def _names(self, sheet: Sheet) -> tuple[Names, Names]:
        configured = self._bench.configured
        if configured is None:
            return None, None
        return names_of(sheet, configured, self._bench.document.graph, self._uid)

    # ---- numbers --------------------------------------------------------------------------------------

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        if not self._active or self._bench.configured is None:
            return {}
        below = self.below.wants() if self.below.equation is not None else {}
        return {**self.form.wants(), **self.pane.wants(), **below}

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if not isinstance(data, MatrixData) or self.form.take(key, data):
            return
        pane = self.below if key.startswith("lab.below.") else self.pane
        index, name = key.removeprefix(pane.key + ".").split(".", 1)
        pane.take(int(index), name, data)
        if pane is self.pane and self.player.at >= 0:
            self.player.show()
        if pane.sheets and pane.sheets[int(index)].lens.batched and not pane.sheets[int(index)].lens.fixed:
            self._lanes = max(1, data.logical[-1]) if data.logical else self._lanes

    def _sync(self) -> None:
        if self._active:
            self._bench.watcher.sync()

    def _on_frame(self, _frame: Frame) -> None:
        self.story.follow()

    def _on_program(self, _configured: Configured | None) -> None:
        graph = self._bench.document.graph
        self.story.close()
        self.player.stop()
        self._set_layer(self._uid if graph.has(self._uid) else self._window_layer())
        self._bench.watcher.repeat()

    def _on_restart(self) -> None:
        self.story.close()
        self.player.stop()

    # ---- places ---------------------------------------------------------------------------------------

    def _clicked(self, value: str, cell: Cell) -> None:
        self.setFocus()  # a field that was open is left
        if self.player.playing:
            self.player.pause()
        self.story.open(value, tuple(cell))

    def _go_to_value(self, value: str) -> None:
        """Bring the step into sight that made a value; of another layer, that layer."""
        found = next((i for i, e in enumerate(self._equations) if e.out.value == value), None)
        if found is not None:
            self.choose(found)
            return
        configured, graph = self._bench.configured, self._bench.document.graph
        made = configured.program.producers.get(value) if configured is not None else None
        if configured is None or made is None:
            return
        op = configured.program.ops[made]
        node = op.node
        if node in family(configured.program, graph, self._uid) and self.top.see_time(op):
            self._refresh()
            self._go_to_value(value)
        elif graph.has(node) and node not in family(configured.program, graph, self._uid):
            self._set_layer(node)
            self._go_to_value(value)

    def _bring_into_sight(self, value: str, cell: Cell) -> None:
        """An opened cell of another example or channel moves what is seen."""
        configured = self._bench.configured
        known = configured.program.values.get(value) if configured is not None else None
        sight = self.form.sight_of(value, cell, self.sight)
        if known is not None and known.batched and cell and (not sight.whole or len(known.shape) > 2):
            sight = replace(sight, example=cell[-1])
        for sheet in (*self.pane.sheets, *self.below.sheets):
            if sheet.factor.value != value or shown(sheet, value, cell, sight):
                continue
            sight = sight_of(sheet, cell, sight)
        if sight != self.sight:
            self.sight = sight
            self._show_equation()

    def _see(self, **what: Any) -> None:
        self.player.stop()
        self.sight = replace(self.sight, **what)
        self._show_equation()

    def _restyle(self) -> None:
        self.player.stop()
        self._refresh()

    def _name_of(self, value: str) -> str:
        """What a value is called on this page, in words that need no LaTeX; "" for what is not on it."""
        shown = [self.pane.equation] if self.pane.equation is not None else []
        for equation in (*shown, *self._equations):
            for factor in equation.factors:
                if factor.value == value and not factor.derived:
                    return plain_symbol(factor.symbol.removesuffix("^T"))  # cells are those of the value
        return ""

    # ---- walking --------------------------------------------------------------------------------------

    def _toggle(self) -> None:
        self.player.pause() if self.player.playing else self.player.play()

    def _stop(self) -> None:
        self.player.stop()
        self.story.mark()

    def _show_player(self) -> None:
        equation = self.pane.equation
        self.play_bar.show_state(self.player.playing, self.player.at, self.player.count(),
                                 equation is not None and equation.product)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.player.walk(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.choose(self._at + (1 if key == Qt.Key.Key_Down else -1))
        elif key == Qt.Key.Key_P and not event.modifiers():
            self._toggle()
        elif key == Qt.Key.Key_Escape and (self.player.at >= 0 or self.story.opened is not None):
            self.player.stop()
            self.story.close()
        else:
            super().keyPressEvent(event)
