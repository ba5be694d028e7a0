"""BAD_INPUTS 1-28: project files that are missing, damaged, hostile or of another version."""

from __future__ import annotations

import itertools
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.backends.opening import open_backend
from engine.data.loading import load
from engine.data.source import SourceSpec
from engine.errors import DataError, ProjectError, TrainingError
from engine.export.npz import import_npz
from engine.layers.unknown import Unknown
from engine.project import Project
from engine.project_file import load_project, save_project
from engine.training import Trainer
from tests.engine import project_help as h


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return h.good_file(tmp_path)


def refused(path: Path, *words: str) -> str:
    with pytest.raises(ProjectError) as caught:
        load_project(path)
    text = str(caught.value)
    assert all(word in text for word in words), text
    return text


def test_case_01_missing_file(tmp_path):
    refused(tmp_path / "gone.matrizen", "gone.matrizen", "not there", "Locate")


def test_case_02_folder_for_file(tmp_path):
    refused(tmp_path, "folder")


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_case_03_no_read_permission(good):
    good.chmod(0)
    root = os.geteuid() == 0
    for folder in good.parents[:4]:
        if root and folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o55)
    if root:  # root may read everything
        os.seteuid(65534)
    try:
        with pytest.raises(ProjectError, match=r"good.matrizen may not be read"):
            load_project(good)
    finally:
        if root:
            os.seteuid(0)


def test_case_04_empty_file(tmp_path):
    path = tmp_path / "empty.matrizen"
    path.write_bytes(b"")
    refused(path, "empty.matrizen", "empty")


def test_case_05_wrong_extension_right_content(good):
    other = good.with_suffix(".jpg")
    good.rename(other)
    assert load_project(other).run.step == 50


def test_case_06_truncated_at_every_offset(good, tmp_path):
    whole = good.read_bytes()
    cut = tmp_path / "cut.matrizen"
    (tmp_path / "cut.matrizen.bak").write_bytes(whole)
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        refused(cut, "cut.matrizen", "cut.matrizen.bak")
    (tmp_path / "cut.matrizen.bak").unlink()
    assert ".bak" not in refused(cut, "damaged")


def test_case_07_a_flipped_bit_names_the_member_and_the_rest_can_be_had(good):
    data = bytearray(good.read_bytes())
    with zipfile.ZipFile(good) as archive:
        info = archive.getinfo("state/fc1.weight.npy")
    data[info.header_offset + 30 + len(info.filename) + info.file_size - 2] ^= 4
    good.write_bytes(data)
    refused(good, "state/fc1.weight.npy", "damaged")
    rest = load_project(good, intact_only=True)
    assert "fc1.weight" not in rest.run.state and "fc2.weight" in rest.run.state
    assert any("fc1.weight" in str(m) and "Left out" in str(m) for m in rest.messages)


def test_case_08_zip_bomb(good):
    bomb = h.npy(np.zeros(60 << 18, np.float32))  # 60 MB each: below the limit of one member
    h.write_zip(
        good, {**h.members(good), **{f"state/b{i}.npy": bomb for i in range(3)}}, zipfile.ZIP_DEFLATED
    )
    assert good.stat().st_size < 1 << 20
    refused(good, "bomb")


