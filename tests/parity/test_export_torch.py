"""An exported .npz goes into PyTorch's `load_state_dict` and computes the same there."""

from __future__ import annotations

import json

import numpy as np

from engine.export.npz import export_npz
from tests.engine.export_help import small_cnn


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
