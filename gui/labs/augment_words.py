"""What the comparison with and without augmentation says in words."""

from __future__ import annotations

import math

from engine.augment_trial import Condition, Trial
from gui import i18n
from gui.i18n import format_number, tr, trn
from gui.labs.augment_chart import amount_text


def finding(trial: Trial) -> str:
    """The means, whoever is ahead."""
    assert trial.tested is not None
    without, with_ = 100 * trial.tested.accuracies
    text = tr(
        "As they are: {a} % without, {b} % with augmentation ({c}). Turned, shifted and scaled, on average: "
        "{d} % without, {e} % with ({f})."
    )
    numbers = (
        without[0], with_[0], with_[0] - without[0],
        without[1:].mean(), with_[1:].mean(), with_[1:].mean() - without[1:].mean(),
    )  # fmt: skip
    named = zip("abcdef", numbers, strict=True)
    return text.format(**{key: i18n.number(float(v), 1, sign=key in "cf") for key, v in named})


def caution(trial: Trial) -> str:
    """What the numbers belong to, and how coarse they are."""
    assert trial.tested is not None
    layer, count = trial.layer, len(trial.tested.truth)
    rotation, scale, shift = (format_number(v) for v in (layer.rotation, layer.scale, layer.shift))
    ranges = f"± {rotation}°, ± {scale} %, ± {shift} px"
    text = tr(
        "After epoch {epoch}, seed {seed}, {ranges}. {count} of {all} test pictures; one of them is {point} "
        "points, and another seed moves the curves by more."
    )
    return text.format(
        epoch=i18n.integer(trial.tested.epoch), seed=trial.seed, ranges=ranges, count=i18n.integer(count),
        all=i18n.integer(trial.n_test), point=i18n.number(100 / count, 2),
    )  # fmt: skip


def diverged(trial: Trial | None) -> str:
    """Which training ran away; "" where none did."""
    if trial is None:
        return ""
    names = tr("Without augmentation"), tr("With augmentation")
    text = tr(
        "{name}: the numbers ran away at step {step}; the last good weights were tested. A lower learning "
        "rate may help."
    )
    steps = zip(names, trial.diverged, strict=True)
    return "\n".join(text.format(name=n, step=i18n.integer(s + 1)) for n, s in steps if s is not None)


def going(trial: Trial, seconds: float, playing: bool) -> str:
    """How far it is after so many seconds."""
    epoch, epochs = (i18n.integer(n) for n in (min(trial.epoch + 1, trial.epochs), trial.epochs))
    if trial.testing:
        told = tr("Testing after epoch {epoch} of {epochs}").format(
            epoch=i18n.integer(trial.epoch), epochs=epochs
        )
    else:
        told = tr("Epoch {epoch} of {epochs}").format(epoch=epoch, epochs=epochs)
    if trial.epoch and seconds > 2:
        left = seconds * (trial.total - trial.done) / max(1, trial.done)
        text = tr("about {n} min left") if left >= 100 else tr("about {n} s left")
        told += ", " + text.format(n=i18n.number(left / 60 if left >= 100 else left, 0))
    if playing:
        told += "\n" + tr("The run goes on and takes its share; paused, this is faster.")
    return told


def training(trial: Trial) -> str:
    """What is known before the first test."""
    text = tr("Both are training. The first test follows epoch 1.")
    if all(math.isfinite(loss) for loss in trial.losses):
        loss = tr("Mean loss of the last epoch: {a} without, {b} with augmentation.")
        a, b = (i18n.short(value, 3) for value in trial.losses)
        text += "\n" + loss.format(a=a, b=b)
    return text


def ended(trial: Trial, seconds: float) -> str:
    """That it is done, or where it was stopped."""
    if trial.tested is None:
        return tr("Stopped before the first test")
    if trial.tested.epoch == trial.epochs:
        return tr("Done in {seconds} s").format(seconds=i18n.number(seconds, 0))
    return tr("Stopped after epoch {epoch}").format(epoch=i18n.integer(trial.epoch))


def head(condition: Condition) -> str:
    """What stands over the examples of a condition."""
    amount = amount_text(condition, condition.kind)
    if condition.kind == "turn":
        return tr("Test pictures turned by {amount}").format(amount=amount)
    if condition.kind == "shift":
        text = trn(
            "Test pictures shifted by {amount} pixel: right, down, left, up in turn",
            "Test pictures shifted by {amount} pixels: right, down, left, up in turn",
            int(condition.amount),
        )
        return text.format(amount=amount)
    if condition.kind == "size":
        return tr("Test pictures at {amount} % of their size").format(amount=amount)
    return tr("Test pictures as they are")
