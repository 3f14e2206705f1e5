"""Compares the best trial of a study with the default, on test data.

Each arm is a recipe, trained as the search trains (the best epoch by the
objectives on the validation part), from seeds that no trial had. The arms share
the seeds, so that differences are paired:

- `default`: the fixed arguments of the study, and the factory's defaults;
- `best`: the best trial of the study, from its `best.toml`;
- `unweighted`: the same with equal loss weights;
- `alone`: the default with some arguments of the best trial (`--alone`);
- `control`: the best trial of another study (`--control`);
- `entry`, `entry, weighted`: an entry of the zoo as its `metrics.json` has it,
  and with the loss weights of the best trial (`--entry`). It is trained as
  recipes are: the best epoch by the validation loss.

Test data is used here for the first time. Writes `test.csv` into the folder of
the study: each arm's metrics, then its difference to the default, with a 95 %
interval of the mean by Student's t. `mean` is the mean over tasks.

Run: python benchmarks/studies/study_against_default.py tuning/<study>
"""

import argparse
import csv
import json
import os
import statistics
import sys
import tomllib
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
from scipy import stats

from mtl_keras import tuning, zoo
from mtl_keras.tuning.compiled_models import CompiledModels
from mtl_keras.tuning.run_study import plan_study
from mtl_keras.tuning.trial_arguments import TrialArguments

DEFAULT, BEST, UNWEIGHTED = "default", "best", "unweighted"
ALONE, CONTROL = "alone", "control"
ENTRY, WEIGHTED = "entry", "entry, weighted"
ENTRIES = Path(__file__).parents[2] / "models"
SAME = "no difference beyond chance"


def search_recipes(chosen, study):
    """Returns the arms that are trained as the search trains, by name."""
    best = read_best(chosen.study, chosen.data_path)
    arms = {DEFAULT: study.recipe, BEST: best}
    arguments = dict(best.factory.arguments)
    if arguments.pop("loss_weights", None):
        arms[UNWEIGHTED] = with_arguments(best, arguments)
    if chosen.alone:
        fixed = study.recipe.factory.arguments
        taken = {name: arguments[name] for name in chosen.alone}
        arms[ALONE] = with_arguments(study.recipe, {**fixed, **taken})
    if chosen.control:
        arms[CONTROL] = read_best(chosen.control, chosen.data_path)
    return arms


def with_arguments(recipe, arguments):
    """Returns a recipe whose factory has other arguments."""
    factory = recipe.factory.model_copy(update={"arguments": arguments})
    return recipe.model_copy(update={"factory": factory})


def read_best(study, data_path):
    """Returns the recipe of the best trial of a study."""
    recipe = zoo.load_recipe(Path(study) / "best.toml")
    return zoo.change_recipe(recipe, data_path=data_path)


def make_models(recipe, data):
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


def recorded(entry, tasks, seeds):
    """Returns the metrics that are recorded for an entry."""
    metrics = json.loads((ENTRIES / entry / "metrics.json").read_text())
    if metrics["seeds"][: len(seeds)] != list(seeds):
        raise ValueError(
            f"The entry {entry!r} has the seeds {metrics['seeds']}; pass "
            f"--seeds {len(metrics['seeds'])} or fewer."
        )
    values = {
        t.name: metrics["test"][t.name][t.primary_metric]["values"]
        for t in tasks
    }
    return [
        {task: scores[seed] for task, scores in values.items()}
        for seed in seeds
    ]


def measure_entry(recipe, tasks, seed, folder):
    """Runs the recipe of an entry; returns the same."""
    test = zoo.train(recipe, folder, seed=seed, overwrite=True)["test"]
    return {t.name: test[t.name][t.primary_metric] for t in tasks}


def weighted(entry, best, data_path):
    """Returns the recipe of an entry, with the loss weights of another one."""
    return zoo.change_recipe(
        zoo.load_recipe(entry),
        data_path=data_path,
        loss_weights=dict(best.factory.arguments["loss_weights"]),
    )


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
    arms = search_recipes(chosen, study)
    for arm, recipe in arms.items():
        models = make_models(recipe, data)
        found[arm] = []
        for seed in range(chosen.seeds):
            found[arm].append(measure_arm(recipe, models, plan, data, seed))
            print(arm, seed, found[arm][-1], flush=True)
        keras.backend.clear_session()
    if chosen.entry:
        seeds = range(chosen.seeds)
        recipe = weighted(chosen.entry, arms[BEST], chosen.data_path)
        found[ENTRY] = recorded(chosen.entry, data.tasks, seeds)
        found[WEIGHTED] = [
            measure_entry(recipe, data.tasks, seed, f"{chosen.runs}/{seed}")
            for seed in seeds
        ]
    return data.tasks, found


def add_means(found):
    """Adds the mean over tasks to the metrics of each run."""
    for runs in found.values():
        for run in runs:
            run["mean"] = statistics.fmean(run.values())


def make_pairs(found):
    """Returns each arm without another, and the pairs to compare."""
    pairs = [(arm, None) for arm in found]
    pairs += [(arm, DEFAULT) for arm in found if arm != DEFAULT]
    others = (UNWEIGHTED, ALONE, CONTROL)
    pairs += [(BEST, arm) for arm in others if arm in found]
    return pairs + ([(WEIGHTED, ENTRY)] if WEIGHTED in found else [])


def make_rows(tasks, found):
    """Returns a row for each arm and task, and for each difference."""
    directions = {task.name: task.direction for task in tasks}
    metrics = {task.name: task.primary_metric for task in tasks}
    if len(set(metrics.values())) == 1:
        add_means(found)
        directions["mean"] = tasks[0].direction
        metrics["mean"] = tasks[0].primary_metric
    rows = []
    for arm, other in make_pairs(found):
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
    """Returns mean, spread and verdict of the values of all seeds."""
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
    write(Path(chosen.study) / "test.csv", make_rows(tasks, found))


if __name__ == "__main__":
    main()
