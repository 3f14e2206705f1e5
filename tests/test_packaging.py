"""The installed files: only the package, typed, with its recipes."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Returns the built wheel."""
    hatchling = pytest.importorskip("hatchling.build")
    folder = tmp_path_factory.mktemp("wheel")
    # The backend reads pyproject.toml in the working folder.
    code = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"
    assert hatchling
    built = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return zipfile.ZipFile(folder / built.stdout.split()[-1])


def test_wheel_installs_one_package(wheel):
    names = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in names if "dist-info" not in name} == {"mtl_keras"}


def test_wheel_ships_types_and_recipes(wheel):
    names = set(wheel.namelist())
    assert "mtl_keras/py.typed" in names
    for recipe in (ROOT / "models").glob("*/recipe.toml"):
        shipped = f"mtl_keras/zoo_entries/{recipe.parent.name}/recipe.toml"
        assert shipped in names


def test_import_loads_nothing_that_keras_does_not(forked_programs):
    code = """
import json, sys
import tensorflow, keras
before = set(sys.modules)
import mtl_keras
print(json.dumps(sorted(
    {name.split(".")[0] for name in set(sys.modules) - before}
)))
"""
    output = forked_programs.run(code)
    loaded = set(json.loads(output.splitlines()[-1]))
    assert "mtl_keras" in loaded
    heavy = {"matplotlib", "keras_tuner", "scipy", "typer", "sklearn", "rich"}
    assert not loaded & (heavy | {"pydantic", "pandas"})


@pytest.mark.slow
def test_saved_model_runs_in_plain_tensorflow(tmp_path, forked_programs):
    import numpy as np

    import mtl_keras

    model = mtl_keras.build_cnn_cls_seg((8, 8, 3), filters=(4, 8))
    x = np.ones((2, 8, 8, 3), "float32")
    expected = model(x)["classification"].numpy().tolist()
    model.export(tmp_path / "saved_model", verbose=False)
    code = f"""
import json, sys
sys.modules["keras"] = sys.modules["mtl_keras"] = None  # cannot be imported
import tensorflow as tf
serve = tf.saved_model.load({str(tmp_path / "saved_model")!r}).signatures[
    "serving_default"
]
outputs = serve(image=tf.ones((2, 8, 8, 3)))
assert set(outputs) == {{"classification", "segmentation"}}
print(json.dumps(outputs["classification"].numpy().tolist()))
"""
    output = forked_programs.run(code)
    found = json.loads(output.splitlines()[-1])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
