"""mtl_keras: a multi-task model zoo for Keras 3 on TensorFlow.

>>> import mtl_keras
>>> model = mtl_keras.build_cnn_cls_seg()
>>> sorted(model.output_names)
['classification', 'segmentation']
"""

import importlib
import sys
from pathlib import Path

from mtl_keras import onednn

# Before anything below imports TensorFlow.
onednn.enable_unless_set()

__version__ = "0.1.0"

# Public modules and packages, and the names in them that are public here too.
# All factories are: the registry of `models` lists them. Editors read
# `__init__.pyi`, which `make generate` writes.
_PUBLIC = {
    "datasets": (),
    "distribution": ("LostWorkerError",),
    "evaluation": (),
    "layers": (),
    "losses": (),
    "metrics": (),
    "models": ("with_text_input", "without_text_input"),
    "sequence_trunks": (),
    "surgery": ("add_task", "split"),
    "tables": (),
    "tasks": (
        "BinaryClassification",
        "Classification",
        "DenseRegression",
        "MultiLabelClassification",
        "Regression",
        "Segmentation",
        "SequenceTagging",
        "Task",
    ),
    "training": (
        "BackupAndRestore",
        "BackupError",
        "LossWeightSchedule",
        "MultiTaskModel",
        "NonFiniteGradientError",
        "NonFiniteLossError",
        "fit_full_batch",
        "fit_in_stages",
    ),
    "trunks": (),
    "tuning": (
        "AllTrialsFailedError",
        "FolderInUseError",
        "NoWorkersError",
        "RepeatedFailuresError",
        "UnreachableOracleError",
        "WorkerFailedError",
    ),
    "weighting": (),
    "zoo": (),
}
# Imported on first use: they load KerasTuner, pydantic and pandas.
_LAZY = ("tuning", "zoo")
_MODULES = {name: module for module, names in _PUBLIC.items() for name in names}
_MODULES["load_model"] = "pretrained"


def __getattr__(name: str):
    """Imports a public name on its first use."""
    if name in _PUBLIC:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "__all__":
        factories = importlib.import_module(f"{__name__}.models").names()
        return sorted([*_PUBLIC, *_MODULES, *factories])
    is_factory = name.startswith("build_")
    module = "models" if is_factory else _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})


# The command line answers `--help` without TensorFlow, and silences TensorFlow
# before a command loads it. Anybody else gets all classes registered with
# Keras, so that `keras.models.load_model` finds them.
if Path(sys.argv[0]).name not in ("mtl-keras", "mtl-keras.exe"):
    __all__ = __getattr__("__all__")
    globals().update(
        {
            name: __getattr__(name)
            for name in __all__
            if _MODULES.get(name, name) not in _LAZY
        }
    )
