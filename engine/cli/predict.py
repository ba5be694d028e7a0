"""`predict`: what a trained project sees in pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.opening import open_backend
from engine.cli.common import make_trainer, open_project, say
from engine.data.pictures import read_picture, to_input
from engine.errors import N_, DataError, Message
from engine.layers.output import INPUT
from engine.outputs import layer_of


def run(options: argparse.Namespace) -> int:
    """One line (or JSON entry) a picture, likeliest class first."""
    project, dataset, notes = open_project(options.project)
    if len(dataset.shape) != 3:
        raise DataError(
            N_("{file} was made for {expected} numbers, not for pictures."),
            file=options.project,
            expected=" × ".join(map(str, dataset.shape)),
        )
    if project.run is None:
        text = N_("{file} is not trained yet: these are the answers of random weights.")
        notes.append(Message(text, {"file": options.project}))
    pictures = []
    resize = dataset.spec.resize if dataset.spec else "fit"
    for path in options.pictures:
        picture = read_picture(Path(path))
        notes += picture.notes
        pictures.append(to_input(picture, dataset.shape, resize))
    backend = open_backend("numpy")
    trainer = make_trainer(project, dataset, backend)
    seen = dataset.normalized(np.stack(pictures))
    outputs = next(iter(trainer.predict(seen).values()))
    copies = layer_of(trainer.forward.output).target == INPUT
    results = []
    for path, row, x in zip(options.pictures, outputs, seen, strict=True):
        shares = trainer.probabilities(row[None])[0] if trainer.classifies else np.zeros(0)
        results.append(_result(path, row, shares, dataset.class_names))
        if copies:
            results[-1]["difference"] = float(np.abs(row.ravel() - x.ravel()).mean())
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
