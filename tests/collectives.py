"""Counts the numbers that a training step sends, in its traced graph."""

from typing import NamedTuple

import tensorflow as tf


class Collective(NamedTuple):
    """A collective operation of one replica.

    Args:
        kind: Type of the operation, such as "CollectiveReduceV2".
        elements: Number of values that this replica contributes.
        dtype: Their dtype.
    """

    kind: str
    elements: int
    dtype: str

    @property
    def size(self) -> int:
        """Returns the bytes that this replica contributes."""
        return self.elements * tf.dtypes.as_dtype(self.dtype).size


def step_collectives(model, x, y) -> list[Collective]:
    """Finds the collectives of a step of `fit`, of the first replica.

    Args:
        model: A compiled model of a strategy.
        x: Inputs of one batch.
        y: Dict of targets of one batch.

    Returns:
        The collectives in the order of the graph. Of a branch that is taken
        or not, those of the alternative with more.
    """
    size = len(tf.nest.flatten(x)[0])
    strategy = model.distribute_strategy
    # Nothing is computed: the step is only traced.
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(size)
    iterator = iter(strategy.experimental_distribute_dataset(batches))
    step = model.make_train_function()
    traced = tf.function(lambda: step(iterator)).get_concrete_function()
    by_device = {}
    for operation in _flat(traced.graph):
        by_device.setdefault(operation.device, []).append(_read(operation))
    found = list(by_device.values())
    assert all(each == found[0] for each in found), by_device
    return found[0] if found else []


def _flat(graph):
    """Finds the collectives of a graph and of the functions it calls."""
    for operation in graph.get_operations():
        if "Collective" in operation.type or "Nccl" in operation.type:
            yield operation
        called = [list(_flat(inner)) for inner in _called(graph, operation)]
        if operation.type in ("If", "StatelessIf", "Case", "StatelessCase"):
            yield from max(called, key=len)
        else:
            for each in called:
                yield from each


def _called(graph, operation):
    for attribute in operation.node_def.attr.values():
        functions = [attribute.func, *attribute.list.func]
        for function in functions:
            if function.name:
                yield graph._get_function(function.name).graph


def _read(operation) -> Collective:
    (first, *_) = operation.inputs
    return Collective(
        operation.type, first.shape.num_elements(), first.dtype.name
    )
