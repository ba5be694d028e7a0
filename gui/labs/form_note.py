"""A convolution or a pooling as z = M·x in the lab: the equation, what is said of it, what is linked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.as_matrix import MOST, Cell, Form, form_of
from engine.session.views import Matrix, MatrixData
from engine.values import Program
from gui import i18n, icons, theme
from gui.i18n import tr
from gui.labs.channels import channel_of
from gui.labs.equation import Equation, Factor
from gui.labs.form_cells import part_of, row_and_column
from gui.labs.form_lit import Lit
from gui.labs.pane import Pane, Sight
from gui.panels.docks import Switch
from gui.watching import Wish

WISH = "lab.form.off"
BESIDES = 300.0
"""Height of all but the two equations' cells."""
ROUNDING = 1e-4
"""Up to this share of the numbers themselves a difference is that of their last digits."""


class FormNote(QFrame):
    """Stands below M."""

    def __init__(self, pane: Pane, below: Pane) -> None:
        super().__init__()
        self._pane, self._below = pane, below
        self.form: Form | None = None
        self._written: tuple[Form, Program, Program] | None = None
        self._off: MatrixData | None = None
        self._room: QWidget | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(8), 0, theme.px(8), 0)
        row.setSpacing(theme.px(8))
        self._mark = QLabel()
        self._mark.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row.addWidget(self._mark)
        lines = QVBoxLayout()
        lines.setSpacing(0)
        self.equal, self.more = QLabel(), QLabel()
        self.more.setProperty("role", "caption")
        for label in (self.equal, self.more):
            label.setWordWrap(True)
            lines.addWidget(label)
        row.addLayout(lines, 1)
        self.blocks = Switch({
            "one": (tr("One block"), tr("Only the part of the filter or channel chosen above")),
            "all": (tr("Whole matrix"), tr("All filters and channels at once, block by block")),
        })  # fmt: skip
        row.addWidget(self.blocks)
        for each in (pane, below):
            each.pointed.connect(self._point)

    def fit_into(self, room: QWidget, rewrite: Callable[[], None]) -> None:
        """Both equations should be seen at once in `room`; `rewrite` is called when the switch is moved."""
        self._room = room
        room.installEventFilter(self)
        self.blocks.chosen.connect(lambda _key: rewrite())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        if self.form is None or self._room is None:
            self._pane.set_heights()
            self._below.set_heights()
            return
        room = self._room.height() / theme.scale() - BESIDES
        self._pane.set_heights(high=min(max(room * 0.62, 170.0), 420.0))
        self._below.set_heights(picture=min(max(room * 0.38, 120.0), 260.0))

    # ---- writing --------------------------------------------------------------------------------------

    def write(self, equation: Equation | None, program: Program | None, sight: Sight,
              switch: Switch) -> tuple[Equation, Program] | None:
        """The equation as a matrix product and the program that knows it; None where it stays as it is."""
        form = _form(equation, program, sight, self.blocks.value() == "all")
        switch.setVisible(form is not None)
        wanted = form is not None and switch.value() == "matrix"
        self.form = form if wanted and form is not None and form.work <= MOST else None
        self.setVisible(wanted)
        self._point("", None)
        self._fit()
        if not wanted or form is None or equation is None or program is None:
            return None
        self._show_blocks(form, program)
        if self.form is None:
            self._say(tr("As one matrix this is too large to show."), False)
            self.more.setText(_size_text(form) + " " + tr("Smaller pictures or fewer channels would do."))
            return None
        if self._written is None or self._written[:2] != (form, program):
            self._written, self._off = (form, program, form.extended(program)), None
        self._tell()
        return written(form, equation, self._written[2]), self._written[2]

    def head(self) -> str:
        """What stands over the layer's own equation below; "" where there is no form."""
        return tr("The same with windows") if self.form is not None else ""

    def _show_blocks(self, form: Form, program: Program) -> None:
        whole = form_of(program, form.op.out.id, None, form.example)
        several = form.kind == "conv2d" and form.op.out.shape[0] > 1
        self.blocks.setVisible(several and whole is not None and (whole.work <= MOST or form == whole))

    # ---- numbers --------------------------------------------------------------------------------------

    def wants(self) -> dict[str, Wish]:
        """How far both ways are apart."""
        return {} if self.form is None else {WISH: Wish(Matrix(self.form.name("off"), None, 1, 1), rate=8.0)}

    def take(self, key: str, data: MatrixData) -> bool:
        """Whether numbers are about this."""
        if key != WISH:
            return False
        self._off = data
        self._tell()
        return True

    def _tell(self) -> None:
        form, off = self.form, self._off
        if form is None:
            return
        if off is None:
            self._say("", True)
        else:
            largest = max(abs(off.low), abs(off.high))
            number = i18n.short(largest, 2)
            self._say(_equal_text(form).format(n=number), largest <= ROUNDING * max(1.0, self._size()))
        self.more.setText(about(form))

    def _size(self) -> float:
        out = self._pane.matrices[-1].scale() if self._pane.matrices else None
        return max(abs(out.low), abs(out.high)) if out is not None else 1.0

    def _say(self, text: str, agrees: bool) -> None:
        self.equal.setText(text)
        size = theme.px(16)
        name, color = ("check", "ok") if agrees else ("warning", "warning")
        self._mark.setPixmap(icons.icon(name, color).pixmap(size, size))
        self._mark.setVisible(bool(text))

    def sight_of(self, value: str, cell: Cell, sight: Sight) -> Sight:
        """What to look at so that the maps below show what a cell of a part belongs to."""
        form = self.form
        if form is None or part_of(form, value) is None:
            return sight
        row, column = row_and_column(form, value, cell)
        if row is not None:
            sight = replace(sight, channel=form.cell_of_row(row)[0])
        if column is not None and form.kind == "conv2d":
            inner = form.op.ins[0].shape[1]
            group, channel = divmod(form.cell_of_column(column)[0], inner)
            filters = form.op.ins[0].shape[0] // form.groups
            first = sight.channel if sight.channel // filters == group else group * filters
            sight = replace(sight, channel=first, channel_in=channel)
        return sight

    # ---- links ----------------------------------------------------------------------------------------

    def _point(self, value: str, cell: Cell | None) -> None:
        """A row of M is a window of the picture, a column is a pixel, a weight of the kernel many cells."""
        form = self.form
        if form is None:
            return
        lit = Lit(form, value, cell) if cell is not None else None
        for pane in (self._pane, self._below):
            for sheet, matrix in zip(pane.sheets, pane.matrices, strict=True):
                matrix.set_pointed(lit.blocks(sheet) if lit is not None else ())


