"""Training settings as an immutable value: what is learnt with, from which start, how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from engine.errors import N_
from engine.fields import Setting, check_settings, settings_of

OPTIMIZER_CHOICES = (
    ("sgd", N_("SGD")),
    ("momentum", N_("Momentum")),
    ("nesterov", N_("Nesterov")),
    ("adagrad", N_("AdaGrad")),
    ("adadelta", N_("AdaDelta")),
    ("rmsprop", N_("RMSProp")),
    ("adam", N_("Adam")),
    ("adamw", N_("AdamW")),
)
SCHEDULE_CHOICES = (
    ("constant", N_("constant")),
    ("step", N_("in steps")),
    ("exponential", N_("exponential")),
    ("cosine", N_("cosine")),
    ("one_cycle", N_("one cycle")),
    ("plateau", N_("reduce on plateau")),
)
WATCHED_CHOICES = (
    ("test", N_("test loss")),
    ("training", N_("training loss")),
)
CLIPPING_CHOICES = (
    ("none", N_("none")),
    ("value", N_("by value")),
    ("norm", N_("by norm")),
)
LOSS_CHOICES = (
    ("mse", N_("Mean squared error")),
    ("mae", N_("Mean absolute error")),
    ("huber", N_("Huber")),
    ("cross_entropy", N_("Cross-entropy")),
    ("bce", N_("Binary cross-entropy")),
    ("hinge", N_("Hinge")),
)

LOSS_HELP = N_(
    "What is made small. Mean squared error, mean absolute error, Huber, binary cross-entropy and hinge are "
    "the mean over all entries, outputs times examples. Cross-entropy is the mean over the examples, with "
    "the natural logarithm; with class weights it is divided by the sum of the examples' weights."
)
WEIGHTING_CHOICES = (
    ("equal", N_("all alike")),
    ("balanced", N_("balanced")),
    ("own", N_("as listed")),
)

NEEDS_CLASSES = frozenset({"cross_entropy", "bce", "hinge"})
"""Losses that make no sense for targets that are any numbers."""


@dataclass(frozen=True)
class TrainingSpec:
    """How to train. `hot` settings act on the next step; the others make a new program or a new start.

    Momentum: v = momentum * v + g, w -= lr * v. All formulas are PyTorch's, and most defaults.
    """

    loss: Annotated[
        str, Setting(N_("Loss"), LOSS_HELP, kind="choice", choices=LOSS_CHOICES)
    ] = "cross_entropy"
    optimizer: Annotated[
        str,
        Setting(
            N_("Optimizer"),
            N_("How the gradient moves the weights."),
            kind="choice",
            choices=OPTIMIZER_CHOICES,
        ),
    ] = "adam"
    learning_rate: Annotated[
        float,
        Setting(
            N_("Learning rate"), N_("Length of each step."), kind="float", minimum=0.0, maximum=1e6, hot=True
        ),
    ] = 0.001
    batch: Annotated[
        int, Setting(N_("Batch size"), N_("Examples in one step."), minimum=1, maximum=65536)
    ] = 32
    momentum: Annotated[
        float,
        Setting(
            N_("Momentum"),
            N_("How much of the last step stays."),
            kind="float",
            minimum=0.0,
            maximum=1.0,
            hot=True,
        ),
    ] = 0.9
    beta1: Annotated[
        float,
        Setting(
            N_("Beta 1"),
            N_("Memory of the mean gradient."),
            kind="float",
            minimum=0.0,
            maximum=0.999999,
            hot=True,
        ),
    ] = 0.9
    beta2: Annotated[
        float,
        Setting(
            N_("Beta 2"),
            N_("Memory of the squared gradient."),
            kind="float",
            minimum=0.0,
            maximum=0.999999,
            hot=True,
        ),
    ] = 0.999
    decay: Annotated[
        float,
        Setting(
            N_("Decay"),
            N_("Memory of the squared gradient in RMSProp."),
            kind="float",
            minimum=0.0,
            maximum=0.999999,
            hot=True,
        ),
    ] = 0.99
    epsilon: Annotated[
        float,
        Setting(
            N_("Epsilon"), N_("Keeps the division finite."), kind="float", minimum=0.0, maximum=1.0, hot=True
        ),
    ] = 1e-8
    seed: Annotated[
        int, Setting(N_("Seed"), N_("Where all random numbers start."), minimum=0, maximum=2**63 - 1)
    ] = 1

    weight_decay: Annotated[
        float,
        Setting(
            N_("Weight decay"),
            N_("With each step the weights shrink by this share of the learning rate."),
            kind="float",
            minimum=0.0,
            maximum=1e6,
            hot=True,
        ),
    ] = 0.01
    huber_delta: Annotated[
        float,
        Setting(
            N_("Huber's delta"),
            N_("Errors up to this count squared, larger ones by their size."),
            kind="float",
            minimum=1e-6,
            maximum=1e6,
        ),
    ] = 1.0
    schedule: Annotated[
        str,
        Setting(
            N_("Schedule"),
            N_("How the learning rate changes from step to step."),
            kind="choice",
            choices=SCHEDULE_CHOICES,
        ),
    ] = "constant"
    schedule_steps: Annotated[
        int,
        Setting(
            N_("Length"),
            N_("Steps of the schedule: of one stair, of one falling by the factor, or of all of it."),
            minimum=1,
            maximum=1_000_000_000,
        ),
    ] = 1000
    schedule_factor: Annotated[
        float,
        Setting(
            N_("Factor"),
            N_("What the rate is multiplied by each time."),
            kind="float",
            minimum=0.0,
            maximum=1.0,
        ),
    ] = 0.5
    warm_up: Annotated[
        int,
        Setting(
            N_("Warm-up"),
            N_("The rate rises from 0 in so many steps."),
            minimum=0,
            maximum=1_000_000_000,
        ),
    ] = 0
    label_smoothing: Annotated[
        float,
        Setting(
            N_("Label smoothing"),
            N_(
                "Cross-entropy: this share of the target is spread evenly over all classes, so that no "
                "answer has to be certain."
            ),
            kind="float",
            minimum=0.0,
            maximum=1.0,
        ),
    ] = 0.0
    class_weighting: Annotated[
        str,
        Setting(
            N_("Class weights"),
            N_(
                "Cross-entropy: how much an example counts, by its class. The sum is then divided by the sum "
                "of the examples' weights, as in PyTorch. Balanced: training examples / (classes × examples "
                "of the class), so that rare classes count as much as frequent ones."
            ),
            kind="choice",
            choices=WEIGHTING_CHOICES,
        ),
    ] = "equal"
    class_weights: Annotated[
        tuple[float, ...],
        Setting(
            N_("Weights listed"),
            N_("One weight for each class, in the order of the classes, larger than 0: 1; 2; 0.5"),
            kind="list",
            minimum=1e-6,
            maximum=1e6,
        ),
    ] = ()
    clipping: Annotated[
        str,
        Setting(
            N_("Gradient clipping"),
            N_(
                "Keeps steps short. By value: every cell of a gradient stays within the limit. By norm: "
                "where all gradients together are longer than the limit, all are made shorter by the same "
                "factor (PyTorch's clip_grad_norm_)."
            ),
            kind="choice",
            choices=CLIPPING_CHOICES,
        ),
    ] = "none"
    clip_limit: Annotated[
        float,
        Setting(
            N_("Clipping limit"),
            N_("The largest cell of a gradient, or the largest norm of all gradients together."),
            kind="float",
            minimum=1e-12,
            maximum=1e12,
            hot=True,
        ),
    ] = 1.0
    patience: Annotated[
        int,
        Setting(
            N_("Patience"),
            N_("So many epochs may pass without a better loss before the rate falls by the factor "
               "(PyTorch's ReduceLROnPlateau)."),
            minimum=0, maximum=1_000_000,
        ),
    ] = 10  # fmt: skip
    stop_after: Annotated[
        int,
        Setting(
            N_("Early stopping"),
            N_("Rest when so many epochs brought no better loss; the best step can then be shown again. "
               "0: go on for ever."),
            minimum=0, maximum=1_000_000,
        ),
    ] = 0  # fmt: skip
    watched: Annotated[
        str,
        Setting(
            N_("Watched loss"),
            N_("The test loss after each epoch, or the mean training loss of the epoch. Without test "
               "examples always the latter."),
            kind="choice", choices=WATCHED_CHOICES,
        ),
    ] = "test"  # fmt: skip
    accumulate: Annotated[
        int,
        Setting(
            N_("Batches per update"),
            N_("Gradients of so many batches are averaged before the weights move once: as one batch that "
               "many times as large, with the memory of a small one."),
            minimum=1, maximum=65536,
        ),
    ] = 1  # fmt: skip

    @classmethod
    def settings(cls) -> dict[str, tuple[Setting, Any]]:
        """Field name -> (its facts, its default)."""
        return settings_of(cls)

    def __post_init__(self) -> None:
        check_settings(self, "training")

    def controls(self) -> dict[str, float]:
        """The hot settings as controls of a program."""
        return {
            "lr": self.learning_rate,
            "momentum": self.momentum,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "decay": self.decay,
            "epsilon": self.epsilon,
            "weight_decay": self.weight_decay,
            "clip": self.clip_limit,
        }

    def with_controls(self, hot: Mapping[str, float]) -> TrainingSpec:
        """These settings with controls of a program as they were left; controls of layers are passed over."""
        others = {"lr": "learning_rate", "clip": "clip_limit"}
        fields = {name: others.get(name, name) for name in self.controls()}
        return replace(self, **{fields[k]: v for k, v in hot.items() if k in fields})  # type: ignore[arg-type]


@dataclass(frozen=True)
class DataSpec:
    """What a program must know of the data: `shape` of one example and how targets look.

    `classes` > 0: class labels 0..classes-1; 0: `target_width` float targets per example (regression).
    Resident data of dtype "u8" becomes value * scale + shift when gathered.
    """

    shape: tuple[int, ...]
    classes: int = 0
    target_width: int = 1
    count: int = 0
    dtype: str = "f32"
    scale: float = 1.0
    shift: float = 0.0
    tokens: int = 0
    """Size of the vocabulary when the inputs are tokens 0 ... tokens - 1; 0: they are numbers."""
    source: str = "data"
    """First part of the resident arrays' ids: "data" for training, "test" for evaluation."""
    counts: tuple[int, ...] = ()
    """Training examples of each class; () where they are not known."""
    low: float = 0.0
    high: float = 1.0
    """Smallest and largest number among the inputs, as the network sees them."""
