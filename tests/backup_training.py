"""Trainings that are killed and resume from a backup."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import mtl_keras

SAMPLES, BATCH = 22, 4  # 6 batches, the last one of 2
UNDISTURBED = {}  # results of trainings, by their settings


class Killed(Exception):
    """Imitates a kill: nothing runs in this training after it."""


class Kill(keras.callbacks.Callback):
    """Ends a training after a batch, before its backup."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.at == (epoch, 0):
            raise Killed

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch + 1) >= self.at:
            raise Killed


def make_model(
    dropout=0.2, strategy="none", optimizer="adam", eager=True, **arguments
):
    """Returns a new model, which runs eagerly because tracing takes longer."""
    keras.utils.set_random_seed(1)
    model = mtl_keras.distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(5,),
        tasks=[
            mtl_keras.Classification("grade", 3),
            mtl_keras.Regression("price"),
        ],
        hidden_units=(6,),
        dropout=dropout,
        compile=False,
    )
    with model.distribute_strategy.scope():
        model.compile(optimizer, run_eagerly=eager, **arguments)
    return model


def make_traced(**arguments):
    """Returns the same model with a traced step."""
    return make_model(eager=False, **arguments)


def arrays(missing=False):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, 5)).astype("float32")
    y = {
        "grade": rng.integers(3, size=SAMPLES),
        "price": rng.normal(size=SAMPLES).astype("float32"),
    }
    if missing:
        y["price"][::3] = np.nan
    return x, y


def array_data(**options):
    x, y = arrays(**options)
    return {"x": x, "y": y, "batch_size": BATCH}


def dataset_data(**options):
    data = tf.data.Dataset.from_tensor_slices(arrays(**options))
    return {"x": data.shuffle(SAMPLES, seed=5).batch(BATCH)}


def endless_data():
    data = tf.data.Dataset.from_tensor_slices(arrays())
    data = data.shuffle(SAMPLES, seed=5).repeat().batch(BATCH)
    return {"x": data, "steps_per_epoch": 5}


def unknown_length_data():
    data = tf.data.Dataset.from_tensor_slices(arrays())
    data = data.shuffle(SAMPLES, seed=5).filter(lambda x, y: x[0] > -9.0)
    return {"x": data.batch(BATCH)}


class Batches(keras.utils.PyDataset):
    """Shuffles itself at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.epoch = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        x, y = arrays()
        order = np.random.default_rng(self.epoch).permutation(SAMPLES)
        rows = order[BATCH * index :][:BATCH]
        return x[rows], {name: values[rows] for name, values in y.items()}

    def on_epoch_end(self):
        self.epoch += 1


def py_dataset_data():
    return {"x": Batches(), "shuffle": False}


def run(model, data, callbacks=(), epochs=3, **options):
    return model.fit(
        **data, epochs=epochs, verbose=0, callbacks=[*callbacks], **options
    ).history


def training_state(model):
    variables = [*model.variables, *model.optimizer.variables]
    if model.weighting is not None:
        variables += model.weighting.variables
    return [keras.ops.convert_to_numpy(v) for v in variables]


def assert_goes_on(
    path, make, data, at, *, every_steps=2, others=tuple, exact=True, **options
):
    """Compares a training that is killed at `at` with one that is not."""
    key = None if options or others is not tuple else (make, data)
    if key is None or key not in UNDISTURBED:
        model = make()
        backup = mtl_keras.BackupAndRestore(path)
        history = run(model, data(), [*others(), backup], **options)
        UNDISTURBED[key] = training_state(model), history
    expected, history = UNDISTURBED[key]

    backup = mtl_keras.BackupAndRestore(path, every_steps=every_steps)
    with pytest.raises(Killed):
        run(make(), data(), [*others(), backup, Kill(*at)], **options)
    found = make()
    went_on = run(found, data(), [*others(), backup], **options)
    compare = (
        np.testing.assert_array_equal
        if exact
        else lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    )
    for ours, undisturbed in zip(training_state(found), expected, strict=True):
        compare(ours, undisturbed)
    assert went_on.keys() == history.keys()
    for name, values in history.items():
        compare(went_on[name], values)
    assert not path.exists()
    return backup
