"""What this program is, in which version, and what it stands on."""

from __future__ import annotations

import platform
import re
from importlib import metadata

import numpy as np
import PySide6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from gui import resources, theme
from gui.i18n import tr


def version() -> str:
    """The version of the checkout this runs from, else of the installed package."""
    project = resources.path().parent / "pyproject.toml"
    if project.is_file():
        found = re.search(r'^version = "([^"]+)"', project.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found.group(1)
    try:
        return metadata.version("matrizen")
    except metadata.PackageNotFoundError:
        return "?"


class AboutDialog(QDialog):
    """Name, version, license and the versions that matter in a report of a fault."""

    def __init__(self, device: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Matrizen"))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(32), theme.px(24), theme.px(32), theme.px(20))
        column.setSpacing(theme.px(8))
        name = QLabel("Matrizen")
        name.setProperty("role", "figure")
        column.addWidget(name)
        column.addWidget(
            self._line(tr("Draw a network. Drop pictures on it. Watch every number learn."), "muted")
        )
        column.addSpacing(theme.px(8))
        facts = (
            tr("Version {version}").format(version=version()),
            f"Python {platform.python_version()}, NumPy {np.__version__}, PySide6 {PySide6.__version__}",
            tr("Computes on {device}").format(device=device),
            tr("MIT license; fonts, icons and data: see THIRD_PARTY_NOTICES.md"),
        )
        for fact in facts:
            column.addWidget(self._line(fact, "status"))
        column.addSpacing(theme.px(12))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    @staticmethod
    def _line(text: str, role: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", role)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label
