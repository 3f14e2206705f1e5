"""The graph of a functional model: the calls that lead to a tensor."""

from __future__ import annotations

from collections.abc import Iterable

from mtl_keras.keras_compat import node_of


def nodes_behind(tensors: Iterable) -> list:
    """Lists the calls that lead to tensors, inputs among them.

    Args:
        tensors: Keras tensors.

    Returns:
        Nodes, each once, those near the tensors first.
    """
    found, waiting = {}, [node_of(tensor) for tensor in tensors]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting.extend(map(node_of, node.input_tensors))
    return list(found)


def variables_of(node) -> Iterable:
    """Lists the trainable variables that a call reads.

    Args:
        node: A node.

    Returns:
        Those of its layer, unless the layer has `variables_of_call`, which
        says which of them a call reads.
    """
    operation, arguments = node.operation, node.arguments
    of_call = getattr(operation, "variables_of_call", None)
    if of_call is not None:
        return of_call(*arguments.args, **arguments.kwargs)
    return getattr(operation, "trainable_variables", ())
