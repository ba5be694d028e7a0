"""Trained weights as `.npz`: keys as in a PyTorch state_dict, and `__meta__` with everything else.

`np.load(path, allow_pickle=False)` opens it. Dense `weight` (outputs, inputs), `bias`; Conv2D `weight`
(out, in, kH, kW), `bias`; BatchNorm `weight, bias, running_mean, running_var`; LayerNorm `weight, bias`;
Embedding `weight` (tokens, features); self-attention as in nn.MultiheadAttention: `in_proj_weight`,
`in_proj_bias`, `out_proj.weight`, `out_proj.bias`; recurrent layers as in nn.RNN, nn.GRU and nn.LSTM:
`weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`; positions `weight` (features, positions); a
learnt warp `weight` (2, 3).
float32, C order, little-endian.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.data.dataset import Dataset
from engine.data.safe_npz import read_npz, to_float32
from engine.errors import N_, Message, ProjectError, listed
from engine.graph import GraphSpec
from engine.inference import infer
from engine.project import graph_to_plain
from engine.project_file import npy_bytes
from engine.run import misfit
from engine.saving import save_atomically

Array = np.ndarray[Any, Any]
EXPORT_VERSION = 1
_EPOCH = (2020, 1, 1, 0, 0, 0)


def named_weights(graph: GraphSpec, state: Mapping[str, Array]) -> dict[str, Array]:
    """Parameters and running statistics by `<node name>.<param>`; moments are left out.

    A node that shares weights has its own keys too, with the same numbers, as PyTorch writes them.
    """
    facts = infer(graph)
    out: dict[str, Array] = {}
    for node in graph.nodes:
        for spec in facts.params.get(node.owner, ()):
            key = f"{node.owner}.{spec.name}"
            if key in state:
                out[f"{node.name}.{spec.key}"] = np.ascontiguousarray(state[key], "<f4")
    return out


def metadata(graph: GraphSpec, dataset: Dataset | None, step: int) -> dict[str, Any]:
    """What another program needs besides the weights."""
    meta: dict[str, Any] = {
        "format": "matrizen-weights",
        "version": EXPORT_VERSION,
        "graph": graph_to_plain(graph),
        "step": step,
        "layout": "Dense weight (outputs, inputs); Conv2D weight (out, in, kH, kW); "
        "pictures N x C x H x W, RGB",
    }
    if dataset is not None:
        meta["class_names"] = list(dataset.class_names)
        meta["input"] = {
            "shape": list(dataset.shape),
            "scale": dataset.scale,
            "shift": dataset.shift,
            "mean": None if dataset.mean is None else np.asarray(dataset.mean).ravel().tolist(),
            "std": None if dataset.std is None else np.asarray(dataset.std).ravel().tolist(),
            "formula": "x = ((stored * scale + shift) - mean) / std",
        }
    return meta


def export_npz(
    path: Path | str,
    graph: GraphSpec,
    state: Mapping[str, Array],
    dataset: Dataset | None = None,
    step: int = 0,
) -> Path:
    """Write weights atomically. Raises ProjectError when there are none or the file cannot be written."""
    weights = named_weights(graph, state)
    if not weights:
        raise ProjectError(N_("This network has no weights to export; add a layer that learns."))
    text = json.dumps(metadata(graph, dataset, step), allow_nan=False)
    meta = np.array(text)

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for key, array in weights.items():
                archive.writestr(zipfile.ZipInfo(f"{key}.npy", _EPOCH), npy_bytes(array))
            out = BytesIO()
            np.lib.format.write_array(out, meta, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo("__meta__.npy", _EPOCH), out.getvalue())

    def verify(written: Path) -> None:
        with np.load(written, allow_pickle=False) as again:
            if any(not np.array_equal(again[k], v, equal_nan=True) for k, v in weights.items()):
                raise ProjectError(N_("{file} could not be verified after writing."), file=Path(path).name)

    return save_atomically(path, write, verify)


def import_npz(path: Path | str, graph: GraphSpec) -> tuple[dict[str, Array], list[str], list[str]]:
    """Weights for this network from a file: (state by `<uid>.<param>`, missing keys, extra keys).

    Raises ProjectError listing every array whose shape does not fit.
    """
    name = Path(path).name
    arrays, _ = to_float32(read_npz(path, name=name, error=ProjectError), name)
    facts = infer(graph)
    state: dict[str, Array] = {}
    missing: list[str] = []
    wrong: list[Message] = []
    wanted: set[str] = set()
    for node in graph.nodes:
        for spec in facts.params.get(node.owner, ()):
            key = f"{node.name}.{spec.key}"
            wanted.add(key)
            if key not in arrays:
                missing.append(key)
            elif arrays[key].shape != spec.shape:
                wrong.append(misfit(key, spec.shape, arrays[key].shape))
            else:
                state[f"{node.owner}.{spec.name}"] = arrays[key]
    if wrong:
        raise ProjectError(N_("{file} does not fit this network: {list}."), file=name, list=listed(wrong))
    return state, missing, sorted(set(arrays) - wanted - {"__meta__"})
