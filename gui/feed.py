"""Feeds the canvas: thumbnails, facts, link widths and the weights between unfolded layers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.graph import NodeSpec, Uid
from engine.outputs import main_output
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
from gui.at_most import AtMost
from gui.canvas.scene import CanvasScene
from gui.canvas.thumb_data import Health, ThumbData
from gui.document import Document
from gui.i18n import tr
from gui.picture_words import picture_words
from gui.views.base import words_from_rgb
from gui.watching import Wish
from gui.wave_words import wave_words

PICTURES = 12
CAPTION_SECONDS = 0.3
LASTING = 6
"""Frames in a row in which units answered nothing before they are called silent."""
_ROLES: dict[str, str] = {
    "weights": "weights", "gradients": "gradients", "deltas": "gradients", "activations": "activations",
}  # fmt: skip

WIDEN_MS = 300
"""Links take another width at most so often: what lies under them is painted again with them."""


class CanvasFeed(QObject):
    """A client of the watcher for everything the canvas shows.

    `shown()` says whether it is on screen, `moving()` whether steps run by themselves.
    """

    measured = Signal(object)
    """{uid: NodeStats}: facts about the layers in the step shown."""

    def __init__(
        self,
        scene: CanvasScene,
        document: Document,
        shown: Callable[[], bool],
        moving: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._scene, self._document, self._shown, self._moving = scene, document, shown, moving
        self._configured: Configured | None = None
        self.sample = 0
        self._biases: dict[Uid, np.ndarray] = {}
        self._silent: dict[Uid, deque[int]] = {}
        self._captions: dict[Uid, tuple[float, tuple[str, Health]]] = {}
        self._picture_input: Uid | None = None
        self._means: dict[Uid, float] = {}
        self._made: frozenset[Uid] = frozenset()
        """Outputs that show a picture beside its target."""
        self._widening = AtMost(WIDEN_MS, lambda: self._scene.set_link_strengths(self._means), self)

    def set_program(self, configured: Configured | None) -> None:
        """Another program runs; pictures of a run that was left are forgotten by the caller."""
        self._configured = configured
        self._biases.clear()
        self._means = {}
        self._silent.clear()
        self._captions.clear()
        self._picture_input, self._made = None, frozenset()
        if configured is not None and configured.data.kind in ("pictures", "sounds"):
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
            nodes.append((node.uid, self._role(node)))
        # no more pixels than are shown; few steps, so that a little zoom changes nothing
        share = next((s for s in (0.25, 0.5) if self._scene.atlas.ratio <= 1.1 * s), 1.0)
        width, height = round(Thumbs.width * share), round(Thumbs.height * share)
        wishes = {"canvas.thumbs": Wish(Thumbs(tuple(nodes), self.sample, width, height), 15.0, turn=1)}
        for uid in self._scene.unfolded:
            owner = graph.node(uid).owner
            weight, bias = state_id(owner, "weight"), state_id(owner, "bias")
            if weight in configured.program.values:
                wishes[f"canvas.wires/{uid}"] = Wish(Matrix(weight), rate=12.0, turn=1)
            if bias in configured.program.values:
                wishes[f"canvas.bias/{uid}"] = Wish(Matrix(bias), rate=6.0, turn=1)
        if self._picture_input is not None:
            wishes["canvas.batch"] = Wish(Batch(PICTURES), rate=5.0, turn=1)
        return wishes

    def _role(self, node: NodeSpec) -> ThumbRole:
        scene = self._scene
        if node.uid in scene.unfolded or scene.drawn_in(node.uid) in scene.unfolded:
            return "neurons"
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
        stats: dict[Uid, NodeStats] = {}
        out: dict[Uid, ThumbData] = {}
        nodes = {node.uid: node for node in self._document.graph.nodes}
        for uid, thumb in data.nodes.items():
            node = nodes.get(uid)
            if node is None:
                continue
            means[uid] = thumb.stats.mean_abs
            stats[uid] = self._lasting(uid, thumb.stats)
            target = self._target(uid)
            if target is None:
                continue
            if uid in self._made or (node.layer.kind == "output" and self._drawn_otherwise(target)):
                continue
            out[target] = self._picture_of(node, thumb, stats[uid])
        self.measured.emit(stats)
        self._scene.set_thumbnails(out)
        self._means = means
        self._widening.soon()

    def _drawn_otherwise(self, uid: Uid) -> bool:
        """Outputs show class colors over the plane, or bars of the likeliest classes."""
        configured = self._configured
        if configured is None or not configured.data.spec.classes:
            return False
        if configured.data.kind == "points":
            return uid in self._scene.unfolded and uid == self._main_output()
        known = self._scene.atlas.data(uid)
        return known is not None and bool(known.bars)

    def _target(self, uid: Uid) -> Uid | None:
        """The node that shows the values of `uid`, None where another's are shown in its place."""
        scene = self._scene
        unfold = scene.unfolded.get(uid)
        if unfold is not None and unfold.merged is not None:
            return None  # an unfolded layer shows its activation
        return scene.drawn_in(uid)

    def _lasting(self, uid: Uid, stats: NodeStats) -> NodeStats:
        """Units are silent that have been so for a while: in one batch alone it means little."""
        seen = self._silent.setdefault(uid, deque(maxlen=LASTING))
        seen.append(stats.dead)
        least = min(seen)
        return stats if least == stats.dead else replace(stats, dead=least)

    def _picture_of(self, node: NodeSpec, thumb: NodeThumb, stats: NodeStats) -> ThumbData:
        role = self._role(node)
        caption, health = self._said(node.uid, stats)
        if role == "neurons":
            # plots have y up, pictures y down
            return ThumbData(np.ascontiguousarray(thumb.tiles[:, ::-1]), "weights", caption="")
        ramp = "pictures" if node.layer.kind == "augment" else _ROLES[role]
        if ramp == "activations" and thumb.ends[0] < 0:
            ramp = "weights"
        return ThumbData(thumb.tiles, ramp, thumb.histogram, caption, health)

    def _said(self, uid: Uid, stats: NodeStats) -> tuple[str, Health]:
        """The footer of a node; its digits change a few times a second while steps run."""
        known, now = self._captions.get(uid), time.monotonic()
        if known is not None and now - known[0] < CAPTION_SECONDS and self._moving():
            return known[1]
        self._captions[uid] = (now, found := facts_of(stats))
        return found

    def show_boundary(self, data: BoundaryData) -> None:
        """The output node of a 2-D network shows the decision in class colors."""
        output = self._main_output()
        if output is None or output not in self._scene.unfolded or not len(data.output) or not data.shares:
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

    def _main_output(self) -> Uid | None:
        """The output that answers for the network."""
        found = main_output(self._document.graph)
        return found.uid if found is not None else None

    def _pictures(self, data: BatchData) -> None:
        source = self._document.source
        if self._picture_input is None or data.inputs.ndim not in (2, 4):
            return
        if data.inputs.ndim == 2:
            seen = ThumbData(wave_words(data.inputs), "pictures")
        elif source is not None and source.kind == "audio":
            seen = ThumbData(data.inputs[:, 0], "activations")
        else:
            seen = ThumbData(picture_words(data.inputs), "pictures")
        self._scene.set_thumbnail(self._picture_input, seen)
        for uid, pairs in data.made.items():  # what should have been made beside what was
            if self._document.graph.has(uid) and len(pairs):
                pair = pairs[min(self.sample, len(pairs) - 1)]
                self._scene.set_thumbnail(uid, ThumbData(picture_words(pair), "pictures"))
        self._made = frozenset(data.made)
        output = self._main_output()
        names = self._configured.data.class_names if self._configured is not None else ()
        if output is not None and len(data.outputs) and names and output not in self._made:
            row = data.outputs[min(self.sample, len(data.outputs) - 1)]
            order = np.argsort(-row, kind="stable")[:4]
            bars = tuple((names[i] if i < len(names) else str(i), float(row[i])) for i in order)
            self._scene.set_thumbnail(output, ThumbData.of_bars(bars))


