"""The window on a runner without a process: what it places, gives way with, watches and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from engine.data.cancel import LoadCanceled
from engine.errors import Message
from engine.project_file import load_project
from engine.project_lock import ProjectLock
from engine.session import protocol as p
from engine.session.session import Session
from gui import i18n, theme
from gui.dialogs import ask_save as asking
from gui.dialogs.command_palette import CommandPalette
from gui.panels.time_line import nice_span, nice_step
from gui.panels.training_popup import SettingsPopup
from gui.windows_state import WindowsState
from tests.gui.desk import Desk


def test_the_circle_stands_drawn_and_paused(desk: Desk) -> None:
    desk.open("circle")
    assert desk.window.windowTitle().startswith("circle")
    assert not desk.bench.modified
    assert desk.window.training_bar.play.isEnabled()
    assert desk.window.boundary.isVisible() and desk.window.strip.isVisible()
    names = {desk.bench.document.node(uid).name for uid in desk.window.canvas.canvas.nodes}
    assert {"points", "hidden1", "output"} <= names
    for name in ("weights", "activations", "gradients"):
        assert desk.window.docks[name].numbers.matrix.values().size, name


def test_play_only_filled_button_and_it_learns(desk: Desk) -> None:
    desk.open("circle")
    filled = [
        b for b in desk.window.findChildren(QPushButton) if b.property("kind") == "primary" and b.isVisible()
    ]
    assert filled == [desk.window.training_bar.play]
    before = desk.window.docks["weights"].numbers.matrix.values().copy()
    desk.actions["play"].trigger()
    desk.runner.go(40)
    assert desk.bench.status.running == "playing" and desk.bench.status.step > 0
    assert desk.window.training_bar.play.text().strip() == "Pause"
    assert not desk.actions["step_batch"].isEnabled()
    desk.actions["play"].trigger()
    desk.runner.go(6)
    assert desk.bench.status.running == "paused"
    assert not np.array_equal(before, desk.window.docks["weights"].numbers.matrix.values())
    assert desk.bench.modified and desk.window.isWindowModified()


def test_a_step_shows_one_step_everywhere(desk: Desk) -> None:
    desk.open("one_layer")
    desk.actions["step_batch"].trigger()
    desk.runner.go(6)
    assert desk.bench.status.step == 1
    trainer = desk.runner.session.trainer
    assert trainer is not None
    weights = desk.window.docks["weights"]
    assert weights.target is not None
    np.testing.assert_array_equal(weights.numbers.matrix.values(), trainer.read(weights.target.value))


def test_cells_of_a_large_matrix_are_the_engines_once_they_can_be_told_apart(desk: Desk) -> None:
    desk.open("fashion_mlp")
    dock = desk.window.docks["weights"]
    dock.rows_wanted.emit(True)
    desk.settle()
    trainer, view = desk.runner.session.trainer, dock.numbers.matrix
    assert trainer is not None and dock.target is not None
    whole = trainer.read(dock.target.value)
    assert view.shape() == whole.shape == (128, 784) and not view.part().exact
    top, bottom, left, right = view.part().cells(100, 500)
    mean = whole[top : bottom + 1, left : right + 1].mean()
    assert view.value_at(100, 500) == pytest.approx(float(mean), abs=1e-6)
    for _ in range(25):
        view.zoom_about(view.cell_rect(100, 500).center(), 1.2)
    desk.settle()
    assert view.part().exact and view.values().size < whole.size
    assert view.value_at(100, 500) == whole[100, 500]
    opened: list[tuple[int, ...]] = []
    dock.opened.connect(lambda _value, cell: opened.append(cell))
    at = view.cell_rect(100, 500).center().toPoint()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert opened == [(100, 500)]
    # another layer starts with all of it
    head = [n.uid for n in desk.bench.document.graph.nodes if n.layer.kind == "dense"][-1]
    desk.window.canvas.canvas.select([head])
    desk.settle()
    assert view.shape() == (10, 128) and view.part().exact and view.values().shape == (10, 128)


def test_an_opened_cell_is_the_engines_number(desk: Desk) -> None:
    desk.open("circle")
    desk.window.docks["activations"].opened.emit("hidden1.z", (1, 3))
    desk.runner.go()
    card = desk.window.card
    assert card.isVisible() and card.explanation is not None
    trainer = desk.runner.session.trainer
    assert trainer is not None
    assert card.explanation.number == float(trainer.read("hidden1.z")[1, 3])
    assert card.explanation.terms is not None
    labels = [term.label for term in card.explanation.terms.terms]
    assert len(labels) == 3 and labels[-1] == "bias"
    desk.qtbot.keyClick(card, Qt.Key.Key_Escape)
    assert card.isHidden()
    # no button beside it has the focus now: Space is to play
    assert desk.window.focusWidget() in (None, desk.window.canvas)


@pytest.mark.parametrize("value", ["hidden1.z", "hidden1.z@grad", "hidden1.weight@grad", "hidden1.bias@grad",
                                   "hidden1.weight@old", "tanh1.a"])  # fmt: skip
def test_every_kind_of_cell_opens(desk: Desk, value: str) -> None:
    desk.open("circle")
    trainer = desk.runner.session.trainer
    assert trainer is not None
    values = trainer.program.values
    assert value in values, sorted(values)
    desk.window.live.open_cell(value, (0,) * len(values[value].shape))
    desk.runner.go()
    assert desk.window.card.isVisible()
    assert desk.window.card.explanation is not None and desk.window.card.explanation.terms is not None


def test_hidden_docks_cost_nothing(desk: Desk) -> None:
    desk.open("circle")
    assert {"weights", "activations", "gradients", "boundary"} <= set(desk.runner.watches)
    desk.window.show_panel("gradients", False)
    assert "gradients" not in desk.runner.watches and "weights" in desk.runner.watches
    desk.window.show_panel("gradients", True)
    assert "gradients" in desk.runner.watches


def test_a_map_hovered_in_one_dock_is_outlined_in_all(desk: Desk) -> None:
    desk.open("fashion_cnn")
    docks = desk.window.docks
    assert docks["weights"].numbers.look == docks["activations"].numbers.look == "maps"
    docks["weights"].numbers.mosaic.cell_hovered.emit(3, 1, 1)
    assert docks["activations"].numbers.mosaic.hovered() == 3
    assert docks["gradients"].numbers.mosaic.hovered() == 3


@pytest.mark.parametrize(("width", "docks", "compact", "inspector"),
                         [(1600, 4, False, True), (1280, 3, True, True), (900, 2, True, False)])  # fmt: skip
def test_panels_give_way_by_width(desk: Desk, width: int, docks: int, compact: bool, inspector: bool) -> None:
    desk.open("digits_cnn")
    desk.window.resize(width, 800)
    desk.settle()
    names = ("weights", "activations", "gradients")
    panels = [*(desk.window.docks[name] for name in names), desk.window.loss_dock]
    assert sum(panel.isVisible() for panel in panels) == docks
    assert desk.window.palette_panel.compact == compact
    assert desk.window.inspector.isVisible() == inspector
    for part in ("menu", "training", "time", "status"):
        assert desk.window.panels()[part].isVisible()
    assert desk.window.training_bar.play.isVisible()


def test_nothing_of_the_training_bar_is_cut(desk: Desk) -> None:
    desk.open("circle")
    bar = desk.window.training_bar
    for language in ("en", "de"):
        desk.commands.set_language(language)
        bar = desk.window.training_bar
        for width in (1600, 1280, 1024, 760):
            desk.window.resize(width, 800)
            desk.settle()
            for child in bar.findChildren(QPushButton):
                if child.isVisible():
                    assert child.width() >= child.sizeHint().width() - 1, (language, width, child.text())
                    assert child.mapTo(bar, child.rect().bottomRight()).x() < bar.width()
    desk.commands.set_language("en")


def test_language_and_theme_switch_while_it_runs(desk: Desk) -> None:
    desk.open("circle")
    desk.actions["play"].trigger()
    desk.runner.go(10)
    step = desk.bench.status.step
    desk.commands.set_language("de")
    try:
        desk.runner.go(100)
        assert desk.bench.status.step > step
        assert i18n.language() == "de"
        assert desk.window.docks["weights"].numbers.matrix.values().size
        assert desk.window.boundary.isVisible()
        desk.commands.set_theme("light")
        assert not theme.theme().is_dark
        desk.runner.go(5)
    finally:
        desk.commands.set_language("en")
        desk.commands.set_theme("dark")
    assert desk.state.theme == "dark"


def test_a_changed_rate_acts_at_once_and_leaves_a_flag(desk: Desk) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(30)
    step = desk.bench.status.step
    assert step > 0
    desk.bench.document.set_training(learning_rate=0.5)
    trainer = desk.runner.session.trainer
    assert trainer is not None and trainer.controls()["lr"] == 0.5
    assert [flag.step for flag in desk.window.time_line.flags()] == [step]
    assert desk.bench.status.step == step
    said = desk.window.time_line.flags()[0].text
    assert said.startswith("rate ") and said.endswith("→ 0.5")
    desk.actions["step_batch"].trigger()
    desk.settle()  # the record of the run says the same
    assert [(flag.step, flag.text) for flag in desk.window.time_line.flags()] == [(step, said)]
    desk.actions["reset"].trigger()
    desk.settle()
    assert desk.window.time_line.flags() == ()
    key = next(iter(trainer.store.state()))
    start, seed = trainer.store.state()[key], desk.bench.document.training.seed
    desk.actions["step_batch"].trigger()
    desk.settle()
    desk.actions["new_start"].trigger()
    desk.settle()
    other = trainer.store.state()[key]
    assert (trainer.seed, desk.bench.status.step) == (seed + 1, 0) and (other != start).all()
    desk.actions["reset"].trigger()
    desk.settle()
    assert (trainer.store.state()[key] == other).all(), "the same start"


def test_a_saved_run_shows_its_curve_flags_and_losses_before_it_is_played(desk: Desk, tmp_path: Path) -> None:
    desk.open("circle")
    for rate in (0.5, 0.25):
        desk.actions["step_epoch"].trigger()
        desk.runner.go(30)
        desk.bench.document.set_training(learning_rate=rate)
        desk.runner.go(10)
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    desk.settle()
    step, texts = desk.bench.status.step, desk.window.status_bar.texts()
    curves, flags = desk.window.live.memory()["curves"], desk.window.time_line.flags()
    assert curves is not None and len(curves.steps) == step
    assert [f.step for f in flags] == [step // 3, 2 * step // 3]
    assert curves.test_steps.tolist() == [0, step // 3, 2 * step // 3, step]  # each once
    target = tmp_path / "mine.matrizen"
    desk.bench.save(target)
    desk.open("digits_cnn")
    assert desk.bench.status.step == 0 and desk.window.time_line.flags() == ()
    desk.bench.open(target)
    desk.qtbot.waitUntil(lambda: desk.bench.name == "mine", timeout=10_000)
    desk.settle()
    assert desk.bench.status.step == step and desk.bench.status.running == "paused"
    found = desk.window.live.memory()["curves"]
    assert found is not None
    for name in ("steps", "low", "mean", "high", "test_steps", "test_loss", "test_accuracy"):
        np.testing.assert_array_equal(getattr(found, name), getattr(curves, name), name)
    shown = desk.window.time_line.flags()
    assert [f.step for f in shown] == [f.step for f in flags]
    assert [f.text for f in shown] == ["rate 0.5", flags[1].text]
    again = desk.window.status_bar.texts()
    assert again["loss"] == texts["loss"] and again["test"] == texts["test"]
    assert not desk.bench.modified
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    desk.settle()
    longer = desk.window.live.memory()["curves"]
    assert longer is not None and longer.steps.tolist() == list(range(4 * step // 3))
    np.testing.assert_array_equal(longer.mean[:step], curves.mean)


def test_an_engine_that_comes_back_leaves_curve_and_flags(desk: Desk) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(30)
    desk.bench.document.set_training(learning_rate=0.5)
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    desk.settle()
    flags, curves = desk.window.time_line.flags(), desk.window.live.memory()["curves"]
    assert flags and curves is not None
    state = desk.runner.session.run_state()
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    session = desk.runner.session = Session(desk.runner.events.append, clock=desk.runner._clock)
    number = state.generation
    session.handle(p.Configure(state.graph, state.training, state.source, number, resume=state))
    desk.runner.restarted.emit(state)
    assert desk.window.time_line.flags() == flags and desk.window.live.memory()["curves"] is not None
    desk.settle()
    assert desk.bench.status.step == state.checkpoint.step and desk.window.time_line.flags() == flags
    found = desk.window.live.memory()["curves"]
    assert found is not None
    np.testing.assert_array_equal(found.mean, curves.mean)
    np.testing.assert_array_equal(found.test_loss, curves.test_loss)


def test_canceled_loading_leaves_nothing_running_and_play_loads_again(desk: Desk, tmp_path: Path) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    step = desk.bench.status.step
    desk.bench.save(tmp_path / "mine.matrizen")
    desk.open("digits_cnn")
    loads = desk.runner.generation
    builder = desk.runner.session.builder
    load, builder._load = builder._load, canceling  # type: ignore[method-assign]
    desk.bench.open(tmp_path / "mine.matrizen")
    desk.qtbot.waitUntil(lambda: desk.bench.name == "mine", timeout=10_000)
    assert desk.runner.generation == loads + 1
    assert desk.bench.configured is None and desk.bench.ready
    (said,) = [t for t in desk.window.toasts.toasts() if "canceled" in t.text]
    assert said.text.startswith("Loading canceled")
    assert desk.window.docks["weights"].target is None
    builder._load = load  # type: ignore[method-assign]
    desk.actions["play"].trigger()
    desk.runner.go(3)
    assert desk.bench.configured is not None and desk.bench.configured.data.kind == "points"
    assert desk.bench.status.step > step and desk.bench.status.running == "playing"  # the saved run goes on
    assert desk.runner.generation == loads + 2


def test_an_edit_while_an_opened_run_is_loaded_does_not_cost_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    desk.bench.save(tmp_path / "mine.matrizen")
    desk.open("digits_cnn")
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(desk.runner, "configure", lambda *_what, **how: asked.append(how) or 1000)
    desk.bench.open(tmp_path / "mine.matrizen")
    desk.qtbot.waitUntil(lambda: len(asked) == 1, timeout=10_000)
    desk.bench.document.set_training(batch=7)
    desk.qtbot.waitUntil(lambda: len(asked) == 2, timeout=10_000)
    assert asked[0]["resume"] is not None and asked[1]["resume"] is asked[0]["resume"]
    # what was refused is not tried again, nor is another run carried
    desk.runner.fault.emit(p.Fault(Message("They do not fit."), kind="configure", generation=1000))
    desk.bench.document.set_training(batch=8)
    desk.qtbot.waitUntil(lambda: len(asked) == 3, timeout=10_000)
    assert asked[2]["resume"] is None and asked[2]["fresh"]


def canceling(_command: Any) -> Any:
    raise LoadCanceled("Loading was canceled; the data in use stays.")


def kept_step(path: Path) -> int | None:
    run = load_project(path).run
    return run.step if run is not None else None


def test_saving_never_costs_a_run_that_has_not_begun_here(desk: Desk, tmp_path: Path) -> None:
    from tests.engine.data.picture_bytes import many_pictures

    folder = many_pictures(tmp_path / "set", 20)
    desk.open("digits_cnn")
    desk.commands.take([str(folder)])
    desk.qtbot.waitUntil(lambda: bool(desk.bench.document.data and desk.bench.document.data.classes == 2))
    desk.settle()
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    step, target = desk.bench.status.step, tmp_path / "mine.matrizen"
    assert step > 0
    desk.bench.save(target)
    assert kept_step(target) == step
    folder.rename(tmp_path / "moved")  # its pictures are elsewhere: it opens, cannot run, and is saved
    desk.open("circle")
    desk.bench.open(target)
    desk.qtbot.waitUntil(lambda: desk.bench.name == "mine", timeout=10_000)
    desk.settle()
    assert not desk.bench.ready
    desk.bench.save(target)
    assert kept_step(target) == step
    (tmp_path / "moved").rename(folder)
    desk.open("circle")
    builder = desk.runner.session.builder
    load, builder._load = builder._load, canceling  # type: ignore[method-assign]
    desk.bench.open(target)
    desk.qtbot.waitUntil(lambda: desk.bench.name == "mine", timeout=10_000)
    builder._load = load  # type: ignore[method-assign]
    assert desk.bench.configured is None and desk.bench.ready
    desk.bench.save(target)
    assert kept_step(target) == step
    desk.actions["step_batch"].trigger()  # loads, then steps
    desk.runner.go(10)
    assert desk.bench.status.step == step + 1
    desk.bench.document.remove([desk.bench.document.graph.nodes[-2].uid])  # half drawn: it is kept as well
    desk.settle()
    assert desk.bench.configured is None and not desk.bench.ready
    desk.bench.save(target)
    assert kept_step(target) == step + 1


def test_undo_of_a_structural_edit_keeps_what_was_learnt(desk: Desk) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(30)
    trainer = desk.runner.session.trainer
    assert trainer is not None
    learnt = trainer.store.state()["hidden1.weight"].copy()
    desk.bench.document.set_setting("hidden1", "units", 5)
    desk.settle()
    assert trainer.store.state()["hidden1.weight"].shape[0] == 5
    desk.bench.document.undo()
    desk.settle()
    np.testing.assert_array_equal(trainer.store.state()["hidden1.weight"], learnt)


def test_save_keeps_document_and_run_at_one_step(desk: Desk, tmp_path: Path) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(30)
    target = tmp_path / "mine.matrizen"
    desk.bench.save(target)
    assert not desk.bench.modified and desk.bench.title == "mine"
    project = load_project(target)
    assert project.run is not None and project.run.step == desk.bench.status.step
    assert desk.state.recent() == [target]


def test_changes_are_asked_about(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open("circle")
    desk.bench.document.set_training(batch=7)
    answers: list[asking.Answer] = ["cancel", "discard"]
    monkeypatch.setattr("gui.commands.ask_save", lambda *_: answers.pop(0))
    desk.commands.new()
    assert desk.bench.document.graph.nodes
    desk.commands.new()
    assert not desk.bench.document.graph.nodes
    assert not answers


def test_a_played_sample_is_not_asked_about(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open("circle")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(30)
    monkeypatch.setattr("gui.commands.ask_save", lambda *_: pytest.fail("asked"))
    assert desk.commands.confirm()


def test_faults_are_said_once_and_stay(desk: Desk) -> None:
    fault = p.Fault(Message("The device is gone."), kind="device")
    desk.runner.fault.emit(fault)
    desk.runner.fault.emit(fault)
    toasts = desk.window.toasts.toasts()
    assert [toast.text for toast in toasts] == ["The device is gone."]
    assert toasts[0].level == "error"


def test_a_non_finite_loss_offers_a_smaller_rate(desk: Desk) -> None:
    desk.open("circle")
    rate = desk.bench.document.training.learning_rate
    desk.runner.fault.emit(p.Fault(Message("No longer finite."), kind="non_finite"))
    button = next(b for b in desk.window.toasts.findChildren(QPushButton) if b.text())
    button.click()
    assert desk.bench.document.training.learning_rate == pytest.approx(rate / 10)


def test_the_palette_finds_and_does(desk: Desk) -> None:
    desk.open("circle")
    palette = CommandPalette(desk.actions, desk.window)
    palette.popup()
    palette.field.setText("one batch")
    assert palette.found()[0] == "step_batch"
    desk.qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    desk.runner.go(6)
    assert desk.bench.status.step == 1


def test_all_settings_of_the_chosen_optimizer(desk: Desk) -> None:
    desk.open("circle")
    popup = SettingsPopup(desk.bench.document, desk.window)
    assert popup._form is not None and "seed" in popup._form.values()
    assert "beta1" not in popup._form.values()
    desk.bench.document.set_training(optimizer="adam")
    assert {"beta1", "beta2", "epsilon"} <= set(popup._form.values())
    assert "class_weights" not in popup._form.values()
    desk.bench.document.set_training(loss="cross_entropy")
    popup._set("class_weighting", "own")  # begins with what counted before, so that the network goes on
    assert popup._form.values()["class_weights"] == (1.0, 1.0)
    popup.move(0, 0)
    popup.show()
    desk.bench.document.set_training(optimizer="adamw", schedule="plateau", clipping="norm")
    assert popup.height() <= popup.screen().availableGeometry().height()
    popup.close()


def test_a_folder_becomes_training_data_in_one_step(desk: Desk, tmp_path: Path) -> None:
    from tests.engine.data.picture_bytes import class_folder, random_picture

    pictures = {
        name: [random_picture(seed * 10 + k, 8, 8, 1) for k in range(6)] for seed, name in enumerate("ab")
    }
    class_folder(tmp_path / "set", pictures)
    desk.open("digits_cnn")
    before = desk.bench.document.state
    desk.commands.take([str(tmp_path / "set")])
    desk.qtbot.waitUntil(lambda: desk.bench.document.state != before, timeout=10_000)
    data = desk.bench.document.data
    assert data is not None and data.classes == 2
    desk.bench.document.undo()
    assert desk.bench.document.state.source == before.source


def test_what_is_no_data_is_refused_with_a_reason(desk: Desk, tmp_path: Path) -> None:
    strange = tmp_path / "notes.log"
    strange.write_text("nothing of interest")
    desk.open("circle")
    before = desk.bench.document.state
    desk.commands.take([str(strange)])
    desk.qtbot.waitUntil(lambda: bool(desk.window.toasts.toasts()), timeout=5_000)
    assert "notes.log" in desk.window.toasts.toasts()[0].text
    assert desk.bench.document.state == before


def test_a_picture_is_classified_and_shown_as_numbers(desk: Desk, tmp_path: Path) -> None:
    from tests.engine.data.picture_bytes import png, random_picture

    picture = tmp_path / "Bild ü.png"
    picture.write_bytes(png(random_picture(3, 9, 9, 1)))
    desk.open("digits_cnn")
    desk.commands.take([str(picture)])
    desk.qtbot.waitUntil(lambda: desk.commands.pictures.dialog is not None, timeout=10_000)
    dialog = desk.commands.pictures.dialog
    assert dialog is not None
    desk.runner.go()
    shares = dialog.shares.rows()
    assert len(shares) == 6 and dialog.best() == shares[0][0]
    assert dialog.numbers.numbers().shape == (9, 9)
    dialog.close()


def test_round_parts_of_the_time_line() -> None:
    assert [nice_step(v) for v in (0.2, 1.5, 3, 7, 12)] == [1, 2, 5, 10, 20]
    assert [nice_span(step, 1) for step in (0, 19, 20, 49, 60, 150)] == [20, 20, 50, 50, 100, 200]


def test_settings_survive(tmp_path: Path) -> None:
    path = tmp_path / "s.ini"
    first = WindowsState(QSettings(str(path), QSettings.Format.IniFormat))
    first.theme, first.language = "light", "de"
    first.set_flag("dock_loss", False)
    file = tmp_path / "a.matrizen"
    file.write_text("")
    first.add_recent(file)
    first.flush()
    second = WindowsState(QSettings(str(path), QSettings.Format.IniFormat))
    assert second.theme == "light" and second.language == "de"
    assert not second.flag("dock_loss", True)
    assert second.recent() == [file]
    file.unlink()
    assert second.recent() == []


def test_measured_facts_stand_in_the_inspector_at_rest(desk: Desk) -> None:
    desk.open("digits_cnn")
    desk.actions["step_epoch"].trigger()
    desk.runner.go(60)
    desk.window.canvas.canvas.select(["relu1"])
    rows = dict(desk.window.inspector.health_rows.texts())
    assert "Active" in rows and rows["Active"].endswith("%")
    desk.window.canvas.canvas.select(["conv1"])
    assert "Update ÷ weight" in dict(desk.window.inspector.health_rows.texts())


def test_a_double_click_opens_a_layer_large_and_gives_the_room_back(desk: Desk) -> None:
    desk.open("circle")
    small = desk.window.down.sizes()[1]
    desk.window.canvas.node_opened.emit("hidden2")
    desk.settle()
    assert desk.window.selection() == ("hidden2",)
    assert desk.window.down.sizes()[1] > 1.5 * small
    desk.window.canvas.node_opened.emit("hidden1")
    assert desk.window.selection() == ("hidden1",) and desk.window.down.sizes()[1] > 1.5 * small
    desk.window.canvas.node_opened.emit("hidden1")
    desk.settle()
    assert desk.window.down.sizes()[1] == small


def test_a_toast_hides_neither_zoom_nor_legend(desk: Desk) -> None:
    desk.open("circle")
    window = desk.window
    desk.bench.told.emit("Something happened.", "warning", "", None)
    desk.settle()
    whole = window.centralWidget()
    assert whole is not None
    shown = window.toasts.geometry()
    for hidden in (window.canvas.zoom_bar, window.canvas.legend, window.palette_area):
        assert hidden.isVisible()
        place = hidden.rect().translated(hidden.mapTo(whole, hidden.rect().topLeft()))
        assert not shown.intersects(place)


def test_a_project_open_in_another_window_is_not_written_over(desk: Desk, tmp_path: Path) -> None:
    path, free = tmp_path / "p.matrizen", tmp_path / "q.matrizen"
    desk.open("circle")
    desk.bench.save(path)
    desk.runner.go()
    assert desk.bench.path == path
    before = path.read_bytes()
    desk.bench.save(free)  # the other name lets the first one go
    desk.runner.go()
    other = ProjectLock(path)
    assert other.acquire()
    told: list[tuple[str, str]] = []
    desk.bench.told.connect(lambda text, level, *_: told.append((text, level)))
    desk.bench.save(path)
    desk.runner.go()
    assert "p.matrizen" in told[-1][0] and told[-1][1] == "error"
    assert desk.bench.path == free and path.read_bytes() == before
    assert not ProjectLock(free).acquire(), "what is open stays locked"
    desk.bench.open(path)
    desk.qtbot.waitUntil(lambda: desk.bench.path == path, timeout=10_000)
    assert any(level == "warning" and "p.matrizen" in text for text, level in told)
    other.release()
    desk.bench.save(path)
    desk.runner.go()
    assert not ProjectLock(path).acquire()


def test_an_opened_cell_covers_no_corner_of_the_canvas(desk: Desk) -> None:
    desk.open("circle")
    desk.window.docks["activations"].opened.emit("hidden1.z", (1, 3))
    desk.settle()
    card = desk.window.card
    assert card.isVisible()
    for widget in (desk.window.canvas.zoom_bar, desk.window.canvas.legend):
        place = QRect(widget.mapTo(desk.window.stage, QPoint()), widget.size())
        assert widget.isVisible() and not place.intersects(card.geometry())
