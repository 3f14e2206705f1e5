"""Alarms for maintainers: Keras changed what is overridden or needed here.

Most of them look at the source code of Keras. They are not part of `make
test`, which a newer Keras must not fail for its style: `make test-keras` and
`make test-all` run them.
"""

import inspect
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.tensorflow import trainer
from keras.src.models.functional import Functional
from keras.src.trainers.trainer import Trainer

from mtl_keras import keras_compat

pytestmark = pytest.mark.keras_source


def test_keras_reads_a_batch_of_one_replica_as_one_of_all():
    """The first place of keras issue 20585."""
    code = inspect.getsource(trainer.TensorFlowTrainer._maybe_symbolic_build)
    assert "isinstance(x, tf.distribute.DistributedValues)" in code
    assert "experimental_local_results" not in code, (
        "Keras takes the local batch by itself: see whether "
        "HookedModel._maybe_symbolic_build is still needed."
    )


def test_keras_averages_logs_over_an_axis_that_they_do_not_have():
    """The second place of keras issue 20585."""
    code = inspect.getsource(trainer.reduce_per_replica)
    assert 'strategy.reduce("MEAN", v, axis=0)' in code, (
        "Keras reduces logs of several workers otherwise: see whether its own "
        "step works under MultiWorkerMirroredStrategy."
    )


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_keras_shows_its_iterator_before_it_reads(method):
    code = inspect.getsource(getattr(trainer.TensorFlowTrainer, method))
    made = code.index("TFEpochIterator(")
    shown = code.index("self._maybe_symbolic_build(iterator=epoch_iterator)")
    read = code.index("in epoch_iterator:")
    assert made < shown < read


def test_keras_keeps_what_it_distributes(two_replicas):
    iterator = trainer.TFEpochIterator(
        x=np.zeros((4, 2)), distribute_strategy=two_replicas, batch_size=4
    )
    assert iterator._get_iterator() is iterator._distributed_dataset
    assert isinstance(
        iterator._distributed_dataset, tf.distribute.DistributedDataset
    )
    assert not iterator.data_adapter.has_partial_batch


def test_keras_puts_predictions_of_workers_together_by_replica():
    """`split_batches` follows that order."""
    code = inspect.getsource(trainer._multi_worker_concat)
    assert "replicas[replica_id::num_replicas_per_worker]" in code


def test_keras_compiles_optimizers_outside_of_the_scope(two_replicas):
    with two_replicas.scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd")
    inside = isinstance(
        model.optimizer.iterations.value, tf.distribute.DistributedValues
    )
    assert not inside, (
        "Keras compiles in the scope of the model's strategy: "
        "the scope in MultiTaskModel.compile is no longer needed."
    )


def test_keras_keeps_what_layers_add_in_one_list_for_all_threads():
    """`use_per_replica_losses` puts another list in its place."""
    layer = keras.layers.ActivityRegularization(l2=1.0)
    thread = threading.Thread(target=layer, args=(np.ones((2, 3)),))
    thread.start()
    thread.join()
    assert len(layer.losses) == 1, (
        "Keras keeps the losses of a layer otherwise: see whether "
        "use_per_replica_losses is still needed."
    )


def test_keras_uses_the_list_of_added_losses_in_known_places():
    """`use_per_replica_losses` puts another list in its place."""
    code = inspect.getsource(keras.layers.Layer)
    for use in (
        "self._losses.extend(losses)",
        "return self._losses[:]",
        "self._losses.clear()",
    ):
        assert use in code
    assert code.count("self._losses") - code.count("self._losses_") == 4


def test_keras_asks_for_metrics_in_one_place():
    """`MultiTaskModel.metrics` lists ours before those that Keras finds."""
    code = inspect.getsource(Trainer.metrics.fget)
    assert "if self._loss_tracker is not None:" in code
    assert "if self._compile_metrics is not None:" in code
    assert "if self._compile_loss is not None:" in code
    for method in (Trainer.reset_metrics, Trainer.get_metrics_result):
        assert "in self.metrics:" in inspect.getsource(method)


def test_keras_takes_the_logs_of_the_last_step_where_keys_differ():
    """`HookedModel.on_epoch_logs` changes these logs."""
    code = inspect.getsource(Trainer._get_metrics_result_or_logs)
    assert "metric_logs = self.get_metrics_result()" in code
    assert code.rstrip().endswith("return logs")


def test_keras_tells_evaluate_that_fit_calls_it():
    code = inspect.getsource(trainer.TensorFlowTrainer.fit)
    assert "_use_cached_eval_dataset=True" in code
    assert "self._initial_epoch or initial_epoch" in code


def test_keras_knows_the_direction_of_its_metrics():
    assert keras_compat.get_direction(keras.metrics.AUC()) == "max"
    assert keras_compat.get_direction(keras.metrics.MeanSquaredError()) == "min"
    assert keras_compat.get_direction(keras.metrics.Sum()) is None


def test_keras_wraps_functions_as_losses_and_metrics():
    loss = keras.losses.Huber(delta=2.0)
    function, arguments = keras_compat.wrapped_function(loss)
    assert function is keras.losses.huber
    assert arguments["delta"] == 2.0
    metric = keras.metrics.BinaryAccuracy(threshold=0.3)
    function, arguments = keras_compat.wrapped_function(metric)
    assert function is keras.metrics.binary_accuracy
    assert arguments["threshold"] == 0.3
    assert keras_compat.wrapped_function(keras.metrics.AUC()) is None


def test_keras_attaches_logits_to_outputs():
    output = keras.activations.sigmoid(tf.constant([[0.5]]))
    assert float(keras_compat.get_logits(output)[0, 0]) == 0.5
    assert keras_compat.get_mask(output) is None


def test_keras_says_what_made_a_tensor():
    inputs = keras.Input((2,))
    layer = keras.layers.Dense(1)
    output = layer(inputs)
    assert keras_compat.get_operation(output) == (layer, 0, 0)
    assert keras_compat.get_node(output).input_tensors == [inputs]


def test_optimizers_sum_gradients_in_one_method():
    optimizer = keras.optimizers.SGD()
    code = inspect.getsource(type(optimizer))
    assert callable(optimizer._all_reduce_sum_gradients), code


def test_optimizers_keep_rates_and_schedules_apart():
    rate = keras_compat.get_learning_rate(keras.optimizers.SGD(0.5))
    assert isinstance(rate, keras.Variable)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = keras.optimizers.SGD(schedule)
    assert keras_compat.get_learning_rate(optimizer) is schedule


def test_tensorflow_keeps_the_global_seed():
    tf.random.set_seed(5)
    assert keras_compat.global_seed() == 5


def test_keras_still_walks_through_the_graph_of_a_backbone():
    """If this fails, compare `backbone_copy.py` with Keras's cloning.py."""
    inputs = keras.Input((2,))
    network = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    assert type(network) is Functional
    walk = Functional._run_through_graph
    assert list(inspect.signature(walk).parameters) == [
        "self",
        "inputs",
        "operation_fn",
        "call_fn",
    ]
