"""All private names of Keras and TensorFlow that this library uses.

No other file imports `keras.src` or `tensorflow.python`, or reads an attribute
of Keras that begins with an underscore. Each entry explains its purpose, and
`tests/test_keras_source.py` fails where Keras changes it. All entries exist
and were tested in Keras 3.15.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping

import keras
import tensorflow as tf
from keras.src.models.functional import Functional
from keras.src.trainers.data_adapters import array_slicing, get_data_adapter
from keras.src.trainers.epoch_iterator import EpochIterator
from tensorflow.python.eager import context

# Attributes that Keras sets on outputs and reads in losses: the padding mask,
# and the logits of a softmax or sigmoid.
MASK, LOGITS = OUTPUT_ATTRIBUTES = ("_keras_mask", "_keras_logits")


class HookedModel(keras.Model):
    """Adds hooks to `keras.Model` by overriding private methods.

    Keras has no public method that receives the data iterator of `fit`, or
    that changes the logs of an epoch, which may have had no step.
    """

    def on_iterator(self, iterator) -> None:
        """Called with the iterator of `fit` or `evaluate`.

        Args:
            iterator: Keras's iterator over epochs.
        """

    def on_epoch_logs(self, logs):
        """Called with the logs of the last step of an epoch.

        Args:
            logs: The logs; empty if the epoch had no step.

        Returns:
            The logs of the epoch.
        """
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        # Keras builds metrics and optimizer here, and fails under
        # MultiWorkerMirroredStrategy (keras issue 20585).
        if iterator is not None:
            self.on_iterator(iterator)

    def _symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Does nothing: steps create their variables."""

    def _get_metrics_result_or_logs(self, logs):
        return super()._get_metrics_result_or_logs(self.on_epoch_logs(logs))

    def remove_loss_tracker(self) -> None:
        """Removes the loss metric that Keras's `compile` created."""
        vars(self)["_loss_tracker"] = None

    def assert_compiled(self, method: str) -> None:
        """Raises an error if the model is not compiled.

        Args:
            method: Name of the method that requires it.
        """
        self._assert_compile_called(method)

    @property
    def start_epoch(self) -> int:
        """The initial epoch that Keras's `BackupAndRestore` restored."""
        return self._initial_epoch or 0

    @start_epoch.setter
    def start_epoch(self, epoch: int) -> None:
        vars(self)["_initial_epoch"] = epoch or None


def make_data_adapter(x, **arguments):
    """Creates Keras's data adapter for arrays or a stream.

    Args:
        x: As in `keras.Model.fit`.
        **arguments: Arguments of the adapter: `batch_size`,
            `steps_per_epoch`.
    """
    return get_data_adapter(x, **arguments)


def train_validation_split(arrays, validation_split: float) -> tuple:
    """Splits arrays as `keras.Model.fit` does.

    Args:
        arrays: Nested arrays.
        validation_split: Fraction of the samples, from the end.
    """
    return array_slicing.train_validation_split(arrays, validation_split)


def convert_to_sliceable(*args, **kwargs):
    """Converts arrays to sliceable arrays, as `keras.Model.fit` does.

    Args:
        *args: Arguments of Keras's function.
        **kwargs: Keyword arguments of Keras's function.
    """
    return array_slicing.convert_to_sliceable(*args, **kwargs)


def global_seed() -> int | None:
    """Returns the seed set by `tf.random.set_seed`, or `None`."""
    return context.global_seed()


def wrapped_function(wrapper) -> tuple[Callable, dict] | None:
    """Returns the function that a Keras loss or metric wraps.

    Args:
        wrapper: A `keras.losses.Loss` or a `keras.metrics.MeanMetricWrapper`.

    Returns:
        The function and a dict of its arguments, or `None` for other objects.
    """
    if isinstance(wrapper, keras.metrics.MeanMetricWrapper):
        return wrapper._fn, wrapper._fn_kwargs
    function = getattr(wrapper, "fn", None)
    if isinstance(wrapper, keras.losses.Loss) and function is not None:
        return function, getattr(wrapper, "_fn_kwargs", None) or {}
    return None


def get_direction(metric: keras.metrics.Metric) -> str | None:
    """Returns the direction of a metric, `"min"` or `"max"`.

    Args:
        metric: A metric.

    Returns:
        The direction, or `None` if the metric does not define it.
    """
    return {"up": "max", "down": "min"}.get(getattr(metric, "_direction", None))


