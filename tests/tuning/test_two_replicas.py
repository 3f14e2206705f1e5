"""Searches on two replicas, of every factory and with every entry point.

Scores are those of one replica. Dropout and batch normalization are left out
where scores are compared: the first draws other masks on each replica, the
second rounds otherwise.
"""

import itertools

import keras
import keras_tuner
import numpy as np
import pytest
from factory_harness import SMALL, build_small, random_data, takes
from tuning_problem import SMALL as SMALL_MLP
from tuning_problem import build, samples

from mtl_keras import distribution, models, tuning

FACTORIES = sorted(SMALL)
# What a factory must know of its data; all else is searched.
KEPT = (
    "backbone",
    "decoder_filters",
    "embedding_size",
    "input_shape",
    "num_classes",
    "vocabulary",
)
TUNERS = {
    "random": keras_tuner.RandomSearch,
    "bayesian": keras_tuner.BayesianOptimization,
    "grid": keras_tuner.GridSearch,
    "hyperband": keras_tuner.Hyperband,
}
# Each factory with one tuner in turn, and a small one with all.
PAIRS = sorted(
    {
        *zip(FACTORIES, itertools.cycle(TUNERS)),
        *itertools.product(["build_mlp"], TUNERS),
    }
)


def space_of(name):
    """Returns the published space of a factory, for small data."""
    space = {key: [SMALL[name][key]] for key in KEPT if key in SMALL[name]}
    space |= {"dropout": 0.0} if takes(name, "dropout") else {}
    # The published ranks go beyond the six inputs.
    space |= {"rank": [2, 4]} if takes(name, "rank") else {}
    return space | (
        {"normalization": None} if takes(name, "normalization") else {}
    )


def data_of(name):
    """Returns samples of the default tasks."""
    kept = {key: SMALL[name][key] for key in KEPT if key in SMALL[name]}
    model = models.get(name)(**kept)
    return random_data(model, 16, np.random.default_rng(0))


def search(folder, name, replicas, **arguments):
    data = data_of(name)
    first = build_small(name).tasks[0].name
    return tuning.search(
        models.get(name),
        space_of(name),
        data,
        data,
        **{
            "objective": f"{first}_loss",
            "tuner": "random",
            "max_trials": 2,
            "epochs": 1,
            "batch_size": 8,
            "distribution": "mirrored" if replicas > 1 else "none",
            "replicas": replicas,
            "directory": folder,
            "name": f"{name}_{replicas}",
            "verbose": 0,
            **arguments,
        },
    )


def assert_same_scores(found, expected):
    assert len(found.trials) == len(expected.trials) > 0
    for trial, other in zip(found.trials, expected.trials, strict=True):
        assert trial.completed, trial.reason
        assert trial.values == other.values
        for name, value in other.metrics.items():
            assert trial.metrics[name] == pytest.approx(
                value, rel=1e-4, abs=1e-5
            ), name


