"""Writers of layers that are written alike in several frameworks."""

from __future__ import annotations

from engine.export.scripts.walk import Part, Place, Writer


def line(template: str) -> Writer:
    """One expression: {x} is the first input, {ins} all, {at.name} a setting."""
    return lambda p: Part(template.format(x=p.x, ins=", ".join(p.ins), at=p.at))


def between(sign: str) -> Writer:
    """All inputs with a sign between them."""
    return lambda p: Part(f" {sign} ".join(p.ins))


def average(p: Place) -> Part:
    return Part(f"({' + '.join(p.ins)}) / {len(p.ins)}")


def maximum(p: Place) -> Part:
    """`largest` is a helper of each script: of equal ones the first gets the gradient."""
    call = p.x
    for other in p.ins[1:]:
        call = f"largest({call}, {other})"
    return Part(call)


def augment(p: Place) -> Part:
    return Part(p.x, note="training pictures were turned and shifted here")


def crop(p: Place) -> Part:
    """Where channels come first."""
    (_, h, w), (top, left, bottom, right) = p.shapes[0], p.at.sides
    return Part(f"{p.x}[:, :, {top}:{h - bottom}, {left}:{w - right}]")


def split(p: Place) -> Part:
    """Where features or channels come first."""
    size = p.width // p.at.parts
    return Part(f"{p.x}[:, {(p.at.part - 1) * size}:{p.at.part * size}]")


def one_position(p: Place) -> Part:
    """Where features come first."""
    return Part(f"{p.x}[:, :, {(p.at.position or p.shapes[0][1]) - 1}]")


def more(p: Place, dilation: str, groups: str) -> str:
    """Dilation and groups as arguments, where they are not 1."""
    gaps = p.at.dilation if isinstance(p.at.dilation, tuple) else (p.at.dilation,)
    said = f", {dilation}={p.at.dilation}" if any(d > 1 for d in gaps) else ""
    return said + (f", {groups}={p.at.groups}" if p.at.groups > 1 else "")


FEATURES = {
    "x": "{x}", "y": "{y}", "x2": "{x} ** 2", "y2": "{y} ** 2", "xy": "{x} * {y}",
    "sin_x": "{sin}({x})", "sin_y": "{sin}({y})",
}  # fmt: skip
"""Of points of the plane."""


def features(p: Place, x: str, y: str, sin: str) -> str:
    return ", ".join(FEATURES[name].format(x=x, y=y, sin=sin) for name in p.at.names)


def numbers(theta: tuple[float, ...]) -> str:
    """Six numbers of a matrix."""
    return f"[{', '.join(f'{v:.9g}' for v in theta)}]"