def test_case_09_header_bomb(good):
    parts = h.members(good)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    parts["state/fc1.weight.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    h.write_zip(good, parts)
    refused(good, "state/fc1.weight.npy")
    parts["state/fc1.weight.npy"] = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 100
    h.write_zip(good, parts)
    refused(good, "header")


def test_case_10_pickles_are_code(good, tmp_path):
    array = np.array([{"a": 1}], dtype=object)
    h.write_zip(good, {**h.members(good), "state/fc1.weight.npy": h.npy(array, pickle=True)})
    refused(good, "contains code")
    np.savez(tmp_path / "p.npz", **{"fc1.weight": array})
    with pytest.raises(ProjectError, match="contains code"):
        import_npz(tmp_path / "p.npz", h.dense())


@pytest.mark.parametrize("name", ["../evil.npy", "/etc/evil.npy", "state/../../evil.npy", "C:evil", "\\evil"])
def test_case_11_members_outside_the_archive(good, name):
    h.write_zip(good, {**h.members(good), name: b"x"})
    refused(good, "outside the archive")
    assert not (good.parent.parent / "evil.npy").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_case_12_duplicate_members(good):
    h.write_zip(good, [*h.members(good).items(), ("project.json", b"{}")])
    refused(good, "project.json", "twice")


def test_case_13_encrypted(good):
    data = bytearray(good.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + offset] |= 1
    good.write_bytes(data)
    refused(good, "encrypted")


@pytest.mark.parametrize("content", [b"hello world" * 50, b"\x89PNG\r\n\x1a\n" + bytes(100), b"{}"])
def test_case_14_no_zip(tmp_path, content):
    path = tmp_path / "a.matrizen"
    path.write_bytes(content)
    refused(path, "not a zip archive")


def test_case_14_a_zip_of_something_else(tmp_path):
    refused(h.write_zip(tmp_path / "a.matrizen", {"word/document.xml": b"<a/>"}), "no project.json")


def test_case_15_newer_schema(good):
    h.with_json(good, lambda p: p.update(version=7))
    refused(good, "newer Matrizen", "7", "up to 1")


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", True, None])
def test_case_16_only_known_versions_pass_the_gate(good, version):
    h.with_json(good, lambda p: p.update(version=version))
    before = good.read_bytes()
    refused(good, "version")
    assert good.read_bytes() == before


def test_case_17_unknown_layer_is_kept_with_its_weights(good):
    def newer(p):
        node = next(n for n in p["graph"]["nodes"] if n["name"] == "fc1")
        node.update(kind="attention", settings={"heads": 8, "extra": {"deep": [1, None, "ü"]}})

    h.with_json(good, newer)
    project = load_project(good)
    layer = project.graph.by_name("fc1").layer
    assert isinstance(layer, Unknown) and layer.original_kind == "attention"
    assert any("attention" in str(m) for m in project.messages)
    again = load_project(save_project(good.with_name("again.matrizen"), project))
    assert h.equal(project, again)
    assert again.run.state["fc1.weight"].shape == (3, 2)
    node = next(
        n
        for n in json.loads(h.members(good.with_name("again.matrizen"))["project.json"])["graph"]["nodes"]
        if n["name"] == "fc1"
    )
    assert node["kind"] == "attention"
    assert node["settings"] == {"heads": 8, "extra": {"deep": [1, None, "ü"]}}


def test_case_18_duplicate_keys(good):
    text = h.members(good)["project.json"].replace(b'"notes"', b'"version": 1, "notes"', 1)
    refused(h.with_text(good, text), "version", "twice")


@pytest.mark.parametrize("unit", [b"[", b'{"a":'])
def test_case_19_deep_json(good, unit):
    refused(h.with_text(good, unit * 100_000), "nested too deeply")


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e400"])
def test_case_20_numbers_that_are_none(good, text):
    new = h.members(good)["project.json"].replace(b'"learning_rate": 0.03', b'"learning_rate": ' + text)
    assert text in new
    refused(h.with_text(good, new), "no number")


def test_case_21_a_number_of_5000_digits(good):
    new = h.members(good)["project.json"].replace(b'"batch": 10', b'"batch": ' + b"9" * 5000)
    refused(h.with_text(good, new), "5000 digits")


def test_case_22_wrong_shape_lists_expected_and_found(good, tmp_path):
    parts = h.members(good)
    parts["state/fc1.weight.npy"] = h.npy(np.zeros((4, 2), np.float32))
    parts["state/fc2.bias.npy"] = h.npy(np.zeros(9, np.float32))
    h.write_zip(good, parts)
    project = load_project(good)  # the drawing can be seen; the weights say why they cannot be used
    note = next(str(m) for m in project.messages if "do not fit" in str(m))
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    before = trainer.store.state()
    with pytest.raises(TrainingError) as caught:
        trainer.load_checkpoint(project.run)
    for text in (note, str(caught.value)):
        assert "fc1.weight: (3, 2) expected, (4, 2) found" in text
        assert "fc2.bias: (1,) expected, (9,) found" in text
    assert trainer.step == 0
    assert all(np.array_equal(before[k], v) for k, v in trainer.store.state().items())
    np.savez(tmp_path / "w.npz", **{"fc1.weight": np.zeros((4, 2)), "fc2.bias": np.zeros(9)})
    with pytest.raises(ProjectError, match=r"fc1\.weight: \(3, 2\) expected, \(4, 2\) found; fc2\.bias"):
        import_npz(tmp_path / "w.npz", h.dense())


def test_case_23_missing_and_extra_keys_warn(good):
    parts = h.members(good)
    parts["state/old.weight.npy"] = parts.pop("state/fc1.bias.npy")
    h.write_zip(good, parts)
    project = load_project(good)
    text = " ".join(str(m) for m in project.messages)
    assert "no saved weights for fc1.bias" in text and "without a place" in text and "old.weight" in text
    again = load_project(save_project(good, project))
    assert "old.weight" in again.run.state
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    trainer.load_checkpoint(project.run)
    assert trainer.run(3).stopped is None
    assert load_project(good.with_name(good.name + ".bak")).messages


def test_case_23_a_good_file_says_nothing(good):
    assert load_project(good).messages == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_case_24_weights_that_are_not_finite_warn_and_load(good, value):
    array = np.zeros((3, 2), np.float32)
    array[1, 1] = value
    h.write_zip(good, {**h.members(good), "state/fc1.weight.npy": h.npy(array)})
    project = load_project(good)
    assert any("fc1.weight" in str(m) and "not finite" in str(m) for m in project.messages)
    trainer = Trainer(project.graph, project.training, load(project.source), open_backend("numpy"))
    trainer.load_checkpoint(project.run)
    stopped = trainer.run(5).stopped
    assert stopped is not None and trainer.step == 50


@pytest.mark.parametrize("dtype", ["<f8", "<f2", ">f4", ">f8", "<i4", "|u1"])
def test_case_25_other_number_types_become_float32(good, dtype):
    array = np.array([[1, 2], [3, 4], [5, 6]], dtype)
    h.write_zip(good, {**h.members(good), "state/fc1.weight.npy": h.npy(array)})
    project = load_project(good)
    found = project.run.state["fc1.weight"]
    assert found.dtype == np.float32 and found.dtype.isnative
    np.testing.assert_array_equal(found, array.astype(np.float32))
    assert any("fc1.weight" in str(m) for m in project.messages) == (dtype != ">f4")


@pytest.mark.parametrize("array", [np.zeros((3, 2), np.complex64), np.array([["a", "b"]] * 3),
                                   np.zeros(3, "M8[s]"), np.zeros(3, [("a", "f4")])])  # fmt: skip
def test_case_26_complex_text_and_object_arrays(good, array):
    h.write_zip(good, {**h.members(good), "state/fc1.weight.npy": h.npy(array)})
    refused(good, "state/fc1.weight.npy", "numbers")


def npz_project(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(40, 2)).astype(np.float32), y=np.arange(40) % 2)
    source = SourceSpec.npz("data.npz")
    data = load(source, base=folder)
    project, _ = h.trained()
    return save_project(
        folder / "p.matrizen", Project(project.graph, project.training, data.pinned(), data_hash=data.sha256)
    )


