"""How much the classes count in cross-entropy."""

from __future__ import annotations

from engine.settings import DataSpec, TrainingSpec


def class_weights(training: TrainingSpec, data: DataSpec) -> tuple[float, ...]:
    """One weight for each class, by what is chosen.

    Balanced: training examples / (classes x examples of the class); 1 for a class without any.
    """
    if training.class_weighting == "own":
        return training.class_weights
    if training.class_weighting == "balanced" and data.counts:
        total = sum(data.counts)
        return tuple(total / (data.classes * n) if n else 1.0 for n in data.counts)
    return (1.0,) * data.classes


def plain(training: TrainingSpec) -> bool:
    """Whether cross-entropy neither weighs classes nor smooths labels."""
    return training.class_weighting == "equal" and training.label_smoothing == 0
