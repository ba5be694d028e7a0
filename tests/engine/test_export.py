"""Weights as .npz: what is in the file, and that it comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.errors import ProjectError
from engine.export.npz import export_npz, import_npz
from engine.graph import GraphSpec
from engine.layers import Flatten, Input, Output
from engine.training import Trainer
from tests.engine.export_help import small_cnn


@pytest.fixture(scope="module")
def cnn() -> Trainer:
    return small_cnn()


@pytest.fixture
def file(cnn, tmp_path):
    return export_npz(tmp_path / "w.npz", cnn.graph, cnn.checkpoint().state, cnn.dataset, cnn.step)


def test_keys_kinds_and_order(cnn, file):
    shapes = {
        "conv1.weight": (4, 1, 3, 3), "conv1.bias": (4,),
        "norm1.weight": (4,), "norm1.bias": (4,), "norm1.running_mean": (4,), "norm1.running_var": (4,),
        "fc1.weight": (48, 48), "fc1.bias": (48,), "fc2.weight": (48, 48), "fc2.bias": (48,),
        "fc3.weight": (3, 48), "fc3.bias": (3,),
    }  # fmt: skip
    with np.load(file, allow_pickle=False) as archive:
        assert archive.files == [*shapes, "__meta__"]
        state = cnn.store.state()
        for key, shape in shapes.items():
            a = archive[key]
            assert a.shape == shape and a.dtype == np.dtype("<f4") and a.flags.c_contiguous
            np.testing.assert_array_equal(a, state[key.replace("fc2", "fc1")])
        meta = json.loads(str(archive["__meta__"]))
    assert meta["format"] == "matrizen-weights" and meta["version"] == 1 and meta["step"] == cnn.step
    assert meta["class_names"] == ["a", "b", "c"]
    assert [n["name"] for n in meta["graph"]["nodes"]] == [n.name for n in cnn.graph.nodes]
    assert meta["input"]["shape"] == [1, 8, 6]
    raw = np.float64(cnn.dataset.x_train[:2]) * meta["input"]["scale"] + meta["input"]["shift"]
    seen = (raw - np.reshape(meta["input"]["mean"], (-1, 1, 1))) / np.reshape(
        meta["input"]["std"], (-1, 1, 1)
    )
    np.testing.assert_allclose(seen, cnn.dataset.train_inputs(slice(0, 2)), rtol=1e-5, atol=1e-6)


def test_round_trip_gives_the_same_predictions(cnn, file):
    state, missing, extra = import_npz(file, cnn.graph)
    assert missing == [] and extra == []
    again = Trainer(cnn.graph, cnn.training, cnn.dataset, cnn.backend, state=state)
    x = cnn.dataset.test_inputs()
    assert all(
        np.array_equal(a, b) for a, b in zip(cnn.predict(x).values(), again.predict(x).values(), strict=True)
    )


def test_exported_names_follow_a_renamed_layer(cnn, tmp_path):
    uid = cnn.graph.by_name("fc3").uid
    renamed = cnn.graph.replace_node(uid, name="head")
    path = export_npz(tmp_path / "w.npz", renamed, cnn.checkpoint().state)
    with np.load(path, allow_pickle=False) as archive:
        assert "head.weight" in archive.files and "fc3.weight" not in archive.files


def test_equal_weights_are_equal_bytes(cnn, file, tmp_path):
    again = export_npz(tmp_path / "v.npz", cnn.graph, cnn.checkpoint().state, cnn.dataset, cnn.step)
    assert again.read_bytes() == file.read_bytes()


def test_a_network_without_weights_is_refused(tmp_path):
    graph = GraphSpec().add("x", Input((2,))).add("f", Flatten(), after="x").add("out", Output(), after="f")
    with pytest.raises(ProjectError, match="no weights"):
        export_npz(tmp_path / "w.npz", graph, {})
    assert not (tmp_path / "w.npz").exists()


def test_missing_and_extra_keys_are_told(cnn, file, tmp_path):
    with np.load(file) as archive:
        arrays = {k: archive[k] for k in archive.files}
    arrays["old.weight"] = arrays.pop("fc3.bias").astype(np.float64)
    np.savez(tmp_path / "o.npz", **arrays)
    state, missing, extra = import_npz(tmp_path / "o.npz", cnn.graph)
    assert missing == ["fc3.bias"] and extra == ["old.weight"] and "fc3.weight" in state
