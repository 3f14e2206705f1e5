"""The examples of the guide to missing labels run one after the other."""

import re
from pathlib import Path

import numpy as np
import pytest

from mtl_keras.datasets import tox21

GUIDE = Path(__file__).parents[2] / "docs" / "missing-labels.md"


def write_tox21(path, rng):
    """Writes a small substitute for Tox21 with random labels."""
    np.savez(
        path,
        fp_packed=rng.integers(0, 256, (100, 128), dtype="uint8"),
        y=rng.integers(-1, 2, (100, 12)),
        tasks=np.array(tox21.ASSAYS),
    )


@pytest.mark.slow
def test_guide_runs(tmp_path, monkeypatch, capsys, rng):
    monkeypatch.chdir(tmp_path)
    write_tox21("tox21.npz", rng)
    text = GUIDE.read_text()
    names = {"__name__": "guide"}
    with pytest.warns(UserWarning, match="had no label for any task") as said:
        for block in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
            exec(compile(block, GUIDE.name, "exec"), names)
    assert len(said) == 1
    printed = capsys.readouterr().out
    for shown in re.findall(r"^```text\n(.*?)^```", text, re.S | re.M):
        assert shown in printed
