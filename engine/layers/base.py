"""What a layer is: a frozen declaration from which everything else is derived.

A layer's annotated fields are its settings (engine/fields.py). From the declaration come the palette
entry, the inspector form, the shape on the link, the file format, the key names and the contract tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.errors import Message
from engine.fields import Setting, check_settings, settings_of

if TYPE_CHECKING:
    from engine.recorder import Recorder
    from engine.values import Value

Shape = tuple[int, ...]
"""Shape of one sample, without the batch: (F,) for vectors, (F, T) for sequences, (C, H, W) for pictures."""

Category = Literal[
    "data", "linear", "activation", "pooling", "normalize", "merge", "transform", "recurrent", "loss"
]

UNLIMITED_PORTS = 64


@dataclass(frozen=True)
class ParamSpec:
    """One parameter or running statistic of a layer.

    `name` is its key in files (`weight`, `bias`, `running_mean`, ...); `shape` as in PyTorch.
    `trained` is False for running statistics. Fans are for the initializer; `start`, where given, are the
    numbers it starts with, in C order.
    """

    name: str
    shape: tuple[int, ...]
    initializer: str = "zeros"
    fan_in: int = 1
    fan_out: int = 1
    trained: bool = True
    start: tuple[float, ...] = ()
    fixed: bool = False
    """Whether a formula gives it: it is neither learnt nor carried over to another shape."""
    exported: str = ""
    """Its key in exported weights, where PyTorch's differs from `name`."""

    @property
    def key(self) -> str:
        """The key in exported weights."""
        return self.exported or self.name


@dataclass(frozen=True)
class Repair:
    """A change that would remove a problem: `kind` with its `node`, and what it needs.

    "set_field": give `field` the `value`. "insert_before": put `layer` in front of input `port`.
    "remove_link": take away the link at `port`. "add_link": link the node `value` to input `port`.
    "add_output": add an Output behind `node`. "remove_node": take the node away. "set_training": give the
    training setting `field` the `value`. "replace_layer": make `node` a `layer`. "own_weights": share none.
    """

    label: Message
    kind: Literal["set_field", "insert_before", "remove_link", "add_link", "add_output", "remove_node",
                  "set_training", "replace_layer", "own_weights"]  # fmt: skip
    node: str = ""
    port: int = 0
    field: str = ""
    value: Any = None
    layer: Layer | None = None


class ShapeProblem(Exception):
    """Raised by a layer whose inputs do not fit; `inference` turns it into a painted problem."""

    def __init__(self, message: Message, field: str = "", repairs: tuple[Repair, ...] = ()) -> None:
        super().__init__(str(message))
        self.message, self.field, self.repairs = message, field, repairs


@dataclass(frozen=True)
class Layer:
    """Base of all layers. Subclasses set the class variables and fill the four methods."""

    kind: ClassVar[str]
    label: ClassVar[str]
    category: ClassVar[Category]
    help: ClassVar[str]
    formula: ClassVar[str]
    """LaTeX."""
    ports: ClassVar[tuple[str, ...]] = ("x",)
    many_inputs: ClassVar[bool] = False
    has_output: ClassVar[bool] = True
    stem: ClassVar[str] = ""
    """Stem of the names given to new nodes; `kind` when empty."""
    on_data: ClassVar[bool] = False
    """Whether it works on the data and so has to stand right behind the input."""
    output_name: ClassVar[str] = "y"
    """Name of the value that leaves the layer: z before, a after an activation function."""

    @classmethod
    def port_limit(cls) -> int:
        return UNLIMITED_PORTS if cls.many_inputs else len(cls.ports)

    @classmethod
    def settings(cls) -> Mapping[str, tuple[Setting, Any]]:
        """Field name -> (its facts, its default), in declaration order."""
        return settings_of(cls)

    def __post_init__(self) -> None:
        check_settings(self, self.kind)

    # ---- what a subclass says ----------------------------------------------------------------------

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of one output sample; raises ShapeProblem when the inputs do not fit."""
        raise NotImplementedError

    def params(self, inputs: Sequence[Shape]) -> tuple[ParamSpec, ...]:
        """Parameters for these input shapes, in file order."""
        return ()

    def record(self, rec: Recorder, inputs: Sequence[Value], params: Mapping[str, Value]) -> Value:
        """Write the layer in ops; returns the value that leaves it."""
        raise NotImplementedError

    def summary(self) -> Message:
        """The one line of settings under the node's name."""
        return Message("")

    def multiplications(self, inputs: Sequence[Shape]) -> int:
        """Multiplications for one sample forward (0 where none are counted)."""
        return 0


def elements(shape: Shape) -> int:
    """Number of values in one sample."""
    total = 1
    for n in shape:
        total *= n
    return total


def shape_text(shape: Shape) -> str:
    """8 × 28 × 28"""
    return " × ".join(str(n) for n in shape)
