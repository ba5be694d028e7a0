"""What rows, columns and matrices of the lab are called: names of real things where there are any."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph import GraphSpec, Uid
from engine.session.protocol import Configured
from gui.labs.equations import family
from gui.labs.sheet import Sheet

NAMED = 24
"""Characters of a head at most."""
Names = Sequence[str] | None


def names_of(sheet: Sheet, configured: Configured, graph: GraphSpec, uid: Uid) -> tuple[Names, Names]:
    """Heads of the rows and the columns of a matrix on the page of a layer; None counts from 1."""
    if sheet.lens.kind in ("map", "kernel"):
        return None, None
    rows, columns = sheet.shape
    first, second = sheet.factor.heads
    if sheet.turned:
        first, second = second, first
    nodes = family(configured.program, graph, uid)
    return (_heads(first, rows, sheet, configured, graph, nodes),
            _heads(second, columns, sheet, configured, graph, nodes))


def _heads(kind: str, count: int, sheet: Sheet, configured: Configured, graph: GraphSpec,
           nodes: Sequence[Uid]) -> Names:
    if not kind:
        return [""] * count if count == 1 else None
    more: list[str] = []
    if kind == "inputs" and (sheet.factor.ones or sheet.extra is not None):
        more = ["1" if sheet.factor.ones else "b"]
    plain = count - len(more)
    names: Sequence[str] = ()
    if kind == "examples" and sheet.lens.fixed:
        names = (str(sheet.lens.fixed[0] + 1),)
    elif kind == "units" and nodes and graph.node(nodes[0]).layer.kind == "embedding":
        names = configured.data.vocabulary
    elif kind == "units" and nodes and graph.node(nodes[-1]).layer.kind == "output":
        names = configured.data.class_names
    elif kind == "inputs" and nodes and _reads_data(graph, nodes[0]):
        names = configured.data.feature_names
    if len(names) == plain:
        return [name[:NAMED] for name in names] + more
    return [str(i + 1) for i in range(plain)] + more if more else None


def _reads_data(graph: GraphSpec, uid: Uid) -> bool:
    links = graph.inputs_of(uid)
    return bool(links) and graph.node(links[0].source).layer.kind == "input"


def plain_symbol(latex: str) -> str:
    """A symbol without LaTeX: ∂L/∂W, Wᵀ, W⁺."""
    text = latex
    for mark, sign in ((r"\partial ", "∂"), (r"\hat{Y}", "Ŷ"), (r"\bar{g}", "ḡ"), ("^T", "ᵀ"), ("^{+}", "⁺"),
                       (r"\mid", "|"), (r"\frac{\lambda}{2}", "λ/2"), (r"\lambda ", "λ"), (r"\, ", " "),
                       (r"^{\ast}", "*"), ("^2", "²"), (r"\|", "‖"), (r"\theta", "θ"), (r"\epsilon", "ε"),
                       (r"\mu", "μ"), (r"\sigma", "σ"), (r"\gamma", "γ"), (r"\beta", "β"),
                       ("_{t-1}", "ₜ₋₁"), ("_{t+1}", "ₜ₊₁"), ("_{t}", "ₜ"), ("_{0}", "₀"), ("_h", "ₕ"),
                       (r"\binom", ""), (r"\mathrm", ""), ("{", ""), ("}", ""), ("\\", "")):
        text = text.replace(mark, sign)
    return text
