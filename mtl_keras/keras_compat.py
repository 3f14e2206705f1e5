"""Every private name of Keras and TensorFlow that this library uses.

Nothing else imports `keras.src` or `tensorflow.python`, or reads an attribute
of Keras whose name begins with an underscore. Each entry says what it is for;
`tests/test_keras_source.py` fails where Keras has changed it. All of them are
there since Keras 3.15, and have been tried with 3.15 alone.
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

# What Keras attaches to outputs and reads in losses: the mask of padding, and
# what a softmax or sigmoid was made of, which losses are computed from.
MASK, LOGITS = OUTPUT_ATTRIBUTES = ("_keras_mask", "_keras_logits")


class HookedModel(keras.Model):
    """Overrides the private methods of `keras.Model` that have no public hook.

    Keras's `fit` shows the iterator over its data to no public method. Its
    logs at the end of an epoch are those of the last step, where there was
    none.
    """

    def on_iterator(self, iterator) -> None:
        """Receives the iterator that `fit` or `evaluate` reads.

        Args:
            iterator: Keras's iterator over epochs.
        """

    def logs_of_epoch(self, logs):
        """Receives the logs of the last step of an epoch.

        Args:
            logs: The logs, empty where the epoch had no step.

        Returns:
            The logs to use.
        """
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        # Keras builds metrics and optimizer here, and fails under
        # MultiWorkerMirroredStrategy (keras issue 20585).
        if iterator is not None:
            self.on_iterator(iterator)

    def _symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Builds nothing: steps build what they need."""

    def _get_metrics_result_or_logs(self, logs):
        return super()._get_metrics_result_or_logs(self.logs_of_epoch(logs))

    def drop_own_metrics(self) -> None:
        """Drops the metric of the loss that Keras's `compile` has made."""
        vars(self)["_loss_tracker"] = None

    def assert_compiled(self, method: str) -> None:
        """Raises an error if the model is not compiled.

        Args:
            method: Name of the method that needs it.
        """
        self._assert_compile_called(method)

    @property
    def start_epoch(self) -> int:
        """The epoch that a backup of Keras has made `fit` begin with."""
        return self._initial_epoch or 0

    @start_epoch.setter
    def start_epoch(self, epoch: int) -> None:
        vars(self)["_initial_epoch"] = epoch or None


def adapter_of(x, **arguments):
    """Returns Keras's adapter of arrays or of a stream.

    Args:
        x: As in `keras.Model.fit`.
        **arguments: Of the adapter: `batch_size`, `steps_per_epoch`.
    """
    return get_data_adapter(x, **arguments)


def train_validation_split(arrays, validation_split: float) -> tuple:
    """Splits arrays as `keras.Model.fit` does.

    Args:
        arrays: Nested arrays.
        validation_split: Share of the samples, from the end.
    """
    return array_slicing.train_validation_split(arrays, validation_split)


def convert_to_sliceable(*args, **kwargs):
    """Makes arrays that can be sliced, as `keras.Model.fit` does.

    Args:
        *args: Of Keras's function.
        **kwargs: Likewise.
    """
    return array_slicing.convert_to_sliceable(*args, **kwargs)


def global_seed() -> int | None:
    """Returns the seed that `tf.random.set_seed` was given, or `None`."""
    return context.global_seed()


def wrapped_function(wrapper) -> tuple[Callable, dict] | None:
    """Returns the function that a loss or metric of Keras wraps.

    Args:
        wrapper: A `keras.losses.Loss` or a `keras.metrics.MeanMetricWrapper`.

    Returns:
        The function and a dict of its arguments; `None` for other objects.
    """
    if isinstance(wrapper, keras.metrics.MeanMetricWrapper):
        return wrapper._fn, wrapper._fn_kwargs
    function = getattr(wrapper, "fn", None)
    if isinstance(wrapper, keras.losses.Loss) and function is not None:
        return function, getattr(wrapper, "_fn_kwargs", None) or {}
    return None


