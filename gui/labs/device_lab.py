"""The device lab: the same work on every device of this computer, measured on this computer, now.

`DeviceLab(bench)` is a page over the working area: `open()` shows it, Escape or the back button closes it.
Measuring happens in processes of their own (engine/devicelab); the window polls and never waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QWidget

from engine.devicelab.experiments import NEED_NETWORK, tasks
from engine.devicelab.network import Net
from engine.devicelab.run import LabRun
from engine.devicelab.work import PRESETS
from engine.errors import MatrizenError
from gui import i18n, theme
from gui.i18n import tr, tr_message, trn
from gui.labs.device_charts import bars, layers, lines
from gui.labs.device_page import DevicePage
from gui.labs.device_results import Kept, Results, as_csv, finding
from gui.labs.device_sizes import SizesRow
from gui.labs.device_words import experiments, short_name

if TYPE_CHECKING:
    from engine.session.protocol import Devices
    from gui.workbench import Workbench

POLL_MS = 60
CURVES = ("sizes", "cores", "batch", "data", "model")
WITH_SIZES = ("operation", "cores")


class DeviceLab(DevicePage):
    """`closed()` when the person leaves. Training is paused while it measures, or both would be slower."""

    closed = Signal()

    def __init__(self, bench: Workbench, kept: Kept | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.run: LabRun | None = None
        self.kept = kept = kept if kept is not None else Kept()
        self.results, self.asked, self.peaks = kept.results, kept.asked, kept.peaks
        self.cards.left_out = kept.left_out
        self.devices, self._devices_done = kept.devices, kept.devices_done
        self.experiment = kept.experiment
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._tick)
        self._connect()
        bench.runner.devices.connect(self._found)
        bench.document.changed.connect(self._network_changed)
        theme.changed.connect(self._restyle)

    def title(self) -> str:
        return tr("Device lab")

    def open(self, experiment: str = "", **_what: Any) -> None:
        """Show the page, and look for devices where that was not done yet."""
        if experiment:
            self.choose(experiment)
        if not self._devices_done:
            self.bench.runner.find_devices()
        self._network_changed()
        self.show()
        self.list.focus()

    def close_lab(self) -> None:
        """End what is measured and give the window back."""
        self.end()
        self.closed.emit()

    def end(self) -> None:
        """No process, no timer, no folder is left."""
        self._timer.stop()
        self.kept.product = self.product.shown()
        self.product.close_panel()
        if self.run is not None:
            self.run.close()
            self.run = None

    def _connect(self) -> None:
        self.measure_button.clicked.connect(self.measure)
        self.cancel_button.clicked.connect(self.cancel)
        self.again.clicked.connect(self._test_again)
        self.copy.clicked.connect(self.copy_csv)
        self.list.chosen.connect(self.choose)
        self.cards.changed.connect(self._show_state)
        self.cards_resized.connect(self._show_devices)
        self._show_devices()
        self.arrange()
        self.choose(self.experiment)
        self.product.show_again(self.kept.product, self.results.get("operation"), self.devices)

    # ---- devices and network ---------------------------------------------------------------------------

    def _found(self, devices: Devices) -> None:
        self.devices = self.kept.devices = list(devices.devices)
        self._devices_done = self.kept.devices_done = devices.done
        self._show_devices()
        self._show_results()

    def _test_again(self) -> None:
        self._devices_done = False
        self.bench.runner.find_devices(fresh=True)
        self._show_devices()

    def _show_devices(self) -> None:
        if not self._devices_done:
            note = tr("Testing devices …")
        elif len(self.devices) == 1:
            note = tr("There is no OpenCL device here; a driver for the processor makes one.")
        else:
            note = ""
        self.cards.set_devices(self.devices, note, self.peak)
        self._show_state()

    def peak(self, device: str) -> float | None:
        """GFLOP/s of a device. Drivers of one processor share its cores: the largest of them counts."""
        kinds = {d.id: d.kind for d in self.devices}
        if kinds.get(device) != "cpu":
            return self.peaks.get(device)
        return max((p for d, p in self.peaks.items() if kinds.get(d) == "cpu"), default=None)

    def net(self) -> Net | None:
        """The person's network where it can run."""
        document = self.bench.document
        data = document.state.data
        if data is None or not document.inference.ready:
            return None
        return Net(document.graph, document.state.training, data)

    def _network_changed(self, *_: object) -> None:
        """Its sizes are asked for anew when something is measured; here only what can be chosen."""
        net = self.net()
        chosen = self.kept.sizes or (self.sizes.subject(), self.sizes.sizes())
        made = SizesRow(net.training.batch if net else 1, net is not None)
        self.change_sizes(made)
        made.choose(*chosen)
        made.changed.connect(self._sizes_changed)
        made.refused.connect(self._refuse)
        made.setVisible(self.experiment in WITH_SIZES)
        self._show_state()

    def _sizes_changed(self) -> None:
        self.kept.sizes = (self.sizes.subject(), self.sizes.sizes())
        self._show_state()

    # ---- measuring -------------------------------------------------------------------------------------

    def choose(self, experiment: str) -> None:
        """Show another experiment; what is being measured goes on."""
        self.experiment = self.kept.experiment = experiment
        words = experiments()[experiment]
        self.list.mark(experiment)
        self.name.setText(words.name)
        self.what.setText(words.what)
        self.know.setText(words.know)
        self.sizes.setVisible(experiment in WITH_SIZES)
        self._refuse("")
        self._show_results()
        self._show_state()

    def obstacle(self) -> str:
        """Why nothing can be measured now; "" when something can."""
        if not self.cards.chosen():
            return tr("Choose at least one device.")
        own = self.experiment in NEED_NETWORK
        if own and self.net() is None:
            return self.bench.obstacle() or tr("Draw a network and open data for it first.")
        return ""

    def measure(self) -> None:
        """Start, unless something is measured."""
        if self.run is not None and not self.run.done:
            return
        trouble = self.obstacle()
        net, asked = self.net(), self.cards.chosen()
        subject, sizes = self.sizes.subject(), self.sizes.sizes()
        if self.experiment not in WITH_SIZES:
            subject, sizes = self.experiment, {}
        try:
            todo = [] if trouble else tasks(self.experiment, asked, net, subject, sizes)
        except MatrizenError as refusal:
            trouble, todo = tr_message(refusal.message), []
        if not todo:
            self._refuse(trouble or tr("None of the chosen devices can do this."))
            return
        self._refuse("")
        if self.bench.running:
            self.bench.runner.pause()
        self.end()
        self.results[self.experiment] = Results(self.experiment, subject, sizes)
        self.asked[self.experiment] = asked
        known = self.peaks if self.experiment == "operation" else {d.id for d in self.devices}
        if self.experiment == "operation":
            self.product.show_results(None, None, self.devices)  # it is of other sizes, or soon another
        self.run = LabRun(todo, net, known)
        self._measuring = self.experiment
        self._timer.start()
        self._show_results()
        self._show_state()

    def cancel(self) -> None:
        """Stop at once; what was measured stays."""
        if self.run is not None:
            self.run.cancel()
            self._finish()

    def _tick(self) -> None:
        run = self.run
        if run is None:
            return
        events = run.poll()
        results = self.results[self._measuring]
        for event in events:
            if event["event"] == "peak":
                self.peaks[event["device"]] = event["gflops"]
                self._tell_peaks()
            results.take(event)
        if any(e["event"] in ("first", "measured", "layers", "failed", "ready") for e in events):
            self._raise_peaks(results)
            self._show_results()
        self._show_progress()
        if run.done:
            self._finish()

    def _raise_peaks(self, results: Results) -> None:
        """A device that did more than its peak was disturbed while that was measured."""
        for r in results.rows:
            if results.experiment == "operation" and r.device in self.peaks:
                self.peaks[r.device] = max(self.peaks[r.device], r.flops / r.compute.median / 1e9)
        self._tell_peaks()

    def _tell_peaks(self) -> None:
        for card in self.cards.cards:
            card.set_peak(self.peak(card.device.id))

    def _finish(self) -> None:
        self._timer.stop()
        self._show_results()
        self._show_state()
        self.product.show_results(
            self.results.get("operation"), self.run.folder if self.run else None, self.devices
        ) if self._measuring == "operation" else None

    # ---- what it shows ---------------------------------------------------------------------------------

    def _show_results(self) -> None:
        results = self.results.get(self.experiment)
        view: QWidget = self.bars
        if self.experiment in CURVES:
            view = self.points
            self.points.set_lines(*(lines(results, self.devices) if results else lines(_none(), [])))
        elif self.experiment == "layers":
            view = self.layers
            self.layers.set_devices(layers(results, self.devices) if results else [])
        elif results is not None:
            asked = self.asked.get(self.experiment, [])
            self.bars.set_bars(bars(results, asked, self.devices, self.peak, self._busy()))
        else:
            self.bars.set_bars([])
        self.show_view(view)
        self.tell(finding(results, self.devices) if results else "")
        if results is not None and results.failures and self.experiment in (*CURVES, "layers"):
            names = {d.id: short_name(d) for d in self.devices}
            told = dict.fromkeys(f"{names.get(d, d)}: {tr_message(r)}" for d, r in results.failures)
            self._refuse("\n".join(told))
        self.product.setVisible(self.experiment == "operation")
        self.copy.setEnabled(bool(results and (results.rows or results.failures)))

    def _busy(self) -> str:
        task = self.run.task if self.run is not None else None
        return task.device if task is not None and self._measuring == self.experiment else ""

    def _show_state(self) -> None:
        running = self.run is not None and not self.run.done
        trouble = self.obstacle()
        self.measure_button.setEnabled(not running and not trouble)
        self.measure_button.setToolTip(trouble)
        self.cancel_button.setVisible(running)
        self.again.setEnabled(not running)
        self._show_progress()
        if trouble and not running:
            self._refuse(trouble)
        elif self.trouble.property("obstacle"):
            self._refuse("")
        self.trouble.setProperty("obstacle", bool(trouble))

    def _show_progress(self) -> None:
        run = self.run
        running = run is not None and not run.done
        self.progress.setVisible(running)
        if run is None or not running:
            canceled = run is not None and run.canceled
            self.progress_text.setText(tr("canceled") if canceled else "")
            return
        self.progress.setRange(0, max(run.total, 1))
        self.progress.setValue(run.finished)
        task = run.task
        name = next((short_name(d) for d in self.devices if task and d.id == task.device), "")
        text = tr("{device}: {done} of {total}")
        text = text.format(device=name, done=i18n.integer(run.finished), total=i18n.integer(run.total))
        if task is not None and task.cores:
            text = trn("{n} core", "{n} cores", task.cores).format(n=task.cores) + ", " + text
        self.progress_text.setText(text)

    def _refuse(self, text: str) -> None:
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def copy_csv(self) -> None:
        """All numbers of the experiment shown, to the clipboard."""
        results = self.results.get(self.experiment)
        if results is not None:
            peaks = {d: p for d in self.peaks if (p := self.peak(d)) is not None}
            QGuiApplication.clipboard().setText(as_csv(results, peaks))
            self.bench.told.emit(tr("Copied the measured numbers as CSV."), "ok", "", None)

    # ---- hands -----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            running = self.run is not None and not self.run.done
            self.cancel() if running else self.close_lab()
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        self._show_devices()
        self.arrange()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DeferredDelete:
            self.end()
        return super().event(event)


def register(window: Any, bench: Workbench, kept: Kept) -> None:
    """Make the lab known to the window's host of labs; `open(experiment="layers")` jumps to a page."""
    window.labs.add("device_lab", lambda: DeviceLab(bench, kept))


def _none() -> Results:
    return Results("sizes", "product", dict(PRESETS["product"]))
