"""Gaussian noise: a little chance added while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """Normal numbers times sigma added to each value, new ones in every step."""

    kind = "gaussian_noise"
    label = N_("Gaussian noise")
    category = "normalize"
    help = N_(
        "While training a normal random number of the chosen spread is added to each value, a new one in "
        "every step, so that the network does not rely on the last digit. When testing nothing is changed."
    )
    formula = r"y = x + \sigma \, \epsilon, \quad \epsilon \sim \mathcal{N}(0, 1)"
    stem = "noise"

    sigma: Annotated[
        float,
        Setting(
            N_("Spread"), N_("Standard deviation of the noise."), kind="float", minimum=0.0, maximum=1000.0,
            hot=True,
        ),
    ] = 0.1  # fmt: skip

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        if not rec.train:
            return rec.view(x, "y", x.axes, x.shape)
        sigma = rec.control(f"{rec.node}.sigma", self.sigma)
        stream = f"{rec.node}.gaussian_noise"
        return rec.emit("gaussian_noise", inputs, ("y", "noise"), controls=(sigma,), stream=stream)[0]

    def summary(self) -> Message:
        return Message("σ = {sigma}", {"sigma": f"{self.sigma:g}"})
