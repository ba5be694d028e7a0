"""The data that ships with Matrizen; sources and licenses: `resources/samples/data/NOTICES.md`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.data.dataset import Dataset
from engine.data.npz_data import load_npz
from engine.data.source import SourceSpec
from engine.errors import N_, DataError

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "samples" / "data"
SAMPLES: dict[str, str] = {
    "fashion": "fashion_2500.npz", "digits": "digits_1797.npz", "turned": "digits_turned.npz",
}  # fmt: skip
PICTURES: dict[str, str] = {
    "astronaut": "astronaut.png", "chelsea": "chelsea.png", "coffee": "coffee.png",
}  # fmt: skip


def load_sample(spec: SourceSpec) -> Dataset:
    """The shipped data set `spec.name`: "fashion" (28x28), "digits" (8x8) or "turned" (16x16).

    Raises DataError.
    """
    if spec.name not in SAMPLES:
        raise DataError(
            N_("There is no sample data set “{found}”; choose one of {expected}."),
            found=spec.name[:40],
            expected=", ".join(SAMPLES),
        )
    return load_npz(replace(spec, kind="npz", path=str(FOLDER / SAMPLES[spec.name])))


def sample_picture(name: str) -> Path:
    """The path of a shipped photograph; names in `PICTURES`. Raises DataError."""
    if name not in PICTURES:
        raise DataError(
            N_("There is no sample picture “{found}”; choose one of {expected}."),
            found=name[:40],
            expected=", ".join(PICTURES),
        )
    return FOLDER / PICTURES[name]
