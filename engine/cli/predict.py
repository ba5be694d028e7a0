"""`predict`: what a trained project sees in pictures, or hears in sounds."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.cli.common import make_trainer, open_project, say
from engine.data.audio import as_inputs, brought, pieces_of
from engine.data.dataset import Array, Dataset
from engine.data.pictures import read_picture, to_input
from engine.data.wav import read_wav
from engine.errors import N_, DataError, Message
from engine.layers.output import INPUT
from engine.outputs import layer_of


def run(options: argparse.Namespace) -> int:
    """One line (or JSON entry) a picture, likeliest class first."""
    project, dataset, notes = open_project(options.project)
    sounds = dataset.spec is not None and dataset.spec.kind == "audio"
    if len(dataset.shape) != 3 and not sounds:
        raise DataError(
            N_("{file} was made for {expected} numbers, not for pictures."),
            file=options.project,
            expected=" × ".join(map(str, dataset.shape)),
        )
    if project.run is None:
        text = N_("{file} is not trained yet: these are the answers of random weights.")
        notes.append(Message(text, {"file": options.project}))
    read = _pieces if sounds else _picture
    inputs = [read(path, dataset, notes) for path in options.pictures]
    backend = open_backend("numpy")
    # batches of one example, which normalize nothing, keep a network from training, not from answering
    training = replace(project.training, batch=max(2, project.training.batch))
    trainer = make_trainer(replace(project, training=training), dataset, backend)
    seen = dataset.normalized(np.concatenate(inputs))
    outputs = next(iter(trainer.predict(seen).values()))
    shares = trainer.probabilities(outputs) if trainer.classifies else np.zeros((len(outputs), 0))
    copies = layer_of(trainer.forward.output).target == INPUT
    results, start = [], 0
    for path, own in zip(options.pictures, inputs, strict=True):
        part = slice(start, start := start + len(own))  # all pieces of a sound together: their mean
        results.append(_result(path, outputs[part].mean(0), shares[part].mean(0), dataset.class_names))
        if copies:
            apart = outputs[part].reshape(len(own), -1) - seen[part].reshape(len(own), -1)
            results[-1]["difference"] = float(np.abs(apart).mean())
    say(notes)
    if options.json:
        print(json.dumps(results))
    else:
        for r in results:
            said = ", ".join(f"{c['name']} {100 * c['share']:.1f} %" for c in r["classes"][:3])
            if copies:
                said = f"{r['difference']:.4f} from itself (mean absolute difference)"
            print(f"{r['picture']}: {said}")
    backend.close()
    return 0


def _picture(path: str, dataset: Dataset, notes: list[Message]) -> Array:
    """(1, C, H, W)"""
    picture = read_picture(Path(path))
    notes += picture.notes
    channels, height, width = dataset.shape
    resize = dataset.spec.resize if dataset.spec else "fit"
    return to_input(picture, (channels, height, width), resize)[None]


def _pieces(path: str, dataset: Dataset, notes: list[Message]) -> Array:
    """(pieces, ...): a whole sound, cut as the training data were."""
    assert dataset.spec is not None
    sound = brought(read_wav(path), dataset.spec)
    notes += sound.notes
    return as_inputs(pieces_of(sound.samples, dataset.spec), dataset.spec)


def _result(
    path: str, row: np.ndarray[Any, Any], shares: np.ndarray[Any, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    if not len(shares):
        return {"picture": path, "outputs": [float(v) for v in row.ravel()], "classes": []}
    order = np.argsort(-shares, kind="stable")
    return {
        "picture": path,
        "outputs": [float(v) for v in row],
        "classes": [{"name": names[i], "label": int(i), "share": float(shares[i])} for i in order],
    }
