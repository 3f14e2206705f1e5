"""Checks data before training, and takes `None` out of it."""

from __future__ import annotations

import keras

from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.held_out import (
    check_whether_held_out,
    held_out_batches,
)
from mtl_keras.training.data.none_targets import (
    replace_none,
    replace_none_in_stream,
)
from mtl_keras.training.data.streams import check_specification, is_stream
from mtl_keras.training.data.strings import with_object_strings
from mtl_keras.training.data.target_checks import check_split


class DataPreparation:
    """Mixin that checks the data of training and evaluation.

    The class that takes it in has `tasks`, `task_output_shapes` and what
    `LabelledTraining` has, and a set `unchecked_streams` of modes ("train",
    "test") whose next batch is the first of a stream.
    """

    def _prepare(
        self,
        mode: str,
        x,
        y,
        sample_weight=None,
        validation_split: float = 0.0,
        where: str = "",
    ) -> tuple:
        """Checks arrays now, a stream at its first batch; takes `None` out."""
        if x is None:
            raise TypeError(
                "x is None; expected inputs: an array, a dict of arrays, or a "
                "stream of batches such as a tf.data.Dataset."
            )
        self.unchecked_streams.discard(mode)
        x = with_object_strings(x)
        if is_stream(x):
            check_specification(self, x)
            self.unchecked_streams.add(mode)
            complete = all(task.complete_labels for task in self.tasks)
            if not complete:
                x = replace_none_in_stream(
                    x, self.tasks, self.task_output_shapes
                )
        else:
            complete = check_data(
                self, x, y, sample_weight, where=where, whole=True
            )
            if validation_split and not complete:
                check_split(self, y, validation_split)
            y = replace_none(y, x)
        self.complete_labels[mode] = complete
        return x, y

    def _prepare_validation(self, validation_data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(
            validation_data
        )
        x, y = self._prepare(
            "test", x, y, sample_weight, where="validation_data"
        )
        self.complete_labels["validation"] = self.complete_labels["test"]
        if y is None and sample_weight is None:
            return x
        return (x, y) if sample_weight is None else (x, y, sample_weight)

    def _prepare_held_out(self, held_out_data, batch_size):
        """Checks held-out data and makes an endless stream of it."""
        check_whether_held_out(self.weighting, held_out_data)
        if held_out_data is None:
            return None
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(
            held_out_data
        )
        x, y = self._prepare(
            "held_out", x, y, sample_weight, where="held_out_data"
        )
        if "held_out" in self.unchecked_streams:
            self.unchecked_streams.discard("held_out")
            check_data(self, *next(iter(x)), where="held_out_data")
        return held_out_batches(
            x,
            y,
            sample_weight,
            batch_size=batch_size or 32,
            steps=int(self.weighting.steps),
        )
