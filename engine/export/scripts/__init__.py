"""The network as a short script for another framework: it loads the exported weights and predicts the same.

Beside the script stand the weights (`.npz`) and a few examples with what the engine makes of them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.backends.numpy import NumpyBackend
from engine.data.dataset import EXAMPLES, Dataset
from engine.export.npz import export_npz
from engine.export.scripts.jax_parts import JAX
from engine.export.scripts.keras_parts import KERAS
from engine.export.scripts.torch_parts import TORCH
from engine.export.scripts.walk import Framework, helpers_for, walk
from engine.graph import GraphSpec
from engine.inference import infer
from engine.layers import Embedding, Input
from engine.layers.output import AS_TRAINED
from engine.outputs import layer_of, main_output, outputs_of
from engine.program import record
from engine.project_file import npy_bytes
from engine.saving import save_atomically
from engine.settings import DataSpec, TrainingSpec

Array = np.ndarray[Any, Any]
FRAMEWORKS: dict[str, Framework] = {f.word: f for f in (TORCH, KERAS, JAX)}
_EPOCH = (2020, 1, 1, 0, 0, 0)


def script_of(graph: GraphSpec, framework: str, weights: str, examples: str) -> str:
    """The script; the two files it loads lie beside it. Raises GraphError naming what cannot be written."""
    to = FRAMEWORKS[framework]
    network = to.layout(walk(graph, to))
    helpers = "\n".join(helpers_for(network, to.helpers))
    head = [
        f'"""The network in {to.name}, with the weights of {weights}; written by Matrizen.',
        "",
        "With the path of a .npy file of inputs (N x features or N x C x H x W) it prints their predictions,",
        "without one those of the examples beside it.",
        *to.how,
        '"""',
        "",
        *(f"import {name}" for name in sorted(("json", "sys", *to.standard))),
        "from pathlib import Path",
        "",
        "import numpy as np",
        *to.imports,
        "",
        "here = Path(__file__).parent",
        f"weights = np.load(here / {_quoted(weights)}, allow_pickle=False)",
        'meta = json.loads(str(weights["__meta__"]))',
        "",
    ]
    return "\n".join([*head, *([helpers] if helpers else []), "", *network, _TAIL % _quoted(examples)])


_TAIL = '''

def prepared(stored):
    """Numbers as they are kept in the data -> as the network sees them."""
    x, how = stored.astype(np.float32), meta.get("input")
    if how is None:
        return x
    x = x * np.float32(how["scale"]) + np.float32(how["shift"])
    if how["mean"] is not None:
        mean, std = (np.float32(how[k]).reshape(-1, *[1] * (x.ndim - 2)) for k in ("mean", "std"))
        x = (x - mean) / std
    return x


def main():
    """Print the predictions."""
    if len(sys.argv) > 1:
        print(predict(prepared(np.load(sys.argv[1]))))
        return
    examples = np.load(here / %s, allow_pickle=False)
    found = predict(prepared(examples["inputs"]))
    for number, y in enumerate(found if isinstance(found, list) else [found], 1):
        print(y)
        wanted = examples["predictions" if number == 1 else f"predictions{number}"]
        print(f"largest difference from Matrizen: {np.abs(y - wanted).max():.1e}")


if __name__ == "__main__":
    main()
'''


def export_script(
    path: Path | str,
    framework: str,
    graph: GraphSpec,
    state: Mapping[str, Array],
    dataset: Dataset | None = None,
    step: int = 0,
    weights: Path | None = None,
) -> tuple[Path, Path, Path]:
    """Write script, weights and examples beside each other; their paths. Raises a MatrizenError."""
    path = Path(path)
    weights = weights or path.with_name(f"{path.stem}_weights.npz")
    examples = path.with_name(f"{path.stem}_examples.npz")
    text = script_of(graph, framework, weights.name, examples.name)
    shown = examples_of(graph, state, dataset)
    export_npz(weights, graph, state, dataset, step)
    save_atomically(examples, lambda file: _write_arrays(file, shown), _nothing)
    save_atomically(path, lambda file: _write_text(file, text), _nothing)
    return path, weights, examples


def examples_of(graph: GraphSpec, state: Mapping[str, Array], dataset: Dataset | None) -> dict[str, Array]:
    """A few inputs, as they are stored, and the engine's predictions; drawn at random without data."""
    shape = next(n.layer.shape for n in graph.nodes if isinstance(n.layer, Input))
    if dataset is not None and dataset.shape == shape:
        stored = (dataset.x_test if len(dataset.x_test) else dataset.x_train)[:EXAMPLES]
        return {"inputs": stored, **predictions(graph, state, dataset.to_float(stored))}
    rng = np.random.default_rng(0)
    tables = [n.layer.vocabulary for n in graph.nodes if isinstance(n.layer, Embedding)]
    size = (EXAMPLES, *shape)
    drawn = rng.integers(0, min(tables), size) if tables else rng.standard_normal(size)
    x = drawn.astype(np.float32)
    return {"inputs": x, **predictions(graph, state, x)}


def predictions(graph: GraphSpec, state: Mapping[str, Array], x: Array) -> dict[str, Array]:
    """What the engine gives for inputs as the network sees them: predictions (N, outputs), predictions2, ...

    One for each output.
    """
    shapes, ends = infer(graph).shapes, outputs_of(graph)
    for end in ends:  # nothing is trained here: any loss will do, and those of classes need some
        graph = graph.replace_node(end.uid, layer=replace(layer_of(end), loss=AS_TRAINED))
    main = main_output(graph)
    assert main is not None
    training = TrainingSpec(loss="mse")
    data = DataSpec(x.shape[1:], 0, shapes[main.uid][0])
    program = record(graph, training, data, "predict", len(x))
    device = NumpyBackend()
    store = device.store(program.state(), 0)
    store.load({f"{v.owner}.{v.param}": state[f"{v.owner}.{v.param}"] for v in program.state()})
    outs = [program.outputs[end.uid].id for end in ends]
    plan = device.compile(program, store, traced=False, keep=outs)
    source = next(v.id for v in program.inputs if v.id.endswith(".x") and v.batched)
    plan.write(source, np.ascontiguousarray(np.moveaxis(x.astype(np.float32), 0, -1)))
    plan.run([{"n": len(x)}])
    read = (np.ascontiguousarray(np.moveaxis(plan.read(out), -1, 0)) for out in outs)
    return {"predictions" + (str(number) if number > 1 else ""): y for number, y in enumerate(read, 1)}


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _write_arrays(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            kind = "|u1" if array.dtype == np.uint8 else "<f4"
            archive.writestr(zipfile.ZipInfo(f"{key}.npy", _EPOCH), npy_bytes(array, kind))


def _write_text(file: IO[bytes], text: str) -> None:
    wrapper = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    wrapper.write(text)
    wrapper.flush()
    wrapper.detach()


def _nothing(written: Path) -> None:
    """Nothing to verify: the script itself says whether its numbers are right."""
