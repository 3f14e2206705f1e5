"""The settings of one call of `fit` or `evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from mtl_keras.training.backups.resumption import Resumption


@dataclasses.dataclass(frozen=True)
class Run:
    """The settings of one call of `fit` or `evaluate`.

    Args:
        mode: `"train"` or `"test"`.
        complete: Whether all labels of all tasks are present.
        class_weights: Dict from task name to an array of class weights.
        held_out: Iterator over held-out batches, or `None`.
        held_out_complete: Whether all held-out labels are present.
        unchecked: Whether the data is a stream whose first batch has not been
            checked yet.
        validation: The run of the evaluation after each epoch, or `None`.
        resumption: Continues training from a backup, or `None`.
    """

    mode: str = "train"
    complete: bool = False
    class_weights: Mapping[str, np.ndarray] = dataclasses.field(
        default_factory=dict
    )
    held_out: Iterator | None = None
    held_out_complete: bool = False
    unchecked: bool = False
    validation: Run | None = None
    resumption: Resumption | None = None

    @property
    def is_training(self) -> bool:
        """Returns whether the model trains, rather than evaluates."""
        return self.mode == "train"

    @property
    def key(self) -> tuple:
        """The settings that change the traced step."""
        weights = {
            name: tuple(map(float, table))
            for name, table in self.class_weights.items()
        }
        return (
            self.mode,
            self.complete,
            tuple(sorted(weights.items())),
            self.held_out is not None,
            self.held_out is not None and self.held_out_complete,
        )
