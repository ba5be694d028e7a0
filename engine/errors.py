"""The one error family, and the form every message for people takes.

A message is a template and its values, kept apart until it is shown: `str()` gives English, and the
window formats the translated template with the same values. Templates are marked with `N_` so that
the translation tools find them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


def N_(text: str) -> str:  # noqa: N802 - gettext's conventional name for "translate later"
    """Mark `text` as translatable and return it unchanged."""
    return text


@dataclass(frozen=True)
class Message:
    """A sentence for people: `template` is English with `{name}` fields, `values` fill them."""

    template: str
    values: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.template.format(**self.values)


def listed(messages: Sequence[Message], most: int = 20) -> Message:
    """Several sentences as one, separated by semicolons; of very many only the first."""
    fields = "; ".join(f"{{m{i}}}" for i in range(min(most, len(messages))))
    more = "; …" if len(messages) > most else ""
    return Message(fields + more, {f"m{i}": m for i, m in enumerate(messages[:most])})


class MatrizenError(Exception):
    """Anything Matrizen refuses: says where, what was expected, what was found, what to do.

    Raise as `DataError(N_("{file} is empty; choose another file."), file=name)`.
    """

    def __init__(self, template: str, **values: Any) -> None:
        self.message = Message(template, values)
        super().__init__(str(self.message))

    def __reduce__(self) -> tuple[Any, ...]:  # errors travel between processes
        return _rebuild, (type(self), self.message)


def _rebuild(kind: type[MatrizenError], message: Message) -> MatrizenError:
    return kind(message.template, **message.values)


class GraphError(MatrizenError):
    """The network as drawn cannot be edited or computed that way."""


class DataError(MatrizenError):
    """A picture, data set or array cannot be used."""


class ProjectError(MatrizenError):
    """A `.matrizen` or weights file cannot be read or written."""


class DeviceError(MatrizenError):
    """A compute device refused, failed or gave wrong results."""


class TrainingError(MatrizenError):
    """Training cannot go on: settings that do not fit, or a non-finite value."""
