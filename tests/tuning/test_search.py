"""Searches: reproducible, with failures, and distinguished by settings."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tuning_problem import (
    build,
    build_eager,
    build_in_numpy,
    samples,
    search_small,
)

from mtl_keras import tuning
from mtl_keras.tuning import trial_runner
from mtl_keras.tuning.folder_lock import lock_folder

# A search whose models Keras trains.
IN_KERAS = {
    "factory": build_eager,
    "space": {
        "loss_weight": (0.1, 10.0),
        "optimizer": keras.optimizers.SGD(),
    },
    "max_trials": 2,
    "epochs": 2,
}


def outcomes(study):
    """Returns the results of the trials except for durations."""
    return [
        {**trial.as_row(), "seconds": None, "reason": trial.reason[:30]}
        for trial in study.trials
    ]


@pytest.mark.parametrize(
    "tuner", ["random", pytest.param("grid", marks=pytest.mark.slow)]
)
def test_the_same_seed_gives_the_same_trials_and_scores(tmp_path, tuner):
    space = {"loss_weight": (0.1, 10.0), "width": [2, 3]}
    arguments = {"space": space, "tuner": tuner, "max_trials": 2}
    first, again, other = (
        search_small(tmp_path, **arguments, name=name, seed=seed)
        for name, seed in (("first", 4), ("again", 4), ("other", 5))
    )
    assert len(first.trials) == 2
    assert outcomes(first) == outcomes(again)
    if tuner == "random":
        assert first.trials[0].values != other.trials[0].values


@pytest.fixture(scope="module")
def in_keras(tmp_path_factory):
    """Runs two trials, the second with the model of the first."""
    return search_small(tmp_path_factory.mktemp("keras"), **IN_KERAS)


def train_by_hand(trial, factory, **fit):
    """Trains the model of a trial; returns its best epoch and all logs."""
    seed = trial_runner.TrialRunner.training_seed
    found = seed(type("Seeded", (), {"seed": 0}), trial.number, 0, 0)
    keras.utils.set_random_seed(found)
    model = factory(loss_weights=trial.loss_weights, optimizer="sgd")
    keras.utils.set_random_seed(found)
    history = model.fit(
        *samples(), **fit, validation_data=samples(seed=1), verbose=0
    ).history
    return int(np.argmax(history["val_left_accuracy"])), history


def test_scores_are_those_of_training_by_hand(in_keras):
    for trial in in_keras.trials:
        best, history = train_by_hand(
            trial, build_in_numpy, epochs=2, batch_size=48
        )
        assert trial.epochs == best + 1
        for name, value in trial.metrics.items():
            if name != "parameters":
                expected = history[f"val_{name}"][best]
                assert value == pytest.approx(expected, rel=1e-5), name


@pytest.mark.slow
def test_scores_are_exactly_those_of_training_by_hand(tmp_path):
    fit = {"epochs": 3, "batch_size": 16}
    study = search_small(tmp_path, **{**IN_KERAS, **fit, "factory": build})
    for trial in study.trials:
        best, history = train_by_hand(trial, build, **fit)
        assert trial.epochs == best + 1
        for name, value in trial.metrics.items():
            if name != "parameters":
                assert value == history[f"val_{name}"][best], name


def test_best_model_has_the_weights_of_the_best_epoch(tmp_path):
    study = search_small(
        tmp_path, epochs=4, space={"learning_rate": (1.0, 9.0)}
    )
    assert study.best.epochs < 4
    found = study.best_model().evaluate(
        *samples(seed=1), verbose=0, return_dict=True
    )
    expected = {**study.best.metrics, **study.best.objectives}
    assert found == pytest.approx(
        {name: expected[name] for name in found}, rel=1e-6
    )


def test_a_search_that_is_over_runs_nothing(tmp_path, monkeypatch):
    study = search_small(tmp_path, max_trials=2)
    with monkeypatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", None)
        again = search_small(tmp_path, max_trials=2)
        assert again.trials == study.trials
    assert len(search_small(tmp_path, max_trials=3).trials) == 3


def test_another_search_in_the_folder_is_refused_with_the_difference(tmp_path):
    search_small(tmp_path, max_trials=1)
    with pytest.raises(
        ValueError, match=r"loss_weight/right was .\(0.1, 10.0.*\(0.2, 10.0"
    ):
        search_small(tmp_path, space={"loss_weight": (0.2, 10.0)})
    with pytest.raises(ValueError, match="epochs was 1 and is 2"):
        search_small(tmp_path, epochs=2)
    with pytest.raises(FileExistsError, match="resume=True"):
        search_small(tmp_path, resume=False)


def test_a_second_search_in_the_folder_is_refused(tmp_path):
    (tmp_path / "small").mkdir()
    with (
        lock_folder(tmp_path / "small", "the first"),
        pytest.raises(tuning.FolderInUseError, match="'the first'"),
    ):
        search_small(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "left_acuracy"}, "Did you mean 'left_accuracy'"),
        ({"objective": "val_loss"}, "the smallest weights would win"),
        ({"tuner": "baysian"}, "Did you mean 'bayesian'"),
        ({"validation": None}, "validation is missing"),
        ({"space": {}}, "The space is empty"),
        ({"space": {"width": [2, 3]}}, "only 2 points"),
        ({"max_trials": 0}, "max_trials: found 0, expected 1"),
        ({"epochs": 0}, "epochs: found 0, expected 1"),
        ({"workers": 0}, "workers: found 0, expected 1"),
        ({"loss_weights": "sums"}, "loss_weights='sums'"),
    ],
)
def test_bad_arguments_are_refused_before_files_are_written(
    tmp_path, arguments, message
):
    with pytest.raises(ValueError, match=message):
        search_small(tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_batches_of_the_data_exclude_batch_size(tmp_path):
    data = tf.data.Dataset.from_tensor_slices(samples()).batch(16)
    with pytest.raises(ValueError, match="Leave batch_size out"):
        search_small(
            tmp_path,
            space={"batch_size": [8, 16]},
            train=data,
            validation=data,
        )
    assert list(tmp_path.iterdir()) == []


def test_choices_of_numpy_are_written_as_plain_numbers(tmp_path):
    study = search_small(
        tmp_path,
        space={"width": np.array([3]), "learning_rate": np.array([0.1, 0.2])},
        callbacks=keras.callbacks.TerminateOnNaN(),
        tuner="grid",
        max_trials=1,
    )
    assert "width = 3\n" in (study.folder / "best.toml").read_text()
    assert repr(study.best.values) == "{'width': 3, 'learning_rate': 0.1}"


def test_executions_and_folds_are_averaged(tmp_path, monkeypatch):
    seeds = []
    fit = trial_runner.fit_model

    def counted(model, part, seed, last, **arguments):
        seeds.append(seed)
        assert len(part.validation[0]) == 24
        return fit(model, part, seed, last, **arguments)

    monkeypatch.setattr(trial_runner, "fit_model", counted)
    study = search_small(
        tmp_path, validation=None, folds=2, executions_per_trial=2, max_trials=1
    )
    assert len(seeds) == len(set(seeds)) == 4
    assert study.best.deviations["left_accuracy"] > 0


@pytest.mark.slow
def test_streams_train_as_their_arrays_do(tmp_path, in_keras):
    stream = tf.data.Dataset.from_tensor_slices(samples(seed=1)).batch(48)
    found = search_small(
        tmp_path, **{**IN_KERAS, "validation": stream, "max_trials": 1}
    )
    assert found.best.metrics == pytest.approx(in_keras.trials[0].metrics)


@pytest.mark.slow
def test_gains_are_relative_to_references_that_are_trained_once(
    tmp_path, monkeypatch
):
    arguments = {"objective": "delta_m", "max_trials": 2}
    study = search_small(tmp_path, **arguments)
    assert set(study.references) == {"left", "right"}
    for trial in study.trials:
        gains = [
            trial.metrics[f"{task}_accuracy"] / reference - 1
            for task, reference in study.references.items()
        ]
        assert trial.objectives["delta_m"] == pytest.approx(np.mean(gains))
    with monkeypatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", None)
        again = search_small(tmp_path, **arguments)
    assert again.references == study.references
    given = {"left": 0.5, "right": 0.25}
    arguments["max_trials"] = 1
    known = search_small(tmp_path, **arguments, references=given, name="known")
    assert known.references == given
    with pytest.raises(ValueError, match="a number for each task"):
        search_small(
            tmp_path, **arguments, references={"left": 1.0}, name="one"
        )


def test_latency_is_measured(tmp_path):
    study = search_small(
        tmp_path, objective=["left_loss", "latency"], max_trials=1
    )
    assert study.best.objectives["latency"] > 0


def test_callbacks_are_copied_for_each_training(tmp_path):
    class Rows(keras.callbacks.Callback):
        rows = 0

        def on_epoch_end(self, epoch, logs=None):
            self.rows += 1
            assert self.rows == epoch + 1

    search_small(tmp_path, callbacks=[Rows()], epochs=2, max_trials=2)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("arrays", marks=pytest.mark.slow),
        "weights",
        pytest.param("stream", marks=pytest.mark.slow),
    ],
)
def test_plain_keras_models_are_searched_too(tmp_path, form):
    x, y = samples(seed=1)
    validation = {
        "arrays": (x, y),
        "weights": (x, y, {task: np.ones(len(x)) for task in y}),
        "stream": tf.data.Dataset.from_tensor_slices((x, y)).batch(8),
    }[form]

    def factory(width, loss_weights=None):
        inputs = keras.Input((6,))
        x = keras.layers.Dense(width, activation="relu")(inputs)
        outputs = {
            name: keras.layers.Dense(3, activation="softmax", name=name)(x)
            for name in ("left", "right")
        }
        model = keras.Model(inputs, outputs)
        loss = dict.fromkeys(outputs, "sparse_categorical_crossentropy")
        model.compile("adam", loss, loss_weights, run_eagerly=True)
        return model

    study = search_small(
        tmp_path,
        factory,
        {"width": [2, 3], "loss_weight": (0.1, 10.0)},
        objective="left_loss",
        validation=validation,
        max_trials=1,
    )
    assert study.best.completed


def test_the_journal_holds_a_line_for_each_event(tmp_path):
    search_small(tmp_path, max_trials=2)
    lines = (tmp_path / "small" / "journal.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["study", "begin", "end", "begin", "end"]


@pytest.mark.slow
def test_trials_train_on_two_replicas(tmp_path, two_replicas):
    study = search_small(
        tmp_path,
        factory=build,
        distribution=two_replicas,
        max_trials=1,
        batch_size=16,
    )
    one = search_small(
        tmp_path, factory=build, max_trials=1, batch_size=16, name="one"
    )
    for found, expected in zip(study.trials, one.trials, strict=True):
        assert found.completed, found.reason
        assert found.metrics == pytest.approx(expected.metrics, rel=1e-4)
