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

# The command line answers `--help` without TensorFlow, and silences it before
# it loads it; its commands import by themselves what they need.
if Path(sys.argv[0]).stem != "mtl-keras":
    from mtl_keras import (
        datasets,
        distribution,
        evaluation,
        layers,
        losses,
        metrics,
        models,
        sequence_trunks,
        surgery,
        tables,
        tasks,
        training,
        trunks,
        weighting,
    )
    from mtl_keras.models import with_text_input, without_text_input
    from mtl_keras.models.factories import *  # noqa: F403, the registry
    from mtl_keras.pretrained import load_model
    from mtl_keras.surgery import add_task, split
    from mtl_keras.tasks import (
        BinaryClassification,
        Classification,
        DenseRegression,
        MultiLabelClassification,
        Regression,
        Segmentation,
        SequenceTagging,
        Task,
    )
    from mtl_keras.training import (
        BackupAndRestore,
        LossWeightSchedule,
        MultiTaskModel,
        fit_full_batch,
        fit_in_stages,
    )

__version__ = "0.1.0"


def __getattr__(name: str):
    """Loads the search, and with it KerasTuner, once somebody asks for it."""
    if name != "tuning":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("mtl_keras.tuning")


__all__ = [
    "BackupAndRestore",
    "BinaryClassification",
    "Classification",
    "DenseRegression",
    "LossWeightSchedule",
    "MultiLabelClassification",
    "MultiTaskModel",
    "Regression",
    "Segmentation",
    "SequenceTagging",
    "Task",
    "add_task",
    "datasets",
    "distribution",
    "evaluation",
    "fit_full_batch",
    "fit_in_stages",
    "layers",
    "load_model",
    "losses",
    "metrics",
    "models",
    "sequence_trunks",
    "split",
    "surgery",
    "tables",
    "tasks",
    "training",
    "trunks",
    "tuning",  # noqa: F405, loaded by `__getattr__`
    "weighting",
    "with_text_input",
    "without_text_input",
]
# The factories, which have one list: `mtl_keras/models/factories.py`.
__all__ += [name for name in globals() if name.startswith("build_")]
__all__.sort()
