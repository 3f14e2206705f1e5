"""The losses of one batch, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mtl_keras.training.losses.batch_parts import BatchPart
from mtl_keras.training.losses.loss_sums import LossSums
from mtl_keras.training.losses.task_losses import TaskLosses


class BatchLosses(NamedTuple):
    """The losses of the part of a batch that a replica has.

    Args:
        parts: The batch, split by tasks.
        sums: Dict from the names of a part to its `LossSums`.
        weighted: This replica's share of the task losses times the user's
            weights, of shape `(tasks,)`. The sum over the replicas is the loss
            of the batch.
        added: A loss that an overridden `compute_loss` adds, as a mean over
            the samples of this replica, or `None`.
    """

    parts: list[BatchPart]
    sums: dict[tuple[str, ...], LossSums]
    weighted: object
    added: object = None

    @property
    def rows(self):
        """Number of samples, an integer tensor."""
        return self.parts[0].rows


def batch_losses(
    losses: TaskLosses,
    y,
    y_pred: Mapping,
    sample_weight=None,
    *,
    class_weights: Mapping | None = None,
    complete: bool = False,
) -> BatchLosses:
    """Computes the losses of a batch.

    Inside of a replica, the numbers of labels are summed over all replicas
    before losses are divided by them, so that the sum of their gradients is
    the gradient of the whole batch.

    Args:
        losses: The losses of the tasks.
        y: See `TaskLosses.parts`.
        y_pred: See `TaskLosses.parts`.
        sample_weight: See `TaskLosses.parts`.
        class_weights: See `TaskLosses.parts`.
        complete: See `TaskLosses.parts`.
    """
    parts = losses.parts(
        y,
        y_pred,
        sample_weight,
        class_weights=class_weights,
        complete=complete,
    )
    sums = losses.sums(parts)
    weighted = losses.shares(sums) * losses.weights()
    return BatchLosses(parts, sums, weighted)