@pytest.mark.slow
@pytest.mark.parametrize("name", FACTORIES)
def test_every_published_space_is_searched(name, tmp_path, two_replicas):
    two = search(tmp_path, name, 2)
    assert_same_scores(two, search(tmp_path, name, 1))
    x, y = data_of(name)
    logs = two.best_model().evaluate(x, y, verbose=0, return_dict=True)
    objective = two.objectives[0].name
    assert logs[objective] == pytest.approx(
        two.best.objectives[objective], rel=1e-4
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner.*")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "tuner"), PAIRS)
def test_every_published_space_goes_into_stock_tuners(
    name, tuner, tmp_path, two_replicas
):
    data = data_of(name)
    scores = []
    for strategy in (None, two_replicas):
        hyper_model = tuning.MultiTaskHyperModel(
            models.get(name), space_of(name)
        )
        first = next(iter(hyper_model.tasks))
        keras.utils.set_random_seed(0)
        found = TUNERS[tuner](
            hyper_model,
            objective=tuning.keras_tuner_objective(f"{first}_loss"),
            directory=tmp_path,
            project_name=f"{name}_{strategy is None}",
            distribution_strategy=strategy,
            seed=1,
            **(
                {"max_epochs": 1, "factor": 2}
                if tuner == "hyperband"
                else {"max_trials": 1}
            ),
        )
        keras.utils.set_random_seed(0)
        found.search(
            *data, validation_data=data, epochs=1, batch_size=8, verbose=0
        )
        trials = found.oracle.trials.values()
        assert {trial.status for trial in trials} == {"COMPLETED"}
        scores.append([trial.score for trial in trials])
        assert found.get_best_models(1)[0].count_params() > 0
    assert scores[1] == pytest.approx(scores[0], rel=1e-4, abs=1e-5)


SPACES = {
    "plain": {"loss_weight": (0.1, 10.0), "learning_rate": (1e-3, 1e-1)},
    "momentum": {
        "learning_rate": (1e-3, 1e-1),
        "optimizer": keras.optimizers.SGD(0.1, momentum=0.9),
    },
    "number of a weighting": {
        "weighting": "dwa",
        "weighting/temperature": (0.5, 5.0),
        "loss_weight": (0.1, 10.0),
    },
    "several weightings": {
        "weighting": ["cagrad", "uncertainty", "db_mtl"],
        "weighting/c": (0.1, 0.8),
    },
    "schedule": {
        "optimizer": keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.1, 10)
        ),
        "loss_weight": (0.1, 10.0),
    },
    "average of weights": {
        "optimizer": keras.optimizers.Adam(use_ema=True),
        "loss_weight": (0.1, 10.0),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_reused_models_score_as_fresh_ones_on_two_replicas(name, two_replicas):
    """Trains two trials on one model, and each on a new one."""
    space = {**SMALL_MLP, **SPACES[name]}
    results = {}
    for reuse in (True, False):
        for strategy in (two_replicas, distribution.strategy("none")):
            with strategy.scope():
                hyper_model = tuning.MultiTaskHyperModel(
                    models.get("build_mlp"), space, merge=False, reuse=reuse
                )
            key = (reuse, strategy.num_replicas_in_sync)
            results[key] = list(trained(hyper_model, strategy))
    expected = results[False, 1]
    for found in results.values():
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, rel=1e-4, abs=1e-5)


def trained(hyper_model, strategy):
    """Returns the losses at the lowest and the highest point of a space."""
    fixed = {n: d.ends[0] for n, d in hyper_model.space.items()}
    for at in (0, -1):
        values = {n: d.ends[at] for n, d in hyper_model.space.items()}
        labels = {**fixed, **values}
        values = {
            name: value
            for name, value in values.items()
            if hyper_model.space.is_active(name, labels)
        }
        keras.utils.set_random_seed(1)
        with strategy.scope():
            model = hyper_model.build_trial(hyper_model.arguments(values))
        keras.utils.set_random_seed(1)
        history = model.fit(*samples(), batch_size=16, epochs=2, verbose=0)
        hyper_model.release(model)
        yield {key: values[-1] for key, values in history.history.items()}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("folds", [None, 2])
def test_folds_and_workers_have_two_devices_each(
    workers, folds, tmp_path, two_replicas
):
    studies = []
    for replicas, count in ((2, workers), (1, 1)):
        studies.append(
            tuning.search(
                build,
                {"loss_weight": (0.1, 10.0), "learning_rate": (1e-3, 1e-1)},
                samples(),
                None if folds else samples(seed=1),
                objective="delta_m",
                tuner="random",
                max_trials=2,
                epochs=1,
                batch_size=16,
                folds=folds,
                merge=False,
                distribution="mirrored" if replicas > 1 else "none",
                replicas=replicas,
                workers=count,
                directory=tmp_path,
                name=f"{replicas}",
                verbose=0,
            )
        )
    assert_same_scores(*studies)
    assert studies[0].references == pytest.approx(studies[1].references)
