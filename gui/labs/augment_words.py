"""What the comparison with and without augmentation says in words."""

from __future__ import annotations

from engine.augment_trial import Condition, Trial
from gui import i18n
from gui.i18n import tr, trn
from gui.labs.augment_chart import amount_text
from gui.number_field import format_number


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
    names = ("rotation", "scale", "shift")
    ranges = tr("± {rotation}°, ± {scale} %, ± {shift} px").format(
        **{key: format_number(getattr(layer, key)) for key in names}
    )
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


def going(trial: Trial, seconds: float) -> str:
    """How far it is after so many seconds."""
    epoch, epochs = (i18n.integer(n) for n in (min(trial.epoch + 1, trial.epochs), trial.epochs))
    told = tr("Epoch {epoch} of {epochs}").format(epoch=epoch, epochs=epochs)
    if trial.epoch and seconds > 2:
        left = seconds * (trial.total - trial.done) / max(1, trial.done)
        told += ", " + tr("about {seconds} s left").format(seconds=i18n.number(left, 0))
    return told


def ended(trial: Trial, seconds: float) -> str:
    """That it is done, or where it was stopped."""
    if trial.tested is not None and trial.tested.epoch == trial.epochs:
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
