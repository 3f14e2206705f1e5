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
from keras.src.trainers.compile_utils import CompileLoss, CompileMetrics

pytestmark = pytest.mark.keras_source


def test_keras_reads_a_batch_of_one_replica_as_one_of_all():
    """The first place of keras issue 20585."""
    code = inspect.getsource(trainer.TensorFlowTrainer._maybe_symbolic_build)
    assert "isinstance(x, tf.distribute.DistributedValues)" in code
    assert "experimental_local_results" not in code, (
        "Keras takes the local batch by itself: see whether "
        "DistributedTraining._maybe_symbolic_build is still needed."
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
        "DistributedTraining.compile is no longer needed."
    )


def test_keras_keeps_what_layers_add_in_one_list_for_all_threads():
    """`losses_of_replicas` puts another list in its place."""
    layer = keras.layers.ActivityRegularization(l2=1.0)
    thread = threading.Thread(target=layer, args=(np.ones((2, 3)),))
    thread.start()
    thread.join()
    assert len(layer.losses) == 1, (
        "Keras keeps the losses of a layer otherwise: see whether "
        "keep_losses_apart is still needed."
    )


def test_keras_uses_the_list_of_added_losses_in_known_places():
    """`losses_of_replicas` puts another list in its place."""
    code = inspect.getsource(keras.layers.Layer)
    for use in (
        "self._losses.extend(losses)",
        "return self._losses[:]",
        "self._losses.clear()",
    ):
        assert use in code
    assert code.count("self._losses") - code.count("self._losses_") == 4


def test_keras_still_has_the_losses_that_are_overridden():
    """If this fails, compare `task_losses.py` with Keras's compile_utils."""
    assert list(inspect.signature(CompileLoss.build).parameters) == [
        "self",
        "y_true",
        "y_pred",
    ]
    source = inspect.getsource(CompileLoss)
    assert "self._tracker.add_to_store(" in source
    assert "self._metrics = []" in source
    assert 'namedtuple("Loss", ["path", "loss", "loss_weights", "name"])' in (
        source
    )


def test_keras_still_leaves_the_tracker_of_one_output_out():
    """If this fails, Keras logs it now."""
    source = inspect.getsource(CompileLoss.build)
    assert "if len(self._flat_losses) > 1:" in source


def test_keras_still_has_the_metrics_that_are_overridden():
    """If this fails, compare `task_metrics.py` with Keras's compile_utils."""
    parameters = list(
        inspect.signature(CompileMetrics._build_metrics_set).parameters
    )
    assert parameters[:4] == ["self", "metrics", "num_outputs", "output_names"]
    source = inspect.getsource(CompileMetrics._build_metrics_set)
    assert "don't use `output_names`" in source
    source = inspect.getsource(CompileMetrics.build)
    assert "self._flat_metrics = " in source
    assert "self._flat_weighted_metrics = " in source


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
