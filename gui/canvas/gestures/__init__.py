"""One class per mouse gesture. A gesture lives from press to release, or until Escape."""

from __future__ import annotations

from gui.canvas.gestures.base import Gesture
from gui.canvas.gestures.draw_link import DrawLink
from gui.canvas.gestures.drop_layer import DropLayer
from gui.canvas.gestures.move_nodes import MoveNodes
from gui.canvas.gestures.pan import Pan
from gui.canvas.gestures.press_repair import PressRepair
from gui.canvas.gestures.rubber_band import RubberBand

__all__ = ["DrawLink", "DropLayer", "Gesture", "MoveNodes", "Pan", "PressRepair", "RubberBand"]