def waits_for_batch(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric may create variables at its first batch.

    Args:
        metric: A metric. Custom metrics may always do so.
    """
    if not metric.variables or not getattr(metric, "_built", True):
        return True
    return type(metric).__module__.partition(".")[0] not in (
        "keras",
        "mtl_keras",
    )


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields a model and all layers inside it.

    Args:
        model: The model.
    """
    return model._flatten_layers(include_self=True)


def get_operation(tensor) -> tuple:
    """Returns the operation that created a Keras tensor, and its indices.

    Args:
        tensor: A symbolic Keras tensor.

    Returns:
        The operation, the index of its call and the index of the output.
    """
    history = tensor._keras_history
    return history.operation, history.node_index, history.tensor_index


def get_node(tensor):
    """Returns the graph node that created a Keras tensor.

    Args:
        tensor: A symbolic Keras tensor.
    """
    operation, index, _ = get_operation(tensor)
    return operation._inbound_nodes[index]


def get_mask(output):
    """Returns the mask that Keras set on an output, or `None`."""
    return getattr(output, "_keras_mask", None)


def get_logits(output):
    """Returns the logits that Keras set on an output, or `None`."""
    return getattr(output, "_keras_logits", None)


def set_output_attributes(output, attributes: Mapping):
    """Sets the mask or the logits of an output.

    Args:
        output: A tensor.
        attributes: Dict from a name in `OUTPUT_ATTRIBUTES` to a tensor or
            `None`.

    Returns:
        The output.
    """
    for name, value in attributes.items():
        if value is not None:
            setattr(output, name, value)
    return output


def get_output_attributes(output) -> dict:
    """Returns the mask and the logits of an output.

    Args:
        output: A tensor.

    Returns:
        Dict from a name in `OUTPUT_ATTRIBUTES` to a tensor or `None`.
    """
    return {name: getattr(output, name, None) for name in OUTPUT_ATTRIBUTES}


def get_learning_rate(optimizer: keras.optimizers.Optimizer):
    """Returns the variable or schedule of an optimizer's learning rate.

    Args:
        optimizer: An optimizer.
    """
    return getattr(optimizer, "_learning_rate", None)


def disable_optimizer_all_reduce(optimizer: keras.optimizers.Optimizer) -> None:
    """Disables the gradient reduction of an optimizer.

    Keras clips gradients on each replica before it sums them, so clipping
    would depend on the number of replicas. `TrainStep` sums the gradients
    first, and the optimizer must not sum them again.

    Args:
        optimizer: The optimizer of a model, changed permanently.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = list


def use_per_replica_losses(model: keras.Model) -> None:
    """Stores the losses of `add_loss` separately for each replica.

    A layer stores added losses in one list, which a forward pass clears at its
    start. Replicas on one host are threads that call the same layers, so each
    would find the losses of another replica, or none.

    Args:
        model: A model of a strategy with several replicas, changed
            permanently.
    """
    for layer in all_layers(model):
        if not isinstance(layer._losses, _PerThreadLosses):
            # Not by `setattr`: Keras would convert it to a tracked list.
            vars(layer)["_losses"] = _PerThreadLosses()


class _PerThreadLosses(list):
    """A list with separate content for each thread."""

    def __init__(self):
        super().__init__()
        self._local = threading.local()

    def _own(self) -> list:
        if not hasattr(self._local, "losses"):
            self._local.losses = []
        return self._local.losses

    def extend(self, losses) -> None:
        self._own().extend(losses)

    def clear(self) -> None:
        self._own().clear()

    def __getitem__(self, index):
        return self._own()[index]

    def __len__(self) -> int:
        return len(self._own())

    def __iter__(self):
        return iter(self._own())

    def __reduce__(self):
        # A copy cannot use the graph tensors.
        return _PerThreadLosses, ()


def in_multi_worker_mode(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether a strategy spreads over several processes.

    Args:
        strategy: The strategy.
    """
    return getattr(strategy.extended, "_in_multi_worker_mode", bool)()


def run_graph(model: keras.Model, inputs, call: Callable):
    """Runs the graph of a functional model with replaced layer calls.

    Args:
        model: A functional model.
        inputs: The inputs of the model.
        call: Function of a layer that returns the function to call instead.
    """
    return Functional._run_through_graph(model, inputs, call_fn=call)


def replace_dataset(iterator: EpochIterator, dataset) -> None:
    """Replaces the distributed dataset of an iterator over epochs.

    Args:
        iterator: Keras's iterator over epochs.
        dataset: The new dataset.
    """
    iterator._distributed_dataset = dataset
