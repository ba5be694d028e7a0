"""A step walked op by op, as the window shows it: what the op touches on the canvas, and a card about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.graph import GraphSpec
from engine.ops.over_time import time_of
from engine.ops.pointwise_losses import ENTRY_LOSSES
from engine.session.protocol import Frame
from engine.values import Op, Phase, Program
from gui.canvas.acting import STILL, Acting, acting_of
from gui.canvas.step_card import Told
from gui.i18n import tr
from gui.labs.equation import Style
from gui.labs.equation_writer import UPDATES, Writer, letters_of
from gui.labs.equations import SILENT, family
from gui.labs.matrix_names import plain_symbol
from gui.labs.recurrent_writer import at_position

if TYPE_CHECKING:
    from gui.main_window import MainWindow

QUIET = (*SILENT, "random_affine")
"""Ops that only bring data, draw numbers or count: nothing is to be read in letters."""


class Stepping:
    """Follows the frames of a window; while no step is walked it does nothing."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._prepared: Program | None = None
        self._hint = ""

    def show(self, frame: Frame) -> None:
        """Light the op the step rests at, or nothing."""
        window = self._window
        configured, scene = window.bench.configured, window.canvas.canvas
        at = 0 if configured is None or frame.op is None else min(frame.op, len(configured.program.ops)) - 1
        if frame.phase != "inside" or frame.op is None or configured is None or at < 0:
            self.leave()
            return
        program, graph = configured.program, window.bench.document.graph
        op = program.ops[at]
        text = place_of(program, at)
        around, told = STILL, None
        if frame.sample is not None:
            text = tr("example {n} of {total}").format(n=frame.sample + 1, total=frame.n)
        else:
            around = acting_of(program, graph, op)
            told = told_of(program, graph, at, around)
            if program is not self._prepared:
                self._prepared = program
                ahead = (*program.ops[at + 1 :], *program.ops[:at])
                window.canvas.step_card.prepare(lambda: (formula_of(program, graph, each) for each in ahead))
        uid = op.node if graph.has(op.node) else None
        short = text
        if frame.sample is None and (place := time_of(op)) is not None:
            short = tr("t = {t} of {length}").format(t=place[0] + 1, length=place[1])
        scene.set_acting(uid, short, (at + 1) / len(program.ops), around)
        window.canvas.step_card.tell(told)
        self._hint = f"{text} · {told.name}" if told is not None else text
        window.status_bar.set_hint(self._hint)

    def leave(self) -> None:
        """No step is walked."""
        self._window.canvas.canvas.set_acting(None)
        self._window.canvas.step_card.tell(None)
        if self._hint and self._window.status_bar.hint() == self._hint:
            self._window.status_bar.set_hint("")
        self._hint = ""


def place_of(program: Program, at: int) -> str:
    """How far a step is: "forward, 5 of 8"."""
    names = {
        Phase.AUGMENT: tr("data"),
        Phase.FORWARD: tr("forward"),
        Phase.LOSS: tr("loss"),
        Phase.BACKWARD: tr("backward"),
        Phase.CLIP: tr("gradients"),
        Phase.UPDATE: tr("update"),
    }
    phase = program.ops[at].phase
    same = [i for i, each in enumerate(program.ops) if each.phase is phase]
    text = tr("{phase}, {n} of {total}").format(phase=names[phase], n=same.index(at) + 1, total=len(same))
    place = time_of(program.ops[at])
    if place is None:
        return text
    return tr("time step t = {t} of {length}").format(t=place[0] + 1, length=place[1]) + f" · {text}"


def told_of(program: Program, graph: GraphSpec, at: int, around: Acting) -> Told:
    """What the card says of an op: layer, name, formula, where its numbers come from and go to."""
    op = program.ops[at]
    layer = graph.node(op.node).name if graph.has(op.node) else ""
    reads, writes = _names(graph, around, "reads"), _names(graph, around, "writes")
    if op.kind not in QUIET:  # what no other layer has to do with is named by its letter
        writer = _writer(program, graph, op)
        reads = reads or tuple(plain_symbol(writer.letter(value)) for value in op.ins)
        writes = writes or tuple(plain_symbol(writer.letter(value)) for value in op.outs)
    return Told(place_of(program, at), layer, name_of(op), formula_of(program, graph, op), reads, writes)


def formula_of(program: Program, graph: GraphSpec, op: Op) -> str:
    """The op as LaTeX with the letters of its layer; "" for the quiet ones."""
    if op.kind in QUIET:
        return ""
    if op.kind == "affine_warp" and graph.has(op.node):
        return graph.node(op.node).layer.formula
    made = _writer(program, graph, op).write(program.ops.index(op), op)
    if op.kind in UPDATES:
        return made[-1].title
    return r", \quad ".join(equation.title for equation in made[:2])


def _writer(program: Program, graph: GraphSpec, op: Op) -> Writer:
    """What writes an op with the letters of its layer."""
    nodes = (op.node, *family(program, graph, op.node))
    place = time_of(op)
    t = place[0] if place is not None else -1
    letters = letters_of(program, [o for o in program.ops if o.node in nodes and o.kind not in SILENT
                                   and (time_of(o) is None or at_position(o, t))])
    if op.kind.endswith("_dx") and place is None:
        # through a shortcut the gradient has the name of another layer's value
        letters[op.out.id] = r"\partial L/\partial X"
    return Writer(program, letters, Style())


def _names(graph: GraphSpec, around: Acting, word: str) -> tuple[str, ...]:
    """Layers that are read, or that what is written goes to."""
    return tuple(graph.node(uid).name for uid, touch in around.nodes.items() if touch.word in (word, "both"))


