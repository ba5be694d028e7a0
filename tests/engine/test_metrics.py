"""Metrics beside the same written another way: loops over examples, definitions by counting."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.metrics import ClassTally, NumberTally
from tests.engine.test_outputs import trainer, two_heads


def slices(n: int, size: int = 7) -> list[slice]:
    return [slice(at, min(at + size, n)) for at in range(0, n, size)]


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_classes_by_counting(classes: int) -> None:
    rng = np.random.default_rng(classes)
    n = 60
    truth = rng.integers(0, classes - 1, n)  # the last class never occurs
    said = np.round(rng.standard_normal((n, classes)), 1).astype(np.float32)  # with ties
    tally = ClassTally(classes, 0.5)
    for part in slices(n):
        tally.add(said[part], truth[part])
    found = tally.scores()
    order = [sorted(range(classes), key=lambda c: (-said[s, c], c)) for s in range(n)]
    guess = [o[0] for o in order]
    pairs = list(zip(truth.tolist(), guess, strict=True))
    assert found.confusion.tolist() == [[pairs.count((t, g)) for g in range(classes)] for t in range(classes)]
    assert found.guesses.tolist() == guess and found.n == n
    assert found.accuracy == pytest.approx(sum(t == g for t, g in pairs) / n)
    for k, share in found.top:
        assert share == pytest.approx(sum(truth[s] in order[s][:k] for s in range(n)) / n)
    assert [k for k, _ in found.top] == [k for k in (3, 5) if k < classes]
    rows, seen = [], []
    for c in range(classes):
        right = sum(t == c == g for t, g in pairs)
        named, there = sum(g == c for _, g in pairs), sum(t == c for t, _ in pairs)
        p, r = (right / named if named else 0.0), (right / there if there else 0.0)
        rows.append((p, r, 2 * p * r / (p + r) if p + r else 0.0))
        if named or there:
            seen.append(rows[-1])
    np.testing.assert_allclose(np.stack([found.precision, found.recall, found.f1], 1), rows, atol=1e-12)
    np.testing.assert_allclose(found.macro, [math.fsum(v) / len(seen) for v in zip(*seen, strict=True)])


def test_a_single_output_is_cut_in_two() -> None:
    tally = ClassTally(2, 0.5)
    tally.add(np.array([[0.4], [0.6], [0.5]], np.float32), np.array([0, 0, 1]))
    assert tally.scores().confusion.tolist() == [[1, 1], [1, 0]]


def test_numbers_by_their_definitions() -> None:
    rng = np.random.default_rng(1)
    t = (1e4 + rng.standard_normal((50, 3))).astype(np.float32)
    t[:, 2] = 7  # never changes
    y = (t + rng.standard_normal((50, 3)) / 3).astype(np.float32)
    tally = NumberTally()
    for part in slices(50):
        tally.add(y[part], t[part])
    found = tally.scores()
    a, b = t.astype(float), y.astype(float)
    each, rests, wholes = [], [], []
    for c in range(3):
        mean = math.fsum(a[:, c]) / 50
        rest, whole = math.fsum((a[:, c] - b[:, c]) ** 2), math.fsum((a[:, c] - mean) ** 2)
        rests.append(rest)
        wholes.append(whole)
        each.append(1 - rest / whole if whole else math.nan)
    np.testing.assert_allclose(found.r2_each, each, rtol=1e-9)
    assert math.isnan(each[2])
    assert found.r2 == pytest.approx(1 - math.fsum(rests) / math.fsum(wholes), rel=1e-9)
    assert found.mae == pytest.approx(math.fsum(np.abs(a - b).ravel()) / 150, rel=1e-12)


def test_a_test_keeps_the_report_of_every_output() -> None:
    t = trainer(two_heads())
    found = t.evaluate()
    report = t.forward.report
    assert report is not None and found is not None and report.step == found.step
    named, copied = report.outputs
    assert (named.name, copied.name) == ("named", "copy")
    assert named.classes is not None and named.classes.accuracy == found.accuracy
    values = t.predict(t.dataset.test_inputs(), keep=("d.z",))["d.z"]
    wanted = np.abs(values.astype(float) - t.dataset.test_inputs()).mean()
    assert copied.numbers is not None and copied.numbers.mae == pytest.approx(wanted, rel=1e-6)
