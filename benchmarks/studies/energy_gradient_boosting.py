"""Tests gradient boosting on the test rows of `models/mlp_energy`.

One model per load, tuned by cross-validation on the training part.

Run: python benchmarks/studies/energy_gradient_boosting.py PATH_OF_ENB2012.csv
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import GridSearchCV

import mtl_keras

GRID = {
    "n_estimators": [300, 1000],
    "max_depth": [3, 4, 5],
    "learning_rate": [0.05, 0.1],
    "subsample": [0.5, 1.0],
}


def main(path):
    """Tunes, tests and writes one row for each load."""
    (x, y), (x_test, y_test) = mtl_keras.datasets.energy.load_data(path)
    rows = []
    for load in ("heating", "cooling"):
        search = GridSearchCV(
            GradientBoostingRegressor(random_state=0),
            GRID,
            scoring="neg_mean_squared_error",
            cv=5,
            n_jobs=-1,
        ).fit(x, y[load])
        errors = search.predict(x_test) - y_test[load]
        rows.append(
            {
                "load": load,
                "test_rmse": f"{np.sqrt(np.mean(errors**2)):.3f}",
                **{name: search.best_params_[name] for name in GRID},
                "machine": measure.machine(),
            }
        )
    measure.write("energy_gradient_boosting", rows)


if __name__ == "__main__":
    main(sys.argv[1])
