"""The one way a task ends early."""

from __future__ import annotations


class Stop(Exception):
    """A task cannot go on; the text is the sentence (or lines) for the person at the terminal."""