def facts_of(stats: NodeStats) -> tuple[str, Health]:
    """Footer text ("62 % active") and health."""
    caption = ""
    if stats.active is not None:
        caption = tr("{share} % active").format(share=i18n.number(stats.active * 100, 0))
    health: Health = "ok"
    if stats.dead:
        health = "warning"
        caption = tr("{n} of {units} are silent").format(n=stats.dead, units=stats.units)
    return caption, health


def rows_of(stats: NodeStats) -> list[tuple[str, str]]:
    """The measured facts of a layer for the inspector."""
    rows: list[tuple[str, str]] = []
    if stats.active is not None:
        rows.append((tr("Active"), f"{i18n.number(stats.active * 100, 1)} %"))
    rows.append((tr("Mean of |value|"), i18n.short(stats.mean_abs)))
    if stats.update_ratio is not None:
        rows.append((tr("Update ÷ weight"), i18n.short(stats.update_ratio)))
    if stats.gradient_norm is not None:
        rows.append((tr("Gradient, norm"), i18n.short(stats.gradient_norm)))
    if stats.weight_norm is not None:
        rows.append((tr("Weights, norm"), i18n.short(stats.weight_norm)))
    return rows


def health_of(stats: NodeStats, kind: str) -> tuple[str, bool]:
    """One sentence about a layer, and whether it is well."""
    if not stats.units or stats.active is None:
        return "", True
    if stats.dead:
        text = tr("{n} of {units} never respond in this batch").format(n=stats.dead, units=stats.units)
        return text, False
    if kind in ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d") or stats.units > 1:
        return tr("All {n} respond").format(n=stats.units), True
    return "", True
