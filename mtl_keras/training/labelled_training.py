"""Chooses between Keras's steps and those that leave missing labels out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from mtl_keras.training.filled_targets import any_label
from mtl_keras.training.labelled_steps import LabelledSteps
from mtl_keras.training.step_function import make_step_function
from mtl_keras.training.weighted_updates import WeightedUpdates


class LabelledTraining(LabelledSteps, WeightedUpdates):
    """Mixin that makes the train and test functions of a model.

    On one replica, where no label can be missing, they are Keras's own.
    """

    def start_labelled_training(self) -> None:
        """Sets what is remembered from one call of `fit` to the next."""
        modes = ("train", "test", "validation")
        self._keep_untracked("complete_labels", dict.fromkeys(modes, False))
        self._keep_untracked("class_weights", {})
        self._keep_untracked("_functions", {"train": {}, "test": {}})
        self._keep_untracked("_skipped", None)

    @property
    def skipped_batches(self) -> int:
        """Batches of the last training that had no label for any task."""
        return 0 if self._skipped is None else int(self._skipped.numpy())

    def takes_own_step(self, mode: str) -> bool:
        """Whether the next training or evaluation is not by Keras's own step.

        Args:
            mode: `"train"` or `"test"`.
        """
        return (
            not self.complete_labels[mode]
            or self._num_replicas > 1
            or (mode == "train" and bool(self.class_weights))
            or (mode == "train" and self.weighting is not None)
        )

    def make_train_function(self, force: bool = False) -> Callable:
        """Makes the function of a training step, or finds it again."""
        weights = {k: v.tobytes() for k, v in self.class_weights.items()}
        self.train_function = self._find_function(
            "train",
            tuple(sorted(weights.items())),
            super().make_train_function,
            self._train_on_replicas,
            force or self.train_function is None,
        )
        return self.train_function

    def make_test_function(self, force: bool = False) -> Callable:
        """Makes the function of a test step, or finds it again."""
        self.test_function = self._find_function(
            "test",
            (),
            super().make_test_function,
            self._test_on_replicas,
            force or self.test_function is None,
        )
        return self.test_function

    def _find_function(self, mode, key, make_kerass, own_step, fresh):
        """A traced function stays with what it was traced for."""
        functions = self._functions[mode]
        if fresh:  # compiled anew, or reset by hand
            functions.clear()
        own = self.takes_own_step(mode)
        key = (own, own and self.complete_labels[mode], key)
        if key not in functions:
            if own:
                function = make_step_function(self, own_step)
            else:
                make_kerass(force=True)
                function = getattr(self, f"{mode}_function")
            functions[key] = self._logging(function, own, mode)
        return functions[key]

    def _logging(self, function: Callable, own: bool, mode: str) -> Callable:
        """Has losses logged in the way in which the steps gather them."""

        def logging(iterator):
            self._compile_loss.by_label = own
            self.in_training = mode == "train"
            return function(iterator)

        return logging

    def _train_on_replicas(self, data) -> None:
        """Trains on a batch, unless no replica anywhere has a label in it."""
        self._build_compiled(data)
        strategy = self.distribute_strategy

        def train():
            strategy.run(self.labelled_train_step, args=(data,))
            return tf.constant(0, tf.int64)

        if self.complete_labels["train"]:
            train()
            return
        labels = strategy.run(self._count_labelled, args=(data,))
        found = strategy.reduce(tf.distribute.ReduceOp.SUM, labels, axis=None)
        self._skipped.assign_add(
            tf.cond(found > 0, train, lambda: tf.constant(1, tf.int64))
        )

    def _test_on_replicas(self, data) -> None:
        self._build_compiled(data)
        self.distribute_strategy.run(self.labelled_test_step, args=(data,))

    def _count_labelled(self, data):
        """1 if this replica has a label for any task, else 0."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        y = y if isinstance(y, Mapping) else {self.tasks[0].name: y}
        return tf.cast(any_label(self.tasks, y), tf.int32)

    def start_counting_skipped(self) -> None:
        """Sets the count of skipped batches to zero."""
        if self._skipped is None:
            with self.distribute_strategy.scope():
                variable = tf.Variable(
                    0, trainable=False, dtype=tf.int64, name="skipped_batches"
                )
            self._keep_untracked("_skipped", variable)
        self._skipped.assign(0)

    def say_skipped(self) -> None:
        """Warns if batches without any label were skipped."""
        if self.skipped_batches:
            warnings.warn(
                f"{self.skipped_batches} batches had no label for any task "
                "and changed nothing. Shuffle the samples, or drop those "
                "without labels.",
                stacklevel=3,
            )

    def _build_compiled(self, data) -> None:
        """Makes the variables of losses, metrics and optimizer.

        Inside of the branches and loops of a step it would be too late.
        """
        parts = (self._compile_loss, self._compile_metrics, self.optimizer)
        if not all(part is None or part.built for part in parts):
            strategy = self.distribute_strategy
            local = keras.tree.map_structure(
                lambda leaf: strategy.experimental_local_results(leaf)[0], data
            )
            self._symbolic_build(data_batch=local)

    def _symbolic_build(self, iterator=None, data_batch=None) -> None:
        if data_batch is not None and self.tasks:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(data_batch)
            y = y if isinstance(y, Mapping) else {self.tasks[0].name: y}
            data_batch = (x, self._natural_targets(y))
            if not self.optimizer.built:
                self.build_optimizer()
        super()._symbolic_build(iterator=iterator, data_batch=data_batch)

    def _natural_targets(self, y: Mapping) -> dict:
        """Gives those targets that say only "no labels" their usual shape."""
        natural = {}
        for task in self.tasks:
            shapes = task.target_shapes(self.task_output_shapes[task.name])
            ranks = {len(shape) for shape in shapes}
            target = y[task.name]
            if len(target.shape) - 1 not in ranks:
                target = keras.KerasTensor(
                    (target.shape[0], *shapes[0]), "float32"
                )
            natural[task.name] = target
        return natural
