"""Compares two folders that `record.py` made: `compare.py BEFORE AFTER`.

Prints each case whose weights differ by more than 1e-6 of the largest value
in them, that failed, or that was traced more often. Logs are listed apart.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

TOLERANCE = 1e-6


def distance(one, other) -> float:
    """Returns the largest difference, relative to the largest value."""
    if one.shape != other.shape:
        return float("inf")
    scale = max(np.abs(one).max(initial=0), 1e-6)
    return float(np.abs(one - other).max(initial=0) / scale)


def compare(before: Path, after: Path) -> tuple:
    """Compares two files; returns lines about weights, traces and logs."""
    one, other = dict(np.load(before)), dict(np.load(after))
    if "error" in one or "error" in other:
        if "error" in one and "error" in other:
            return [], ["failed in both"], []
        which = "before" if "error" in one else "after"
        error = str((one if "error" in one else other)["error"])
        return [f"failed {which}: {error.strip().splitlines()[-1]}"], [], []
    weights, traces, logs = [], [], []
    names = [n for n in one if n.startswith(("weight ", "state "))]
    if names != [n for n in other if n.startswith(("weight ", "state "))]:
        weights.append("other weights")
    else:
        worst = max((distance(one[n], other[n]), n) for n in names)
        if not worst[0] <= TOLERANCE:
            weights.append(f"{worst[1]}: {worst[0]:.2g}")
    if other["traces"] > one["traces"]:
        traces.append(f"traces {one['traces']} -> {other['traces']}")
    for name in sorted(set(one) | set(other)):
        if not name.startswith("log "):
            continue
        if name not in one or name not in other:
            logs.append(f"{name} only {'after' if name in other else 'before'}")
        elif distance(one[name], other[name]) > 1e-5:
            logs.append(f"{name}: {one[name]} -> {other[name]}")
    return weights, traces, logs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--logs", action="store_true", help="list logs too")
    arguments = parser.parse_args()
    found = Counter()
    for file in sorted(arguments.before.glob("*.npz")):
        other = arguments.after / file.name
        if not other.exists():
            found["not recorded after"] += 1
            continue
        weights, traces, logs = compare(file, other)
        found["compared"] += 1
        for kind, lines in (("weights", weights), ("traces", traces)):
            found[kind] += bool(lines)
            for line in lines:
                print(f"{file.stem}: {line}")
        found["logs"] += bool(logs)
        if arguments.logs:
            for line in logs:
                print(f"{file.stem}: {line}")
    print(dict(found))


if __name__ == "__main__":
    main()
