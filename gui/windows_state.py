"""What the window remembers between two starts: theme, language, geometry, recent files, open panels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

RECENT = 10
THEMES = ("dark", "light", "system")
PACES = ("slow", "visible", "full")


class WindowsState:
    """Typed access to the settings file; a value of the wrong kind counts as absent."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Matrizen", "Matrizen"
        )

    # ---- how it looks ------------------------------------------------------------------------------

    @property
    def theme(self) -> str:
        """ "dark", "light" or "system"."""
        return self._choice("theme", THEMES, "dark")

    @theme.setter
    def theme(self, name: str) -> None:
        self._settings.setValue("theme", name)

    @property
    def language(self) -> str | None:
        """A language code, or None: the system's."""
        found = self._settings.value("language")
        return found if isinstance(found, str) and found else None

    @language.setter
    def language(self, code: str) -> None:
        self._settings.setValue("language", code)

    @property
    def pace(self) -> str | None:
        """The pace chosen by the person, or None: as the data ask for."""
        found = self._settings.value("pace")
        return found if found in PACES else None

    @pace.setter
    def pace(self, name: str) -> None:
        self._settings.setValue("pace", name)

    @property
    def device(self) -> str:
        """The device chosen last, "" when none was."""
        return str(self._settings.value("device") or "")

    @device.setter
    def device(self, name: str) -> None:
        self._settings.setValue("device", name)

    @property
    def samples_dismissed(self) -> bool:
        """Whether the strip of samples was sent away."""
        return self.flag("samples_dismissed", False)

    @samples_dismissed.setter
    def samples_dismissed(self, value: bool) -> None:
        self.set_flag("samples_dismissed", value)

    # ---- geometry ----------------------------------------------------------------------------------

    def bytes_of(self, name: str) -> QByteArray | None:
        """Saved geometry or splitter state, None when there is none."""
        found = self._settings.value(f"window/{name}")
        return found if isinstance(found, QByteArray) and not found.isEmpty() else None

    def set_bytes(self, name: str, value: QByteArray) -> None:
        """Keep geometry or splitter state."""
        self._settings.setValue(f"window/{name}", value)

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no; INI files hold it as text."""
        found: Any = self._settings.value(name)
        if isinstance(found, bool):
            return found
        return {"true": True, "false": False}.get(str(found).lower(), default)

    def set_flag(self, name: str, value: bool) -> None:
        """Keep a yes or no."""
        self._settings.setValue(name, value)

    def text(self, name: str) -> str:
        """A remembered text, "" for none."""
        found: Any = self._settings.value(name)
        return found if isinstance(found, str) else ""

    def set_text(self, name: str, value: str) -> None:
        """Keep a text."""
        self._settings.setValue(name, value)

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within its limits."""
        found: Any = self._settings.value(name)
        try:
            return min(most, max(least, int(found)))
        except (TypeError, ValueError):
            return default

    def set_whole(self, name: str, value: int) -> None:
        """Keep a whole number."""
        self._settings.setValue(name, value)

    # ---- files -------------------------------------------------------------------------------------

    def recent(self) -> list[Path]:
        """Projects opened or saved last, newest first; those that are gone are left out."""
        found: Any = self._settings.value("recent")
        names = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return [Path(name) for name in names if isinstance(name, str) and os.path.isfile(name)][:RECENT]

    def add_recent(self, path: Path) -> None:
        """Put a project on top of the list."""
        full = str(Path(path).absolute())
        others = [str(each) for each in self.recent() if str(each) != full]
        self._settings.setValue("recent", [full, *others][:RECENT])

    def clear_recent(self) -> None:
        """Forget all recent projects."""
        self._settings.setValue("recent", [])

    @property
    def folder(self) -> str:
        """Where file dialogs open."""
        found = str(self._settings.value("folder") or "")
        return found if os.path.isdir(found) else str(Path.home())

    @folder.setter
    def folder(self, path: str) -> None:
        self._settings.setValue("folder", path)

    def flush(self) -> None:
        """Write to disk now."""
        self._settings.sync()

    def _choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        found = self._settings.value(name)
        return str(found) if found in allowed else default
