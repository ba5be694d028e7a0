"""One step as a script in plain NumPy: it loads the exported weights and the batch, prints the same numbers.

Made by walking the program's ops: only those that lead to the numbers of the chosen layer are written. What
is drawn at random is read from the file of the batch, and so is what comes of ops that have no writer yet.
"""

from __future__ import annotations

import io
import json
import keyword
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.errors import N_, GraphError
from engine.export.npz import export_npz
from engine.export.numpy_helpers import HELPERS
from engine.export.numpy_lines import DRAWN, WRITERS, helpers_for
from engine.export.numpy_names import Names
from engine.graph import GraphSpec
from engine.held_step import HeldStep, computed, hold_step
from engine.inference import infer
from engine.ops.base import Array, context_for
from engine.project_file import npy_bytes
from engine.saving import save_atomically
from engine.training import Trainer
from engine.values import Op, Program, Role, Value

_EPOCH = (2020, 1, 1, 0, 0, 0)
_PHASES = ("batch", "forward", "loss", "backward", "clipping", "update")


@dataclass(frozen=True, eq=False)
class Proof:
    """`script` names its two files by the words in `FILES`; `write_proof` gives them their places."""

    graph: GraphSpec
    layer: str
    step: int
    script: str
    weights: Mapping[str, Array]
    """Weights before the step, by key "<uid>.<parameter>"."""
    batch: Mapping[str, Array]
    unwritten: tuple[str, ...]
    """Kinds of op whose results are read from the file."""


OWN_NAMES = (
    "Path", "np", "n", "e", "here", "weights", "batch", "count", "variance", "hat", "m_hat", "v_hat",
    "scale", "shifted", "show", *HELPERS,
)  # fmt: skip
"""Names of the script itself; values are called otherwise."""
FILES = ("WEIGHTS.npz", "BATCH.npz")


def prove(trainer: Trainer, node: str) -> Proof:
    """The script of the step that the traced plan holds, for one layer. Raises GraphError without one."""
    graph, program = trainer.graph, trainer.program
    if not graph.has(node) or node not in program.outputs:
        raise GraphError(N_("Choose a layer on the way to the loss; its step is written as a script."))
    wanted = wanted_of(program, graph, node)
    given = [v.id for op in computed(program) for i, v in enumerate(op.outs)
             if op.kind not in WRITERS or i in DRAWN.get(op.kind, ())]  # fmt: skip
    shown = [v.id for _, v in wanted]
    held = hold_step(trainer, list(dict.fromkeys([*given, *shown])))
    return _Script(held, graph.node(node).name, wanted).proof()


def wanted_of(program: Program, graph: GraphSpec, node: str) -> list[tuple[str, Value]]:
    """(name, value) of what is printed: loss, Z, A, delta, and each parameter's gradient and new value."""
    out, gradients = program.outputs[node], program.gradients
    linear = out.id.endswith(".z")
    found = [("loss", program.losses[0]), ("Z" if linear else "A", out)]
    links = graph.outputs_of(node)
    after = graph.node(links[0].target) if len(links) == 1 else None
    if linear and after is not None and after.layer.category == "activation" and after.uid in program.outputs:
        found.append(("A", program.outputs[after.uid]))
    if out.id in gradients:
        found.append(("delta", gradients[out.id]))
    owner = graph.node(node).owner
    updated = {old.id: new for old, new in program.commits}
    for v in program.inputs:
        if v.role is Role.PARAM and v.owner == owner:
            letter = {"weight": "W", "bias": "b"}.get(v.param, v.param)
            if v.id in gradients:
                found.append((f"d{letter}", gradients[v.id]))
            if v.id in updated:
                found.append((f"new {letter}", updated[v.id]))
    return found


