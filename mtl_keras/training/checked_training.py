"""Training and evaluation on data that was checked before the first step."""

from __future__ import annotations

import keras

from mtl_keras.training.checks import check_data
from mtl_keras.training.non_finite_loss import StopOnNonFiniteLoss
from mtl_keras.training.streams import (
    check_first_batch,
    check_specification,
    is_stream,
)


class CheckedTraining:
    """Mixin that puts checks before Keras's own training methods.

    The class that takes it in has `tasks` and `task_output_shapes`, and a set
    `unchecked_streams` of modes ("train", "test") whose next batch is the
    first of a stream.
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
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does, on checked data.

        Arrays are checked whole, streams by what they say of themselves and
        by their first batch.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.fit`.
            y: Dict from task name to targets.
            validation_data: As in `keras.Model.fit`; checked like `x` and `y`.

        All other arguments are those of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with `loss`, `<task>_loss` and
            `<task>_<metric>` for each task.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
            NonFiniteLossError: If a loss becomes NaN or infinite.
        """
        self._assert_compile_called("fit")
        self._check(x, y, sample_weight)
        if validation_data is not None:
            validation = keras.utils.unpack_x_y_sample_weight(validation_data)
            self._check(*validation, "test", "validation_data")
        return super().fit(
            x=x,
            y=y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=_with_guard(callbacks),
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )

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
            y: Dict from task name to targets.

        All other arguments and the result are those of `keras.Model.evaluate`.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
        """
        self._assert_compile_called("evaluate")
        # `fit` has checked its validation data already.
        if not kwargs.get("_use_cached_eval_dataset"):
            self._check(x, y, sample_weight, "test", "evaluate")
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

    def train_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """Trains on one checked batch, as `keras.Model.train_on_batch` does."""
        self._assert_compile_called("train_on_batch")
        check_data(self, x, y, sample_weight)
        return super().train_on_batch(x, y, sample_weight, *args, **kwargs)

    def test_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """Evaluates one checked batch, as `keras.Model.test_on_batch` does."""
        self._assert_compile_called("test_on_batch")
        check_data(self, x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, *args, **kwargs)

    def _check(self, x, y, sample_weight, mode="train", where="") -> None:
        """Checks arrays now, and a stream at its first batch."""
        if x is None:
            raise TypeError(
                "x is None; expected inputs: an array, a dict of arrays, or a "
                "stream of batches such as a tf.data.Dataset."
            )
        self.unchecked_streams.discard(mode)
        if is_stream(x):
            check_specification(self, x)
            self.unchecked_streams.add(mode)
        else:
            check_data(self, x, y, sample_weight, where=where)

    def make_train_function(self, force: bool = False):
        """Makes Keras's train function, which here checks a first batch."""
        fresh = force or self.train_function is None
        super().make_train_function(force)
        if fresh:
            self.train_function = check_first_batch(
                self.train_function, self, "train"
            )
        return self.train_function

    def make_test_function(self, force: bool = False):
        """Makes Keras's test function, which here checks a first batch."""
        fresh = force or self.test_function is None
        super().make_test_function(force)
        if fresh:
            self.test_function = check_first_batch(
                self.test_function, self, "test"
            )
        return self.test_function


def _with_guard(callbacks):
    """Adds the callback that stops a run at a loss that is not finite."""
    guard = StopOnNonFiniteLoss()
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(guard)
        guard.set_model(callbacks.model)
        return callbacks
    return [*keras.tree.flatten(callbacks or []), guard]
