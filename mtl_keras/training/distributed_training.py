"""Training over several replicas and several hosts, where Keras's own fails.

Keras's `fit` does not run under `MultiWorkerMirroredStrategy` (keras issue
20585): it takes the batch of a worker with one device for one of all
replicas, and reduces logs over an axis that they do not have. Steps of our own
replace the second; here the first is overridden.
`tests/test_keras_source.py` says when Keras has changed.
"""

from __future__ import annotations

import secrets

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters import get_data_adapter
from tensorflow.python.eager import context

from mtl_keras.distribution.batch_sizes import BatchSizes, tell_uneven
from mtl_keras.distribution.lost_workers import lost_workers_named
from mtl_keras.distribution.made_inside import (
    check_made_inside,
    check_on_replicas,
)
from mtl_keras.distribution.replicas import rows_of_targets
from mtl_keras.distribution.split_batches import shard_by_data, split_batches
from mtl_keras.distribution.workers import (
    check_agreement,
    from_chief,
    has_several_workers,
    is_chief,
)
from mtl_keras.training.data.specified_batch import specified_batch
from mtl_keras.training.data.streams import is_stream
from mtl_keras.training.data.strings import with_object_strings
from mtl_keras.training.worker_callbacks import callbacks_of_worker


class DistributedTraining:
    """Mixin that trains, evaluates, predicts and saves under any strategy.

    The class that takes it in is a `keras.Model` that takes steps of its own
    where there is more than one replica.
    """

    def start_distributed_training(self) -> None:
        """Sets what is there before the first training."""
        # "train" or "test": what the next iterator is for.
        self._keep_untracked("_reads_for", "train")

    def compile(self, **arguments) -> None:
        """Compiles as Keras does, with all variables on all replicas."""
        # Optimizers that come by name have variables of their own.
        with self.distribute_strategy.scope():
            super().compile(**arguments)

    def fit(self, **arguments):
        """Trains as Keras does; under several workers, on all of them."""
        check_made_inside(self)
        _check_accumulation(self.optimizer, self._num_replicas)
        self._reads_for = "train"
        strategy = self.distribute_strategy
        if has_several_workers(strategy):
            names = ("epochs", "initial_epoch", "steps_per_epoch")
            numbers = {name: arguments[name] or 0 for name in names}
            check_agreement(strategy, numbers)
        return super().fit(**self._for_worker(arguments, training=True))

    def evaluate(self, **arguments):
        """Evaluates as Keras does; under several workers, on all of them."""
        self._reads_for = "test"
        if not arguments.get("_use_cached_eval_dataset"):
            check_made_inside(self)
            arguments = self._for_worker(arguments)
        return super().evaluate(**arguments)

    def predict(
        self, x, batch_size=None, verbose="auto", steps=None, callbacks=None
    ):
        """Predicts as `keras.Model.predict` does.

        Where there are several workers, all must call it, and each gets the
        predictions of all.
        """
        check_made_inside(self)
        x = with_object_strings(x)
        adapter = None
        if self._num_replicas > 1:
            adapter = _adapter_of_rows(x, batch_size, steps)
        if adapter is not None:
            x = split_batches(
                _with_rows(adapter.get_tf_dataset()),
                self.distribute_strategy,
                fill=True,
            )
            batch_size, steps = None, steps or adapter.num_batches
        arguments = {"x": x, "verbose": verbose, "callbacks": callbacks}
        with lost_workers_named(self.distribute_strategy):
            return super().predict(
                batch_size=batch_size,
                steps=steps,
                **self._for_worker(arguments),
            )

    def predict_step(self, data):
        """Predicts as in Keras; inputs that only fill a batch are left out."""
        _, rows, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = super().predict_step(data)
        return outputs if rows is None else rows_of_targets(outputs, rows)

    def _for_worker(self, arguments: dict, *, training: bool = False) -> dict:
        """What this worker does: only the chief writes files and bars."""
        strategy = self.distribute_strategy
        if not has_several_workers(strategy):
            return arguments
        chief = is_chief(strategy)
        changed = dict(arguments)
        changed["x"] = shard_by_data(changed["x"])
        changed["callbacks"] = callbacks_of_worker(
            changed.get("callbacks"), chief=chief, training=training
        )
        if changed.get("verbose") == "auto" and not chief:
            changed["verbose"] = 0
        validation = changed.get("validation_data")
        if validation is not None:
            changed["validation_data"] = shard_by_data(validation)
        return changed

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Builds what `compile` left open, and splits batches exactly.

        It is the one place where Keras shows the iterator that it made.
        """
        if iterator is None or self._num_replicas == 1:
            super()._maybe_symbolic_build(iterator, data_batch)
            return
        adapter = iterator.data_adapter
        strategy = self.distribute_strategy
        check_agreement(
            strategy,
            {
                "number of batches": iterator.num_batches or -1,
                "seed of tf.random": _global_seed(),
            },
        )
        self.build_for(iterator)
        for metric in self.metrics:
            check_on_replicas(self, "metrics of the model", metric.variables)
        if isinstance(
            adapter.get_tf_dataset(), tf.distribute.DistributedDataset
        ):
            return  # the user has split it
        sizes = BatchSizes.of_adapter(adapter)
        if self._reads_for == "train":
            tell_uneven(sizes, self._num_replicas)
        uneven = sizes.may_be_uneven(self._num_replicas)
        if uneven or has_several_workers(strategy):
            fill = sizes.may_be_short(self._num_replicas)
            _split_exactly(iterator, strategy, fill)

    def build_for(self, iterator) -> None:
        """Builds metrics and optimizer for the data of Keras's iterator."""
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=_symbolic_batch(iterator))

    # Keras's `save_model` and callbacks call these, on every worker.

    def save(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the model as `keras.Model.save` does; on the chief alone."""
        if is_chief(self.distribute_strategy):
            super().save(filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves weights as `keras.Model` does; on the chief alone."""
        if is_chief(self.distribute_strategy):
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def export(self, filepath, *args, **kwargs) -> None:
        """Exports the model as `keras.Model.export` does; on the chief."""
        if is_chief(self.distribute_strategy):
            super().export(filepath, *args, **kwargs)


def _adapter_of_rows(x, batch_size: int | None, steps: int | None):
    """Keras's adapter of arrays and datasets; `None` for other streams."""
    if isinstance(x, keras.utils.PyDataset | tf.distribute.DistributedDataset):
        return None
    if not isinstance(x, tf.data.Dataset) and is_stream(x):
        return None
    return get_data_adapter(x, batch_size=batch_size, steps_per_epoch=steps)


def _with_rows(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Adds the numbers of the rows, where targets stand in training."""

    def add(*batch):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        return x, tf.range(tf.shape(keras.tree.flatten(x)[0])[0])

    return dataset.map(add)


def _split_exactly(iterator, strategy, fill: bool) -> None:
    """Replaces the dataset that Keras's iterator distributes, once."""
    if getattr(iterator, "splits_exactly", False):
        return
    iterator.splits_exactly = True
    with _SharedSeed(strategy):
        dataset = iterator.data_adapter.get_tf_dataset()
    iterator._distributed_dataset = split_batches(dataset, strategy, fill=fill)


def _symbolic_batch(iterator):
    """A batch that has shapes and dtypes; if need be, one that is read."""
    batch = specified_batch(iterator.data_adapter.get_tf_dataset())
    if batch is not None:
        return batch
    for _, _, batches in iterator:
        return keras.tree.map_structure(
            lambda leaf: (
                iterator._distribute_strategy.experimental_local_results(leaf)[
                    0
                ]
            ),
            next(batches),
        )
    return None


def _check_accumulation(optimizer, replicas: int) -> None:
    """Keras branches inside of a replica there, where nothing can be summed."""
    steps = getattr(optimizer, "gradient_accumulation_steps", None)
    if steps and replicas > 1:
        raise ValueError(
            f"gradient_accumulation_steps={steps}, which Keras cannot do on "
            f"{replicas} replicas. Leave it out and choose a batch_size "
            f"{steps} times as large, or more replicas."
        )


def _global_seed() -> int:
    seed = context.global_seed()
    return -1 if seed is None else int(seed)


class _SharedSeed:
    """Has all workers shuffle alike where the user set no seed."""

    def __init__(self, strategy):
        self._shared = None
        if has_several_workers(strategy) and context.global_seed() is None:
            # Not of any generator whose draws the user counts on.
            own = np.asarray(secrets.randbelow(2**31))
            self._shared = int(from_chief(strategy, [own])[0])

    def __enter__(self):
        if self._shared is not None:
            tf.random.set_seed(self._shared)

    def __exit__(self, *_):
        if self._shared is not None:
            tf.random.set_seed(None)
