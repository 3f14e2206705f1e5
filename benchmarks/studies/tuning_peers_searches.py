"""The searches of `tuning_peers.py`, with this library and with Optuna."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

import mtl_keras
from mtl_keras import distribution, tuning
from mtl_keras.tuning.folds import Part
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.trial_runner import TrialRunner

TRIALS, EPOCHS = 40, 3
OBJECTIVES = ("left_accuracy", "right_accuracy")
FIXED = {"input_shape": [(20,)], "num_classes": 3, "trunk_depth": 2}
WIDTHS = [8, 32]
SPACE = {
    **FIXED,
    "trunk_width": WIDTHS,
    "loss_weight/right": (0.01, 100.0),
    "learning_rate": (1e-4, 1e-1),
}
SAMPLERS = {
    "optuna tpe": optuna.samplers.TPESampler,
    "optuna nsga-ii": optuna.samplers.NSGAIISampler,
}
OURS = "mtl_keras"


def samples(count, seed):
    """Returns two tasks that compete for one small trunk."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20)).astype("float32")
    y = {
        "left": np.argmax(x[:, :3] * x[:, 3:6] + x[:, 6:9], axis=1),
        "right": np.argmax(x[:, 3:6] * x[:, 9:12] - x[:, 6:9], axis=1),
    }
    return x, y


TRAIN, VALIDATION = samples(400, 0), samples(400, 1)


def build(trunk_width=8, loss_weights=None, optimizer="adam", compile=True):
    """Returns the factory of all parts but `kills`."""
    return mtl_keras.build_mlp(
        (20,),
        num_classes=3,
        trunk_width=trunk_width,
        trunk_depth=2,
        loss_weights=loss_weights,
        optimizer=optimizer,
        compile=compile,
    )


def search(folder, seed, factory=mtl_keras.build_mlp, space=SPACE, **arguments):
    """Searches with this library."""
    arguments = {"max_trials": TRIALS, "epochs": EPOCHS, **arguments}
    return tuning.search(
        factory,
        space,
        TRAIN,
        VALIDATION,
        objective=list(OBJECTIVES),
        patience=None,
        merge=False,
        directory=folder,
        name="search",
        seed=seed,
        verbose=0,
        **arguments,
    )


def propose(trial) -> dict:
    """Makes Optuna propose a point of the space."""
    return {
        "trunk_width": trial.suggest_categorical("trunk_width", WIDTHS),
        **{
            name: trial.suggest_float(name, *SPACE[name], log=True)
            for name in ("loss_weight/right", "learning_rate")
        },
    }


def open_study(folder, sampler, seed):
    """Creates or resumes a study of Optuna with its journal."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        backend = JournalFileBackend(str(Path(folder) / "optuna.log"))
        return optuna.create_study(
            storage=JournalStorage(backend),
            sampler=SAMPLERS[sampler](seed=seed),
            directions=["maximize"] * len(OBJECTIVES),
            study_name="study",
            load_if_exists=True,
        )


class Scores:
    """Trains Optuna's proposals as `tuning.search` trains its trials."""

    def __init__(self, seed, factory=mtl_keras.build_mlp, space=SPACE, **fit):
        self.model = tuning.MultiTaskHyperModel(factory, space, merge=False)
        self.fixed = {
            name: dimension.content
            for name, dimension in self.model.space.items()
            if dimension.num_values == 1
        }
        self.epochs = fit.pop("epochs", EPOCHS)
        self.runner = TrialRunner(
            self.model,
            [Part(TRAIN, VALIDATION)],
            [Objective(name, "max") for name in OBJECTIVES],
            seed=seed,
            strategy=distribution.strategy("auto"),
            fit={"batch_size": 32, **fit},
        )

    def __call__(self, trial):
        arguments = self.model.arguments({**self.fixed, **propose(trial)})
        record, _ = self.runner.run(trial.number, arguments, self.epochs)
        return [record["objectives"][name] for name in OBJECTIVES]
