"""Mistakes that would fail every trial are found before the first one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tuning_problem import build, samples, search_small

X, Y = samples()


def batches(x=X, y=Y):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": (X[:, :5], Y)}, r"In the training data: Input.*\(48, 5\)"),
        (
            {"train": (X, {**Y, "left": Y["left"] + 1})},
            "In the training data: Task 'left'",
        ),
        ({"validation": (X, {"left": Y["left"]})}, "the validation data"),
        ({"validation": (X[:40], Y)}, "In the validation data: .*48 targets"),
        ({"train": batches(X[:, :5])}, "In the training data"),
        ({"train": batches(y=Y["left"])}, "In the training data"),
        ({"train": batches().take(0)}, "found no batches"),
        ({"train": batches().repeat()}, "repeats without end"),
        ({"train": iter([(X, Y)])}, "read only once"),
        (
            {
                "callbacks": keras.callbacks.EarlyStopping(
                    monitor="val_left_acuracy", mode="max"
                )
            },
            "Did you mean 'val_left_accuracy'",
        ),
        (
            {"callbacks": keras.callbacks.EarlyStopping("val_left_loss")},
            "Pass mode='min'",
        ),
        (
            {"callbacks": keras.callbacks.ReduceLROnPlateau("left_accuracy")},
            "Pass mode='max'",
        ),
        ({"references": {"left": 0.5, "right": 0.5}}, "Leave references out"),
        ({"retry_failed": True, "overwrite": True}, "overwrite=True does not"),
        ({"retry_failed": True, "resume": False}, "resume=False does not"),
        ({"folds": 2, "validation_split": 0.5, "validation": None}, "Both"),
        (
            {
                "space": {
                    "optimizer": keras.optimizers.SGD(
                        keras.optimizers.schedules.ExponentialDecay(1, 2, 0.5)
                    ),
                    "learning_rate": (0.1, 0.2),
                }
            },
            "the optimizer has a schedule",
        ),
    ],
)
def test_mistakes_are_found_before_the_first_trial(
    tmp_path, arguments, message
):
    with pytest.raises((TypeError, ValueError), match=message):
        search_small(tmp_path, build, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_keras_infers_no_mode_for_the_metrics_of_a_task():
    stop = keras.callbacks.EarlyStopping("val_left_accuracy")
    stop.set_model(build())
    stop.on_train_begin()
    with pytest.raises(ValueError, match="mode='max'"):
        stop.on_epoch_end(0, {"val_left_accuracy": 0.5})


def test_folds_are_checked_each(tmp_path):
    labels = {**Y, "left": Y["left"].copy()}
    labels["left"][0] = 7
    folds = [(np.arange(24, 48), np.arange(24)), (np.arange(24), [30])]
    with pytest.raises(ValueError, match="the validation data of fold 0"):
        search_small(
            tmp_path, build, train=(X, labels), validation=None, folds=folds
        )


def test_a_custom_callback_may_log_what_another_one_monitors(tmp_path):
    class Log(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["mine"] = 1.0

    stop = keras.callbacks.EarlyStopping(monitor="mine", mode="max")
    study = search_small(tmp_path, callbacks=[Log(), stop], max_trials=1)
    assert study.best.completed


def test_the_data_of_plain_models_is_checked(tmp_path):
    def factory(width):
        inputs = keras.Input((6,))
        outputs = keras.layers.Dense(3, "softmax", name="left")(inputs)
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    with pytest.raises(ValueError, match="In the training data: the default"):
        search_small(
            tmp_path,
            factory,
            {"width": [2, 3]},
            objective="loss",
            train=(X[:, :4], Y["left"]),
            validation=(X, Y["left"]),
        )
