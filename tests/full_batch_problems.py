"""Small problems of training on all samples at once."""

import numpy as np

import mtl_keras
from mtl_keras import Regression
from mtl_keras.training.data.preparation import prepare
from mtl_keras.training.full_batch.chunks import make_chunks
from mtl_keras.training.full_batch.joint_loss import JointLoss

METHODS = ("CG", "L-BFGS-B")
L2 = 0.1


def regressions(weight=0.5):
    return [Regression("left"), Regression("right", loss_weight=weight)]


def linear(tasks=None, **options):
    """Returns the linear model of three inputs."""
    return mtl_keras.build_mlp(
        (3,), tasks or regressions(), hidden_units=(), **options
    )


def small(**options):
    """Returns a model with a hidden layer."""
    options = {"hidden_units": (5,), "activation": "tanh", **options}
    return mtl_keras.build_mlp((3,), regressions(), **options)


def holed(y):
    """Removes a third of the labels of one task, and one of the other."""
    y = {task: targets.copy() for task, targets in y.items()}
    y["right"][::3] = np.nan
    y["left"][4] = np.nan
    return y


def parameters(model, task):
    """Returns the weights and bias of a head."""
    kernel, bias = model.get_layer(task).get_weights()
    return np.concatenate([kernel[:, 0], bias])


def least_squares(x, y):
    """Returns the optimum of each task, over the rows that are labelled."""
    keep = ~np.isnan(y)
    design = np.column_stack([x, np.ones(len(x))])[keep]
    return np.linalg.lstsq(design.astype("float64"), y[keep], rcond=None)[0]


def joint_loss(model, x, y, batch_size=None, sample_weight=None):
    """Returns the objective that `fit_full_batch` hands to SciPy."""
    data = prepare(model, x, y, sample_weight)
    chunks = make_chunks(data.x, data.y, data.sample_weight, batch_size)
    model.compiled_parts.build(model, chunks[0])
    return JointLoss(model, chunks, complete=data.complete)