def direction_of(metric: keras.metrics.Metric) -> str | None:
    """Returns the better direction of a metric of Keras, if it knows it.

    Args:
        metric: A metric.
    """
    return {"up": "max", "down": "min"}.get(getattr(metric, "_direction", None))


def waits_for_batch(metric: keras.metrics.Metric) -> bool:
    """Returns whether a metric may make variables at its first batch.

    Args:
        metric: A metric. One of a user's own may do it at any time.
    """
    if not metric.variables or not getattr(metric, "_built", True):
        return True
    return type(metric).__module__.partition(".")[0] not in (
        "keras",
        "mtl_keras",
    )


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields a model and all layers inside of it.

    Args:
        model: The model.
    """
    return model._flatten_layers(include_self=True)


def operation_of(tensor) -> tuple:
    """Returns the operation that made a Keras tensor, and where.

    Args:
        tensor: A symbolic Keras tensor.

    Returns:
        The operation, the index of its call and the index of the output.
    """
    history = tensor._keras_history
    return history.operation, history.node_index, history.tensor_index


def node_of(tensor):
    """Returns the node of the graph that made a Keras tensor.

    Args:
        tensor: A symbolic Keras tensor.
    """
    operation, index, _ = operation_of(tensor)
    return operation._inbound_nodes[index]


def mask_of(output):
    """Returns the mask that Keras attached to an output, or `None`."""
    return getattr(output, "_keras_mask", None)


def logits_of(output):
    """Returns what Keras computed an output from, or `None`."""
    return getattr(output, "_keras_logits", None)


def with_attributes(output, attributes: Mapping):
    """Attaches a mask or logits to an output.

    Args:
        output: A tensor.
        attributes: Dict from a name of `OUTPUT_ATTRIBUTES` to a tensor or
            `None`.
    """
    for name, value in attributes.items():
        if value is not None:
            setattr(output, name, value)
    return output


def attributes_of(output) -> dict:
    """Returns what Keras attached to an output.

    Args:
        output: A tensor.
    """
    return {name: getattr(output, name, None) for name in OUTPUT_ATTRIBUTES}


def learning_rate_of(optimizer: keras.optimizers.Optimizer):
    """Returns the variable or schedule of an optimizer's learning rate.

    Args:
        optimizer: An optimizer.
    """
    return getattr(optimizer, "_learning_rate", None)


def disable_gradient_sum(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer take gradients that are sums over the replicas.

    Keras clips gradients on each replica before it sums them, so that clipping
    depends on the number of replicas. Our step sums them first; the optimizer
    then must not sum again.

    Args:
        optimizer: The optimizer of a model, changed for good.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = list


def separate_added_losses(model: keras.Model) -> None:
    """Makes each layer keep the losses that replicas add apart.

    A layer keeps what `add_loss` was given in one list, which a forward pass
    clears when it begins. Replicas on one host are threads that call the same
    layers in turn, so that each would find losses of another one, or none.

    Args:
        model: A model of a strategy with several replicas, changed for good.
    """
    for layer in all_layers(model):
        if not isinstance(layer._losses, _LossesOfThread):
            # Keras would make an attribute that is set a list that it tracks.
            vars(layer)["_losses"] = _LossesOfThread()


class _LossesOfThread(list):
    """A list of its own for each thread."""

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
        # Tensors of a graph mean nothing to a copy.
        return _LossesOfThread, ()


def in_multi_worker_mode(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether a strategy spreads over several processes.

    Args:
        strategy: The strategy.
    """
    return getattr(strategy.extended, "_in_multi_worker_mode", bool)()


def run_graph(model: keras.Model, inputs, call: Callable):
    """Runs the graph of a functional model with another call for each layer.

    Args:
        model: A functional model.
        inputs: Its inputs.
        call: Function of a layer that returns what is called for it.
    """
    return Functional._run_through_graph(model, inputs, call_fn=call)


def replace_dataset(iterator: EpochIterator, dataset) -> None:
    """Makes an iterator over epochs read another distributed data set.

    Args:
        iterator: Keras's iterator over epochs.
        dataset: What it reads.
    """
    iterator._distributed_dataset = dataset
