"""The library of blocks: files kept and read with suspicion, the palette's group, drag, drop, inspector."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QPushButton

from engine.data.drop import recognize
from engine.errors import ProjectError
from engine.graph import LinkSpec
from gui import block_library
from gui.block_library import ENDING
from gui.canvas.clipboard import piece_of
from gui.document import Document
from tests.gui.canvas.demo import cnn
from tests.gui.desk import Desk


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(block_library, "folder", lambda: tmp_path / "blocks")
    return tmp_path / "blocks"


def stem(name: str = "stem") -> Document:
    document = Document(cnn())
    inner = document.fold(["conv1"], "act")
    document.fold([inner or "", "maxpool1"], name)
    return document


def kept(name: str = "stem") -> Path:
    document = stem(name)
    return block_library.keep(name, piece_of(document.state, ("#2",)))


def test_a_block_comes_out_as_it_went_in_and_can_be_read_by_people() -> None:
    path = kept()
    text = path.read_text(encoding="utf-8")
    plain = json.loads(text)
    assert (plain["format"], plain["schema"], plain["name"]) == ("matrizen/block", 1, "stem")
    assert path.name == f"stem{ENDING}" and '"kernel"' in text and len(text) < 4000
    (found,) = block_library.listed()
    assert found.piece is not None and found.name == "stem"
    document = Document(cnn())
    uid = document.insert_block(found.piece, (0.0, 600.0))
    blocks = document.blocks
    assert [document.node(u).layer.kind for u in blocks.layers(uid)] == ["max_pool2d", "conv2d", "relu"]
    assert not {"conv1", "relu1", "maxpool1"} & set(blocks.layers(uid))
    assert [blocks[b].name for b in blocks.within(uid)] == ["stem", "act"]
    # behind a layer it is put into what leaves that
    behind = document.insert_block(found.piece, None, "maxpool1")
    assert document.blocks[behind].name == "stem 2" and document.inference.ready
    (link,) = document.graph.outputs_of("maxpool1")
    assert link.target in document.blocks.layers(behind)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p.clear(), "not a block"),
        (lambda p: p.update(schema=2), "newer version (schema 2, known up to 1)"),
        (lambda p: p.update(schema="1"), "not a block"),
        (lambda p: p["nodes"][0].update(kind="warp_drive"), "“warp_drive”"),
        (lambda p: p["nodes"][0].update(name="not a name"), "cannot name a layer"),
        (lambda p: p["nodes"][0].update(at=[1e300, 0]), "not a block"),
        (lambda p: p["nodes"][0]["settings"].update(filters=-3), "cannot be used"),
        (lambda p: p.update(nodes=[]), "expected 1 to 1000 layers, found 0"),
        (lambda p: p.update(links=[["conv1", "gone", 0, 0]]), "cannot be used"),
        (lambda p: p.update(nodes="x"), "expected 1 to 1000"),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_is_left_alone(change, says: str) -> None:  # type: ignore[no-untyped-def]
    path = kept()
    plain = json.loads(path.read_text(encoding="utf-8"))
    change(plain)
    path.write_text(json.dumps(plain), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(ProjectError) as refused:
        block_library.read_file(path)
    assert says in str(refused.value) and path.name in str(refused.value)
    (found,) = block_library.listed()
    assert found.piece is None and found.refusal is not None and path.read_bytes() == before


def test_files_that_are_no_json_or_too_large_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"{", b"\xff\xfe", b"[" * 5000, b"{}" + b" " * 1_000_001):
        path = tmp_path / f"x{ENDING}"
        path.write_bytes(content)
        with pytest.raises(ProjectError, match=path.name):
            block_library.read_file(path)


def test_blocks_are_renamed_removed_and_taken_in_from_elsewhere(tmp_path: Path, own_folder: Path) -> None:
    kept()
    sent = tmp_path / f"sent{ENDING}"
    sent.write_bytes((own_folder / f"stem{ENDING}").read_bytes())
    found = recognize([sent])
    assert found.kind == "block" and found.paths == (str(sent),)
    assert recognize([sent, own_folder / f"stem{ENDING}"]).kind == "block"
    taken = block_library.take_in(sent)
    assert [k.name for k in block_library.listed()] == ["stem", "stem 2"] and sent.exists()
    with pytest.raises(ProjectError, match="both be named"):
        block_library.rename(taken, "STEM")
    renamed = block_library.rename(taken, "a/b: c")
    assert renamed.parent == own_folder
    assert [k.name for k in block_library.listed()] == ["a/b: c", "stem"]
    block_library.remove(block_library.look(renamed))
    assert [k.name for k in block_library.listed()] == ["stem"]


def test_the_window_keeps_inserts_and_shows_blocks(desk: Desk, own_folder: Path) -> None:
    desk.bench.document.load(cnn())
    desk.settle()
    window, document = desk.window, desk.bench.document
    shelf = window.palette_panel.shelf
    window.canvas.canvas.select(["conv1", "maxpool1"])
    desk.actions["fold"].trigger()
    (uid,) = window.canvas.selection
    document.rename(uid, "stem")
    page = window.inspector.block_page
    assert page.isVisible() and page.name.text() == "stem" and not window.inspector.body.isVisible()
    assert dict(page.rows.texts())["Weights and biases"] == "208"
    assert window.selection() == ("conv1", "relu1", "maxpool1")
    page.form.edited.emit("frozen", True)
    assert document.node("conv1").frozen and "frozen" in window.canvas.canvas.nodes[uid].look.weights  # type: ignore[attr-defined]
    desk.actions["keep_block"].trigger()
    (row,) = shelf.rows
    assert row.text() == "stem" and (own_folder / f"stem{ENDING}").is_file()
    mime = row.mime()
    assert isinstance(mime, QMimeData)
    buttons, none, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    at = QPoint(500, 420)
    window.canvas.dragEnterEvent(QDragEnterEvent(at, copy, mime, buttons, none))
    assert window.canvas.canvas.ghost is not None
    window.canvas.dropEvent(QDropEvent(QPointF(at), copy, mime, buttons, none))
    (new,) = window.canvas.selection
    assert document.blocks[new].name == "stem 2" and window.canvas.canvas.ghost is None
    document.undo()
    link = window.canvas.canvas.links[LinkSpec("dense1", "output")]
    at = window.canvas.mapFromScene(link.way.path.pointAtPercent(0.5))
    window.canvas.dragEnterEvent(QDragEnterEvent(at, copy, mime, buttons, none))
    assert link.dropping
    window.canvas.dropEvent(QDropEvent(QPointF(at), copy, mime, buttons, none))
    (new,) = window.canvas.selection
    assert document.graph.inputs_of("output")[0].source in document.blocks.layers(new)
    window.palette_panel.filter.setText("ste")
    assert row.isVisibleTo(window.palette_panel) and not window.palette_panel.entries["dense"].isVisible()
    window.palette_panel.filter.setText("")
    # a member leads to its layer, which opens the block around it
    desk.settle()
    members = [b for b in page.findChildren(QPushButton) if b.text().startswith("conv") and b.isVisible()]
    members[0].click()
    assert not document.blocks[new].folded and window.inspector.body.isVisible()
    shelf.asked.emit("remove", row.kept)
    assert shelf.rows == [] and not list(own_folder.iterdir())
    desk.commands.blocks.take((str(own_folder / "gone"),))  # says so, and nothing else happens
    assert shelf.rows == []
