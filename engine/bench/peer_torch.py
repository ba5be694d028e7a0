"""PyTorch's side of a measurement: eager, as a careful person writes it, in a chosen memory layout.

Run by an interpreter that has torch: `python -m engine.bench.peer_torch WORK LAYOUT` with LAYOUT
`contiguous` or `channels_last`. The version is pinned in pyproject.toml (group parity). Same
protocol as engine.bench.side.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

from engine.bench.side import serve
from engine.bench.work import CHECK_STEPS, LEARNING_RATE, batch, weights


class Small(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """Conv5 8, pool, conv5 16, pool, dense 10."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(8, 16, 5, padding=2)
        self.fc = torch.nn.Linear(784, 10)

    def forward(self, x: Any) -> Any:
        x = torch.nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


class Mlp(torch.nn.Module):  # type: ignore[misc,unused-ignore]
    """784-128-10."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(784, 128), torch.nn.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        return self.fc2(torch.relu(self.fc1(x)))


class Side:
    """The usual loop: zero_grad, loss, backward, step."""

    def __init__(self, name: str, layout: str) -> None:
        x, y = batch(name)
        self.name, self.layout = name, layout
        form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.net = (Mlp() if name == "mlp" else Small()).to(memory_format=form)
        self.x, self.y = torch.from_numpy(x).to(memory_format=form), torch.from_numpy(y)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LEARNING_RATE)
        self.load()

    def load(self) -> None:
        with torch.no_grad():
            for key, array in weights(self.name).items():
                self.net.get_parameter(key).copy_(torch.from_numpy(array))

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(self.net(self.x), self.y).backward()
            self.optimizer.step()

    def check(self, path: str) -> dict[str, Any]:
        self.load()
        self.steps(CHECK_STEPS)
        state = {k: np.ascontiguousarray(v.detach().numpy()) for k, v in self.net.state_dict().items()}
        np.savez(path, allow_pickle=False, **state)
        return {
            "device": f"torch {torch.__version__} {self.layout}",
            "detail": f"{torch.get_num_threads()} threads",
        }


if __name__ == "__main__":
    serve(Side(sys.argv[1], sys.argv[2]))
