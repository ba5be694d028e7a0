"""The actions of the number labs: each looks at the selected layer, or at the first that has numbers."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gui.actions import Actions
from gui.dialogs.proof_dialog import ProofDialog
from gui.labs.gradient_lab import GradientLab
from gui.labs.optimizer_lab import OptimizerLab
from gui.labs.place import LabPlace
from gui.main_window import MainWindow
from gui.panels.targets import first_weighted, weighted
from gui.workbench import Workbench


class NumberLabs:
    """Opens the gradient check, the optimizer x-ray and the script of a step."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        self.window, self.bench = window, bench
        self.place = LabPlace(window)

    def layer(self) -> str:
        """The selected layer or the one whose weights it follows, else the first with weights; or ""."""
        configured, graph = self.bench.configured, self.bench.document.graph
        if configured is None:
            return ""
        selected = self.window.selection()
        found = weighted(configured.program, graph, selected[0]) if len(selected) == 1 else None
        return found or first_weighted(configured.program, graph) or ""

    def gradient_check(self) -> None:
        """The gradients of the selected layer against differences; layers without weights, too."""
        selected = self.window.selection()
        self.place.show(self._gradient, node=selected[0] if len(selected) == 1 else self.layer())

    def optimizer_xray(self) -> None:
        """What moves the weights of the selected layer."""
        self.place.show(self._optimizer, node=self.layer())

    def numpy_proof(self) -> None:
        """The step shown as a script."""
        ProofDialog(self.bench, self.layer(), self.window).show()

    def _gradient(self, parent: QWidget) -> QWidget:
        return GradientLab(self.bench, parent)

    def _optimizer(self, parent: QWidget) -> QWidget:
        return OptimizerLab(self.bench, parent)


def register(window: MainWindow, bench: Workbench, actions: Actions) -> NumberLabs:
    """Connect "gradient_check", "optimizer_xray" and "numpy_proof" to the window.

    Call `place.rebuilt()` of what is returned after the window was built again (another language).
    """
    labs = NumberLabs(window, bench)
    for name in ("gradient_check", "optimizer_xray", "numpy_proof"):
        actions.on(name, getattr(labs, name))
    return labs
