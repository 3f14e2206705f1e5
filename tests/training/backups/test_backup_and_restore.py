"""A training that was stopped anywhere ends as one that was not."""

import keras
import numpy as np
import pytest
from backup_training import (
    SAMPLES,
    Batches,
    Kill,
    Killed,
    array_data,
    arrays,
    assert_goes_on,
    dataset_data,
    endless_data,
    make_model,
    make_traced,
    py_dataset_data,
    run,
    training_state,
    unknown_length_data,
)
from factory_harness import mostly_slow

import mtl_keras


@pytest.mark.parametrize(
    "at", mostly_slow([(0, 1), (1, 0), (1, 4), (2, 6)], [(1, 4)])
)
def test_arrays_that_are_shuffled(path, at):
    backup = assert_goes_on(path, make_traced, array_data, at)
    epoch, step = at
    complete = (step - 1) // 2 * 2  # the kill comes before the backup
    expected = (epoch, max(complete, 0))
    assert backup.restored_from == (None if expected == (0, 0) else expected)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize(
    "data",
    mostly_slow(
        [
            dataset_data,
            endless_data,
            unknown_length_data,
            py_dataset_data,
        ],
        (),
    ),
)
def test_streams(path, data):
    assert_goes_on(path, make_model, data, (1, 5))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_the_end_of_a_stream_of_unknown_length(path):
    model, again = make_traced(), make_traced()
    backup = mtl_keras.BackupAndRestore(path, every_steps=6)
    data = unknown_length_data
    with pytest.raises(Killed):
        run(model, data(), [backup, KillAtEpochEnd()], epochs=1)
    history = run(again, data(), [backup], epochs=1)
    assert backup.restored_from == (0, 6)
    assert again.optimizer.iterations == 6
    for ours, expected in zip(
        training_state(again), training_state(model), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)
    assert history["grade_loss"][0] > 0


class KillAtEpochEnd(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise Killed


@pytest.mark.parametrize("weighting", mostly_slow(["dwa", "db_mtl"], ()))
def test_weightings_with_state(path, weighting):
    def make():
        return make_model(weighting=weighting)

    assert_goes_on(path, make, array_data, (1, 4))


@pytest.mark.slow
def test_weighting_that_learns_from_held_out_data(path):
    def make():
        return make_model(weighting="auto_lambda")

    assert_goes_on(path, make, array_data, (1, 4), held_out_data=arrays())


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", mostly_slow([array_data, endless_data], [array_data])
)
def test_several_steps_in_an_execution(path, data):
    def make():
        return make_traced(steps_per_execution=2)

    assert_goes_on(path, make, data, (1, 4))


@pytest.mark.slow
def test_missing_labels_and_validation(path):
    def data():
        return array_data(missing=True)

    def others():
        return [
            keras.callbacks.ReduceLROnPlateau(
                "loss", mode="min", patience=1, min_delta=1.0
            )
        ]

    assert_goes_on(
        path, make_model, data, (2, 4), validation_split=0.3, others=others
    )


@pytest.mark.slow
def test_arrays_in_epochs_of_other_lengths(path):
    def data():
        return {**array_data(), "steps_per_epoch": 4}

    assert_goes_on(path, make_model, data, (1, 4))


@pytest.mark.slow
def test_sample_weights(path):
    def data():
        weights = np.linspace(0.0, 2.0, SAMPLES).astype("float32")
        return {**array_data(), "sample_weight": weights}

    assert_goes_on(path, make_model, data, (1, 4))


@pytest.mark.slow
def test_two_replicas(path, two_replicas):
    def make():
        return make_traced(strategy=two_replicas, dropout=0.0)

    assert_goes_on(path, make, array_data, (1, 4), exact=False, epochs=2)


@pytest.mark.slow
def test_metrics_of_other_numbers_of_replicas(path, two_replicas):
    one = make_model(dropout=0.0)
    backup = mtl_keras.BackupAndRestore(path, every_steps=2)
    with pytest.raises(Killed):
        run(one, array_data(missing=True), [backup, Kill(1, 4)])
    two = make_traced(dropout=0.0, strategy=two_replicas)
    found = run(two, array_data(missing=True), [backup])
    model = make_model(dropout=0.0)
    expected = run(model, array_data(missing=True), [backup])
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)


def test_loss_weights_that_were_changed(path):
    model = make_model()
    backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
    run(model, array_data(), [backup], epochs=1)
    model.loss_weights["price"] = 0.25
    run(model, array_data(), [backup], epochs=2)
    # The backup is the later one of the two.
    assert model.loss_weights["price"] == 1.0
    assert backup.restored_from == (1, 0)


@pytest.mark.slow
def test_bfloat16(path):
    def make():
        return make_model()

    keras.config.set_dtype_policy("bfloat16")
    try:
        assert_goes_on(path, make, array_data, (1, 4))
    finally:
        keras.config.set_dtype_policy("float32")


def test_bad_arguments(path):
    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(ValueError, match="There are 2 BackupAndRestore"):
        run(make_model(), array_data(), [backup, backup])
    with pytest.raises(ValueError, match="shuffle=False"):
        make_model().fit(Batches(), callbacks=[backup], verbose=0)
    with pytest.raises(ValueError, match="shuffle='batch'"):
        run(make_model(), array_data(), [backup], shuffle="batch")
    with pytest.raises(ValueError, match="every_steps=0"):
        mtl_keras.BackupAndRestore(path, every_steps=0)
    plain = keras.Sequential([keras.layers.Dense(1)])
    plain.compile("sgd", "mse")
    with pytest.raises(TypeError, match="needs a MultiTaskModel"):
        plain.fit(np.ones((2, 2)), np.ones(2), callbacks=[backup], verbose=0)


def small():
    """Returns a model that trains eagerly, and data for it."""
    keras.utils.set_random_seed(0)
    model = mtl_keras.build_mlp((4,), [mtl_keras.Regression("a")])
    model.compile("adam", run_eagerly=True)
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    return model, (x, {"a": x[:, 0]})


def test_a_history_that_the_user_passes_has_each_epoch_once(path):
    for epochs in (1, 2):
        model, data = small()
        history = keras.callbacks.History()
        backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
        how = {"epochs": epochs, "callbacks": [history, backup], "verbose": 0}
        model.fit(*data, **how)
    assert history.epoch == [0, 1]
    assert len(history.history["loss"]) == 2


def test_a_complete_training_ends_with_the_best_weights_again(path):
    ends = []
    for _ in range(2):
        model, data = small()
        backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
        # The first epoch is the best one.
        best = keras.callbacks.EarlyStopping(
            "loss", mode="max", patience=9, restore_best_weights=True
        )
        how = {"epochs": 2, "callbacks": [best, backup], "verbose": 0}
        model.fit(*data, **how)
        ends.append(model.get_weights())
    for first, second in zip(*ends, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_stream_that_counts_its_epochs_continues_with_the_next(path):
    def trained(epochs, **options):
        model, (x, y) = small()
        sets = {"first": (x, y), "second": (x + 1, y)}
        stream = mtl_keras.datasets.mix(sets, batch_size=4, seed=1)
        backup = mtl_keras.BackupAndRestore(path, **options)
        model.fit(stream, epochs=epochs, callbacks=[backup], verbose=0)
        return model.get_weights()

    expected = trained(3)
    trained(2, delete_checkpoint=False)
    for found, wanted in zip(trained(3), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
