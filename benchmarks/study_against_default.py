"""What the best trial of a study has over the default, on test data.

Each arm is a recipe, trained as the search trains (the best epoch by the
objectives on the validation part), from seeds that no trial had. The arms share
the seeds, so that differences are paired:

- `default`: what the study fixes, and what the factory does by itself;
- `best`: the best trial of the study, from its `best.toml`;
- `alone`: the default with some arguments of the best trial (`--alone`);
- `control`: the best trial of another study (`--control`);
- `entry` and `entry, weighted`: an entry of the zoo as its recipe says, and
  with the loss weights of the best trial (`--entry`). It is trained as
  recipes are: the best epoch by the validation loss.

Test data is looked at here for the first time. Writes `test.csv` into the
folder of the study: each arm's metrics, then what each has over the default,
with a 95 % interval of the mean by Student's t. `mean` is the mean over tasks.

Run: python benchmarks/study_against_default.py tuning/<study>
"""

import argparse
import csv
import os
import statistics
import tomllib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import measure
from scipy import stats

from mtl_keras import tuning, zoo
from mtl_keras.tuning.compiled_models import CompiledModels
from mtl_keras.tuning.run_study import plan_study
from mtl_keras.tuning.trial_arguments import TrialArguments

DEFAULT, BEST, ALONE, CONTROL = "default", "best", "alone", "control"
ENTRY, WEIGHTED = "entry", "entry, weighted"
SAME = "no difference beyond chance"


def recipes_of(chosen, study):
    """The arms that are trained as the search trains, by name."""
    best = read_best(chosen.study, chosen.data_path)
    arms = {DEFAULT: study.recipe, BEST: best}
    if chosen.alone:
        values = study.recipe.model_dump()
        taken = {name: best.factory.arguments[name] for name in chosen.alone}
        values["factory"]["arguments"].update(taken)
        arms[ALONE] = type(best).model_validate(values)
    if chosen.control:
        arms[CONTROL] = read_best(chosen.control, chosen.data_path)
    return arms


def read_best(study, data_path):
    """The recipe of the best trial of a study."""
    recipe = zoo.load_recipe(Path(study) / "best.toml")
    return zoo.change_recipe(recipe, data_path=data_path)


def models_of(recipe, data):
    """Builds the models of an arm, all on one graph."""
    return CompiledModels(lambda: zoo.build_model(recipe, data))


def measure_arm(recipe, models, plan, data, seed):
    """Trains an arm from a seed; returns the primary metrics on test data."""
    keras.utils.set_random_seed(seed)
    model = models.build(TrialArguments({}, None, None, None, None))
    fit = recipe.fit
    plan.runner.train(
        model, plan.runner.parts[0], seed, fit.epochs, fit.batch_size
    )
    logs = model.evaluate(*data.test, verbose=0, return_dict=True)
    return {t.name: logs[f"{t.name}_{t.primary_metric}"] for t in data.tasks}


def measure_entry(recipe, seed, folder):
    """Runs a recipe of the zoo; returns the same."""
    metrics = zoo.train(recipe, folder / f"seed-{seed}", seed=seed)["test"]
    primary = {t.name: t.primary_metric for t in zoo.load_data(recipe).tasks}
    return {task: metrics[task][metric] for task, metric in primary.items()}


def weighted(entry, best):
    """The recipe of an entry, with the loss weights of another one."""
    weights = best.factory.arguments["loss_weights"]
    return zoo.change_recipe(entry, loss_weights=dict(weights))


def measure_all(chosen):
    """Trains all arms from all seeds; returns the tasks and the metrics."""
    study = tuning.change_study(
        tuning.load_study_recipe(chosen.study), data_path=chosen.data_path
    )
    plan = plan_study(study)
    data = zoo.load_data(study.recipe)
    references = Path(chosen.study) / "references.toml"
    if references.is_file():
        known = tomllib.loads(references.read_text())
        plan.runner.references.update(known)
    found = {}
    arms = recipes_of(chosen, study)
    for arm, recipe in arms.items():
        models = models_of(recipe, data)
        found[arm] = []
        for seed in range(chosen.seeds):
            found[arm].append(measure_arm(recipe, models, plan, data, seed))
            print(arm, seed, found[arm][-1], flush=True)
        keras.backend.clear_session()
    if chosen.entry:
        entry = zoo.change_recipe(
            zoo.load_recipe(chosen.entry), data_path=chosen.data_path
        )
        for arm, recipe in (
            (ENTRY, entry),
            (WEIGHTED, weighted(entry, arms[BEST])),
        ):
            found[arm] = [
                measure_entry(recipe, seed, Path(chosen.runs) / arm)
                for seed in range(chosen.seeds)
            ]
            print(arm, found[arm], flush=True)
    return data.tasks, found


def rows_of(tasks, found):
    """A row for each arm and task, and for each difference."""
    directions = {task.name: task.direction for task in tasks}
    metrics = {task.name: task.primary_metric for task in tasks}
    same = set(metrics.values())
    if len(same) == 1:
        directions["mean"] = tasks[0].direction
        metrics["mean"] = same.pop()
        for runs in found.values():
            for run in runs:
                run["mean"] = statistics.fmean(run.values())
    pairs = [(arm, None) for arm in found]
    pairs += [(arm, DEFAULT) for arm in found if arm != DEFAULT]
    pairs += [(BEST, arm) for arm in (ALONE, CONTROL) if arm in found]
    pairs += [(WEIGHTED, ENTRY)] if WEIGHTED in found else []
    rows = []
    for arm, other in pairs:
        for task, metric in metrics.items():
            values = [run[task] for run in found[arm]]
            if other is not None:
                values = [
                    value - run[task]
                    for value, run in zip(values, found[other], strict=True)
                ]
            row = {
                "arm": arm if other is None else f"{arm} - {other}",
                "task": task,
                "metric": metric,
            }
            rows.append({**row, **spread(values, other, directions[task])})
    return rows


def spread(values, other, direction):
    """Mean, spread and verdict of the values of all seeds."""
    mean = statistics.fmean(values)
    deviation = statistics.stdev(values)
    half = stats.t.ppf(0.975, len(values) - 1) * deviation / len(values) ** 0.5
    verdict = ""
    if other is not None:
        verdict = SAME
        if abs(mean) > half:
            is_gain = (mean > 0) == (direction == "max")
            verdict = "better" if is_gain else "worse"
    return {
        "mean": f"{mean:.4f}",
        "std": f"{deviation:.4f}",
        "low": f"{mean - half:.4f}",
        "high": f"{mean + half:.4f}",
        "verdict": verdict,
        **{f"seed_{seed}": f"{value:.4f}" for seed, value in enumerate(values)},
        "machine": measure.machine(),
    }


def write(path, rows):
    """Prints the rows, and writes them as csv."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(
            f"{row['arm']:24} {row['task']:16} {row['metric']:10} "
            f"{row['mean']:>8} ± {row['std']} {row['verdict']}"
        )


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", help="folder of a study that was searched")
    parser.add_argument("--alone", nargs="+", metavar="ARGUMENT")
    parser.add_argument("--control", help="folder of another study")
    parser.add_argument("--entry", help="name of an entry of the zoo")
    parser.add_argument("--data-path", help="file of the data set")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", default="runs/study", help="of the entry")
    chosen = parser.parse_args()
    if chosen.seeds < 2:
        parser.error("two seeds or more make a spread")
    tasks, found = measure_all(chosen)
    write(Path(chosen.study) / "test.csv", rows_of(tasks, found))


if __name__ == "__main__":
    main()
