"""BatchNorm: each feature gets mean 0 and variance 1 over the batch, then a scale and a shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.layers.base import Layer, ParamSpec, Shape

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalizes each feature or channel over the batch; keeps running statistics for testing.

    `momentum` is PyTorch's: running = (1 - momentum) * running + momentum * batch; the batch variance is
    biased for normalizing, unbiased (k / (k - 1)) for the running statistics.
    """

    kind = "batch_norm"
    label = N_("Batch normalization")
    category = "normalize"
    help = N_(
        "Each feature (each channel of a picture) is shifted and scaled to mean 0 and variance 1 over "
        "the batch, then by a learnt scale and shift. For testing the running statistics are used."
    )
    formula = r"y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta"
    stem = "norm"

    epsilon: Annotated[
        float,
        Setting(
            N_("Epsilon"),
            N_("Added to the variance so that nothing is divided by 0."),
            kind="float",
            minimum=1e-12,
            maximum=1.0,
        ),
    ] = 1e-5
    momentum: Annotated[
        float,
        Setting(
            N_("Momentum"),
            N_("Weight of the new batch in the running statistics."),
            kind="float",
            minimum=0.0,
            maximum=1.0,
        ),
    ] = 0.1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        c = inputs[0][0]
        return (
            ParamSpec("weight", (c,), "ones"),
            ParamSpec("bias", (c,)),
            ParamSpec("running_mean", (c,), trained=False),
            ParamSpec("running_var", (c,), "ones", trained=False),
        )

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        (x,) = inputs
        p = [params[k] for k in ("weight", "bias", "running_mean", "running_var")]
        if not rec.train:
            return rec.emit1("batchnorm_eval", [x, *p], "y", attrs={"epsilon": self.epsilon})
        y, _, _, mean, var = rec.emit(
            "batchnorm",
            [x, *p],
            ("y", "mean", "invstd"),
            attrs={"epsilon": self.epsilon, "momentum": self.momentum},
        )
        rec.advance(p[2], mean)
        rec.advance(p[3], var)
        return y

    def summary(self) -> Message:
        return Message(N_("momentum {momentum}"), {"momentum": f"{self.momentum:g}"})
