"""The words of the device lab: its experiments, what they measure, and how times and speeds are written."""

from __future__ import annotations

from dataclasses import dataclass

from engine.backends.devices import DeviceInfo
from gui import i18n
from gui.i18n import tr

DEVICE_TOKENS = ("train", "test", "ok", "positive", "negative")
"""Colors of OpenCL devices in the order they are listed; NumPy is gray."""


@dataclass(frozen=True)
class ExperimentWords:
    """Name and line for the list; what is measured; what is worth knowing of it."""

    name: str
    line: str
    what: str
    know: str


def experiments() -> dict[str, ExperimentWords]:
    """By id, in the order of the list."""
    w = ExperimentWords
    return {
        "operation": w(
            tr("One operation"),
            tr("every device, the same numbers"),
            tr("The same operation with the same numbers on every device, one device after the other."),
            tr(
                "Each cell of a product is a sum of its own, c = Σ a · b, so all cells can be "
                "computed at the "
                "same time. A thousand by a thousand needs 10⁹ multiplications. The share of the "
                "peak compares "
                "with what the device computes when it reads and writes nothing."
            ),
        ),
        "sizes": w(
            tr("Small and large"),
            tr("products from 2 × 2 to 1,024 × 1,024"),
            tr("The matrix product in ten sizes, each one call that is waited for."),
            tr(
                "A call costs time before anything is computed. Where that is longer than the work, a "
                "device loses; the work grows with the third power of the side, the call does not."
            ),
        ),
        "cores": w(
            tr("One core, several cores"),
            tr("serial against parallel, with Amdahl's line"),
            tr("The same work on one core and on several, on every processor device that can be divided."),
            tr(
                "The gain is at best linear in the cores, never exponential: n cores are at most n "
                "times as fast, "
                "and less where a share of the work is serial or memory is the limit. "
                "Amdahl's law says how much less."
            ),
        ),
        "batch": w(
            tr("Batch size"),
            tr("a training step of this network"),
            tr("A training step of this network with 1 to 256 examples in the batch."),
            tr(
                "The columns of a batch do not influence each other (except in batch norm), so they "
                "can be computed side by side. The sentence below the curves says what an example costs."
            ),
        ),
        "data": w(
            tr("Amount of data"),
            tr("an epoch of this network"),
            tr("One epoch of this network over more and more examples that lie on the device."),
            tr("Twice the examples are twice the batches. How the time grows is measured here."),
        ),
        "model": w(
            tr("Size of the model"),
            tr("this network, narrower and wider"),
            tr("A training step of this network with its hidden layers narrower and wider."),
            tr(
                "Between two hidden layers the weights grow with the square of the width. What energy a "
                "step takes is not measured here."
            ),
        ),
        "latency": w(
            tr("One example"),
            tr("how long an answer takes"),
            tr("The answer of this network to a single example: numbers there, all layers, numbers back."),
            tr(
                "For a single example the way there and the launches count most. The device that "
                "trains fastest "
                "need not answer first."
            ),
        ),
        "layers": w(
            tr("Layers"),
            tr("where a training step spends its time"),
            tr("Each launch of a training step of this network, timed by the device, added up by layer."),
            tr(
                "OpenCL's driver notes when each launch began and ended. Operations done cell by "
                "cell ride in the "
                "launch of the layer before; their time is in that layer's bar. Launches are kept "
                "apart for this, "
                "so that their sum may be more than a step of training takes."
            ),
        ),
    }


def subjects() -> dict[str, str]:
    """What "one operation" and "cores" can measure."""
    return {
        "product": tr("Matrix product"),
        "convolution": tr("Convolution"),
        "elementwise": tr("Cell times cell"),
        "warp": tr("Affine warp"),
        "step": tr("Training step of this network"),
    }


def size_names() -> dict[str, str]:
    """Labels of the sizes of a work."""
    return {
        "m": tr("Rows of A"), "k": tr("Columns of A"), "n": tr("Columns of B"),
        "channels": tr("Channels"), "filters": tr("Filters"), "side": tr("Side"), "kernel": tr("Kernel"),
        "batch": tr("Batch"), "rows": tr("Rows"), "columns": tr("Columns"),
    }  # fmt: skip


def phases() -> dict[str, str]:
    """Phases of a step as the engine calls them."""
    return {
        "augment": tr("data"), "forward": tr("forward"), "loss": tr("loss"), "backward": tr("backward"),
        "clip": tr("clip"), "update": tr("update"),
    }  # fmt: skip


def place_name(experiment: str) -> str:
    """What stands on the horizontal axis."""
    return {
        "sizes": tr("side of the matrices"),
        "cores": tr("cores"),
        "batch": tr("examples in the batch"),
        "data": tr("examples"),
        "model": tr("weights"),
    }.get(experiment, "")


def duration(seconds: float) -> str:
    """A time with three digits in the unit that fits: 21.3 ms."""
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 999.5:
            return f"{i18n.short(seconds * factor, 3)} {unit}"
    return f"{i18n.short(seconds, 3)} s"


def tick(seconds: float) -> str:
    """A round time beside an axis, with the digits it has."""
    factor, unit = next(((f, u) for f, u in ((1e6, "µs"), (1e3, "ms")) if seconds * f < 999.5), (1.0, "s"))
    digits = f"{seconds * factor:.4g}"
    return f"{i18n.number(float(digits), len(digits.partition('.')[2]))} {unit}"


def rate(flops: float, seconds: float) -> str:
    """GFLOP/s, or "" where operations are not counted."""
    return f"{i18n.short(flops / seconds / 1e9, 3)} GFLOP/s" if flops and seconds > 0 else ""


def percent(share: float) -> str:
    return f"{i18n.short(100 * share, 2)} %"


def device_token(device: str, devices: list[DeviceInfo]) -> str:
    """The color of a device, the same in every chart."""
    if device == "numpy":
        return "text2"
    others = [d.id for d in devices if d.id != "numpy"]
    return DEVICE_TOKENS[(others.index(device) if device in others else 0) % len(DEVICE_TOKENS)]


def short_name(device: DeviceInfo) -> str:
    """Driver or maker in one word, for labels: NumPy, PoCL, Intel ..."""
    if device.id == "numpy":
        return "NumPy"
    _, driver, number = device.id.split(":")
    name = {"pocl": "PoCL", "intel": "Intel", "nvidia": "NVIDIA", "amd": "AMD", "apple": "Apple"}.get(
        driver, driver.capitalize()
    )
    return name if number == "0" else f"{name} {int(number) + 1}"
