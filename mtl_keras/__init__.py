"""mtl_keras: a multi-task model zoo for Keras 3 on TensorFlow.

>>> import mtl_keras
>>> model = mtl_keras.build_cnn_cls_seg()
>>> sorted(model.output_names)
['classification', 'segmentation']
"""

import importlib
import importlib.util
import sys
import sysconfig
from pathlib import Path

from mtl_keras import onednn

# Before anything below imports TensorFlow.
onednn.enable_unless_set()

__version__ = "0.1.0"

# Public modules and packages, and the names in them that are public here too.
# All factories and kinds of tasks are, by the registries of `models` and
# `tasks`. Editors read `__init__.pyi`, which `make generate` writes.
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
    "tasks": ("Task",),
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
    if name in _MODULES:
        module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
        return getattr(module, name)
    is_special = name.startswith("__") and name != "__all__"
    if is_special or importlib.util.find_spec(f"{__name__}.{name}"):
        # `from mtl_keras import <module>` then imports the module.
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    models = importlib.import_module(f"{__name__}.models")
    kinds = importlib.import_module(f"{__name__}.tasks").KINDS
    if name in kinds:
        return kinds[name]
    if name in models.names():
        return models.get(name)
    public = sorted([*_PUBLIC, *_MODULES, *kinds, *models.names()])
    if name == "__all__":
        return public
    spelling = importlib.import_module(f"{__name__}.spelling")
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}. "
        f"{spelling.did_you_mean(name, public)}"
    )


def __dir__() -> list[str]:
    special = [name for name in globals() if name.startswith("__")]
    return sorted({*special, *__getattr__("__all__")})


# The command line answers `--help` without TensorFlow, and silences TensorFlow
# before a command loads it. Anybody else gets all classes registered with
# Keras, so that `keras.models.load_model` finds them.
_PROGRAM = Path(sys.argv[0]).resolve()
_SCRIPTS = [
    Path(sysconfig.get_path("scripts", scheme)).resolve()
    for scheme in (
        sysconfig.get_default_scheme(),
        sysconfig.get_preferred_scheme("user"),
    )
]
_IS_COMMAND_LINE = _PROGRAM.stem == "mtl-keras" and (
    _PROGRAM.parent in _SCRIPTS
)
if not _IS_COMMAND_LINE:
    __all__ = __getattr__("__all__")
    globals().update(
        {
            name: __getattr__(name)
            for name in __all__
            if _MODULES.get(name, name) not in _LAZY
        }
    )
