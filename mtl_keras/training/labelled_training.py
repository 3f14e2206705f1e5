"""Chooses between Keras's steps and those that leave missing labels out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.training.data.filled_targets import any_label
from mtl_keras.training.data.specified_batch import specified_batch
from mtl_keras.training.gradients.non_finite_gradients import scales_loss
from mtl_keras.training.gradients.skipped_steps import SkippedSteps
from mtl_keras.training.gradients.weighted_updates import WeightedUpdates
from mtl_keras.training.kerass_step import make_function_of_kerass_step
from mtl_keras.training.labelled_steps import LabelledSteps
from mtl_keras.training.step_function import make_step_function


class LabelledTraining(LabelledSteps, WeightedUpdates):
    """Mixin that makes the train and test functions of a model.

    On one replica, where no label can be missing and few tasks are alike, they
    are Keras's own.
    """

    def start_labelled_training(self) -> None:
        """Sets what is remembered from one call of `fit` to the next."""
        modes = ("train", "test", "validation", "held_out")
        self._keep_untracked("complete_labels", dict.fromkeys(modes, False))
        self._keep_untracked("class_weights", {})
        self._keep_untracked("_held_out", None)
        self._keep_untracked("_functions", {"train": {}, "test": {}})
        self._keep_untracked("_skipped", None)
        self._keep_untracked("non_finite", "stop")

    @property
    def skipped_batches(self) -> int:
        """Batches of the last training that had no label for any task."""
        return 0 if self._skipped is None else self._skipped.without_labels

    @property
    def skipped_steps(self) -> SkippedSteps:
        """Steps of the last training that were passed over, by reason.

        Raises:
            AttributeError: If the model was not compiled.
        """
        if self._skipped is None:
            raise AttributeError(
                "The model counts steps once it is compiled: call "
                "model.compile(...) first."
            )
        return self._skipped

    @property
    def guards_steps(self) -> bool:
        """Whether a step is taken only if all of it is finite."""
        return self.weighting is not None or self.non_finite == "skip"

    def takes_own_step(self, mode: str) -> bool:
        """Whether the next training or evaluation is not by Keras's own step.

        Args:
            mode: `"train"` or `"test"`.
        """
        return (
            not self.complete_labels[mode]
            or self._num_replicas > 1
            or bool(self._compile_loss.groups)
            or (mode == "train" and bool(self.class_weights))
            or (mode == "train" and self.guards_steps)
        )

    def make_train_function(self, force: bool = False) -> Callable:
        """Makes the function of a training step, or finds it again."""
        weights = {k: v.tobytes() for k, v in self.class_weights.items()}
        self.train_function = self._find_function(
            "train",
            (
                tuple(sorted(weights.items())),
                self._held_out is not None and self.complete_labels["held_out"],
            ),
            super().make_train_function,
            self._train_on_replicas,
            force or self.train_function is None,
            beside=lambda: self._held_out,
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

    def _find_function(
        self, mode, key, make_kerass, own_step, fresh, beside=lambda: None
    ):
        """A traced function stays with what it was traced for."""
        functions = self._functions[mode]
        if fresh:  # compiled anew, or reset by hand
            functions.clear()
        own = self.takes_own_step(mode)
        key = (own, own and self.complete_labels[mode], key)
        if key not in functions:
            if own:
                function = make_step_function(self, own_step, beside)
            else:
                function = self._kerass_function(mode, make_kerass)
            functions[key] = self._logging(function, mode)
        return functions[key]

    def _kerass_function(self, mode: str, make_kerass: Callable) -> Callable:
        """Makes the function of Keras's own step."""
        if self.steps_per_execution == 1 and not self.run_eagerly:
            step = getattr(self, f"{mode}_step")
            return make_function_of_kerass_step(self, step)
        make_kerass(force=True)
        return getattr(self, f"{mode}_function")

    def _logging(self, function: Callable, mode: str) -> Callable:
        """Has losses logged in the way in which the steps gather them."""

        def logging(iterator):
            self._compile_loss.by_label = not self.complete_labels[mode]
            self.in_training = mode == "train"
            if self.in_training and not self.run_eagerly:
                self._build_ahead(iterator)
            return function(iterator)

        return logging

    def _train_on_replicas(self, data, held_out=None) -> None:
        """Trains on a batch, unless no replica anywhere has a label in it."""
        self._build_compiled(data)
        skipped = self.skipped_steps
        step = self._guarded_step if self.guards_steps else self._plain_step
        if self.complete_labels["train"]:
            skipped.add(tf.constant(0, tf.int64), step(data, held_out))
            return
        strategy = self.distribute_strategy
        labels = strategy.run(self._count_labelled, args=(data,))
        found = strategy.reduce(tf.distribute.ReduceOp.SUM, labels, axis=None)
        none = tf.cast(found == 0, tf.int64)
        finite = tf.cond(
            found > 0,
            lambda: step(data, held_out),
            lambda: skipped.all_finite,
        )
        skipped.add(none, finite)

    def _plain_step(self, data, held_out):
        """Takes a step, whatever comes of it."""
        arguments = (data, held_out)
        self.distribute_strategy.run(self.labelled_train_step, args=arguments)
        return self.skipped_steps.all_finite

    def _guarded_step(self, data, held_out):
        """Takes a step if all of it is finite, and says what was."""
        strategy = self.distribute_strategy
        found = strategy.run(self.find_update, args=(data, held_out))
        # The same on all replicas, since it was summed before.
        finite = strategy.experimental_local_results(found.finite)[0]
        if self.non_finite == "stop":  # the logs tell which loss it was
            strategy.run(self.record_batch, args=(found,))

        def take():
            if self.non_finite == "skip":
                strategy.run(self.record_batch, args=(found,))
            strategy.run(self.apply_update, args=(data, found))
            return finite

        def leave():
            if scales_loss(self.optimizer):  # it lowers its scale
                strategy.run(self.apply_gradients, args=(found,))
            return finite

        return tf.cond(tf.reduce_all(finite), take, leave)

    def _test_on_replicas(self, data, _=None) -> None:
        self._build_compiled(data)
        self.distribute_strategy.run(self.labelled_test_step, args=(data,))

    def _count_labelled(self, data):
        """1 if this replica has a label for any task, else 0."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        y = y if isinstance(y, Mapping) else {self.tasks[0].name: y}
        return tf.cast(any_label(self.tasks, y), tf.int32)

    @contextlib.contextmanager
    def learning_from(self, held_out: tf.data.Dataset | None):
        """Has the weighting learn from held-out batches for a while.

        Args:
            held_out: An endless stream of batches, or `None`.
        """
        if held_out is not None:
            strategy = self.distribute_strategy
            self._held_out = iter(
                strategy.experimental_distribute_dataset(held_out)
            )
        try:
            yield
        finally:
            self._held_out = None

    def count_skipped(self, names: Sequence[str]) -> None:
        """Makes the counts of steps that are passed over.

        Args:
            names: Names of the tasks that have a loss.
        """
        with self.distribute_strategy.scope():
            self._keep_untracked("_skipped", SkippedSteps(names))

    def _build_ahead(self, iterator) -> None:
        """Makes variables before a step is traced, if the data say enough.

        A step that makes them is traced twice, each of them with a condition
        whether it has been made.
        """
        if self._has_built_compiled() or not hasattr(iterator, "element_spec"):
            return
        batch = specified_batch(iterator)
        if batch is not None:
            with self.distribute_strategy.scope():
                self._symbolic_build(data_batch=batch)

    def _has_built_compiled(self) -> bool:
        parts = (self._compile_loss, self._compile_metrics, self.optimizer)
        return all(part is None or part.built for part in parts)

    def _build_compiled(self, data) -> None:
        """Makes the variables of losses, metrics and optimizer.

        Inside of the branches and loops of a step it would be too late.
        """
        if not self._has_built_compiled():
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
            losses = self._compile_loss
            if losses.groups and not losses.built:
                # Without computing each of them, as Keras would.
                size = keras.tree.flatten(data_batch[1])[0].shape[0]
                losses.build(data_batch[1], self.symbolic_outputs(size))
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
