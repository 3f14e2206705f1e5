"""What one call of `fit` or `evaluate` has decided."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from mtl_keras.training.backups.resumption import Resumption


@dataclasses.dataclass(frozen=True)
class Run:
    """What one call of `fit` or `evaluate` has decided about its steps.

    Args:
        mode: `"train"` or `"test"`.
        complete: Whether no label of any task can be missing.
        class_weights: Dict from task name to a weight for each class.
        held_out: Iterator over held-out batches, or `None`.
        held_out_complete: Whether no label can be missing there.
        unchecked: Whether the data are a stream whose first batch is still to
            be checked.
        validation: The run of the evaluation after each epoch, or `None`.
        resumption: What makes a training continue from a backup, or `None`.
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
    def trains(self) -> bool:
        """Whether the run trains."""
        return self.mode == "train"

    @property
    def key(self) -> tuple:
        """What of the run changes the traced step."""
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
