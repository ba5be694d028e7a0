"""What a test says beyond its loss, as JSON and in a line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.metrics import ClassScores, NumberScores, Report


def plain_metrics(report: Report | None, names: Sequence[str]) -> dict[str, Any] | None:
    """By output; the confusion matrix has the truth in its rows, the answers in its columns."""
    if report is None:
        return None
    found: dict[str, Any] = {}
    for output in report.outputs:
        if output.classes is not None:
            found[output.name] = _classes(output.classes, names)
        elif output.numbers is not None:
            found[output.name] = _numbers(output.numbers)
    return found


def _classes(scores: ClassScores, names: Sequence[str]) -> dict[str, Any]:
    macro = dict(zip(("precision", "recall", "f1"), scores.macro, strict=True))
    each = zip(names, scores.support, scores.precision, scores.recall, scores.f1, strict=True)
    return {
        "accuracy": scores.accuracy,
        **{f"top_{k}": share for k, share in scores.top},
        **{f"macro_{name}": value for name, value in macro.items()},
        "classes": [
            {"name": name, "examples": int(n), "precision": float(p), "recall": float(r), "f1": float(f)}
            for name, n, p, r, f in each
        ],
        "confusion": scores.confusion.tolist(),
    }


def _numbers(scores: NumberScores) -> dict[str, Any]:
    finite = scores.mae if math.isfinite(scores.mae) else None
    return {"mae": finite, "r2": scores.r2 if scores.r2 is not None and math.isfinite(scores.r2) else None}


def short_metrics(scores: Mapping[str, Any]) -> list[str]:
    """The numbers that stand for the whole."""
    words = {"accuracy": "accuracy", "top_3": "top 3", "top_5": "top 5"}
    said = [f"{text} {100 * scores[k]:.1f} %" for k, text in words.items() if k in scores]
    numbers = {
        "macro_precision": "precision", "macro_recall": "recall", "macro_f1": "F1", "mae": "MAE", "r2": "R²",
    }  # fmt: skip
    return said + [f"{text} {scores[k]:.4f}" for k, text in numbers.items() if scores.get(k) is not None]
