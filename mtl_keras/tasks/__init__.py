"""Kinds of tasks: the head, loss, metrics and weight of one named output."""

from mtl_keras.tasks.binary_classification import BinaryClassification
from mtl_keras.tasks.classification import Classification
from mtl_keras.tasks.dense_regression import DenseRegression
from mtl_keras.tasks.multi_label_classification import MultiLabelClassification
from mtl_keras.tasks.regression import Regression
from mtl_keras.tasks.segmentation import Segmentation
from mtl_keras.tasks.sequence_tagging import SequenceTagging
from mtl_keras.tasks.task import Task
from mtl_keras.tasks.task_names import check_task_names

# Kinds by the name that readers of files take. A new kind is a line here.
KINDS = {
    kind.__name__: kind
    for kind in (
        BinaryClassification,
        Classification,
        DenseRegression,
        MultiLabelClassification,
        Regression,
        Segmentation,
        SequenceTagging,
    )
}

__all__ = [*KINDS, "KINDS", "Task", "check_task_names"]