def name_of(op: Op) -> str:
    """What an op is called."""
    return {
        "accumulate": tr("gradient added to those of the batches before"),
        "adadelta": tr("update by AdaDelta"),
        "adagrad": tr("update by AdaGrad"),
        "adam": tr("update by Adam"),
        "adamw": tr("update by AdamW"),
        "add": tr("sum"),
        "affine_matrix": tr("matrix of the affine map"),
        "affine_matrix_dw": tr("gradient of the matrix"),
        "affine_matrix_dx": tr("gradient of the matrix"),
        "affine_warp": tr("affine map"),
        "affine_warp_dw": tr("gradient of the matrix"),
        "affine_warp_dx": tr("gradient of the inputs"),
        "avgpool2d": tr("mean of every window"),
        "avgpool2d_dx": tr("gradient shared over the window"),
        "batchnorm": tr("normalization over the batch"),
        "batchnorm_eval": tr("normalization"),
        "batchnorm_grad": tr("gradient through the normalization"),
        "clip_norm": tr("gradient made shorter"),
        "clip_value": tr("gradient cut off at the limit"),
        "concatenate": tr("put side by side"),
        "conv1d": tr("convolution"),
        "conv1d_dw": tr("gradient of the kernels"),
        "conv1d_dx": tr("gradient of the inputs"),
        "conv_transpose2d": tr("transposed convolution"),
        "conv_transpose2d_dw": tr("gradient of the kernels"),
        "conv_transpose2d_dx": tr("gradient of the inputs"),
        "conv2d": tr("convolution"),
        "conv2d_dw": tr("gradient of the kernels"),
        "conv2d_dx": tr("gradient of the inputs"),
        "count_correct": tr("right answers counted"),
        "dense": tr("matrix product"),
        "dense_dw": tr("gradient of the weights"),
        "dense_dx": tr("gradient of the inputs"),
        "dropout": tr("neurons left out"),
        "embedding": tr("rows of the table"),
        "embedding_dw": tr("gradient of the table"),
        "encode_labels": tr("labels as numbers"),
        "gather": tr("the next batch"),
        "gather_labels": tr("labels of the batch"),
        "bce_logits": tr("binary cross-entropy"),
        "gaussian_noise": tr("noise added"),
        "groupnorm": tr("normalization over the group"),
        "groupnorm_dw": tr("gradient of the scale"),
        "groupnorm_dx": tr("gradient through the normalization"),
        "hinge": tr("hinge loss"),
        "huber": tr("Huber's loss"),
        "input_features": tr("features of the points"),
        "input_features_dx": tr("gradient of the inputs"),
        "grad_norm": tr("norm of all gradients"),
        "log_softmax": tr("logarithm of Softmax"),
        "log_softmax_grad": tr("gradient through Softmax"),
        "gru_cell": tr("gates and state"),
        "gru_cell_grad": tr("gradient through the gates"),
        "heads_mix": tr("mixture of each head"),
        "heads_scores": tr("scores of each head"),
        "l1": tr("L1 penalty"),
        "l1_slope": tr("gradient of the penalty"),
        "l2": tr("L2 penalty"),
        "l2_slope": tr("gradient of the penalty"),
        "layernorm": tr("normalization over the features"),
        "layernorm_dw": tr("gradient of the scale"),
        "layernorm_dx": tr("gradient through the normalization"),
        "lstm_cell": tr("gates, memory and state"),
        "lstm_cell_grad": tr("gradient through the gates"),
        "leaky_relu": tr("activation function"),
        "max_norm": tr("weights of a unit made shorter"),
        "maxpool2d": tr("largest of every window"),
        "maxpool2d_dx": tr("gradient to the largest"),
        "momentum": tr("update with momentum"),
        "mse": tr("mean squared error"),
        "mse_grad": tr("derivative of the loss"),
        "mae": tr("mean absolute error"),
        "maximum": tr("largest, cell by cell"),
        "maximum_grad": tr("gradient to the largest"),
        "multiply": tr("product cell by cell"),
        "nesterov": tr("update with momentum, looking ahead"),
        "prelu": tr("activation function"),
        "prelu_below": tr("what each cell adds to its slope"),
        "prelu_dz": tr("slope of the activation function"),
        "positions": tr("positions added"),
        "positions_dw": tr("gradient of the positions"),
        "random_affine": tr("augmentation"),
        "rearrange": tr("cells put in other places"),
        "rmsprop": tr("update by RMSprop"),
        "scale": tr("times a number"),
        "sgd": tr("update by gradient descent"),
        "softmax": "Softmax",
        "softmax_grad": tr("gradient through Softmax"),
        "softmax_rows": tr("Softmax of each row"),
        "softmax_rows_grad": tr("gradient through Softmax"),
        "softmax_xent": tr("Softmax and cross-entropy"),
        "softmax_xent_grad": tr("derivative of the loss"),
        "spatial_dropout": tr("maps left out"),
        "split_time": tr("taken apart, position by position"),
        "stack_time": tr("positions side by side"),
        "zero_state": tr("state before the first position"),
        "subtract": tr("difference"),
        "split": tr("cut into parts"),
        "square_sum": tr("sum of the squares"),
        "sum_samples": tr("gradient of the bias"),
        "class_weights": tr("weights of the classes"),
        "weighted_sum": tr("sum of the losses"),
        "weighted_xent": tr("Softmax and cross-entropy"),
        "weighted_xent_grad": tr("derivative of the loss"),
        "upsample": tr("picture made larger"),
        "upsample_dx": tr("gradient to the pixels that were read"),
        **dict.fromkeys((f"{kind}_grad" for kind in ENTRY_LOSSES), tr("derivative of the loss")),
    }.get(op.kind, tr("slope of the activation function") if op.kind.endswith("_grad")
          else tr("activation function"))  # fmt: skip
