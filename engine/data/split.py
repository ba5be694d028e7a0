"""Holding examples back for testing, decided by content.

The same picture twice must never sit in both parts: a network would be praised for remembering.
Which part an example goes to depends on its content and the seed only, not on file names or order,
so renaming files or adding some does not reshuffle the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.data.dataset import Array
from engine.errors import N_, Message

Index = npt.NDArray[np.intp]


def keys_of(x: Array) -> list[bytes]:
    """One content key per example of (N, ...)."""
    rows = np.ascontiguousarray(x).reshape(len(x), -1)
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in rows]


def split_by_content(
    keys: Sequence[bytes], labels: Sequence[int] | Array | None, test_share: float, seed: int
) -> tuple[Index, Index]:
    """(train, test) positions; equal keys stay together, each class gives `test_share` of itself.

    Both come in a mixed order that depends on content and seed. A class keeps at least one
    example for training.
    """
    salt = int(seed).to_bytes(8, "little")
    groups: dict[bytes, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    ranked = sorted(groups.items(), key=lambda item: hashlib.blake2b(item[0], key=salt).digest())
    by_class: dict[int, list[list[int]]] = {}
    for _, members in ranked:
        label = 0 if labels is None else int(labels[members[0]])
        by_class.setdefault(label, []).append(members)
    in_test = np.zeros(len(keys), dtype=bool)
    for members_of in by_class.values():
        wanted = int(round(sum(map(len, members_of)) * test_share))
        for members in members_of[:-1]:  # the last group always stays for training
            if len(members) <= wanted:
                in_test[members] = True
                wanted -= len(members)
    order = np.fromiter((p for _, members in ranked for p in members), dtype=np.intp, count=len(keys))
    return order[~in_test[order]], order[in_test[order]]


def duplicate_notes(
    train_keys: Sequence[bytes], test_keys: Sequence[bytes], name: str
) -> tuple[Message, ...]:
    """A warning when test examples were also trained on."""
    seen = set(train_keys)
    count = sum(key in seen for key in test_keys)
    if not count:
        return ()
    return (
        Message(
            N_(
                "{file}: {count} of {total} test examples are also in the training part; the test result "
                "will look better than it is."
            ),
            {"file": name, "count": count, "total": len(test_keys)},
        ),
    )
