"""The layers of the package: imports point one way."""

import ast
import re
from pathlib import Path

import mtl_keras

PACKAGE = Path(mtl_keras.__file__).parent

# What each package may import, from the bottom up.
GROUND = {
    "argument_checks",
    "columns",
    "distribution",
    "graph_nodes",
    "keras_compat",
    "layers",
    "losses",
    "metrics",
    "normalization",
    "pretrained",
    "safe_name",
    "sequence_trunks",
    "spelling",
    "tasks",
    "trunks",
    "weighting",
    "zoo_index",
}
FLOORS = {
    "argument_checks": set(),
    "spelling": set(),
    "safe_name": set(),
    "columns": {"safe_name", "spelling"},
    "keras_compat": set(),
    "distribution": {"argument_checks", "keras_compat", "spelling"},
    "graph_nodes": {"keras_compat"},
    "layers": {
        "argument_checks",
        "keras_compat",
        "normalization",
        "spelling",
    },
    "processes": set(),
    "losses": {"keras_compat"},
    "metrics": {"keras_compat", "losses"},
    "normalization": {"keras_compat", "synchronized_batch_normalization"},
    "onednn": set(),
    "synchronized_batch_normalization": set(),
    "tasks": {"argument_checks", "losses", "metrics", "spelling"},
    "sequence_trunks": {"layers", "trunks"},
    "trunks": {"normalization"},
    "weighting": {"argument_checks", "spelling"},
    "pretrained": set(),
    "zoo_index": set(),
    "training": GROUND,
    "models": GROUND | {"training"},
    "surgery": GROUND | {"training"},
    "datasets": GROUND | {"training", "models", "tables"},
    "evaluation": GROUND | {"training", "models"},
    "tables": GROUND | {"training"},
    "zoo": GROUND | {"training", "models", "datasets", "evaluation", "tables"},
    "tuning": GROUND
    | {"training", "models", "datasets", "evaluation", "processes", "zoo"},
    "cli": GROUND
    | {
        "training",
        "models",
        "datasets",
        "evaluation",
        "processes",
        "tuning",
        "zoo",
    },
}

# The same within `training`. Files beside its packages are above them, except
# for those named here.
TRAINING_FLOORS = {
    "data": set(),
    "losses": {"data"},
    "gradients": {"data", "losses"},
    "backups": {"data"},
    "full_batch": {
        "compiled",
        "data",
        "gradients",
        "losses",
        "multi_task_model",
        "overrides",
        "run",
        "step",
    },
    "stages": {
        "backups",
        "data",
        "gradients",
        "multi_task_model",
        "overrides",
    },
}

# Imports of what changes without notice, and where it is allowed.
PRIVATE = ("keras.src", "tensorflow.python")


def imported_rooms(path):
    """Returns the parts of mtl_keras that a file imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "mtl_keras":
            rooms |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            rooms |= {n.split(".")[1] for n in names if n[:10] == "mtl_keras."}
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            rooms |= {n.split(".")[1] for n in names if n[:10] == "mtl_keras."}
    return rooms


FILES = [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent != PACKAGE] + [
    p for p in sorted(PACKAGE.glob("*.py")) if p.name != "__init__.py"
]


def test_all_files_are_looked_at():
    assert {"mlp.py", "spelling.py", "task_losses.py"} <= {
        path.name for path in FILES
    }


def test_imports_point_one_way():
    wrong = []
    for path in FILES:
        name = path.relative_to(PACKAGE)
        room = name.parts[0].removesuffix(".py")
        if room not in FLOORS:
            wrong.append(f"{name}: {room} has no place in the house yet")
            continue
        rooms = {
            r
            for r in imported_rooms(path)
            if (PACKAGE / r).exists() or (PACKAGE / f"{r}.py").exists()
        }
        above = rooms - {room} - FLOORS[room]
        wrong += [f"{name} imports {other}" for other in sorted(above)]
    assert not wrong, "\n".join(wrong)


def test_imports_within_training_point_one_way():
    for room, below in TRAINING_FLOORS.items():
        allowed = {f"mtl_keras.training.{name}" for name in below | {room}}
        for path in (PACKAGE / "training" / room).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                module = getattr(node, "module", None) or ""
                if module.startswith("mtl_keras.training"):
                    at = ".".join(module.split(".")[:3])
                    assert at in allowed, f"{path.name} imports {module}"


def test_private_names_are_in_one_file():
    """Releases of Keras or TensorFlow change private names without notice."""
    wrong = []
    for path in FILES:
        if path.name == "keras_compat.py":
            continue
        text = path.read_text()
        found = {name for name in PRIVATE if name in text}
        found |= {n for n in private_names() if re.search(rf"\b{n}\b", text)}
        wrong += [f"{path.relative_to(PACKAGE)}: {n}" for n in sorted(found)]
    assert not wrong, "\n".join(wrong)


def private_names():
    """Returns the attributes of Keras that `keras_compat.py` uses."""
    tree = ast.parse((PACKAGE / "keras_compat.py").read_text())
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr[:1] == "_"
    }
    own = {"_local", "_own"}
    shared_with_us = {"_losses"}
    return {n for n in names if not n.startswith("__")} - own - shared_with_us