class _Script:
    """Collects the lines."""

    def __init__(self, held: HeldStep, layer: str, wanted: Sequence[tuple[str, Value]]) -> None:
        self.held, self.layer, self.wanted = held, layer, wanted
        self.program, self.graph = held.program, held.graph
        self._names: dict[str, str] = {}
        params = infer(self.graph).params
        self._keys = {(uid, s.name): s.key for uid, specs in params.items() for s in specs}
        self._taken = set(OWN_NAMES)
        self._seen: set[str] = set()
        self.batch: dict[str, Array] = {}
        self.unwritten: list[str] = []

    # ---- names ----------------------------------------------------------------------------------------

    def name(self, value: Value) -> str:
        """fc1_z, fc1_weight, fc1_weight_new, d_fc1_z."""
        if value.id not in self._names:
            self._names[value.id] = self._fresh(value.id)
        return self._names[value.id]

    def _fresh(self, id: str) -> str:
        rest, d = id, ""
        if "@grad" in rest:
            rest, d = rest.replace("@grad", ""), "d_"
        rest = rest.replace("@old", "").replace("@new", "_new").replace("/", "_part")
        owner, _, tail = rest.partition(".")
        if self.graph.has(owner):
            owner = self.graph.node(owner).name
        text = re.sub(r"\W", "_", f"{d}{owner}_{tail}" if tail else f"{d}{owner}")
        if not text.isidentifier() or keyword.iskeyword(text):
            text = f"v_{text}"
        made, number = text, 2
        while made in self._taken:
            made, number = f"{text}_{number}", number + 1
        self._taken.add(made)
        return made

    # ---- lines ----------------------------------------------------------------------------------------

    def proof(self) -> Proof:
        ops = self._needed()
        body: list[str] = []
        place: tuple[int, str] | None = None
        for op in ops:
            if (int(op.phase), op.node) != place:
                place = (int(op.phase), op.node)
                name = self.graph.node(op.node).name if self.graph.has(op.node) else op.node
                body += ["", f"# {_PHASES[int(op.phase)]}: {name}"]
            body += self._write(op)
        inputs = self._inputs(ops)
        shown = ["", "# the numbers of this step"]
        for label, v in self.wanted:
            shown += self._views([v])
            self.batch[f"engine {label}"] = self.held.learned[v.id]
            shown.append(f'show("{label}", {self.name(v)})')
        lines = [*inputs, *body, *shown]
        functions = "\n".join(helpers_for(lines))
        script = "\n".join([*self._head(), *([functions] if functions else []), "", *lines, ""])
        state = {f"{v.owner}.{v.param}": self.held.given[v.id] for v in self.program.state()
                 if v.id in self.held.given and v.param.count(".") == 0}  # fmt: skip
        return Proof(self.graph, self.layer, self.held.step, script, state, self.batch, tuple(self.unwritten))

    def _needed(self) -> list[Op]:
        """The ops that lead to what is printed."""
        needed = {self.program.storage(v).id for _, v in self.wanted}
        kept = []
        for op in reversed(computed(self.program)):
            if any(v.id in needed for v in op.outs):
                kept.append(op)
                if op.kind in WRITERS:
                    needed.update(self.program.storage(v).id for v in op.ins)
        return kept[::-1]

    def _head(self) -> list[str]:
        notes = [f"# {kind}: not written out yet, its results are read from the batch's file"
                 for kind in self.unwritten]  # fmt: skip
        return [
            f'"""Step {self.held.step + 1} of the network, for the layer {self.layer}, in plain NumPy.',
            "",
            "Columns are examples; d_... is the gradient of the loss by ...; written by Matrizen.",
            '"""',
            "",
            "from pathlib import Path",
            "",
            "import numpy as np",
            "",
            'np.set_printoptions(linewidth=110, threshold=400, formatter={"float_kind": "{:12.6g}".format})',
            "here = Path(__file__).parent",
            f'weights = np.load(here / "{FILES[0]}", allow_pickle=False)  # before the step',
            f'batch = np.load(here / "{FILES[1]}", allow_pickle=False)',
            *notes,
            "",
            "",
            "def show(name, value):",
            '    """Print a number or matrix, and how far the engine is from it."""',
            '    off = np.abs(value - batch["engine " + name]).max()',
            '    print(f"{name} {np.shape(value)}, largest difference from the engine {off:.1e}")',
            "    print(value)",
            "    print()",
            "",
        ]

    def _inputs(self, ops: Sequence[Op]) -> list[str]:
        """What is loaded, in the order it is used."""
        made = {v.id for op in ops for v in op.outs}
        lines = [f"n = {self.held.n}  # examples in the batch"]
        for op in ops:
            for v in op.ins if op.kind in WRITERS else ():
                base = self.program.storage(v)
                if base.id in made or base.id in self._loaded(lines):
                    continue
                lines.append(self._load(base))
        return lines

    def _loaded(self, lines: Sequence[str]) -> set[str]:
        starts = {line.split(" = ")[0] for line in lines}
        return {id for id, name in self._names.items() if name in starts}

    def _load(self, v: Value) -> str:
        name, array = self.name(v), self.held.given[v.id]
        shape = " x ".join(str(k) for k in array.shape)
        if v.role in (Role.PARAM, Role.STATE) and "." not in v.param:
            key = f"{self.graph.node(v.owner).name}.{self._keys.get((v.owner, v.param), v.param)}"
            return f'{name} = weights["{key}"]  # {shape}'
        self.batch[name] = array
        return f'{name} = batch["{name}"]  # {shape}'

    def _write(self, op: Op) -> list[str]:
        writer = WRITERS.get(op.kind)
        drawn = range(len(op.outs)) if writer is None else DRAWN.get(op.kind, ())
        lines = []
        for i in drawn:
            name = self.name(op.outs[i])
            self.batch[name] = self.held.learned[op.outs[i].id]
            why = "drawn at random by the engine" if writer else f"{op.kind} is not written out yet"
            lines.append(f'{name} = batch["{name}"]  # {why}')
        if writer is None:
            if op.kind not in self.unwritten:
                self.unwritten.append(op.kind)
            return lines
        held = self.held
        controls = context_for(op, held.controls, held.n).controls
        names = Names([self.name(v) for v in op.ins], [self.name(v) for v in op.outs], op, controls)
        return [*lines, *self._views(op.ins), *writer(names)]

    def _views(self, values: Sequence[Value]) -> list[str]:
        """Lines for views that are read for the first time."""
        lines = []
        for v in values:
            if v.view is None or v.id in self._seen:
                continue
            self._seen.add(v.id)
            base = self.program.values[v.view.base]
            source = self.name(base)
            if v.rows != base.rows:
                source = f"{source}.reshape(-1, n)[{v.view.offset} : {v.view.offset + v.rows}]"
            lines.append(f"{self.name(v)} = {source}.reshape({', '.join(map(str, v.shape[:-1]))}, n)")
        return lines


