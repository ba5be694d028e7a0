"""`load`: from a `SourceSpec` to a `Dataset`, by the loader of its kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.data.audio import load_audio
from engine.data.cancel import Cancel, Progress
from engine.data.dataset import Dataset
from engine.data.folder import load_folder
from engine.data.idx import load_idx
from engine.data.inline import load_array
from engine.data.npz_data import load_npz
from engine.data.samples import load_sample
from engine.data.source import SourceSpec
from engine.data.text import load_text
from engine.data.toy import load_toy
from engine.errors import N_, Message


def load(
    spec: SourceSpec,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    base: Path | str | None = None,
) -> Dataset:
    """Load what `spec` describes.

    progress(done, total) is called often, from this thread; cancel() is asked as often and stops the
    work with LoadCanceled. Relative paths are taken from the folder `base` (a project's folder).
    Raises DataError, naming the file, what was expected and found, and what to do.
    """
    asked = spec
    spec = resolve(spec, base)
    if spec.kind == "toy":
        data = load_toy(spec)
    elif spec.kind == "sample":
        data = load_sample(spec)
    elif spec.kind == "folder":
        data = load_folder(spec, progress, cancel)
    elif spec.kind == "idx":
        data = load_idx(spec, progress, cancel)
    elif spec.kind == "npz":
        data = load_npz(spec, progress, cancel)
    elif spec.kind == "text":
        data = load_text(spec, progress, cancel)
    elif spec.kind == "audio":
        data = load_audio(spec, progress, cancel)
    else:
        data = load_array(spec)
    notes = data.notes
    if spec.sha256 and data.source_sha256 and spec.sha256 != data.source_sha256:
        where = spec.path or ", ".join(spec.paths)
        notes = (
            *notes,
            Message(
                N_("{file} has changed since this project last used it; results may differ."), {"file": where}
            ),
        )
    return replace(data, notes=notes, spec=asked)


def resolve(spec: SourceSpec, base: Path | str | None) -> SourceSpec:
    """The spec with relative paths taken from the folder `base`; without one, as it is."""
    if base is None:
        return spec
    root = Path(base)
    path = str(root / spec.path) if spec.path else ""
    return replace(spec, path=path, paths=tuple(str(root / each) for each in spec.paths))
