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


def numbers(theta: tuple[float, ...]) -> str:
    """Six numbers of a matrix."""
    return f"[{', '.join(f'{v:.9g}' for v in theta)}]"
