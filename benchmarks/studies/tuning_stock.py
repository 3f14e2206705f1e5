"""The search of `tuning.py` by a stock KerasTuner."""

from __future__ import annotations

import contextlib
import io

import keras
import keras_tuner
import numpy as np

import mtl_keras


class StockModel(keras_tuner.HyperModel):
    """Builds each model by the factory, as users of KerasTuner do.

    The trainings have the same seeds as those of `tuning.search`.
    """

    def __init__(self, space):
        super().__init__()
        self.space = space
        self.number = -1  # the tuner builds one model before the first trial

    def seed(self):
        """Seeds the training of the present trial."""
        state = np.random.SeedSequence([0, max(self.number, 0), 0, 0])
        keras.utils.set_random_seed(int(state.generate_state(1)[0] >> 1))

    def value(self, hp, name):
        given = self.space.get(name)
        return hp.Choice(name, given) if isinstance(given, list) else given

    def build(self, hp):
        width = self.value(hp, "trunk_width")
        ratio = self.value(hp, "loss_weight/right")
        weighting = self.value(hp, "weighting")
        temperature = self.value(hp, "weighting/temperature")
        if weighting is not None:
            config = {"temperature": temperature}
            weighting = {"class_name": weighting, "config": config}
        self.seed()
        return mtl_keras.build_mlp(
            (20,),
            num_classes=3,
            trunk_width=width,
            trunk_depth=2,
            loss_weights={
                "left": 2 / (1 + ratio),
                "right": 2 * ratio / (1 + ratio),
            },
            weighting=weighting,
            optimizer=keras.optimizers.Adam(self.value(hp, "learning_rate")),
        )

    def fit(self, hp, model, *args, **kwargs):
        self.seed()
        self.number += 1
        return model.fit(*args, **kwargs)


def search_stock(space, trials, folder, name, data, epochs):
    """Returns scores of the trials of KerasTuner."""
    train, validation = data
    model = StockModel(space)
    tuner = keras_tuner.GridSearch(
        model,
        objective=keras_tuner.Objective("val_left_accuracy", "max"),
        max_trials=trials,
        directory=folder,
        project_name=name,
        seed=1,
    )
    model.number = 0
    with contextlib.redirect_stdout(io.StringIO()):
        tuner.search(
            *train, validation_data=validation, epochs=epochs, verbose=0
        )
    return [trial.score for trial in tuner.oracle.trials.values()]
