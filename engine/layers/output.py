"""Output: what a loss looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Shape
from engine.layers.vectors import need_vector
from engine.settings import LOSS_CHOICES

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value

AS_TRAINED = "training"
"""The loss chosen in the training settings."""
DATA, INPUT = "data", "input"


@dataclass(frozen=True)
class Output(Layer):
    """The prediction ŷ: a loss compares it with its target.

    A network may have several; what is made small is then L = Σ w_i L_i.
    """

    kind = "output"
    label = N_("Output")
    category = "loss"
    help = N_(
        "The prediction. A loss compares it with its target; its gradient starts here and runs back through "
        "the network. With several outputs the sum of their losses is made small, each times its weight; "
        "accuracy and answer shown are those of the first whose target is the data's."
    )
    formula = r"L = \sum_i w_i \, L_i(\hat{y}_i, y_i)"
    has_output = False

    weight: Annotated[
        float,
        Setting(
            N_("Weight"),
            N_("What this output's loss is multiplied by in the sum of all."),
            kind="float",
            minimum=0.0,
            maximum=1e6,
        ),
    ] = 1.0
    loss: Annotated[
        str,
        Setting(
            N_("Loss"),
            N_("What is made small here: what is chosen for training, or a loss of its own."),
            kind="choice",
            choices=((AS_TRAINED, N_("as in training")), *LOSS_CHOICES),
        ),
    ] = AS_TRAINED
    target: Annotated[
        str,
        Setting(
            N_("Target"),
            N_(
                "What the prediction should be: what the data says, or the input itself as the network sees "
                "it, scaled (and changed where Augment stands behind it). With the input as the target the "
                "network is an autoencoder; vectors and pictures of as many numbers will do."
            ),
            kind="choice",
            choices=((DATA, N_("label or target of the data")), (INPUT, N_("the input itself"))),
        ),
    ] = DATA

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0] if self.target == INPUT else need_vector(inputs[0])

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        return inputs[0]

    def summary(self) -> Message:
        return Message("") if self.loss == AS_TRAINED else Message(dict(LOSS_CHOICES)[self.loss])

    def loss_of(self, training: str) -> str:
        """The loss computed here, given the one of the training settings."""
        return training if self.loss == AS_TRAINED else self.loss
