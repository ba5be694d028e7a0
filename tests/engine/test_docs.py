"""The examples of docs/engine.md run as they stand; docs/layers.md is what the layers say of themselves."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tests.engine.layer_docs import document

DOC = Path(__file__).parents[2] / "docs" / "engine.md"


def test_examples_run_and_give_the_numbers_of_the_text(capsys):
    blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 6
    names: dict[str, object] = {}
    for block in blocks:
        assert len([line for line in block.splitlines() if line.strip()]) <= 20
        exec(compile(block, "engine.md", "exec"), names)
        if "target =" in block:
            net = names["net"]
            np.testing.assert_allclose(names["loss"], 0.315, rtol=1e-6)
            np.testing.assert_allclose(net.gradient("fc1.z"), [[0, 0.05], [0, -0.25]], rtol=1e-6)
            np.testing.assert_allclose(net.gradient("fc1.weight"), [[0.1, 0.2], [-0.5, -1]], rtol=1e-6)
            np.testing.assert_allclose(net.value("fc1.weight@old"), [[0.5, -0.25], [0.25, 0.5]])
            np.testing.assert_allclose(net.value("fc1.weight@new"), [[0.49, -0.27], [0.3, 0.6]], rtol=1e-6)
    assert "opencl" in capsys.readouterr().out or "numpy" in str(names["there"])


def test_the_page_of_the_layers_is_up_to_date():
    written = (DOC.parent / "layers.md").read_text(encoding="utf-8")
    assert written == document(), "run `python3 tasks.py docs`"
