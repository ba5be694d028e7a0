"""The actions of the number labs: each looks at the selected layer, or at the first that has numbers."""

from __future__ import annotations

from gui.actions import Actions
from gui.dialogs.proof_dialog import ProofDialog
from gui.dialogs.write_dialog import WriteDialog
from gui.labs.evaluation_lab import EvaluationLab
from gui.labs.gradient_lab import GradientLab
from gui.labs.optimizer_lab import OptimizerLab
from gui.main_window import MainWindow
from gui.panels.targets import first_weighted, weighted
from gui.workbench import Workbench


class NumberLabs:
    """Opens the gradient check, the optimizer x-ray and the script of a step."""

    def __init__(self, window: MainWindow, bench: Workbench, actions: Actions) -> None:
        self.window, self.bench = window, bench
        labs = "gradient_check", "optimizer_xray", "numpy_proof", "evaluation", "write_text"
        for name in labs:
            actions.on(name, getattr(self, name))

    def register(self) -> None:
        """Make the labs known to the window's host. Called after the window was built (again)."""
        self.window.labs.add("gradient_check", lambda: GradientLab(self.bench), keep=False)
        self.window.labs.add("evaluation", lambda: EvaluationLab(self.bench))
        self.window.labs.add("optimizer_xray", lambda: OptimizerLab(self.bench), keep=False)

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
        self.window.open_lab("gradient_check", node=selected[0] if len(selected) == 1 else self.layer())

    def optimizer_xray(self) -> None:
        """What moves the weights of the selected layer."""
        self.window.open_lab("optimizer_xray", node=self.layer())

    def evaluation(self) -> None:
        """The test data judged: confusion matrix, shares of each class, errors."""
        self.window.open_lab("evaluation")

    def numpy_proof(self) -> None:
        """The step shown as a script."""
        ProofDialog(self.bench, self.layer(), self.window).show()

    def write_text(self) -> None:
        """A text that the network writes on."""
        WriteDialog(self.bench, self.window).show()
