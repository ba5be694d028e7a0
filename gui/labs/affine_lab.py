"""The affine lab: one picture, four steps, one matrix; every number that is moved and every pixel read.

The picture inside its frame is the engine's warp on the device in use; formulas and numbers come from
`engine.affine` and the explanation of the op.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine import affine
from engine.errors import MatrizenError, Message
from gui import theme
from gui.i18n import tr, tr_message, trn
from gui.labs import affine_augment, affine_sources
from gui.labs.affine_bar import AffineBar
from gui.labs.affine_engine import Answered, Warps, Wish
from gui.labs.affine_plane import PlaneView
from gui.labs.affine_rooms import Lower, Note, Right
from gui.labs.affine_sources import Subject
from gui.labs.affine_state import AffineState, Point, examples
from gui.live import short_device

if TYPE_CHECKING:
    from gui.workbench import Workbench

PICTURES = "*.png *.jpg *.jpeg *.bmp *.gif *.webp *.tif *.tiff"
FIRST = "chelsea"
NUMBERS_MS = 32
"""While something is dragged, one panel of three shows new numbers this often: each ten times a second."""


class AffineLab(QWidget):
    """`open(path=..., layer=..., sample=...)` shows a picture; `closed` by Escape.

    `compare(Augment)`: what these ranges change in training is wanted.
    """

    closed = Signal()
    compare = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.state = AffineState()
        self.subject: Subject | None = None
        self._points: tuple[Point, ...] = ()
        self._engine_cell: tuple[tuple[int, int], np.ndarray] | None = None
        self.loader = affine_sources.Loader(bench, self)
        self.loader.loaded.connect(self.show_subject)
        self.loader.refused.connect(self._say)
        self.reason = ""
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._build()
        self.warps = Warps(bench.runner, self)
        self.warps.warped.connect(self._warped)
        self.warps.failed.connect(self._failed)
        self.warps.probed.connect(self._probed)
        bench.runner.restarted.connect(self.warps.forget)
        bench.status_changed.connect(self._show_device)
        self._numbers_timer = QTimer(self)
        self._numbers_timer.setSingleShot(True)
        self._numbers_timer.setInterval(NUMBERS_MS)
        self._numbers_timer.timeout.connect(self._show_some)
        self._turn = 0
        self._show_device()
        self._show(moving=False)

    def title(self) -> str:
        """What the frame calls it."""
        return tr("Affine lab")

    def _build(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(1)
        self.bar = AffineBar(self.bench)
        self.bar.chosen.connect(lambda field, value: self.set_state(replace(self.state, **{field: value})))
        self.bar.augment.connect(self.augment)
        self.bar.identity.connect(lambda: self.set_state(self.state.reset()))
        self.bar.file_wanted.connect(self.choose_file)
        self.bar.sample.connect(self.loader.sample)
        self.bar.layer.connect(self.loader.layer)
        self.bar.example.connect(self.show_example)
        whole.addWidget(self.bar)
        across = QHBoxLayout()
        across.setSpacing(1)
        whole.addLayout(across, 1)
        left = QVBoxLayout()
        left.setSpacing(1)
        across.addLayout(left, 1)
        self.plane = PlaneView()
        self.plane.changed.connect(self._dragged)
        self.plane.pixel_changed.connect(lambda _pixel: self._show_pixel())
        self.plane.points_changed.connect(self._points_moved)
        left.addWidget(self.plane, 1)
        text = tr("Picture rows count downward, so a positive angle turns clockwise.")
        self._note = Note(text, self.plane)
        lower = Lower()
        lower.channel_chosen.connect(self._show_pixel)
        self.channel, self.pixel, self.turns = lower.channel, lower.pixel, lower.turns
        self.turns.asked.connect(self.turn)
        self.turns.refused.connect(self._say)
        left.addWidget(lower)
        self._hint = QLabel()
        self._hint.setProperty("role", "status")
        self._facts = QLabel()
        self._facts.setProperty("role", "status")
        foot = QFrame()
        foot.setProperty("surface", "window")
        line = QHBoxLayout(foot)
        line.setContentsMargins(theme.px(12), theme.px(3), theme.px(12), theme.px(3))
        line.addWidget(self._hint, 1)
        line.addWidget(self._facts)
        whole.addWidget(foot)
        self._say("")
        self.right = Right()
        self.maps, self.steps, self.product = self.right.maps, self.right.steps, self.right.product
        self.maps.clicked.connect(self.loader.next)
        self.steps.changed.connect(self._stepped)
        self.steps.refused.connect(self._say)
        self.product.other_shown.connect(self._show_other)
        across.addWidget(self.right)

    # ---- what is looked at ----------------------------------------------------------------------------

    def open(
        self, path: str = "", layer: str = "", sample: str = "", kept: tuple[Any, ...] | None = None
    ) -> None:
        """A file, what leaves a layer, or a photograph; without a word the one shown, or the first.

        `kept` is what `memory` gave.
        """
        if kept is not None:
            state, subject, points = kept
            self.set_state(state)
            if subject is not None:
                self.show_subject(subject)
            if points:
                self._show_points(points)
        elif path:
            self.loader.file(Path(path))
        elif layer:
            self.loader.layer(layer)
        elif sample or self.subject is None:
            self.loader.sample(sample or FIRST)
        self.plane.setFocus()

    def memory(self) -> dict[str, Any]:
        """What a rebuilt window opens again."""
        return {"kept": (self.state, self.subject, self._points)}

    def close_lab(self) -> None:
        """Out of sight: nothing is asked of the engine until it is opened again."""
        self._numbers_timer.stop()

    def choose_file(self) -> None:
        """The dialog for a picture."""
        kinds = tr("Pictures") + f" ({PICTURES});;" + tr("All files") + " (*)"
        name, _ = QFileDialog.getOpenFileName(self, tr("Open picture"), self.bench.state.folder, kinds)
        if name:
            self.bench.state.folder = str(Path(name).parent)
            self.loader.file(Path(name))

    def show_subject(self, subject: Subject) -> None:
        """Look at this picture from now on."""
        self.subject, self._points, self._engine_cell = subject, (), None
        self.warps.set_picture(subject.pixels)
        self.plane.set_points(())
        self.plane.set_state(self.state)
        self.plane.set_picture(np.clip(np.rint(subject.pixels), 0, 255).astype(np.uint8))
        h, w, c = subject.pixels.shape
        self.channel.setVisible(c == 3)
        color = "RGB" if c == 3 else tr("grey")
        size = trn("{w} × {h} pixel", "{w} × {h} pixels", w * h).format(w=w, h=h)
        text = f"{size}   {color}   {subject.name}"
        self._facts.setText(text + (f"   ({subject.note})" if subject.note else ""))
        self.maps.setVisible(self.loader.count > 1)
        self.maps.setText(tr("{name}: show the next of {n}").format(name=subject.name, n=self.loader.count))
        self.turns.clear()
        self._say("")
        self._show(moving=False)
        self.plane.set_pixel((h * 2 // 5, w * 2 // 5))

    def show_example(self, name: str) -> None:
        """One of the worked examples of the text, on points."""
        found = examples()[name]
        self.set_state(found.state)
        self._show_points(found.points)

    def _show_points(self, points: tuple[Point, ...]) -> None:
        self._points = points
        self.plane.set_points(points)
        self._show(moving=False)

    def _points_moved(self, points: tuple[Point, ...]) -> None:
        self._points = points
        self._show(moving=True)

    # ---- changes --------------------------------------------------------------------------------------

    def set_state(self, state: AffineState) -> None:
        """Other numbers, from anywhere."""
        if (state.border, state.interpolation) != (self.state.border, self.state.interpolation):
            self.turns.clear()
        self.state = state
        self.steps.set_state(state)
        self.plane.set_state(state)
        self._show(moving=False)

    def _stepped(self, state: AffineState, moving: bool) -> None:
        self.state = self.state.with_steps(state)
        self.plane.set_state(self.state)
        self._say("")
        self._show(moving)

    def _dragged(self, state: AffineState, moving: bool) -> None:
        self.state = state
        self._show(moving)

    def _show(self, moving: bool) -> None:
        """The frame at once, the picture as soon as the engine has it, digits at the pace they are read."""
        self.reason = why_not(self.state, self.subject)
        if self.subject is not None and self.reason:
            self.plane.clear_result()
        elif self.subject is not None:
            self._engine_cell = None
            how = self.state.border, self.state.interpolation
            self.warps.wish(Wish(self._pixels(), *how, coarse=moving))
        if not moving:
            self._numbers_timer.stop()
            self._show_numbers()
        elif not self._numbers_timer.isActive():
            self._numbers_timer.start()

    def _show_numbers(self) -> None:
        self.bar.show_state(self.state)
        self.steps.set_state(self.state)
        self._show_product()
        self._show_traced()

    def _show_some(self) -> None:
        """While something moves the panels take turns, so that no frame pays for all of them."""
        parts = (lambda: self.steps.set_state(self.state), self._show_product, self._show_traced)
        parts[self._turn % len(parts)]()
        self._turn += 1

    def _show_product(self) -> None:
        self.product.show_state(self.state, self._told_points(), self.reason)

    def _show_traced(self) -> None:
        if self.subject is None or self.reason:
            self.pixel.show_reason(self.reason)
        else:
            self._show_pixel()

    def _pixels(self) -> np.ndarray:
        assert self.subject is not None
        return self.state.pixels(*self.subject.pixels.shape[:2])

    def _told_points(self) -> tuple[tuple[str, Point], ...]:
        if self._points:
            names = ["P"] if len(self._points) == 1 else [f"P{k + 1}" for k in range(len(self._points))]
            return tuple(zip(names, self._points, strict=True))
        if self.subject is None:
            return ()
        h, w = self.subject.pixels.shape[:2]
        x, y = self.state.origin_of(h, w)
        return ((tr("top left"), (-x, -y)), (tr("top right"), (w - 1 - x, -y)))

    def _show_other(self, shown: bool) -> None:
        self.plane.show_other = shown
        self.plane.update()

    # ---- the engine's answers ---------------------------------------------------------------------------

    def _warped(self, found: Answered) -> None:
        if self.reason:
            return
        self.plane.set_result(found.pixels, found.factor)
        if found.factor == 1 and not self.warps.busy:
            self._show_pixel()

    def _failed(self, message: Message) -> None:
        self.plane.clear_result()
        self._say(tr_message(message))

    def _probed(self, found: tuple[tuple[int, int], np.ndarray]) -> None:
        self._engine_cell = found
        self._show_pixel(ask=False)

    def _show_pixel(self, ask: bool = True) -> None:
        """The pixel traced: its terms from the op, the engine's own number beside their sum."""
        at = self.plane.pixel
        if self.subject is None or at is None or self.reason or self._points:
            self.channel.hide()
            if self._points:
                self.pixel.show_reason(tr("The example is about points. Choose a picture to trace a pixel."))
            return
        picture = self.subject.pixels
        h, w, c = picture.shape
        self.channel.setVisible(c == 3)
        channel = int(self.channel.value() or 0) if c == 3 else 0
        known = self._engine_cell is not None and self._engine_cell[0] == at
        number = float(self._engine_cell[1][channel]) if known and self._engine_cell else float("nan")
        m = self._pixels()
        try:
            how = self.state.border, self.state.interpolation
            terms = affine.terms(picture, m, (*at, channel), number, *how)
            place = affine.source(m, at[1], at[0])
        except MatrizenError as error:
            self.pixel.show_reason(tr_message(error))
            return
        x, y = self.state.origin_of(h, w)
        name = [tr("red"), tr("green"), tr("blue")][channel] if c == 3 else tr("grey value")
        self.pixel.show_pixel(
            picture, terms, (at[1] - x, at[0] - y), (place[0] - x, place[1] - y), place, channel, name
        )
        if ask and not known:
            self.warps.probe(*at)

    def turn(self) -> None:
        """36 turns of 10 degrees, on the device."""
        if self.subject is not None:
            how = self.state.border, self.state.interpolation
            self.turns.run(self.bench.runner, self.subject.pixels, *how)

    def augment(self) -> None:
        """Ranges that hold this map, put into training."""
        if self.subject is None:
            return
        uid = affine_sources.input_of(self.bench)
        seen = self.subject.pixels.shape[:2]
        taken = seen
        if uid is not None:
            taken = self.bench.document.node(uid).layer.shape[1:]  # type: ignore[attr-defined]
        layer = affine_augment.ranges(self.state, seen, taken)
        self.dialog = affine_augment.AugmentDialog(self.bench, layer, self.subject, self)
        self.dialog.accepted.connect(self._augmented)
        self.dialog.compare.connect(self.compare)
        self.dialog.show()

    def _augmented(self) -> None:
        uid = self.dialog.used
        name = self.bench.document.node(uid).name if self.bench.document.graph.has(uid) else uid
        text = tr("{name} changes the training pictures from now on. Undo takes it back.")
        self._say(text.format(name=name))

    # ---- words, files, keys -----------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        """One line at the foot; "" is how to use the hands."""
        usual = tr(
            "Drag a corner to scale, the round handle to rotate, the middle to shift, "
            "an edge with Ctrl to shear. Shift: round steps."
        )
        self._hint.setText(text or usual)
        self._hint.setProperty("role", "warning" if text else "status")
        self._hint.style().unpolish(self._hint)
        self._hint.style().polish(self._hint)

    def hint(self) -> str:
        """The line at the foot."""
        return self._hint.text()

    def _show_device(self) -> None:
        self.bar.device.setText(short_device(self.bench.status))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A picture dropped on the lab is looked at here."""
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.loader.file(Path(files[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.right.setFixedWidth(theme.px(430 if self.width() >= theme.px(1400) else 414))
        self._note.adjustSize()
        self._note.move(theme.px(12), self.plane.height() - self._note.height() - theme.px(12))


def why_not(state: AffineState, subject: Subject | None) -> str:
    """Why there is no way back, from the origin or in the picture's pixels; "" where there is one."""
    try:
        affine.inverse(state.matrix())
        if subject is not None:
            affine.inverse(state.pixels(*subject.pixels.shape[:2]))
    except MatrizenError as error:
        return tr_message(error)
    return ""


def register(window: Any, bench: Workbench, actions: Any) -> None:
    """Make the lab known to the window's host of labs; "affine_lab" opens it, with `open`'s words.

    It needs no condition: a photograph is always there.
    """

    def make() -> AffineLab:
        lab = AffineLab(bench)
        lab.compare.connect(lambda layer: window.open_lab("augment_lab", layer=layer))
        return lab

    window.labs.add("affine_lab", make)
