"""Reading numbers from mirrored variables.

`float` and `int` do not accept a variable of several replicas.
"""

import keras
import numpy as np
import pytest
from weighting_harness import ARGUMENTS, TASKS

import mtl_keras
from mtl_keras import weighting
from mtl_keras.tuning.best_recipe import optimizer_table
from mtl_keras.tuning.compiled_models import CompiledModels
from mtl_keras.tuning.trial_arguments import TrialArguments

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.003),
    "sgd": lambda: keras.optimizers.SGD(0.003, momentum=0.9),
    "loss scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.003)
    ),
}


def samples():
    x = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    return x, {"left": x[:, :3].argmax(1), "right": x[:, 3:].argmax(1)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_of_an_optimizer(name, two_replicas):
    with two_replicas.scope():
        optimizer = OPTIMIZERS[name]()
        optimizer.build([keras.Variable([1.0])])
    table = optimizer_table(optimizer, None)
    assert table["learning_rate"] == pytest.approx(0.003)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    found = keras.ops.convert_to_numpy(again.learning_rate)
    assert found == pytest.approx(0.003)


def test_of_a_model_that_trials_share(two_replicas):
    def build(learning_rate=0.001, loss_weights=None, compile=True):
        return mtl_keras.build_mlp(
            (6,),
            num_classes=3,
            hidden_units=(4,),
            optimizer=keras.optimizers.Adam(learning_rate),
            loss_weights=loss_weights,
            compile=compile,
        )

    models = CompiledModels(build)
    built = []
    for rate, weight in ((0.001, 0.5), (0.01, 2.0)):
        arguments = TrialArguments({}, {"right": weight}, rate, None, None)
        with two_replicas.scope():
            built.append(models.build(arguments))
        assert dict(built[-1].loss_weights) == {"left": 1.0, "right": weight}
        found = keras.ops.convert_to_numpy(built[-1].optimizer.learning_rate)
        assert found == pytest.approx(rate)
    assert built[0] is built[1]


def test_of_a_weighting(two_replicas):
    for name in weighting.names():
        config = {"class_name": name, "config": ARGUMENTS.get(name, {})}
        with two_replicas.scope():
            method = weighting.get(config)
            method.build(TASKS)
        assert int(method.steps.numpy()) == 0
        for argument in type(method).adjustable_arguments():
            value = getattr(method, argument)
            setattr(method, argument, value)
            assert getattr(method, argument) == value
        assert weighting.get(weighting.serialize(method)).get_config() == (
            method.get_config()
        )


@pytest.mark.slow
def test_of_a_trained_model(two_replicas, tmp_path):
    x, y = samples()
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (6,), num_classes=3, hidden_units=(4,), weighting="pcgrad"
        )
        model.compile("adam", weighting="pcgrad", non_finite="skip")
    logs = model.fit(
        x,
        y,
        epochs=2,
        batch_size=8,
        validation_data=(x, y),
        verbose=0,
        callbacks=[
            keras.callbacks.ReduceLROnPlateau(min_delta=10.0, patience=1),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
            mtl_keras.LossWeightSchedule(lambda epoch: {"left": 0.5**epoch}),
            mtl_keras.BackupAndRestore(tmp_path / "backup"),
        ],
    ).history
    assert all(isinstance(value, float) for value in logs["loss"])
    assert model.loss_weights["left"] == 0.5
    skipped = model.skipped_steps
    assert (skipped.without_labels, skipped.steps) == (0, 0)
    model.save(tmp_path / "model.keras")
    with two_replicas.scope():
        loaded = mtl_keras.load_model(tmp_path / "model.keras")
    assert loaded.loss_weights["left"] == 0.5
    assert int(loaded.optimizer.iterations.numpy()) == 4
    mtl_keras.fit_in_stages(
        loaded, x, y, stages=["left", "right"], epochs=1, verbose=0
    )
    loaded.set_weights(model.get_weights())
    parts = mtl_keras.split(loaded)
    for task, part in parts.items():
        np.testing.assert_allclose(
            part(x), model(x)[task], rtol=1e-5, atol=1e-6
        )
