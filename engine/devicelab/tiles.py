"""How a device shares out a matrix product: which cells one work-item computes, and how many there are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

from engine.devicelab.work import Work


@dataclass(frozen=True)
class Tiles:
    """`rows` x `columns` cells to a work-item, `across` x `down` work-items, on `units` cores."""

    rows: int
    columns: int
    across: int
    down: int
    units: int

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def tiles_of(id: str, work: Work) -> Tiles | None:
    """The tiles of a product on an OpenCL device; None for other work, and NumPy: its BLAS says nothing."""
    if work.kind != "product" or id == "numpy":
        return None
    from engine.backends.opencl import assemble  # noqa: F401 - importing registers the emitters
    from engine.backends.opencl.chain import Site
    from engine.backends.opencl.emit import EMITTERS
    from engine.backends.opencl.kernel import Target
    from engine.backends.opencl.runtime import open_device

    target = Target.of(open_device(id), work.sizes["n"])
    (launch,) = EMITTERS["dense"](work.program().ops[0], Site(target, {})).launches
    columns = target.vw * cast(int, launch.defines["NV"])
    across, down = launch.size[:2]
    return Tiles(cast(int, launch.defines["MR"]), columns, across, down, target.units)
