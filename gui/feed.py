"""Feeds the canvas: thumbnails, facts, link widths and the weights between unfolded layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PySide6.QtCore import QObject

from engine.graph import Uid
from engine.session.protocol import Configured
from engine.session.views import (
    Batch,
    BatchData,
    BoundaryData,
    Matrix,
    MatrixData,
    NodeStats,
    NodeThumb,
    ThumbRole,
    Thumbs,
    ThumbsData,
    ViewData,
)
from engine.values import state_id
from gui import i18n, theme, tokens
from gui.canvas.scene import CanvasScene
from gui.canvas.thumb_data import Health, ThumbData
from gui.document import Document
from gui.i18n import tr
from gui.views.base import words_from_rgb
from gui.watching import Wish

PICTURES = 12
_ROLES: dict[str, str] = {
    "weights": "weights", "gradients": "gradients", "deltas": "gradients", "activations": "activations",
}  # fmt: skip


class CanvasFeed(QObject):
    """A client of the watcher for everything the canvas shows. `shown()` says whether it is on screen."""

    def __init__(
        self, scene: CanvasScene, document: Document, shown: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._scene, self._document, self._shown = scene, document, shown
        self._configured: Configured | None = None
        self.sample = 0
        self._biases: dict[Uid, np.ndarray] = {}
        self._picture_input: Uid | None = None

    def set_program(self, configured: Configured | None) -> None:
        """Another program runs; pictures of a run that was left are forgotten by the caller."""
        self._configured = configured
        self._biases.clear()
        self._picture_input = None
        if configured is not None and configured.data.kind == "pictures":
            inputs = [n.uid for n in self._document.graph.nodes if n.layer.kind == "input"]
            self._picture_input = inputs[0] if inputs else None

    # ---- wishes --------------------------------------------------------------------------------------

    def wants(self) -> Mapping[str, Wish]:
        """See `gui.watching.Client`."""
        configured = self._configured
        if configured is None or not self._shown():
            return {}
        nodes: list[tuple[Uid, ThumbRole]] = []
        graph = self._document.graph
        for node in graph.nodes:
            if node.uid not in configured.outputs or node.uid == self._picture_input:
                continue
            nodes.append((node.uid, self._role(node.uid)))
        wishes = {"canvas.thumbs": Wish(Thumbs(tuple(nodes), self.sample), rate=12.0)}
        for uid in self._scene.unfolded:
            owner = graph.node(uid).owner
            weight, bias = state_id(owner, "weight"), state_id(owner, "bias")
            if weight in configured.program.values:
                wishes[f"canvas.wires/{uid}"] = Wish(Matrix(weight), rate=12.0)
            if bias in configured.program.values:
                wishes[f"canvas.bias/{uid}"] = Wish(Matrix(bias), rate=6.0)
        if configured.data.kind == "pictures":
            wishes["canvas.batch"] = Wish(Batch(PICTURES), rate=5.0)
        return wishes

    def _role(self, uid: Uid) -> ThumbRole:
        scene, graph = self._scene, self._document.graph
        if uid in scene.unfolded or scene.shown(uid) in scene.unfolded:
            return "neurons"
        node = graph.node(uid)
        program = self._configured.program if self._configured is not None else None
        has_weights = program is not None and state_id(node.owner, "weight") in program.values
        return "weights" if has_weights and node.layer.category == "linear" else "activations"

    # ---- what arrives --------------------------------------------------------------------------------

    def take(self, key: str, data: ViewData, step: int) -> None:
        """See `gui.watching.Client`."""
        if isinstance(data, ThumbsData):
            self._thumbs(data)
        elif isinstance(data, MatrixData):
            uid = key.split("/", 1)[1]
            if key.startswith("canvas.bias"):
                self._biases[uid] = data.values[:, 0]
            else:
                self._scene.set_weights(uid, data.values, self._biases.get(uid))
        elif isinstance(data, BatchData):
            self._pictures(data)

    def _thumbs(self, data: ThumbsData) -> None:
        means: dict[Uid, float] = {}
        out: dict[Uid, ThumbData] = {}
        graph = self._document.graph
        for uid, thumb in data.nodes.items():
            if not graph.has(uid):
                continue
            means[uid] = thumb.stats.mean_abs
            target = self._target(uid)
            if target is None:
                continue
            if graph.node(uid).layer.kind == "output" and self._drawn_otherwise(target):
                continue
            out[target] = self._picture_of(uid, thumb)
        self._scene.set_thumbnails(out)
        self._scene.set_link_strengths(means)

    def _drawn_otherwise(self, uid: Uid) -> bool:
        """Outputs show class colors over the plane, or bars of the likeliest classes."""
        configured = self._configured
        if configured is None or not configured.data.spec.classes:
            return False
        if configured.data.kind == "points":
            return uid in self._scene.unfolded
        known = self._scene.atlas.data(uid)
        return known is not None and bool(known.bars)

    def _target(self, uid: Uid) -> Uid | None:
        """The node that shows the values of `uid`, None where another's are shown in its place."""
        scene = self._scene
        unfold = scene.unfolded.get(uid)
        if unfold is not None and unfold.merged is not None:
            return None  # an unfolded layer shows its activation
        return scene.shown(uid)

    def _picture_of(self, uid: Uid, thumb: NodeThumb) -> ThumbData:
        node = self._document.graph.node(uid)
        role = self._role(uid)
        caption, health, dead = facts_of(thumb.stats, node.layer.category)
        if role == "neurons":
            # plots have y up, pictures y down
            return ThumbData(np.ascontiguousarray(thumb.tiles[:, ::-1]), "weights", caption="")
        ramp = "pictures" if node.layer.kind == "augment" else _ROLES[role]
        if ramp == "activations" and thumb.low < 0:
            ramp = "weights"
        return ThumbData(thumb.tiles, ramp, thumb.histogram, caption, health, dead)

    def show_boundary(self, data: BoundaryData) -> None:
        """The output node of a 2-D network shows the decision in class colors."""
        output = next((n.uid for n in self._document.graph.nodes if n.layer.kind == "output"), None)
        if output is None or output not in self._scene.unfolded or not len(data.output):
            return
        if self._configured is None or not self._configured.data.spec.classes:
            return
        units = self._scene.unfolded[output].units
        small = data.output[:, ::2, ::2]
        ground = np.array(tokens.rgb(theme.theme().canvas), float)
        colors = np.array(
            [tokens.rgb(tokens.CLASSES[i % len(tokens.CLASSES)]) for i in range(len(small))], float
        )
        if units == 1 or units == len(small):
            shares = [small] if units == 1 else [small[i : i + 1] for i in range(units)]
            tiles = []
            for index, part in enumerate(shares):
                own = colors if units == 1 else colors[index : index + 1]
                mixed = np.tensordot(own.T, part, axes=1)
                if units > 1:
                    mixed = mixed + ground[:, None, None] * (1.0 - part[0])
                tiles.append(
                    words_from_rgb(np.moveaxis(np.clip(mixed, 0, 255), 0, -1).astype(np.uint8)[::-1])
                )
            self._scene.set_thumbnail(output, ThumbData(np.stack(tiles), "activations"))

    def _pictures(self, data: BatchData) -> None:
        if self._picture_input is None or data.inputs.ndim != 4:
            return
        self._scene.set_thumbnail(self._picture_input, ThumbData(picture_words(data.inputs), "pictures"))
        output = next((n.uid for n in self._document.graph.nodes if n.layer.kind == "output"), None)
        names = self._configured.data.class_names if self._configured is not None else ()
        if output is not None and len(data.outputs) and names:
            row = data.outputs[min(self.sample, len(data.outputs) - 1)]
            order = np.argsort(-row, kind="stable")[:4]
            bars = tuple((names[i] if i < len(names) else str(i), float(row[i])) for i in order)
            self._scene.set_thumbnail(output, ThumbData.of_bars(bars))


