"""A text written on by a network that guesses the next token: shares, temperature, a random number each.

The number behind token k is Philox(seed, "writing", k), k counted from the start of the text: the same text,
seed and temperature go on the same way, also when they are asked for in pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import random
from engine.data.dataset import Dataset
from engine.data.text import SHOWN, UNKNOWN, tokens_of
from engine.errors import N_, GraphError
from engine.ops.base import Array, stream_number
from engine.training import Trainer

STREAM = "writing"
MOST = 64
"""Tokens written at once: others get their turn between."""
CHOICES = 6
"""The likeliest tokens that are told of each one."""


@dataclass(frozen=True)
class Written:
    """`text` goes on with `added`; `choices` are the likeliest tokens at its end with their shares."""

    text: str
    added: str
    choices: tuple[tuple[str, float], ...]


def next_token(shares: Array, temperature: float, u: float) -> int:
    """The token for a random number u in [0, 1): shares to the power 1 / temperature; at 0 the likeliest."""
    if temperature <= 0:
        return int(np.argmax(shares))
    with np.errstate(divide="ignore"):
        z = np.log(shares.astype(np.float64)) / temperature
    p = np.exp(z - z.max())
    return min(int((np.cumsum(p / p.sum()) <= u).sum()), len(p) - 1)


def writes_text(dataset: Dataset) -> bool:
    """Whether a network on these data guesses the next token of a text."""
    return bool(dataset.vocabulary) and dataset.class_names == dataset.vocabulary


def write_on(trainer: Trainer, text: str, count: int, temperature: float, seed: int) -> Written:
    """Go on with `text` by `count` tokens. Raises GraphError where the data are no text that goes on."""
    data = trainer.dataset
    if not writes_text(data) or data.spec is None:
        raise GraphError(
            N_("This network does not guess the next token of a text; open the sample “Text, LSTM”.")
        )
    spec, plain = data.spec, {shown: token for token, shown in SHOWN.items()}
    numbers = {plain.get(token, token): i for i, token in enumerate(data.vocabulary)}
    words = [plain.get(token, token) for token in data.vocabulary]
    unknown = numbers.get(UNKNOWN, -1)
    tokens = [i for token in tokens_of(text, spec) if (i := numbers.get(token, unknown)) >= 0]
    gap = "" if spec.unit == "characters" else " "
    window, stream = data.shape[0], stream_number(STREAM)
    pad = [numbers.get(" ", 0)] * window
    added = ""
    for _ in range(min(count, MOST)):
        shares = _shares(trainer, [*pad, *tokens][-window:])
        if unknown >= 0:
            shares[unknown] = 0.0
        u = random.uniform(seed, stream, len(tokens), 1, 1)[0, 0]
        tokens.append(next_token(shares, temperature, float(u)))
        added += gap + words[tokens[-1]]
    shares = _shares(trainer, [*pad, *tokens][-window:])
    best = np.argsort(-shares, kind="stable")[:CHOICES]
    return Written(text, added, tuple((data.vocabulary[i], float(shares[i])) for i in best))


def _shares(trainer: Trainer, tokens: list[int]) -> Array:
    """What the network says comes after these tokens."""
    x = trainer.dataset.normalized(np.asarray([tokens], trainer.dataset.x_train.dtype))
    values = trainer.predict(x)
    return np.array(trainer.probabilities(next(iter(values.values())))[0])
