"""A matrix product in the making: the orders it can be computed in, and what is known at each moment.

C = A·B (+ b) has m x k cells of n products each. Cell by cell, column by column, row by row, or as a sum of n
outer products: the same numbers, another order. What is not finished comes from the reference of `dense`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.ops.base import REGISTRY, Context

Array = np.ndarray[Any, Any]
Order = Literal["cells", "columns", "rows", "outer"]
ORDERS: tuple[Order, ...] = ("cells", "columns", "rows", "outer")


@dataclass(frozen=True)
class Moment:
    """What is being computed: a row of A, a column of B, or the place inside (column of A, row of B)."""

    row: int | None = None
    column: int | None = None
    inner: int | None = None
    bias: bool = False
    """The last moment of outer products: the bias is added."""


def count(order: Order, m: int, n: int, k: int, bias: bool = False) -> int:
    """How many moments the product of (m, n) and (n, k) has."""
    return {"cells": m * k, "columns": k, "rows": m, "outer": n + int(bias)}[order]


def moment(order: Order, at: int, n: int, k: int) -> Moment:
    """The moment number `at`, from 0."""
    if order == "cells":
        return Moment(row=at // k, column=at % k)
    if order == "columns":
        return Moment(column=at)
    if order == "rows":
        return Moment(row=at)
    return Moment(inner=at) if at < n else Moment(bias=True)


def known(order: Order, at: int, m: int, k: int) -> Array:
    """(m, k) bool: the cells that have a number once moment `at` is over."""
    made = np.zeros((m, k), bool)
    if order == "cells":
        made.reshape(-1)[: at + 1] = True
    elif order == "columns":
        made[:, : at + 1] = True
    elif order == "rows":
        made[: at + 1] = True
    else:
        made[:] = True
    return made


def partial(a: Array, b: Array, bias: Array | None, at: int) -> Array:
    """The sum of the outer products 0..at of A (m, n) and B (n, k); after the last one with the bias."""
    inner = min(at + 1, a.shape[1])
    ins = [a[:, :inner], b[:inner]]
    if bias is not None and at >= a.shape[1]:
        ins.append(bias)
    (made,) = REGISTRY["dense"].reference(ins, {}, Context(b.shape[1]))
    return made
