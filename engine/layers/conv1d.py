"""Conv1D: small kernels slide along a sequence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from engine.errors import N_, Message
from engine.fields import Setting
from engine.initializers import BIAS_CHOICES, INITIALIZER_CHOICES
from engine.layers.base import Layer, ParamSpec, Repair, Shape, ShapeProblem
from engine.layers.reshape import Reshape
from engine.layers.sequences import need_sequence
from engine.layers.windows import GROUPS, check_groups, with_more

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value


@dataclass(frozen=True)
class Conv1D(Layer):
    """Each filter multiplies every stretch of the sequence with its kernel (cross-correlation)."""

    kind = "conv1d"
    label = N_("Convolution 1-D")
    category = "linear"
    help = N_(
        "Each filter lays its kernel on every stretch of the sequence, all features of some positions, "
        "multiplies, adds up and adds its bias. With all padding before, a position sees itself and earlier "
        "ones only (causal). Dilation leaves gaps between the positions seen: layers with dilation 1, 2, 4, "
        "8 see far with few weights."
    )
    formula = r"z_k(t) = \sum_{f,j} w_{k f j} \, x_f(t+j) + b_k"
    stem = "conv"
    output_name = "z"

    filters: Annotated[
        int, Setting(N_("Filters"), N_("Number of features that come out."), minimum=1, maximum=65536)
    ] = 8
    kernel: Annotated[
        int, Setting(N_("Kernel"), N_("Positions in the window."), minimum=1, maximum=1024)
    ] = 3
    stride: Annotated[
        int, Setting(N_("Stride"), N_("Positions from window to window."), minimum=1, maximum=1024)
    ] = 1
    padding: Annotated[
        tuple[int, int],
        Setting(N_("Padding"), N_("Zeros added before and after the sequence."), kind="ends", minimum=0,
                maximum=65536),
    ] = (1, 1)  # fmt: skip
    dilation: Annotated[
        int,
        Setting(
            N_("Dilation"),
            N_("Positions from one cell of the kernel to the next: 1 leaves no gap."),
            minimum=1,
            maximum=65536,
        ),
    ] = 1
    groups: Annotated[int, GROUPS] = 1
    bias: Annotated[bool, Setting(N_("Bias"), N_("Add one number per filter."), kind="bool")] = True
    initializer: Annotated[
        str,
        Setting(
            N_("Start values"),
            N_("How the weights are drawn before training."),
            kind="choice",
            choices=INITIALIZER_CHOICES,
        ),
    ] = "he_normal"
    bias_initializer: Annotated[
        str,
        Setting(
            N_("Start of the bias"),
            N_("How the biases are drawn before training."),
            kind="choice",
            choices=BIAS_CHOICES,
        ),
    ] = "zeros"

    @property
    def reach(self) -> int:
        """Positions from the first to the last cell of the kernel."""
        return (self.kernel - 1) * self.dilation + 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) == 1:
            raise self._no_features(inputs[0])
        features, length = need_sequence(inputs[0])
        check_groups(features, self.filters, self.groups)
        padded = length + sum(self.padding)
        if self.reach > padded:
            fitting = (padded - 1) // self.dilation + 1
            repairs = [
                _set("padding", (self.reach - 1, 0), N_("Pad {count} before (causal)"), self.reach - 1),
                _set("kernel", fitting, N_("Use a kernel of {count}"), fitting),
            ]
            raise ShapeProblem(
                Message(
                    N_("The kernel reaches over {reach} positions, the padded sequence has {found}."),
                    {"reach": self.reach, "found": padded},
                ),
                "kernel",
                tuple(repairs),
            )
        return self.filters, (padded - self.reach) // self.stride + 1

    @staticmethod
    def _no_features(shape: Shape) -> ShapeProblem:
        """A vector becomes a sequence of one feature."""
        text = N_("Needs a sequence (features × positions), gets the {found} numbers of a vector.")
        label = Message(N_("Make it a sequence of one feature"))
        repair = Repair(label, "insert_before", layer=Reshape((1, *shape)))
        return ShapeProblem(Message(text, {"found": shape[0]}), "", (repair,))

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        seen, k = inputs[0][0] // self.groups, self.kernel
        weight = ParamSpec("weight", (self.filters, seen, k), self.initializer, seen * k, self.filters * k)
        return (weight, ParamSpec("bias", (self.filters,), self.bias_initializer)) if self.bias else (weight,)

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        attrs: dict[str, Hashable] = {"stride": self.stride, "padding": self.padding}
        if self.dilation > 1:
            attrs["dilation"] = self.dilation
        if self.groups > 1:
            attrs["groups"] = self.groups
        ins = [params["weight"], inputs[0], *([params["bias"]] if self.bias else [])]
        return rec.emit1("conv1d", ins, "z", attrs=attrs)

    def summary(self) -> Message:
        main = Message(N_("{filters} × {rows}"), {"filters": self.filters, "rows": self.kernel})
        if self.reach > 1 and self.padding == (self.reach - 1, 0):
            main = Message(N_("{main}, causal"), {"main": main})
        return with_more(main, (self.dilation,), self.groups)

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        k, length = self.output_shape(inputs)
        return k * length * (inputs[0][0] // self.groups) * self.kernel


def _set(field: str, value: object, label: str, count: int) -> Repair:
    return Repair(Message(label, {"count": count}), "set_field", field=field, value=value)