def write_proof(path: Path | str, proof: Proof) -> tuple[Path, Path, Path]:
    """Write the script, the weights and the batch side by side; their paths. Raises ProjectError."""
    path = Path(path)
    weights, batch = (path.with_name(f"{path.stem}_{part}.npz") for part in ("weights", "batch"))
    if proof.weights:
        export_npz(weights, proof.graph, proof.weights, None, proof.step)
    else:  # a network that learns nothing
        save_atomically(weights, lambda file: _write_arrays(file, {}), _nothing)
    save_atomically(batch, lambda file: _write_arrays(file, proof.batch), _nothing)
    text = placed(proof.script, weights.name, batch.name)
    save_atomically(path, lambda file: _write_text(file, text), _nothing)
    return path, weights, batch


def placed(script: str, weights: str, batch: str) -> str:
    """The script with the names of its two files."""
    for place, name in zip(FILES, (weights, batch), strict=True):
        script = script.replace(f'"{place}"', json.dumps(name, ensure_ascii=False))
    return script


def _write_arrays(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            kind = "<i4" if array.dtype.kind in "iub" else "<f4"
            archive.writestr(zipfile.ZipInfo(f"{key}.npy", _EPOCH), npy_bytes(array, kind))


def _write_text(file: IO[bytes], text: str) -> None:
    wrapper = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    wrapper.write(text)
    wrapper.flush()
    wrapper.detach()


def _nothing(written: Path) -> None:
    """Nothing to verify: the script itself says whether its numbers are right."""
