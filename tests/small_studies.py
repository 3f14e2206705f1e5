"""Studies that are searched in seconds, as values of a TOML file."""

import copy

from small_recipes import QUICK

QUICK_STUDY = {
    "factory": QUICK["factory"],
    "data": QUICK["data"],
    "tasks": QUICK["tasks"],
    "fit": {"epochs": 2, "batch_size": 16, "num_validation": 8},
    "search": {
        "objective": "classification_accuracy",
        "tuner": "random",
        "max_trials": 2,
    },
    "space": {"learning_rate": {"low": 1e-3, "high": 1e-1}},
}


def quick_study(**tables):
    """Returns the values of a small study, with some in other tables."""
    values = copy.deepcopy(QUICK_STUDY)
    for name, table in tables.items():
        if isinstance(table, dict) and name != "space":
            table = {**values.get(name, {}), **table}
        values[name] = table
    return values


def write_study(folder, **tables):
    """Writes a small study as `study.toml`, and returns its path."""
    from mtl_keras.zoo.toml_text import toml_text

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text("# Mine.\n" + toml_text(quick_study(**tables)))
    return path