def _form(equation: Equation | None, program: Program | None, sight: Sight, whole: bool) -> Form | None:
    """The form of what is seen of an equation; None where there is none."""
    if equation is None or program is None or equation.ghost is not None:
        return None
    if not 0 <= equation.op < len(program.ops):
        return None
    op = program.ops[equation.op]
    channel = None if whole else channel_of(op, equation.out.value, sight)
    return form_of(program, equation.out.value, channel, sight.example)


def written(form: Form, equation: Equation, program: Program) -> Equation:
    """z = M·x + b, or the way back."""
    result = "z" if form.kind == "conv2d" else "y"
    out = r"\partial L/\partial x" if form.gradient else result
    given = rf"\partial L/\partial {result}" if form.gradient else "x"
    kind = "gradients" if form.gradient else "activations"
    turned = "M^T" if form.back else "M"
    m = Factor(form.name("matrix"), turned, "weights", form.back, ("windows", "pixels"))
    enters, leaves = ("windows", "pixels") if form.back else ("pixels", "windows")
    x = Factor(form.name("in"), given, kind, heads=(enters, ""))
    z = Factor(form.name("out"), out, kind, heads=(leaves, ""))
    parts: list[Factor | str] = [m, r"\cdot", x]
    title = rf"{out} = {turned} \cdot {given}"
    if form.biased:
        parts += ["+", Factor(form.name("bias"), "b", "weights", heads=(leaves, ""))]
        title += " + b"
    return Equation(len(program.ops) - 1, "as_matrix", equation.phase, title, equation.words,
                    (*parts, "=", z), form=form)


def _equal_text(form: Form) -> str:
    if form.transposed:
        if form.gradient:
            return tr("M times the gradient is what goes back: largest difference {n}.")
        if form.biased:
            return tr("Mᵀ·x + b equals the transposed convolution: largest difference {n}.")
        return tr("Mᵀ·x equals the transposed convolution: largest difference {n}.")
    if form.gradient:
        return tr("Mᵀ times the gradient is what the windows send back: largest difference {n}.")
    if form.kind == "avgpool2d":
        return tr("M·x equals the average pooling: largest difference {n}.")
    if form.kind == "maxpool2d":
        return tr("M·x equals the max pooling of this example: largest difference {n}.")
    if form.biased:
        return tr("M·x + b equals the convolution: largest difference {n}.")
    return tr("M·x equals the convolution: largest difference {n}.")


def _size_text(form: Form) -> str:
    rows, columns = form.shape
    return tr("{rows} × {columns} cells, at most {filled} of them not empty.").format(
        rows=i18n.integer(rows), columns=i18n.integer(columns), filled=i18n.integer(form.work)
    )


def about(form: Form) -> str:
    """What kind of matrix it is, and what of it is left out."""
    channels = form.op.out.shape[0]
    size = form.kernel[0] * form.kernel[1]
    number = (form.channel or 0) + 1
    if form.kind == "conv2d":
        text = _conv_text(form).format(filled=i18n.integer(len(form.places()[0])),
                                       all=i18n.integer(form.shape[0] * form.shape[1]))
        if channels > 1 and form.channel is not None:
            what = (tr("This is the part of map {n} of {count}.") if form.transposed and not form.gradient
                    else tr("This is the part of channel {n} of {count}.") if form.gradient
                    else tr("These are the rows of filter {n} of {count}."))
            text += " " + what.format(n=number, count=channels)
        return text
    if form.kind == "avgpool2d":
        text = tr("Every row is one window: 1/{size} for each of its pixels.").format(size=size)
        return text + (" " + tr("Every channel has the same matrix.") if channels > 1 else "")
    text = tr("A 1 where the largest of its window lies in this example. Another example chooses another "
              "matrix: none does it for all, so max pooling is not linear.")
    if channels > 1:
        text += " " + tr("Channel {n} of {count}; each chooses for itself.").format(n=number, count=channels)
    return text


def _conv_text(form: Form) -> str:
    if form.transposed:
        return tr("M is the matrix of the convolution with these kernels, each row one window; transposed it "
                  "lays each number of x down as a kernel ({filled} of {all} cells hold a weight).")
    return tr("Every row is one window: the weights of the kernel where it lies, empty elsewhere "
              "({filled} of {all} cells hold a weight).")
