"""The project's own sentence, run with the defaults on one and two replicas.

Factories build models with named losses and loss weights; `fit` takes dict
targets; KerasTuner searches trunk width and task weights, with `tf.distribute`
over the devices; the best model is a SavedModel that plain TensorFlow serves.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras_tuner
import numpy as np
import pytest

import mtl_keras
from mtl_keras import distribution, tuning

ROOT = Path(__file__).parents[1]
# All names of a published space are searched, except those of the data.
INPUTS = {"input_shape": [(6,)], "num_classes": 3}
# Serves each SavedModel in a process without mtl_keras.
SERVE = """
import json, sys
import tensorflow as tf
served = {}
for path in sys.argv[1:]:
    serve = tf.saved_model.load(path).signatures["serving_default"]
    ((name, spec),) = serve.structured_input_signature[1].items()
    outputs = serve(**{name: tf.zeros((2, *spec.shape[1:]))})
    served[path] = {key: list(value.shape) for key, value in outputs.items()}
assert "mtl_keras" not in sys.modules
"""
# Runs in the clone, and imports from it.
PROGRAM = f"""{SERVE}
from models import build_cnn_cls_seg
from tuning import search
print(json.dumps([served, build_cnn_cls_seg.__module__, search.__module__]))
"""


def samples(count=64):
    x = np.random.default_rng(0).normal(size=(count, 6)).astype("float32")
    return x, {"left": x[:, :3].argmax(1), "right": x[:, 3:].argmax(1)}


DATA = samples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("card")


@pytest.fixture(scope="module")
def searches(folder, two_replicas):
    """Searches over the published space, on one replica and on two.

    Dropout draws different masks on each replica, so it is disabled.
    """
    return {
        replicas: tuning.search(
            mtl_keras.build_mlp,
            {**INPUTS, "dropout": 0.0},
            DATA,
            DATA,
            objective="left_loss",
            tuner="random",
            max_trials=1,
            epochs=1,
            verbose=0,
            distribution="mirrored" if replicas == 2 else "none",
            replicas=replicas,
            directory=folder,
            name=f"on_{replicas}",
        )
        for replicas in (1, 2)
    }


@pytest.fixture(scope="module")
def default_model():
    """Returns `build_cnn_cls_seg()`, fitted with a dict of targets."""
    images = np.random.default_rng(0).random((8, 32, 32, 3), "float32")
    model = mtl_keras.build_cnn_cls_seg()
    masks = (images[..., :1] > 0.5).astype("float32")
    targets = {"classification": np.arange(8) % 10, "segmentation": masks}
    history = model.fit(images, targets, verbose=0).history
    assert {"loss", "classification_loss", "segmentation_loss"} <= set(history)
    assert all(np.isfinite(values).all() for values in history.values())
    return model


def export(model, path):
    """Exports a model; returns the shapes that it should serve."""
    model.export(path, verbose=False)
    shapes = model.task_output_shapes
    return {task: [2, *shape] for task, shape in shapes.items()}


def test_the_default_model_is_fitted_with_named_targets(default_model):
    assert default_model.output_names == ["classification", "segmentation"]


def test_the_best_model_serves_in_plain_tensorflow(
    searches, folder, forked_programs
):
    study = searches[2]
    # A study file can name everything but arrays.
    assert "# [data]" in (study.folder / "study.toml").read_text()
    path = str(folder / "served")
    expected = export(study.best_model(), path)
    code = SERVE.replace("sys.argv[1:]", repr([path]))
    output = forked_programs.run(f"{code}\nprint(json.dumps(served))")
    assert json.loads(output.splitlines()[-1]) == {path: expected}


def test_the_clone_has_the_factories_and_the_search():
    names = {"models": "build_cnn_cls_seg", "tuning": "search"}
    for folder, name in names.items():
        source = (ROOT / folder / "__init__.py").read_text()
        found = {}
        exec(source, found)
        assert found[name] is getattr(getattr(mtl_keras, folder), name)


@pytest.mark.slow
def test_saved_models_serve_in_plain_tensorflow_and_the_clone_imports(
    default_model, searches, folder
):
    models = {
        "default": default_model,
        **{f"best_on_{n}": s.best_model() for n, s in searches.items()},
    }
    expected = {
        str(folder / name): export(model, str(folder / name))
        for name, model in models.items()
    }
    environment = {**os.environ, "PYTHONPATH": ""}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *expected],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    served, *modules = json.loads(result.stdout.splitlines()[-1])
    assert served == expected
    assert modules == [
        "mtl_keras.models.cnn_cls_seg",
        "mtl_keras.tuning.search",
    ]


def test_two_replicas_score_as_one(searches):
    one, two = (searches[replicas].trials for replicas in (1, 2))
    for found, expected in zip(two, one, strict=True):
        assert found.completed, found.reason
        assert found.values == expected.values
        assert {"trunk_width", "learning_rate"} <= set(found.values)
        assert found.loss_weights["right"] != 1
        for name, value in expected.metrics.items():
            assert found.metrics[name] == pytest.approx(value, rel=1e-4), name


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("RandomSearch", {"max_trials": 1}),
        *(
            pytest.param(name, limits, marks=pytest.mark.slow)
            for name, limits in (
                ("RandomSearch", {"max_trials": 2}),
                ("Hyperband", {"max_epochs": 2}),
                ("BayesianOptimization", {"max_trials": 1}),
            )
        ),
    ],
)
def test_stock_tuners_search_on_two_replicas(
    name, limits, folder, two_replicas
):
    tuner = getattr(keras_tuner, name)(
        tuning.MultiTaskHyperModel(mtl_keras.build_mlp, INPUTS),
        objective=tuning.keras_tuner_objective("left_accuracy"),
        directory=folder,
        project_name=f"{name}_{limits}",
        distribution_strategy=two_replicas,
        seed=1,
        **limits,
    )
    tuner.search(*DATA, validation_data=DATA, epochs=1, verbose=0)
    trials = list(tuner.oracle.trials.values())
    assert trials and all(trial.status == "COMPLETED" for trial in trials)
    study = tuning.Study.from_tuner(tuner)
    model = study.best_model()
    assert distribution.strategy(two_replicas).num_replicas_in_sync == 2
    logs = model.evaluate(*DATA, verbose=0, return_dict=True)
    assert logs["left_accuracy"] == pytest.approx(
        study.best.objectives["left_accuracy"]
    )


def test_a_build_function_is_searched(folder):
    def build(hp):
        return mtl_keras.build_mlp(
            (6,),
            num_classes=3,
            trunk_width=hp.Int("trunk_width", 4, 16),
            loss_weights={"right": hp.Float("right", 0.1, 10, sampling="log")},
        )

    study = tuning.search(
        build,
        None,
        DATA,
        DATA,
        objective="left_accuracy",
        max_trials=1,
        epochs=1,
        verbose=0,
        directory=folder,
    )
    assert all(trial.completed for trial in study.trials)
    assert set(study.best.values) == {"right", "trunk_width"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
def test_the_total_loss_does_not_compare_loss_weights(folder):
    space = {**INPUTS, "trunk_width": 8, "loss_weight/right": (1e-3, 1e3)}
    tuner = keras_tuner.RandomSearch(
        tuning.MultiTaskHyperModel(mtl_keras.build_mlp, space),
        objective="val_loss",
        max_trials=2,
        directory=folder,
        project_name="total",
    )
    with pytest.raises(ValueError, match="'val_loss' is the weighted sum"):
        tuner.search(*DATA, validation_data=DATA, epochs=1, verbose=0)


def test_the_install_line_is_the_same_everywhere():
    line = 'pip install -e ".[notebooks]"'
    for path in ("README.md", "docs/tuning.md"):
        assert line in (ROOT / path).read_text(), path
    for name in ("quickstart", "tuning"):
        notebook = json.loads((ROOT / f"examples/{name}.ipynb").read_text())
        assert line in "".join(notebook["cells"][0]["source"]), name