def picture_words(inputs: np.ndarray) -> np.ndarray:
    """(n, C, H, W) as the network sees them -> (n, H, W) words 0xFFRRGGBB; each set stretched to 0..1."""
    low, high = float(inputs.min()), float(inputs.max())
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    scaled = np.clip((inputs - low) / ((high - low) or 1.0) * 255.0 + 0.5, 0, 255).astype(np.uint8)
    if scaled.shape[1] == 1:
        scaled = np.repeat(scaled, 3, axis=1)
    elif scaled.shape[1] != 3:
        scaled = np.repeat(scaled.mean(axis=1, keepdims=True).astype(np.uint8), 3, axis=1)
    n, _, height, width = scaled.shape
    flat = np.moveaxis(scaled, 1, -1).reshape(n * height, width, 3)
    return words_from_rgb(flat).reshape(n, height, width)


def facts_of(stats: NodeStats, category: str) -> tuple[str, Health, frozenset[int]]:
    """Footer text ("62 % active"), health, and the tiles to hatch."""
    caption = ""
    if stats.active is not None:
        caption = tr("{share} % active").format(share=i18n.number(stats.active * 100, 0))
    health: Health = "ok"
    if stats.dead:
        health = "warning"
        caption = tr("{n} of {units} are silent").format(n=stats.dead, units=stats.units)
    return caption, health, frozenset()
