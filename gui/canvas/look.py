"""What is to be painted of a node: a value, so that a node repaints only when something changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.graph import NodeSpec, Uid
from engine.inference import Inference
from engine.layers import InputFeatures, Output
from engine.problems import Problem
from engine.settings import DataSpec, TrainingSpec
from gui.canvas import texts
from gui.canvas.geometry import Size
from gui.i18n import tr, tr_message

Detail = Literal["all", "name", "icon", "block"]


def detail_at(zoom: float) -> Detail:
    """How much of a node is drawn at this zoom (1.0 is 100 %)."""
    if zoom >= 0.7:
        return "all"
    if zoom >= 0.4:
        return "name"
    return "icon" if zoom >= 0.18 else "block"


@dataclass(frozen=True)
class NodeLook:
    """Texts, size and state of one node as painted."""

    name: str
    summary: str
    count: str
    icon: str
    category: str
    size: Size
    inputs: int
    has_output: bool
    problem: str = ""
    warning: str = ""
    has_shape: bool = True
    shared: bool = False
    flush_left: bool = False
    flush_right: bool = False
    merged_icon: str = ""

    @property
    def compact(self) -> bool:
        return self.size.unfold is None and self.size.width < 100


def look_of(
    node: NodeSpec,
    inference: Inference,
    training: TrainingSpec,
    data: DataSpec | None,
    size: Size,
    *,
    inputs: int,
    flush_left: bool = False,
    flush_right: bool = False,
    merged: NodeSpec | None = None,
) -> NodeLook:
    """The look of a node in a drawn network."""
    problems = inference.of(node.uid)
    if merged is not None:
        problems += inference.of(merged.uid)
    line = texts.summary(node, inference, training, data)
    if size.unfold is not None:
        line = _neurons(node, size.unfold.units, merged)
    return NodeLook(
        node.name,
        line,
        texts.count(node, inference, node.frozen),
        texts.icon_of(node.layer, data),
        node.layer.category,
        size,
        inputs,
        node.layer.has_output,
        _first(problems, warning=False),
        _first(problems, warning=True),
        node.uid in inference.shapes,
        node.shares is not None,
        flush_left,
        flush_right,
        texts.icon_of(merged.layer) if merged is not None else "",
    )


def _neurons(node: NodeSpec, units: int, merged: NodeSpec | None) -> str:
    if node.layer.kind == "input":
        return "x, y" if units == 2 else str(units)
    if isinstance(node.layer, InputFeatures):
        return ", ".join(node.layer.labels)
    if isinstance(node.layer, Output):
        return tr("prediction")
    return f"{units} {tr(merged.layer.label).lower()}" if merged is not None else f"{units}"


def _first(problems: tuple[Problem, ...], *, warning: bool) -> str:
    return next((tr_message(p.message) for p in problems if p.warning == warning), "")


def port_count(node: NodeSpec, links: int) -> int:
    """Input ports to draw: those a layer has, or one more than are used where it takes any number."""
    return max(2, links + 1) if node.layer.many_inputs else node.layer.port_limit()


__all__ = ["Detail", "NodeLook", "Uid", "detail_at", "look_of", "port_count"]
