"""Tasks of every kind with output shapes, and targets with missing labels."""

import numpy as np

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

KINDS = {
    "classification": (Classification("a", 3), (3,)),
    "binary": (BinaryClassification("a"), (1,)),
    "multi_label": (MultiLabelClassification("a", 3), (3,)),
    "regression": (Regression("a"), (1,)),
    "regression_of_two": (Regression("a", units=2), (2,)),
    "depth": (DenseRegression("a"), (4, 4, 1)),
    "normals": (DenseRegression("a", units=3), (4, 4, 3)),
    "mask": (Segmentation("a", 1), (4, 4, 1)),
    "segmentation": (Segmentation("a", 3), (4, 4, 3)),
    "tagging": (SequenceTagging("a", 3), (5, 3)),
}


def make_holes(task, targets, output_shape, rng, share=0.4, whole=False):
    """Removes labels at random: single elements, and all of a sample.

    Args:
        task: The task.
        targets: Integers or floats of the task's natural shape.
        output_shape: Shape of its output without the batch axis.
        rng: Numpy generator.
        share: Share of the elements to remove.
        whole: Whether to remove only all labels of a sample.
    """
    holed = np.array(targets)
    if holed.dtype.kind in "iu":
        holed = holed.astype("int32")
    gone = rng.uniform(size=holed.shape) < (0 if whole else share)
    samples = rng.uniform(size=len(holed)) < (share if whole else share / 2)
    gone |= samples.reshape(-1, *[1] * (holed.ndim - 1))
    holed[gone] = task.missing_label
    return holed
