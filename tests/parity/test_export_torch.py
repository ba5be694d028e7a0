"""An exported .npz goes into PyTorch's `load_state_dict` and computes the same there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.export.npz import export_npz
from engine.graph import GraphSpec
from engine.layers import (
    GRU,
    LSTM,
    Embedding,
    Flatten,
    Input,
    MultiHeadSelfAttention,
    Output,
    SimpleRNN,
)
from engine.network import Network
from tests.engine.export_help import small_cnn


def test_exported_attention_is_loaded_by_pytorch_as_it_is(tmp_path, torch):
    """Strict: the keys and shapes are those of nn.MultiheadAttention."""
    graph = GraphSpec().add("x", Input((5,))).add("embed", Embedding(7, 8), after="x")
    graph = graph.add("look", MultiHeadSelfAttention(2, causal=True), after="embed")
    graph = graph.add("flat", Flatten(), after="look").add("output", Output(), after="flat")
    net = Network(graph, batch=3)
    path = export_npz(tmp_path / "w.npz", graph, net.weights())
    with np.load(path, allow_pickle=False) as archive:
        weights = {k: torch.from_numpy(archive[k]) for k in archive.files if k != "__meta__"}
    table = torch.nn.Embedding.from_pretrained(weights.pop("embed.weight"))
    look = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    look.load_state_dict({k.removeprefix("look."): v for k, v in weights.items()})
    x = np.random.default_rng(1).integers(0, 7, (3, 5))
    later = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    with torch.no_grad():
        seen = table(torch.from_numpy(x))
        theirs, shares = look(seen, seen, seen, attn_mask=later, average_attn_weights=False)
    ours = net.forward(x.astype(np.float32)).reshape(3, 8, 5)
    assert np.abs(ours - theirs.numpy().transpose(0, 2, 1)).max() < 1e-6
    assert np.abs(net.value("look.weights") - shares.numpy().transpose(1, 2, 3, 0)).max() < 1e-6


def test_the_exported_cnn_computes_the_same_in_pytorch(tmp_path, torch):
    trainer = small_cnn()
    path = export_npz(tmp_path / "w.npz", trainer.graph, trainer.checkpoint().state, trainer.dataset)
    with np.load(path, allow_pickle=False) as archive:
        weights = {k: torch.from_numpy(archive[k]) for k in archive.files if k != "__meta__"}
        meta = json.loads(str(archive["__meta__"]))

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = torch.nn.Conv2d(1, 4, 3, padding=1)
            self.norm1 = torch.nn.BatchNorm2d(4)
            self.fc1 = self.fc2 = torch.nn.Linear(48, 48)
            self.fc3 = torch.nn.Linear(48, 3)

        def forward(self, x):
            x = torch.max_pool2d(torch.relu(self.norm1(self.conv1(x))), 2)
            return self.fc3(self.fc2(torch.relu(self.fc1(x.flatten(1)))))

    net = Net()
    net.load_state_dict(weights)  # strict: no key is missing, none too many
    net.eval()
    x = trainer.dataset.test_inputs()
    with torch.no_grad():
        theirs = net(torch.from_numpy(x)).numpy()
    ours = next(iter(trainer.predict(x).values()))
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()
    assert meta["class_names"] == ["a", "b", "c"]


@pytest.mark.parametrize(("layer", "name"), [(SimpleRNN(6, "all"), "RNN"), (GRU(6, "all"), "GRU"),
                                             (LSTM(6, "all"), "LSTM")])  # fmt: skip
def test_an_exported_recurrent_layer_is_loaded_by_pytorch_as_it_is(tmp_path, torch, layer, name):
    """Strict: keys, shapes and order of the gates are those of nn.RNN, nn.GRU and nn.LSTM."""
    graph = GraphSpec().add("x", Input((5,))).add("embed", Embedding(7, 8), after="x")
    graph = graph.add("rnn", layer, after="embed").add("flat", Flatten(), after="rnn")
    graph = graph.add("output", Output(), after="flat")
    net = Network(graph, batch=3)
    path = export_npz(tmp_path / "w.npz", graph, net.weights())
    with np.load(path, allow_pickle=False) as archive:
        weights = {k: torch.from_numpy(archive[k]) for k in archive.files if k != "__meta__"}
    table = torch.nn.Embedding.from_pretrained(weights.pop("embed.weight"))
    theirs = getattr(torch.nn, name)(8, 6, batch_first=True)
    theirs.load_state_dict({k.removeprefix("rnn."): v for k, v in weights.items()})
    x = np.random.default_rng(1).integers(0, 7, (3, 5))
    with torch.no_grad():
        states, _ = theirs(table(torch.from_numpy(x)))
    ours = net.forward(x.astype(np.float32)).reshape(3, 6, 5)
    assert np.abs(ours - states.numpy().transpose(0, 2, 1)).max() < 1e-6
