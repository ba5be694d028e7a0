"""Text as examples: windows of tokens, each with what comes next, or with the file it is from.

A token is a character or a word. The vocabulary is that of the training part, the most frequent first; what
it does not hold is one token of its own, unknown. The end of each file is held back for the test, so no
window is in both parts.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.data.cancel import Cancel, Progress, check_cancel
from engine.data.dataset import Array, Dataset, make_dataset
from engine.data.files import read_file
from engine.data.samples import FOLDER
from engine.data.source import SourceSpec
from engine.errors import N_, DataError, Message

TEXTS: dict[str, str] = {"emma": "austen_emma.txt"}
"""Texts that ship with Matrizen."""
MAX_BYTES = 8 << 20
MAX_CELLS = 64_000_000
"""Tokens in all windows together."""
UNKNOWN = "\ufffd"
SHOWN = {"\n": "⏎", " ": "␣", "\t": "⇥"}
_WORDS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


def load_text(spec: SourceSpec, progress: Progress | None = None, cancel: Cancel | None = None) -> Dataset:
    """Windows of `spec.window` tokens: of one text with the next token, of several with the text's number.

    Raises DataError.
    """
    files = _files(spec)
    parts: list[tuple[list[str], list[str]]] = []
    digest = hashlib.sha256()
    for at, file in enumerate(files):
        check_cancel(cancel)
        if progress is not None:
            progress(at, len(files) + 1)
        data = read_file(file, MAX_BYTES)
        digest.update(hashlib.sha256(data).digest())
        tokens = tokens_of(text_of(data, file.name), spec)
        cut = len(tokens) - round(len(tokens) * spec.test_share)
        parts.append((tokens[:cut], tokens[cut:]))
        _check_length(parts[-1], spec, file.name, following=len(files) == 1)
    name = files[0].name if len(files) == 1 else files[0].parent.name
    vocabulary, notes = _vocabulary([train for train, _ in parts], [test for _, test in parts], spec, name)
    numbers = {token: i for i, token in enumerate(vocabulary)}
    unknown = numbers.get(UNKNOWN, 0)
    kind = np.uint8 if len(vocabulary) <= 256 else np.float32
    check_cancel(cancel)
    made: list[tuple[Array, Array]] = []
    for which in (0, 1):
        found = [
            _windows(
                np.array([numbers.get(token, unknown) for token in part[which]], kind),
                spec, None if len(files) == 1 else label, unknown if UNKNOWN in numbers else -1, name,
            )
            for label, part in enumerate(parts)
        ]  # fmt: skip
        made.append((np.concatenate([x for x, _ in found]), np.concatenate([y for _, y in found])))
    (x, y), (x_test, y_test) = made
    shown = tuple(SHOWN.get(token, token) for token in vocabulary)
    if progress is not None:
        progress(len(files) + 1, len(files) + 1)
    return make_dataset(
        x, y, x_test, y_test,
        kind="vectors",
        class_names=shown if len(files) == 1 else _names(files),
        vocabulary=shown,
        notes=notes,
        source_sha256=digest.hexdigest(),
        name=name,
    )  # fmt: skip


def text_of(data: bytes, name: str) -> str:
    """UTF-8 with or without a mark at its start, any line ends. Raises DataError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DataError(
            N_("{file} is not UTF-8 text: byte {byte} at {place}. Save it as UTF-8 and open it again."),
            file=name,
            byte=f"0x{data[problem.start]:02x}",
            place=problem.start,
        ) from problem
    strange = _CONTROL.search(text)
    if strange is not None:
        raise DataError(
            N_("{file} is no text: character {place} is a control character ({byte})."),
            file=name,
            byte=f"0x{ord(strange.group()):02x}",
            place=strange.start() + 1,
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tokens_of(text: str, spec: SourceSpec) -> list[str]:
    """Characters, or words and signs; lower case when asked for."""
    text = text.lower() if spec.lower else text
    return list(text) if spec.unit == "characters" else _WORDS.findall(text)


def _files(spec: SourceSpec) -> list[Path]:
    if spec.paths:
        return [Path(each) for each in spec.paths]
    if spec.name not in TEXTS:
        raise DataError(
            N_("There is no sample text “{found}”; choose one of {expected}."),
            found=spec.name[:40],
            expected=", ".join(TEXTS),
        )
    return [FOLDER / TEXTS[spec.name]]


def _names(files: Sequence[Path]) -> tuple[str, ...]:
    """One name per file: its stem, or all of its name where two stems are the same."""
    stems = [file.stem for file in files]
    return tuple(file.name if stems.count(file.stem) > 1 else file.stem for file in files)


def _check_length(
    parts: tuple[list[str], list[str]], spec: SourceSpec, name: str, *, following: bool
) -> None:
    needed = spec.window + following
    if len(parts[0]) < needed:
        raise DataError(
            N_(
                "{file} has {found} tokens to train on; a window of {window} needs at least {expected}. "
                "Choose a longer text or a smaller window."
            ),
            file=name,
            found=len(parts[0]),
            window=spec.window,
            expected=needed,
        )


def _vocabulary(
    train: Sequence[list[str]], test: Sequence[list[str]], spec: SourceSpec, name: str
) -> tuple[tuple[str, ...], tuple[Message, ...]]:
    """Tokens of the training part, most frequent first, ties by their order; unknown last where needed."""
    counts = Counter(token for part in train for token in part)
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    kept = [token for token in ranked if token != UNKNOWN][: spec.most]
    if len(kept) < 2:
        raise DataError(
            N_("{file} holds {found} different tokens; at least two are needed to tell apart."),
            file=name,
            found=len(kept),
        )
    known = set(kept)
    left = sum(n for token, n in counts.items() if token not in known)
    unseen = sum(token not in known for part in test for token in part)
    if not left and not unseen:
        return tuple(kept), ()
    text = N_(
        "{file}: {count} of {total} tokens are not among the {most} of the vocabulary; they are read as "
        "“{sign}”."
    )
    total = sum(len(part) for part in (*train, *test))
    values = {"file": name, "count": left + unseen, "total": total, "most": len(kept), "sign": UNKNOWN}
    return (*kept, UNKNOWN), (Message(text, values),)


def _windows(
    tokens: Array, spec: SourceSpec, label: int | None, unknown: int, name: str
) -> tuple[Array, Array]:
    """(N, window) tokens and what is to be said of each: the next token, never an unknown one, or `label`."""
    reach = spec.window + (label is None)
    count = max(0, (len(tokens) - reach) // spec.step + 1)
    if count * spec.window > MAX_CELLS:
        raise DataError(
            N_(
                "{file} makes {found} windows of {window}, more than fit here; let them start every {step} "
                "tokens."
            ),
            file=name,
            found=count,
            window=spec.window,
            step=-(-count * spec.window * spec.step // MAX_CELLS),
        )
    if not count:
        return np.zeros((0, spec.window), tokens.dtype), np.zeros(0, np.int64)
    x = np.lib.stride_tricks.sliding_window_view(tokens, spec.window)[:: spec.step][:count]
    if label is not None:
        return x, np.full(count, label)
    y = tokens[spec.window :: spec.step][:count].astype(np.int64)
    return x[y != unknown], y[y != unknown]
