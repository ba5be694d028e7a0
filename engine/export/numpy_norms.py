"""Group normalization, what is drawn at random in training, features of points, in plain NumPy."""

from __future__ import annotations

from engine.export.numpy_names import Names, Writer
from engine.ops.input_features import chosen


def _cut(n: Names, name: str) -> str:
    """The array with one row for each group."""
    return f"{name}.reshape({n.attr('groups')}, -1, {name}.shape[-1])"


def _forward(n: Names) -> list[str]:
    x, *own = n.ins
    y, mean, invstd = n.outs
    scaled = f" * column({own[0]}, {x}) + column({own[1]}, {x})" if own else ""
    return [
        f"g = {_cut(n, x)}",
        f"{mean} = g.mean(axis=1)",
        f"{invstd} = 1 / np.sqrt(g.var(axis=1) + {n.attr('epsilon')})",
        f"{y} = ((g - {mean}[:, None]) * {invstd}[:, None]).reshape({x}.shape){scaled}",
    ]


def _backward(n: Names) -> list[str]:
    dy, x, *own, mean, invstd = n.ins
    weighted = f"{dy} * column({own[0]}, {x})" if own else dy
    return [
        f"hat = ({_cut(n, x)} - {mean}[:, None]) * {invstd}[:, None]",
        f"g = {weighted}",
        f"g = {_cut(n, 'g')}",
        "g = g - g.mean(axis=1, keepdims=True) - hat * (g * hat).mean(axis=1, keepdims=True)",
        f"{n.outs[0]} = ({invstd}[:, None] * g).reshape({x}.shape)",
    ]


def _scale(n: Names) -> list[str]:
    dy, x, mean, invstd = n.ins
    return [
        f"hat = (({_cut(n, x)} - {mean}[:, None]) * {invstd}[:, None]).reshape({x}.shape)",
        f"{n.outs[0]} = ({dy} * hat).reshape(len({x}), -1).sum(axis=1)",
    ]


def _noise(n: Names) -> list[str]:
    return [f"{n.outs[0]} = {n.ins[0]} + {n.number('sigma')} * {n.outs[1]}"]


NORM_DRAWN: dict[str, tuple[int, ...]] = {"dropout": (1,), "spatial_dropout": (1,), "gaussian_noise": (1,)}
"""Outputs that are random: they are read from the file of the batch."""

FEATURES = {"x": "{0}", "y": "{1}", "x2": "{0} ** 2", "y2": "{1} ** 2", "xy": "{0} * {1}",
            "sin_x": "np.sin({0})", "sin_y": "np.sin({1})"}  # fmt: skip
"""Features of a point, and below what each sends back to its coordinates."""
SLOPES = {"x": ("", None), "y": (None, ""), "x2": (" * 2 * {0}", None), "y2": (None, " * 2 * {1}"),
          "xy": (" * {1}", " * {0}"), "sin_x": (" * np.cos({0})", None),
          "sin_y": (None, " * np.cos({1})")}  # fmt: skip


def _features(n: Names) -> list[str]:
    x = f"{n.ins[0]}[0]", f"{n.ins[0]}[1]"
    rows = ", ".join(FEATURES[name].format(*x) for name in chosen(n.op.attrs))
    return [f"{n.outs[0]} = np.stack([{rows}])"]


def _features_dx(n: Names) -> list[str]:
    dy, point = n.ins
    x, lines = (f"{point}[0]", f"{point}[1]"), [f"{n.outs[0]} = np.zeros_like({point})"]
    for axis in (0, 1):
        for k, name in enumerate(chosen(n.op.attrs)):
            slope = SLOPES[name][axis]
            if slope is not None:
                lines.append(f"{n.outs[0]}[{axis}] += {dy}[{k}]{slope.format(*x)}")
    return lines


NORM_WRITERS: dict[str, Writer] = {
    "groupnorm": _forward, "groupnorm_dx": _backward, "groupnorm_dw": _scale,
    "dropout": lambda n: [f"{n.outs[0]} = {n.ins[0]} * {n.outs[1]}"],
    "spatial_dropout": lambda n: [f"{n.outs[0]} = {n.ins[0]} * {n.outs[1]}"],
    "gaussian_noise": _noise, "input_features": _features, "input_features_dx": _features_dx,
}  # fmt: skip
