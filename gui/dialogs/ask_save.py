"""Save changes? Three answers, and never a lost network."""

from __future__ import annotations

from typing import Literal

from PySide6.QtWidgets import QMessageBox, QWidget

from gui.i18n import tr

Answer = Literal["save", "discard", "cancel"]


def ask_save(parent: QWidget, name: str) -> Answer:
    """Ask what becomes of the changes to `name`; Escape and closing mean cancel."""
    box = QMessageBox(parent)
    box.setObjectName("ask_save")
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle("Matrizen")
    box.setText(tr("Save the changes to “{name}”?").format(name=name))
    box.setInformativeText(tr("Without saving, the network and what it learnt since the last save are lost."))
    save = box.addButton(tr("Save"), QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton(tr("Don't save"), QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    save.setProperty("kind", "primary")
    save.style().unpolish(save)  # it was dressed when it was added
    save.style().polish(save)
    box.setDefaultButton(save)
    box.setEscapeButton(cancel)
    box.exec()
    clicked = box.clickedButton()
    box.deleteLater()
    if clicked is save:
        return "save"
    return "discard" if clicked is discard else "cancel"
