"""Follows each weighting on the two-objective toy.

Each registered method takes 50,000 steps of Adam through `compile` and `fit`
from each start; an epoch, for the methods that count them, is 500 steps. The
problem is the one that the tests train on, `tests/two_objective_problem.py`.

Run: python benchmarks/studies/two_objectives.py [METHOD ...]
Draw docs/images/two-objectives.png from the results:
python benchmarks/studies/two_objectives.py --draw
"""

import argparse
import csv
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "tests"))

import keras
import measure
import numpy as np
import two_objective_problem as problem

import mtl_keras

# The sum of the objectives gets stuck from both hard starts.
HARD_STARTS = ((-8.5, 7.5), (9.0, 9.0))
EASY_START = (-8.5, -5.0)
STARTS = (*HARD_STARTS, EASY_START)
# The others are followed only from the hard starts, to save time.
FROM_ALL_STARTS = (
    "aligned",
    "equal",
    "famo",
    "famo_no_decay",
    "imtl_g",
    "mgda",
    "nash",
    "pcgrad",
    "rlw",
)
EPOCHS = 100
CONFIGS = {
    "importance": {
        "class_name": "importance",
        "config": {"importances": {"first": 1.0, "second": 3.0}},
    },
    # The authors of FAMO do the toy without decay.
    "famo_no_decay": {"class_name": "famo", "config": {"weight_decay": 0.0}},
}
# It needs held-out data, and the toy has no data.
LEFT_OUT = {"auto_lambda"}
PATHS = measure.RESULTS / "two_objectives_paths.csv"
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "two-objectives.png"
DRAWN = (
    ("equal", "uncertainty", "famo", "famo_no_decay"),
    ("mgda", "imtl_g", "nash", "aligned"),
    ("gradnorm", "db_mtl", "pcgrad", "cagrad"),
)
# Blue, orange and purple of different brightness, for prints in grey.
COLORS = ("#0b5fa5", "#d95f02", "#6a3d9a")


def follow(method):
    """Returns the rows of the paths of a method from all starts."""
    rows = []
    weighting = CONFIGS.get(method, method)
    starts = STARTS if method in FROM_ALL_STARTS else HARD_STARTS
    for start in starts:
        keras.utils.set_random_seed(0)
        began = time.perf_counter()
        path = problem.descend(weighting, start, epochs=EPOCHS)
        seconds = time.perf_counter() - began
        print(method, start, path[-1], f"{seconds:.0f} s", flush=True)
        for epoch, (x, y) in enumerate(path):
            rows.append(
                {
                    "method": method,
                    "start": "{:g} {:g}".format(*start),
                    "step": epoch * problem.STEPS // EPOCHS,
                    "x": f"{x:.4f}",
                    "y": f"{y:.4f}",
                }
            )
        keras.backend.clear_session()
    return rows


def read_paths():
    """Returns the rows of all methods that were measured."""
    if not PATHS.exists():
        return []
    with open(PATHS, newline="") as file:
        return list(csv.DictReader(file))


def write_paths(rows):
    """Writes the rows, sorted by method."""
    PATHS.parent.mkdir(exist_ok=True)
    with open(PATHS, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["method"]))


def paths_by_run(rows):
    """Returns points `(EPOCHS + 1, 2)` by method and start."""
    runs = {}
    for row in rows:
        points = runs.setdefault((row["method"], row["start"]), [])
        points.append((float(row["x"]), float(row["y"])))
    return {run: np.array(points) for run, points in runs.items()}


def summarize():
    """Writes where each run ended."""
    results = []
    for (method, start), path in paths_by_run(read_paths()).items():
        x, y = path[-1]
        first, second = problem.objectives(x, y)
        results.append(
            {
                "method": method,
                "start": start,
                "x": f"{x:.2f}",
                "y": f"{y:.2f}",
                "first": f"{float(first):.2f}",
                "second": f"{float(second):.2f}",
                "pareto": "yes" if problem.is_pareto(x, y) else "no",
                "machine": measure.machine(),
            }
        )
    measure.write("two_objectives", results)


def draw():
    """Draws the paths of some methods, one method per panel."""
    import matplotlib.pyplot as plt

    runs = paths_by_run(read_paths())
    figure, panels = plt.subplots(
        *np.shape(DRAWN),
        figsize=(9, 7.4),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    for axes, method in zip(panels.flat, np.ravel(DRAWN), strict=True):
        draw_landscape(axes)
        for start, color in zip(STARTS, COLORS, strict=False):
            path = runs.get((method, "{:g} {:g}".format(*start)))
            if path is None:
                continue
            axes.plot(*path.T, color=color, linewidth=1.8, zorder=3)
            axes.plot(*path[0], "o", color=color, ms=5, zorder=4)
            stuck = not problem.is_pareto(*path[-1])
            marker = {"marker": "X" if stuck else "*", "ms": 9 if stuck else 13}
            axes.plot(
                *path[-1], color=color, mec="white", mew=0.8, zorder=5, **marker
            )
        axes.set_title(method, fontsize=11, family="monospace")
        axes.set(xlim=(-10.5, 10.5), ylim=(-10.5, 10.5))
        axes.set_xticks([-7, 0, 7])
        axes.set_yticks([-8, 0, 8])
    legend(figure)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def draw_landscape(axes):
    """Draws the sum of the objectives as contours, and the Pareto set."""
    line = np.linspace(-10.5, 10.5, 211)
    x, y = np.meshgrid(line, line)
    total = np.sum([np.array(o) for o in problem.objectives(x, y)], axis=0)
    axes.contourf(x, y, total, 14, cmap="Greys_r", alpha=0.35)
    axes.contour(x, y, total, 14, colors="black", linewidths=0.3, alpha=0.35)
    axes.plot(problem.PARETO_X, [problem.PARETO_Y] * 2, "k", lw=4, zorder=2)


def legend(figure):
    """Draws a legend below the panels."""
    from matplotlib.lines import Line2D

    marks = {
        "start": {"marker": "o", "ls": "", "ms": 5},
        "end on the Pareto set": {"marker": "*", "ls": "", "ms": 11},
        "end elsewhere": {"marker": "X", "ls": "", "ms": 8},
        "Pareto set": {"lw": 4},
    }
    handles = [
        Line2D([], [], color="black", label=label, **mark)
        for label, mark in marks.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=4, frameon=False
    )


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", help="default: all of them")
    parser.add_argument("--draw", action="store_true")
    chosen = parser.parse_args()
    if chosen.draw:
        draw()
        return
    everything = sorted({*mtl_keras.weighting.names(), *CONFIGS} - LEFT_OUT)
    for method in chosen.methods or everything:
        others = [row for row in read_paths() if row["method"] != method]
        write_paths(others + follow(method))
    summarize()


if __name__ == "__main__":
    main()
