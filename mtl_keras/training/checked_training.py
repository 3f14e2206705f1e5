"""Training and evaluation on data that was checked before the first step."""

from __future__ import annotations

import keras

from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.class_weights import check_class_weights
from mtl_keras.training.data.data_preparation import DataPreparation
from mtl_keras.training.data.held_out import check_whether_held_out
from mtl_keras.training.data.none_targets import replace_none
from mtl_keras.training.data.streams import can_shuffle, check_first_batch
from mtl_keras.training.gradients.non_finite_gradients import raise_if_stopped
from mtl_keras.training.own_callbacks import with_own


class CheckedTraining(DataPreparation):
    """Mixin that puts checks before Keras's own training methods.

    The class that takes it in has what `DataPreparation` asks for.
    """

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=None,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        held_out_data=None,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does, on checked data.

        Arrays are checked whole, streams by what they say of themselves and
        by their first batch. Labels may be missing (see `Task.missing_label`):
        they add nothing to losses, gradients and metrics, and a batch without
        any label changes nothing.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.fit`.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            validation_data: As in `keras.Model.fit`; checked like `x` and `y`.
            shuffle: As in `keras.Model.fit`. Defaults to `True` where Keras can
                shuffle: arrays, and the batches of a PyDataset.
            class_weight: Dict from task name to a dict from class to weight,
                which multiplies the weight of the samples (or pixels, tokens,
                labels) of that class. What it leaves out has weight 1.
            held_out_data: What weightings such as `"auto_lambda"` learn from:
                `(x, y)` or `(x, y, sample_weight)`, or a `tf.data.Dataset` of
                such batches. It should be neither trained on nor the
                validation data, which would no longer tell how good the
                model is.

        All other arguments are those of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with `loss`, `<task>_loss` and
            `<task>_<metric>` for each task.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
            NonFiniteLossError: If a loss becomes NaN or infinite.
            NonFiniteGradientError: If a gradient does, where the model has
                a weighting (see `compile`).
        """
        self._assert_compile_called("fit")
        weights = check_class_weights(class_weight, self.tasks)
        x, y = self._prepare("train", x, y, sample_weight, validation_split)
        self.complete_labels["validation"] = self.complete_labels["train"]
        if validation_data is not None:
            validation_data = self._prepare_validation(validation_data)
        # Before the held-out batches, which follow from the step it is at.
        self.restore_backup(callbacks)
        held_out = self._prepare_held_out(held_out_data, batch_size)
        self.class_weights.clear()
        self.class_weights.update(weights)
        self.skipped_steps.reset()
        with self.learning_from(held_out):
            history = super().fit(
                x=x,
                y=y,
                batch_size=batch_size,
                epochs=epochs,
                verbose=verbose,
                callbacks=with_own(callbacks, self),
                validation_split=validation_split,
                validation_data=validation_data,
                shuffle=can_shuffle(x) if shuffle is None else shuffle,
                sample_weight=sample_weight,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_batch_size=validation_batch_size,
                validation_freq=validation_freq,
            )
        self.skipped_steps.warn(stacklevel=2)
        return history

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Evaluates the model, as `keras.Model.evaluate` does, on checked data.

        Pass `return_dict=True` to have the results by name.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.evaluate`.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.

        All other arguments and the result are those of `keras.Model.evaluate`.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
        """
        self._assert_compile_called("evaluate")
        if kwargs.get("_use_cached_eval_dataset"):
            # `fit` has checked its validation data already.
            self.complete_labels["test"] = self.complete_labels["validation"]
        else:
            x, y = self._prepare("test", x, y, sample_weight)
        return super().evaluate(
            x=x,
            y=y,
            batch_size=batch_size,
            verbose=verbose,
            sample_weight=sample_weight,
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
            **kwargs,
        )

    def train_on_batch(
        self,
        x,
        y=None,
        sample_weight=None,
        class_weight=None,
        return_dict=False,
    ):
        """Trains on one checked batch, as `keras.Model.train_on_batch` does.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            sample_weight: As in `keras.Model.train_on_batch`.
            class_weight: See `fit`.
            return_dict: As in `keras.Model.train_on_batch`.
        """
        self._assert_compile_called("train_on_batch")
        check_whether_held_out(self.weighting, None)
        weights = check_class_weights(class_weight, self.tasks)
        self.complete_labels["train"] = check_data(self, x, y, sample_weight)
        self.class_weights.clear()
        self.class_weights.update(weights)
        self.skipped_steps.reset()
        logs = super().train_on_batch(
            x, replace_none(y, x), sample_weight, return_dict=return_dict
        )
        self.skipped_steps.warn(stacklevel=2)
        raise_if_stopped(self, "in this batch")
        return logs

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluates one checked batch, as `keras.Model.test_on_batch` does.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            sample_weight: As in `keras.Model.test_on_batch`.
            return_dict: As in `keras.Model.test_on_batch`.
        """
        self._assert_compile_called("test_on_batch")
        self.complete_labels["test"] = check_data(self, x, y, sample_weight)
        return super().test_on_batch(
            x, replace_none(y, x), sample_weight, return_dict=return_dict
        )

    def make_train_function(self, force: bool = False):
        """Makes the train function, which here checks a first batch."""
        super().make_train_function(force)
        self.train_function = check_first_batch(
            self.train_function, self, "train"
        )
        return self.train_function

    def make_test_function(self, force: bool = False):
        """Makes the test function, which here checks a first batch."""
        super().make_test_function(force)
        self.test_function = check_first_batch(self.test_function, self, "test")
        return self.test_function
