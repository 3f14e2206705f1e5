"""mtl_keras: a multi-task model zoo for Keras 3 on TensorFlow.

>>> import mtl_keras
>>> model = mtl_keras.build_cnn_cls_seg()
>>> sorted(model.output_names)
['classification', 'segmentation']
"""

import sys
from pathlib import Path

# The command line answers `--help` without TensorFlow, and silences it before
# it loads it; its commands import by themselves what they need.
if Path(sys.argv[0]).stem != "mtl-keras":
    from mtl_keras import (
        datasets,
        evaluation,
        losses,
        metrics,
        models,
        tasks,
        training,
        trunks,
        weighting,
    )
    from mtl_keras.models import build_cnn, build_cnn_cls_seg, build_mlp
    from mtl_keras.pretrained import load_model
    from mtl_keras.tasks import (
        BinaryClassification,
        Classification,
        MultiLabelClassification,
        Regression,
        Segmentation,
        SequenceTagging,
        Task,
    )
    from mtl_keras.training import LossWeightSchedule, MultiTaskModel

__version__ = "0.1.0"

__all__ = [
    "BinaryClassification",
    "Classification",
    "LossWeightSchedule",
    "MultiLabelClassification",
    "MultiTaskModel",
    "Regression",
    "Segmentation",
    "SequenceTagging",
    "Task",
    "build_cnn",
    "build_cnn_cls_seg",
    "build_mlp",
    "datasets",
    "evaluation",
    "load_model",
    "losses",
    "metrics",
    "models",
    "tasks",
    "training",
    "trunks",
    "weighting",
]