def test_case_27_data_moved_names_the_file_and_the_project_still_opens(tmp_path):
    path = npz_project(tmp_path)
    (tmp_path / "data.npz").rename(tmp_path / "moved.npz")
    project = load_project(path)
    with pytest.raises(DataError, match=r"data\.npz is not there.*[Ll]ocate"):
        load(project.source, base=tmp_path)
    from dataclasses import replace

    relinked = replace(project.source, path="moved.npz")
    assert load(relinked, base=tmp_path).sha256 == project.data_hash


def test_case_28_changed_data_warns(tmp_path):
    path = npz_project(tmp_path)
    project = load_project(path)
    assert project.source.sha256 and not load(project.source, base=tmp_path).notes
    np.savez(tmp_path / "data.npz", x=np.ones((40, 2), np.float32), y=np.arange(40) % 2)
    notes = load(project.source, base=tmp_path).notes
    assert any("has changed" in str(n) and "data.npz" in str(n) for n in notes)


@pytest.mark.parametrize("change", h.WRONG_FIELDS)
def test_fields_of_the_wrong_kind_are_refused_with_their_name(good, change):
    h.with_json(good, change)
    refused(good, "good.matrizen")


def test_a_thousand_layers_open_quickly(good):
    import time

    def long(p):
        tanh = next(n for n in p["graph"]["nodes"] if n["kind"] == "tanh")
        nodes = p["graph"]["nodes"][:1] + [{**tanh, "uid": f"t{i}", "name": f"t{i}"} for i in range(990)]
        links = [[a["uid"], 0, b["uid"], 0] for a, b in itertools.pairwise(nodes)]
        p.update(graph={"nodes": nodes, "links": links}, run=None)

    h.with_json(good, long)
    begun = time.process_time()
    assert len(load_project(good).graph.nodes) == 991
    assert time.process_time() - begun < 1
